"""Tell what a creator may choose now."""

from pydantic import SecretStr

from publisher.domain.accounts import Creator
from publisher.domain.slots import TIKTOK_CREATOR_INFO
from publisher.ports import Ports
from publisher.use_cases.load_account import load_account
from publisher.use_cases.take_turn import count_call
from publisher.use_cases.use_access_token import use_access_token


def get_creator(ports: Ports, workspace_id: str, account_id: str, *, seconds_left: float) -> Creator:
    """Return the creator's live posting options; TikTok's refusals say why he cannot post now."""
    account = load_account(ports, workspace_id, account_id)
    return ask_creator(ports, account.account_id, seconds_left=seconds_left)


def ask_creator(ports: Ports, account_id: str, *, seconds_left: float, kept: int = 0) -> Creator:
    """Ask TikTok for the creator's options; Paced when it would refuse to answer, or only `kept` calls are left."""

    def ask(token: SecretStr) -> Creator:
        count_call(ports, account_id, TIKTOK_CREATOR_INFO, account_id, kept=kept)
        return ports.tiktok.creator(token)

    return use_access_token(ports, account_id, ask, seconds_left=seconds_left)
