"""Webhooks through the running stack: a server of the customer's is told, signed and again until it takes it."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from tests.conftest import MediaServer, Posted
from tests.e2e.client import Client, a_video
from tests.e2e.test_local_runtime import run

SECONDS = 40
"""Within which a notice arrives of what is told at once; on a busy laptop a function's start takes most of it."""
MINUTES = 130
"""Seconds within which one arrives that a run of each minute finds."""


class Hook:
    """A customer's webhook: what was made at the service, and what its server got."""

    def __init__(self, client: Client, server: MediaServer, *events: str, refusals: int = 0) -> None:
        self.path = f"/hooks/{uuid.uuid4()}"
        server.refusals[self.path] = refusals
        self._client, self._server = client, server
        self.made = self.call("POST", "", {"url": server.url + self.path, "events": list(events) or None}, 201)

    def call(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        url = f"{self._client.api}/v2/webhooks{path}"
        answer = requests.request(method, url, json=body, headers=self._client.headers, timeout=40)
        assert answer.status_code == status, answer.text
        return answer.json()

    @property
    def id(self) -> str:
        return f"/{self.made['webhookId']}"

    @property
    def log(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", f"{self.id}/deliveries")["deliveries"]
        return found

    def got(self, count: int, seconds: float) -> list[Posted]:
        """Return what the server got when it has so many."""
        until = time.monotonic() + seconds
        while len(self._server.posted[self.path]) < count:
            assert time.monotonic() < until, f"only {self._server.posted[self.path]} came; the log says {self.log}"
            time.sleep(0.1)
        return self._server.posted[self.path]

    def delivered(self) -> dict[str, Any]:
        """Return the only delivery when it has ended: it is written down just after the server answered."""
        until = time.monotonic() + SECONDS
        while (delivery := self.log[0])["state"] == "PENDING":
            assert time.monotonic() < until, delivery
            time.sleep(0.1)
        assert len(self.log) == 1
        return delivery

    def read(self, posted: Posted) -> Any:
        """Return what a request says, if it is well signed."""
        return Webhook(self.made["secret"]).verify(posted.body, posted.headers)


@pytest.fixture
def stranger(client: Client, state: Path) -> Client:
    """A user of a workspace of his own, in which nothing else happens."""
    made = run("local.key", "--state", str(state), "--name", "webhooks")
    assert made.returncode == 0, made.stderr
    return Client(client.api, made.stdout.strip(), client.tiktok)


@pytest.fixture
def hook(stranger: Client, media_server: MediaServer) -> Iterator[Callable[..., Hook]]:
    """Make webhooks, which are removed in the end."""
    hooks: list[Hook] = []

    def make(*events: str, refusals: int = 0) -> Hook:
        hooks.append(Hook(stranger, media_server, *events, refusals=refusals))
        return hooks[-1]

    yield make
    for one in hooks:
        one.call("DELETE", one.id)


def test_a_published_post_is_told_within_seconds(stranger: Client, hook, film):
    published, failed = hook("post.published"), hook("post.failed")
    account = stranger.new_account()
    post = stranger.publish(a_video(account, film.url)).json()
    (posted,) = published.got(1, SECONDS)
    told = published.read(posted)
    assert (told["type"], set(told)) == ("post.published", {"type", "timestamp", "data"})
    shown = stranger.get(f"/v2/posts/{post['postSubmissionId']}").json()
    for name in ("postSubmissionId", "status", "publish_id", "text", "options", "account_id", "created_at"):
        assert told["data"].get(name) == shown.get(name), name
    assert posted.headers["user-agent"] == "publisher-webhooks"
    delivery = published.delivered()
    assert (delivery["deliveryId"], delivery["state"]) == (posted.headers["webhook-id"], "DELIVERED")
    assert failed.log == []


def test_a_failed_and_a_cancelled_post_are_told(stranger: Client, hook, media_server):
    one = hook("post.failed", "post.cancelled")
    account = stranger.new_account()
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    waiting = stranger.publish({**a_video(account, f"{media_server.url}/film.mp4"), "scheduledTime": later}).json()
    assert stranger.change("DELETE", waiting["postSubmissionId"]).status_code == 200
    failed = stranger.publish_and_wait(a_video(account, f"{media_server.url}/nothing.mp4")).post
    told = [one.read(posted) for posted in one.got(2, SECONDS)]
    assert {(notice["type"], notice["data"]["postSubmissionId"]) for notice in told} == {
        ("post.cancelled", waiting["postSubmissionId"]),
        ("post.failed", failed["postSubmissionId"]),
    }


def test_in_minutes_a_refused_notice_is_sent_again_and_an_accounts_state_is_told(stranger: Client, hook):
    one, other = hook("post.failed", refusals=1), hook("account.active")
    one.call("POST", f"{one.id}/test", None, 202)
    account = stranger.new_account()
    first, second = one.got(2, MINUTES)
    assert (first.status, second.status) == (503, 204)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    delivery = one.delivered()
    assert [attempt["status"] for attempt in delivery["tries"]] == [503, 204]
    assert [attempt["error"] for attempt in delivery["tries"]] == ["It answered 503, which is not a success.", None]
    assert (delivery["state"], delivery["nextTryAt"]) == ("DELIVERED", None)
    (posted,) = other.got(1, MINUTES)
    told = other.read(posted)
    assert (told["type"], told["data"]["account_id"]) == ("account.active", account["account_id"])
    assert told["data"] == next(iter(stranger.get("/api/accounts").json()["accounts"]))


def test_a_webhook_is_tried_and_sends_again_when_it_is_asked_to(hook):
    one = hook(refusals=1)
    began = one.call("POST", f"{one.id}/test", None, 202)
    one.got(1, SECONDS)
    assert one.call("POST", f"{one.id}/deliveries/{began['deliveryId']}/redeliver", None, 202)["state"] == "PENDING"
    first, second = one.got(2, SECONDS)
    assert one.read(second)["type"] == "endpoint.test"
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == began["deliveryId"]


def test_a_new_secret_signs_beside_the_former_one(hook):
    one = hook()
    new = one.call("POST", f"{one.id}/rotate-secret", None, 201)["secret"]
    one.call("POST", f"{one.id}/test", None, 202)
    (posted,) = one.got(1, SECONDS)
    assert one.read(posted)
    assert Webhook(new).verify(posted.body, posted.headers)
