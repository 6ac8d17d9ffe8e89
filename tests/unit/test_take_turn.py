"""An account's limits when posts come in: who is taken, who waits, who is told to come again, however many at once."""

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from publisher.domain.errors import (
    Busy,
    Failure,
    Paced,
    PostLimitReached,
    PublisherError,
    RateLimitExceeded,
    ServiceUnavailable,
)
from publisher.domain.limits import QUEUE_POSTS, SLOT_TRIES
from publisher.domain.posts import Post, Status
from publisher.domain.slots import (
    APP,
    DRAFTS,
    POSTS,
    PUBLISH,
    TIKTOK_CREATOR_INFO,
    TIKTOK_INIT,
    TIKTOK_POSTS,
    Usage,
    promised,
    used,
    waiting,
)
from publisher.ports import PostQuery
from publisher.use_cases.create_post import Accepted, create_post
from publisher.use_cases.take_turn import count_call, leave_line, note_refusal, stand_in_line, step_back, take_slots
from tests.builders import NOW, a_post, options
from tests.fakes import FakePorts, Killed
from tests.unit.conftest import Http, assert_failed

HOUR, DAY = 3600, 86400
FILM = "https://media.example/film.mp4"
LOST = ServiceUnavailable("The answer was lost.", "Try again.")


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


def a_body(account_id: str, **more: object) -> dict[str, object]:
    content = {"text": "A rabbit. #a #b #c", "mediaUrls": FILM, "platform": "tiktok"}
    tiktok = {"privacyLevel": "PUBLIC_TO_EVERYONE", **{key: more.pop(key) for key in ("draft",) if key in more}}
    return {"post": {"accountId": account_id, "content": content, "tiktokOptions": tiktok}, **more}


def send(ports: FakePorts, account_id: str, key: str | None = None, **more: object) -> Accepted:
    body = a_body(account_id, **more)
    return create_post(ports, "workspace-1", body, idempotency_key=key, seconds_left=29, patient=True)


def at_once[T](count: int, act: Callable[[int], T]) -> tuple[list[T], list[PublisherError]]:
    """Let so many threads act together; return what they got, and their errors."""
    together, got, errors = threading.Barrier(count), list[T](), list[PublisherError]()

    def run(number: int) -> None:
        together.wait()
        try:
            got.append(act(number))
        except PublisherError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got, errors


def stored(ports: FakePorts) -> list[Post]:
    return list(ports.posts.find(PostQuery(workspace_id="workspace-1", limit=100)).posts)


def taken(ports: FakePorts, account_id: str) -> int:
    return len(used(ports.slots.get(account_id), PUBLISH, ports.clock.now()))


def owed(ports: FakePorts, account_id: str) -> int:
    return promised(ports.slots.get(account_id), PUBLISH, ports.clock.now())


def refused(code: str, kind: str = "PostLimitReached") -> Failure:
    return Failure(
        name=kind, code="x", error=f"TikTok: {code}.", message="Do.", retryable=True,
        tiktok_code=code, tiktok_log_id="log-7",
    )  # fmt: skip


# At once
def test_of_24_posts_at_once_six_are_taken_and_18_are_told_when_to_come_again(ports, account_id):
    got, errors = at_once(24, lambda _: send(ports, account_id))
    assert (len(got), len(errors)) == (6, 18)
    assert (len(stored(ports)), owed(ports, account_id)) == (6, 6)
    assert {error.code for error in errors} == {"RateLimitExceeded"}
    assert all(error.retry_after and error.limit in ("publish", "tiktok-creator-info") for error in errors)
    assert all((error.retry_after or 0) > 3500 for error in errors if error.limit == "publish")


def test_of_24_posts_that_may_wait_all_are_taken_each_at_its_turn(ports, account_id):
    got, errors = at_once(24, lambda _: send(ports, account_id, queueIfLimited=True))
    assert (len(got), errors) == (24, [])
    turns = sorted(post.not_before or NOW for post in stored(ports))
    assert turns[:6] == [NOW] * 6
    for limit, seconds in ((6, HOUR), (15, DAY)):
        assert all(later - sooner >= seconds for sooner, later in zip(turns, turns[limit:], strict=False))
    in_line = {place.owner: number for number, place in enumerate(ports.slots.get(account_id).lines["posts"])}
    by_line = sorted(stored(ports), key=lambda post: in_line[post.owner])
    assert all((one.not_before or NOW) <= (two.not_before or NOW) for one, two in pairwise(by_line))
    planned = {post.post_id for post in stored(ports) if post.not_before}
    assert {post_id for post_id, _ in ports.schedules.planned} == planned
    assert len(ports.executions.started) == 6


def test_a_request_that_is_repeated_20_times_at_once_takes_one_place_and_is_never_limited_by_itself(ports, account_id):
    for _ in range(5):
        send(ports, account_id)
    got, errors = at_once(20, lambda _: send(ports, account_id, key="the same"))
    assert not [error for error in errors if isinstance(error, PostLimitReached)]
    assert got
    assert (len(stored(ports)), owed(ports, account_id)) == (6, 6)


def test_a_repeated_request_of_a_post_that_waits_finds_it_and_takes_no_other_place(ports, account_id):
    for _ in range(6):
        send(ports, account_id)
    first = send(ports, account_id, key="the same", queueIfLimited=True).post
    ports.clock.time += 31
    again = send(ports, account_id, key="the same", queueIfLimited=True).post
    assert (again.post_id, again.not_before) == (first.post_id, first.not_before)
    assert owed(ports, account_id) == 7


def test_the_51st_that_would_wait_is_refused(ports, account_id):
    for _ in range(6 + QUEUE_POSTS):
        ports.clock.time += 4  # as often as TikTok answers who may be posted to
        send(ports, account_id, queueIfLimited=True)
    with pytest.raises(PostLimitReached, match="50 posts of the account wait") as caught:
        send(ports, account_id, queueIfLimited=True)
    assert caught.value.retry_after
    assert len(stored(ports)) == 6 + QUEUE_POSTS


def test_who_has_the_last_place_of_a_full_line_keeps_it_when_the_request_is_repeated(ports, account_id):
    for _ in range(6 + QUEUE_POSTS - 1):
        ports.clock.time += 4
        send(ports, account_id, queueIfLimited=True)
    ports.clock.time += 4
    ports.posts.faults.before("accept", LOST)
    with pytest.raises(ServiceUnavailable):
        send(ports, account_id, key="the last", queueIfLimited=True)
    assert send(ports, account_id, key="the last", queueIfLimited=True).post.waits


def test_drafts_stand_in_a_line_of_their_own(ports, account_id):
    for _ in range(6):
        send(ports, account_id)
    for _ in range(5):
        send(ports, account_id, draft=True)
    with pytest.raises(PostLimitReached) as caught:
        send(ports, account_id, draft=True)
    assert caught.value.limit == "tiktok-drafts"
    assert send(ports, account_id, draft=True, queueIfLimited=True).post.not_before == NOW + DAY


def test_one_accounts_posts_do_not_limit_anothers(ports, account_id):
    for _ in range(6):
        send(ports, account_id)
    assert send(ports, ports.connect().account_id).post.not_before is None


# Over HTTP
def test_the_seventh_post_within_an_hour_is_told_by_which_limit_and_how_long(http: Http, ports, account_id):
    for _ in range(6):
        assert http.post(a_body(account_id), headers={"Prefer": "respond-async"}).status == 202
    ports.clock.time += 600
    answer = http.post(a_body(account_id), headers={"Prefer": "respond-async"})
    assert_failed(answer, 429, "RateLimitExceeded")
    assert answer.json["retryable"] is True
    assert "queueIfLimited" in answer.json["message"]
    assert answer.headers["Retry-After"] == "3600"  # none has taken its slot, so each may take it just now
    assert answer.headers["RateLimit-Policy"] == '"publish";q=6;w=3600'
    assert answer.headers["RateLimit"] == '"publish";r=0;t=3600'


def test_a_post_that_waits_is_told_over_http_until_when(http: Http, ports, account_id):
    for _ in range(6):
        http.post(a_body(account_id), headers={"Prefer": "respond-async"})
    answer = http.post(a_body(account_id, queueIfLimited=True))
    assert (answer.status, answer.json["status"]) == (202, "QUEUED")
    assert answer.json["notBefore"] == "2026-09-21T15:13:20.000Z"
    assert answer.json["notBefore"] in answer.json["message"]
    assert ports.clock.now() == NOW  # nobody was kept waiting for an outcome that is an hour away


# What fails on the way in
@pytest.mark.parametrize("late", [False, True])
def test_a_post_that_could_not_be_stored_gives_its_place_up(ports, account_id, late):
    plan = ports.posts.faults.after if late else ports.posts.faults.before
    plan("accept", LOST)
    with pytest.raises(ServiceUnavailable):
        send(ports, account_id)
    assert owed(ports, account_id) == 0


def test_a_request_with_a_key_that_could_not_be_stored_takes_its_place_up_again(ports, account_id):
    ports.posts.faults.before("accept", LOST)
    with pytest.raises(ServiceUnavailable):
        send(ports, account_id, key="the same")
    send(ports, account_id, key="the same")
    assert (len(stored(ports)), owed(ports, account_id)) == (1, 1)


def test_a_request_with_a_key_whose_answer_was_lost_keeps_the_place_of_the_post_that_was_stored(ports, account_id):
    ports.posts.faults.after("accept", LOST)
    with pytest.raises(ServiceUnavailable):
        send(ports, account_id, key="the same")
    assert (len(stored(ports)), owed(ports, account_id)) == (1, 1)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", ["get", "save"])
def test_a_place_whose_answer_was_lost_is_taken_once(ports, account_id, call, late):
    post = a_post(account_id=account_id)
    plan = ports.slots.faults.after if late else ports.slots.faults.before
    plan(call, LOST)
    with pytest.raises(ServiceUnavailable):
        stand_in_line(ports, post)
    assert not stand_in_line(ports, post).waits
    assert owed(ports, account_id) == 1


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [LOST, Killed()])
def test_a_slot_whose_answer_was_lost_is_taken_once(ports, account_id, error, late):
    post = a_post(account_id=account_id)
    plan = ports.slots.faults.after if late else ports.slots.faults.before
    plan("save", error)
    with pytest.raises(type(error)):
        take_slots(ports, post, TIKTOK_INIT)
    assert take_slots(ports, post, TIKTOK_INIT).fresh is not late
    assert (taken(ports, account_id), owed(ports, account_id)) == (1, 0)


def test_a_storm_of_others_is_outlasted(ports, account_id):
    for _ in range(SLOT_TRIES - 1):
        ports.slots.faults.before("save", Busy("Another worker was faster.", "Try again."))
    assert take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT).taken
    assert taken(ports, account_id) == 1


def test_a_storm_without_end_is_told_and_nothing_is_taken(ports, account_id):
    for _ in range(SLOT_TRIES):
        ports.slots.faults.before("save", Busy("Another worker was faster.", "Try again."))
    with pytest.raises(Busy, match="at once"):
        take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT)
    assert taken(ports, account_id) == 0


def test_of_40_workers_at_once_that_take_slots_six_get_one(ports, account_id):
    got, errors = at_once(40, lambda _: take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT))
    assert errors == []
    assert sum(turn.taken for turn in got) == taken(ports, account_id) == 6


# The clock
def test_a_clock_that_steps_back_frees_nothing_and_takes_nothing_twice(ports, account_id):
    posts = [a_post(account_id=account_id) for _ in range(6)]
    for post in posts:
        assert take_slots(ports, post, TIKTOK_INIT).taken
    ports.clock.time -= 3000
    assert not take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT).taken
    assert not take_slots(ports, posts[0], TIKTOK_CREATOR_INFO).fresh
    ports.clock.time = NOW + HOUR - 1
    assert not take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT).taken
    ports.clock.time = NOW + HOUR
    assert take_slots(ports, posts[0], TIKTOK_INIT).taken


# Calls that TikTok counts
def test_a_call_too_many_in_a_minute_is_not_made_and_told_how_long_to_wait(ports, account_id):
    for _ in range(20):
        count_call(ports, account_id, TIKTOK_CREATOR_INFO, account_id)
    ports.clock.time += 5
    with pytest.raises(Paced) as caught:
        count_call(ports, account_id, TIKTOK_CREATOR_INFO, account_id)
    assert (caught.value.retry_after, caught.value.limit) == (60, "tiktok-creator-info")
    ports.clock.time += 60
    count_call(ports, account_id, TIKTOK_CREATOR_INFO, account_id)


def test_slots_are_not_taken_when_the_call_has_to_wait(ports, account_id):
    for number in range(6):
        count_call(ports, account_id, TIKTOK_INIT, str(number))
    with pytest.raises(Paced) as caught:
        take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT)
    assert (caught.value.retry_after, taken(ports, account_id)) == (65, 0)


# Giving back
def test_who_steps_back_stands_first_again(ports, account_id):
    first, second = a_post(account_id=account_id), a_post(account_id=account_id, queues=True)
    take_slots(ports, first, TIKTOK_INIT)
    for _ in range(5):
        take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT)
    assert stand_in_line(ports, second).waits
    step_back(ports, first)
    assert not stand_in_line(ports, first).waits
    assert stand_in_line(ports, second).waits
    assert (taken(ports, account_id), owed(ports, account_id)) == (5, 2)


def test_stepping_back_leaves_the_call_counted_and_can_be_repeated(ports, account_id):
    post = a_post(account_id=account_id)
    take_slots(ports, post, TIKTOK_INIT)
    step_back(ports, post)
    step_back(ports, post)
    usage = ports.slots.get(account_id)
    assert [len(used(usage, window, NOW)) for window in (PUBLISH, TIKTOK_POSTS, TIKTOK_INIT)] == [0, 0, 1]
    assert owed(ports, account_id) == 1


def test_who_leaves_the_line_frees_its_place_at_once(ports, account_id):
    posts = [a_post(account_id=account_id) for _ in range(6)]
    for post in posts:
        stand_in_line(ports, post)
    with pytest.raises(PostLimitReached):
        stand_in_line(ports, a_post(account_id=account_id))
    leave_line(ports, posts[3])
    assert not stand_in_line(ports, a_post(account_id=account_id)).waits


# Holds
HOLDS = {
    "spam_risk": (DAY, {"posts", "drafts"}),
    "spam_risk_user_banned_from_posting": (DAY, {"posts", "drafts"}),
    "spam_risk_too_many_posts": (HOUR, {"posts"}),
    "spam_risk_too_many_pending_share": (HOUR, {"drafts"}),
}


@pytest.mark.parametrize("code", HOLDS)
def test_a_refusal_holds_the_lines_that_it_is_about_and_no_other_account(ports, account_id, code):
    seconds, lanes = HOLDS[code]
    assert note_refusal(ports, account_id, refused(code)) == NOW + seconds
    other = ports.connect().account_id
    for lane, draft in (("posts", False), ("drafts", True)):
        post = a_post(account_id=account_id, queues=True, options=options(draft=draft))
        assert stand_in_line(ports, post).turn_at == (NOW + seconds if lane in lanes else NOW)
        assert not stand_in_line(ports, a_post(account_id=other, options=options(draft=draft))).waits


def test_the_apps_cap_holds_every_account(ports, account_id):
    assert note_refusal(ports, account_id, refused("reached_active_user_cap")) == NOW + HOUR
    for one in (account_id, ports.connect().account_id):
        with pytest.raises(PostLimitReached, match="reached_active_user_cap") as caught:
            stand_in_line(ports, a_post(account_id=one))
        assert (caught.value.tiktok_log_id, caught.value.retry_after) == ("log-7", HOUR)
        assert stand_in_line(ports, a_post(account_id=one, queues=True)).turn_at == NOW + HOUR


@pytest.mark.parametrize("code", ["file_format_check_failed", "rate_limit_exceeded", "internal", None])
def test_any_other_refusal_holds_nothing(ports, account_id, code):
    failure = refused("x").model_copy(update={"tiktok_code": code})
    assert note_refusal(ports, account_id, failure) is None
    assert (ports.slots.get(account_id), ports.slots.get(APP)) == (Usage(account_id), Usage(APP))


def test_a_cap_is_tried_again_when_our_own_oldest_post_is_a_day_old(ports, account_id):
    take_slots(ports, a_post(account_id=account_id), TIKTOK_INIT)
    ports.clock.time += 5 * HOUR
    assert note_refusal(ports, account_id, refused("spam_risk_too_many_posts")) == NOW + DAY


def test_a_hold_that_comes_again_is_not_shortened(ports, account_id):
    note_refusal(ports, account_id, refused("spam_risk"))
    note_refusal(ports, account_id, refused("spam_risk_too_many_posts"))
    assert stand_in_line(ports, a_post(account_id=account_id, queues=True)).turn_at == NOW + DAY


def test_those_that_wait_are_counted_and_those_whose_turn_has_come_are_not(ports, account_id):
    for _ in range(8):
        stand_in_line(ports, a_post(account_id=account_id, queues=True))
    usage = ports.slots.get(account_id)
    assert (len(waiting(usage, POSTS, NOW)), len(waiting(usage, DRAFTS, NOW))) == (2, 0)


def test_a_post_that_is_taken_in_is_queued_and_one_that_waits_too(ports, account_id):
    got = [send(ports, account_id, queueIfLimited=True).post for _ in range(7)]
    assert [post.status for post in got] == [Status.QUEUED] * 7
    assert [post.waits for post in got] == [False] * 6 + [True]


def test_a_post_that_may_wait_is_taken_though_tiktok_answers_no_more_calls_for_the_minute(ports, account_id):
    for _ in range(2):
        ports.tiktok.faults.before("creator", RateLimitExceeded("No more calls.", "Later.", retry_after=60))
    with pytest.raises(RateLimitExceeded):
        send(ports, account_id)
    post = send(ports, account_id, queueIfLimited=True).post
    assert any("asked again" in warning for warning in post.warnings)
