"""POST /v2/posts with a scheduledTime: what it answers, stores and plans, and what is checked again when it starts."""

from typing import Any

import pytest

from publisher.api import iso
from publisher.domain.errors import PostLimitReached, RateLimitExceeded, ServiceUnavailable
from publisher.domain.posts import Post, Status
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_creator
from tests.fakes import FakePorts
from tests.unit.conftest import Http, HttpAnswer, assert_failed
from tests.unit.test_connecting import connect
from tests.unit.work import FILM, URL, Work

AT = NOW + 3600
HOUR = 3600


def a_body(account_id: str, **more: Any) -> dict[str, Any]:
    return {
        "post": {
            "accountId": account_id,
            "content": {"text": "A rabbit. #a #b #c", "mediaUrls": URL, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
        },
        "scheduledTime": iso(AT),
        **more,
    }


def stored(ports: FakePorts, answer: HttpAnswer) -> Post:
    post = ports.posts.get(answer.json["postSubmissionId"])
    assert post is not None
    return post


def scheduled(http: Http, **more: Any) -> Work:
    """A post that was scheduled over HTTP."""
    http.ports.fetcher.media[URL] = FILM
    work = Work(http.ports)
    work.post_id = http.post(a_body(work.account.account_id, **more)).json["postSubmissionId"]
    return work


def come_due(work: Work) -> list[str]:
    """Let the post's time come, and its execution run."""
    work.ports.clock.time = AT
    start_due(work.ports, work.post_id)
    return work.go_on()


def test_a_scheduled_post_is_answered_at_once_stored_and_planned(http):
    answer = http.post(a_body(http.ports.connect().account_id))
    told = answer.json
    assert (answer.status, told["success"], told["status"], told["scheduledTime"]) == (202, True, "SCHEDULED", iso(AT))
    assert "notBefore" not in told
    post = stored(http.ports, answer)
    assert (post.status, post.scheduled_at, post.watch_at, post.patient) == (Status.SCHEDULED, AT, AT, True)
    assert http.ports.schedules.planned == {(post.post_id, AT)}
    assert (http.ports.executions.started, http.ports.clock.time) == ({}, NOW)
    assert http.get(told["statusUrl"]).json["scheduledTime"] == iso(AT)


def test_a_post_without_a_time_shows_none(http):
    body = a_body(http.ports.connect().account_id, scheduledTime=None)
    assert "scheduledTime" not in http.post(body, headers={"prefer": "respond-async"}).json


def test_a_local_time_and_a_time_with_an_offset_are_the_same_moment(http):
    account_id = http.ports.connect().account_id
    local = http.post(a_body(account_id, scheduledTime="2026-12-24T18:00:00", timezone="Europe/Berlin"))
    offset = http.post(a_body(account_id, scheduledTime="2026-12-24T18:00:00+01:00"))
    assert local.json["scheduledTime"] == offset.json["scheduledTime"] == "2026-12-24T17:00:00.000Z"


def test_a_time_that_does_not_exist_is_moved_and_told(http):
    body = a_body(http.ports.connect().account_id, scheduledTime="2027-03-28T02:30:00", timezone="Europe/Berlin")
    told = http.post(body).json
    assert told["scheduledTime"] == "2027-03-28T01:30:00.000Z"
    assert told["warnings"] == [
        "Europe/Berlin skips 2027-03-28T02:30:00; the post goes out at 2027-03-28T03:30:00+02:00."
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scheduledTime": "tomorrow"}, "scheduledTime"),
        ({"scheduledTime": 1_790_003_600}, "scheduledTime"),
        ({"scheduledTime": "2026-12-24T18:00:00"}, "scheduledTime"),
        ({"scheduledTime": iso(NOW + 59)}, "scheduledTime"),
        ({"scheduledTime": iso(NOW - 1)}, "scheduledTime"),
        ({"scheduledTime": iso(NOW + 365 * 86400 + 1)}, "scheduledTime"),
        ({"timezone": "Europe/Hamburg"}, "timezone"),
        ({"scheduledTime": None, "timezone": "Europe/Berlin"}, "timezone"),
        ({"queueIfLimited": "yes"}, "queueIfLimited"),
    ],
)
def test_a_bad_time_is_refused_by_name_and_nothing_is_stored(http, changes, field):
    answer = http.post(a_body(http.ports.connect().account_id, **changes))
    assert_failed(answer, 400, "InvalidRequest")
    assert [problem["field"] for problem in answer.json["problems"]] == [field]
    assert (http.get("/v2/posts").json["posts"], http.ports.schedules.planned) == ([], set())


def test_a_post_is_scheduled_though_the_schedule_cannot_be_made_now(http):
    http.ports.schedules.faults.before("put", ServiceUnavailable("Throttled.", "Try again."))
    work = scheduled(http)
    assert (work.post.status, http.ports.schedules.planned) == (Status.SCHEDULED, set())
    http.ports.clock.time = AT
    sweep(http.ports, seconds_left=lambda: 100)
    assert len(http.ports.executions.started) == 1


def test_many_more_posts_than_an_hour_takes_are_scheduled_because_the_line_is_for_those_whose_time_has_come(http):
    account_id = http.ports.connect().account_id
    for _ in range(9):
        http.ports.clock.time += 60
        assert http.post(a_body(account_id)).json["status"] == "SCHEDULED"
    assert http.ports.slots.get(account_id).lines == {}


# The same request again


def test_the_same_request_again_is_answered_the_same_and_planned_once(http):
    body, key = a_body(http.ports.connect().account_id), {"idempotency-key": "key-1"}
    first, again = http.post(body, headers=key), http.post(body, headers=key)
    assert (again.status, again.json, again.headers["Idempotent-Replayed"]) == (202, first.json, "true")
    assert len(http.ports.schedules.planned) == 1


def test_the_same_request_after_its_time_is_still_answered_as_it_was(http):
    body, key = a_body(http.ports.connect().account_id), {"idempotency-key": "key-1"}
    first = http.post(body, headers=key)
    http.ports.clock.time = AT + 60
    start_due(http.ports, first.json["postSubmissionId"])
    assert http.post(body, headers=key).json == first.json
    assert len(http.ports.executions.started) == 1


def test_another_time_under_the_same_key_is_refused(http):
    account_id, key = http.ports.connect().account_id, {"idempotency-key": "key-1"}
    http.post(a_body(account_id), headers=key)
    answer = http.post(a_body(account_id, scheduledTime=iso(AT + 1)), headers=key)
    assert (answer.status, answer.json["code"]) == (422, "InvalidRequest")


def test_a_request_whose_first_answer_was_lost_finds_its_post(http):
    body, key = a_body(http.ports.connect().account_id), {"idempotency-key": "key-1"}
    http.ports.posts.faults.before("answer", ServiceUnavailable("Throttled.", "Try again."))
    first = http.post(body, headers=key)
    http.ports.clock.time += 60
    again = http.post(body, headers=key)
    assert (again.status, again.json["postSubmissionId"]) == (202, first.json["postSubmissionId"])
    assert len(http.ports.schedules.planned) == 1


# When its time has come


def test_it_goes_out_at_its_time(http):
    work = scheduled(http)
    come_due(work)
    assert (work.post.status, len(http.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)
    assert [moment.step for moment in work.post.timeline][:3] == ["Accepted", "Due", "DownloadMedia"]


def test_what_the_creator_allows_is_checked_again_when_it_starts(http):
    work = scheduled(http)
    http.ports.tiktok.creator_answer = a_creator(privacy_level_options=("SELF_ONLY",))
    come_due(work)
    assert (work.post.status, http.ports.tiktok.public_posts) == (Status.FAILED, [])
    assert work.post.failure is not None
    assert "PUBLIC_TO_EVERYONE" in work.post.failure.error + work.post.failure.message


def test_what_the_creator_has_switched_off_by_then_is_left_out_and_told(http):
    work = scheduled(http)
    work.change(options=work.post.options.model_copy(update={"allow_duet": True}))
    http.ports.tiktok.creator_answer = a_creator(duet_disabled=True)
    come_due(work)
    assert (work.post.status, work.post.options.allow_duet) == (Status.PUBLISH_COMPLETE, False)
    assert work.post.warnings != ()


@pytest.mark.parametrize("queue", [None, True, False])
def test_it_waits_72_hours_for_a_creator_who_has_to_connect_again_and_then_goes_out(http, queue):
    work = scheduled(http, queueIfLimited=queue)
    http.ports.tiktok.remove_app(work.account.open_id)
    assert come_due(work)[-1] == "Held"
    shown = http.get(f"/v2/posts/{work.post_id}").json
    assert (shown["status"], shown["success"]) == ("QUEUED", True)
    assert iso((work.post.held_since or 0) + 72 * HOUR) in shown["message"]
    connect(http.ports, "workspace-1", open_id=work.account.open_id)
    sweep(http.ports, seconds_left=lambda: 100)
    work.go_on()
    assert (work.post.status, len(http.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


def test_it_fails_after_72_hours_without_the_creator(http):
    work = scheduled(http)
    http.ports.tiktok.remove_app(work.account.open_id)
    come_due(work)
    held_at = work.post.held_since or 0
    for hours in (71.9, 72.3):
        http.ports.clock.time = held_at + hours * HOUR
        sweep(http.ports, seconds_left=lambda: 100)
        assert (work.post.status is Status.FAILED) == (hours > 72)
    assert work.post.failure is not None
    assert work.post.failure.code == "TokenExpired"


# TikTok cannot be asked when it is scheduled


@pytest.mark.parametrize("trouble", ["a call too many", "a ban"])
def test_it_is_scheduled_though_tiktok_does_not_tell_now_what_the_creator_allows(http, trouble):
    code = {"a call too many": "rate_limit_exceeded", "a ban": "spam_risk_user_banned_from_posting"}[trouble]
    kind = RateLimitExceeded if trouble == "a call too many" else PostLimitReached
    http.ports.tiktok.creator_answer = kind("TikTok refuses.", "Wait.", tiktok_code=code, retry_after=60)
    answer = http.post(a_body(http.ports.connect().account_id))
    assert (answer.status, answer.json["status"]) == (202, "SCHEDULED")
    assert any("it is asked again before the post goes out" in warning for warning in answer.json["warnings"])
