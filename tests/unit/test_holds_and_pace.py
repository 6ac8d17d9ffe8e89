"""What makes posts wait but a full hour: calls that TikTok counts, and its refusals, wherever they are heard."""

from itertools import pairwise

import pytest

from publisher.domain.errors import AccountDisabled, PostLimitReached, TokenExpired
from publisher.domain.posts import Hint, Post, Status, hinted
from publisher.domain.slots import PUBLISH, TIKTOK_DRAFTS, TIKTOK_INIT, used
from publisher.use_cases.sweep import sweep
from tests.builders import NOW
from tests.fakes import FakePorts
from tests.unit.machines import Machines
from tests.unit.work import FILM, URL, Work

MINUTE, HOUR, DAY = 60, 3600, 86400
BANNED = AccountDisabled(
    "TikTok has banned the creator.",
    "He appeals.",
    tiktok_code="spam_risk_user_banned_from_posting",
    tiktok_log_id="log-7",
)


@pytest.fixture
def machines(ports: FakePorts) -> Machines:
    ports.fetcher.media[URL] = FILM
    return Machines(ports)


@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


def taken(ports: FakePorts, account_id: str, window=PUBLISH) -> int:
    return len(used(ports.slots.get(account_id), window, ports.clock.now()))


def send_waiting(machines: Machines, account_id: str, count: int) -> list[Post]:
    """So many posts that may wait, not faster than TikTok lets us ask about their creator."""
    sent = []
    for _ in range(count):
        sent.append(machines.send(account_id, queueIfLimited=True))
        machines.run(4)
    return sent


def test_a_token_that_died_costs_a_second_call_and_no_second_slot(machines, ports, account_id):
    machines.send(account_id)
    ports.tiktok.faults.before("open_upload", TokenExpired("The token is dead.", "Refresh it."))
    machines.run(MINUTE)
    assert [taken(ports, account_id, window) for window in (PUBLISH, TIKTOK_INIT)] == [1, 2]


def test_the_seventh_init_within_a_minute_waits_in_the_machine_and_takes_no_slot_before(machines, ports, account_id):
    for _ in range(6):
        machines.send(account_id)
    machines.run(1)
    draft = machines.send(account_id, draft=True)
    machines.run(MINUTE)
    assert machines.entered("WaitForTurn") == [NOW + 1]
    assert (taken(ports, account_id, TIKTOK_DRAFTS), len(ports.tiktok.uploads)) == (0, 6)
    machines.run(MINUTE)
    assert machines.post(draft).status is Status.SEND_TO_USER_INBOX


def test_a_scheduled_post_over_the_limit_waits_though_nobody_said_so(machines, account_id):
    scheduled = machines.send(account_id, scheduledTime="2026-09-21T14:43:20Z")
    machines.run(29 * MINUTE)
    for _ in range(6):
        machines.send(account_id)
    machines.run(MINUTE + 30)
    assert (machines.post(scheduled).status, machines.post(scheduled).not_before) == (
        Status.QUEUED,
        NOW + HOUR + 29 * MINUTE,
    )
    machines.run(HOUR)
    assert machines.post(scheduled).status is Status.PUBLISH_COMPLETE


def test_a_post_that_may_wait_is_taken_in_although_its_creator_cannot_post_now(machines, ports, account_id):
    may_post, ports.tiktok.creator_answer = ports.tiktok.creator_answer, BANNED
    with pytest.raises(AccountDisabled, match="banned"):
        machines.send(account_id)
    with pytest.raises(PostLimitReached, match="banned") as caught:
        machines.send(account_id)  # TikTok is not asked again
    assert (caught.value.tiktok_log_id, caught.value.retry_after) == ("log-7", DAY)
    waiting = machines.send(account_id, queueIfLimited=True)
    assert waiting.not_before == NOW + DAY
    assert any("asked again" in warning for warning in waiting.warnings)
    ports.tiktok.creator_answer = may_post
    machines.run(DAY + MINUTE)
    assert machines.post(waiting).status is Status.PUBLISH_COMPLETE


def test_a_post_that_may_not_wait_fails_when_tiktok_refuses_it_and_leaves_nothing_behind(machines, ports, account_id):
    post = machines.send(account_id)
    ports.tiktok.faults.before("open_upload", BANNED)
    machines.run(MINUTE)
    failed = machines.post(post)
    assert (failed.status, failed.failure.code, failed.failure.tiktok_log_id) == (
        Status.FAILED,
        "AccountDisabled",
        "log-7",
    )
    assert (taken(ports, account_id), ports.slots.get(account_id).lines["posts"]) == (0, ())


def test_a_reason_to_fail_that_an_event_made_us_ask_for_holds_those_after_it(ports):
    ports.fetcher.media[URL] = FILM
    ports.tiktok.fail_next_post(BANNED.failure())
    ports.tiktok.processing_polls = 0
    work = Work(ports)
    ports.executions.start(work.accept())
    for step in ("DownloadMedia", "InitializePost", "UploadChunks"):
        work.run(step)
    ports.posts.save(hinted(work.post, Hint(at=NOW)))
    sweep(ports, seconds_left=lambda: 100)
    assert work.post.status is Status.FAILED
    assert Machines(ports).send(work.account.account_id, queueIfLimited=True).not_before == NOW + DAY


def test_a_ban_that_lasts_holds_all_that_wait_again_and_no_init_is_made(machines, ports, account_id):
    ports.tiktok.creator_answer, may_post = BANNED, ports.tiktok.creator_answer
    sent = send_waiting(machines, account_id, 3)
    machines.run(DAY + MINUTE)
    assert all(machines.post(one).not_before >= NOW + 2 * DAY for one in sent)
    assert ports.tiktok.uploads == {}
    ports.tiktok.creator_answer = may_post
    machines.run(DAY + MINUTE)
    assert {machines.post(one).status for one in sent} == {Status.PUBLISH_COMPLETE}


def test_posts_that_wait_for_their_own_turn_are_not_ended_after_72_hours(machines, ports, account_id):
    sent = send_waiting(machines, account_id, 56)
    machines.sweeps = False
    machines.run(4 * DAY)
    assert {machines.post(one).status for one in sent} == {Status.PUBLISH_COMPLETE}
    opened = [upload.opened_at for upload in ports.tiktok.uploads.values()]
    assert all(later - sooner >= DAY for sooner, later in zip(opened, opened[15:], strict=False))
    assert all(one <= two for one, two in pairwise(opened))
