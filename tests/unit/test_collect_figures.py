"""Figures kept over time: each account once a day and young videos at their ages, whatever dies in between."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from publisher.domain.accounts import Account
from publisher.domain.errors import Busy, ServiceUnavailable, TokenExpired
from publisher.domain.history import date_of, slot_of
from publisher.domain.limits import COLLECT_MIN_SECONDS, COLLECTED_VIDEOS
from publisher.domain.posts import Status
from publisher.use_cases.collect_figures import collect_figures
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.read_history import read_history
from tests.builders import a_post
from tests.fakes import FakePorts, Killed

DAY = 86400


@pytest.fixture
def account(ports: FakePorts) -> Account:
    account = ports.connect()
    ports.metrics.plan(account.account_id, ports.clock.now())
    return account


def collect(ports: FakePorts, left: float = 280) -> int:
    return collect_figures(ports, seconds_left=lambda: left).looked_after


def days(ports: FakePorts, account: Account) -> list[str]:
    found = ports.metrics.days(account.account_id, "0000-01-01", "9999-12-31")
    return [day.date for day in found]


def ticks(ports: FakePorts, seconds: float, every: float = 300) -> Iterator[float]:
    """The schedule's ticks for a while."""
    until = ports.clock.now() + seconds
    while ports.clock.now() < until:
        yield ports.clock.now()
        ports.clock.sleep(every)


def test_a_week_has_a_record_for_each_day_and_calls_tiktok_little_more(ports: FakePorts, account: Account) -> None:
    ports.tiktok.add_videos(account.open_id, 3, days=1)
    runs = 0
    for _ in ticks(ports, 7 * DAY):
        runs += collect(ports)
    assert len(days(ports, account)) in (7, 8)
    assert runs <= 8 + 3 * 5  # once a day, and each video at each of its five ages
    (*_, last) = ports.metrics.days(account.account_id, "0000-01-01", "9999-12-31")
    assert len(last.videos) == 3
    assert last.figures.video_count == 3


def test_a_video_is_looked_at_when_it_comes_to_an_age(ports: FakePorts, account: Account) -> None:
    collect(ports)
    (video_id,) = ports.tiktok.add_videos(account.open_id, 1, days=0)
    born = ports.clock.now()
    ports.metrics.plan(account.account_id, born + 60)  # as a publication of ours does, or a reader
    for now in ticks(ports, 8 * DAY):
        ports.tiktok.set_figures(video_id, view_count=int(now - born))
        if now - born < 1200:
            ports.metrics._collected.pop(account.account_id, None)  # a day's look finds it while it is young
        collect(ports)
    track = ports.metrics.get(account.account_id).tracks[video_id]
    for name, age in {"1h": 3600, "6h": 21600, "24h": 86400, "72h": 259200, "7d": 604800}.items():
        assert abs(track.ages[name].views - age) <= 600


def test_accounts_are_spread_over_the_day(ports: FakePorts) -> None:
    accounts = [
        ports.connect(account_id=f"{number:08d}-0000-4000-8000-000000000000", open_id=f"open-{number}")
        for number in range(40)
    ]
    for account in accounts:
        ports.metrics.plan(account.account_id, ports.clock.now())
    collect(ports)
    collected_at: dict[str, float] = {}
    for now in ticks(ports, DAY):
        collect(ports)
        for account in accounts:
            at = ports.metrics.get(account.account_id).at or 0
            if at == now:
                collected_at[account.account_id] = at % DAY
    assert len(collected_at) == 40
    assert all(0 <= at - slot_of(account_id) < 300 or at < 300 for account_id, at in collected_at.items())


CALLS = [
    ("metrics", "get"),
    ("metrics", "save"),
    ("metrics", "record"),
    ("metrics", "put_off"),
    ("tiktok", "figures"),
    ("tiktok", "videos"),
    ("posts", "find"),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [Killed, lambda: ServiceUnavailable("No answer.", "Try again.")])
def test_a_run_that_died_anywhere_is_made_up_for_by_the_next(
    ports: FakePorts, account: Account, call: tuple[str, str], late: bool, error: type[BaseException]
) -> None:
    ports.tiktok.add_videos(account.open_id, 30)
    port, name = call
    faults = getattr(ports, port).faults
    (faults.after if late else faults.before)(name, error())
    with suppress(Killed):
        collect(ports)
    ports.clock.sleep(1000)
    collect(ports)
    assert days(ports, account) == [date_of(ports.clock.now())]
    assert len(ports.metrics.get(account.account_id).tracks) == 30
    assert ports.metrics.due(ports.clock.now(), 10) == []


def test_one_account_that_cannot_be_read_stops_no_other_and_is_passed_over_for_a_day(ports: FakePorts) -> None:
    bad, good = ports.connect(open_id="bad"), ports.connect(account_id="good", open_id="good")
    for at, account in enumerate((bad, good)):
        ports.metrics.plan(account.account_id, ports.clock.now() + at)
    ports.clock.sleep(2)
    ports.tiktok.faults.before("figures", TokenExpired("Refused.", "Connect again."))
    ports.tiktok.faults.before("figures", TokenExpired("Refused.", "Connect again."))
    collect_figures(ports, seconds_left=lambda: 280)
    assert days(ports, good) != []
    assert days(ports, bad) == []
    assert bad.account_id not in ports.metrics.due(ports.clock.now() + DAY - 10, 10)
    assert bad.account_id in ports.metrics.due(ports.clock.now() + DAY + 10, 10)


def test_a_disconnected_account_is_collected_no_more(ports: FakePorts, account: Account) -> None:
    collect(ports)
    disconnect(ports, account.workspace_id, account.account_id, seconds_left=25)
    ports.clock.sleep(2 * DAY)
    collect(ports)
    assert len(days(ports, account)) == 1
    assert ports.metrics.due(ports.clock.now() + 100 * DAY, 10) == []


def test_a_run_that_is_short_of_time_leaves_the_rest_to_the_next(ports: FakePorts) -> None:
    for number in range(3):
        account = ports.connect(account_id=f"account-{number}", open_id=f"open-{number}")
        ports.metrics.plan(account.account_id, ports.clock.now())
    left = iter([280.0, 280.0, COLLECT_MIN_SECONDS - 1.0])
    assert collect_figures(ports, seconds_left=lambda: next(left)).looked_after == 1
    assert collect(ports) == 2


def test_the_newest_videos_are_kept_and_no_more_than_so_many(ports: FakePorts, account: Account) -> None:
    made = ports.tiktok.add_videos(account.open_id, COLLECTED_VIDEOS + 30)
    collect(ports)
    (day,) = ports.metrics.days(account.account_id, "0000-01-01", "9999-12-31")
    assert set(day.videos) == set(made[30:])


def test_without_the_scope_for_videos_the_accounts_figures_are_kept(ports: FakePorts) -> None:
    account = ports.connect(scopes=("user.info.basic", "user.info.stats"))
    ports.metrics.plan(account.account_id, ports.clock.now())
    collect(ports)
    (day,) = ports.metrics.days(account.account_id, "0000-01-01", "9999-12-31")
    assert (day.figures.follower_count, day.videos) == (ports.tiktok.follower_count, {})


def test_two_runs_at_once_collect_once(ports: FakePorts, account: Account) -> None:
    ports.metrics.faults.before("save", Busy("Another run was first.", "Nothing to do."))
    answer = collect_figures(ports, seconds_left=lambda: 280)
    assert list(answer.errors) == [account.account_id]
    assert days(ports, account) == [date_of(ports.clock.now())]


def test_a_post_without_an_id_gets_that_of_the_one_video_that_can_be_it(ports: FakePorts, account: Account) -> None:
    (video_id, _) = ports.tiktok.add_videos(account.open_id, 2, days=1)
    (film, *_) = [film for _, film in ports.tiktok._films.values() if film.video_id == video_id]
    post = a_post(
        account_id=account.account_id,
        text=film.description,
        status=Status.PUBLISH_COMPLETE,
        created_at=film.created_at - 60.0,
        last_offered_at=film.created_at - 30.0,
        updated_at=film.created_at + 5.0,
    )
    ports.posts.accept(post, None)
    collect(ports)
    stored = ports.posts.get(post.post_id)
    assert stored is not None
    assert stored.post_ids == (video_id,)


def test_a_video_that_is_another_posts_is_given_to_no_second_one(ports: FakePorts, account: Account) -> None:
    (video_id,) = ports.tiktok.add_videos(account.open_id, 1, days=1)
    _, film = ports.tiktok._films[video_id]
    made: dict[str, object] = {
        "account_id": account.account_id,
        "text": film.description,
        "status": Status.PUBLISH_COMPLETE,
    }
    made |= {"created_at": film.created_at - 60.0, "updated_at": film.created_at + 5.0}
    first, twin = a_post(**made, post_ids=(video_id,)), a_post(**made)
    for post in (first, twin):
        ports.posts.accept(post, None)
    collect(ports)
    stored = ports.posts.get(twin.post_id)
    assert stored is not None
    assert stored.post_ids == ()


@pytest.mark.parametrize("doubt", ["two posts", "two videos", "another caption", "another time", "a photo", "a draft"])
def test_when_it_is_not_certain_no_id_is_given(ports: FakePorts, account: Account, doubt: str) -> None:
    (video_id,) = ports.tiktok.add_videos(account.open_id, 1, days=1)
    _, film = ports.tiktok._films[video_id]
    said: dict[str, object] = {"text": film.description, "created_at": film.created_at - 60.0}
    if doubt == "two videos":
        twin = film.model_copy(update={"video_id": "7999999999999999999"})
        ports.tiktok._films[twin.video_id] = account.open_id, twin
    doubts: dict[str, dict[str, object]] = {
        "another caption": {"text": "Another"},
        "another time": {"created_at": film.created_at - 7200.0},
        "a photo": {"post_type": "photo"},
        "a draft": {"options": {"draft": True}},
    }
    said |= doubts.get(doubt, {})
    made = said["created_at"]
    posts = [
        a_post(account_id=account.account_id, status=Status.PUBLISH_COMPLETE, updated_at=made, **said)
        for _ in range(2 if doubt == "two posts" else 1)
    ]
    for post in posts:
        ports.posts.accept(post, None)
    collect(ports)
    assert [found.post_ids for post in posts if (found := ports.posts.get(post.post_id))] == [()] * len(posts)


def test_a_history_is_of_dates_that_are_asked_for(ports: FakePorts, account: Account) -> None:
    for _ in ticks(ports, 5 * DAY):
        collect(ports)
    all_days = days(ports, account)
    query = {"since": all_days[1], "until": all_days[2]}
    found = read_history(ports, account.workspace_id, account.account_id, query)
    assert [day.date for day in found] == all_days[1:3]
    assert [day.date for day in read_history(ports, account.workspace_id, account.account_id, {})] == all_days


@pytest.mark.parametrize("until", ["0001-01-01", "9999-12-31", "1970-01-01"])
def test_a_history_of_dates_long_before_or_ahead_is_empty(ports: FakePorts, account: Account, until: str) -> None:
    collect(ports)
    assert list(read_history(ports, account.workspace_id, account.account_id, {"until": until})) == []
