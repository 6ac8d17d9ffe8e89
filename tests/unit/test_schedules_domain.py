"""When a scheduled post is due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.errors import RequestInvalid
from publisher.domain.schedules import Due, read_due

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ZONES = (BERLIN, NEW_YORK, "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "UTC")


def due(scheduled_time: str | None, timezone: str | None = None, now: float = NOW) -> Due | None:
    problems: list[RequestInvalid] = []
    read = read_due(scheduled_time, timezone, now, problems)
    assert problems == []
    return read


def refused(scheduled_time: str | None, timezone: str | None = None, now: float = NOW) -> RequestInvalid:
    problems: list[RequestInvalid] = []
    assert read_due(scheduled_time, timezone, now, problems) is None
    (problem,) = problems
    return problem


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_post_without_a_time_is_due_at_no_time() -> None:
    assert due(None) is None


@pytest.mark.parametrize(
    ("told", "timezone", "instant"),
    [
        ("2026-12-24T18:00:00+01:00", None, "2026-12-24T17:00:00Z"),
        ("2026-12-24T18:00:00+01:00", BERLIN, "2026-12-24T17:00:00Z"),
        ("2026-12-24T17:00:00Z", BERLIN, "2026-12-24T17:00:00Z"),
        ("2026-12-24T17:00:00.000Z", None, "2026-12-24T17:00:00Z"),
        ("2026-12-24T18:00:00", BERLIN, "2026-12-24T17:00:00Z"),
        ("2026-12-24 18:00", BERLIN, "2026-12-24T17:00:00Z"),
        ("2026-07-01T18:00:00", BERLIN, "2026-07-01T16:00:00Z"),
        ("2026-07-01T18:00:00", "Asia/Kathmandu", "2026-07-01T12:15:00Z"),
    ],
)
def test_a_time_has_an_offset_or_a_zone(told: str, timezone: str | None, instant: str) -> None:
    assert due(told, timezone) == Due(at(instant))


def test_a_time_that_the_clock_skips_lies_as_far_after_the_gap_as_it_was_in_it() -> None:
    read = due("2026-03-29T02:30:00", BERLIN)
    assert read is not None
    assert read.at == at("2026-03-29T03:30:00+02:00")
    assert read.warnings == (
        "Europe/Berlin skips 2026-03-29T02:30:00; the post goes out at 2026-03-29T03:30:00+02:00.",
    )


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    read = due("2026-11-01T01:30:00", NEW_YORK)
    assert read is not None
    assert read.at == at("2026-11-01T01:30:00-04:00")
    (warning,) = read.warnings
    assert warning == (
        "America/New_York has 2026-11-01T01:30:00 twice; the post goes out the first time, at "
        "2026-11-01T01:30:00-04:00."
    )


@pytest.mark.parametrize("offset", ["-04:00", "-05:00"])
def test_an_offset_says_which_of_two_equal_times_is_meant(offset: str) -> None:
    assert due(f"2026-11-01T01:30:00{offset}", NEW_YORK) == Due(at(f"2026-11-01T01:30:00{offset}"))


@given(
    zone=st.sampled_from(ZONES),
    minutes=st.integers(min_value=2, max_value=360 * 24 * 60),
)
def test_a_local_time_is_what_the_clock_on_the_wall_shows(zone: str, minutes: int) -> None:
    wall = datetime.fromtimestamp(NOW, ZoneInfo(zone)).replace(tzinfo=None) + timedelta(minutes=minutes, days=1)
    read = due(wall.isoformat(), zone)
    assert read is not None
    shown = datetime.fromtimestamp(read.at, ZoneInfo(zone))
    earlier = datetime.fromtimestamp(read.at - 3 * 3600, ZoneInfo(zone))
    if shown.replace(tzinfo=None) == wall:
        assert shown.fold == 0
    else:  # skipped: shown with the offset from before the gap
        assert (read.at, len(read.warnings)) == (wall.replace(tzinfo=UTC).timestamp() - _seconds(earlier), 1)


def _seconds(moment: datetime) -> float:
    offset = moment.utcoffset()
    assert offset is not None
    return offset.total_seconds()


def test_the_window_is_a_minute_to_a_year() -> None:
    def told(seconds: float) -> str:
        return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()

    assert due(told(60)) == Due(NOW + 60)
    assert due(told(365 * 86400)) == Due(NOW + 365 * 86400)
    assert refused(told(59)).error == "scheduledTime is less than a minute ahead."
    assert refused(told(-1)).error == "scheduledTime has passed."
    assert refused(told(365 * 86400 + 1)).error == "scheduledTime is more than 365 days ahead."


@pytest.mark.parametrize(
    ("told", "timezone", "field"),
    [
        ("2026-12-24T18:00:00", None, "scheduledTime"),
        ("2026-12-24T18:00:00+02:00", BERLIN, "scheduledTime"),
        ("2026-12-24", BERLIN, "scheduledTime"),
        ("tomorrow", BERLIN, "scheduledTime"),
        ("", None, "scheduledTime"),
        ("0001-01-01T00:00:00", BERLIN, "scheduledTime"),
        ("9999-12-31T23:59:59", "Pacific/Apia", "scheduledTime"),
        ("2026-12-24T18:00:00", "Berlin", "timezone"),
        ("2026-12-24T18:00:00", "", "timezone"),
        ("2026-12-24T18:00:00", "../../etc/passwd", "timezone"),
        ("2026-12-24T18:00:00", "Europe", "timezone"),
        ("2026-12-24T18:00:00", "CET\x00", "timezone"),
        ("2026-12-24T18:00:00", "e" * 5000, "timezone"),
        (None, BERLIN, "timezone"),
    ],
)
def test_what_is_no_moment_is_refused_by_name(told: str | None, timezone: str | None, field: str) -> None:
    problem = refused(told, timezone)
    assert problem.field == field
    assert problem.message
