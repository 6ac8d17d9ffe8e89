"""Keep figures over time: of each account once a day, and of young videos at the ages at which they are compared."""

from collections.abc import Sequence
from functools import partial
from itertools import batched

from pydantic import SecretStr

from publisher.domain.accounts import Account
from publisher.domain.errors import TikTokRefused
from publisher.domain.history import (
    Day,
    counts_of,
    date_of,
    due_videos,
    next_age_at,
    next_daily_at,
    observed,
)
from publisher.domain.limits import (
    COLLECT_MIN_SECONDS,
    COLLECT_WAIT_SECONDS,
    COLLECTED_ACCOUNTS,
    COLLECTED_VIDEOS,
    VIDEOS_PER_CALL,
)
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.look_after_each import LookedAfter, look_after_each
from publisher.use_cases.match_posts import match_posts
from publisher.use_cases.use_access_token import use_access_token

_DAY = 86400


def collect_figures(ports: Ports, *, seconds_left: SecondsLeft) -> LookedAfter:
    """Collect all accounts that are due while there is time; each stands by itself, and the next run goes on."""
    accounts = ports.metrics.due(ports.clock.now(), int(COLLECTED_ACCOUNTS))
    due = [(account_id, partial(_collect, ports, account_id)) for account_id in accounts]
    return look_after_each(due, least_seconds=COLLECT_MIN_SECONDS, seconds_left=seconds_left)


def _collect(ports: Ports, account_id: str, *, seconds_left: float) -> None:
    """Collect one account; one that cannot be read is passed over for a day, a disconnected one for good."""
    account, now = ports.accounts.get(account_id), ports.clock.now()
    if account is None or not account.connected:
        ports.metrics.put_off(account_id, None)
        return
    # First, so that whatever happens the others come first the next time.
    ports.metrics.put_off(account_id, now + COLLECT_WAIT_SECONDS)
    try:
        videos = _look(ports, account, seconds_left=seconds_left)
    except TikTokRefused:
        ports.metrics.put_off(account_id, now + _DAY)
        raise
    match_posts(ports, account, videos)


def _look(ports: Ports, account: Account, *, seconds_left: float) -> Sequence[VideoFigures]:
    """Look at all of an account when its day has come, else at the videos whose age has; Busy when others did."""
    known, now = ports.metrics.get(account.account_id), ports.clock.now()
    if next_daily_at(account.account_id, now, known.at) <= now:
        figures, videos = use_access_token(
            ports, account.account_id, lambda token: _all(ports, account, token), seconds_left=seconds_left
        )
        known = known.model_copy(update={"at": now, "figures": figures})
        counts = {video.video_id: counts_of(video) for video in videos}
        ports.metrics.record(account.account_id, Day(date=date_of(now), at=now, figures=figures, videos=counts))
    else:
        ids = due_videos(known.tracks, now)
        videos = use_access_token(
            ports, account.account_id, lambda token: _some(ports, account, token, ids), seconds_left=seconds_left
        )
    tracks = observed(known.tracks, videos, now)
    daily = next_daily_at(account.account_id, now, known.at)
    next_at = min(daily, next_age_at(tracks, now) or daily)
    ports.metrics.save(known.model_copy(update={"tracks": tracks}), next_at)
    return videos


def _all(ports: Ports, account: Account, token: SecretStr) -> tuple[AccountFigures, tuple[VideoFigures, ...]]:
    figures = ports.tiktok.figures(token, account.scopes)
    videos: list[VideoFigures] = []
    cursor: int | None = None
    while "video.list" in account.scopes and len(videos) < COLLECTED_VIDEOS:
        page = ports.tiktok.videos(token, cursor=cursor, count=int(VIDEOS_PER_CALL))
        videos += page.videos
        if not page.has_more or page.cursor is None:
            break
        cursor = page.cursor
    return figures, tuple(videos[:COLLECTED_VIDEOS])


def _some(ports: Ports, account: Account, token: SecretStr, ids: Sequence[str]) -> tuple[VideoFigures, ...]:
    """Look at the newest videos, of which some may never have been seen, and at the others that are asked for."""
    if "video.list" not in account.scopes:
        return ()
    newest = ports.tiktok.videos(token, cursor=None, count=int(VIDEOS_PER_CALL)).videos
    others = [video_id for video_id in ids if video_id not in {video.video_id for video in newest}]
    pages = (ports.tiktok.find_videos(token, page) for page in batched(others, int(VIDEOS_PER_CALL), strict=False))
    return (*newest, *(video for page in pages for video in page))
