"""Look after an account whose time has come: keep its access alive and its posts going, or give it up."""

from contextlib import suppress

from publisher.domain.accounts import Account, idle, look_next, look_soon
from publisher.domain.errors import TokenExpired, TryAgain
from publisher.ports import Ports
from publisher.use_cases.disconnect import give_up_access, try_again_later
from publisher.use_cases.hold_post import continue_held
from publisher.use_cases.probe_account import probe_account
from publisher.use_cases.tell_endpoints import tell_of_account
from publisher.use_cases.use_access_token import keep_alive


def look_after_account(ports: Ports, account_id: str, *, seconds_left: float) -> None:
    """Do what is due; the next look is planned first, so that it comes whatever becomes of this one."""
    account = ports.accounts.get(account_id)
    if account is None:
        return
    if account.disconnected_at is not None and account.tokens is not None:
        give_up_access(ports, _told(ports, try_again_later(ports, account)), seconds_left=seconds_left)
        return
    looked_at = _told(ports, ports.accounts.save(look_soon(account, ports.clock.now())))
    account = probe_account(ports, looked_at, seconds_left=seconds_left)
    if account.usable(ports.clock.now()):
        continue_held(ports, account)
        _keep_alive(ports, account, seconds_left=seconds_left)
    _plan(ports, looked_at)


def _told(ports: Ports, account: Account) -> Account:
    """Tell the account's state to the workspace's endpoints; when that does not work the next look does it."""
    with suppress(TryAgain):
        return tell_of_account(ports, account)
    return account


def _keep_alive(ports: Ports, account: Account, *, seconds_left: float) -> None:
    """Use the refresh token of an idle account before it dies; that one is dead is noted at the account."""
    if idle(account, ports.clock.now()):
        with suppress(TokenExpired):
            keep_alive(ports, account, seconds_left=seconds_left)


def _plan(ports: Ports, looked_at: Account) -> None:
    """Plan the next look, unless somebody has meanwhile asked for one."""
    account = ports.accounts.get(looked_at.account_id)
    if account is not None and account.watch_at == looked_at.watch_at:
        ports.accounts.save(look_next(account, ports.clock.now()))
