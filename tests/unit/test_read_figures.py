"""Figures on request: kept for a while, asked for once however many ask, and not more often than the limit."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from publisher.domain.accounts import Account
from publisher.domain.errors import InvalidRequest, NotFound, PublisherError, RateLimitExceeded, ServiceUnavailable
from publisher.domain.limits import FIGURES_CACHE_SECONDS, FIGURES_LEASE_SECONDS, PERFORMANCE_PER_DAY
from publisher.domain.slots import PERFORMANCE, used
from publisher.use_cases.read_figures import read_figures, read_video, read_videos
from tests.fakes import FakePorts, Killed

LOST = ServiceUnavailable("TikTok did not answer.", "Try again.")


@pytest.fixture
def account(ports: FakePorts) -> Account:
    return ports.connect()


def read(ports: FakePorts, account: Account, *, left: float = 25) -> Any:
    return read_figures(ports, account.workspace_id, account.account_id, seconds_left=left)


def counted(ports: FakePorts, account: Account) -> int:
    return len(used(ports.slots.get(account.account_id), PERFORMANCE, ports.clock.now()))


def test_an_answer_is_kept_for_a_quarter_of_an_hour_and_does_not_count_then(ports: FakePorts, account: Account) -> None:
    (video_id,) = ports.tiktok.add_videos(account.open_id, 1)
    ports.tiktok.set_figures(video_id, view_count=5)
    first = read(ports, account)
    ports.tiktok.set_figures(video_id, view_count=6)
    ports.clock.sleep(FIGURES_CACHE_SECONDS - 1)
    kept = read(ports, account)
    assert (first.cached, kept.cached, kept.answer, kept.at) == (False, True, first.answer, first.at)
    ports.clock.sleep(1)
    fresh = read(ports, account)
    assert (fresh.cached, fresh.answer.videos[0].view_count) == (False, 6)
    assert counted(ports, account) == 2


def test_the_hundred_and_first_question_of_a_day_hears_when_it_may_be_asked(ports: FakePorts, account: Account) -> None:
    start = ports.clock.now()
    for number in range(PERFORMANCE_PER_DAY):  # one after the other, each about another page
        read_videos(ports, account.workspace_id, account.account_id, cursor=number + 1, limit=20, seconds_left=25)
    ports.clock.time = start + 86_000
    with pytest.raises(RateLimitExceeded) as refused:
        read(ports, account)
    assert (refused.value.limit, refused.value.retry_after) == ("performance", 400)
    ports.clock.time = start + 86_400
    assert not read(ports, account).cached


def test_of_racing_readers_one_asks_and_all_get_its_answer(
    ports: FakePorts, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock stands still: nineteen who each move it by waiting would let the one who asks seem dead.
    monkeypatch.setattr(ports.clock, "sleep", lambda _seconds: threading.Event().wait(0.001))
    ports.tiktok.add_videos(account.open_id, 3)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: read(ports, account), range(20)))
    assert len({answer.answer.model_dump_json() for answer in answers}) == 1
    assert [answer.cached for answer in answers].count(False) == 1
    assert counted(ports, account) == 1


@pytest.mark.parametrize("call", ["figures", "videos"])
def test_when_tiktok_fails_the_next_one_asks(ports: FakePorts, account: Account, call: str) -> None:
    ports.tiktok.faults.before(call, LOST)
    with pytest.raises(ServiceUnavailable):
        read(ports, account)
    assert not read(ports, account).cached


def test_when_the_asker_dies_the_next_one_asks_within_its_time(
    ports: FakePorts, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ports.metrics, "answer", die)
        with pytest.raises(Killed):
            read(ports, account)
    before = ports.clock.now()
    assert not read(ports, account).cached
    assert ports.clock.now() - before <= FIGURES_LEASE_SECONDS + 1


def test_nobody_waits_for_ever(ports: FakePorts, account: Account) -> None:
    ports.metrics.lease(account.account_id, "figures", ports.clock.now() + 3600)
    before = ports.clock.now()
    with pytest.raises(ServiceUnavailable) as refused:
        read(ports, account, left=10)
    assert refused.value.retry_after
    assert ports.clock.now() - before <= 10


def test_an_answer_that_could_not_be_kept_is_told_all_the_same(ports: FakePorts, account: Account) -> None:
    ports.metrics.faults.before("answer", LOST)
    assert not read(ports, account).cached


def test_what_a_missing_scope_hides_is_none_and_named(ports: FakePorts) -> None:
    account = ports.connect(scopes=("user.info.basic", "video.publish"))
    seen = read(ports, account)
    assert seen.missing_scopes == ("user.info.stats", "video.list")
    assert (seen.answer.videos, seen.answer.account.follower_count) == (None, None)
    page = read_videos(ports, account.workspace_id, account.account_id, cursor=None, limit=20, seconds_left=25)
    assert page.answer.page is None


def test_a_creator_who_allows_more_is_answered_more_at_once(ports: FakePorts, account: Account) -> None:
    ports.accounts.save(account.model_copy(update={"scopes": ("user.info.basic", "user.info.stats")}))
    assert read(ports, account).answer.videos is None
    known = ports.accounts.get(account.account_id)
    assert known is not None
    ports.accounts.save(known.model_copy(update={"scopes": account.scopes}))
    assert read(ports, account).answer.videos == ()


def test_a_question_that_tiktok_was_not_asked_does_not_count(ports: FakePorts, account: Account) -> None:
    ports.vault.faults.before("unseal", LOST)
    with pytest.raises(ServiceUnavailable):
        read(ports, account)
    assert counted(ports, account) == 0


def test_a_token_that_dies_meanwhile_costs_one_question(ports: FakePorts, account: Account) -> None:
    ports.tiktok.expire_access_tokens()
    read(ports, account)
    assert counted(ports, account) == 1


def test_without_the_scope_for_figures_an_unknown_video_is_still_not_there(ports: FakePorts) -> None:
    account = ports.connect(scopes=("user.info.basic", "video.list"))
    with pytest.raises(NotFound):
        read_video(ports, account.workspace_id, account.account_id, "7" * 19, seconds_left=25)


def test_pages_lead_through_all_videos(ports: FakePorts, account: Account) -> None:
    made = ports.tiktok.add_videos(account.open_id, 45)
    cursor, seen = None, []
    while True:
        page = read_videos(
            ports, account.workspace_id, account.account_id, cursor=cursor, limit=20, seconds_left=25
        ).answer.page
        assert page is not None
        seen += [video.video_id for video in page.videos]
        if not page.has_more:
            break
        cursor = page.cursor
    assert seen == made[::-1]


def test_one_video_is_found_and_another_creators_is_not(ports: FakePorts, account: Account) -> None:
    (own,), (other,) = ports.tiktok.add_videos(account.open_id, 1), ports.tiktok.add_videos("somebody", 1)
    found, ages = read_video(ports, account.workspace_id, account.account_id, own, seconds_left=25)
    assert found.answer.video is not None
    assert set(ages) == {"1h", "6h", "24h", "72h", "7d"}
    for video_id, error in ((other, NotFound), ("x", InvalidRequest), ("1" * 30, InvalidRequest)):
        with pytest.raises(error):
            read_video(ports, account.workspace_id, account.account_id, video_id, seconds_left=25)


def test_another_workspaces_account_is_not_there(ports: FakePorts, account: Account) -> None:
    with pytest.raises(NotFound):
        read_figures(ports, "workspace-2", account.account_id, seconds_left=25)


def test_reading_plans_the_accounts_collection(ports: FakePorts, account: Account) -> None:
    read(ports, account)
    assert ports.metrics.due(ports.clock.now(), 10) == [account.account_id]


def test_a_plan_that_cannot_be_kept_refuses_nobody(ports: FakePorts, account: Account) -> None:
    ports.metrics.faults.before("plan", LOST)
    assert isinstance(LOST, PublisherError)
    assert not read(ports, account).cached
