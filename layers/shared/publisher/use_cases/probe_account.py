"""Find out whether an account is lost, as an event of TikTok's said."""

from contextlib import suppress

from publisher.domain.accounts import Account, removal_confirmed
from publisher.domain.errors import InvalidToken, TokenExpired
from publisher.ports import Ports
from publisher.use_cases.use_access_token import use_access_token


def probe_account(ports: Ports, account: Account, *, seconds_left: float) -> Account:
    """Call TikTok with the account's token; only when TikTok refuses it does the event count, with its reason.

    So an event that is forged, or repeated after the account was connected again, changes nothing. When TikTok does
    not answer the event stays, to be looked at again.
    """
    removal = account.removal
    if removal is None:
        return account
    with suppress(TokenExpired, InvalidToken):  # noted at the account, unless only a scope is missing
        use_access_token(
            ports,
            account.account_id,
            lambda token: ports.tiktok.profile(token, account.scopes),
            seconds_left=seconds_left,
        )
    probed = ports.accounts.get(account.account_id) or account
    return ports.accounts.save(removal_confirmed(probed, removal))
