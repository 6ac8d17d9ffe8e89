"""TikTok's messages, with TikTok's own field names and nothing that we do not use."""

import codecs
from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    StrictStr,
    ValidationError,
)

_LONGEST_LIFE_DIGITS = 10


def _seconds_if_any(value: object) -> int | None:
    text = str(value)
    return int(text) or None if text.isdecimal() and len(text) <= _LONGEST_LIFE_DIGITS else None


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""Text that is empty when TikTok sends null."""
Count = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
"""A number that is 0 when TikTok sends null."""
LogId = Annotated[Text, Field(validation_alias=AliasChoices("log_id", "logid"))]
"""TikTok writes `log_id`; its documents say `logid`."""
Seconds = Annotated[int | None, BeforeValidator(_seconds_if_any)]
"""A life in seconds; one that cannot be read counts as missing, because refusing the answer would lose its tokens."""


class Wire(BaseModel):
    """A message from or to TikTok. Unknown fields are ignored, and what does not fit is not shown."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


def read[Message: Wire](kind: type[Message], body: bytes) -> Message | None:
    """Read a message; None when the body does not hold one."""
    try:
        return kind.model_validate_json(body.removeprefix(codecs.BOM_UTF8))
    except ValidationError:
        return None


class ApiError(Wire):
    """The `error` of every API answer; the answer is good if, and only if, the code is "ok"."""

    code: str
    message: Text = ""
    log_id: LogId = ""


class Verdict(Wire):
    """What every API answer says, good or bad; `data` may be absent from a bad one.

    One without `error` is judged by its data: an id that TikTok gave is not thrown away for a missing word.
    """

    error: ApiError = ApiError(code="ok")


class Envelope[Data: Wire](Verdict):
    """A good API answer."""

    data: Data


class OAuthError(Wire):
    """A refusal of the token endpoints, which may come with HTTP 200."""

    error: Annotated[str, Field(min_length=1)]
    error_description: Text = ""
    log_id: LogId = ""


class TokenAnswer(Wire):
    """Tokens; `scope` is a comma list, lives are seconds. Everything but the access token has been seen missing."""

    access_token: Annotated[SecretStr, Field(min_length=1)]
    refresh_token: SecretStr | None = None
    open_id: Text = ""
    expires_in: Seconds = None
    refresh_expires_in: Seconds = None
    scope: Text = ""


class Nothing(Wire):
    """Answer of oauth/revoke, unless its body is empty."""


class User(Wire):
    """A user, as far as its fields were asked for."""

    open_id: Text = ""
    username: Text = ""
    display_name: Text = ""
    avatar_url: Text = ""


class UserStats(Wire):
    """A user's figures."""

    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None


class UserStatsData(Wire):
    """Answer of user/info that was asked for figures."""

    user: UserStats


class UserData(Wire):
    """Answer of user/info."""

    user: User


class CreatorData(Wire):
    """Answer of creator_info/query; the duration is in seconds."""

    creator_username: Text = ""
    creator_nickname: Text = ""
    creator_avatar_url: Text = ""
    privacy_level_options: tuple[str, ...] = ()
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: int


class PostInfo(Wire):
    """How a direct post looks; the title is absent when there is no caption."""

    title: str | None
    privacy_level: str | None
    disable_comment: bool
    disable_duet: bool
    disable_stitch: bool
    video_cover_timestamp_ms: int | None
    brand_content_toggle: bool
    brand_organic_toggle: bool
    is_aigc: bool


class SourceInfo(Wire):
    """How the media comes; sizes are bytes."""

    source: Literal["FILE_UPLOAD"] = "FILE_UPLOAD"
    video_size: int
    chunk_size: int
    total_chunk_count: int


class InitRequest(Wire):
    """Opens an upload; a draft takes no `post_info`."""

    post_info: PostInfo | None
    source_info: SourceInfo


class InitData(Wire):
    """An opened upload."""

    publish_id: Annotated[str, Field(min_length=1)]
    upload_url: Annotated[SecretStr, Field(min_length=1)]


class PhotoInfo(Wire):
    """How pictures look; a draft takes no more than the texts, and a text that is empty is absent."""

    title: str | None
    description: str | None
    privacy_level: str | None = None
    disable_comment: bool | None = None
    auto_add_music: bool | None = None
    brand_content_toggle: bool | None = None
    brand_organic_toggle: bool | None = None


class PhotoSource(Wire):
    """Where TikTok pulls the pictures from, in order; the cover is counted from 0."""

    source: Literal["PULL_FROM_URL"] = "PULL_FROM_URL"
    photo_images: tuple[str, ...]
    photo_cover_index: int


class CarouselRequest(Wire):
    """Publishes pictures, or sends them as a draft."""

    media_type: Literal["PHOTO"] = "PHOTO"
    post_mode: Literal["DIRECT_POST", "MEDIA_UPLOAD"]
    post_info: PhotoInfo
    source_info: PhotoSource


class CarouselData(Wire):
    """Pictures that TikTok has taken."""

    publish_id: Annotated[str, Field(min_length=1)]


class StatusRequest(Wire):
    """Asks what became of a post."""

    publish_id: str


class StatusData(Wire):
    """What became of a post. The ids are numbers above 2^53 on the wire, and TikTok spells their name so."""

    status: Annotated[str, Field(min_length=1)]
    fail_reason: Text = ""
    publicaly_available_post_id: tuple[StrictInt | StrictStr, ...] | None = None
    uploaded_bytes: int | None = None


class Video(Wire):
    """A public video; `create_time` is an epoch second. A number that is left out, as empty ones may be, is 0."""

    id: Annotated[str, Field(min_length=1)]
    create_time: int
    video_description: Text = ""
    duration: Count = 0
    cover_image_url: Text = ""
    share_url: Text = ""
    view_count: Count = 0
    like_count: Count = 0
    comment_count: Count = 0
    share_count: Count = 0


class VideoListRequest(Wire):
    """Asks for a page of videos older than the cursor, an epoch millisecond."""

    cursor: int | None
    max_count: int


class VideoListData(Wire):
    """A page of videos; the list is null when it is empty."""

    videos: tuple[Video, ...] | None
    cursor: int | None = None
    has_more: bool = False


class VideoFilters(Wire):
    """Which videos are meant."""

    video_ids: tuple[str, ...]


class VideoQueryRequest(Wire):
    """Asks for videos by their ids."""

    filters: VideoFilters


class VideoQueryData(Wire):
    """The videos that were found; the list is null when it is empty."""

    videos: tuple[Video, ...] | None
