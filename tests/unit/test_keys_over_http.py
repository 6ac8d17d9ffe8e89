"""API keys over HTTP: made, shown once, listed without their secrets, and revoked at once."""

import json
from datetime import UTC, datetime

import pytest

from publisher.domain.keys import SCOPES, NewKey, is_key_id, split_key
from tests.builders import NOW, a_key
from tests.fakes import FakePorts
from tests.unit.conftest import Http, HttpAnswer, assert_failed


def make(http: Http, **body: object) -> HttpAnswer:
    return http.call("POST", "/v2/keys", {"name": "a robot", **body})


def revoke(http: Http, key_id: str) -> HttpAnswer:
    return http.call("DELETE", f"/v2/keys/{key_id}", "")


def listed(http: Http) -> dict[str, dict[str, object]]:
    return {key["keyId"]: key for key in http.get("/v2/keys").json["keys"]}


def id_of(text: str) -> str:
    parts = split_key(text)
    assert parts is not None
    return parts[0]


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


# Made


def test_a_new_key_is_shown_once_and_opens_the_makers_workspace(http, ports):
    answer = make(http, scopes=["posts:read", "accounts:read"], expiresAt=at(3600))
    assert answer.status == 201
    told = answer.json
    key_id = id_of(told["key"])
    assert told == {
        "keyId": key_id,
        "name": "a robot",
        "prefix": f"tkp_live_{key_id}…",
        "scopes": ["posts:read", "accounts:read"],
        "createdAt": "2026-09-21T14:13:20.000Z",
        "lastUsedAt": None,
        "expiresAt": "2026-09-21T15:13:20.000Z",
        "revokedAt": None,
        "key": told["key"],
    }
    assert ports.keys.get(key_id).workspace_id == "workspace-1"
    assert http.get("/v2/posts", key=told["key"]).status == 200
    assert_failed(http.get("/v2/keys", key=told["key"]), 403, "InsufficientScope")


def test_a_key_whose_maker_chose_nothing_may_all_but_make_keys(http):
    told = make(http).json
    assert set(told["scopes"]) == set(SCOPES) - {"admin"}
    assert told["expiresAt"] is None
    assert_failed(http.call("POST", "/v2/keys", {"name": "n"}, key=told["key"]), 403, "InsufficientScope")


def test_a_key_may_be_given_everything(http):
    told = make(http, scopes=["admin"]).json
    assert http.get("/v2/keys", key=told["key"]).status == 200


def test_a_scope_given_twice_counts_once(http):
    assert make(http, scopes=["posts:read", "posts:read"]).json["scopes"] == ["posts:read"]


def test_a_key_ends_with_its_last_second(http, ports):
    text = make(http, expiresAt=at(60)).json["key"]
    ports.clock.time = NOW + 59.9
    assert http.get("/v2/posts", key=text).status == 200
    ports.clock.time = NOW + 60
    assert_failed(http.get("/v2/posts", key=text), 401, "InvalidApiKey")
    assert listed(http)[id_of(text)]["expiresAt"] == "2026-09-21T14:14:20.000Z"


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ([], "InvalidRequest", "JSON object"),
        ({}, "MissingParameter", "name"),
        ({"name": None}, "MissingParameter", "name"),
        ({"name": ""}, "InvalidRequest", "name"),
        ({"name": " "}, "InvalidRequest", "name"),
        ({"name": "n" * 101}, "InvalidRequest", "name"),
        ({"name": "two\nlines"}, "InvalidRequest", "name"),
        ({"name": 5}, "InvalidRequest", "name"),
        ({"name": "n", "scopes": []}, "InvalidRequest", "scopes"),
        ({"name": "n", "scopes": "posts:read"}, "InvalidRequest", "scopes"),
        ({"name": "n", "scopes": [1]}, "InvalidRequest", "scopes"),
        ({"name": "n", "scopes": ["posts:read", "posts:delete"]}, "InvalidRequest", "posts:delete"),
        ({"name": "n", "expiresAt": at(0)}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": at(-3600)}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "2027-01-01T00:00:00"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "2027-01-01"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "tomorrow"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": 1_900_000_000}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "9999-12-31T23:59:59-12:00"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "9999-12-31T23:59:59.999999Z"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "expiresAt": "0001-01-01T00:00:00+12:00"}, "InvalidRequest", "expiresAt"),
        ({"name": "n", "workspaceId": "workspace-2"}, "InvalidRequest", "workspaceId"),
        ({"name": "n", "expires_at": at(60)}, "InvalidRequest", "expires_at"),
    ],
)
def test_what_no_key_can_be_is_refused_by_name_and_nothing_is_made(http, body, code, named):
    before = listed(http)
    answer = http.call("POST", "/v2/keys", body)
    assert_failed(answer, 400, code)
    assert named in answer.json["error"]
    assert listed(http).keys() == before.keys()


@pytest.mark.parametrize("name", ["n", "n" * 100, "Büro 🐇"])
def test_a_name_has_1_to_100_characters(http, name):
    assert make(http, name=name).json["name"] == name


# Listed


def test_keys_are_listed_with_their_last_use_and_never_their_secret(http, ports):
    ports.keys.add(a_key(key_id="theirs00", workspace_id="workspace-2", name="theirs"))
    text = make(http).json["key"]
    _, secret = split_key(text) or ("", "")
    ports.clock.time = NOW + 10
    assert http.get("/v2/posts", key=text).status == 200
    answer = http.get("/v2/keys")
    assert [key["keyId"] for key in answer.json["keys"]] == [id_of(http.key), id_of(text)]
    mine = listed(http)[id_of(text)]
    assert mine["lastUsedAt"] == "2026-09-21T14:13:30.000Z"
    assert set(mine) == {"keyId", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt"}
    assert secret
    assert secret not in answer.body
    assert ports.keys.get(id_of(text)).secret_hash not in answer.body


# Revoked


def test_a_revoked_key_opens_nothing_from_its_next_request_on(http, ports):
    text = make(http).json["key"]
    assert http.get("/v2/posts", key=text).status == 200
    ports.clock.time = NOW + 5
    answer = revoke(http, id_of(text))
    assert answer.status == 200
    assert answer.json["revokedAt"] == "2026-09-21T14:13:25.000Z"
    assert_failed(http.get("/v2/posts", key=text), 401, "InvalidApiKey")
    assert listed(http)[id_of(text)]["revokedAt"] == "2026-09-21T14:13:25.000Z"


def test_revoking_again_changes_nothing(http, ports):
    key_id = id_of(make(http).json["key"])
    first = revoke(http, key_id)
    ports.clock.time += 60
    again = revoke(http, key_id)
    assert (again.status, again.json) == (200, first.json)


def test_a_key_may_revoke_itself(http):
    assert revoke(http, id_of(http.key)).status == 200
    assert_failed(http.get("/v2/keys"), 401, "InvalidApiKey")


def test_another_workspaces_key_is_not_found_and_stays(http, ports):
    text = http.make_key(workspace_id="workspace-2")
    assert_failed(revoke(http, id_of(text)), 404, "NotFound")
    assert http.get("/v2/posts", key=text).status == 200


@pytest.mark.parametrize("key_id", ["nobody00", "x", "x" * 5000, "a b", "tkp_live", "%00"])
def test_a_key_that_does_not_exist_is_not_found(http, key_id):
    assert_failed(revoke(http, key_id), 404, "NotFound")


def test_made_keys_have_the_form_of_keys():
    assert all(is_key_id(NewKey.make().key_id) for _ in range(100))


# Refused without a look


class Unreadable:
    """A store of keys that nobody may ask."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"keys.{name} was asked for")


@pytest.mark.parametrize("spoil", ["prefix", "checksum", "secret", "cut", "longer"])
def test_what_cannot_be_a_key_is_refused_without_a_read(http, ports: FakePorts, spoil):
    text = http.key
    spoiled = {
        "prefix": text.replace("tkp_live_", "tkp_test_"),
        "checksum": text[:-1] + ("0" if text[-1] != "0" else "1"),
        "secret": text[:30] + ("0" if text[30] != "0" else "1") + text[31:],
        "cut": text[:-1],
        "longer": text + "0",
    }[spoil]
    ports.keys = Unreadable()  # type: ignore[assignment]
    answer = http.get("/v2/posts", key=spoiled)
    assert_failed(answer, 401, "InvalidApiKey")
    assert spoiled not in json.dumps(answer.json)
