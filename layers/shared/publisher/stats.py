"""Questions about figures, and their answers as JSON and CSV."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from publisher.api import absent, check_query, iso, read_number
from publisher.domain.errors import InvalidPlatform, InvalidRequest, MissingParameter
from publisher.domain.history import Compared, Counts, Day
from publisher.domain.limits import VIDEOS_PER_CALL
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.use_cases.read_figures import Figures, Found, Page, Read

_CAMEL = ConfigDict(alias_generator=to_camel, populate_by_name=True)


def asked_account(query: Mapping[str, str]) -> str:
    """Return the account that GET /api/performance/metrics asks for."""
    if query.get("platform", "tiktok") != "tiktok":
        raise InvalidPlatform("The platform is not supported.", 'Set it to "tiktok".', field="platform")
    if not query.get("account_id"):
        raise MissingParameter("account_id is missing.", "GET /api/accounts lists them.", field="account_id")
    return query["account_id"]


def asked_page(query: Mapping[str, str]) -> tuple[int | None, int]:
    """Return the cursor, an epoch millisecond, and the number of videos that a page asks for."""
    check_query(query, {"cursor", "limit"})
    limit = read_number(query, "limit", least=1, most=VIDEOS_PER_CALL)
    return read_number(query, "cursor", least=0, most=10**15), VIDEOS_PER_CALL if limit is None else limit


class HistoryQuery(BaseModel):
    """What a history is asked for: of one video, or of the account, and as what."""

    video_id: str | None
    as_csv: bool

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "HistoryQuery":
        """Read the parameters; read_history reads the dates."""
        check_query(query, {"since", "until", "videoId", "format"})
        form, video_id = query.get("format", "json"), query.get("videoId")
        if form not in ("json", "csv"):
            raise InvalidRequest("format is not one that there is.", "Choose json or csv.", field="format")
        if video_id is not None and not (video_id.isascii() and video_id.isdecimal()):
            raise InvalidRequest("A video's id is a number.", "GET …/videos lists the ids.", field="videoId")
        return cls(video_id=video_id, as_csv=form == "csv")


class VideoFields(BaseModel):
    """A video, under TikTok's names."""

    id: str
    video_description: str
    duration: int
    create_time: str
    cover_image_url: str
    share_url: str
    view_count: int
    like_count: int
    comment_count: int
    share_count: int

    @classmethod
    def of(cls, video: VideoFigures) -> "VideoFields":
        """Show a video."""
        return cls(
            id=video.video_id,
            video_description=video.description,
            create_time=iso(video.created_at),
            cover_image_url=video.cover_url,
            **video.model_dump(
                include={"duration", "share_url", "view_count", "like_count", "comment_count", "share_count"}
            ),
        )


class MetricsAnswer(BaseModel):
    """What GET /api/performance/metrics answers; `cached_at` is null when TikTok was asked for this call."""

    success: Literal[True] = True
    account_id: str
    platform: Literal["tiktok"] = "tiktok"
    cached_at: str | None
    as_of: str
    missing_scopes: tuple[str, ...]
    metrics: AccountFigures
    videos: list[VideoFields] | None

    @classmethod
    def of(cls, account_id: str, read: Read[Figures]) -> "MetricsAnswer":
        """Show an account's figures; null is what a missing scope hides."""
        videos = read.answer.videos
        return cls(
            account_id=account_id,
            cached_at=iso(read.at) if read.cached else None,
            as_of=iso(read.at),
            missing_scopes=read.missing_scopes,
            metrics=read.answer.account,
            videos=None if videos is None else [VideoFields.of(video) for video in videos],
        )


class VideoAnswer(VideoFields):
    """The same under names of this API."""

    model_config = _CAMEL


class VideosAnswer(BaseModel):
    """What GET …/videos answers, newest first; `cursor` leads to the next page. Without video.list `videos` is null."""

    model_config = _CAMEL

    account_id: str
    cached_at: str | None
    as_of: str
    missing_scopes: tuple[str, ...]
    videos: list[VideoAnswer] | None
    cursor: int | None
    has_more: bool

    @classmethod
    def of(cls, account_id: str, read: Read[Page]) -> "VideosAnswer":
        """Show a page."""
        page = read.answer.page
        return cls(
            account_id=account_id,
            cached_at=iso(read.at) if read.cached else None,
            as_of=iso(read.at),
            missing_scopes=read.missing_scopes,
            videos=[_video(video) for video in page.videos] if page else None,
            cursor=page.cursor if page and page.has_more else None,
            has_more=page.has_more if page else False,
        )


class AgeAnswer(BaseModel):
    """A video's figures at an age, null where nobody looked, beside the median views of other videos at that age."""

    model_config = _CAMEL

    view_count: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    median_view_count: float | None
    compared_with: int
    ratio: float | None

    @classmethod
    def of(cls, compared: Compared) -> "AgeAnswer":
        """Show a comparison; `ratio` is the video's views by the median's."""
        counts, middle = compared.counts, compared.median_views
        return cls(
            **_counts(counts),
            median_view_count=middle,
            compared_with=compared.of,
            ratio=round(counts.views / middle, 3) if counts and middle else None,
        )


class OneVideoAnswer(BaseModel):
    """What GET …/videos/{video_id} answers; the post is there when the video was published here."""

    model_config = _CAMEL

    account_id: str
    cached_at: str | None
    as_of: str
    missing_scopes: tuple[str, ...]
    video: VideoAnswer | None
    ages: dict[str, AgeAnswer]
    post_submission_id: str | None = Field(default=None, exclude_if=absent)

    @classmethod
    def of(
        cls, account_id: str, read: Read[Found], ages: Mapping[str, Compared], post_id: str | None
    ) -> "OneVideoAnswer":
        """Show a video, and how it did at each age."""
        video = read.answer.video
        return cls(
            account_id=account_id,
            cached_at=iso(read.at) if read.cached else None,
            as_of=iso(read.at),
            missing_scopes=read.missing_scopes,
            video=_video(video) if video else None,
            ages={age: AgeAnswer.of(compared) for age, compared in ages.items()},
            post_submission_id=post_id,
        )


class CollectedAnswer(BaseModel):
    """Sums over the videos that were collected on a day."""

    model_config = _CAMEL

    videos: int
    view_count: int
    like_count: int
    comment_count: int
    share_count: int


class DayAnswer(BaseModel):
    """An account on a day of UTC, as it was at `asOf`."""

    model_config = _CAMEL

    date: str
    as_of: str
    follower_count: int | None
    following_count: int | None
    likes_count: int | None
    video_count: int | None
    collected: CollectedAnswer


class VideoDayAnswer(BaseModel):
    """A video on a day of UTC, as it was at `asOf`."""

    model_config = _CAMEL

    date: str
    as_of: str
    view_count: int
    like_count: int
    comment_count: int
    share_count: int


class HistoryAnswer(BaseModel):
    """What GET …/history answers, oldest first; days on which nothing was collected are not there."""

    model_config = _CAMEL

    account_id: str
    video_id: str | None = Field(exclude=True)
    days: list[DayAnswer] | list[VideoDayAnswer]

    @classmethod
    def of(cls, account_id: str, asked: HistoryQuery, days: Sequence[Day]) -> "HistoryAnswer":
        """Show the account's days, or those of the video that was asked for."""
        if asked.video_id is None:
            return cls(account_id=account_id, video_id=None, days=[_day(day) for day in days])
        return cls(account_id=account_id, video_id=asked.video_id, days=_video_days(days, asked.video_id))

    def csv(self) -> str:
        """Return the same as CSV: a header, and a row a day; what is not known is empty."""
        text = StringIO()
        if self.video_id is None:
            writer = csv.DictWriter(text, _ACCOUNT_COLUMNS)
        else:
            writer = csv.DictWriter(text, _VIDEO_COLUMNS)
        writer.writeheader()
        for day in self.days:
            shown = day.model_dump(exclude={"as_of", "collected"})
            if isinstance(day, DayAnswer):
                shown |= {f"collected_{name}": value for name, value in day.collected.model_dump().items()}
            writer.writerow(shown)
        return text.getvalue()


_VIDEO_COLUMNS = ("date", "view_count", "like_count", "comment_count", "share_count")
_ACCOUNT_COLUMNS = (
    "date",
    "follower_count",
    "following_count",
    "likes_count",
    "video_count",
    *(f"collected_{name}" for name in CollectedAnswer.model_fields),
)


def _video(video: VideoFigures) -> VideoAnswer:
    return VideoAnswer.model_validate(VideoFields.of(video).model_dump())


def _day(day: Day) -> DayAnswer:
    sums = Counts(*(sum(figures) for figures in zip(*day.videos.values(), strict=True))) if day.videos else _NONE
    return DayAnswer(
        date=day.date,
        as_of=iso(day.at),
        **day.figures.model_dump(),
        collected=CollectedAnswer(videos=len(day.videos), **_counts(sums)),
    )


def _video_days(days: Sequence[Day], video_id: str) -> list[VideoDayAnswer]:
    return [
        VideoDayAnswer(date=day.date, as_of=iso(day.at), **_counts(day.videos[video_id]))
        for day in days
        if video_id in day.videos
    ]


_NONE = Counts(0, 0, 0, 0)


def _counts(counts: Counts | None) -> dict[str, int | None]:
    names = ("view_count", "like_count", "comment_count", "share_count")
    return dict(zip(names, counts or (None,) * len(names), strict=True))
