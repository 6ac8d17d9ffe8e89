"""Where the media of a publish comes from: the rules for `post_info` and `source_info` of a video."""

import ipaddress
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from local.tiktok import rules
from local.tiktok.answers import RefusedError
from local.tiktok.settings import Settings
from local.tiktok.state import App

_FLAGS = (
    "disable_comment",
    "disable_duet",
    "disable_stitch",
    "brand_content_toggle",
    "brand_organic_toggle",
    "is_aigc",
)


@dataclass(frozen=True)
class Source:
    """A checked `source_info`; sizes in bytes."""

    source: Literal["FILE_UPLOAD", "PULL_FROM_URL"]
    video_size: int | None = None
    chunk_size: int | None = None
    total_chunk_count: int | None = None
    video_url: str | None = None


def utf16_units(text: str) -> int:
    """Length as TikTok counts captions."""
    return len(text.encode("utf-16-le")) // 2


def check_post_info(post_info: Any, settings: Settings) -> dict[str, Any]:
    """Check the `post_info` of a direct video post; null means absent."""
    if not isinstance(post_info, dict):
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    given = {name: value for name, value in post_info.items() if value is not None}
    title = given.get("title", "")
    cover = given.get("video_cover_timestamp_ms", 0)
    is_correct = (
        isinstance(title, str)
        and utf16_units(title) <= rules.CAPTION_UTF16_UNITS
        and isinstance(cover, int)
        and not isinstance(cover, bool)
        and isinstance(given.get("privacy_level", ""), str)
        and all(isinstance(given.get(name, False), bool) for name in _FLAGS)
    )
    if settings.brand_toggles == "required":
        is_correct = is_correct and {"brand_content_toggle", "brand_organic_toggle"} <= given.keys()
    if not is_correct:
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    if not given.get("privacy_level"):
        if settings.missing_privacy_level == "invalid_params":
            raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
        raise RefusedError("privacy_level_option_mismatch", status=settings.privacy_mismatch_status)
    return post_info


def check_source_info(source_info: Any, settings: Settings) -> Source:
    """Check the `source_info` of a video, chunk plan included."""
    if not isinstance(source_info, dict):
        raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
    if source_info.get("source") == "FILE_UPLOAD":
        size, chunk, count = (_count(source_info, name) for name in ("video_size", "chunk_size", "total_chunk_count"))
        check_plan(size, chunk, count, settings)
        return Source("FILE_UPLOAD", size, chunk, count)
    if source_info.get("source") == "PULL_FROM_URL":
        url = source_info.get("video_url")
        if not isinstance(url, str) or not _is_pullable(url, settings):
            raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
        return Source("PULL_FROM_URL", video_url=url)
    raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)


def _count(source_info: dict[str, Any], name: str) -> int:
    number = source_info.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
    return number


def check_plan(size: int, chunk: int, count: int, settings: Settings) -> None:
    """Check a chunk plan in bytes, in the order in which the server looks at it.

    What passes has fewer than 1000 chunks and none over 128 MB, so these two documented limits need no check.
    """
    megabyte = rules.MEGABYTE[settings.mb]
    if size > rules.VIDEO_GB * rules.GIGABYTE[settings.mb]:
        raise RefusedError("invalid_params", "The video size is invalid")
    too_small = chunk < rules.CHUNK_MIN_MB * megabyte and chunk != size
    if chunk > size or chunk > rules.CHUNK_MAX_MB * megabyte or too_small:
        raise RefusedError("invalid_params", rules.CHUNK_SIZE_INVALID)
    if count != size // chunk:
        raise RefusedError("invalid_params", rules.CHUNK_COUNT_INVALID)
    # Documented until today, refused since August 2026 (DayMoonDevelopment/post-for-me#327).
    if settings.chunk_rules == "2026-08" and count == 1 and chunk != size:
        raise RefusedError("invalid_params", rules.CHUNK_SIZE_INVALID)


def _is_pullable(url: str, settings: Settings) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if settings.pull_local_urls:
        return parts.scheme in ("http", "https") and bool(host)
    return parts.scheme == "https" and "." in host and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_ownership(url: str, app: App) -> None:
    """Refuse a URL that lies under no domain or URL prefix that the app has verified."""
    host = urlsplit(url).hostname or ""
    for verified in app.verified_properties:
        if url.startswith(verified) if "://" in verified else f".{host}".endswith(f".{verified}"):
            return
    raise RefusedError("url_ownership_unverified")
