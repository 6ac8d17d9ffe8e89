"""Look after an account whose time has come: take back the access to one that was disconnected."""

from publisher.ports import Ports
from publisher.use_cases.disconnect import give_up_access, try_again_later


def look_after_account(ports: Ports, account_id: str, *, seconds_left: float) -> None:
    """Do what is due; the next look is planned first, so that it comes whatever becomes of this one."""
    account = ports.accounts.get(account_id)
    if account is not None and account.disconnected_at is not None and account.tokens is not None:
        give_up_access(ports, try_again_later(ports, account), seconds_left=seconds_left)
