"""TikTok's events at the running stack, as bytes over HTTP, signed as TikTok signs them."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.e2e.client import Client, a_video

APP = {"key": "sandbox-client-key", "secret": "sandbox-client-secret"}
REMOVED = "authorization.removed"


def an_event(kind: str, open_id: str, *, at: float | None = None, **content: Any) -> bytes:
    said = {"client_key": APP["key"], "event": kind, "create_time": int(at or time.time()), "user_openid": open_id}
    return json.dumps({**said, "content": json.dumps(content)}).encode()


def deliver(
    client: Client, body: bytes, *, secret: str = APP["secret"], kind: str = "application/json", ago: int = 0
) -> requests.Response:
    at = int(time.time()) - ago
    signature = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"TikTok-Signature": f"t={at},s={signature}", "Content-Type": kind}
    return requests.post(f"{client.api}/webhooks/tiktok", data=body, headers=headers, timeout=40)


def taken(client: Client, body: bytes, **more: Any) -> float:
    """Deliver an event that is good, and return how many seconds the answer took."""
    answer = deliver(client, body, **more)
    assert (answer.status_code, answer.json()) == (200, {}), answer.text
    return answer.elapsed.total_seconds()


def shown(client: Client, account: dict[str, Any]) -> dict[str, Any]:
    accounts = client.get("/api/accounts").json()["accounts"]
    return next(one for one in accounts if one["account_id"] == account["account_id"])


def until(look: Callable[[], bool], *, seconds: float = 150) -> None:
    """Wait for the sweep, which runs each minute."""
    ends = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < ends, "it was not seen"
        time.sleep(1)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/octet-stream"])
def test_an_event_is_taken_to_the_byte_whatever_api_gateway_makes_of_its_body(client: Client, kind):
    body = an_event("post.publish.complete", "nobody", publish_id="v_pub_file~v2-1.404", more="é 🐇")
    taken(client, body, kind=kind)


def test_an_event_is_answered_within_a_second(client: Client):
    times = [taken(client, an_event("post.publish.complete", "nobody", publish_id=str(n))) for n in range(10)]
    assert sorted(times)[5] < 1


@pytest.mark.parametrize("ago", [50 * 3600, -200])
def test_an_event_that_comes_late_or_a_little_early_is_taken(client: Client, ago):
    taken(client, an_event("post.publish.complete", "nobody", publish_id="v_pub_file~v2-1.405"), ago=ago)


@pytest.mark.parametrize("more", [{"secret": "another"}, {"ago": 74 * 3600}, {"ago": -400}])
def test_an_event_that_is_not_tiktoks_is_turned_away(client: Client, more):
    answer = deliver(client, an_event("post.publish.complete", "nobody", publish_id="1"), **more)
    assert (answer.status_code, answer.json()["code"]) == (401, "InvalidSignature")
    assert "sandbox-client" not in answer.text


def test_a_removal_counts_when_tiktok_confirms_it_and_only_then(client: Client):
    lost, kept = client.new_account(), client.new_account()
    client.sandbox("POST", "actions", {"action": "revoke", "username": lost["tiktok_username"]})
    for account in (lost, kept):
        taken(client, an_event(REMOVED, account["tiktok_open_id"], reason=1))
    # TikTok's refusal is noted first, and the event's reason just after.
    until(lambda: shown(client, lost)["state_reason"] == "The creator disconnected the app at TikTok.")
    assert shown(client, lost)["state"] == "reauthorize"
    assert shown(client, kept)["state"] == "active"


def test_a_draft_that_its_creator_publishes_is_seen_when_tiktok_says_so(client: Client, account, film):
    post = client.publish_and_wait(a_video(account, film.url, text="", options={"draft": True})).post
    assert post["status"] == "SEND_TO_USER_INBOX"
    finished = {"action": "finish_draft", "publish_id": post["publish_id"], "privacy_level": "PUBLIC_TO_EVERYONE"}
    client.sandbox("POST", "actions", finished)
    taken(client, an_event("post.publish.complete", account["tiktok_open_id"], publish_id=post["publish_id"]))
    path = f"/v2/posts/{post['postSubmissionId']}"
    until(lambda: client.get(path).json()["status"] == "PUBLISH_COMPLETE")


# What the sandbox sends by itself
def told(client: Client, publish_id: str) -> list[str]:
    """The events about a post that were taken, in the order in which things happened."""
    log = client.sandbox("GET", "log")["events"]
    taken_ones = [one["body"] for one in log if publish_id in one["body"] and one["state"] == "delivered"]
    return [json.loads(body)["event"] for body in taken_ones]


def test_a_withdrawn_post_and_an_access_taken_back_are_seen_because_the_sandbox_tells_of_them(
    client: Client, account, film
):
    client.sandbox("POST", "clock", {"advance": 600})  # wherever it goes, events count
    lost = client.new_account()
    post = client.publish_and_wait(a_video(account, film.url)).post
    path = f"/v2/posts/{post['postSubmissionId']}"
    until(lambda: client.get(path).json()["publicUrl"] is not None)
    [on_tiktok] = client.posts_of(account)

    # Together, so that one sweep sees both.
    client.sandbox("POST", "actions", {"action": "withdraw", "post_id": on_tiktok["post_id"]})
    client.sandbox("POST", "actions", {"action": "revoke", "username": lost["tiktok_username"], "reason": 2})
    until(lambda: client.get(path).json()["publicUrl"] is None)
    until(lambda: shown(client, lost)["state_reason"] == "The creator deleted the TikTok account.")

    hidden = client.get(path).json()
    assert hidden["status"] == "PUBLISH_COMPLETE"
    assert "no longer shows it" in hidden["message"]
    assert shown(client, lost)["state"] == "reauthorize"
    names = ["complete", "publicly_available", "no_longer_publicaly_available"]
    assert told(client, post["publish_id"]) == [f"post.publish.{name}" for name in names]
