"""Login Kit: the consent page, tokens, revoking."""

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader

from local.tiktok import rules
from local.tiktok.answers import RefusedError
from local.tiktok.calls import Call
from local.tiktok.lifecycle import end_grants
from local.tiktok.state import AccessToken, App, Code, Grant, RefreshToken, User, World
from local.tiktok.web import Response, html_response, json_response

_PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class PageError(Exception):
    """A wrong authorize request that cannot be sent back to the app: the user sees a page."""


class SentBackError(Exception):
    """A wrong or denied authorize request; the app gets `error` and what else is known as query parameters."""

    def __init__(self, redirect_uri: str, state: str, error: str, description: str, **extra: str) -> None:
        self.redirect_uri = redirect_uri
        self.parameters = {"error": error, "error_description": description, **extra, "state": state}
        super().__init__(f"{error}: {description}")


@dataclass(frozen=True)
class Consent:
    """What an app asks a user for."""

    app: App
    redirect_uri: str
    state: str
    scopes: list[str]
    code_challenge: str | None


def authorize(call: Call) -> Response:
    """GET shows the consent page, POST takes the user's decision."""
    form = call.request.form()
    with call.store.change() as world:
        try:
            consent = _read_consent(call, world)
            if call.request.method == "GET":
                return _consent_page(call, world, consent)
            return _decide(call, world, consent, form)
        except PageError as error:
            page = _PAGES.get_template("error.html").render(message=str(error), log_id=call.log_id)
            return html_response(400, page)
        except SentBackError as error:
            call.notes["code"] = error.parameters["error"]
            return _send_back(error.redirect_uri, {**error.parameters, "log_id": call.log_id})


def _read_consent(call: Call, world: World) -> Consent:
    request = call.request
    app = world.apps.get(request.first("client_key"))
    if app is None:
        raise PageError("client_key: no app has this client key.")
    call.notes["client_key"] = app.client_key
    redirect_uri, state = request.first("redirect_uri"), request.first("state")
    if not app.accepts_redirect(redirect_uri):
        raise PageError("redirect_uri: the app has not registered this redirect URI.")
    if not state:
        raise SentBackError(redirect_uri, state, "param_error", "state is missing.", error_type="state")
    if request.first("response_type") != "code":
        raise SentBackError(redirect_uri, state, "unsupported_response_type", "response_type must be code.")
    scopes = request.first("scope").split(",")
    call.notes["scope"] = request.first("scope")
    if not set(scopes) <= set(app.scopes):
        text = "The app has not been given these scopes; scopes are separated by commas."
        raise SentBackError(redirect_uri, state, "invalid_scope", text, error_type="scope")
    challenge = request.first("code_challenge")
    method = request.first("code_challenge_method")
    if (challenge and method != "S256") or (not challenge and (method or world.settings.pkce == "required")):
        text = "code_challenge with the method S256 is missing."
        raise SentBackError(redirect_uri, state, "param_error", text, error_type="code_challenge", errCode="10007")
    return Consent(app, redirect_uri, state, list(dict.fromkeys(scopes)), challenge or None)


def _consent_page(call: Call, world: World, consent: Consent) -> Response:
    page = _PAGES.get_template("consent.html").render(
        action=call.request.target,
        app=consent.app,
        users=world.users.values(),
        fixed=[scope for scope in consent.scopes if scope == rules.FIXED_SCOPE],
        toggleable=[scope for scope in consent.scopes if scope != rules.FIXED_SCOPE],
    )
    return html_response(200, page)


def _decide(call: Call, world: World, consent: Consent, form: dict[str, list[str]]) -> Response:
    decision = form.get("decision", [""])[0]
    if decision == "deny":
        raise SentBackError(consent.redirect_uri, consent.state, "access_denied", "The user denied the request.")
    user = world.users.get(form.get("username", [""])[0])
    if decision != "allow" or user is None:
        raise PageError("The form is incomplete: choose a user, then Allow or Deny.")
    if consent.app.mode == "sandbox" and not user.target_user:
        text = "The account is not a target user of this sandbox."
        raise SentBackError(consent.redirect_uri, consent.state, "access_denied", text, error_type="non_sandbox_target")
    chosen = {*form.get("scope", []), rules.FIXED_SCOPE}
    granted = [scope for scope in consent.scopes if scope in chosen]
    code = Code(
        code=f"{secrets.token_urlsafe(32)}*0!6410",
        client_key=consent.app.client_key,
        username=user.username,
        redirect_uri=consent.redirect_uri,
        scopes=granted,
        code_challenge=consent.code_challenge,
        expires_at=world.clock.now() + world.settings.code_seconds,
    )
    world.codes[code.code] = code
    call.notes["open_id"] = user.open_id(consent.app.client_key)
    return _send_back(consent.redirect_uri, {"code": code.code, "scopes": ",".join(granted), "state": consent.state})


def _send_back(redirect_uri: str, parameters: dict[str, str]) -> Response:
    return Response(302, headers={"Location": f"{redirect_uri}?{urlencode(parameters, quote_via=quote, safe='')}"})


def token(call: Call) -> Response:
    """Exchange a code, refresh, or give the app a token of its own."""
    form = _read_form(call)
    grant_type = form.get("grant_type", "")
    call.notes["grant_type"] = grant_type
    with call.store.change() as world:
        app = _authenticate(call, world, form)
        if grant_type == "authorization_code":
            answer = _exchange(world, app, form)
        elif grant_type == "refresh_token":
            answer = _refresh(world, app, form)
        elif grant_type == "client_credentials":
            answer = {
                "access_token": f"clt.{secrets.token_urlsafe(32)}",
                "expires_in": rules.CLIENT_TOKEN_SECONDS,
                "token_type": "Bearer",
            }
        else:
            raise RefusedError("unsupported_grant_type", "The grant type is not supported.")
    call.notes["open_id"] = answer.get("open_id")
    return json_response(200, answer, {"x-tt-logid": call.log_id, "Cache-Control": "no-store"})


def revoke(call: Call) -> Response:
    """Take back the consent that an access token stands for."""
    form = _read_form(call)
    with call.store.change() as world:
        app = _authenticate(call, world, form)
        access = world.access_tokens.get(_required(form, "token"))
        grant = world.grants[access.grant_id] if access else None
        if grant is None or grant.client_key != app.client_key or grant.revoked_at is not None:
            raise RefusedError("invalid_grant", "Access token is invalid or expired.")
        call.notes["open_id"] = grant.open_id
        end_grants(world, app.client_key, grant.username, rules.REVOKED_BY_DEVELOPER)
    return json_response(200, {}, {"x-tt-logid": call.log_id})


def _read_form(call: Call) -> dict[str, str]:
    content_type = call.request.headers.get_content_type()
    form = call.request.form()
    if content_type != "application/x-www-form-urlencoded" or any(len(values) > 1 for values in form.values()):
        raise RefusedError("invalid_request", "The request parameters are malformed.")
    return {name: values[0] for name, values in form.items()}


def _required(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise RefusedError("invalid_request", f"{name.replace('_', ' ').capitalize()} is missed in request.")
    return form[name]


def _authenticate(call: Call, world: World, form: dict[str, str]) -> App:
    client_key, client_secret = _required(form, "client_key"), _required(form, "client_secret")
    app = world.apps.get(client_key)
    if app is None or not secrets.compare_digest(app.client_secret.encode(), client_secret.encode()):
        raise RefusedError("invalid_client", "Client key or secret is incorrect.")
    call.notes["client_key"] = app.client_key
    return app


def _exchange(world: World, app: App, form: dict[str, str]) -> dict[str, object]:
    code = world.codes.get(_required(form, "code"))
    redirect_uri = _required(form, "redirect_uri")
    if code is None or code.client_key != app.client_key or code.expires_at <= world.clock.now():
        raise RefusedError("invalid_grant", "Authorization code is expired.")
    if code.redirect_uri != redirect_uri:
        raise RefusedError("invalid_request", "Redirect_uri is not matched with the uri when requesting code.")
    if code.code_challenge is not None and not _verifies(form.get("code_verifier", ""), code.code_challenge):
        raise RefusedError("invalid_request", "Code verifier or code challenge is invalid")
    del world.codes[code.code]
    return new_grant(world, app, world.users[code.username], code.scopes)


def _verifies(verifier: str, challenge: str) -> bool:
    well_formed = len(verifier) in rules.VERIFIER_LENGTH and set(verifier) <= _UNRESERVED
    return well_formed and hashlib.sha256(verifier.encode()).hexdigest() == challenge


def new_grant(world: World, app: App, user: User, scopes: list[str]) -> dict[str, object]:
    """Note a user's consent; the answer has its tokens, as the token endpoint gives them."""
    now = world.clock.now()
    grant = Grant(
        grant_id=str(world.next_id()),
        client_key=app.client_key,
        username=user.username,
        open_id=user.open_id(app.client_key),
        scopes=scopes,
        created_at=now,
    )
    world.grants[grant.grant_id] = grant
    _, refresh_seconds = rules.TOKEN_PROFILES[world.settings.token_profile]
    return _new_tokens(world, grant, now + refresh_seconds)


def _new_tokens(world: World, grant: Grant, refresh_expires_at: float) -> dict[str, object]:
    refresh_token = f"rft.{secrets.token_urlsafe(32)}!6410.va"
    world.refresh_tokens[refresh_token] = RefreshToken(grant_id=grant.grant_id, expires_at=refresh_expires_at)
    return _token_answer(world, grant, refresh_token)


def _token_answer(world: World, grant: Grant, refresh_token: str) -> dict[str, object]:
    now = world.clock.now()
    seconds, _ = rules.TOKEN_PROFILES[world.settings.token_profile]
    access_token = f"act.{secrets.token_urlsafe(32)}!6410.va"
    world.access_tokens[access_token] = AccessToken(grant_id=grant.grant_id, expires_at=now + seconds)
    return {
        "access_token": access_token,
        "expires_in": seconds,
        "open_id": grant.open_id,
        "refresh_expires_in": round(world.refresh_tokens[refresh_token].expires_at - now),
        "refresh_token": refresh_token,
        "scope": ",".join(grant.scopes),
        "token_type": "Bearer",
    }


def _refresh(world: World, app: App, form: dict[str, str]) -> dict[str, object]:
    submitted = _required(form, "refresh_token")
    settings, now = world.settings, world.clock.now()
    refresh = world.refresh_tokens.get(submitted)
    grant = world.grants[refresh.grant_id] if refresh else None
    if refresh is None or grant is None or grant.client_key != app.client_key or grant.revoked_at is not None:
        raise RefusedError("invalid_grant", "Refresh token is invalid or expired.")
    is_dead = refresh.superseded_at is not None and now >= refresh.superseded_at + settings.refresh_grace_seconds
    if is_dead or refresh.expires_at <= now:
        raise RefusedError("invalid_grant", "Refresh token is invalid or expired.")
    if settings.refresh_lifetime == "restarts":
        _, refresh_seconds = rules.TOKEN_PROFILES[settings.token_profile]
        expires_at = now + refresh_seconds
    else:
        expires_at = refresh.expires_at
    if settings.refresh_rotation == "always":
        if refresh.superseded_at is None:
            refresh.superseded_at = now
        answer = _new_tokens(world, grant, expires_at)
    else:
        refresh.expires_at = expires_at
        answer = _token_answer(world, grant, submitted)
    if settings.refresh_omits_expires_in:
        del answer["expires_in"]
    return answer
