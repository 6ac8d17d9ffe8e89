"""API keys through the running stack: made, used, listed, revoked, and never across workspaces."""

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.client import Client
from tests.e2e.test_local_runtime import run


def call(client: Client, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, client.api + path, json=body, headers=client.headers, timeout=40)


@pytest.fixture
def stranger(client: Client, state: Path) -> Client:
    """A user of another workspace."""
    made = run("local.key", "--state", str(state), "--name", "stranger")
    assert made.returncode == 0, made.stderr
    return Client(client.api, made.stdout.strip(), client.tiktok)


def test_a_key_is_made_used_listed_and_revoked_at_once(client: Client, stranger: Client) -> None:
    made = call(client, "POST", "/v2/keys", {"name": "a robot", "scopes": ["posts:read"]})
    assert made.status_code == 201, made.text
    key_id = made.json()["keyId"]
    robot = Client(client.api, made.json()["key"], client.tiktok)
    assert robot.get("/v2/posts").status_code == 200
    assert robot.get("/v2/keys").status_code == 403
    listed = {key["keyId"]: key for key in client.get("/v2/keys").json()["keys"]}
    assert (listed[key_id]["name"], listed[key_id]["lastUsedAt"] is None) == ("a robot", False)
    assert made.json()["key"] not in str(listed)
    assert key_id not in stranger.get("/v2/keys").text
    assert call(stranger, "DELETE", f"/v2/keys/{key_id}").status_code == 404
    assert robot.get("/v2/posts").status_code == 200
    assert call(client, "DELETE", f"/v2/keys/{key_id}").status_code == 200
    assert robot.get("/v2/posts").status_code == 401
    assert call(client, "DELETE", f"/v2/keys/{key_id}").status_code == 200
