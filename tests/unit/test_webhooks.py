"""TikTok's events through the front door: they make us look, once, and only what is seen then counts."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from pydantic import SecretStr

from publisher.domain.accounts import AccountState
from publisher.domain.errors import Busy, Failure, ServiceUnavailable
from publisher.domain.posts import Hint, Post, Status, carousel_taken, finish, notified
from publisher.ports import TikTokApp
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_carousel, a_post, an_upload, options, stored_video
from tests.fakes import FakePorts, TikTokCarousel, TikTokUpload
from tests.unit.conftest import Http, assert_failed

PATH = "/webhooks/tiktok"
COMPLETE, PUBLIC = "post.publish.complete", "post.publish.publicly_available"
GONE, REMOVED = "post.publish.no_longer_publicaly_available", "authorization.removed"
FAILURE = Failure(name="VideoProcessingFailed", code="VideoProcessingFailed", error="e", message="m", retryable=False)


def an_event(kind: str = COMPLETE, *, open_id: str = "open", at: float = NOW, key: str = "key", **content: Any) -> str:
    said = {"client_key": key, "event": kind, "create_time": int(at), "user_openid": open_id}
    return json.dumps({**said, "content": json.dumps(content)})


def sign(body: str, at: float, secret: str = "secret") -> str:
    return f"t={int(at)},s={hmac.new(secret.encode(), f'{int(at)}.{body}'.encode(), hashlib.sha256).hexdigest()}"


def deliver(http: Http, body: str, *, at: float | None = None, secret: str = "secret", encode: bool = False):
    """Deliver an event as TikTok does, signed at `at`, which is now unless it is given."""
    signature = sign(body, http.ports.clock.now() if at is None else at, secret)
    return http.call("POST", PATH, body, headers={"TikTok-Signature": signature}, key=None, encode=encode)


def taken(http: Http, body: str, **more: Any) -> None:
    answer = deliver(http, body, **more)
    assert (answer.status, answer.json) == (200, {})


def stored(ports: FakePorts, post: Post) -> Post:
    found = ports.posts.get(post.post_id)
    assert found is not None
    return found


def swept(ports: FakePorts) -> int:
    done = sweep(ports, seconds_left=lambda: 100)
    assert done.errors == {}
    return done.looked_after


def at_tiktok(ports: FakePorts, *, failure: Failure | None = None, **changes: Any) -> Post:
    """A video whose bytes TikTok has all, and whose machine sleeps until its next check."""
    upload = an_upload(publish_id=f"v_pub_file~v2-1.{len(ports.tiktok.uploads) + 1}")
    account = ports.connect(watch_at=NOW + 10**9)
    good = {"upload": upload, "media": stored_video(), "last_offered_at": NOW, "next_byte": 8_000_000}
    good |= {"status": Status.PROCESSING_UPLOAD, "watch_at": NOW + 900, "account_id": account.account_id}
    post = a_post(**good | changes)
    ports.posts.accept(post, None)
    ports.executions.start(post)
    ports.tiktok.uploads[upload.publish_id] = TikTokUpload(
        publish_id=upload.publish_id,
        plan=upload.plan,
        options=post.options,
        opened_at=NOW,
        failure=failure,
        received=8_000_000,
    )
    ports.tiktok.processing_polls = 0
    return post


def published(ports: FakePorts, **changes: Any) -> Post:
    """A post that ended as published."""
    post = at_tiktok(ports, **changes)
    post = finish(post.model_copy(update={"confirmed": Status.PUBLISH_COMPLETE}), Status.PUBLISH_COMPLETE, NOW)
    return ports.posts.save(notified(post, NOW))


def shown(http: Http, post: Post) -> Any:
    return http.get(f"/v2/posts/{post.post_id}").json


# Whose event it is


@pytest.mark.parametrize("encode", [False, True], ids=["text", "base64"])
def test_a_good_event_is_taken_in_as_api_gateway_delivers_it(http, ports, encode):
    post = at_tiktok(ports)
    taken(http, an_event(publish_id=post.publish_id, emoji="🐇"), encode=encode)
    assert stored(ports, post).watch_at == NOW


@pytest.mark.parametrize("spoil", ["signature", "body", "no header", "other secret", "other app", "future", "old"])
def test_an_event_that_is_not_tiktoks_is_refused_and_changes_nothing(http, ports, spoil):
    post = at_tiktok(ports)
    body = an_event(publish_id=post.publish_id, key="another" if spoil == "other app" else "key")
    at = {"future": NOW + 301, "old": NOW - 73 * 3600 - 1}.get(spoil, NOW)
    header = sign(body, at, "another" if spoil == "other secret" else "secret")
    if spoil == "signature":
        header = header[:-1] + ("0" if header[-1] != "0" else "1")
    if spoil == "body":
        body = json.dumps(json.loads(body), sort_keys=True)
    headers = {} if spoil == "no header" else {"TikTok-Signature": header}
    assert_failed(http.call("POST", PATH, body, headers=headers, key=None), 401, "InvalidSignature")
    assert stored(ports, post) == post
    assert (ports.events.times().last_good_at, ports.events.times().last_bad_at) == (None, NOW)


@pytest.mark.parametrize("name", ["TikTok-Signature", "Tiktok-Signature", "tiktok-signature", "TIKTOK-SIGNATURE"])
def test_the_headers_name_may_be_written_in_any_case(http, name):
    body = an_event(publish_id="p")
    answer = http.call("POST", PATH, body, headers={name: sign(body, NOW)}, key=None)
    assert answer.status == 200


def test_while_the_apps_secret_changes_events_signed_with_the_old_one_count(http, ports):
    ports.app_secret.stored = TikTokApp(
        client_key="key", client_secret=SecretStr("new"), previous_client_secret=SecretStr("secret")
    )
    taken(http, an_event(publish_id="1"))
    taken(http, an_event(publish_id="2"), secret="new")
    ports.app_secret.stored = TikTokApp(client_key="key", client_secret=SecretStr("new"))
    assert_failed(deliver(http, an_event(publish_id="3")), 401, "InvalidSignature")


def test_a_body_that_is_too_large_is_refused_and_the_largest_is_taken(http):
    rest = len(an_event(publish_id="p", more=""))
    taken(http, an_event(publish_id="p", more="x" * (256 * 1024 - rest)))
    assert_failed(deliver(http, an_event(publish_id="p", more="x" * (256 * 1024 - rest + 1))), 400, "InvalidRequest")


def test_without_a_stored_app_the_event_is_to_come_again(http, ports):
    ports.app_secret.stored = None
    assert_failed(deliver(http, an_event(publish_id="p")), 503, "ServiceUnavailable")


@pytest.mark.parametrize(
    "body",
    [
        an_event(publish_id="v_pub_file~v2-1.404"),
        an_event(publish_id="p_pub_url~v2.404"),
        an_event("post.publish.failed", publish_id="", reason="internal"),
        an_event("portability.download.ready", request_id=1),
        an_event("video.publish.completed", share_id="1"),
        an_event(REMOVED, open_id="nobody", reason=1),
        an_event(REMOVED, open_id="", reason=1),
        an_event("something.new", publish_id="1"),
    ],
)
def test_an_event_about_nothing_of_ours_is_taken_and_nothing_is_done(http, ports, body):
    post = at_tiktok(ports)
    taken(http, body)
    assert stored(ports, post) == post
    assert ports.events.times().last_good_at == NOW


# Once


def test_an_event_counts_once(http, ports):
    post = at_tiktok(ports)
    body = an_event(publish_id=post.publish_id)
    taken(http, body)
    known = stored(ports, post)
    for later in (0, 60, 50 * 3600):
        ports.clock.time = NOW + later
        taken(http, body)
        assert stored(ports, post) == known


def test_a_repeat_counts_when_the_first_worker_died_before_it_noted_anything(http, ports):
    post = at_tiktok(ports)
    body = an_event(publish_id=post.publish_id)
    ports.posts.faults.before("save", ServiceUnavailable("DynamoDB is down.", "Try again."))
    assert deliver(http, body).status == 503
    taken(http, body)
    assert stored(ports, post).hint is not None


def test_a_worker_that_died_before_it_remembered_has_lost_nothing(http, ports):
    post = at_tiktok(ports)
    body = an_event(publish_id=post.publish_id)
    ports.events.faults.before("remember", ServiceUnavailable("DynamoDB is down.", "Try again."))
    assert deliver(http, body).status == 503
    assert stored(ports, post).hint is not None
    taken(http, body)


def test_an_event_is_noted_although_the_machine_is_writing_the_post(http, ports):
    post = at_tiktok(ports)
    for _ in range(4):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    taken(http, an_event(publish_id=post.publish_id))
    assert stored(ports, post).hint is not None


def test_when_others_write_all_the_time_tiktok_is_to_deliver_it_again(http, ports):
    post = at_tiktok(ports)
    body = an_event(publish_id=post.publish_id)
    for _ in range(5):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    assert_failed(deliver(http, body), 503, "ServiceUnavailable")
    taken(http, body)
    assert stored(ports, post).hint is not None


def test_an_event_that_tiktok_delivers_fifty_hours_late_counts(http, ports):
    ports.tiktok.processing_polls = 0
    post = published(ports, options=options(draft=True, privacy_level=None))
    ports.clock.time = NOW + 50 * 3600
    ports.tiktok.finish_draft(str(post.publish_id))
    taken(http, an_event(PUBLIC, publish_id=post.publish_id), at=NOW)
    assert swept(ports) == 1
    assert stored(ports, post).post_ids == ("1",)


def test_a_hundred_events_are_answered_at_once(http, ports):
    posts = [at_tiktok(ports) for _ in range(100)]
    began = time.monotonic()
    for post in posts:
        taken(http, an_event(publish_id=post.publish_id))
    assert (time.monotonic() - began) / 100 < 0.1


# A post under way

DRAFT = {"options": options(draft=True, privacy_level=None)}


@pytest.mark.parametrize(
    ("said", "ends", "status"),
    [
        (COMPLETE, {}, Status.PUBLISH_COMPLETE),
        ("post.publish.completed", {}, Status.PUBLISH_COMPLETE),
        ("post.publish.failed", {"failure": FAILURE}, Status.FAILED),
        ("post.publish.inbox_delivered", DRAFT, Status.SEND_TO_USER_INBOX),
        ("post.publish.failed", {}, Status.PUBLISH_COMPLETE),
        (COMPLETE, {"failure": FAILURE}, Status.FAILED),
        (GONE, {}, Status.PUBLISH_COMPLETE),
    ],
)
def test_an_event_hastens_the_outcome_which_is_what_the_status_says(http, ports, said, ends, status):
    post = at_tiktok(ports, **ends)
    taken(http, an_event(said, publish_id=post.publish_id))
    assert swept(ports) == 1
    ended = stored(ports, post)
    assert (ended.status, ended.failure, ended.hint) == (status, ends.get("failure"), None)
    assert shown(http, post)["status"] == status


def test_the_machine_finds_the_post_ended_and_lets_the_media_go(http, ports):
    from publisher.messages import StepInput
    from publisher.use_cases.check_status import check_status
    from publisher.use_cases.record_published import record_published

    post = at_tiktok(ports)
    ports.media.objects["staging/video"] = b"film"
    taken(http, an_event(publish_id=post.publish_id))
    swept(ports)
    ended = stored(ports, post)
    request = StepInput(post_id=post.post_id, account_id=post.account_id, execution="e")
    assert check_status(request, ports, lambda: 100).next == "RecordPublished"
    record_published(request, ports, lambda: 100)
    assert (ports.media.objects, stored(ports, post)) == ({}, ended)


def test_while_tiktok_still_works_on_it_the_machine_goes_on(http, ports):
    post = at_tiktok(ports)
    ports.tiktok.processing_polls = 1000
    taken(http, an_event(publish_id=post.publish_id))
    swept(ports)
    waiting = stored(ports, post)
    assert (waiting.status, waiting.hint, waiting.watch_at) == (Status.PROCESSING_UPLOAD, None, NOW + 120)
    assert swept(ports) == 0


def test_before_the_last_byte_was_offered_an_event_is_nothing_to_ask_about(http, ports):
    post = at_tiktok(ports, last_offered_at=None, next_byte=0, failure=FAILURE)
    taken(http, an_event("post.publish.failed", publish_id=post.publish_id))
    swept(ports)
    assert (stored(ports, post).status, stored(ports, post).hint) == (Status.PROCESSING_UPLOAD, None)


def test_an_event_that_comes_before_tiktoks_id_is_stored_is_nothing_and_the_machine_finds_the_outcome(http, ports):
    post = at_tiktok(ports)
    body = an_event(publish_id="v_pub_file~v2-1.2")
    taken(http, body)
    assert stored(ports, post) == post


@pytest.mark.parametrize("publish_id", ["v_pub_file~v2-1.77", "p_pub_url~v2.77"])
def test_a_post_that_has_moved_to_another_id_meanwhile_is_not_meant(http, ports, publish_id):
    post = at_tiktok(ports)
    ports.posts.of_publish = lambda _: post.post_id  # as the index still has it
    taken(http, an_event(publish_id=publish_id))
    assert stored(ports, post) == post


def test_a_hint_is_not_lost_when_the_machine_writes_before_the_sweep(http, ports):
    from publisher.domain.posts import polled

    post = at_tiktok(ports)
    taken(http, an_event(publish_id=post.publish_id))
    ports.posts.save(polled(stored(ports, post), NOW))
    assert swept(ports) == 1
    assert stored(ports, post).status is Status.PUBLISH_COMPLETE


def test_when_tiktok_cannot_be_asked_the_hint_is_followed_in_the_next_minute(http, ports):
    post = at_tiktok(ports)
    taken(http, an_event(publish_id=post.publish_id))
    ports.tiktok.faults.before("status", ServiceUnavailable("TikTok is down.", "Try again."))
    assert list(sweep(ports, seconds_left=lambda: 100).errors) == [post.post_id]
    ports.clock.time += 60
    assert swept(ports) == 1
    assert stored(ports, post).status is Status.PUBLISH_COMPLETE


def test_a_post_whose_execution_died_is_continued_although_it_is_hinted(http, ports):
    post = at_tiktok(ports)
    ports.executions.end(post)
    taken(http, an_event(publish_id=post.publish_id))
    swept(ports)
    assert list(ports.executions.started) == [f"{post.post_id}-0", f"{post.post_id}-1"]
    assert swept(ports) == 1
    assert stored(ports, post).status is Status.PUBLISH_COMPLETE


def test_events_in_the_wrong_order_come_to_the_same(http, ports):
    post = at_tiktok(ports)
    for kind in (PUBLIC, COMPLETE):
        taken(http, an_event(kind, publish_id=post.publish_id))
    swept(ports)
    assert (stored(ports, post).status, stored(ports, post).post_ids) == (Status.PUBLISH_COMPLETE, ("1",))


# An ended post


def test_a_public_id_is_asked_for_when_tiktok_says_that_it_is_there(http, ports):
    post = published(ports)
    ports.clock.time += 20 * 3600  # when nobody would have asked for hours
    taken(http, an_event(PUBLIC, publish_id=post.publish_id))
    assert swept(ports) == 1
    assert shown(http, post)["publicUrl"] == "https://www.tiktok.com/@a_creator/video/1"


def test_a_review_is_resolved_at_once(http, ports):
    post = at_tiktok(ports)
    ports.posts.save(notified(finish(post, Status.REVIEW, NOW), NOW))
    ports.clock.time += 40 * 3600
    taken(http, an_event(publish_id=post.publish_id))
    assert swept(ports) == 1
    assert stored(ports, post).status is Status.PUBLISH_COMPLETE


def test_a_draft_that_its_creator_published_is_asked_about_at_once(http, ports):
    post = at_tiktok(ports, options=options(draft=True, privacy_level=None))
    ports.posts.save(notified(finish(post, Status.SEND_TO_USER_INBOX, NOW), NOW))
    ports.clock.time += 3 * 86400 + 7
    swept(ports)
    ports.tiktok.finish_draft(str(post.publish_id))
    assert swept(ports) == 0
    taken(http, an_event(publish_id=post.publish_id))
    assert swept(ports) == 1
    assert stored(ports, post).status is Status.PUBLISH_COMPLETE


def test_a_draft_that_still_waits_is_watched_on_as_before(http, ports):
    post = at_tiktok(ports, options=options(draft=True, privacy_level=None))
    ports.posts.save(notified(finish(post, Status.SEND_TO_USER_INBOX, NOW), NOW))
    ports.clock.time += 2 * 86400
    swept(ports)
    planned = stored(ports, post).watch_at
    taken(http, an_event("post.publish.inbox_delivered", publish_id=post.publish_id))
    swept(ports)
    assert stored(ports, post).watch_at == planned


def test_a_post_with_nothing_left_to_learn_is_asked_about_once_per_event(http, ports):
    post = published(ports, options=options(privacy_level="SELF_ONLY"))
    taken(http, an_event(publish_id=post.publish_id))
    assert swept(ports) == 1
    assert stored(ports, post) == post.model_copy(update={"version": stored(ports, post).version})
    assert swept(ports) == 0


def test_an_ended_post_that_tiktok_cannot_be_asked_about_is_asked_later_and_not_for_ever(http, ports):
    post = published(ports, options=options(privacy_level="SELF_ONLY"))
    ports.clock.time += 10 * 86400
    taken(http, an_event(publish_id=post.publish_id))
    looks = 0
    while (watch_at := stored(ports, post).watch_at) is not None:
        ports.clock.time = max(watch_at, ports.clock.now())
        ports.tiktok.faults.before("status", ServiceUnavailable("TikTok is down.", "Try again."))
        sweep(ports, seconds_left=lambda: 100)
        looks += 1
    assert 3 < looks < 20
    assert ports.clock.now() <= NOW + 11 * 86400


def gone(http: Http, ports: FakePorts) -> Post:
    """A public post that TikTok lists no more and says so."""
    post = published(ports)
    ports.clock.time += 5
    swept(ports)
    assert stored(ports, post).post_ids == ("1",)
    ports.clock.time += 86400
    ports.tiktok.post_id_polls = 10**6
    taken(http, an_event(GONE, publish_id=post.publish_id))
    assert swept(ports) == 1
    return stored(ports, post)


def test_a_post_that_is_public_no_more_says_so(http, ports):
    post = gone(http, ports)
    answer = shown(http, post)
    assert (answer["status"], answer["publicUrl"], answer["postIds"]) == ("PUBLISH_COMPLETE", None, ["1"])
    assert answer["message"] == "Post was published; TikTok no longer shows it to everybody"
    assert (post.no_longer_public_at, post.watch_at) == (NOW + 5 + 86400, None)


def test_the_first_moment_stays_however_often_tiktok_says_it(http, ports):
    post = gone(http, ports)
    ports.clock.time += 3600
    taken(http, an_event(GONE, publish_id=post.publish_id, again=True))
    assert swept(ports) == 1
    assert stored(ports, post).no_longer_public_at == post.no_longer_public_at


def test_a_post_that_was_never_seen_in_public_is_not_said_to_be_gone(http, ports):
    post = published(ports)
    ports.tiktok.post_id_polls = 10**6
    taken(http, an_event(GONE, publish_id=post.publish_id))
    swept(ports)
    assert shown(http, post)["message"] == "Post published successfully"
    assert stored(ports, post).watch_at is not None


def test_a_post_that_is_public_again_is_shown_again(http, ports):
    post = gone(http, ports)
    ports.tiktok.post_id_polls = 0
    taken(http, an_event(PUBLIC, publish_id=post.publish_id, again=True))
    swept(ports)
    assert shown(http, post)["publicUrl"] == "https://www.tiktok.com/@a_creator/video/1"
    assert shown(http, post)["message"] == "Post published successfully"


def test_an_event_alone_makes_no_post_disappear(http, ports):
    post = published(ports)
    ports.clock.time += 5
    swept(ports)
    taken(http, an_event(GONE, publish_id=post.publish_id))
    swept(ports)
    assert shown(http, post)["publicUrl"] == "https://www.tiktok.com/@a_creator/video/1"


def test_a_status_without_ids_makes_no_post_disappear_by_itself(http, ports):
    post = published(ports)
    ports.clock.time += 5
    swept(ports)
    ports.tiktok.post_id_polls = 10**6
    taken(http, an_event(COMPLETE, publish_id=post.publish_id))
    swept(ports)
    assert shown(http, post)["publicUrl"] == "https://www.tiktok.com/@a_creator/video/1"


def test_that_it_is_public_no_more_is_not_forgotten_for_an_event_that_comes_right_after(http, ports):
    post = published(ports)
    ports.clock.time += 5
    swept(ports)
    ports.tiktok.post_id_polls = 10**6
    for kind in (GONE, COMPLETE):
        taken(http, an_event(kind, publish_id=post.publish_id))
    swept(ports)
    assert shown(http, post)["publicUrl"] is None


# Pictures whose answer was lost

ID = "p_pub_url~v2.77"


def pictures_taken(ports: FakePorts, *, opened: int = 1, account: Any = None, ended: bool = False) -> Post:
    """A carousel that TikTok pulled, under an id that nobody heard."""
    account = account or ports.connect()
    carousel = a_carousel(publish_id=None)
    good = {"status": Status.PROCESSING_UPLOAD, "carousel": carousel, "opened": opened, "post_type": "photo"}
    post = a_post(**good, account_id=account.account_id)
    ports.posts.accept(post, None)
    ports.executions.start(post)
    post = ports.posts.save(carousel_taken(post, None, NOW))
    ports.tiktok.processing_polls = 0
    return ports.posts.save(notified(finish(post, Status.REVIEW, NOW), NOW)) if ended else post


def tiktok_has(ports: FakePorts, publish_id: str = ID, *, failure: Failure | None = None, pulled: bool = True) -> None:
    ports.tiktok.carousels[publish_id] = TikTokCarousel(
        publish_id=publish_id,
        title="",
        description="",
        options=options(),
        picture_urls=(),
        failure=failure,
        pulled=pulled,
    )


def name(http: Http, ports: FakePorts, post: Post, *, publish_id: str = ID, at: float = NOW, kind: str = COMPLETE):
    """TikTok tells the id; two minutes later the sweep looks."""
    account = ports.accounts.get(post.account_id)
    assert account is not None
    taken(http, an_event(kind, open_id=account.open_id, publish_id=publish_id, at=at))
    ports.clock.time += 120
    swept(ports)
    return stored(ports, post)


@pytest.mark.parametrize("ended", [False, True], ids=["under way", "in review"])
@pytest.mark.parametrize(("failure", "status"), [(None, Status.PUBLISH_COMPLETE), (FAILURE, Status.FAILED)])
def test_the_only_pictures_without_an_id_get_that_of_an_event(http, ports, ended, failure, status):
    post = pictures_taken(ports, ended=ended)
    tiktok_has(ports, failure=failure)
    named = name(http, ports, post)
    assert (named.publish_id, named.status, named.hint) == (ID, status, None)


def test_a_name_waits_until_a_post_whose_id_is_just_being_written_has_it(http, ports):
    account = ports.connect()
    post = pictures_taken(ports, account=account)
    tiktok_has(ports)
    taken(http, an_event(open_id=account.open_id, publish_id=ID))
    ports.clock.time += 119
    swept(ports)
    assert stored(ports, post).publish_id is None
    other = a_post(account_id=account.account_id, status=Status.PUBLISH_COMPLETE, carousel=a_carousel(publish_id=ID))
    ports.posts.accept(other, None)
    ports.clock.time += 1
    swept(ports)
    assert (stored(ports, post).publish_id, stored(ports, post).hint) == (None, None)


def test_a_name_is_not_tried_before_its_time_although_the_post_is_looked_at(http, ports):
    post = pictures_taken(ports)
    tiktok_has(ports)
    ports.posts.save(post.model_copy(update={"watch_at": NOW + 10}))
    account = ports.accounts.get(post.account_id)
    taken(http, an_event(open_id=account.open_id, publish_id=ID))
    ports.clock.time += 10
    assert swept(ports) >= 1
    assert (stored(ports, post).publish_id, stored(ports, post).watch_at) == (None, NOW + 120)


def test_pictures_whose_id_is_written_in_the_same_moment_keep_it(http, ports):
    post = pictures_taken(ports)
    account = ports.accounts.get(post.account_id)
    find = ports.posts.find

    def find_before_the_id_is_written(query):
        page = find(query)
        if stored(ports, post).publish_id is None:
            ports.posts.save(carousel_taken(stored(ports, post), "p_pub_url~v2.1", NOW))
        return page

    ports.posts.find = find_before_the_id_is_written
    taken(http, an_event(open_id=account.open_id, publish_id=ID))
    assert (stored(ports, post).publish_id, stored(ports, post).hint) == ("p_pub_url~v2.1", None)


def test_of_two_that_wait_for_an_id_none_gets_it(http, ports):
    account = ports.connect()
    posts = [pictures_taken(ports, account=account) for _ in range(2)]
    tiktok_has(ports)
    name(http, ports, posts[0])
    assert [stored(ports, post).publish_id for post in posts] == [None, None]


def test_one_that_is_in_doubt_makes_it_unclear_too(http, ports):
    account = ports.connect()
    post = pictures_taken(ports, account=account)
    taken(http, an_event(open_id=account.open_id, publish_id=ID))
    offer = {"status": Status.PROCESSING_UPLOAD, "carousel": a_carousel(publish_id=None), "watch_at": NOW + 900}
    ports.posts.accept(a_post(**offer, account_id=account.account_id), None)
    tiktok_has(ports)
    ports.clock.time += 120
    swept(ports)
    assert (stored(ports, post).publish_id, stored(ports, post).hint) == (None, None)


def test_an_id_that_tiktok_does_not_know_is_nobodys(http, ports):
    post = name(http, ports, pictures_taken(ports))
    assert (post.publish_id, post.hint) == (None, None)


@pytest.mark.parametrize(("publish_id", "at"), [("v_pub_file~v2-1.77", NOW), (ID, NOW - 301)], ids=["video", "earlier"])
def test_an_id_of_a_video_or_of_an_earlier_time_is_not_tried(http, ports, publish_id, at):
    post = pictures_taken(ports)
    tiktok_has(ports, publish_id)
    assert name(http, ports, post, publish_id=publish_id, at=at).publish_id is None
    assert stored(ports, post).hint is None


def test_another_accounts_event_names_nothing(http, ports):
    post, other = pictures_taken(ports), ports.connect()
    tiktok_has(ports)
    taken(http, an_event(open_id=other.open_id, publish_id=ID))
    assert stored(ports, post) == post


@pytest.mark.parametrize(("failure", "pulled"), [(FAILURE, True), (None, False)], ids=["failed", "not yet pulled"])
def test_after_several_offers_only_a_publication_tells_which_one_it_is(http, ports, failure, pulled):
    post = pictures_taken(ports, opened=2)
    tiktok_has(ports, failure=failure, pulled=pulled)  # as an offer that was fenced ends
    assert name(http, ports, post).publish_id is None
    tiktok_has(ports, f"{ID}8")
    assert name(http, ports, post, publish_id=f"{ID}8").publish_id == f"{ID}8"


def test_the_machines_own_checks_do_not_put_a_name_off(http, ports):
    from publisher.domain.posts import polled

    post = pictures_taken(ports)
    tiktok_has(ports)
    account = ports.accounts.get(post.account_id)
    taken(http, an_event(open_id=account.open_id, publish_id=ID))
    for _ in range(6):
        ports.clock.time += 60
        ports.posts.save(polled(stored(ports, post), ports.clock.now()))
    assert stored(ports, post).hint == Hint(at=NOW, publish_id=ID)
    swept(ports)
    assert stored(ports, post).publish_id == ID


# An account


def state(ports: FakePorts, account_id: str) -> AccountState:
    account = ports.accounts.get(account_id)
    assert account is not None
    return account.state(ports.clock.now())


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (0, "TikTok ended the app's access to the account."),
        (1, "The creator disconnected the app at TikTok."),
        (2, "The creator deleted the TikTok account."),
        (3, "The creator's age changed at TikTok, which ended the app's access."),
        (4, "TikTok banned the account."),
        (5, "The app's access was revoked by its developer."),
        (99, "TikTok ended the app's access to the account."),
    ],
)
def test_a_removal_that_tiktok_confirms_needs_the_creator_and_says_why_and_since_when(http, ports, reason, said):
    account = ports.connect()
    ports.tiktok.remove_app(account.open_id)
    ports.clock.time += 100
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=reason, at=NOW))
    assert state(ports, account.account_id) is AccountState.ACTIVE
    swept(ports)
    lost = ports.accounts.get(account.account_id)
    assert (lost.reauthorize_reason, lost.reauthorize_since, lost.removal) == (said, NOW, None)
    assert state(ports, account.account_id) is AccountState.REAUTHORIZE


def test_a_removal_that_is_not_so_changes_nothing(http, ports):
    account = ports.connect()
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=1))
    swept(ports)
    assert state(ports, account.account_id) is AccountState.ACTIVE
    assert ports.accounts.get(account.account_id).removal is None
    assert ports.accounts.get(account.account_id).tokens == account.tokens


def test_a_removal_repeated_after_the_account_was_connected_again_changes_nothing(http, ports):
    from publisher.use_cases.use_access_token import seal_tokens, tokens_context

    account = ports.connect()
    body = an_event(REMOVED, open_id=account.open_id, reason=1)
    ports.tiktok.remove_app(account.open_id)
    taken(http, body)
    swept(ports)
    lost = ports.accounts.get(account.account_id)
    grant = ports.tiktok.grant(account.open_id)
    tokens = seal_tokens(ports.vault.sealer(tokens_context(account)), grant, 2, NOW)
    ports.accounts.save(lost.model_copy(update={"tokens": tokens, "reauthorize_since": None, "reauthorize_reason": ""}))
    ports.clock.time += 50 * 3600
    ports.tiktok.lifetime = 86400
    taken(http, body + " ", at=NOW)  # other bytes, so that it is not simply known
    swept(ports)
    assert state(ports, account.account_id) is AccountState.ACTIVE


def test_when_tiktok_cannot_be_asked_nothing_is_given_up_and_it_is_asked_again(http, ports):
    account = ports.connect()
    ports.tiktok.remove_app(account.open_id)
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=4))
    ports.tiktok.faults.before("profile", ServiceUnavailable("TikTok is down.", "Try again."))
    assert list(sweep(ports, seconds_left=lambda: 100).errors) == [account.account_id]
    assert state(ports, account.account_id) is AccountState.ACTIVE
    ports.clock.time += 120
    swept(ports)
    assert state(ports, account.account_id) is AccountState.REAUTHORIZE
    assert ports.accounts.get(account.account_id).reauthorize_reason == "TikTok banned the account."


def test_an_account_that_was_found_dead_before_learns_why(http, ports):
    from publisher.domain.errors import TokenExpired
    from publisher.use_cases.use_access_token import use_access_token

    account = ports.connect()
    ports.tiktok.remove_app(account.open_id)
    with pytest.raises(TokenExpired):
        use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=100)
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=1))
    swept(ports)
    assert ports.accounts.get(account.account_id).reauthorize_reason == "The creator disconnected the app at TikTok."


def test_an_account_that_only_lacks_a_scope_is_not_lost(http, ports):
    account = ports.connect(scopes=("video.publish",))
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=1))
    swept(ports)
    assert state(ports, account.account_id) is AccountState.ACTIVE
    assert ports.accounts.get(account.account_id).removal is None


def test_a_removal_of_a_disconnected_account_is_what_we_asked_for(http, ports):
    account = ports.connect(disconnected_at=NOW)
    known = ports.accounts.get(account.account_id)
    taken(http, an_event(REMOVED, open_id=account.open_id, reason=5))
    assert ports.accounts.get(account.account_id) == known
