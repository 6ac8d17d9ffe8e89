"""Nothing accepted is forgotten: posts that nothing moves are continued, and ended ones asked about."""

from itertools import takewhile

import pytest

from publisher.domain.errors import Failure, ServiceUnavailable, TokenExpired
from publisher.domain.posts import Post, Status, finish, notified
from publisher.ports import Hosted
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.look_after_each import LookedAfter
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_carousel, a_post, an_upload, options, stored_video
from tests.fakes import FakePorts, TikTokCarousel, TikTokUpload

FAILURE = Failure(name="VideoProcessingFailed", code="VideoProcessingFailed", error="e", message="m", retryable=False)


def stored(ports: FakePorts, post_id: str) -> Post:
    post = ports.posts.get(post_id)
    assert post is not None
    return post


def accepted(ports: FakePorts, **changes: object) -> Post:
    """A post that is due now."""
    post = a_post(**{"watch_at": NOW, "account_id": ports.connect().account_id} | changes)
    ports.posts.accept(post, None)
    return post


def ended(ports: FakePorts, status: Status, failure: Failure | None = None, **changes: object) -> Post:
    """A post whose bytes TikTok has."""
    upload = an_upload()
    post = accepted(ports, upload=upload, media=stored_video(), last_offered_at=NOW, next_byte=8_000_000, **changes)
    held = TikTokUpload(
        publish_id=upload.publish_id,
        plan=upload.plan,
        options=post.options,
        opened_at=NOW,
        failure=failure,
        received=8_000_000,
    )
    ports.tiktok.uploads["url"] = held
    return ports.posts.save(notified(finish(post, status, NOW), NOW))


def swept(ports: FakePorts) -> LookedAfter:
    return sweep(ports, seconds_left=lambda: 100)


# Continuing


def test_a_post_that_nothing_moves_gets_another_execution(ports):
    post = accepted(ports)
    continue_post(ports, post.post_id)
    assert list(ports.executions.started) == [f"{post.post_id}-1"]
    assert stored(ports, post.post_id).revision == 1


def test_a_start_that_fails_uses_up_no_continuation(ports):
    post = accepted(ports)
    for _ in range(20):
        ports.executions.faults.before("start", ServiceUnavailable("Step Functions is down.", "Try again."))
        with pytest.raises(ServiceUnavailable):
            continue_post(ports, post.post_id)
    continue_post(ports, post.post_id)
    assert list(ports.executions.started) == [f"{post.post_id}-1"]


def test_a_worker_killed_after_the_start_starts_nothing_twice(ports):
    post = accepted(ports)
    ports.posts.faults.before("save", ServiceUnavailable("The answer was lost.", "Try again."))
    with pytest.raises(ServiceUnavailable):
        continue_post(ports, post.post_id)
    continue_post(ports, post.post_id)
    assert list(ports.executions.started) == [f"{post.post_id}-1"]
    assert stored(ports, post.post_id).revision == 1


def test_the_death_of_an_execution_counts_once(ports):
    post = accepted(ports)
    for _ in range(3):
        continue_post(ports, post.post_id, ended_execution=f"{post.post_id}-0")
    assert list(ports.executions.started) == [f"{post.post_id}-1"]


@pytest.mark.parametrize("status", [Status.PUBLISH_COMPLETE, Status.FAILED, Status.REVIEW, Status.SEND_TO_USER_INBOX])
def test_an_ended_post_is_left_alone(ports, status):
    post = accepted(ports, status=status)
    continue_post(ports, post.post_id)
    assert (ports.executions.started, stored(ports, post.post_id)) == ({}, post)


def test_a_post_that_does_not_exist_is_nothing_to_continue(ports):
    continue_post(ports, "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11")
    assert ports.executions.started == {}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.FAILED),
        ({"last_offered_at": NOW}, Status.REVIEW),
        ({"last_offered_at": NOW, "confirmed": Status.PUBLISH_COMPLETE}, Status.PUBLISH_COMPLETE),
        ({"last_offered_at": NOW, "confirmed": Status.FAILED, "failure": FAILURE}, Status.FAILED),
    ],
)
def test_after_five_continuations_a_post_ends_with_what_is_known(ports, changes, status):
    post = accepted(ports, **changes)
    for revision in range(6):
        continue_post(ports, post.post_id, ended_execution=f"{post.post_id}-{revision}")
    assert list(ports.executions.started) == [f"{post.post_id}-{revision}" for revision in range(1, 6)]
    last = stored(ports, post.post_id)
    assert last.status is status
    if status is Status.FAILED:
        assert last.failure == (FAILURE if changes else last.failure)
        assert last.failure is not None


def test_a_worker_that_died_holding_the_lease_does_not_block_the_next_execution(ports):
    from publisher.domain.posts import take_lease

    post = accepted(ports)
    ports.posts.save(take_lease(post, "dead", NOW))
    continue_post(ports, post.post_id)
    assert stored(ports, post.post_id).lease is None


# Sweeping


def test_only_due_posts_are_looked_after(ports):
    due, later = accepted(ports), accepted(ports, watch_at=NOW + 1)
    assert swept(ports).looked_after == 1
    assert list(ports.executions.started) == [f"{due.post_id}-1"]
    assert stored(ports, later.post_id) == later


def test_a_post_whose_execution_runs_is_looked_after_again_later(ports):
    post = accepted(ports)
    ports.executions.start(post)
    swept(ports)
    assert list(ports.executions.started) == [f"{post.post_id}-0"]
    assert stored(ports, post.post_id).watch_at == NOW + 120


def test_a_post_whose_execution_ended_without_a_word_is_continued(ports):
    post = accepted(ports)
    ports.executions.start(post)
    ports.executions.end(post)
    swept(ports)
    assert list(ports.executions.started) == [f"{post.post_id}-0", f"{post.post_id}-1"]


def test_one_post_that_fails_does_not_stop_the_others(ports):
    posts = [accepted(ports, watch_at=NOW - number) for number in range(3)]
    ports.executions.faults.before("start", ServiceUnavailable("Throttled.", "Try again."))
    assert swept(ports) == LookedAfter(looked_after=3, errors={posts[2].post_id: "ServiceUnavailable: Throttled."})
    assert list(ports.executions.started) == [f"{posts[1].post_id}-1", f"{posts[0].post_id}-1"]


def test_a_start_that_failed_is_made_up_for(ports):
    post = accepted(ports)
    ports.executions.faults.before("start", ServiceUnavailable("Throttled.", "Try again."))
    swept(ports)
    ports.clock.time += 900
    swept(ports)
    assert list(ports.executions.started) == [f"{post.post_id}-1"]


def test_a_fault_of_ours_stops_no_other_post_and_is_not_hidden(ports):
    broken, good = accepted(ports, watch_at=NOW - 1), accepted(ports)
    ports.executions.faults.before("running", RuntimeError("broken"))
    with pytest.raises(ExceptionGroup, match="could not be looked after") as caught:
        swept(ports)
    assert [str(error) for error in caught.value.exceptions] == ["broken"]
    assert list(ports.executions.started) == [f"{good.post_id}-1"]
    assert stored(ports, broken.post_id).revision == 0


def test_a_post_that_is_gone_by_now_is_passed_over(ports):
    ports.posts.due = lambda _now, _most: ["9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11"]
    assert swept(ports) == LookedAfter(looked_after=1, errors={})


def test_a_sweep_ends_with_its_time(ports):
    posts = [accepted(ports, watch_at=NOW - number) for number in range(3)]
    left = iter([100, 100, 14.9])
    assert sweep(ports, seconds_left=lambda: next(left)).looked_after == 1
    assert list(ports.executions.started) == [f"{posts[2].post_id}-1"]


def test_a_sweep_takes_a_hundred_posts(ports):
    account_id = ports.connect().account_id
    for _ in range(101):
        accepted(ports, account_id=account_id)
    assert swept(ports).looked_after == 100
    assert swept(ports).looked_after == 1


# Asking about ended posts


def test_a_public_id_that_comes_late_is_found_and_is_a_string(ports):
    ports.tiktok.post_id_polls = 2
    ports.tiktok.processing_polls = 0
    post = ended(ports, Status.PUBLISH_COMPLETE)
    looked = 0
    while not stored(ports, post.post_id).post_ids:
        watch_at = stored(ports, post.post_id).watch_at
        assert watch_at is not None
        ports.clock.time = watch_at
        looked += swept(ports).looked_after
    found = stored(ports, post.post_id)
    assert (found.post_ids, found.status, found.watch_at, looked) == (("1",), Status.PUBLISH_COMPLETE, None, 3)
    assert found.public_url == "https://www.tiktok.com/@a_creator/video/1"


def test_an_id_that_never_comes_is_asked_for_a_day_and_ever_less_often(ports):
    ports.tiktok.post_id_polls = 10**6
    ports.tiktok.processing_polls = 0
    post = ended(ports, Status.PUBLISH_COMPLETE)
    times = []
    while (watch_at := stored(ports, post.post_id).watch_at) is not None:
        ports.clock.time = watch_at
        times.append(watch_at - NOW)
        swept(ports)
    assert times[-1] <= 86400
    assert len(times) < 20
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("status", "chosen"),
    [
        (Status.PUBLISH_COMPLETE, options(privacy_level="SELF_ONLY")),
        (Status.FAILED, options()),
    ],
)
def test_a_post_with_nothing_left_to_learn_is_not_watched(ports, status, chosen):
    post = ended(ports, status, options=chosen)
    assert stored(ports, post.post_id).watch_at is None


@pytest.mark.parametrize(
    ("failure", "chosen", "status"),
    [
        (None, options(), Status.PUBLISH_COMPLETE),
        (FAILURE, options(), Status.FAILED),
        (None, options(draft=True, privacy_level=None), Status.SEND_TO_USER_INBOX),
    ],
)
def test_a_review_becomes_what_tiktok_says_in_the_end(ports, failure, chosen, status):
    ports.tiktok.processing_polls = 0
    post = ended(ports, Status.REVIEW, failure, options=chosen)
    ports.clock.time += 5
    swept(ports)
    learned = stored(ports, post.post_id)
    assert (learned.status, learned.failure) == (status, failure)


def test_a_review_that_tiktok_still_works_on_stays_one(ports):
    ports.tiktok.processing_polls = 1000
    post = ended(ports, Status.REVIEW)
    ports.clock.time += 5
    swept(ports)
    assert stored(ports, post.post_id).status is Status.REVIEW
    assert stored(ports, post.post_id).watch_at == NOW + 5 + 60


@pytest.mark.parametrize(
    "error", [ServiceUnavailable("TikTok is down.", "Try again."), TokenExpired("Dead.", "Connect.")]
)
def test_when_tiktok_cannot_be_asked_the_next_look_is_planned_all_the_same(ports, error):
    post = ended(ports, Status.REVIEW)
    ports.tiktok.faults.before("status", error)
    ports.tiktok.faults.before("status", error)
    ports.clock.time += 5
    assert list(swept(ports).errors) == [post.post_id]
    assert stored(ports, post.post_id).watch_at == NOW + 5 + 60
    assert stored(ports, post.post_id).status is Status.REVIEW


# Drafts

DRAFT = options(draft=True, privacy_level=None)


def in_the_inbox(ports: FakePorts, kind: str) -> Post:
    """A draft that its creator has not looked at yet."""
    ports.tiktok.processing_polls = 0
    if kind == "video":
        return ended(ports, Status.SEND_TO_USER_INBOX, options=DRAFT)
    carousel = a_carousel()
    post = accepted(ports, carousel=carousel, last_offered_at=NOW, post_type="photo", options=DRAFT)
    ports.tiktok.carousels["id"] = TikTokCarousel(
        publish_id=str(carousel.publish_id),
        title="",
        description="",
        options=DRAFT,
        picture_urls=(),
        failure=None,
        pulled=True,
    )
    return ports.posts.save(finish(post, Status.SEND_TO_USER_INBOX, NOW))


def look(ports: FakePorts, post: Post) -> bool:
    """Sweep when the post is due; False when it never is."""
    watch_at = stored(ports, post.post_id).watch_at
    if watch_at is None:
        return False
    ports.clock.time = watch_at
    assert swept(ports).errors == {}
    return True


@pytest.mark.parametrize("kind", ["video", "photo"])
@pytest.mark.parametrize("day", [0, 3, 6])
def test_a_draft_that_its_creator_publishes_is_learned_with_its_public_address(ports, kind, day):
    post = in_the_inbox(ports, kind)
    while ports.clock.now() < NOW + day * 86_400:
        assert look(ports, post)
    assert post.publish_id is not None
    ports.tiktok.finish_draft(post.publish_id)
    assert look(ports, post)
    published = stored(ports, post.post_id)
    assert (published.status, published.post_ids, published.watch_at) == (Status.PUBLISH_COMPLETE, ("1",), None)
    assert published.public_url == f"https://www.tiktok.com/@a_creator/{kind}/1"


@pytest.mark.parametrize("kind", ["video", "photo"])
def test_the_public_id_of_a_published_draft_may_come_later(ports, kind):
    post = in_the_inbox(ports, kind)
    ports.tiktok.post_id_polls = 4
    assert post.publish_id is not None
    ports.tiktok.finish_draft(post.publish_id)
    assert look(ports, post)
    assert (stored(ports, post.post_id).status, stored(ports, post.post_id).post_ids) == (Status.PUBLISH_COMPLETE, ())
    while look(ports, post):
        pass
    assert stored(ports, post.post_id).post_ids == ("1",)


@pytest.mark.parametrize("kind", ["video", "photo"])
def test_a_draft_that_nobody_publishes_stays_in_the_inbox_and_is_left_alone_after_a_week(ports, kind):
    post = in_the_inbox(ports, kind)
    looked = sum(1 for _ in takewhile(lambda _: look(ports, post), range(1000)))
    left = stored(ports, post.post_id)
    assert (left.status, left.watch_at) == (Status.SEND_TO_USER_INBOX, None)
    assert 6.5 * 86_400 < ports.clock.now() - NOW <= 7 * 86_400
    assert looked < 40
    assert left.timeline == post.timeline


def test_a_draft_that_tiktok_discards_has_failed(ports):
    post = in_the_inbox(ports, "photo")
    ports.tiktok.carousels["id"].failure = FAILURE
    assert look(ports, post)
    assert (stored(ports, post.post_id).status, stored(ports, post.post_id).failure) == (Status.FAILED, FAILURE)


def test_a_review_without_tiktoks_id_is_not_asked_about(ports):
    post = accepted(ports, carousel=a_carousel(publish_id=None), last_offered_at=NOW)
    ports.posts.save(notified(finish(post, Status.REVIEW, NOW), NOW))
    for _ in range(3):
        ports.clock.time += 3600
        assert swept(ports) == LookedAfter(looked_after=0, errors={})
    assert ports.tiktok.refreshes == 0


# Pictures in doubt


@pytest.mark.parametrize(("pulled", "status"), [(False, Status.FAILED), (True, Status.REVIEW)])
def test_after_five_continuations_pictures_in_doubt_are_settled_before_anything_is_said(ports, pulled, status):
    post = accepted(ports, carousel=a_carousel(publish_id=None), revision=5)
    prefix, hosted = "0" * 32, Hosted(folder="staging/folder", count=3)
    ports.photo_host.host(prefix, hosted, NOW + 86_400)
    if pulled:
        ports.photo_host.pull(prefix, 1, NOW)
    continue_post(ports, post.post_id)
    assert stored(ports, post.post_id).status is status
    assert ports.photo_host.pull(prefix, 2, NOW) == (hosted if pulled else None)
    assert ports.executions.started == {}


# The reaction to an execution that ended


def test_an_execution_that_ended_continues_its_post(ports, monkeypatch):
    from on_execution_ended import app

    post = accepted(ports)
    event = {"detail": {"name": f"{post.post_id}-0", "status": "TIMED_OUT"}}
    assert app.on_execution_ended(event, ports, lambda: 100) == {}
    app.on_execution_ended(event, ports, lambda: 100)
    assert list(ports.executions.started) == [f"{post.post_id}-1"]


def test_the_minute_answers_what_was_looked_after(ports):
    from sweep import app

    accepted(ports)
    assert app.on_minute({}, ports, lambda: 100) == {"looked_after": 1, "errors": {}}
