"""Every route of the template turns away whoever has no key, a bad one, or one that may not do this, and shows nobody
another workspace's objects; a public route says so.
"""

import importlib
import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from publisher.domain.keys import SCOPES, NewKey
from publisher.use_cases.begin_upload import begin_upload
from publisher.use_cases.manage_endpoints import add_endpoint
from publisher.web import Api
from tests.architecture.cloudformation import of_type, read_template
from tests.architecture.source import snake
from tests.builders import NOW, a_key, a_post
from tests.fakes import FakePorts

PUBLIC = {
    ("GET", "/"),
    ("GET", "/health"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/assets/{version}/{name}"),
    ("GET", "/assets/{version}/{folder}/{name}"),
    ("POST", "/v2/session"),  # the key or the ticket in the body is the credential
    ("GET", "/v2/session"),  # the session's cookie is the credential
    ("DELETE", "/v2/session"),
    ("GET", "/oauth/tiktok/connect/{ticket}"),  # the ticket in the path is the credential
    ("GET", "/oauth/tiktok/callback"),  # the state and the session cookie are the credential
    ("GET", "/media/{prefix}/{name}"),  # TikTok pulls; the prefix is the credential
    ("HEAD", "/media/{prefix}/{name}"),
    ("POST", "/webhooks/tiktok"),  # TikTok's events; the signature is the credential
    ("GET", "/{name}"),  # TikTok verifies whose address this is
    ("GET", "/media/{name}"),
}


type Route = tuple[Api, str, str, str | None]
"""Function, method, path, and the scope that a key needs; a public route has none."""


def _routes() -> list[Route]:
    """Every route of the template, with what the code says of it."""
    routes: list[Route] = []
    for name, function in of_type(read_template(), "AWS::Serverless::Function").items():
        for event in function["Properties"].get("Events", {}).values():
            if event["Type"] == "HttpApi":
                api: Api = importlib.import_module(f"{snake(name.removesuffix('Function'))}.app").api
                method, path = event["Properties"]["Method"], event["Properties"]["Path"]
                routes.append((api, method, path, api.routes[method, path]))
    return routes


ROUTES = _routes()
APIS = list(dict.fromkeys(api for api, *_ in ROUTES))
KEYED = [pytest.param(*route, id=f"{route[1]} {route[2]}") for route in ROUTES if route[3] is not None]
OPEN = [pytest.param(*route[:3], id=f"{route[1]} {route[2]}") for route in ROUTES if route[3] is None]
WITH_AN_OBJECT = [route for route in KEYED if "{" in str(route.values[2])]
"""Routes whose path names an object of a workspace."""


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
            "timeEpoch": int(1000 * NOW),
            "http": {"method": method, "path": real},
        },
        "body": "{}",
        "isBase64Encoded": False,
    }


def _call(
    api: Api, ports: FakePorts, method: str, path: str, headers: dict[str, str], *, as_text: bool = False
) -> tuple[int, Any]:
    """Call the real handler; a body is read as JSON unless it is wanted as it is."""
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 30_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "ports", lambda: ports)
        answer = api.handler(_event(method, path, headers), context)
    return answer["statusCode"], answer["body"] if as_text else answer["body"] and json.loads(answer["body"])


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


class Unreadable:
    """A store that nobody may ask."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was asked for")


@pytest.mark.parametrize(("api", "method", "path"), OPEN)
def test_a_public_route_answers_everybody_alike_and_looks_at_no_key(api: Api, method: str, path: str) -> None:
    answers = []
    for headers in ({}, {"boring-api-key": "no key"}, {"boring-api-key": NewKey.make().text.get_secret_value()}):
        ports = FakePorts()
        ports.keys = Unreadable()  # type: ignore[assignment]
        answers.append(_call(api, ports, method, path, {**headers, "accept": "application/json"}, as_text=True))
    assert answers[0][0] < 500
    assert answers == [answers[0]] * 3


# Another workspace's object
def _a_post_in(ports: FakePorts, workspace_id: str) -> str:
    post = a_post(workspace_id=workspace_id)
    ports.posts.accept(post, None)
    return post.post_id


def _an_account_in(ports: FakePorts, workspace_id: str) -> str:
    return ports.connect(workspace_id=workspace_id).account_id


def _another_key_in(ports: FakePorts, workspace_id: str) -> str:
    key = a_key(key_id=NewKey.make().key_id, workspace_id=workspace_id)
    ports.keys.add(key)
    return key.key_id


def _an_upload_in(ports: FakePorts, workspace_id: str) -> str:
    return begin_upload(ports, workspace_id, {"fileName": "film.mp4", "size": 1}).upload.upload_id


def _a_webhook_in(ports: FakePorts, workspace_id: str) -> str:
    endpoint, _ = add_endpoint(ports, workspace_id, {"url": "https://hooks.example/"})
    return endpoint.endpoint_id


OBJECTS: dict[str, Callable[[FakePorts, str], str]] = {
    "posts": _a_post_in,
    "accounts": _an_account_in,
    "keys": _another_key_in,
    "uploads": _an_upload_in,
    "webhooks": _a_webhook_in,
}
"""How an object is made in a workspace, by the part of the path before its id; each returns the id."""


def _stored(ports: FakePorts) -> object:
    posts, accounts, keys = ports.posts._posts, ports.accounts._accounts, ports.keys._keys
    begun = dict(ports.executions.started), dict(ports.uploads._uploads)
    told = dict(ports.endpoints._endpoints), dict(ports.endpoints._deliveries)
    return dict(posts), dict(accounts), dict(keys), *begun, *told, ports.tiktok.refreshes


def _kind(path: str) -> str:
    """What a path is about; a video in it is one of its account's, a delivery one of its webhook's."""
    (kind,) = set(re.findall(r"([^/]+)/\{", path)) - {"videos", "deliveries"}
    return str(kind)


def test_every_kind_of_object_in_a_path_has_a_case_here() -> None:
    kinds = {_kind(str(route.values[2])) for route in WITH_AN_OBJECT}
    assert kinds == set(OBJECTS)


@pytest.mark.parametrize(("api", "method", "path", "scope"), WITH_AN_OBJECT)
def test_another_workspaces_object_is_like_one_that_never_was(api: Api, method: str, path: str, scope: str) -> None:
    ports, kind = FakePorts(), _kind(path)
    text = _a_key_in(ports, scopes=(scope,), workspace_id="workspace-1", last_used_at=ports.clock.now())
    mine, theirs = OBJECTS[kind](ports, "workspace-1"), OBJECTS[kind](ports, "workspace-2")
    unknown = OBJECTS[kind](FakePorts(), "workspace-1")
    before = _stored(ports)

    def ask(object_id: str) -> tuple[int, Any]:
        return _call(api, ports, method, re.sub(r"\{\w+\}", object_id, path), {"boring-api-key": text})

    status, body = ask(theirs)
    assert (status, body["code"]) == (404, "NotFound")
    assert theirs not in json.dumps(body)
    assert ask(unknown) == (status, body)
    assert _stored(ports) == before
    assert ask(mine) != (status, body)
