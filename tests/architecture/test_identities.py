"""Every route turns away whoever has no key, a bad one, or one that may not do this; a public route says so."""

import importlib
import json
from types import SimpleNamespace
from typing import Any

import pytest

from publisher.domain.keys import SCOPES, NewKey
from publisher.web import Api
from tests.architecture.source import function_folders
from tests.builders import a_key
from tests.fakes import FakePorts

PUBLIC = {
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/oauth/tiktok/connect/{ticket}"),  # the ticket in the path is the credential
    ("GET", "/oauth/tiktok/callback"),  # the state and the session cookie are the credential
    ("GET", "/media/{prefix}/{name}"),  # TikTok pulls; the prefix is the credential
    ("HEAD", "/media/{prefix}/{name}"),
    ("GET", "/{name}"),  # TikTok verifies whose address this is
    ("GET", "/media/{name}"),
}
APIS: list[Api] = [
    app.api
    for app in map(importlib.import_module, (f"{folder}.app" for folder in function_folders()))
    if hasattr(app, "api")
]
ROUTES = [(api, method, path, scope) for api in APIS for (method, path), scope in api.routes.items()]
KEYED = [pytest.param(*route, id=f"{route[1]} {route[2]}") for route in ROUTES if route[3] is not None]


def _event(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    """An event of API Gateway, payload format 2.0. Every placeholder is filled."""
    real = path.replace("{", "").replace("}", "")
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": real,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "requestId": "request-1",
            "domainName": "api.example",
            "stage": "$default",
            "http": {"method": method, "path": real},
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def _call(api: Api, ports: FakePorts, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 30_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "ports", lambda: ports)
        answer = api.handler(_event(method, path, headers), context)
    return answer["statusCode"], answer["body"] and json.loads(answer["body"])


def _a_key_in(ports: FakePorts, **changes: object) -> str:
    """Store a key and return its text."""
    made = NewKey.make()
    changes = {"key_id": made.key_id, "secret_hash": made.secret_hash, **changes}
    ports.keys.add(a_key().model_copy(update=changes))
    return made.text.get_secret_value()


def test_the_public_routes_are_these() -> None:
    assert {(method, path) for _, method, path, scope in ROUTES if scope is None} == PUBLIC


def test_every_scope_that_a_route_asks_for_exists() -> None:
    assert {scope for *_, scope in ROUTES if scope is not None} <= set(SCOPES)


@pytest.mark.parametrize(("api", "method", "path", "scope"), KEYED)
@pytest.mark.parametrize("header", ["boring-api-key", "x-api-key", "authorization"])
def test_a_key_that_may_is_let_in(api: Api, method: str, path: str, scope: str, header: str) -> None:
    ports = FakePorts()
    text = _a_key_in(ports, scopes=(scope,))
    status, _ = _call(api, ports, method, path, {header: f"Bearer {text}" if header == "authorization" else text})
    assert status not in (401, 403)


@pytest.mark.parametrize(("api", "method", "path", "scope"), KEYED)
@pytest.mark.parametrize(
    "identity", ["none", "empty", "malformed", "mistyped", "unknown", "wrong secret", "revoked", "expired", "basic"]
)
def test_whoever_has_no_good_key_is_turned_away(api: Api, method: str, path: str, scope: str, identity: str) -> None:
    ports = FakePorts()
    good, other = _a_key_in(ports), NewKey.make().text.get_secret_value()
    headers = {
        "none": {},
        "empty": {"boring-api-key": ""},
        "malformed": {"boring-api-key": "key\x00 of mine"},
        "mistyped": {"boring-api-key": good[:-1] + ("a" if good[-1] != "a" else "b")},
        "unknown": {"boring-api-key": other},
        "wrong secret": {"boring-api-key": _a_key_in(ports, secret_hash="another")},
        "revoked": {"boring-api-key": _a_key_in(ports, revoked_at=ports.clock.now() - 1)},
        "expired": {"boring-api-key": _a_key_in(ports, expires_at=ports.clock.now() - 1)},
        "basic": {"authorization": f"Basic {good}"},
    }[identity]
    status, body = _call(api, ports, method, path, headers)
    assert (status, body["code"], body["success"]) == (401, "InvalidApiKey", False)
    assert good not in json.dumps(body)


@pytest.mark.parametrize(("api", "method", "path", "scope"), KEYED)
def test_a_key_without_the_routes_scope_is_turned_away(api: Api, method: str, path: str, scope: str) -> None:
    ports = FakePorts()
    text = _a_key_in(ports, scopes=tuple(other for other in SCOPES if other not in (scope, "admin")))
    status, body = _call(api, ports, method, path, {"boring-api-key": text})
    assert (status, body["code"]) == (403, "InsufficientScope")


@pytest.mark.parametrize("api", APIS, ids=lambda api: next(iter(api.routes))[1])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/nothing"), ("DELETE", "/v2/posts"), ("GET", "/v2/posts/")])
def test_there_is_nothing_behind_other_paths(api: Api, method: str, path: str) -> None:
    status, body = _call(api, FakePorts(), method, path, {})
    assert status in (401, 404)
    assert body["success"] is False
