"""Figures kept over time: a day's record of an account, and how each video did at the same ages.

A video is compared with the account's others at equal age, because a day-old one always has fewer views than a
week-old one. Its figures at an age are read between two looks of which one was near; from looks that were too far
apart nothing is made up.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import AGE_TOLERANCE_PERCENT, COMPARED_VIDEOS, TRACKED_DAYS
from publisher.domain.metrics import AccountFigures, VideoFigures

AGES: Mapping[str, int] = {"1h": 3600, "6h": 6 * 3600, "24h": 86400, "72h": 3 * 86400, "7d": 7 * 86400}
"""The ages at which videos are compared, in seconds."""
METRICS_SHARDS = 4
"""Index partitions over which the accounts to collect are spread."""
_DAY = 86400


class Counts(NamedTuple):
    """A video's figures, as they are kept."""

    views: int
    likes: int
    comments: int
    shares: int


class Look(NamedTuple):
    """A video's figures at an epoch second."""

    at: float
    counts: Counts


class Track(NamedTuple):
    """How a video did: its figures by age, and when it was looked at last."""

    created_at: int
    last: Look | None = None
    ages: Mapping[str, Counts] = {}


class Day(BaseModel):
    """A day's record of an account, named by its date in UTC."""

    model_config = ConfigDict(frozen=True)

    date: str
    at: float
    figures: AccountFigures
    videos: dict[str, Counts]


class Collected(BaseModel):
    """What was collected of an account last: its figures at `at`, an epoch second, and how its videos did so far."""

    model_config = ConfigDict(frozen=True)

    account_id: str
    at: float | None = None
    figures: AccountFigures = AccountFigures()
    tracks: dict[str, Track] = {}
    version: int = 0


class Compared(NamedTuple):
    """A video's figures at an age, None where none are known, beside the median views of `of` other videos."""

    counts: Counts | None
    median_views: float | None
    of: int


def counts_of(video: VideoFigures) -> Counts:
    """Return what is kept of a video's figures."""
    return Counts(video.view_count, video.like_count, video.comment_count, video.share_count)


def date_of(at: float) -> str:
    """Return the date in UTC of an epoch second."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def observed(tracks: Mapping[str, Track], videos: Iterable[VideoFigures], at: float) -> dict[str, Track]:
    """Return the tracks after a look at some videos; those of old videos that nobody looked at are dropped."""
    following = {video_id: track for video_id, track in tracks.items() if track.created_at + TRACKED_DAYS * _DAY > at}
    for video in videos:
        known = tracks.get(video.video_id, Track(video.created_at))
        look = Look(at, counts_of(video))
        following[video.video_id] = Track(known.created_at, look, {**known.ages, **_passed(known, look)})
    return following


def _passed(track: Track, look: Look) -> dict[str, Counts]:
    """Return the figures at the ages between the last look and this one, as far as one of both was near."""
    before = track.last or Look(track.created_at, Counts(0, 0, 0, 0))
    found = {}
    for name, age in AGES.items():
        moment = track.created_at + age
        near = min(moment - before.at, look.at - moment) <= age * AGE_TOLERANCE_PERCENT / 100
        if name not in track.ages and before.at <= moment <= look.at and near:
            found[name] = _between(before, look, moment)
    return found


def _between(before: Look, after: Look, moment: float) -> Counts:
    span = after.at - before.at
    share = 1.0 if span <= 0 else (moment - before.at) / span
    return Counts(
        *(round(first + (last - first) * share) for first, last in zip(before.counts, after.counts, strict=True))
    )


def due_videos(tracks: Mapping[str, Track], now: float) -> list[str]:
    """Return the ids of the videos one of whose ages has come since they were looked at, while it can be told."""
    return [video_id for video_id, track in tracks.items() if any(at <= now for at in _coming(track, now))]


def next_age_at(tracks: Mapping[str, Track], now: float) -> float | None:
    """Return when the next video comes to one of its ages; None when none does."""
    return min((at for track in tracks.values() for at in _coming(track, now)), default=None)


def _coming(track: Track, now: float) -> list[float]:
    """Return the ages, as moments, that a look now or later can still tell."""
    return [
        track.created_at + age
        for name, age in AGES.items()
        if name not in track.ages
        and (track.last is None or track.last.at < track.created_at + age)
        and now <= track.created_at + age * (1 + AGE_TOLERANCE_PERCENT / 100)
    ]


def compared(tracks: Mapping[str, Track], video_id: str) -> dict[str, Compared]:
    """Return a video's figures at each age beside the median of the account's latest other videos."""
    own = tracks.get(video_id)
    others = sorted(
        (track for other, track in tracks.items() if other != video_id), key=lambda track: -track.created_at
    )
    return {name: _compared(own.ages.get(name) if own else None, name, others) for name in AGES}


def _compared(counts: Counts | None, age: str, others: Sequence[Track]) -> Compared:
    views = [track.ages[age].views for track in others if age in track.ages][:COMPARED_VIDEOS]
    return Compared(counts, median(views) if views else None, len(views))


def shard_of(account_id: str) -> str:
    """Return the partition of the watch index that an account is in."""
    return str(zlib.crc32(account_id.encode()) % METRICS_SHARDS)


def slot_of(account_id: str) -> int:
    """Return the second of the day at which an account is collected, so that all are spread over it."""
    return zlib.crc32(account_id.encode()) % _DAY


def next_daily_at(account_id: str, now: float, last: float | None) -> float:
    """Return when an account is collected whole next: once each day of UTC, at its second; at once the first time."""
    if last is None:
        return now
    slot = last - last % _DAY + slot_of(account_id)
    return slot if slot > last else slot + _DAY
