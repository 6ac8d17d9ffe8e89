"""A failed post is tried again under its id, an unclear one is settled, and neither is ever there twice."""

import threading
from contextlib import suppress
from functools import partial

import pytest

from publisher.domain.errors import Busy, Failure, InvalidRequest, NotFound, PostLimitReached, TryAgain, WrongStatus
from publisher.domain.posts import Post, Status
from publisher.use_cases.create_post import create_post
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.retry_post import retry_post
from publisher.use_cases.sweep import sweep
from tests.builders import NOW
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import Http, assert_failed
from tests.unit.work import FILM, LOST, PHOTOS, URL, Interruptions, Work, picture, points

BROKEN = Failure(name="InvalidMediaUrl", code="InvalidMediaUrl", error="Gone.", message="Look.", retryable=False)
YES, NO = {"published": True}, {"published": False}


def a_work(ports: FakePorts, **changes: object) -> Work:
    ports.fetcher.media[URL] = FILM
    for number, url in enumerate(PHOTOS, start=1):
        ports.fetcher.media[url] = picture(number)
    work = Work(ports)
    work.accept(**changes)
    return work


def failed(ports: FakePorts, **changes: object) -> Work:
    return a_work(ports, status=Status.FAILED, failure=BROKEN, **changes)


def unclear(ports: FakePorts, urls: tuple[str, ...] = (URL,)) -> Work:
    """A post that TikTok has whole, and said nothing of for a day: its publication is still to come, or not."""
    work = a_work(ports, media_urls=urls)
    ports.tiktok.processing_polls = 10_000
    work.go_on(partial(pull_all, work) if urls == (URL,) else _nothing)
    assert work.post.status is Status.REVIEW
    return work


def _nothing() -> None:
    """TikTok does not pull."""


def retry(work: Work, body: object = None) -> Post:
    return retry_post(work.ports, work.post.workspace_id, work.post_id, body or {}, seconds_left=25)


def pull_all(work: Work) -> None:
    for carousel in list(work.ports.tiktok.carousels.values()):
        if not carousel.pulled:
            work.ports.tiktok.pull(carousel.publish_id, work.ports.photo_host)


def forget(work: Work) -> None:
    """TikTok knows nothing of the post any more."""
    work.ports.tiktok.uploads.clear()
    work.ports.tiktok.carousels.clear()


# Failed posts


def test_a_failed_post_begins_again_under_its_id_in_another_execution_and_waits_for_nobody(ports):
    work = failed(ports)
    again = retry(work)
    assert again == work.post
    assert (again.status, again.failure, again.patient, again.post_id) == (Status.QUEUED, None, True, work.post_id)
    assert list(ports.executions.started) == [f"{work.post_id}-1"]
    work.go_on()
    assert (work.post.status, len(ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


def test_a_post_that_tiktok_failed_is_published_once_by_its_second_try(ports):
    work = a_work(ports)
    ports.tiktok.fail_next_post(BROKEN)
    work.go_on()
    assert work.post.status is Status.FAILED
    retry(work)
    work.go_on()
    assert (work.post.status, len(ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


def test_trying_again_twice_begins_it_once(ports):
    work = failed(ports)
    assert retry(work) == retry(work)
    assert len(ports.executions.started) == 1


def test_of_many_who_try_again_at_once_one_begins_it(ports):
    work, answers = failed(ports), list[Post]()
    threads = [threading.Thread(target=lambda: answers.append(retry(work))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(post.status, post.revision) for post in answers} == {(Status.QUEUED, 1)}
    assert (len(answers), list(ports.executions.started)) == (6, [f"{work.post_id}-1"])


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED, Status.PROCESSING_UPLOAD])
def test_a_post_under_way_is_left_alone(ports, status):
    work = a_work(ports, status=status)
    assert retry(work) == work.post
    assert (work.post.version, ports.executions.started) == (0, {})


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX])
def test_a_post_that_is_cancelled_or_published_is_not_tried_again(ports, status):
    work = a_work(ports, status=status)
    with pytest.raises(WrongStatus, match=f"The post is {status}; there is nothing to try again."):
        retry(work)
    assert (work.post.version, ports.executions.started) == (0, {})


@pytest.mark.parametrize("body", [YES, NO])
@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REVIEW])
def test_only_of_an_unclear_post_it_can_be_told_whether_it_is_there(ports, status, body):
    work = a_work(ports, status=status)
    with pytest.raises(WrongStatus) as caught:
        retry(work, body)
    assert (caught.value.field, work.post.version) == ("published", 0)


@pytest.mark.parametrize("body", [{"published": "no"}, {"publish": True}, [], "yes"])
def test_a_body_that_says_something_else_is_refused(ports, body):
    work = failed(ports)
    with pytest.raises(InvalidRequest):
        retry_post(ports, "workspace-1", work.post_id, body, seconds_left=25)
    assert work.post.status is Status.FAILED


def test_nobody_tries_the_post_of_another_workspace_again(ports):
    work = failed(ports)
    with pytest.raises(NotFound):
        retry_post(ports, "workspace-2", work.post_id, {}, seconds_left=25)


def use_the_hour_up(work: Work) -> None:
    body = {
        "post": {
            "accountId": work.account.account_id,
            "content": {"text": "A rabbit.", "mediaUrls": URL, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
        }
    }
    for _ in range(6):
        create_post(work.ports, "workspace-1", body, idempotency_key=None, seconds_left=25)


def test_over_the_limit_a_post_that_may_not_wait_stays_failed_and_one_that_may_waits_for_its_turn(ports):
    strict, queueing = failed(ports), failed(ports, queues=True)
    queueing.change(account_id=strict.account.account_id)
    use_the_hour_up(strict)
    started = len(ports.executions.started)
    with pytest.raises(PostLimitReached):
        retry(strict)
    assert (strict.post.status, strict.post.failure) == (Status.FAILED, BROKEN)
    waits = retry(queueing)
    assert (waits.status, waits.waits, waits.not_before is not None) == (Status.QUEUED, True, True)
    assert {post_id for post_id, _ in ports.schedules.planned} == {queueing.post_id}
    assert len(ports.executions.started) == started


def test_a_worker_that_dies_after_the_write_is_made_up_for_by_the_sweep(ports):
    work = failed(ports)
    ports.executions.faults.before("start", Killed())
    with pytest.raises(Killed):
        retry(work)
    ports.clock.time += 60
    sweep(ports, seconds_left=lambda: 100)
    assert len(ports.executions.started) == 1


def test_a_post_that_is_changed_all_the_time_is_busy_and_stays_as_it_is(ports):
    work = failed(ports)
    for _ in range(8):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    with pytest.raises(Busy):
        retry(work)
    assert (work.post.status, ports.executions.started) == (Status.FAILED, {})


# Unclear posts


def test_an_unclear_post_that_tiktok_has_published_is_recorded_whoever_says_no(ports):
    for body in ({}, NO, YES):
        work = unclear(ports)
        ports.tiktok.processing_polls = 0
        before = len(ports.tiktok.public_posts)
        post = retry(work, body)
        assert (post.status, bool(post.post_ids)) == (Status.PUBLISH_COMPLETE, True)
        assert len(ports.tiktok.public_posts) == before


def test_an_unclear_post_that_tiktok_has_failed_begins_again_without_an_answer(ports):
    work = a_work(ports)
    ports.tiktok.processing_polls = 10_000
    ports.tiktok.fail_next_post(BROKEN)
    work.go_on()
    ports.tiktok.processing_polls = 0
    assert retry(work).status is Status.QUEUED
    work.go_on()
    assert (work.post.status, len(ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


@pytest.mark.parametrize("body", [{}, NO])
def test_while_tiktok_works_on_an_unclear_post_nothing_is_begun(ports, body):
    work = unclear(ports)
    before = work.post
    with pytest.raises(WrongStatus):
        retry(work, body)
    assert (work.post, len(ports.tiktok.uploads)) == (before, 1)


def test_the_two_answers_are_told_when_tiktok_still_says_nothing(ports):
    work = unclear(ports)
    with pytest.raises(WrongStatus) as caught:
        retry(work)
    assert '{"published": true}' in caught.value.message
    assert '{"published": false}' in caught.value.message


def test_a_person_who_saw_the_post_settles_it(ports):
    work = unclear(ports)
    post = retry(work, YES)
    assert (post.status, post.failure, post.timeline[-1].step) == (Status.PUBLISH_COMPLETE, None, "Answered")


@pytest.mark.parametrize("why", ["disconnected", "removed the app", "TikTok is down"])
def test_a_person_who_saw_the_post_settles_it_though_tiktok_cannot_be_asked(ports, why):
    work = unclear(ports)
    match why:
        case "disconnected":
            disconnect(ports, "workspace-1", work.account.account_id, seconds_left=25)
        case "removed the app":
            ports.tiktok.remove_app(work.account.open_id)
        case _:
            ports.tiktok.faults.before("status", LOST[0])
    assert retry(work, YES).status is Status.PUBLISH_COMPLETE


def test_without_tiktoks_word_nobody_begins_an_unclear_post_again(ports):
    work = unclear(ports)
    ports.tiktok.faults.before("status", LOST[0])
    with pytest.raises(TryAgain):
        retry(work, NO)
    assert work.post.status is Status.REVIEW


@pytest.mark.parametrize("urls", [(URL,), PHOTOS], ids=["video", "photos"])
def test_a_post_that_tiktok_does_not_know_begins_again_when_a_person_says_that_it_is_not_there(ports, urls):
    work = unclear(ports, urls)
    old = list(ports.tiktok.carousels.values())
    forget(work)
    again = retry(work, NO)
    assert (again.status, again.failure) == (Status.QUEUED, None)
    for carousel in old:
        ports.tiktok.carousels[carousel.publish_id] = carousel
    pull_all(work)  # the address of the offer before gives nothing any more
    assert ports.tiktok.public_posts == []
    ports.tiktok.processing_polls = 0
    work.go_on(partial(pull_all, work))
    assert (work.post.status, len(ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


@pytest.mark.parametrize("urls", [(URL,), PHOTOS], ids=["video", "photos"])
def test_a_post_that_tiktok_failed_is_there_once_whoever_acts_at_any_call_of_a_retry(urls):
    """The sweep, another retry, or an answer lost: at every call of the first one."""

    def prepared() -> Work:
        work = a_work(FakePorts(), media_urls=urls)
        work.ports.tiktok.fail_next_post(BROKEN)
        work.go_on(partial(pull_all, work))
        assert work.post.status is Status.FAILED
        return work

    clean = prepared()
    seen = Interruptions(clean.ports)
    retry(clean)
    for act in ("retry", "sweep", "killed"):
        for point in points(len(seen.seen)):
            work = prepared()
            Interruptions(work.ports).at({point: partial(interfere, work, act)})
            with suppress(Killed):
                retry(work)
            if work.post.status is Status.FAILED:
                retry(work)
            work.go_on(partial(pull_all, work))
            pull_all(work)
            assert (work.post.status, len(work.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1), (act, point)


def interfere(work: Work, act: str) -> None:
    match act:
        case "retry":
            retry(work)
        case "sweep":
            work.ports.clock.time += 120
            sweep(work.ports, seconds_left=lambda: 100)
        case _:
            raise Killed


# Over HTTP


def over_http(http: Http, work: Work, body: object = ""):
    return http.call("POST", f"/v2/posts/{work.post_id}/retry", body)


def test_a_retry_answers_202_as_long_as_the_post_is_under_way_and_200_when_it_has_ended(http):
    work = failed(http.ports)
    first, again = over_http(http, work), over_http(http, work, {})
    assert [answer.status for answer in (first, again)] == [202, 202]
    assert (first.json["postSubmissionId"], first.json["status"]) == (work.post_id, "QUEUED")
    ended = over_http(http, unclear(http.ports), YES)
    assert (ended.status, ended.json["status"], ended.json["success"]) == (200, "PUBLISH_COMPLETE", True)


def test_a_retry_of_what_cannot_be_tried_again_is_a_conflict(http):
    assert_failed(over_http(http, a_work(http.ports, status=Status.CANCELLED)), 409, "InvalidRequest")
    assert_failed(over_http(http, unclear(http.ports)), 409, "InvalidRequest")
    assert_failed(over_http(http, failed(http.ports), YES), 409, "InvalidRequest")


def test_a_retry_over_the_limit_says_when(http):
    work = failed(http.ports)
    use_the_hour_up(work)
    answer = over_http(http, work)
    assert_failed(answer, 429, "RateLimitExceeded")
    assert answer.headers["Retry-After"] == "3600"
    assert http.ports.clock.time == NOW
