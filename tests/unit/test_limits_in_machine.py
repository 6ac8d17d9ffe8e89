"""An account's limits on a post's whole way: turns, slots and holds, with machines, schedules, the sweep and time."""

from contextlib import contextmanager

import pytest

from publisher.api import PostDetail, iso
from publisher.domain.errors import (
    AccountDisabled,
    InvalidToken,
    NotTaken,
    PostLimitReached,
    PublisherError,
    PublishingFailed,
    RateLimitExceeded,
    ServiceUnavailable,
    Timeout,
)
from publisher.domain.limits import HOLD_SECONDS, PUBLISH_ATTEMPTS, STATUS_PER_MINUTE, TURN_WAIT_SECONDS
from publisher.domain.posts import Post, Status
from publisher.domain.slots import (
    DRAFTS,
    POSTS,
    PUBLISH,
    TIKTOK_DRAFTS,
    TIKTOK_INIT,
    TIKTOK_POSTS,
    TIKTOK_STATUS,
    promised,
    used,
)
from publisher.tiktok.failures import failure_of
from publisher.use_cases.take_turn import count_call
from tests.builders import NOW, options
from tests.fakes import FakePorts, Faults, Killed
from tests.unit.machines import Machines
from tests.unit.work import FILM, LOST, PHOTOS, URL, Interruptions, Work, points

MINUTE, HOUR, DAY = 60, 3600, 86400


class Asked(Faults):
    """Notes what is asked of TikTok, and when."""

    def __init__(self, ports: FakePorts) -> None:
        super().__init__()
        self._clock = ports.clock
        self.calls: list[tuple[float, str]] = []

    @contextmanager
    def around(self, call):
        self.calls.append((self._clock.now(), call))
        with super().around(call):
            yield


@pytest.fixture
def asked(ports: FakePorts) -> Asked:
    ports.tiktok.faults = Asked(ports)
    return ports.tiktok.faults


@pytest.fixture
def machines(ports: FakePorts) -> Machines:
    ports.fetcher.media[URL] = FILM
    return Machines(ports)


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


@pytest.fixture
def work(ports: FakePorts) -> Work:
    ports.fetcher.media[URL] = FILM
    return Work(ports)


def opened(ports: FakePorts) -> list[float]:
    """When each upload was opened at TikTok, in order."""
    return sorted(upload.opened_at for upload in ports.tiktok.uploads.values())


def assert_never_more(times: list[float], most: int, seconds: float) -> None:
    assert all(later - sooner >= seconds for sooner, later in zip(times, times[most:], strict=False))


def slots(ports: FakePorts, account_id: str) -> tuple[int, int, int]:
    """Slots that are taken of publications and of posts a day, and places that are promised."""
    usage, now = ports.slots.get(account_id), ports.clock.now()
    return len(used(usage, PUBLISH, now)), len(used(usage, TIKTOK_POSTS, now)), promised(usage, PUBLISH, now)


def spread(machines: Machines, account_id: str, count: int = 6, every: float = 10 * MINUTE) -> list[Post]:
    """Publish posts with time between them, so that their slots free one after the other."""
    posts = []
    for _ in range(count):
        posts.append(machines.send(account_id))
        machines.run(every)
    return posts


# Turns
@pytest.mark.parametrize("nets", ["schedules and sweep", "schedules alone", "sweep alone"])
def test_24_posts_that_may_wait_all_go_out_each_at_its_turn_and_in_their_order(machines, ports, account_id, nets):
    machines.schedules, machines.sweeps = "schedules" in nets, "sweep" in nets
    posts = []
    for _ in range(24):
        posts.append(machines.send(account_id, queueIfLimited=True))
        ports.clock.time += 4  # as often as TikTok tells what a creator allows
    machines.run(3 * DAY)
    ended = [machines.post(post) for post in posts]
    assert {post.status for post in ended} == {Status.PUBLISH_COMPLETE}
    times = opened(ports)
    assert len(times) == 24
    assert_never_more(times, 6, HOUR)
    assert_never_more(times, 15, DAY)
    went = [next(moment.at for moment in post.timeline if moment.step == "UploadChunks") for post in ended]
    assert went == sorted(went)
    assert times[11] < NOW + HOUR + 10 * MINUTE  # nobody waits much longer than he must
    assert times[14] < NOW + 2 * HOUR + 15 * MINUTE
    assert times[23] < NOW + DAY + 2 * HOUR + 15 * MINUTE
    assert slots(ports, account_id)[2] == 0


def test_who_comes_later_does_not_overtake_who_waits(machines, ports, account_id):
    spread(machines, account_id)  # until the first slot is free again
    ports.clock.time -= 1
    first = machines.send(account_id, queueIfLimited=True)
    assert first.not_before == NOW + HOUR
    ports.clock.time += 1  # the slot is free, and promised
    with pytest.raises(PostLimitReached):
        machines.send(account_id)
    machines.run(MINUTE)
    assert machines.post(first).status is Status.PUBLISH_COMPLETE
    assert len(ports.tiktok.uploads) == 7


def test_a_turn_that_is_near_is_waited_for_in_the_machine(machines, ports, account_id):
    scheduled = machines.send(account_id, scheduledTime=iso(NOW + HOUR - TURN_WAIT_SECONDS + 10))
    spread(machines, account_id, every=5 * MINUTE)
    machines.run(HOUR)
    assert machines.post(scheduled).status is Status.PUBLISH_COMPLETE
    assert machines.entered("WaitForTurn") != []
    assert machines.entered("Held") == []
    assert opened(ports)[6] == pytest.approx(NOW + HOUR, abs=2)


@pytest.mark.parametrize("net", ["schedules", "sweeps"])
def test_a_turn_that_is_far_is_waited_for_outside_of_the_machine(machines, ports, account_id, net):
    scheduled = machines.send(account_id, scheduledTime=iso(NOW + 31 * MINUTE))
    spread(machines, account_id, every=5 * MINUTE)
    machines.run(2 * MINUTE)
    waits = machines.post(scheduled)
    assert (waits.status, waits.waits, waits.not_before) == (Status.QUEUED, True, NOW + HOUR)
    assert iso(NOW + HOUR) in PostDetail.of(waits).message
    setattr(machines, net, False)  # either is enough
    machines.run(HOUR)
    assert machines.post(scheduled).status is Status.PUBLISH_COMPLETE
    assert opened(ports)[6] == pytest.approx(NOW + HOUR, abs=62)


def test_a_scheduled_post_that_may_not_wait_fails_when_its_time_finds_the_limit_reached(machines, account_id):
    scheduled = machines.send(account_id, scheduledTime=iso(NOW + 31 * MINUTE), queueIfLimited=False)
    spread(machines, account_id, every=5 * MINUTE)
    machines.run(10 * MINUTE)
    post = machines.post(scheduled)
    assert post.status is Status.FAILED
    assert (post.failure.code, post.failure.retryable) == ("RateLimitExceeded", True)
    assert iso(NOW + HOUR) in post.failure.message


def test_drafts_have_a_line_of_their_own_and_one_that_is_published_gives_its_slot_back(machines, ports, account_id):
    drafts = [machines.send(account_id, draft=True) for _ in range(5)]
    machines.run(5 * MINUTE)
    assert {machines.post(draft).status for draft in drafts} == {Status.SEND_TO_USER_INBOX}
    with pytest.raises(PostLimitReached):
        machines.send(account_id, draft=True)
    machines.send(account_id)
    ports.tiktok.finish_draft(machines.post(drafts[2]).publish_id)
    machines.run(HOUR)
    assert machines.post(drafts[2]).status is Status.PUBLISH_COMPLETE
    assert len(used(ports.slots.get(account_id), TIKTOK_DRAFTS, ports.clock.now())) == 4
    sixth = machines.send(account_id, draft=True)
    machines.run(5 * MINUTE)
    assert machines.post(sixth).status is Status.SEND_TO_USER_INBOX


def test_a_post_whose_media_cannot_be_had_gives_its_place_up_at_once(machines, account_id):
    for _ in range(5):
        machines.send(account_id)
    bad = machines.send(account_id, url="https://media.example/none.mp4")
    with pytest.raises(PostLimitReached):
        machines.send(account_id)
    machines.run(5 * MINUTE)
    assert machines.post(bad).status is Status.FAILED
    assert machines.send(account_id).not_before is None


# Slots: taken just before the init, once
@pytest.mark.parametrize("urls", [(URL,), PHOTOS])
@pytest.mark.parametrize("error", [*LOST, Killed()])
def test_a_slot_is_taken_once_wherever_the_init_is_interrupted(urls, error):
    def prepared() -> tuple[Work, Interruptions]:
        ports = FakePorts()
        ports.fetcher.media |= {URL: FILM} | {url: b"\xff\xd8\xff\xe0" + bytes(100) for url in PHOTOS}
        work = Work(ports)
        interruptions = Interruptions(ports)
        work.accept(media_urls=urls)
        work.run("DownloadMedia")
        if urls == PHOTOS:
            work.run("ConvertPhotos")
        interruptions.at({})
        return work, interruptions

    def stop():
        raise error

    work, interruptions = prepared()
    work.run("InitializePost")
    assert "open_upload" in interruptions.seen or "open_carousel" in interruptions.seen
    for point in points(len(interruptions.seen)):
        work, interruptions = prepared()
        interruptions.at({point: stop})
        try:
            work.run("InitializePost")
        except (PublisherError, Killed):
            work.ports.clock.sleep(5)
            work.run("InitializePost")
        assert slots(work.ports, work.account.account_id) == (1, 1, 0), point


CERTAIN = [
    PublishingFailed("TikTok refused.", "Change it."),
    AccountDisabled("TikTok refused.", "Appeal."),
    InvalidToken("The scope is missing.", "Connect again."),
    RateLimitExceeded("Too many.", "Later."),
    PostLimitReached("Too many posts.", "Tomorrow."),
]
UNCERTAIN = [ServiceUnavailable("TikTok has an internal problem.", "Later."), Timeout("No answer.", "Again.")]


@pytest.mark.parametrize("error", CERTAIN, ids=lambda error: type(error).__name__)
def test_a_slot_is_given_back_when_tiktok_certainly_opened_nothing(work, error):
    work.accept()
    work.run("DownloadMedia")
    work.ports.tiktok.faults.before("open_upload", error)
    with pytest.raises(type(error)):
        work.run("InitializePost")
    assert slots(work.ports, work.account.account_id) == (0, 0, 1)
    usage = work.ports.slots.get(work.account.account_id)
    assert len(used(usage, TIKTOK_INIT, work.ports.clock.now())) == 1, "TikTok counts the call"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", UNCERTAIN, ids=lambda error: type(error).__name__)
def test_a_slot_is_kept_when_tiktok_may_have_opened_something(work, error, late):
    work.accept()
    work.run("DownloadMedia")
    plan = work.ports.tiktok.faults.after if late else work.ports.tiktok.faults.before
    plan("open_upload", error)
    with pytest.raises(type(error)):
        work.run("InitializePost")
    assert slots(work.ports, work.account.account_id) == (1, 1, 0)
    work.run("InitializePost")
    assert slots(work.ports, work.account.account_id) == (1, 1, 0)


def test_a_refusal_after_an_attempt_in_doubt_leaves_that_attempts_slot(work):
    work.accept()
    work.run("DownloadMedia")
    work.ports.tiktok.faults.after("open_upload", UNCERTAIN[0])
    work.ports.tiktok.faults.before("open_upload", CERTAIN[0])
    for error in (ServiceUnavailable, PublishingFailed):
        with pytest.raises(error):
            work.run("InitializePost")
    assert slots(work.ports, work.account.account_id) == (1, 1, 0)


def test_a_post_that_has_had_its_attempts_takes_no_slot(work):
    work.accept()
    work.run("DownloadMedia")
    work.change(opened=int(PUBLISH_ATTEMPTS))
    with pytest.raises(NotTaken):
        work.run("InitializePost")
    assert slots(work.ports, work.account.account_id) == (0, 0, 0)


def test_a_draft_takes_no_slot_of_publications(work):
    work.accept(options=options(draft=True, privacy_level=None))
    work.go_on()
    assert slots(work.ports, work.account.account_id) == (0, 0, 0)
    assert len(used(work.ports.slots.get(work.account.account_id), TIKTOK_DRAFTS, work.ports.clock.now())) == 1


def test_whatever_answers_are_lost_no_hour_sees_a_seventh_slot_taken_and_all_go_out_once(machines, ports, account_id):
    for number, (call, late) in enumerate((call, late) for call in ("get", "save") for late in (False, True)):
        plan = ports.slots.faults.after if late else ports.slots.faults.before
        for _ in range(number + 1):
            plan(call, LOST[0])
    sent = list[Post]()
    while len(sent) < 12:
        try:
            sent.append(machines.send(account_id, key=f"key-{len(sent)}", queueIfLimited=True))
        except ServiceUnavailable:
            ports.clock.time += 1
    for call in ("open_upload", "status"):
        ports.tiktok.faults.after(call, LOST[0])
        ports.tiktok.faults.before(call, LOST[1])
    machines.run(5 * HOUR)
    assert {machines.post(post).status for post in sent} == {Status.PUBLISH_COMPLETE}
    assert len(ports.tiktok.public_posts) == 12
    ended = [machines.post(post) for post in sent]
    # A later attempt has the slot of the first one.
    began = [next(moment.at for moment in post.timeline if moment.step == "InitializePost") for post in ended]
    assert_never_more(sorted(began), 6, HOUR)
    assert slots(ports, account_id)[2] == 0


def test_a_status_that_tiktok_would_not_tell_this_minute_is_waited_for(machines, ports, account_id, asked):
    post = machines.send(account_id)
    machines.run(1)
    assert machines.entered("WaitForTikTok") != []
    for number in range(STATUS_PER_MINUTE):
        count_call(ports, account_id, TIKTOK_STATUS, str(number))
    machines.run(64)
    assert "status" not in [call for _, call in asked.calls]
    machines.run(MINUTE)
    assert machines.post(post).status is Status.PUBLISH_COMPLETE


# Holds: what TikTok refuses is not asked for again
HOLDS = {
    "spam_risk": (PublishingFailed, DAY, (POSTS, DRAFTS)),
    "spam_risk_user_banned_from_posting": (AccountDisabled, DAY, (POSTS, DRAFTS)),
    "spam_risk_too_many_posts": (PostLimitReached, HOUR, (POSTS,)),
    "reached_active_user_cap": (PostLimitReached, HOUR, (POSTS, DRAFTS)),
}


def refusal(code: str) -> PublisherError:
    return HOLDS[code][0](f"TikTok says {code}.", "Wait.", tiktok_code=code, tiktok_log_id="log-7")


@pytest.mark.parametrize("code", HOLDS)
@pytest.mark.parametrize("place", ["creator at intake", "creator", "open_upload"])
def test_while_a_refusal_holds_nothing_is_asked_and_afterwards_who_waits_goes(machines, account_id, asked, code, place):
    seconds = HOLDS[code][1]
    if place == "creator at intake":
        asked.before("creator", refusal(code))
        with pytest.raises(HOLDS[code][0]) as caught:
            machines.send(account_id)
        assert caught.value.tiktok_log_id == "log-7"
    else:
        first = machines.send(account_id)
        asked.before(place, refusal(code))
        machines.run(MINUTE)
        failed = machines.post(first)
        assert (failed.status, failed.failure.tiktok_code, failed.failure.tiktok_log_id) == (
            Status.FAILED, code, "log-7",
        )  # fmt: skip
        assert failed.failure.code == refusal(code).code
    until = next(at for at, call in asked.calls[::-1] if call == place.split()[0]) + seconds
    before = len(asked.calls)
    with pytest.raises(PostLimitReached, match=f"TikTok says {code}") as caught:
        machines.send(account_id)
    assert (caught.value.tiktok_log_id, caught.value.tiktok_code) == ("log-7", code)
    assert iso(until) in caught.value.message
    waits = machines.send(account_id, queueIfLimited=True)
    assert (waits.waits, waits.not_before) == (True, until)
    assert iso(until) in PostDetail.of(waits).message
    machines.run(until - machines.ports.clock.now() - 1)
    assert len(asked.calls) == before
    machines.run(5 * MINUTE)
    assert machines.post(waits).status is Status.PUBLISH_COMPLETE


@pytest.mark.parametrize("code", ["spam_risk", "spam_risk_user_banned_from_posting", "spam_risk_too_many_posts"])
def test_the_reason_why_a_post_failed_holds_those_after_it(machines, ports, account_id, code):
    ports.tiktok.fail_next_post(failure_of(code, "log-7").failure())
    first = machines.send(account_id)
    machines.run(5 * MINUTE)
    assert machines.post(first).failure.tiktok_code == code
    with pytest.raises(PostLimitReached):
        machines.send(account_id)
    assert machines.send(account_id, queueIfLimited=True).waits


def test_a_post_that_may_wait_and_is_refused_at_its_init_waits_and_goes_first_afterwards(machines, account_id, asked):
    first = machines.send(account_id, queueIfLimited=True)
    asked.before("open_upload", refusal("spam_risk_too_many_posts"))
    machines.run(MINUTE)
    assert (machines.post(first).status, machines.post(first).waits) == (Status.QUEUED, True)
    second = machines.send(account_id, queueIfLimited=True)
    machines.run(2 * HOUR)
    ended = [machines.post(post) for post in (first, second)]
    assert [post.status for post in ended] == [Status.PUBLISH_COMPLETE] * 2
    went = [next(moment.at for moment in post.timeline if moment.step == "UploadChunks") for post in ended]
    assert went == sorted(went)


def test_a_post_that_tiktok_refuses_for_72_hours_fails_with_tiktoks_reason(machines, ports, account_id, asked):
    post = machines.send(account_id, queueIfLimited=True)
    for _ in range(9):
        asked.before("creator", refusal("spam_risk_user_banned_from_posting"))
    machines.run(HOLD_SECONDS - HOUR)
    assert machines.post(post).waits
    machines.run(DAY + HOUR)
    ended = machines.post(post)
    assert ended.status is Status.FAILED
    assert (ended.failure.tiktok_code, ended.failure.tiktok_log_id) == (
        "spam_risk_user_banned_from_posting", "log-7",
    )  # fmt: skip
    assert len([call for _, call in asked.calls if call == "creator"]) <= 6, "once a day, and at intake"
    assert ports.tiktok.uploads == {}


def test_a_full_inbox_holds_drafts_and_no_posts(machines, account_id, asked):
    full = PostLimitReached(
        "The inbox is full.", "Post them.", tiktok_code="spam_risk_too_many_pending_share", tiktok_log_id="log-7"
    )
    asked.before("open_upload", full)
    machines.send(account_id, draft=True)
    machines.run(MINUTE)
    with pytest.raises(PostLimitReached, match="inbox is full"):
        machines.send(account_id, draft=True)
    post = machines.send(account_id)
    machines.run(5 * MINUTE)
    assert machines.post(post).status is Status.PUBLISH_COMPLETE


def test_a_refusal_that_is_about_drafts_fails_a_post_though_it_may_wait(machines, account_id, asked):
    post = machines.send(account_id, queueIfLimited=True)
    about_drafts = "spam_risk_too_many_pending_share"
    asked.before("open_upload", PostLimitReached("The inbox is full.", "Post them.", tiktok_code=about_drafts))
    machines.run(MINUTE)
    ended = machines.post(post)
    assert (ended.status, ended.failure.tiktok_code) == (Status.FAILED, about_drafts)


def test_the_apps_cap_holds_the_posts_of_every_account(machines, ports, account_id, asked):
    other = ports.connect().account_id
    first = machines.send(account_id)
    under_way = machines.send(other, queueIfLimited=True)
    asked.calls.clear()
    asked.before("creator", refusal("reached_active_user_cap"))
    machines.run(MINUTE)
    assert [call for _, call in asked.calls] == ["creator"]
    assert machines.post(first).status is Status.FAILED
    assert machines.post(under_way).waits
    with pytest.raises(PostLimitReached):
        machines.send(other)
    machines.run(2 * HOUR)
    assert machines.post(under_way).status is Status.PUBLISH_COMPLETE


def test_a_post_that_is_under_way_when_a_hold_begins_asks_tiktok_nothing_more(machines, account_id, asked):
    first, second = machines.send(account_id), machines.send(account_id)
    third = machines.send(account_id, queueIfLimited=True)
    asked.calls.clear()
    asked.before("open_upload", refusal("spam_risk"))
    machines.run(MINUTE)
    assert [call for _, call in asked.calls] == ["creator", "open_upload"]
    failed = [machines.post(post) for post in (first, second)]
    assert [(post.status, post.failure.tiktok_log_id) for post in failed] == [(Status.FAILED, "log-7")] * 2
    assert machines.post(third).not_before == pytest.approx(NOW + DAY, abs=MINUTE)
