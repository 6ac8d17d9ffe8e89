"""Posts and their account's limits on the way through the machine: turns, waiting, holds, and slots given back."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from publisher.api import PostAnswer
from publisher.domain.errors import (
    AccountDisabled,
    InvalidToken,
    PostLimitReached,
    PublisherError,
    PublishingFailed,
    RateLimitExceeded,
    ServiceUnavailable,
    Timeout,
    TokenExpired,
)
from publisher.domain.limits import HOLD_SECONDS, TURN_WAIT_SECONDS
from publisher.domain.posts import Post, Status
from publisher.domain.slots import APP, PUBLISH, TIKTOK_DRAFTS, TIKTOK_INIT, TIKTOK_POSTS, promised, used
from publisher.use_cases.create_post import create_post
from publisher.use_cases.get_quota import get_quota
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from publisher.use_cases.take_turn import take_slots
from tests.builders import NOW, a_post
from tests.fakes import FakePorts, Faults, Killed
from tests.unit.work import FILM, PHOTOS, URL, Interruptions, Work, picture, points

MINUTE, HOUR, DAY = 60, 3600, 86400
BANNED = AccountDisabled(
    "TikTok has banned the creator.", "He appeals.", tiktok_code="spam_risk_user_banned_from_posting",
    tiktok_log_id="log-7",
)  # fmt: skip
CAPPED = PostLimitReached(
    "The creator has reached the cap.", "Wait.", tiktok_code="spam_risk_too_many_posts", tiktok_log_id="log-7",
    retry_after=DAY,
)  # fmt: skip
SPAM = PublishingFailed("It is spam.", "Change it.", tiktok_code="spam_risk", tiktok_log_id="log-7")
APP_CAPPED = PostLimitReached(
    "The app is full.", "Wait.", tiktok_code="reached_active_user_cap", tiktok_log_id="log-7", retry_after=DAY
)
INBOX_FULL = PostLimitReached(
    "The inbox is full.", "Empty it.", tiktok_code="spam_risk_too_many_pending_share", tiktok_log_id="log-7",
    retry_after=DAY,
)  # fmt: skip
CERTAIN = [
    RateLimitExceeded("Too many calls.", "Wait.", retry_after=60),
    PublishingFailed("TikTok refused the post.", "Change it."),
    InvalidToken("The scope was not granted.", "Grant it."),
    BANNED, CAPPED, SPAM, APP_CAPPED,
]  # fmt: skip
UNCLEAR = [ServiceUnavailable("TikTok answered 500.", "Try again."), Timeout("No answer.", "Try again.")]


class Calls(Faults):
    """TikTok's faults, and which of its calls were made."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        self.made.append(call)
        with super().around(call):
            yield


class Channel(Work):
    """An account whose posts come in over the API and are moved by executions, schedules and the sweep."""

    def __init__(self, ports: FakePorts) -> None:
        super().__init__(ports)
        self.calls = ports.tiktok.faults = Calls()
        self.ran: set[str] = set()
        ports.fetcher.media[URL] = FILM
        for number, url in enumerate(PHOTOS, start=1):
            ports.fetcher.media[url] = picture(number)

    def send(self, *, urls: object = URL, draft: bool = False, **more: object) -> str:
        """A caller who does not wait sends a post."""
        content = {"text": "A rabbit. #a #b #c", "mediaUrls": urls, "platform": "tiktok"}
        choice: dict[str, object] = {"draft": True} if draft else {"privacyLevel": "PUBLIC_TO_EVERYONE"}
        body = {"post": {"accountId": self.account.account_id, "content": content, "tiktokOptions": choice}, **more}
        accepted = create_post(self.ports, "workspace-1", body, idempotency_key=None, seconds_left=29, patient=True)
        self.post_id = accepted.post.post_id
        return self.post_id

    def send_waiting(self, count: int) -> list[str]:
        """So many posts that may wait, not faster than TikTok lets us ask about their creator."""
        sent = []
        for _ in range(count):
            sent.append(self.send(queueIfLimited=True))
            self.ports.clock.time += 4
        return sent

    def of(self, post_id: str) -> Post:
        self.post_id = post_id
        return self.post

    def run_started(self) -> None:
        """Every execution that was started runs to its end."""
        for name, post in list(self.ports.executions.started.items()):
            if name not in self.ran:
                self.ran.add(name)
                self.post_id = post.post_id
                self.go_on()
                self.ports.executions.end(post)

    def let_pass(self, seconds: float, *, schedules: bool = True) -> None:
        """Time passes: schedules fire, the sweep comes each minute, and what they start runs."""
        end = self.ports.clock.time + seconds
        while self.ports.clock.time < end:
            planned = min((at for _, at in self.ports.schedules.planned), default=end) if schedules else end
            here = self.ports.clock.time
            self.ports.clock.time = min(end, here + MINUTE, max(here, float(planned)) if planned > here else end)
            due = [one for one in self.ports.schedules.planned if one[1] <= self.ports.clock.time] if schedules else []
            for post_id, at in sorted(due, key=lambda one: one[1]):
                self.ports.schedules.planned.discard((post_id, at))
                start_due(self.ports, post_id)
                self.run_started()
            assert sweep(self.ports, seconds_left=lambda: 100).errors == {}
            self.run_started()

    def taken(self, window: object = PUBLISH) -> int:
        usage = self.ports.slots.get(self.account.account_id)
        return len(used(usage, window, self.ports.clock.now()))  # type: ignore[arg-type]

    def owed(self) -> int:
        return promised(self.ports.slots.get(self.account.account_id), PUBLISH, self.ports.clock.now())

    def offers(self) -> list[str]:
        """Carousels whose pictures TikTok has not pulled."""
        return [one.publish_id for one in self.ports.tiktok.carousels.values() if not one.pulled]

    @property
    def opened(self) -> list[float]:
        return [upload.opened_at for upload in self.uploads]


@pytest.fixture
def channel(ports: FakePorts) -> Channel:
    return Channel(ports)


# Slots
def test_a_post_that_fails_in_download_gives_its_place_up_at_once(channel):
    channel.send(urls="https://media.example/gone.mp4")
    assert (channel.owed(), channel.taken()) == (1, 0)
    channel.run_started()
    assert channel.post.status is Status.FAILED
    assert (channel.owed(), channel.taken()) == (0, 0)


def test_a_published_post_has_taken_one_slot_of_each_limit_and_leaves_no_place(channel):
    channel.send()
    channel.run_started()
    assert channel.post.status is Status.PUBLISH_COMPLETE
    assert [channel.taken(window) for window in (PUBLISH, TIKTOK_POSTS, TIKTOK_DRAFTS)] == [1, 1, 0]
    assert channel.owed() == 0


@pytest.mark.parametrize("urls", [URL, list(PHOTOS)], ids=["video", "photos"])
@pytest.mark.parametrize("refusal", CERTAIN, ids=lambda error: f"{type(error).__name__}-{error.tiktok_code}")
def test_a_certain_refusal_gives_the_slots_back_and_leaves_the_call_counted(channel, refusal, urls):
    channel.send(urls=urls)
    channel.run("DownloadMedia")
    if urls != URL:
        channel.run("ConvertPhotos")
    channel.calls.before("open_upload" if urls == URL else "open_carousel", refusal)
    with pytest.raises(type(refusal)):
        channel.run("InitializePost")
    assert [channel.taken(window) for window in (PUBLISH, TIKTOK_POSTS, TIKTOK_INIT)] == [0, 0, 1]
    assert channel.owed() == 1


@pytest.mark.parametrize("lost", UNCLEAR, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("late", [False, True])
def test_an_answer_that_was_lost_keeps_the_slots_and_the_next_attempt_takes_no_other(channel, lost, late):
    channel.send()
    channel.run("DownloadMedia")
    (channel.calls.after if late else channel.calls.before)("open_upload", lost)
    with pytest.raises(type(lost)):
        channel.run("InitializePost")
    assert (channel.taken(), channel.taken(TIKTOK_INIT)) == (1, 1)
    channel.go_on()
    assert channel.post.status is Status.PUBLISH_COMPLETE
    assert (channel.taken(), channel.taken(TIKTOK_POSTS), channel.taken(TIKTOK_INIT)) == (1, 1, 2)


def test_a_token_that_died_costs_a_call_and_one_slot(channel):
    channel.send()
    channel.run("DownloadMedia")
    channel.calls.before("open_upload", TokenExpired("The token is dead.", "Refresh it."))
    channel.run("InitializePost")
    assert (channel.taken(), channel.taken(TIKTOK_INIT), len(channel.uploads)) == (1, 2, 1)


@pytest.mark.parametrize("point", points(16), ids=str)
@pytest.mark.parametrize("urls", [URL, list(PHOTOS)], ids=["video", "photos"])
def test_killed_between_any_two_effects_and_redriven_a_post_has_one_slot(channel, urls, point):
    def kill() -> None:
        raise Killed

    channel.send(urls=urls)
    channel.run("DownloadMedia")
    if urls != URL:
        channel.run("ConvertPhotos")
    interruptions = Interruptions(channel.ports)
    interruptions.at({point: kill})
    try:
        channel.run("InitializePost")
    except Killed:
        pass
    else:
        assert point[0] >= len(interruptions.seen)
    interruptions.at({})
    channel.go_on(lambda: [channel.ports.tiktok.pull(one, channel.ports.photo_host) for one in channel.offers()])
    assert channel.post.status is Status.PUBLISH_COMPLETE
    assert (channel.taken(), channel.taken(TIKTOK_POSTS), channel.owed()) == (1, 1, 0)


def test_a_draft_takes_a_slot_of_drafts_and_gives_it_back_when_its_creator_has_finished_it(channel):
    draft = channel.send(draft=True)
    channel.run_started()
    assert channel.of(draft).status is Status.SEND_TO_USER_INBOX
    assert [channel.taken(window) for window in (TIKTOK_DRAFTS, PUBLISH)] == [1, 0]
    channel.ports.tiktok.finish_draft(channel.post.publish_id)
    channel.let_pass(600)
    assert channel.of(draft).status is Status.PUBLISH_COMPLETE
    assert channel.taken(TIKTOK_DRAFTS) == 0


# Waiting for a turn
@pytest.mark.parametrize("schedules", [True, False], ids=["by schedules", "by the sweep alone"])
def test_posts_that_wait_go_when_their_turn_comes_in_the_order_in_which_they_came(channel, schedules):
    sent = channel.send_waiting(14)
    channel.run_started()
    assert len(channel.uploads) == 6
    channel.let_pass(2 * HOUR + 10 * MINUTE, schedules=schedules)
    began = [moment.at for one in sent for moment in channel.of(one).timeline if moment.step == "InitializePost"]
    assert (len(began), began) == (14, sorted(began))
    assert {channel.of(one).status for one in sent} == {Status.PUBLISH_COMPLETE}
    assert all(later - sooner >= HOUR for sooner, later in zip(channel.opened, channel.opened[6:], strict=False))
    assert channel.opened[-1] - channel.opened[0] < 2 * HOUR + 5 * MINUTE


def test_no_more_than_15_go_in_a_day(channel):
    sent = channel.send_waiting(18)
    channel.run_started()
    channel.let_pass(5 * HOUR)
    assert len(channel.uploads) == 15
    channel.let_pass(20 * HOUR)
    assert {channel.of(one).status for one in sent} == {Status.PUBLISH_COMPLETE}
    assert channel.opened[15] - channel.opened[0] >= DAY


def test_a_post_that_comes_while_others_wait_does_not_overtake_them(channel):
    channel.send_waiting(8)
    channel.run_started()
    channel.ports.clock.time = NOW + HOUR + 10 * MINUTE  # slots are free, and their owners have not come for them
    for _ in range(4):
        channel.send()
        channel.ports.clock.time += 4
    with pytest.raises(PostLimitReached):
        channel.send()


def test_a_turn_that_is_near_is_waited_for_in_the_machine(channel):
    for number in range(6):
        take_slots(channel.ports, a_post(account_id=channel.account.account_id), TIKTOK_INIT)
        channel.ports.clock.time += number
    channel.ports.clock.time = NOW + HOUR - TURN_WAIT_SECONDS
    channel.send(queueIfLimited=True)
    channel.run("DownloadMedia")
    made = len(channel.calls.made)
    step = channel.run("InitializePost")
    assert (step.next, step.wait_seconds) == ("WaitForTurn", TURN_WAIT_SECONDS)
    assert channel.calls.made[made:] == []
    channel.go_on()
    assert channel.opened == [NOW + HOUR]


def test_an_init_too_many_in_a_minute_waits_in_the_machine_and_is_then_made(channel):
    sent = [channel.send() for _ in range(6)]
    for one in sent:
        channel.of(one)
        channel.run("DownloadMedia")
        channel.run("InitializePost")
    draft = channel.send(draft=True)
    channel.of(draft)
    channel.run("DownloadMedia")
    step = channel.run("InitializePost")
    assert (step.next, step.wait_seconds, channel.taken(TIKTOK_DRAFTS)) == ("WaitForTurn", 65, 0)
    channel.ports.clock.sleep(step.wait_seconds)
    assert channel.run("InitializePost").next == "UploadChunks"


def test_a_scheduled_post_over_the_limit_waits_though_nobody_said_so(channel):
    scheduled = channel.send(scheduledTime="2026-09-21T14:43:20Z")  # in half an hour
    channel.ports.clock.time += 20 * MINUTE
    for _ in range(6):
        channel.send()
    channel.run_started()
    channel.let_pass(15 * MINUTE)
    waiting = channel.of(scheduled)
    assert (waiting.status, waiting.not_before is not None) == (Status.QUEUED, True)
    channel.let_pass(HOUR)
    assert channel.of(scheduled).status is Status.PUBLISH_COMPLETE


def test_a_scheduled_post_over_the_limit_fails_when_it_may_not_wait(channel):
    scheduled = channel.send(scheduledTime="2026-09-21T14:43:20Z", queueIfLimited=False)
    channel.ports.clock.time += 20 * MINUTE
    for _ in range(6):
        channel.send()
    channel.run_started()
    channel.let_pass(15 * MINUTE)
    post = channel.of(scheduled)
    assert (post.status, post.failure and post.failure.code) == (Status.FAILED, "RateLimitExceeded")
    assert post.failure.limit == "publish"
    assert "2026-09-21T15:3" in post.failure.message


# Holds
def next_posts_call_nobody_until(channel: Channel, until: float, log_id: str | None = "log-7") -> str:
    """Posts that may not wait are refused and told why, one that may is taken in; TikTok is asked nothing."""
    made = len(channel.calls.made)
    with pytest.raises(PublisherError) as caught:
        channel.send()
    assert (caught.value.tiktok_log_id, caught.value.code) == (log_id, "RateLimitExceeded")
    assert caught.value.retry_after == int(until - channel.ports.clock.now())
    waiting = channel.send(queueIfLimited=True)
    assert channel.of(waiting).not_before == until
    assert "waits for its turn, not before" in PostAnswer.of(channel.post).message
    quota = get_quota(channel.ports, "workspace-1", channel.account.account_id)
    assert quota.hold is not None
    assert quota.hold.until == until
    channel.run_started()
    assert channel.calls.made[made:] == []
    return waiting


@pytest.mark.parametrize("refusal", [BANNED, CAPPED, SPAM, APP_CAPPED], ids=lambda error: error.tiktok_code)
def test_a_creator_who_cannot_post_is_noticed_at_intake(channel, refusal):
    channel.ports.tiktok.creator_answer = refusal
    with pytest.raises(type(refusal)) as caught:
        channel.send()
    assert caught.value is refusal
    held = NOW + (HOUR if refusal in (CAPPED, APP_CAPPED) else DAY)
    waiting = next_posts_call_nobody_until(channel, held)
    channel.ports.tiktok.creator_answer = Channel(FakePorts()).ports.tiktok.creator_answer
    channel.let_pass(held - NOW + 10)
    assert channel.of(waiting).status is Status.PUBLISH_COMPLETE


def test_a_post_that_may_wait_is_taken_in_although_its_creator_cannot_post_now(channel):
    channel.ports.tiktok.creator_answer = BANNED
    waiting = channel.send(queueIfLimited=True)
    assert channel.of(waiting).not_before == NOW + DAY
    assert any("asked again" in warning for warning in channel.post.warnings)


@pytest.mark.parametrize("refusal", [BANNED, CAPPED, SPAM, APP_CAPPED], ids=lambda error: error.tiktok_code)
def test_a_refusal_at_init_holds_the_post_and_those_after_it(channel, refusal):
    first = channel.send(queueIfLimited=True)
    channel.calls.before("open_upload", refusal)
    channel.run_started()
    held = channel.of(first).not_before
    assert channel.post.status is Status.QUEUED
    assert held == pytest.approx(NOW + (HOUR if refusal in (CAPPED, APP_CAPPED) else DAY), abs=MINUTE)
    assert channel.taken() == 0
    second = next_posts_call_nobody_until(channel, held)
    channel.let_pass(held - NOW + 2 * MINUTE)
    assert [channel.of(one).status for one in (first, second)] == [Status.PUBLISH_COMPLETE] * 2


def test_a_refusal_at_init_fails_a_post_that_may_not_wait(channel):
    post_id = channel.send()
    channel.calls.before("open_upload", BANNED)
    channel.run_started()
    assert (channel.of(post_id).status, channel.post.failure.code) == (Status.FAILED, "AccountDisabled")
    assert (channel.taken(), channel.owed()) == (0, 0)


@pytest.mark.parametrize("refusal", [BANNED, CAPPED, SPAM], ids=lambda error: error.tiktok_code)
def test_a_refusal_as_the_reason_of_a_failure_holds_those_that_come_after(channel, refusal):
    channel.ports.tiktok.fail_next_post(refusal.failure())
    failed = channel.send(queueIfLimited=True)
    channel.run_started()
    assert (channel.of(failed).status, channel.taken()) == (Status.FAILED, 1)
    hold = channel.ports.slots.get(channel.account.account_id).holds["posts"]
    next_posts_call_nobody_until(channel, hold.until)


def test_a_full_inbox_holds_drafts_alone(channel):
    draft = channel.send(draft=True, queueIfLimited=True)
    channel.calls.before("open_upload", INBOX_FULL)
    channel.run_started()
    assert channel.of(draft).not_before is not None
    published = channel.send()
    channel.run_started()
    assert channel.of(published).status is Status.PUBLISH_COMPLETE


def test_a_cap_of_the_app_holds_all_accounts(channel):
    other = Channel(channel.ports)
    channel.send(queueIfLimited=True)
    channel.calls = other.calls
    channel.calls.before("open_upload", APP_CAPPED)
    channel.run_started()
    until = channel.ports.slots.get(APP).holds["posts"].until
    next_posts_call_nobody_until(other, until)


def test_when_a_hold_is_over_one_is_tried_and_holds_the_others_again(channel):
    sent = channel.send_waiting(3)
    channel.ports.tiktok.creator_answer = BANNED
    channel.run_started()
    channel.let_pass(DAY - MINUTE)
    made = channel.calls.made.count("creator")
    channel.let_pass(3 * MINUTE)
    assert channel.calls.made.count("creator") == made + 1
    assert all(channel.of(one).not_before > channel.ports.clock.now() + DAY - 5 * MINUTE for one in sent)


@pytest.mark.parametrize("where", ["creator", "open_upload"])
def test_after_72_hours_a_post_that_waits_for_tiktok_fails_with_tiktoks_reason(channel, where):
    post_id = channel.send(queueIfLimited=True)
    for _ in range(9):
        channel.calls.before(where, BANNED)
    channel.run_started()
    channel.let_pass(HOLD_SECONDS - HOUR)
    assert channel.of(post_id).status is Status.QUEUED
    channel.let_pass(DAY)
    post = channel.of(post_id)
    assert (post.status, post.failure.error, post.failure.tiktok_log_id) == (Status.FAILED, BANNED.error, "log-7")
    assert channel.owed() == 0


def test_posts_that_wait_for_their_own_turn_are_not_ended_after_72_hours(channel):
    sent = channel.send_waiting(56)
    channel.run_started()
    channel.let_pass(4 * DAY)
    assert {channel.of(one).status for one in sent} == {Status.PUBLISH_COMPLETE}
    assert all(later - sooner >= DAY for sooner, later in zip(channel.opened, channel.opened[15:], strict=False))
    assert all(one <= two for one, two in pairwise(channel.opened))
