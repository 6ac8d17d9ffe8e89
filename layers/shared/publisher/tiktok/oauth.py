"""TikTok's OAuth: the consent page's address, and tokens got, renewed and revoked."""

import re
from collections.abc import Collection, Mapping
from email.utils import mktime_tz, parsedate_tz
from http import HTTPStatus
from urllib.parse import urlencode

from pydantic import SecretStr

from publisher.domain.limits import ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS
from publisher.ports import Grant, TikTokApp
from publisher.tiktok.failures import EXCHANGE, REFRESH, REVOKE, Grants, api_failure, oauth_failure, unreadable
from publisher.tiktok.transport import Answer, Transport
from publisher.tiktok.wire import Nothing, OAuthError, TokenAnswer, Verdict, read

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-cache"}


def authorize_url(
    auth_url: str, client_key: str, *, state: str, challenge: str, redirect_uri: str, scopes: Collection[str]
) -> str:
    """Return the address of the consent page; `challenge` is the lowercase hex SHA-256 of the verifier.

    PKCE is always sent: some apps are refused without it, and none with it (observed). The page is always shown:
    skipped, it would keep an earlier partial grant and connect whichever creator the browser is signed in as.
    """
    query = {
        "client_key": client_key,
        "response_type": "code",
        "scope": ",".join(scopes),
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "disable_auto_auth": "1",
    }
    return f"{auth_url}/v2/auth/authorize/?{urlencode(query)}"


def exchange_code(
    transport: Transport, api_url: str, app: TikTokApp, *, code: SecretStr, verifier: SecretStr, redirect_uri: str
) -> Grant:
    """Trade a code for tokens; a code works once."""
    answer = _post(
        transport,
        f"{api_url}/v2/oauth/token/",
        app,
        form={"grant_type": "authorization_code", "redirect_uri": redirect_uri},
        secrets={"code": code, "code_verifier": verifier},
        grants=EXCHANGE,
    )
    tokens = read(TokenAnswer, answer.body)
    if tokens is None or tokens.refresh_token is None or not tokens.open_id:
        raise unreadable(answer)
    return _grant(tokens, tokens.refresh_token)


def refresh(transport: Transport, api_url: str, app: TikTokApp, refresh_token: SecretStr) -> Grant:
    """Trade a refresh token for new tokens; it stays in use when the answer holds no other."""
    answer = _post(
        transport,
        f"{api_url}/v2/oauth/token/",
        app,
        form={"grant_type": "refresh_token"},
        secrets={"refresh_token": refresh_token},
        grants=REFRESH,
    )
    tokens = read(TokenAnswer, answer.body)
    if tokens is None:
        raise unreadable(answer)
    return _grant(tokens, tokens.refresh_token or refresh_token)


def revoke(transport: Transport, api_url: str, app: TikTokApp, access_token: SecretStr) -> None:
    """Take the app's access to the account back, with an access token that works."""
    answer = _post(
        transport,
        f"{api_url}/v2/oauth/revoke/",
        app,
        form={},
        secrets={"token": access_token},
        grants=REVOKE,
    )
    if answer.body and read(Nothing, answer.body) is None:
        raise unreadable(answer)


def check_app(transport: Transport, api_url: str, app: TikTokApp) -> float | None:
    """Get a token of the app's own, which proves its key and secret; return the epoch second of TikTok's answer."""
    form = {"grant_type": "client_credentials"}
    answer = _post(transport, f"{api_url}/v2/oauth/token/", app, form=form, secrets={}, grants=EXCHANGE)
    if read(TokenAnswer, answer.body) is None:
        raise unreadable(answer)
    date = parsedate_tz(answer.headers.get("Date", ""))
    return None if date is None else float(mktime_tz(date))


def _post(
    transport: Transport,
    url: str,
    app: TikTokApp,
    *,
    form: Mapping[str, str],
    secrets: Mapping[str, SecretStr],
    grants: Grants,
) -> Answer:
    """Post a form and return a good answer; a refusal is one whatever its HTTP status."""
    secret = {"client_secret": app.client_secret, **secrets}
    shown = {name: value.get_secret_value() for name, value in secret.items()}
    body = urlencode({"client_key": app.client_key, **form, **shown}).encode()
    answer = transport.call("POST", url, headers=FORM, body=body)
    refusal = read(OAuthError, answer.body)
    if refusal is not None:
        raise oauth_failure(answer, refusal, grants, secrets=secret.values())
    verdict = read(Verdict, answer.body)
    if verdict is not None and verdict.error.code != "ok":
        raise api_failure(answer, verdict.error, scopes=(), secrets=secret.values())
    if answer.status != HTTPStatus.OK:
        raise unreadable(answer)
    return answer


def _grant(tokens: TokenAnswer, refresh_token: SecretStr) -> Grant:
    return Grant(
        open_id=tokens.open_id,
        access_token=tokens.access_token,
        refresh_token=refresh_token,
        expires_in=tokens.expires_in or ACCESS_TOKEN_SECONDS,
        refresh_expires_in=tokens.refresh_expires_in or REFRESH_TOKEN_SECONDS,
        scopes=tuple(scope for scope in re.split(r"[,\s]+", tokens.scope) if scope),
    )
