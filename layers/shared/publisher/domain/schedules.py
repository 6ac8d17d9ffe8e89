"""When a scheduled post is due: a time with an offset, or a local time with the name of its zone.

Twice a year a local time does not exist, or exists twice. As RFC 5545 has it for calendars, one that is skipped is read
with the offset from before the gap, and so lies as far after it (02:30 becomes 03:30); of two equal ones the first
counts. A warning says so.
"""

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from publisher.domain.errors import InvalidRequest, RequestInvalid
from publisher.domain.limits import SCHEDULE_MAX_SECONDS, SCHEDULE_MIN_SECONDS

_DATE_CHARACTERS = len("2026-12-24")


class Due(NamedTuple):
    """When a post is to start, an epoch second, and what its scheduler should know of it."""

    at: float
    warnings: tuple[str, ...] = ()


def read_due(
    scheduled_time: str | None, timezone: str | None, now: float, problems: list[RequestInvalid]
) -> Due | None:
    """Return when a post is due; None for one without a time, or with a problem, which is added to `problems`."""
    try:
        return _read(scheduled_time, timezone, now)
    except InvalidRequest as problem:
        problems.append(problem)
        return None


def _read(scheduled_time: str | None, timezone: str | None, now: float) -> Due | None:
    zone = None if timezone is None else _zone(timezone)
    if scheduled_time is None:
        if zone is not None:
            raise InvalidRequest(
                "timezone is given without a scheduledTime.", "Give both, or neither to post now.", field="timezone"
            )
        return None
    try:
        due = _moment(_parse(scheduled_time), zone, timezone or "")
    except (ValueError, OverflowError):
        raise InvalidRequest(
            "scheduledTime is not a time.",
            "Write it as 2026-12-24T18:00:00+01:00, or as 2026-12-24T18:00:00 with timezone Europe/Berlin.",
            field="scheduledTime",
        ) from None
    ahead = due.at - now
    if ahead < SCHEDULE_MIN_SECONDS:
        raise InvalidRequest(
            "scheduledTime has passed." if ahead <= 0 else "scheduledTime is less than a minute ahead.",
            f"Schedule {SCHEDULE_MIN_SECONDS} seconds ahead or more, or leave scheduledTime out to post now.",
            field="scheduledTime",
        )
    if ahead > SCHEDULE_MAX_SECONDS:
        raise InvalidRequest(
            f"scheduledTime is more than {SCHEDULE_MAX_SECONDS // 86400} days ahead.",
            "Make the post nearer to its time.",
            field="scheduledTime",
        )
    return due


def _parse(text: str) -> datetime:
    if len(text) <= _DATE_CHARACTERS:
        raise ValueError(text)  # a date alone would pass for midnight
    return datetime.fromisoformat(text)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(
            "timezone is not the name of a time zone.", "Use an IANA name such as Europe/Berlin.", field="timezone"
        ) from None


def _moment(told: datetime, zone: ZoneInfo | None, name: str) -> Due:
    if told.tzinfo is not None:
        # UTC is what programs write who know the instant; any other offset that differs is somebody's mistake.
        differs = zone is not None and told.utcoffset() != told.astimezone(zone).utcoffset()
        if differs and told.utcoffset():
            raise InvalidRequest(
                f"scheduledTime has another offset than {name} has at that time.",
                "Leave the offset or the timezone out.",
                field="scheduledTime",
            )
        return Due(told.timestamp())
    if zone is None:
        raise InvalidRequest(
            "scheduledTime has no offset, and there is no timezone.",
            "Write it as 2026-12-24T18:00:00+01:00, or give a timezone such as Europe/Berlin.",
            field="scheduledTime",
        )
    wall = told.replace(tzinfo=zone, fold=0)
    there = wall.astimezone(UTC).astimezone(zone)
    if there.replace(tzinfo=None) != told:
        moved = f"{name} skips {told.isoformat()}; the post goes out at {there.isoformat()}."
        return Due(wall.timestamp(), (moved,))
    if wall.utcoffset() != told.replace(tzinfo=zone, fold=1).utcoffset():
        first = f"{name} has {told.isoformat()} twice; the post goes out the first time, at {wall.isoformat()}."
        return Due(wall.timestamp(), (first,))
    return Due(wall.timestamp())
