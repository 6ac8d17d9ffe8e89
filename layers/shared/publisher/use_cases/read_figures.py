"""Answer how an account and its videos fare, asking TikTok at most once in a while, and 100 times a day."""

from collections.abc import Callable
from contextlib import suppress

from pydantic import BaseModel, SecretStr

from publisher.api import iso
from publisher.domain.accounts import Account
from publisher.domain.errors import InvalidRequest, NotFound, RateLimitExceeded, ServiceUnavailable, TryAgain
from publisher.domain.history import Compared, compared
from publisher.domain.limits import FIGURES_CACHE_SECONDS, FIGURES_LEASE_SECONDS, VIDEO_ID_DIGITS, VIDEOS_PER_CALL
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.domain.slots import PERFORMANCE, count, seconds_until
from publisher.ports import Answered, Ports, Value, VideoPage
from publisher.use_cases.load_account import load_account
from publisher.use_cases.take_turn import change_usage
from publisher.use_cases.use_access_token import use_access_token

_FIGURE_SCOPES, _VIDEO_SCOPE = ("user.info.stats",), "video.list"


class Figures(Value):
    """An account's figures and its latest videos; None is what a missing scope hides."""

    account: AccountFigures
    videos: tuple[VideoFigures, ...] | None


class Page(Value):
    """A page of videos; None when the scope for them is missing."""

    page: VideoPage | None


class Found(Value):
    """A video; None when the account has no such public one."""

    video: VideoFigures | None


class Read[Answer](Value):
    """An answer, when TikTok gave it, whether it is a kept one, and the scopes that would show more."""

    answer: Answer
    at: float
    cached: bool
    missing_scopes: tuple[str, ...]


def read_figures(ports: Ports, workspace_id: str, account_id: str, *, seconds_left: float) -> Read[Figures]:
    """Return an account's figures and its latest videos; NotFound for another workspace's account."""
    account = load_account(ports, workspace_id, account_id)

    def ask(token: SecretStr) -> Figures:
        figures = ports.tiktok.figures(token, account.scopes)
        page = ports.tiktok.videos(token, cursor=None, count=int(VIDEOS_PER_CALL)) if _lists(account) else None
        return Figures(account=figures, videos=None if page is None else page.videos)

    return _read(ports, account, "figures", Figures, ask, seconds_left=seconds_left)


def read_videos(
    ports: Ports, workspace_id: str, account_id: str, *, cursor: int | None, limit: int, seconds_left: float
) -> Read[Page]:
    """Return a page of an account's public videos, newest first."""
    account = load_account(ports, workspace_id, account_id)

    def ask(token: SecretStr) -> Page:
        return Page(page=ports.tiktok.videos(token, cursor=cursor, count=limit) if _lists(account) else None)

    return _read(ports, account, f"videos#{cursor or ''}#{limit}", Page, ask, seconds_left=seconds_left)


def read_video(
    ports: Ports, workspace_id: str, account_id: str, video_id: str, *, seconds_left: float
) -> tuple[Read[Found], dict[str, Compared]]:
    """Return one of an account's videos, and how it did at each age beside the others; NotFound when it has none."""
    account = load_account(ports, workspace_id, account_id)
    if not (video_id.isascii() and video_id.isdecimal() and len(video_id) <= VIDEO_ID_DIGITS):
        raise InvalidRequest("A video's id is a number.", "GET …/videos lists the ids.", field="video_id")

    def ask(token: SecretStr) -> Found:
        found = ports.tiktok.find_videos(token, [video_id]) if _lists(account) else ()
        return Found(video=next((video for video in found if video.video_id == video_id), None))

    read = _read(ports, account, f"video#{video_id}", Found, ask, seconds_left=seconds_left)
    if read.answer.video is None and _lists(account):
        raise NotFound("The account has no such public video.", "GET …/videos lists the videos.")
    return read, compared(ports.metrics.get(account.account_id).tracks, video_id)


def _lists(account: Account) -> bool:
    return _VIDEO_SCOPE in account.scopes


def _read[Answer: BaseModel](
    ports: Ports,
    account: Account,
    question: str,
    kind: type[Answer],
    ask: Callable[[SecretStr], Answer],
    *,
    seconds_left: float,
) -> Read[Answer]:
    """Answer a question from what is known for a while, or else by asking TikTok; of racing readers one asks.

    RateLimitExceeded when the account's questions of the day are used up; only what TikTok is asked counts. What was
    answered while the creator allowed less, or more, is no answer.
    """
    ends = ports.clock.now() + seconds_left
    question += "".join(f"#without {scope}" for scope in _missing(account))
    asked = False

    def ask_once(token: SecretStr) -> Answer:
        nonlocal asked
        if not asked:
            _count(ports, account.account_id, question)
        asked = True
        return ask(token)

    while True:
        known = ports.metrics.answered(account.account_id, question)
        if known is not None:
            return _told(account, kind.model_validate_json(known.text), known.at, cached=True)
        now = ports.clock.now()
        if ports.metrics.lease(account.account_id, question, now + FIGURES_LEASE_SECONDS):
            break
        if now + 1 > ends:
            raise ServiceUnavailable("TikTok is being asked already.", "Try again in a moment.", retry_after=5)
        ports.clock.sleep(0.3)
    answered: Answered | None = None
    try:
        answer = use_access_token(ports, account.account_id, ask_once, seconds_left=ends - ports.clock.now())
        now = ports.clock.now()
        answered = Answered(text=answer.model_dump_json(), at=now, until=now + FIGURES_CACHE_SECONDS)
    finally:
        with suppress(TryAgain):  # what is not kept is only asked again
            ports.metrics.answer(account.account_id, question, answered)
    with suppress(TryAgain):
        ports.metrics.plan(account.account_id, now)
    return _told(account, answer, now, cached=False)


def _count(ports: Ports, account_id: str, question: str) -> None:
    wait = change_usage(ports, account_id, lambda usage, now: count(usage, PERFORMANCE, question, now))
    if wait > 0:
        free_at = ports.clock.now() + wait
        raise RateLimitExceeded(
            f"The account has {PERFORMANCE.meaning}.",
            f"Ask again at {iso(free_at)}; what was asked within {FIGURES_CACHE_SECONDS // 60} minutes is answered.",
            retry_after=seconds_until(wait, 0.0),
            limit=PERFORMANCE.name,
        )


def _told[Answer](account: Account, answer: Answer, at: float, *, cached: bool) -> Read[Answer]:
    return Read(answer=answer, at=at, cached=cached, missing_scopes=_missing(account))


def _missing(account: Account) -> tuple[str, ...]:
    return tuple(scope for scope in (*_FIGURE_SCOPES, _VIDEO_SCOPE) if scope not in account.scopes)
