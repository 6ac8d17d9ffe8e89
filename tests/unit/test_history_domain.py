"""How a video did at the ages at which videos are compared: told from looks that were near, and never made up."""

from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.history import (
    AGES,
    Counts,
    Track,
    compared,
    date_of,
    due_videos,
    next_age_at,
    next_daily_at,
    observed,
    slot_of,
)
from publisher.domain.limits import AGE_TOLERANCE_PERCENT, COMPARED_VIDEOS, TRACKED_DAYS
from publisher.domain.metrics import VideoFigures

BORN = 1_790_000_000
DAY = 86400


def views_at(age: float) -> int:
    """A video that half of its viewers see in the first day."""
    return round(100_000 * age / (age + DAY))


def film(age: float, video_id: str = "1", born: int = BORN) -> VideoFigures:
    views = views_at(age)
    return VideoFigures(
        video_id=video_id, created_at=born, view_count=views, like_count=views // 10, comment_count=0, share_count=0
    )


def looked_at(*ages: float) -> dict[str, Track]:
    tracks: dict[str, Track] = {}
    for age in ages:
        tracks = observed(tracks, [film(age)], BORN + age)
    return tracks


def test_looks_at_the_planned_moments_tell_every_age() -> None:
    now, tracks = BORN + 60.0, looked_at(60.0)
    while (planned := next_age_at(tracks, now)) is not None:
        now = planned + 200  # a collector comes every few minutes
        assert due_videos(tracks, now) == ["1"]
        tracks = observed(tracks, [film(now - BORN)], now)
    for name, age in AGES.items():
        told, true = tracks["1"].ages[name], views_at(age)
        assert abs(told.views - true) <= 0.03 * true


def test_an_age_that_nobody_saw_is_not_made_up() -> None:
    tracks = looked_at(50 * 3600.0, 70 * 3600.0, 75 * 3600.0)
    assert set(tracks["1"].ages) == {"72h"}
    assert set(looked_at(30 * DAY)["1"].ages) == set()


def test_a_look_that_is_near_stands_for_the_age_and_one_that_is_not_does_not() -> None:
    near = 3600 * (1 + AGE_TOLERANCE_PERCENT / 100)
    assert "1h" in looked_at(near)["1"].ages
    assert "1h" not in looked_at(near + 60)["1"].ages


@given(st.lists(st.floats(min_value=0, max_value=9 * DAY), min_size=1, max_size=12))
def test_an_age_lies_between_the_looks_around_it_and_never_changes_again(ages: list[float]) -> None:
    tracks: dict[str, Track] = {}
    known: dict[str, Counts] = {}
    looks = [0.0]
    for age in sorted(ages):
        tracks = observed(tracks, [film(age)], BORN + age)
        told = dict(tracks["1"].ages)
        assert {name: told[name] for name in known} == known
        for name in set(told) - set(known):
            assert views_at(looks[-1]) - 1 <= told[name].views <= views_at(age) + 1
            assert looks[-1] <= AGES[name] <= age
        known = told
        looks.append(age)


@given(st.lists(st.floats(min_value=-DAY, max_value=9 * DAY), min_size=1, max_size=12))
def test_a_clock_that_runs_wild_makes_nothing_up(ages: list[float]) -> None:
    tracks: dict[str, Track] = {}
    for age in ages:
        tracks = observed(tracks, [film(max(0.0, age))], BORN + age)
    assert all(0 <= counts.views <= 100_000 for counts in tracks["1"].ages.values())


def test_a_video_that_nobody_looks_at_any_more_is_forgotten_in_the_end() -> None:
    tracks = looked_at(3600)
    later = BORN + (TRACKED_DAYS + 1) * DAY
    assert set(observed(tracks, [film(60, "2", int(later))], later)) == {"2"}
    assert set(observed(tracks, [film(0)], later)) == {"1"}


def test_a_video_that_goes_and_comes_back_keeps_its_ages() -> None:
    tracks = observed(looked_at(3600), [], BORN + 2 * 3600)
    assert observed(tracks, [film(6 * 3600)], BORN + 6 * 3600)["1"].ages.keys() == {"1h", "6h"}


def test_a_video_is_compared_with_the_median_of_the_latest_others_and_not_with_itself() -> None:
    tracks = {str(views): Track(BORN + views, None, {"1h": Counts(views, 0, 0, 0)}) for views in (10, 20, 1000)}
    beside = compared(tracks, "1000")["1h"]
    assert (beside.counts, beside.median_views, beside.of) == (Counts(1000, 0, 0, 0), 15, 2)
    assert compared(tracks, "1000")["7d"] == (None, None, 0)
    assert compared(tracks, "unknown")["1h"].counts is None


def test_the_median_is_of_the_latest_only() -> None:
    many = {str(number): Track(BORN + number, None, {"1h": Counts(number, 0, 0, 0)}) for number in range(200)}
    assert compared(many, "none")["1h"].of == COMPARED_VIDEOS
    assert (compared(many, "none")["1h"].median_views or 0) >= 200 - COMPARED_VIDEOS


@given(st.uuids(), st.integers(min_value=0, max_value=10 * DAY))
def test_an_account_is_collected_once_each_day_at_its_own_second(account: object, after: int) -> None:
    account_id, last = str(account), float(BORN + after)
    at = next_daily_at(account_id, last, last)
    assert last < at <= last + DAY
    assert at % DAY == slot_of(account_id)
    assert next_daily_at(account_id, at, at) == at + DAY
    assert date_of(at) != date_of(at + DAY)


def test_an_account_that_was_never_collected_is_so_at_once() -> None:
    assert next_daily_at("a", 5.0, None) == 5.0
