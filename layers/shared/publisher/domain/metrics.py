"""What TikTok tells of how an account and its videos fare."""

from pydantic import BaseModel, ConfigDict


class AccountFigures(BaseModel):
    """An account's figures of one moment. None is what TikTok did not tell, because its scope was not granted."""

    model_config = ConfigDict(frozen=True)

    follower_count: int | None = None
    following_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None


class VideoFigures(BaseModel):
    """A public video and its figures of one moment.

    `created_at` is an epoch second, the duration is in seconds. TikTok cuts the description at 150 characters, and
    `cover_url` works for some hours only.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    created_at: int
    description: str = ""
    duration: int = 0
    cover_url: str = ""
    share_url: str = ""
    view_count: int = 0
    like_count: int = 0
    comment_count: int = 0
    share_count: int = 0
