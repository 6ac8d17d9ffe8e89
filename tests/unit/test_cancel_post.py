"""A cancelled post is never published, and one whose cancelling was refused is never lost."""

from functools import partial

import pytest

from publisher.domain.errors import Busy, NotFound, PublisherError, ServiceUnavailable, WrongStatus
from publisher.domain.posts import Post, Status
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.create_post import create_post
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_carousel, a_post, some_pictures, stored_video
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import assert_failed
from tests.unit.work import FILM, LOST, PHOTOS, URL, Interruptions, Work, picture, points

AT = NOW + 3600


def cancel(work: Work) -> Post:
    return cancel_post(work.ports, work.post.workspace_id, work.post_id)


def scheduled(ports: FakePorts) -> Work:
    work = Work(ports)
    work.accept(status=Status.SCHEDULED, scheduled_at=AT, watch_at=AT, queues=True, patient=True)
    ports.schedules.put(work.post_id, AT)
    return work


def places(ports: FakePorts, account_id: str) -> int:
    return sum(len(line) for line in ports.slots.get(account_id).lines.values())


def test_a_scheduled_post_is_cancelled_and_its_schedule_with_it(ports):
    work = scheduled(ports)
    cancelled = cancel(work)
    assert (cancelled.status, cancelled.timeline[-1].step, cancelled.watch_at) == (Status.CANCELLED, "Cancelled", None)
    assert work.post == cancelled
    assert ports.schedules.planned == set()
    ports.clock.time = AT + 60
    sweep(ports, seconds_left=lambda: 100)
    assert (ports.executions.started, work.post) == ({}, cancelled)


def test_cancelling_again_answers_the_same_and_changes_nothing(ports):
    work = scheduled(ports)
    first = cancel(work)
    ports.clock.time += 600
    assert cancel(work) == first == work.post


def test_a_post_that_waits_for_its_turn_gives_its_place_and_its_schedule_up(ports):
    account = ports.connect()
    body = {
        "post": {
            "accountId": account.account_id,
            "content": {"text": "A rabbit.", "mediaUrls": URL, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
        },
        "queueIfLimited": True,
    }
    posts = [create_post(ports, "workspace-1", body, idempotency_key=None, seconds_left=29).post for _ in range(8)]
    assert [post.not_before is None for post in posts] == [True] * 6 + [False] * 2
    cancel_post(ports, "workspace-1", posts[6].post_id)
    assert places(ports, account.account_id) == 7
    assert {post_id for post_id, _ in ports.schedules.planned} == {posts[7].post_id}


def test_a_post_is_cancelled_though_what_would_start_it_cannot_be_taken_back(ports):
    work = scheduled(ports)
    ports.schedules.faults.before("remove", ServiceUnavailable("Throttled.", "Try again."))
    ports.slots.faults.before("get", ServiceUnavailable("Throttled.", "Try again."))
    assert cancel(work).status is Status.CANCELLED
    assert work.post.status is Status.CANCELLED


def test_a_worker_that_dies_before_the_schedule_is_taken_back_has_cancelled_all_the_same(ports):
    work = scheduled(ports)
    ports.schedules.faults.before("remove", Killed())
    with pytest.raises(Killed):
        cancel(work)
    ports.clock.time = AT
    sweep(ports, seconds_left=lambda: 100)
    assert (work.post.status, ports.executions.started) == (Status.CANCELLED, {})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": Status.PUBLISH_COMPLETE}, "The post is published."),
        ({"status": Status.SEND_TO_USER_INBOX}, "in the creator's inbox"),
        ({"status": Status.FAILED}, "has failed; nothing was published"),
        ({"status": Status.REVIEW}, "TikTok may have the post"),
        ({"status": Status.PROCESSING_UPLOAD, "last_offered_at": NOW, "media": stored_video()}, "TikTok has the whole"),
        (
            {"status": Status.PROCESSING_UPLOAD, "last_offered_at": NOW, "pictures": some_pictures(converted=True)}
            | {"carousel": a_carousel(), "post_type": "photo"},
            "TikTok has the whole",
        ),
    ],
)
def test_from_the_point_of_no_return_a_refusal_says_what_is_so_and_changes_nothing(ports, changes, says):
    work = Work(ports)
    post = work.accept(**changes)
    with pytest.raises(WrongStatus, match=says) as caught:
        cancel(work)
    assert caught.value.message
    assert work.post == post


def test_nobody_cancels_the_post_of_another_workspace(ports):
    work = scheduled(ports)
    with pytest.raises(NotFound):
        cancel_post(ports, "workspace-2", work.post_id)
    assert work.post.status is Status.SCHEDULED


def test_a_post_that_is_moved_at_the_same_time_is_cancelled_nevertheless(ports):
    work = scheduled(ports)
    for _ in range(7):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    assert cancel(work).status is Status.CANCELLED


def test_a_post_that_is_moved_all_the_time_is_busy_and_nothing_is_lost(ports):
    work = scheduled(ports)
    for _ in range(8):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    with pytest.raises(Busy):
        cancel(work)
    assert (work.post.status, len(ports.schedules.planned)) == (Status.SCHEDULED, 1)


def test_pictures_whose_offer_got_no_answer_are_cancelled_and_can_never_be_pulled(ports):
    work = on_its_way(PHOTOS)
    ports = work.ports
    ports.tiktok.faults.after("open_carousel", LOST[0])
    for step in ("DownloadMedia", "ConvertPhotos"):
        work.run(step)
    with pytest.raises(PublisherError):
        work.run("InitializePost")
    assert work.post.in_doubt
    assert cancel(work).status is Status.CANCELLED
    ports.tiktok.pull(0, ports.photo_host)
    assert ports.tiktok.public_posts == []


def test_pictures_that_tiktok_has_pulled_cannot_be_cancelled_though_its_answer_was_lost(ports):
    work = on_its_way(PHOTOS)
    ports = work.ports
    ports.tiktok.faults.after("open_carousel", LOST[0])
    for step in ("DownloadMedia", "ConvertPhotos"):
        work.run(step)
    with pytest.raises(PublisherError):
        work.run("InitializePost")
    ports.tiktok.pull(0, ports.photo_host)
    with pytest.raises(WrongStatus, match="TikTok has the whole"):
        cancel(work)
    assert work.post.status is not Status.CANCELLED


# At every call of the machine


def on_its_way(urls: tuple[str, ...]) -> Work:
    ports = FakePorts()
    ports.fetcher.media[URL] = FILM
    for number, url in enumerate(PHOTOS, start=1):
        ports.fetcher.media[url] = picture(number)
    work = Work(ports)
    work.accept(media_urls=urls, patient=True)
    return work


def cancel_and_note(work: Work, told: list[Status | None]) -> None:
    try:
        told.append(cancel(work).status)
    except WrongStatus:
        told.append(None)


def pull_all(work: Work) -> None:
    for carousel in list(work.ports.tiktok.carousels.values()):
        if not carousel.pulled:
            work.ports.tiktok.pull(carousel.publish_id, work.ports.photo_host)


@pytest.mark.parametrize("urls", [(URL,), PHOTOS], ids=["video", "photos"])
def test_a_post_that_is_cancelled_at_any_call_of_the_machine_is_never_published_and_one_refused_never_lost(urls):
    clean = on_its_way(urls)
    seen = Interruptions(clean.ports)
    clean.go_on(partial(pull_all, clean))
    assert clean.post.status is Status.PUBLISH_COMPLETE
    outcomes = set()
    for point in points(len(seen.seen)):
        work, told = on_its_way(urls), list[Status | None]()

        Interruptions(work.ports).at({point: partial(cancel_and_note, work, told)})
        work.go_on(partial(pull_all, work))
        pull_all(work)
        ended = work.post.status
        assert len(told) == 1, point
        if told == [None]:
            assert (ended, len(work.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1), point
        else:
            assert (ended, work.ports.tiktok.public_posts) == (Status.CANCELLED, []), point
            assert work.ports.media.objects == {}, point
        outcomes.add(ended)
    assert outcomes == {Status.CANCELLED, Status.PUBLISH_COMPLETE}


# Over HTTP


def test_delete_shows_the_cancelled_post_as_get_does_and_so_again(http):
    account = http.ports.connect()
    post = a_post(account_id=account.account_id, status=Status.SCHEDULED, scheduled_at=AT)
    http.ports.posts.accept(post, None)
    path = f"/v2/posts/{post.post_id}"
    first, again, shown = (http.call("DELETE", path, ""), http.call("DELETE", path, ""), http.get(path))
    assert (first.status, first.json["status"], first.json["success"]) == (200, "CANCELLED", True)
    assert {**first.json, "requestId": None} == {**again.json, "requestId": None} == {**shown.json, "requestId": None}


def test_delete_of_what_can_no_longer_be_cancelled_is_a_conflict(http):
    post = a_post(status=Status.PUBLISH_COMPLETE)
    http.ports.posts.accept(post, None)
    answer = http.call("DELETE", f"/v2/posts/{post.post_id}", "")
    assert_failed(answer, 409, "InvalidRequest")
    assert answer.json["message"] == "Delete it in the TikTok app."
