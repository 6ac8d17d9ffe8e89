"""A post that waits can be changed, checked as a new one is; one that has started goes out as it was."""

import threading
from contextlib import suppress
from functools import partial

import pytest

from publisher.api import iso
from publisher.domain.errors import Busy, InvalidPost, InvalidRequest, NotFound, ServiceUnavailable, WrongStatus
from publisher.domain.posts import Post, Status, hold, wait_for_turn
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.create_post import create_post
from publisher.use_cases.edit_post import edit_post
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_creator, a_post, options
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import assert_failed
from tests.unit.work import FILM, URL, Interruptions, Work, points

AT = NOW + 3600
TEXT = {"post": {"content": {"text": "Another rabbit."}}}


def scheduled(ports: FakePorts, **changes: object) -> Work:
    ports.fetcher.media[URL] = FILM
    work = Work(ports)
    planned = {"status": Status.SCHEDULED, "scheduled_at": AT, "watch_at": AT, "queues": True, "patient": True}
    work.accept(**{**planned, **changes})
    ports.schedules.put(work.post_id, AT)
    return work


def edit(work: Work, body: object) -> Post:
    return edit_post(work.ports, work.post.workspace_id, work.post_id, body, seconds_left=25)


def to(at: float) -> dict[str, str]:
    return {"scheduledTime": iso(at)}


def fires(work: Work) -> list[int]:
    """When the post's schedules fire."""
    return sorted(at for _, at in work.ports.schedules.planned)


def refused(work: Work, body: object) -> list[tuple[str | None, str]]:
    """The fields that an edit was refused for, and their codes."""
    before = work.post
    with pytest.raises(InvalidRequest) as caught:
        edit(work, body)
    assert work.post == before
    assert fires(work) == [AT]
    error = caught.value
    problems = error.problems if isinstance(error, InvalidPost) else [error]
    return [(problem.field, problem.code) for problem in problems]


def test_what_is_given_changes_and_the_rest_stays(ports):
    work = scheduled(ports, options=options(allow_duet=True, is_ai_generated=True))
    before = work.post
    edited = edit(work, {"post": {"tiktokOptions": {"privacyLevel": "SELF_ONLY", "allowComment": True}}})
    assert edited == work.post
    assert edited.options == options(
        privacy_level="SELF_ONLY", allow_comment=True, allow_duet=True, is_ai_generated=True
    )
    same = ("post_id", "text", "media_urls", "scheduled_at", "watch_at", "status", "created_at", "timeline", "queues")
    assert [getattr(edited, name) for name in same] == [getattr(before, name) for name in same]
    assert fires(work) == [AT]


def test_the_edited_post_is_what_is_published(ports):
    work = scheduled(ports)
    edit(work, TEXT)
    ports.clock.time = AT
    start_due(ports, work.post_id)
    work.go_on()
    assert [post.text for post in ports.tiktok.public_posts] == ["Another rabbit."]


def test_options_may_stand_beside_the_post_as_they_may_when_it_is_made(ports):
    work = scheduled(ports)
    assert edit(work, {"tiktokOptions": {"allowStitch": True}}).options == options(allow_stitch=True)


def test_a_new_time_replaces_the_old_one(ports):
    work = scheduled(ports)
    moved = edit(work, to(AT + 7200))
    assert (moved.scheduled_at, moved.watch_at, moved.status) == (AT + 7200, AT + 7200, Status.SCHEDULED)
    assert fires(work) == [AT + 7200]
    ports.clock.time = AT + 60
    start_due(ports, work.post_id)
    sweep(ports, seconds_left=lambda: 100)
    assert ports.executions.started == {}
    ports.clock.time = AT + 7200
    start_due(ports, work.post_id)
    assert len(ports.executions.started) == 1


def test_a_local_time_is_read_in_its_zone(ports):
    work = scheduled(ports)
    edited = edit(work, {"scheduledTime": "2026-12-24T18:00:00", "timezone": "Europe/Berlin"})
    assert iso(edited.scheduled_at or 0) == "2026-12-24T17:00:00.000Z"


def test_a_time_that_moves_within_its_second_keeps_its_schedule(ports):
    work = scheduled(ports)
    edit(work, to(AT + 0.2))
    edit(work, to(AT + 0.7))
    assert fires(work) == [AT + 1]


@pytest.mark.parametrize("call", ["put", "remove"])
def test_a_schedule_that_cannot_be_moved_makes_the_post_no_earlier_and_a_minute_late_at_most(ports, call):
    work = scheduled(ports)
    ports.schedules.faults.before(call, ServiceUnavailable("Throttled.", "Try again."))
    edit(work, to(AT + 7200))
    for at in (AT, AT + 7199 - 5):
        ports.clock.time = at
        start_due(ports, work.post_id)
        sweep(ports, seconds_left=lambda: 100)
        assert ports.executions.started == {}
    ports.clock.time = AT + 7200
    sweep(ports, seconds_left=lambda: 100)
    assert len(ports.executions.started) == 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"post": {"content": {"text": "🐇" * 1101}}}, ("post.content.text", "TextTooLong")),
        (
            {"post": {"tiktokOptions": {"privacyLevel": "FOLLOWER_OF_CREATOR"}}},
            ("post.tiktokOptions.privacyLevel", "InvalidRequest"),
        ),
        ({"post": {"tiktokOptions": {"privacyLevel": None}}}, ("post.tiktokOptions.privacyLevel", "MissingParameter")),
        ({"post": {"tiktokOptions": {"colour": "red"}}}, ("post.tiktokOptions.colour", "InvalidRequest")),
        ({"post": {"accountId": "x"}}, ("post.accountId", "InvalidRequest")),
        ({"post": {"content": {"mediaUrls": [URL]}}}, ("post.content.mediaUrls", "InvalidRequest")),
        ({"post": {"content": {"platform": "tiktok"}}}, ("post.content.platform", "InvalidRequest")),
        ({"queueIfLimited": True}, ("queueIfLimited", "InvalidRequest")),
        ({"tiktokOptions": {}, "post": {"tiktokOptions": {}}}, ("tiktokOptions", "InvalidRequest")),
        ({"timezone": "Europe/Berlin"}, ("timezone", "InvalidRequest")),
        (to(NOW + 59), ("scheduledTime", "InvalidRequest")),
        (to(NOW + 366 * 86400), ("scheduledTime", "InvalidRequest")),
        ({"scheduledTime": 7}, ("scheduledTime", "InvalidRequest")),
        ([], (None, "InvalidRequest")),
    ],
)
def test_a_bad_change_is_refused_by_the_name_of_its_field_and_changes_nothing(ports, body, problem):
    assert refused(scheduled(ports), body) == [problem]


def test_all_that_is_wrong_is_told_at_once(ports):
    body = {"post": {"content": {"text": "a" * 2201}, "tiktokOptions": {"privacyLevel": "FOLLOWER_OF_CREATOR"}}}
    assert len(refused(scheduled(ports), {**body, **to(NOW - 5)})) == 3


def test_what_the_creator_allows_is_asked_again(ports):
    work = scheduled(ports)
    ports.tiktok.creator_answer = a_creator(privacy_level_options=("SELF_ONLY",))
    assert refused(work, TEXT) == [("post.tiktokOptions.privacyLevel", "InvalidRequest")]
    edited = edit(work, {"post": {"tiktokOptions": {"privacyLevel": "SELF_ONLY"}}})
    assert edited.privacy_options == ("SELF_ONLY",)


def test_a_dropped_post_is_changed_though_its_media_is_where_no_caller_may_point(ports):
    drop = {"key": "autopublish/a/film.mp4", "version": "1", "result_key": "autopublish/a/film.mp4.result.json"}
    work = scheduled(ports, media_urls=("s3://drops/autopublish/a/film.mp4?versionId=1",), drop=drop)
    edited = edit(work, TEXT)
    assert (edited.text, edited.media_urls) == ("Another rabbit.", work.post.media_urls)


def test_a_post_that_waits_for_its_turn_or_its_creator_is_changed_and_not_moved(ports):
    for make in (lambda post: wait_for_turn(post, AT, NOW), lambda post: hold(post, NOW)):
        work = scheduled(ports)
        waits = work.ports.posts.save(make(work.post))
        edited = edit(work, TEXT)
        unchanged = ("status", "held_since", "not_before", "queued_at", "watch_at")
        assert [getattr(edited, name) for name in unchanged] == [getattr(waits, name) for name in unchanged]
        with pytest.raises(WrongStatus, match="time has come") as caught:
            edit(work, to(AT + 7200))
        assert caught.value.field == "scheduledTime"


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.SCHEDULED])
def test_a_post_that_has_started_or_ended_is_not_changed_and_the_refusal_says_how_far_it_is(ports, status):
    work = scheduled(ports, status=status)
    before = work.post
    with pytest.raises(WrongStatus, match=f"is {status}"):
        edit(work, TEXT)
    assert work.post == before


def test_a_post_that_becomes_a_draft_leaves_the_line_of_posts(ports):
    account = ports.connect()
    body = {
        "post": {
            "accountId": account.account_id,
            "content": {"text": "A rabbit.", "mediaUrls": URL, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
        },
        "queueIfLimited": True,
    }
    posts = [create_post(ports, "workspace-1", body, idempotency_key=None, seconds_left=25).post for _ in range(7)]
    draft = {"post": {"tiktokOptions": {"draft": True, "privacyLevel": None}}}
    edited = edit_post(ports, "workspace-1", posts[6].post_id, draft, seconds_left=25)
    assert edited.options.draft
    line = ports.slots.get(account.account_id).lines["posts"]
    assert edited.owner not in [place.owner for place in line]
    assert len(line) == 6


def test_nobody_changes_the_post_of_another_workspace(ports):
    work = scheduled(ports)
    with pytest.raises(NotFound):
        edit_post(ports, "workspace-2", work.post_id, TEXT, seconds_left=25)


def test_a_post_that_is_changed_all_the_time_is_busy_and_stays_as_it_is(ports):
    work = scheduled(ports)
    before = work.post
    for _ in range(8):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    with pytest.raises(Busy):
        edit(work, TEXT)
    assert work.post == before


# Whoever else acts


def test_a_post_that_starts_at_any_call_of_a_change_goes_out_as_the_change_was_told():
    clean = scheduled(FakePorts())
    seen = Interruptions(clean.ports)
    edit(clean, TEXT)
    told = set()
    for point in points(len(seen.seen)):
        work = scheduled(FakePorts())
        work.ports.clock.time = AT
        Interruptions(work.ports).at({point: partial(start_due, work.ports, work.post_id)})
        try:
            text = edit(work, TEXT).text
        except WrongStatus:
            text = "A rabbit wakes up."
        start_due(work.ports, work.post_id)
        assert len(work.ports.executions.started) == 1, point
        work.go_on()
        assert [post.text for post in work.ports.tiktok.public_posts] == [text], point
        told.add(text)
    assert len(told) == 2


def test_a_change_and_a_cancellation_at_any_call_of_it_leave_the_post_cancelled():
    clean = scheduled(FakePorts())
    seen = Interruptions(clean.ports)
    edit(clean, to(AT + 600))
    for point in points(len(seen.seen)):
        work = scheduled(FakePorts())
        Interruptions(work.ports).at({point: partial(cancel_post, work.ports, "workspace-1", work.post_id)})
        with suppress(WrongStatus):
            edit(work, to(AT + 600))
        work.ports.clock.time = AT + 600
        start_due(work.ports, work.post_id)
        assert (work.post.status, work.ports.executions.started) == (Status.CANCELLED, {}), point


def test_a_worker_that_dies_after_the_write_has_moved_the_post(ports):
    work = scheduled(ports)
    ports.schedules.faults.before("remove", Killed())
    with pytest.raises(Killed):
        edit(work, to(AT + 600))
    ports.clock.time = AT + 600
    sweep(ports, seconds_left=lambda: 100)
    assert len(ports.executions.started) == 1


def test_of_changes_at_once_each_is_whole_and_none_is_lost(ports):
    work = scheduled(ports)
    bodies = [TEXT, {"tiktokOptions": {"allowDuet": True}}, {"tiktokOptions": {"allowComment": True}}]
    threads = [threading.Thread(target=edit, args=(work, body)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (work.post.text, work.post.options) == ("Another rabbit.", options(allow_duet=True, allow_comment=True))


# Over HTTP


def test_patch_shows_the_post_as_get_does(http):
    work = scheduled(http.ports)
    path = f"/v2/posts/{work.post_id}"
    edited, shown = http.call("PATCH", path, {**TEXT, **to(AT + 600)}), http.get(path)
    assert (edited.status, edited.json["status"], edited.json["scheduledTime"]) == (200, "SCHEDULED", iso(AT + 600))
    assert {**edited.json, "requestId": None} == {**shown.json, "requestId": None}


def test_patch_of_a_post_that_has_started_is_a_conflict(http):
    post = a_post(status=Status.PROCESSING_UPLOAD)
    http.ports.posts.accept(post, None)
    assert_failed(http.call("PATCH", f"/v2/posts/{post.post_id}", TEXT), 409, "InvalidRequest")


def test_a_bad_patch_lists_its_problems(http):
    work = scheduled(http.ports)
    answer = http.call("PATCH", f"/v2/posts/{work.post_id}", {"post": {"content": {"text": "a" * 2201}}})
    assert_failed(answer, 400, "TextTooLong")
    assert [problem["field"] for problem in answer.json["problems"]] == ["post.content.text"]
