"""Tell what a creator may choose now."""

from publisher.domain.accounts import Creator
from publisher.ports import Ports
from publisher.use_cases.load_account import load_account
from publisher.use_cases.use_access_token import use_access_token


def get_creator(ports: Ports, workspace_id: str, account_id: str, *, seconds_left: float) -> Creator:
    """Return the creator's live posting options; TikTok's refusals say why he cannot post now."""
    account = load_account(ports, workspace_id, account_id)
    return use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=seconds_left)
