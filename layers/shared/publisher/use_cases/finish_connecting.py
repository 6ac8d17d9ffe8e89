"""Take the creator back from TikTok and keep the account."""

import hmac
import uuid
from contextlib import suppress

from publisher.domain.accounts import Account, erased
from publisher.domain.errors import Busy, ConnectionRefused, TryAgain
from publisher.domain.limits import TOKEN_WRITE_TRIES
from publisher.ports import Grant, PendingConnection, Ports, Profile, Value
from publisher.use_cases.start_connecting import hashed, verifier_of
from publisher.use_cases.use_access_token import seal_tokens, tokens_context

START_AGAIN = "Start again with GET /oauth/tiktok/start."


class Callback(Value):
    """What TikTok sends back through the browser, and the session that the browser brings."""

    state: str | None = None
    code: str | None = None
    error: str | None = None
    error_type: str | None = None
    session: str | None = None


def finish_connecting(ports: Ports, callback: Callback) -> Account:
    """Return the connected account; one that was connected before keeps its id.

    ConnectionRefused, saying why, when the state is unknown, used, old or another browser's, when the creator
    declined, when TikTok does not take the code, and when another workspace holds the account.
    """
    pending = _pending(ports, callback)
    if callback.error is not None:
        raise _declined(callback)
    if not callback.code:
        raise ConnectionRefused("TikTok sent no code.", START_AGAIN)
    grant = ports.tiktok.exchange_code(
        code=callback.code,
        verifier=verifier_of(callback.state or "", callback.session or ""),
        redirect_uri=pending.redirect_uri,
    )
    profile = ports.tiktok.profile(grant.access_token, grant.scopes)
    account = _keep(ports, pending.workspace_id, grant, profile)
    with suppress(TryAgain):  # the account is connected; the first question about its figures plans them too
        ports.metrics.plan(account.account_id, ports.clock.now())
    return account


def _pending(ports: Ports, callback: Callback) -> PendingConnection:
    pending = ports.accounts.finish_connecting(hashed(callback.state)) if callback.state else None
    if pending is None or pending.kind != "state" or pending.expires_at <= ports.clock.now():
        raise ConnectionRefused(
            "This attempt to connect was used before, is too old, or never began here.", START_AGAIN
        )
    if not callback.session or not hmac.compare_digest(pending.session_hash, hashed(callback.session)):
        raise ConnectionRefused("This attempt to connect began in another browser.", START_AGAIN)
    return pending


def _declined(callback: Callback) -> ConnectionRefused:
    if callback.error_type == "non_sandbox_target":
        return ConnectionRefused(
            "This TikTok account is not a target user of the app's sandbox.",
            "Add it in TikTok's developer portal; it can take an hour to count.",
            tiktok_code=callback.error_type,
        )
    if callback.error == "access_denied":
        return ConnectionRefused(
            "The creator did not allow access.", f"Nothing was connected. {START_AGAIN}", tiktok_code="access_denied"
        )
    known = {
        "unauthorized_client": "TikTok does not know the app: check its key, and that Login Kit is added and approved.",
        "invalid_scope": "A scope is not added to the app, or its product is not approved.",
        "param_error": "TikTok refused the request's parameters: check the app's redirect URI.",
    }
    code = callback.error if callback.error in known else "other"
    return ConnectionRefused(
        "TikTok did not connect the account.", known.get(code, START_AGAIN), tiktok_code=callback.error_type or code
    )


def _keep(ports: Ports, workspace_id: str, grant: Grant, profile: Profile) -> Account:
    """Store the account with its new tokens; read it again when another worker was faster, as the code is spent.

    A TikTok user whom another workspace has disconnected gets a new account; the old one ends for good, because to take
    back its access would now end the new one's.
    """
    for _ in range(TOKEN_WRITE_TRIES):
        known = ports.accounts.find_open_id(grant.open_id)
        mine = known if known is not None and known.workspace_id == workspace_id else None
        if known is not None and mine is None and known.connected:
            raise ConnectionRefused(
                "This TikTok account is connected in another workspace.", "Disconnect it there first, then start again."
            )
        account = _renewed(ports, mine or _new(workspace_id, grant, ports.clock.now()), grant, profile)
        try:
            if mine is not None:
                return ports.accounts.save(account)
            if known is not None:
                ports.accounts.move(erased(known, ports.clock.now()), account)
            else:
                ports.accounts.add(account)
        except Busy:
            continue
        return account
    raise ConnectionRefused("Other workers were writing the account all the time.", START_AGAIN)


def _new(workspace_id: str, grant: Grant, now: float) -> Account:
    return Account(
        account_id=str(uuid.uuid4()),
        workspace_id=workspace_id,
        open_id=grant.open_id,
        created_at=now,
        updated_at=now,
        tokens=None,
    )


def _renewed(ports: Ports, account: Account, grant: Grant, profile: Profile) -> Account:
    sealer, now = ports.vault.sealer(tokens_context(account)), ports.clock.now()
    return account.model_copy(
        update={
            "username": profile.username,
            "display_name": profile.display_name,
            "avatar_url": profile.avatar_url,
            "scopes": grant.scopes,
            "reauthorize_since": None,
            "reauthorize_reason": "",
            "disconnected_at": None,
            "updated_at": now,
            "watch_at": now,
            "tokens": seal_tokens(sealer, grant, account.next_ver, now),
        }
    )
