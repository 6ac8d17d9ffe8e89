"""An account over its life: its creator takes the access back, posts wait for him, and he connects it again."""

import time
from typing import Any

from tests.e2e.client import Client, a_video

SWEPT_WITHIN = 150
"""Seconds until the sweep, which runs each minute, has let a post go on and it is published."""


def shown(client: Client, account: dict[str, Any]) -> dict[str, Any]:
    accounts = client.get("/api/accounts").json()["accounts"]
    return next(one for one in accounts if one["account_id"] == account["account_id"])


def wait_until_held(client: Client, post_id: str) -> dict[str, Any]:
    until = time.monotonic() + 90
    while True:
        post: dict[str, Any] = client.get(f"/v2/posts/{post_id}").json()
        if post["timeline"][-1]["step"] == "Held":
            return post
        assert time.monotonic() < until, post
        time.sleep(0.3)


def test_a_post_waits_until_its_creator_connects_the_account_again(client: Client, creator, media_server):
    account = client.connect(creator)
    media_server.go_on.clear()
    answer = client.publish(a_video(account, f"{media_server.url}/waits"), Prefer="respond-async")
    assert answer.status_code == 202
    client.sandbox("POST", "actions", {"action": "revoke", "username": creator})
    media_server.go_on.set()

    held = wait_until_held(client, answer.json()["postSubmissionId"])
    assert (held["status"], held["success"]) == ("QUEUED", True)
    assert "connect the TikTok account again" in held["message"]
    lost = shown(client, account)
    assert (lost["state"], lost["is_valid"]) == ("reauthorize", False)
    assert lost["state_reason"]
    assert lost["state_since"]
    assert client.opened_for(account) == []
    refused = client.publish(a_video(account, f"{media_server.url}/waits"), Prefer="respond-async")
    assert (refused.status_code, refused.json()["code"]) == (401, "TokenExpired")

    assert client.connect(creator)["account_id"] == account["account_id"]
    post = client.wait(held["postSubmissionId"], seconds=SWEPT_WITHIN)
    assert post["status"] == "PUBLISH_COMPLETE"
    assert len(client.posts_of(account)) == 1
