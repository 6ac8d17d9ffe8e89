"""An account's limits: count the calls that TikTok counts, and let posts go in their turn."""

import random
from collections.abc import Callable

from publisher.api import iso
from publisher.domain.errors import Busy, Failure, Paced, PostLimitReached, PublisherError
from publisher.domain.limits import HOLD_BAN_SECONDS, HOLD_PROBE_SECONDS, QUEUE_POSTS, SLOT_PAUSE_SECONDS, SLOT_TRIES
from publisher.domain.posts import Post
from publisher.domain.slots import (
    APP,
    DRAFTS,
    LANES,
    POSTS,
    Hold,
    Lane,
    Turn,
    Usage,
    Window,
    count,
    held,
    hold,
    join,
    leave,
    refund,
    seconds_until,
    stand_first,
    take,
    used,
    waiting,
)
from publisher.ports import Ports, Value

_BAN = ("spam_risk", "spam_risk_user_banned_from_posting")
_CAPS: dict[str, tuple[Lane, ...]] = {
    "spam_risk_too_many_posts": (POSTS,),
    "spam_risk_too_many_pending_share": (DRAFTS,),
}
_APP_CAP = "reached_active_user_cap"


class Line(Value):
    """Where a post stands: when it may go, which is now unless `waits`."""

    turn_at: float
    waits: bool


def lane_of(post: Post) -> Lane:
    """Return the line that a post stands in."""
    return DRAFTS if post.options.draft else POSTS


def change_usage[T](ports: Ports, usage_id: str, change: Callable[[Usage, float], tuple[Usage, T]]) -> T:
    """Change what an account has used, from what it is at this moment, and return what `change` answers beside it.

    Of callers that race each makes its change; Busy when others were always faster. Safe to repeat when `change` is.
    """
    for turn in range(1, SLOT_TRIES + 1):
        usage = ports.slots.get(usage_id)
        changed, answer = change(usage, ports.clock.now())
        if changed is usage:
            return answer
        try:
            ports.slots.save(changed)
        except Busy:
            longest = min(float(SLOT_PAUSE_SECONDS), 0.02 * turn)
            ports.clock.sleep(random.uniform(0.0, longest))  # noqa: S311 (spreads workers, guards nothing)
        else:
            return answer
    raise Busy("Too many workers use the account's limits at once.", "Try again in a moment.")


def count_call(ports: Ports, account_id: str, window: Window, owner: str, *, kept: int = 0) -> None:
    """Count a call that TikTok counts, before it is made; Paced when it would refuse it, or only `kept` are left."""

    def change(usage: Usage, now: float) -> tuple[Usage, float]:
        return count(usage, window._replace(most=window.most - kept), owner, now)

    wait = change_usage(ports, account_id, change)
    if wait > 0:
        raise paced(window, seconds_until(wait, 0.0))


def paced(window: Window, seconds: int) -> Paced:
    """Return the error that says that a call would be one too many."""
    return Paced(
        f"The account has {window.meaning}.", f"Try again in {seconds} s.", retry_after=seconds, limit=window.name
    )


def stand_in_line(ports: Ports, post: Post) -> Line:
    """Give a new post its place; PostLimitReached when it would have to wait and may not, or the line is full."""
    app_hold = _app_hold(ports, lane_of(post))

    def change(usage: Usage, now: float) -> tuple[Usage, Line | PublisherError]:
        return _place(usage, post, app_hold, now)

    return _line(change_usage(ports, post.account_id, change))


def preview_line(ports: Ports, post: Post, usages: dict[str, Usage]) -> Line:
    """Tell what `stand_in_line` would, without a place being given: `usages` keeps those that were told of before."""
    usage = usages.get(post.account_id) or ports.slots.get(post.account_id)
    usages[post.account_id], line = _place(usage, post, _app_hold(ports, lane_of(post)), ports.clock.now())
    return _line(line)


def _place(usage: Usage, post: Post, app_hold: Hold | None, now: float) -> tuple[Usage, Line | PublisherError]:
    lane = lane_of(post)
    joined, turn = join(usage, lane, post.owner, now, held_until=app_hold.until if app_hold else 0.0)
    if turn.at <= now:
        return joined, Line(turn_at=now, waits=False)
    if not post.queues:
        return usage, limit_reached(turn.reason or app_hold, turn.at, now)
    stands = any(place.owner == post.owner for place in usage.lines.get(lane.name, ()))
    if len(waiting(usage, lane, now)) >= QUEUE_POSTS and not stands:
        return usage, PostLimitReached(
            f"{QUEUE_POSTS} posts of the account wait for their turn already.",
            "Send it again when one of them has gone out.",
            retry_after=seconds_until(turn.at, now),
            limit=turn.reason.name if isinstance(turn.reason, Window) else None,
        )
    return joined, Line(turn_at=turn.at, waits=True)


def _line(answer: Line | PublisherError) -> Line:
    if isinstance(answer, PublisherError):
        raise answer
    return answer


def leave_line(ports: Ports, post: Post) -> None:
    """Give the place of a post up that will take no slot. Safe to repeat."""

    def change(usage: Usage, _now: float) -> tuple[Usage, None]:
        lane = lane_of(post)
        stands = any(place.owner == post.owner for place in usage.lines.get(lane.name, ()))
        return leave(usage, lane, post.owner) if stands else usage, None

    change_usage(ports, post.account_id, change)


def look_at_turn(ports: Ports, post: Post) -> Turn:
    """Tell whether it is a post's turn, which takes nothing; when it is not yet, the post stands in line.

    So nothing is asked of TikTok for a post that cannot go.
    """
    lane, app_hold = lane_of(post), _app_hold(ports, lane_of(post))

    def change(usage: Usage, now: float) -> tuple[Usage, Turn]:
        joined, turn = join(usage, lane, post.owner, now, held_until=app_hold.until if app_hold else 0.0)
        return (usage, turn) if turn.at <= now else (joined, turn if turn.reason else turn._replace(reason=app_hold))

    return change_usage(ports, post.account_id, change)


def hold_of(ports: Ports, account_id: str, lane: Lane) -> Hold | None:
    """Return what holds a lane of the account, or of the app; of two the one that lasts longer."""
    own = held(ports.slots.get(account_id), lane, ports.clock.now())
    return max(filter(None, (own, _app_hold(ports, lane))), key=lambda one: one.until, default=None)


def take_slots(ports: Ports, post: Post, window: Window) -> Turn:
    """Take what an init needs: the post's slots, which it takes once, and a call of `window`. All or nothing.

    Paced when only the call has to wait. Otherwise the answer tells whether it is the post's turn.
    """
    lane, app_hold = lane_of(post), _app_hold(ports, lane_of(post))

    def change(usage: Usage, now: float) -> tuple[Usage, tuple[Turn, float]]:
        taken, turn = take(usage, lane, post.owner, now, held_until=app_hold.until if app_hold else 0.0)
        if not turn.taken:
            return taken, (turn if turn.reason else turn._replace(reason=app_hold), 0.0)
        counted, wait = count(taken, window, f"{post.post_id}#{post.attempt}", now)
        return (usage if wait > 0 else counted), (turn, wait)

    turn, wait = change_usage(ports, post.account_id, change)
    if wait > 0:
        raise paced(window, seconds_until(wait, 0.0))
    return turn


def give_back(ports: Ports, post: Post) -> None:
    """Give the slots of a draft back that is pending no more. Safe to repeat."""

    def change(usage: Usage, _now: float) -> tuple[Usage, None]:
        return refund(usage, lane_of(post), post.owner), None

    change_usage(ports, post.account_id, change)


def step_back(ports: Ports, post: Post) -> None:
    """Give the slots back of an init that certainly did nothing, and let the post stand first in line again.

    The call itself stays counted. Safe to repeat.
    """

    def change(usage: Usage, now: float) -> tuple[Usage, None]:
        lane = lane_of(post)
        return stand_first(refund(usage, lane, post.owner), lane, post.owner, now), None

    change_usage(ports, post.account_id, change)


def note_refusal(ports: Ports, account_id: str, refusal: Failure) -> float | None:
    """Hold the lines that a refusal of TikTok's is about, and return until when; None for any other refusal.

    What frees by itself is tried again when our oldest post of the day is a day old, or within the hour when other
    apps may have used the limit up.
    """
    code = refusal.tiktok_code
    if code == _APP_CAP:
        return _hold(ports, APP, LANES, refusal, HOLD_PROBE_SECONDS)
    if code in _BAN:
        return _hold(ports, account_id, LANES, refusal, HOLD_BAN_SECONDS)
    if code in _CAPS:
        return _hold(ports, account_id, _CAPS[code], refusal, HOLD_PROBE_SECONDS)
    return None


def _hold(ports: Ports, usage_id: str, lanes: tuple[Lane, ...], refusal: Failure, seconds: int) -> float:
    def change(usage: Usage, now: float) -> tuple[Usage, float]:
        own = used(usage, lanes[0].windows[-1], now) if refusal.tiktok_code in _CAPS else ()
        until = own[0] if own else now + seconds
        held_now = Hold(until, refusal.tiktok_code or "", refusal.error, refusal.message, refusal.tiktok_log_id)
        return hold(usage, lanes, held_now), until

    return change_usage(ports, usage_id, change)


def _app_hold(ports: Ports, lane: Lane) -> Hold | None:
    return held(ports.slots.get(APP), lane, ports.clock.now())


def limit_reached(reason: Window | Hold | None, turn_at: float, now: float) -> PublisherError:
    """Return the error that says why a post cannot go now, and when it could."""
    retry_after = seconds_until(turn_at, now)
    if isinstance(reason, Hold):
        return PostLimitReached(
            reason.error,
            f"{reason.message} Posts are held for it until {iso(reason.until)}.",
            tiktok_code=reason.code,
            tiktok_log_id=reason.log_id,
            retry_after=retry_after,
        )
    meaning = reason.meaning if reason else "used its limits up"
    return PostLimitReached(
        f"The account has {meaning}, or promised these places to posts that wait.",
        f"Send it again at {iso(turn_at)}, or with queueIfLimited to have it wait for its turn.",
        retry_after=retry_after,
        limit=reason.name if reason else None,
    )
