"""Webhooks: which events an app is told and when, how they are signed, repeated, and spoiled on demand."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Condition, Event, Thread
from threading import enumerate as threads
from typing import Any, NamedTuple

import pytest

from local.tiktok import fetch
from local.tiktok.server import Sandbox

NOON = 1_795_348_800
HOUR = 3_600
SECRET = "sandbox-client-secret"
COMPLETE, PUBLIC = "post.publish.complete", "post.publish.publicly_available"
FAILED, INBOX = "post.publish.failed", "post.publish.inbox_delivered"
HIDDEN, REMOVED = "post.publish.no_longer_publicaly_available", "authorization.removed"
VECTOR = (
    '{"client_key":"awtestkey00000001","event":"post.publish.complete","create_time":1790000000,'
    '"user_openid":"-000TestOpenId","content":"{\\"publish_id\\":\\"v_pub_file~v2-1.7500000000000000001\\",'
    '\\"publish_type\\":\\"DIRECT_PUBLISH\\"}"}'
)


class Taken(NamedTuple):
    """One POST to the webhook."""

    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> str:
        return str(json.loads(self.body)["event"])

    @property
    def content(self) -> Any:
        return json.loads(json.loads(self.body)["content"])

    @property
    def signature(self) -> str | None:
        return {name.lower(): value for name, value in self.headers.items()}.get("tiktok-signature")

    @property
    def t(self) -> int:
        return int(str(self.signature).partition(",")[0].removeprefix("t="))

    def signed_with(self, secret: str) -> bool:
        digest = hmac.new(secret.encode(), f"{self.t}.".encode() + self.body, hashlib.sha256).hexdigest()
        return self.signature == f"t={self.t},s={digest}"


class Hook(ThreadingHTTPServer):
    """An app's webhook: it answers with `answers` in turn, an HTTP status or None for nothing at all, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/webhooks/tiktok"
        self.answers: list[int | None] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.released = Event()
        self._taken: list[Taken] = []
        self._came = Condition()

    def take(self, one: Taken) -> None:
        with self._came:
            self._taken.append(one)
            self._came.notify_all()

    def first(self, count: int) -> list[Taken]:
        """The first `count` POSTs, waited for."""
        with self._came:
            assert self._came.wait_for(lambda: len(self._taken) >= count, 10), [one.body for one in self._taken]
            return self._taken[:count]

    def events(self, count: int) -> list[str]:
        return [one.event for one in self.first(count)]


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.before_answer()
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.server.take(Taken(body, dict(self.headers)))
        if status is None:
            self.server.released.wait(20)
            return
        self.send_response(status)
        if status in range(300, 400):
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def hook(tiktok):
    """The webhook of the sandbox's app."""
    server = Hook()
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    tiktok.app(webhook_url=server.url)
    yield server
    server.released.set()
    tiktok.admin("POST", "reset")
    server.shutdown()
    server.server_close()
    thread.join()


def act(tiktok: Any, action: str, **more: Any) -> Any:
    return tiktok.admin("POST", "actions", {"action": action, **more})


def until(look: Callable[[], Any]) -> Any:
    """Wait until something is there: an answer is noted a moment after it was given."""
    ends = time.monotonic() + 10
    while not (found := look()):
        assert time.monotonic() < ends
        time.sleep(0.005)
    return found


def no_more(tiktok: Any, hook: Hook, count: int) -> None:
    """Nothing but the first `count` was sent: what is sent last comes right behind them."""
    act(tiktok, "forge", body={"event": "the last"})
    assert hook.events(count + 1)[count] == "the last"


def noted(tiktok: Any, *, event: int = 1, attempts: int) -> Any:
    """An event as the log has it, when that many attempts are over."""

    def look() -> Any:
        one = tiktok.log()["events"][event - 1]
        return len(one["attempts"]) == attempts and one["attempts"][-1]["status"] is not None and one

    return until(look)


# What is told


def test_a_public_post_is_told_when_it_is_complete_and_when_everybody_can_see_it(tiktok, hook, clip):
    publish_id = tiktok.publish(tiktok.token(), clip)
    tiktok.advance(2.1)
    [complete] = hook.first(1)
    no_more(tiktok, hook, 1)
    tiktok.advance(2)
    public = hook.first(3)[2]
    [post] = tiktok.log()["posts"]
    assert (complete.event, public.event) == (COMPLETE, PUBLIC)
    assert complete.content == {"publish_id": publish_id, "publish_type": "DIRECT_PUBLISH"}
    assert public.content == {**complete.content, "post_id": str(post["post_id"])}
    assert [json.loads(one.body)["create_time"] for one in (complete, public)] == [NOON + 2, NOON + 4]


def test_events_come_when_their_time_does_and_nobody_has_to_call_for_them(tiktok, hook, clip):
    tiktok.settings(processing_seconds=0.2, moderation_seconds=0.2)
    tiktok.admin("POST", "clock", {"frozen": False})
    tiktok.publish(tiktok.token(), clip)
    assert hook.events(2) == [COMPLETE, PUBLIC]


def test_a_clock_that_jumps_over_several_moments_tells_them_in_their_order(tiktok, hook, clip):
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(0.5)
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(100)
    assert hook.events(4) == [COMPLETE, COMPLETE, PUBLIC, PUBLIC]


def test_an_event_has_tiktoks_shape_to_the_byte(tiktok, hook, clip):
    publish_id = tiktok.draft(tiktok.token(), clip)
    tiktok.advance(10)
    [delivered] = hook.first(1)
    assert delivered.headers["Content-Type"] == "application/json"
    [publish] = tiktok.log()["publishes"]
    open_id, moment = publish["open_id"], int(publish["timeline"][-1][0])
    assert delivered.body.decode() == (
        f'{{"client_key":"sandbox-client-key","event":"{INBOX}","create_time":{moment},"user_openid":"{open_id}",'
        f'"content":"{{\\"publish_id\\":\\"{publish_id}\\",\\"publish_type\\":\\"INBOX_SHARE\\"}}"}}'
    )


def test_a_post_that_is_not_public_is_only_complete(tiktok, hook, clip):
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(HOUR)
    assert hook.events(1) == [COMPLETE]
    no_more(tiktok, hook, 1)


def test_a_draft_is_complete_each_time_that_its_creator_posts_it(tiktok, hook, clip):
    publish_id = tiktok.draft(tiktok.token(), clip)
    tiktok.advance(10)
    hook.first(1)
    for count in (3, 5):
        act(tiktok, "finish_draft", publish_id=publish_id)
        tiktok.advance(3)
        hook.first(count)
    assert hook.events(5) == [INBOX, COMPLETE, PUBLIC, COMPLETE, PUBLIC]
    assert {(one.content["publish_id"], one.content["publish_type"]) for one in hook.first(5)} == {
        (publish_id, "INBOX_SHARE")
    }


def test_what_fails_is_told_with_its_reason(tiktok, hook, clip):
    token = tiktok.token()
    tiktok.publish(token, b"no film")
    tiktok.advance(10)
    tiktok.cancel(token, tiktok.init(token).json()["data"]["publish_id"])
    act(tiktok, "fail", publish_id=tiktok.publish(token, clip), fail_reason="spam_risk")
    told = hook.first(3)
    assert [one.event for one in told] == [FAILED] * 3
    reasons = ["file_format_check_failed", "publish_cancelled", "spam_risk"]
    assert [one.content["reason"] for one in told] == reasons
    assert {one.content["publish_type"] for one in told} == {"DIRECT_PUBLISH"}


def test_a_photo_post_whose_pull_fails_is_told(tiktok, hook, host):
    tiktok.settings(pull_local_urls=True)
    tiktok.app(verified_properties=["http://127.0.0.1/", host.url])
    assert tiktok.init_photos(tiktok.token(), [f"{host.url}missing.jpg"]).status_code == 200
    [failed] = hook.first(1)
    assert (failed.event, failed.content["reason"]) == (FAILED, "photo_pull_failed")


def test_a_pull_that_fails_after_a_reset_is_told_to_nobody(tiktok, hook, host):
    tiktok.settings(pull_local_urls=True)
    tiktok.app(verified_properties=["http://127.0.0.1/", host.url])
    held = host.serve("held.jpg", b"", status=404, held=True)
    publish_id = tiktok.init_photos(tiktok.token(), [held]).json()["data"]["publish_id"]
    [pull] = [thread for thread in threads() if thread.name == f"pull {publish_id}"]
    until(lambda: host.requests)
    tiktok.admin("POST", "reset")
    tiktok.app(webhook_url=hook.url)
    host.released.set()
    pull.join(20)
    assert not pull.is_alive()
    no_more(tiktok, hook, 0)


@pytest.mark.parametrize("reason", [None, 0, 1, 2, 3, 4, 5])
def test_a_removal_tells_its_reason_and_what_it_ended_and_the_tokens_are_dead_by_then(tiktok, hook, clip, reason):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    seen = []
    hook.before_answer = lambda: seen.append(tiktok.creator_info(token).status_code)
    act(tiktok, "revoke", username="emu_creator", **({} if reason is None else {"reason": reason}))
    removed, failed = hook.first(2)
    assert (removed.event, removed.content) == (REMOVED, {"reason": 1 if reason is None else reason})
    assert (failed.event, failed.content["publish_id"]) == (FAILED, publish_id)
    assert failed.content["reason"] == "auth_removed"
    assert seen[0] == 401


def test_an_app_that_gives_the_consent_back_is_told_so_once(tiktok, hook):
    first, second = tiktok.grant(), tiktok.grant()
    assert tiktok.revoke(first["access_token"]).status_code == 200
    [removed] = hook.first(1)
    assert json.loads(removed.body)["user_openid"] == second["open_id"]
    assert (removed.event, removed.content) == (REMOVED, {"reason": 5})
    assert "error" in tiktok.revoke(second["access_token"]).json()
    no_more(tiktok, hook, 1)


def test_a_withdrawn_post_is_told_and_has_no_public_id_until_it_is_shown_again(tiktok, hook, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(10)
    [post] = tiktok.log()["posts"]
    act(tiktok, "withdraw", post_id=post["post_id"])
    assert "publicaly_available_post_id" not in tiktok.state(token, publish_id)
    hidden = hook.first(3)[2]
    assert (hidden.event, hidden.content["post_id"]) == (HIDDEN, str(post["post_id"]))
    act(tiktok, "show_again", post_id=post["post_id"])
    assert tiktok.state(token, publish_id)["publicaly_available_post_id"] == [post["post_id"]]
    assert hook.events(4) == [COMPLETE, PUBLIC, HIDDEN, PUBLIC]


def test_an_app_is_told_of_its_own_posts_only_and_one_without_a_webhook_of_nothing(tiktok, hook, clip):
    tiktok.admin("POST", "apps", {"client_key": "other", "client_secret": "another"})
    tokens = tiktok.admin("POST", "grants", {"username": "emu_creator", "client_key": "other"})
    tiktok.publish(tokens["access_token"], clip)
    tiktok.advance(10)
    assert tiktok.log()["events"] == []
    tiktok.admin("PATCH", "apps/other", {"webhook_url": hook.url})
    tiktok.publish(tokens["access_token"], clip)
    tiktok.advance(10)
    for one in hook.first(2):
        assert json.loads(one.body)["client_key"] == "other"
        assert one.signed_with("another")


# How it is signed and repeated


def test_the_signature_is_that_of_the_vector(tiktok, hook):
    act(tiktok, "forge", body=VECTOR, secret="testsecret", t=1_790_000_000)
    [sent] = hook.first(1)
    assert sent.body == VECTOR.encode()
    assert sent.signature == "t=1790000000,s=e0deaa03a25d622a04a00ed5cc9645d66039f95c2edf541f025a96928d7a7290"


def test_an_event_is_signed_with_the_secret_that_the_app_has_when_it_is_sent(tiktok, hook, clip):
    hook.answers = [500]
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(2.1)
    noted(tiktok, attempts=1)
    tiktok.app(client_secret="rotated")
    tiktok.advance(10)
    before, after = (one for one in hook.first(3) if one.event == COMPLETE)
    assert (before.signed_with(SECRET), after.signed_with("rotated")) == (True, True)
    assert before.t == NOON + 2


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 404, 500, 503])
def test_only_a_200_delivers(tiktok, hook, clip, status):
    hook.answers = [status]
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    assert noted(tiktok, attempts=1)["state"] == "waiting"
    tiktok.advance(9.9)
    no_more(tiktok, hook, 1)
    tiktok.advance(0.1)
    event = noted(tiktok, attempts=2)
    assert event["state"] == "delivered"
    assert [attempt["status"] for attempt in event["attempts"]] == [status, 200]
    assert hook.first(1)[0].body == hook.first(3)[2].body


def test_an_event_is_repeated_after_growing_waits_for_72_hours_and_then_dropped(tiktok, hook, clip):
    hook.answers = [500] * 100
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    attempts = 1
    while (event := noted(tiktok, attempts=attempts))["state"] == "waiting":
        tiktok.admin("POST", "clock", {"set": event["due_at"]})
        attempts += 1
    times = [attempt["at"] for attempt in event["attempts"]]
    waits = [round(later - earlier) for earlier, later in pairwise(times)]
    assert waits[:4] == [10, 20, 40, 80]
    assert waits == sorted(waits)
    assert max(waits) == 6 * HOUR
    assert event["state"] == "dropped"
    assert 66 * HOUR < times[-1] - times[0] <= 72 * HOUR
    tiktok.advance(100 * HOUR)
    no_more(tiktok, hook, attempts)


def test_a_webhook_that_does_not_answer_or_is_not_there_is_asked_again(tiktok, hook, clip, monkeypatch):
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.2)
    hook.answers = [None]
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    hook.first(1)
    until(lambda: tiktok.log()["events"][0]["due_at"] > NOON + 12)
    tiktok.app(webhook_url="http://127.0.0.1:9/")
    tiktok.advance(10)
    until(lambda: tiktok.log()["events"][0]["due_at"] > NOON + 32)
    monkeypatch.undo()
    tiktok.app(webhook_url=hook.url)
    tiktok.advance(20)
    assert [one["status"] for one in noted(tiktok, attempts=3)["attempts"]] == [None, None, 200]


@pytest.mark.parametrize(("how", "later"), [("first", 0), ("renewed", 10)])
def test_a_repeated_event_has_the_first_time_or_its_own(tiktok, hook, clip, how, later):
    tiktok.settings(webhook_timestamp=how)
    hook.answers = [500]
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    noted(tiktok, attempts=1)
    tiktok.advance(10)
    first, second = hook.first(2)
    assert (first.t, second.t) == (NOON + 2, NOON + 2 + later)
    assert second.signed_with(SECRET)


def test_an_event_can_be_signed_with_the_machines_time_wherever_the_clock_is(tiktok, hook, clip):
    tiktok.settings(webhook_timestamp="real")
    tiktok.publish(tiktok.token(), clip)
    began = int(time.time())
    tiktok.advance(50 * HOUR)
    [sent] = hook.first(1)
    assert began <= sent.t <= time.time()
    assert sent.signed_with(SECRET)


def test_events_survive_a_restart_and_what_was_on_its_way_comes_again(tiktok, hook, connect, clip, tmp_path):
    hook.answers = [500]
    with Sandbox(state=tmp_path) as sandbox:
        before = connect(sandbox.url)
        before.admin("POST", "clock", {"frozen": True, "set": NOON})
        before.app(webhook_url=hook.url)
        before.publish(before.token(), clip)
        before.advance(2.1)
        noted(before, attempts=1)
    with Sandbox(state=tmp_path) as sandbox:
        after = connect(sandbox.url)
        after.advance(10)
        refused, *others = hook.first(3)
        assert refused.body in [one.body for one in others]
        assert [one["state"] for one in until(lambda: delivered(after, 2))] == ["delivered"] * 2


def delivered(tiktok: Any, count: int) -> Any:
    """The log's events, when that many are delivered."""
    events = tiktok.log()["events"]
    return [one["state"] for one in events].count("delivered") == count and events


# Spoiled on demand


def test_webhooks_that_are_off_are_lost_for_good(tiktok, hook, clip):
    tiktok.settings(webhooks="off")
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(10)
    tiktok.settings(webhooks="on")
    tiktok.advance(80 * HOUR)
    no_more(tiktok, hook, 0)
    assert [one["state"] for one in tiktok.log()["events"][:2]] == ["lost"] * 2


def test_an_event_can_be_late(tiktok, hook, clip):
    tiktok.settings(webhook_delay_seconds=50 * HOUR)
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(50 * HOUR)
    no_more(tiktok, hook, 0)
    tiktok.advance(3)
    late = hook.first(2)[1]
    assert late.event == COMPLETE
    assert late.t - json.loads(late.body)["create_time"] >= 50 * HOUR


def test_an_event_can_come_twice(tiktok, hook, clip):
    tiktok.settings(webhook_copies=2)
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(10)
    one, other = hook.first(2)
    assert one.body == other.body
    no_more(tiktok, hook, 2)


def test_held_events_are_released_in_any_order(tiktok, hook, clip):
    tiktok.settings(webhooks="held")
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(10)
    no_more(tiktok, hook, 0)
    tiktok.settings(webhooks="on")
    tiktok.advance(HOUR)
    no_more(tiktok, hook, 1)
    act(tiktok, "release", events=[2, 1])
    assert hook.events(4)[2:] == [PUBLIC, COMPLETE]
    assert [one["number"] for one in tiktok.log()["events"]] == [1, 2, 3, 4]


def test_all_held_events_are_released_in_theirs(tiktok, hook, clip):
    tiktok.settings(webhooks="held")
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(10)
    assert [one["number"] for one in act(tiktok, "release")["events"]] == [1, 2]
    assert hook.events(2) == [COMPLETE, PUBLIC]


@pytest.mark.parametrize("how", ["wrong", "missing"])
def test_a_signature_can_be_wrong_or_missing_until_it_is_good_again(tiktok, hook, clip, how):
    hook.answers = [401]
    tiktok.settings(webhook_signature=how)
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    noted(tiktok, attempts=1)
    tiktok.settings(webhook_signature="good")
    tiktok.advance(10)
    spoiled, good = hook.first(2)
    assert good.signed_with(SECRET)
    if how == "missing":
        assert spoiled.signature is None
    else:
        assert spoiled.t == good.t
        assert not spoiled.signed_with(SECRET)


def test_a_replay_has_the_same_bytes_and_signature_and_is_sent_once_whatever_the_answer(tiktok, hook, clip):
    tiktok.publish(tiktok.token(), clip, privacy_level="SELF_ONLY")
    tiktok.advance(2.1)
    noted(tiktok, attempts=1)
    hook.answers = [401]
    tiktok.advance(50 * HOUR)
    [replay] = act(tiktok, "replay", event=1)["events"]
    assert replay["origin"] == "replay"
    original, again = hook.first(2)
    assert (again.body, again.signature) == (original.body, original.signature)
    assert noted(tiktok, event=2, attempts=1)["state"] == "dropped"
    tiktok.advance(50 * HOUR)
    no_more(tiktok, hook, 2)


def test_a_forged_event_is_signed_as_asked_for(tiktok, hook):
    act(tiktok, "forge", body={"event": "portability.download.ready"}, t=5)
    act(tiktok, "forge", body="not { JSON", secret="stolen")
    own, stolen = hook.first(2)
    assert (own.event, own.t, own.signed_with(SECRET)) == ("portability.download.ready", 5, True)
    assert (stolen.body, stolen.t, stolen.signed_with("stolen")) == (b"not { JSON", NOON, True)


def test_actions_on_events_that_make_no_sense_are_refused(tiktok, hook, clip):
    tiktok.settings(webhooks="off")
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(2.1)
    [post] = tiktok.log()["posts"]
    for status, action in [
        (404, {"action": "replay", "event": 7}),
        (409, {"action": "replay", "event": 1}),
        (404, {"action": "release", "events": [7]}),
        (409, {"action": "release", "events": [1]}),
        (404, {"action": "forge", "body": "", "client_key": "unknown"}),
        (404, {"action": "withdraw", "post_id": 7}),
        (409, {"action": "withdraw", "post_id": post["post_id"]}),
        (409, {"action": "show_again", "post_id": post["post_id"]}),
        (400, {"action": "revoke", "username": "emu_creator", "reason": 6}),
    ]:
        assert tiktok.session.post(f"{tiktok.url}/_sandbox/actions", json=action).status_code == status, action
    tiktok.app(webhook_url=None)
    forge = {"action": "forge", "body": ""}
    assert tiktok.session.post(f"{tiktok.url}/_sandbox/actions", json=forge).status_code == 409


@pytest.mark.parametrize("url", ["http://a.example/hook", "ftp://a.example/", "/hook", "https://"])
def test_a_webhook_is_https_or_on_a_loopback_host(tiktok, url):
    change = tiktok.session.patch(f"{tiktok.url}/_sandbox/apps/sandbox-client-key", json={"webhook_url": url})
    assert (change.status_code, "cannot be a webhook" in change.json()["error"]) == (400, True)
    tiktok.app(webhook_url="https://a.example/hook")
    tiktok.app(webhook_url="http://localhost:1/hook")


def test_the_log_holds_no_signature(tiktok, hook, clip):
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(10)
    act(tiktok, "replay", event=noted(tiktok, attempts=1)["number"])
    answers = json.dumps(until(lambda: delivered(tiktok, 3))) + json.dumps(tiktok.log())
    assert [one["state"] for one in tiktok.log()["events"]] == ["delivered"] * 3
    for one in hook.first(3):
        assert str(one.signature).rpartition("s=")[2] not in answers


def test_a_reset_forgets_events_and_webhooks(tiktok, hook, clip):
    tiktok.settings(webhooks="held")
    tiktok.publish(tiktok.token(), clip)
    tiktok.advance(10)
    tiktok.admin("POST", "reset")
    tiktok.app(webhook_url=hook.url)
    assert tiktok.log()["events"] == []
    no_more(tiktok, hook, 0)
