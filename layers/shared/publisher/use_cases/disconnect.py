"""Disconnect an account: at once nothing uses it, TikTok takes our access back, and its tokens are erased."""

from publisher.domain.accounts import Account, disconnected, erased, revoke_later, revoked_long_enough
from publisher.domain.errors import Busy, NotFound, PublisherError, TokenExpired
from publisher.domain.limits import DISCONNECT_TRIES
from publisher.domain.rules import is_id
from publisher.ports import Ports
from publisher.use_cases.use_access_token import revoke_access


def disconnect(ports: Ports, workspace_id: str, account_id: str, *, seconds_left: float) -> Account:
    """Return the disconnected account, without tokens once TikTok has answered. Safe to repeat.

    NotFound for another workspace's account as for none. When TikTok does not answer the sweep tries again.
    """
    account, fresh = _mark(ports, workspace_id, account_id)
    if not fresh:
        return account
    try:
        return give_up_access(ports, account, seconds_left=seconds_left)
    except PublisherError:
        return account  # it is disconnected all the same


def give_up_access(ports: Ports, account: Account, *, seconds_left: float) -> Account:
    """Have TikTok take the access to a disconnected account back, and erase its tokens.

    When TikTok's answer is unclear the tokens are kept for another try, for a day; its error is raised.
    """
    try:
        revoke_access(ports, account.account_id, seconds_left=seconds_left)
    except TokenExpired:
        pass  # TikTok takes none of the tokens any more, so there is nothing to take back
    except PublisherError:
        if not revoked_long_enough(account, ports.clock.now()):
            raise
    return _erase(ports, account)


def try_again_later(ports: Ports, account: Account) -> Account:
    """Plan the next try before this one, so that it comes whatever becomes of this one."""
    return ports.accounts.save(revoke_later(account, ports.clock.now()))


def _mark(ports: Ports, workspace_id: str, account_id: str) -> tuple[Account, bool]:
    """Return the account as disconnected, and whether it was not before."""
    for tries_left in reversed(range(DISCONNECT_TRIES)):
        account = ports.accounts.get(account_id) if is_id(account_id) else None
        if account is None or account.workspace_id != workspace_id:
            raise NotFound("There is no such account in this workspace.", "GET /api/accounts lists them.")
        if not account.connected:
            return account, False
        try:
            return ports.accounts.save(disconnected(account, ports.clock.now())), True
        except Busy:
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _erase(ports: Ports, account: Account) -> Account:
    """Erase the tokens, also those of a refresh that came back late, unless the account was connected again."""
    for tries_left in reversed(range(DISCONNECT_TRIES)):
        known = ports.accounts.get(account.account_id)
        if known is None or known.tokens is None or known.disconnected_at != account.disconnected_at:
            return known or account
        try:
            return ports.accounts.save(erased(known, ports.clock.now()))
        except Busy:
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")
