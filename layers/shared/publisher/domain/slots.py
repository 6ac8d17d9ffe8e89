"""How much an account may do: exact sliding windows, and the line in which posts wait for their turn.

A window holds the moments at which its slots were taken, each with its owner, and frees each one exactly `seconds`
later. So no hour, wherever it begins, sees more than the limit, and none is cut short. Whoever has a slot and takes it
again gets the same one. A post stands in its lane's line from when it is accepted until it takes its slots, so that
posts go in the order in which they came and nobody is promised a slot that another one is promised too.
Everything here is pure and makes a new Usage; storing it is conditional on the version it was made from.
"""

import math
from bisect import insort
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from publisher.domain.limits import (
    CREATOR_INFO_PER_MINUTE,
    INITS_PER_MINUTE,
    LINE_LAPSE_SECONDS,
    PACE_MARGIN_SECONDS,
    PENDING_DRAFTS,
    PERFORMANCE_PER_DAY,
    PERFORMANCE_WINDOW_SECONDS,
    POST_WINDOW_SECONDS,
    POSTS_PER_DAY,
    PUBLICATION_WINDOW_SECONDS,
    PUBLICATIONS_PER_HOUR,
    RATE_WINDOW_SECONDS,
    STATUS_PER_MINUTE,
)

APP = "app"
"""Id of the usage that all accounts share: it holds the lines of all of them."""


class Window(NamedTuple):
    """At most `most` slots within any `seconds`; `meaning` completes "the account has …"."""

    name: str
    most: int
    seconds: int
    meaning: str


_PACE_SECONDS = RATE_WINDOW_SECONDS + PACE_MARGIN_SECONDS

PUBLISH = Window("publish", PUBLICATIONS_PER_HOUR, PUBLICATION_WINDOW_SECONDS, "published 6 posts within an hour")
PERFORMANCE = Window(
    "performance", PERFORMANCE_PER_DAY, PERFORMANCE_WINDOW_SECONDS, "made 100 performance requests within 24 hours"
)
TIKTOK_POSTS = Window(
    "tiktok-posts", POSTS_PER_DAY, POST_WINDOW_SECONDS, "published as much in 24 hours as TikTok lets a creator"
)
TIKTOK_DRAFTS = Window(
    "tiktok-drafts", PENDING_DRAFTS, POST_WINDOW_SECONDS, "as many drafts of 24 hours in its inbox as TikTok lets wait"
)
TIKTOK_INIT = Window("tiktok-init", INITS_PER_MINUTE, _PACE_SECONDS, "opened as many posts as TikTok allows a minute")
TIKTOK_CREATOR_INFO = Window(
    "tiktok-creator-info",
    CREATOR_INFO_PER_MINUTE,
    _PACE_SECONDS,
    "read its posting options as often as TikTok allows a minute",
)
TIKTOK_STATUS = Window(
    "tiktok-status", STATUS_PER_MINUTE, _PACE_SECONDS, "asked for status as often as TikTok allows a minute"
)
WINDOWS = (PUBLISH, PERFORMANCE, TIKTOK_POSTS, TIKTOK_DRAFTS, TIKTOK_INIT, TIKTOK_CREATOR_INFO, TIKTOK_STATUS)


class Lane(NamedTuple):
    """A kind of post, and the windows in each of which it takes a slot."""

    name: str
    windows: tuple[Window, ...]


POSTS = Lane("posts", (PUBLISH, TIKTOK_POSTS))
DRAFTS = Lane("drafts", (TIKTOK_DRAFTS,))
LANES = (POSTS, DRAFTS)


class Entry(NamedTuple):
    """A slot taken at an epoch second."""

    at: float
    owner: str


class Place(NamedTuple):
    """A place in a line; it lapses when its owner does not come for long after its turn, an epoch second."""

    owner: str
    turn_at: float


class Hold(NamedTuple):
    """TikTok takes nothing until an epoch second, as its refusal `code` said; the sentences are our error's."""

    until: float
    code: str
    error: str
    message: str
    log_id: str | None = None


class Usage(NamedTuple):
    """What an account, or the app, has used: entries by window, oldest first, and by lane places and a hold.

    Under a lane's name `logs` holds the last entry that was given back.
    """

    usage_id: str
    logs: Mapping[str, tuple[Entry, ...]] = {}
    lines: Mapping[str, tuple[Place, ...]] = {}
    holds: Mapping[str, Hold] = {}
    version: int = 0


class Turn(NamedTuple):
    """The answer to who asks for a slot: taken now, or not before the epoch second `at`, and then why.

    `fresh` tells that a slot was taken which the owner did not have.
    """

    at: float
    taken: bool
    fresh: bool = False
    reason: Window | Hold | None = None


def join(usage: Usage, lane: Lane, owner: str, now: float, *, held_until: float = 0.0) -> tuple[Usage, Turn]:
    """Stand in the lane's line, at its end unless one stands in it already, and be told the turn.

    Nothing goes before `held_until`, the end of a hold that lies elsewhere.
    """
    counted = _counted(usage, lane, now)
    turn = _turn(counted, owner, held_until, now)
    return _stand(usage, counted, owner, turn), turn


def take(usage: Usage, lane: Lane, owner: str, now: float, *, held_until: float = 0.0) -> tuple[Usage, Turn]:
    """Take a slot in each of the lane's windows if it is the owner's turn, else join the line.

    A slot that the owner has already is not taken again.
    """
    counted = _counted(usage, lane, now)
    turn = _turn(counted, owner, held_until, now)
    if turn.at > now:
        return _stand(usage, counted, owner, turn), turn
    needed = counted.needed(owner)
    if needed:
        slot = Entry(counted.now, owner)
        usage = _with_logs(usage, {window.name: (*counted.living[window.name], slot) for window in needed})
    if any(place.owner == owner for place in counted.line):
        usage = _with_line(usage, lane, tuple(place for place in counted.line if place.owner != owner))
    return usage, Turn(at=now, taken=True, fresh=bool(needed))


def leave(usage: Usage, lane: Lane, owner: str) -> Usage:
    """Give the place in the line up."""
    line = usage.lines.get(lane.name, ())
    return _with_line(usage, lane, tuple(place for place in line if place.owner != owner))


def refund(usage: Usage, lane: Lane, owner: str) -> Usage:
    """Give the slots back that the owner took last, because certainly nothing happened; one of an earlier time stays.

    Repeated it would give that back too, should there be one. The moment stays in the log under the lane's name: slots
    that were free by then are forgotten, so nobody may take any at an earlier one.
    """
    logs = {window.name: usage.logs.get(window.name, ()) for window in lane.windows}
    last = max((entry for log in logs.values() for entry in log if entry.owner == owner), default=None)
    if last is None:
        return usage
    left = {name: tuple(entry for entry in log if entry != last) for name, log in logs.items()}
    return _with_logs(usage, {**left, lane.name: (max((last, *usage.logs.get(lane.name, ()))),)})


def stand_first(usage: Usage, lane: Lane, owner: str, now: float) -> Usage:
    """Put whose turn came to nothing back to where it stood when its turn came: at the head of the line."""
    rest = tuple(place for place in usage.lines.get(lane.name, ()) if place.owner != owner)
    return _with_line(usage, lane, (Place(owner, now), *rest))


def count(usage: Usage, window: Window, owner: str, now: float) -> tuple[Usage, float]:
    """Count a call, and return 0; or, when it is one too many, count nothing and return the seconds to wait."""
    at = _moment(usage, (window.name,), now)
    log = _living(usage, window, at)
    if len(log) >= window.most:
        return usage, log[-window.most].at + window.seconds - now
    return _with_logs(usage, {window.name: (*log, Entry(at, owner))}), 0.0


def hold(usage: Usage, lanes: Sequence[Lane], held: Hold) -> Usage:
    """Hold lines; of two holds of a line the one that lasts longer stays, for each said "not before"."""
    kept = {lane.name: usage.holds.get(lane.name, held) for lane in lanes}
    longest = {name: old if old.until > held.until else held for name, old in kept.items()}
    return usage._replace(holds={**usage.holds, **longest})


def held(usage: Usage, lane: Lane, now: float) -> Hold | None:
    """Return the hold of a lane, while it lasts."""
    found = usage.holds.get(lane.name)
    return found if found is not None and found.until > now else None


def waiting(usage: Usage, lane: Lane, now: float) -> tuple[Place, ...]:
    """Return the places in a line whose turn has not come."""
    return tuple(place for place in _living_line(usage, lane, now) if place.turn_at > now)


def promised(usage: Usage, window: Window, now: float) -> int:
    """Return how many slots of a window are promised to posts in line, whether their turn has come or not."""
    owners = {entry.owner for entry in _living(usage, window, _moment(usage, (window.name,), now))}
    lines = [_living_line(usage, lane, now) for lane in LANES if window in lane.windows]
    return sum(place.owner not in owners for line in lines for place in line)


def used(usage: Usage, window: Window, now: float) -> tuple[float, ...]:
    """Return when each of a window's taken slots is free again, soonest first."""
    now = _moment(usage, (window.name,), now)
    return tuple(entry.at + window.seconds for entry in _living(usage, window, now))


def seconds_until(at: float, now: float) -> int:
    """Return whole seconds until a moment, at least one, as Retry-After tells them."""
    return max(1, math.ceil(at - now))


def _moment(usage: Usage, logs: Sequence[str], now: float) -> float:
    """Return the time, which never runs backwards: a clock that steps back must not make slots count longer or less."""
    for name in logs:
        log = usage.logs.get(name)
        if log and log[-1].at > now:
            now = log[-1].at
    return now


def _living(usage: Usage, window: Window, now: float) -> tuple[Entry, ...]:
    log = usage.logs.get(window.name, ())
    first = 0
    for entry in log:
        if entry.at + window.seconds > now:
            break
        first += 1
    return log[first:] if first else log


def _living_line(usage: Usage, lane: Lane, now: float) -> tuple[Place, ...]:
    line = usage.lines.get(lane.name, ())
    if not line:
        return line
    return tuple(place for place in line if place.turn_at + LINE_LAPSE_SECONDS > now)


class _Counted(NamedTuple):
    """What counts for a lane at a moment."""

    lane: Lane
    now: float
    living: Mapping[str, tuple[Entry, ...]]
    owners: Mapping[str, frozenset[str]]
    line: tuple[Place, ...]
    hold: Hold | None

    def needed(self, owner: str) -> list[Window]:
        """Return the windows in which the owner has no slot."""
        return [window for window in self.lane.windows if owner not in self.owners[window.name]]


def _counted(usage: Usage, lane: Lane, now: float) -> _Counted:
    now = _moment(usage, [lane.name, *[window.name for window in lane.windows]], now)
    living = {window.name: _living(usage, window, now) for window in lane.windows}
    owners = {name: frozenset([entry.owner for entry in log]) for name, log in living.items()}
    return _Counted(lane, now, living, owners, _living_line(usage, lane, now), held(usage, lane, now))


def _turn(counted: _Counted, owner: str, held_until: float, asked_at: float) -> Turn:
    """Play the line through until it is the owner's turn.

    Each ahead keeps the slots that it will take. Whoever has a slot in one window, and lacks one in another, needs no
    more than that, and so may go before others where that delays nobody.
    The present is told as the time at which it was asked for, which another clock may have stamped later already.
    """
    now, holding = counted.now, counted.hold
    start = max(now, held_until, holding.until if holding else 0.0)
    # Of each window when its slots are free, soonest first.
    free = {window.name: _free(window, counted.living[window.name]) for window in counted.lane.windows}
    for place in counted.line:
        if place.owner == owner:
            break
        needed = counted.needed(place.owner)
        its_turn = max([start, *[free[window.name][0] for window in needed]])
        for window in needed:
            del free[window.name][0]
            insort(free[window.name], its_turn + window.seconds)
    at: float = start
    reason: Window | Hold | None = holding
    for window in counted.needed(owner):
        if free[window.name][0] > at:
            at, reason = free[window.name][0], window
    return Turn(at=at, taken=False, reason=reason) if at > now else Turn(at=asked_at, taken=False)


def _free(window: Window, living: tuple[Entry, ...]) -> list[float]:
    taken = [entry.at + window.seconds for entry in living]
    return ([0.0] * (window.most - len(taken)) + taken)[-window.most :]


def _stand(usage: Usage, counted: _Counted, owner: str, turn: Turn) -> Usage:
    """Give the owner its place, the one it has or one at the end; none when it needs no slot."""
    if not counted.needed(owner):
        return usage
    place, line = Place(owner, turn.at), counted.line
    if any(each.owner == owner for each in line):
        line = tuple(place if each.owner == owner else each for each in line)
    else:
        line = (*line, place)
    return _with_line(usage, counted.lane, line)


def _with_logs(usage: Usage, logs: Mapping[str, tuple[Entry, ...]]) -> Usage:
    return Usage(usage.usage_id, {**usage.logs, **logs}, usage.lines, usage.holds, usage.version)


def _with_line(usage: Usage, lane: Lane, line: tuple[Place, ...]) -> Usage:
    if not line and lane.name not in usage.lines:
        return usage
    return usage._replace(lines={**usage.lines, lane.name: line})
