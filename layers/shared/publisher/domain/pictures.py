"""Which posts hold pictures, and what each kind of post can take along."""

from collections.abc import Collection
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict

from publisher.domain.errors import InvalidMediaType, MediaTooLarge
from publisher.domain.limits import MIB, PICTURE_BYTES
from publisher.domain.posts import PostOptions, PostType

_VIDEO_NAMES = frozenset({".mp4", ".m4v", ".mov", ".webm"})
_PICTURE_NAMES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})

_API_NAMES = {
    "privacy_level": "privacyLevel",
    "allow_comment": "allowComment",
    "allow_duet": "allowDuet",
    "allow_stitch": "allowStitch",
    "brand_content": "brandContentToggle",
    "brand_organic": "brandOrganicToggle",
    "is_ai_generated": "isAiGenerated",
    "video_cover_timestamp_ms": "videoCoverTimestampMs",
    "photo_cover_index": "photoCoverIndex",
    "photo_title": "photoTitle",
    "auto_add_music": "autoAddMusic",
}
_ONLY_PHOTOS = frozenset({"photo_cover_index", "photo_title", "auto_add_music"})
_ONLY_VIDEOS = frozenset({"allow_duet", "allow_stitch", "is_ai_generated", "video_cover_timestamp_ms"})
_WITH_PHOTO_DRAFTS = frozenset({"photo_cover_index", "photo_title"})


class PictureFacts(BaseModel):
    """What a picture's header says of itself: size in bytes, sides in pixels before any rotation."""

    model_config = ConfigDict(frozen=True)

    content_type: str
    size: int
    width: int
    height: int


def video_among_pictures() -> InvalidMediaType:
    """Return the error of a post of several media of which one is a video."""
    return InvalidMediaType(
        "The media URL holds a video.",
        "A post is one video, or pictures alone: make a post of its own of the video.",
        field="post.content.mediaUrls",
    )


def picture_too_large() -> MediaTooLarge:
    """Return the error of a picture that has too many bytes to be converted."""
    return MediaTooLarge(
        f"The picture has more than {PICTURE_BYTES // MIB} MiB.",
        "Save it as JPEG; TikTok shows 1080 x 1920 pixels at most.",
        field="post.content.mediaUrls",
    )


def claimed_type(media_urls: Collection[str]) -> PostType | None:
    """Tell what the URLs claim to hold: several are photos, one says it by its name or not at all.

    A claim only: what is posted is decided by the bytes.
    """
    if len(media_urls) > 1:
        return "photo"
    paths = [url.partition("?")[0].partition("#")[0] for url in media_urls]
    endings = {PurePosixPath(path).suffix.lower() for path in paths}
    if endings & _PICTURE_NAMES:
        return "photo"
    return "video" if endings & _VIDEO_NAMES else None


def misplaced(post_type: PostType, options: PostOptions, text: str) -> list[str]:
    """Name the choices that TikTok does not take with such a post."""
    chosen = options.model_dump(exclude_defaults=True, exclude={"draft"})
    if options.draft and post_type == "video":
        if not (text or chosen):
            return []
        return ["TikTok takes no caption or options with a draft video; the creator chooses them in the app."]
    out_of_place = _ONLY_PHOTOS if post_type == "video" else _ONLY_VIDEOS
    warnings = []
    if options.draft:
        left = _listed(set(chosen) - _WITH_PHOTO_DRAFTS)
        return [f"TikTok takes no {left} with a draft; the creator chooses in the app."] if left else []
    if left := _listed(chosen.keys() & out_of_place):
        warnings.append(f"TikTok takes no {left} with a {post_type}, so the post goes out without.")
    return warnings


def _listed(names: Collection[str]) -> str:
    return ", ".join(api_name for name, api_name in _API_NAMES.items() if name in names)
