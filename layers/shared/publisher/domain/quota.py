"""What is left of an account's limits now, and when it frees. Moments are epoch seconds."""

from typing import NamedTuple

from publisher.domain.slots import DRAFTS, LANES, POSTS, WINDOWS, Hold, Usage, Window, held, promised, used, waiting


class Limited(NamedTuple):
    """A window: slots `promised` to posts in line, slots that a caller can have now, and when each taken one frees."""

    window: Window
    promised: int
    left: int
    frees: tuple[float, ...]


class Quota(NamedTuple):
    """An account's windows, how many posts and drafts wait for their turn, and the hold that lasts longest."""

    limits: tuple[Limited, ...]
    waiting_posts: int
    waiting_drafts: int
    hold: Hold | None


def quota_of(usage: Usage, app: Usage, now: float) -> Quota:
    """Count what an account and the app have used.

    What is promised to posts in line is left to nobody else, and nothing is left of what TikTok's refusal holds.
    """
    holds = {lane: [hold for hold in (held(usage, lane, now), held(app, lane, now)) if hold] for lane in LANES}

    def limited(window: Window) -> Limited:
        frees, owed = used(usage, window, now), promised(usage, window, now)
        barred = any(holds[lane] for lane in LANES if window in lane.windows)
        return Limited(window, owed, 0 if barred else max(0, window.most - len(frees) - owed), frees)

    return Quota(
        limits=tuple(limited(window) for window in WINDOWS),
        waiting_posts=len(waiting(usage, POSTS, now)),
        waiting_drafts=len(waiting(usage, DRAFTS, now)),
        hold=max((hold for lane in LANES for hold in holds[lane]), key=lambda hold: hold.until, default=None),
    )
