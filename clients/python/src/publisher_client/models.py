"""The API's answers. Names are Python's, `model_dump(by_alias=True)` gives the API's; a field that is new is kept."""

from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from publisher_client.errors import UnexpectedAnswer

Privacy = Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]

ENDED = frozenset({"PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "CANCELLED", "REVIEW"})
"""States in which a post stays until somebody acts."""


class Told(BaseModel):
    """Something that the service told."""

    @classmethod
    def read(cls, told: object) -> Self:
        """Return an answer; UnexpectedAnswer when it is none of this API's."""
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            raise UnexpectedAnswer(
                "The answer is not one of this service's.",
                "Look whether the address is right and the client is new enough.",
            ) from error


class Answer(Told):
    """camelCase outside, snake_case inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


class SnakeAnswer(Told):
    """An answer whose names are snake_case outside too, as those under /api are."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Account(SnakeAnswer):
    """A connected TikTok account; `state` is active, expiring, reauthorize or disconnected."""

    account_id: str
    is_valid: bool
    tiktok_username: str
    tiktok_display_name: str
    tiktok_avatar_url: str
    state: str
    state_reason: str | None = None


class AccountList(SnakeAnswer):
    """The accounts of a workspace."""

    accounts: list[Account]


class ConnectLink(Answer):
    """A link at which a creator connects an account: once, in any browser."""

    connect_url: str
    expires_at: datetime


class Creator(Answer):
    """What a creator may choose now."""

    account_id: str
    creator_username: str
    creator_nickname: str
    privacy_level_options: list[str]
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool
    max_video_post_duration_sec: int


class Limit(Answer):
    """One limit of an account; `frees` are the moments at which its slots are free again."""

    name: str
    limit: int
    window_seconds: int
    used: int
    promised: int
    left: int
    frees: list[datetime]


class Quota(Answer):
    """What is left of an account's limits."""

    account_id: str
    limits: list[Limit]
    held_until: datetime | None = None
    held_reason: str | None = None


class Moment(Answer):
    """A step of a post; bytes when it moves some."""

    step: str
    at: datetime
    bytes: int | None = None
    total_bytes: int | None = None


class PostAnswer(Answer):
    """What the service says of a post that was accepted, or begun again."""

    post_submission_id: str
    post_type: str = Field(alias="post_type")
    publish_id: str | None = Field(default=None, alias="publish_id")
    status: str
    message: str
    warnings: list[str] = Field(default_factory=list)
    scheduled_time: datetime | None = None
    not_before: datetime | None = None

    @property
    def ended(self) -> bool:
        """Tell whether the post stays as it is until somebody acts."""
        return self.status in ENDED


class Problem(Answer):
    """Something that is wrong with a post."""

    field: str | None
    code: str
    error: str
    message: str


class SeenMedia(Answer):
    """What was seen of one media URL; None is what was not."""

    item: int
    content_type: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    duration_seconds: float | None


class Validation(Answer):
    """What a check of a post found; nothing was done."""

    valid: bool
    problems: list[Problem]
    warnings: list[str]
    media: list[SeenMedia]
    status: str | None = None
    scheduled_time: datetime | None = None
    not_before: datetime | None = None


class Post(PostAnswer):
    """A post with its steps, and for a failed one why."""

    account_id: str
    text: str
    timeline: list[Moment]
    public_url: str | None = None
    post_ids: list[str]
    created_at: datetime
    updated_at: datetime
    error: str | None = None
    code: str | None = None
    retryable: bool | None = None
    tiktok_log_id: str | None = Field(default=None, alias="tiktok_log_id")


class PostPage(Answer):
    """Posts, newest first; `cursor` leads to the next page."""

    posts: list[Post]
    cursor: str | None = None


class Figures(SnakeAnswer):
    """An account's figures; None for what the creator has not allowed."""

    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None


class LatestVideo(SnakeAnswer):
    """One of an account's latest videos."""

    id: str
    video_description: str
    duration: int
    create_time: datetime
    share_url: str
    view_count: int
    like_count: int
    comment_count: int
    share_count: int


class Metrics(SnakeAnswer):
    """An account's figures and its latest videos."""

    account_id: str
    as_of: datetime
    missing_scopes: list[str]
    metrics: Figures
    videos: list[LatestVideo] | None = None


class Video(Answer):
    """A public video of an account."""

    id: str
    video_description: str
    duration: int
    create_time: datetime
    share_url: str
    view_count: int
    like_count: int
    comment_count: int
    share_count: int


class VideoPage(Answer):
    """Videos, newest first; `cursor` leads to the next page while `has_more`."""

    account_id: str
    videos: list[Video] | None = None
    cursor: int | None = None
    has_more: bool
    missing_scopes: list[str]


class Day(Answer):
    """An account on one day."""

    date: date
    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None
    collected: dict[str, int]


class History(Answer):
    """An account day by day."""

    account_id: str
    days: list[Day]


class Part(Answer):
    """A part of an upload: the bytes from `first`, `size` of them."""

    number: int
    first: int
    size: int
    received: bool
    url: str | None = None


class Upload(Answer):
    """A file on its way; `media_url` stands for it in posts once it is complete."""

    upload_id: str
    file_name: str
    size: int
    media_url: str
    parts: list[Part]
    complete: bool
    expires_at: datetime


class Finding(Answer):
    """What the doctor found; `status` is ok, warning, failed or unknown."""

    check: str
    status: str
    finding: str
    advice: str = ""


class Checkup(Answer):
    """All that the doctor found."""

    healthy: bool
    findings: list[Finding]


class Options(Answer):
    """TikTok's options of a post. Nothing is on unless it is chosen, and nobody sees the post but whom it is for."""

    privacy_level: Privacy | None = None
    allow_comment: bool = False
    allow_duet: bool = False
    allow_stitch: bool = False
    brand_content_toggle: bool = False
    brand_organic_toggle: bool = False
    draft: bool = False
    is_ai_generated: bool = False
    video_cover_timestamp_ms: int | None = None
    photo_cover_index: int | None = None
    photo_title: str = ""
    auto_add_music: bool = False

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return self.model_dump(by_alias=True, exclude_none=True)
