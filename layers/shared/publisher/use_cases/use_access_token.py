"""Call TikTok for an account with a token that works, refreshed by one worker at a time; and give the access up."""

import json
import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from pydantic import SecretStr

from publisher.domain.accounts import Account, SealedTokens, fresh_enough, leased_by_other, usable, with_lease
from publisher.domain.errors import Busy, ServiceUnavailable, TokenExpired, TryAgain
from publisher.domain.limits import CHANGE_TRIES, REFRESH_MIN_FUNCTION_SECONDS, TOKEN_WRITE_TRIES
from publisher.ports import Grant, Ports

RECONNECT = "The creator has to connect the account again (GET /oauth/tiktok/start)."


def use_access_token[T](ports: Ports, account_id: str, call: Callable[[SecretStr], T], *, seconds_left: float) -> T:
    """Return what `call` answers with the account's access token.

    A token that TikTok refuses is refreshed once; refused again, the account needs to be connected again and
    TokenExpired is raised. `seconds_left` is the worker's time: a refresh is not begun when it could be cut off.
    """
    return _use(ports, account_id, call, ends=ports.clock.now() + seconds_left)


def keep_alive(ports: Ports, account: Account, *, seconds_left: float) -> None:
    """Refresh the account's tokens unless another worker has since `account` was read; errors as of a refresh."""
    ver = account.tokens.ver if account.tokens else None
    ends = ports.clock.now() + seconds_left
    _working_token(ports, account.account_id, refused=ver, ends=ends, leaving=False)


def revoke_access(ports: Ports, account_id: str, *, seconds_left: float) -> None:
    """Have TikTok take back the access to a disconnected account, with its last tokens. Safe to repeat.

    TokenExpired when TikTok takes none of them any more, or they are erased, or the account is connected again: then
    there is nothing to take back.
    """
    _use(ports, account_id, ports.tiktok.revoke, ends=ports.clock.now() + seconds_left, leaving=True)


def _use[T](ports: Ports, account_id: str, call: Callable[[SecretStr], T], *, ends: float, leaving: bool = False) -> T:
    token, ver = _working_token(ports, account_id, refused=None, ends=ends, leaving=leaving)
    try:
        return call(token)
    except TokenExpired:
        token, ver = _working_token(ports, account_id, refused=ver, ends=ends, leaving=leaving)
    try:
        return call(token)
    except TokenExpired as refusal:
        _need_reconnection(ports, account_id, ver, "TikTok refuses the account's token.", refusal)


def tokens_context(account: Account) -> dict[str, str]:
    """Return what an account's sealed tokens are bound to."""
    return {"workspace": account.workspace_id, "account": account.account_id, "field": "tokens"}


def seal_tokens(sealer: Callable[[SecretStr], str], grant: Grant, ver: int, now: float) -> SealedTokens:
    """Turn TikTok's answer into what is stored; lifetimes come from the answer."""
    both = {"access": grant.access_token.get_secret_value(), "refresh": grant.refresh_token.get_secret_value()}
    return SealedTokens(
        ver=ver,
        sealed=sealer(SecretStr(json.dumps(both))),
        expires_at=now + grant.expires_in,
        refresh_expires_at=now + grant.refresh_expires_in,
        lifetime=grant.expires_in,
    )


def _working_token(
    ports: Ports, account_id: str, *, refused: int | None, ends: float, leaving: bool
) -> tuple[SecretStr, int]:
    """Return an access token and its version, other than the version that TikTok refused.

    Waits for a worker that is refreshing, or takes over when its lease has run out, as long as the time until the
    epoch second `ends` is enough for a refresh. `leaving` asks for the last token of a disconnected account.
    """
    owner = uuid.uuid4().hex
    while True:
        account, tokens = _left(ports, account_id) if leaving else _connected(ports, account_id)
        now = ports.clock.now()
        good = tokens.ver != refused and usable(tokens, now)
        if good and (leaving or fresh_enough(tokens, now)):
            return _unseal(ports, account, tokens)[0], tokens.ver
        in_time = ends - now >= REFRESH_MIN_FUNCTION_SECONDS
        if good and (leased_by_other(tokens, owner, now) or not in_time):
            return _unseal(ports, account, tokens)[0], tokens.ver  # it still works while it is being replaced
        if not in_time:
            raise ServiceUnavailable(
                "The account's token is being refreshed.", "Try again in half a minute.", retry_after=30
            )
        if not leased_by_other(tokens, owner, now):
            try:
                leased = ports.accounts.save(account.model_copy(update={"tokens": with_lease(tokens, owner, now)}))
            except Busy:
                continue
            return _refresh(ports, leased, tokens, good=good)
        ports.clock.sleep(random.uniform(0.2, 0.6))  # noqa: S311 (spreads workers, guards nothing)


def _connected(ports: Ports, account_id: str) -> tuple[Account, SealedTokens]:
    account = ports.accounts.get(account_id)
    if account is None or account.tokens is None or not account.connected:
        raise _disconnected()
    if account.reauthorize_since is not None:
        raise TokenExpired(account.reauthorize_reason, RECONNECT)
    return account, account.tokens


def _left(ports: Ports, account_id: str) -> tuple[Account, SealedTokens]:
    account = ports.accounts.get(account_id)
    if account is None or account.tokens is None or account.connected:
        raise TokenExpired("There is no access to take back.", RECONNECT)
    return account, account.tokens


def _disconnected() -> TokenExpired:
    return TokenExpired("The TikTok account is disconnected.", RECONNECT)


def _unseal(ports: Ports, account: Account, tokens: SealedTokens) -> tuple[SecretStr, SecretStr]:
    both = json.loads(ports.vault.unseal(tokens.sealed, tokens_context(account)).get_secret_value())
    return SecretStr(both["access"]), SecretStr(both["refresh"])


def _refresh(ports: Ports, account: Account, tokens: SealedTokens, *, good: bool) -> tuple[SecretStr, int]:
    """Refresh once, holding the lease; `good` tells whether the present access token still works.

    A call that got no clear answer keeps the lease until it runs out, so that the next try is half a minute away.
    """
    access_token, refresh_token = _unseal(ports, account, tokens)
    sealer = ports.vault.sealer(tokens_context(account))  # before the call: after it only the write may be left to do
    try:
        grant = ports.tiktok.refresh(refresh_token)
    except TokenExpired as refusal:
        moved = ports.accounts.get(account.account_id)
        if moved and moved.tokens and moved.tokens.ver != tokens.ver and moved.connected == account.connected:
            return _unseal(ports, moved, moved.tokens)[0], moved.tokens.ver
        _need_reconnection(ports, account.account_id, tokens.ver, "TikTok refuses to refresh the token.", refusal)
    except TryAgain:
        if good:
            return access_token, tokens.ver
        raise
    renewed = seal_tokens(sealer, grant, tokens.ver + 1, ports.clock.now())
    stored = _store(ports, account, renewed, grant.scopes)
    if account.connected and not stored.connected:
        raise _disconnected()
    if stored.tokens is not None and stored.tokens.sealed != renewed.sealed:
        return _unseal(ports, stored, stored.tokens)[0], stored.tokens.ver
    return grant.access_token, renewed.ver


def _store(ports: Ports, account: Account, renewed: SealedTokens, scopes: tuple[str, ...]) -> Account:
    """Write the new tokens unless another worker has moved the version; the old refresh token is dead by now.

    Returns the account as it is then. One that was disconnected meanwhile stays so, and gets them only to have its
    access taken back with.
    """
    for tries_left in reversed(range(TOKEN_WRITE_TRIES)):
        now = ports.clock.now()
        given_up = account.reauthorize_since is not None
        update = {
            "tokens": renewed,
            "updated_at": now,
            "scopes": scopes or account.scopes,
            "reauthorize_since": None,  # noted by a worker that came after TikTok's answer and before this write
            "reauthorize_reason": "",
            "watch_at": now if given_up or account.watch_at is None else account.watch_at,
        }
        try:
            return ports.accounts.save(account.model_copy(update=update))
        except TryAgain:
            if not tries_left:
                raise
            ports.clock.sleep(0.5)
            account = ports.accounts.get(account.account_id) or account
            if account.tokens is None or account.tokens.ver >= renewed.ver:
                break
    return account


def _need_reconnection(ports: Ports, account_id: str, ver: int, reason: str, refusal: TokenExpired) -> NoReturn:
    """Note that only the creator can help, unless the tokens have been renewed meanwhile.

    Noted whatever else is written to the account at that moment, since who asks has been told that it is so.
    """
    for _ in range(CHANGE_TRIES):
        account = ports.accounts.get(account_id)
        if not (account and account.tokens and account.tokens.ver == ver and account.connected):
            break
        if account.reauthorize_since is not None:
            break
        now = ports.clock.now()
        lost = {"reauthorize_since": now, "reauthorize_reason": reason, "updated_at": now}
        with suppress(Busy):
            ports.accounts.save(account.model_copy(update={**lost, "watch_at": now}))  # its workspace is to be told
            break
    raise TokenExpired(
        reason, RECONNECT, tiktok_code=refusal.tiktok_code, tiktok_log_id=refusal.tiktok_log_id
    ) from None
