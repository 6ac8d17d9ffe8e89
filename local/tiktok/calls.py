"""One call of TikTok's API while it is served, and who is making it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.tiktok.answers import RefusedError
from local.tiktok.faults import Endpoint
from local.tiktok.rules import AUTHORIZATION_MALFORMED
from local.tiktok.settings import Settings
from local.tiktok.state import App, Grant, User, World
from local.tiktok.store import Store
from local.tiktok.web import Request, Response


@dataclass
class Call:
    """A request on its way; `notes` go to the log, so they hold no secret."""

    request: Request
    store: Store
    log_id: str
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """Where an endpoint lives, what serves it, and in which shape it refuses."""

    method: str
    path: str
    endpoint: Endpoint
    serve: Callable[[Call], Response]
    refuse: Callable[[Settings, str, RefusedError], Response]


@dataclass(frozen=True)
class Caller:
    """The app and the user behind an access token."""

    app: App
    user: User
    grant: Grant
    token: str


def identify(call: Call, world: World, endpoint: Endpoint, scopes: tuple[str, ...]) -> Caller:
    """Who calls: header format, then token, then one of `scopes`, then the minute's limit."""
    header = call.request.headers.get("Authorization")
    if header is None:
        raise RefusedError("access_token_invalid")
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer" or not token or " " in token:
        raise RefusedError("invalid_params", AUTHORIZATION_MALFORMED)
    now = world.clock.now()
    access = world.access_tokens.get(token)
    grant = world.grants[access.grant_id] if access and access.expires_at > now else None
    if grant is None or grant.revoked_at is not None:
        raise RefusedError("access_token_invalid")
    call.notes["open_id"] = grant.open_id
    call.notes["client_key"] = grant.client_key
    if scopes and not set(scopes) & set(grant.scopes):
        raise RefusedError("scope_not_authorized")
    if world.settings.enforce_rate_limits and not call.store.count_call(endpoint, token, now):
        raise RefusedError("rate_limit_exceeded")
    return Caller(world.apps[grant.client_key], world.users[grant.username], grant, token)


def read_json(content: bytes) -> dict[str, Any]:
    """Read a body that must be a JSON object."""
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
        # A lone half of a surrogate pair is no text.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusedError("invalid_params") from error
    if not isinstance(body, dict):
        raise RefusedError("invalid_params")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
