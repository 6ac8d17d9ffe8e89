"""What a publish is made of: the rules for `post_info` and `source_info` of videos and photos."""

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
# Duet, stitch and the AI label mean nothing for photos and are not looked at.
_PHOTO_FLAGS = ("disable_comment", "auto_add_music", "brand_content_toggle", "brand_organic_toggle")


@dataclass(frozen=True)
class Source:
    """A checked `source_info`; sizes in bytes."""

    source: Literal["FILE_UPLOAD", "PULL_FROM_URL"]
    video_size: int | None = None
    chunk_size: int | None = None
    total_chunk_count: int | None = None
    video_url: str | None = None
    photo_images: tuple[str, ...] = ()
    photo_cover_index: int | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """What TikTok is to pull."""
        return (self.video_url,) if self.video_url else self.photo_images


def utf16_units(text: str) -> int:
    """Length as TikTok counts captions."""
    return len(text.encode("utf-16-le")) // 2


def check_post_info(post_info: Any, settings: Settings) -> dict[str, Any]:
    """Check the `post_info` of a direct video post; null means absent."""
    given = _given(post_info)
    is_correct = (
        _is_text(given.get("title", ""), rules.CAPTION_UTF16_UNITS)
        and _is_whole(given.get("video_cover_timestamp_ms", 0))
        and isinstance(given.get("privacy_level", ""), str)
        and all(isinstance(given.get(name, False), bool) for name in _FLAGS)
    )
    if not is_correct:
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    _check_direct(given, settings)
    return dict(post_info)


def check_photo_post_info(post_info: Any, kind: Literal["direct", "draft"], settings: Settings) -> dict[str, Any]:
    """Check the `post_info` of a photo post; a draft needs none of its fields, but the same lengths and types hold."""
    given = _given(post_info)
    is_correct = (
        _is_text(given.get("title", ""), rules.PHOTO_TITLE_UTF16_UNITS)
        and _is_text(given.get("description", ""), rules.PHOTO_DESCRIPTION_UTF16_UNITS)
        and isinstance(given.get("privacy_level", ""), str)
        and all(isinstance(given.get(name, False), bool) for name in _PHOTO_FLAGS)
    )
    if not is_correct:
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    if kind == "direct":
        _check_direct(given, settings)
    return dict(post_info)


def _given(post_info: Any) -> dict[str, Any]:
    if not isinstance(post_info, dict):
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    return {name: value for name, value in post_info.items() if value is not None}


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and utf16_units(value) <= longest


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_direct(given: dict[str, Any], settings: Settings) -> None:
    if settings.brand_toggles == "required" and not {"brand_content_toggle", "brand_organic_toggle"} <= given.keys():
        raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
    if not given.get("privacy_level"):
        if settings.missing_privacy_level == "invalid_params":
            raise RefusedError("invalid_params", rules.POST_INFO_INCORRECT)
        raise RefusedError("privacy_level_option_mismatch", status=settings.privacy_mismatch_status)


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
        if not isinstance(url, str) or not is_pullable(url, settings):
            raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
        return Source("PULL_FROM_URL", video_url=url)
    raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)


def check_photo_source_info(source_info: Any, settings: Settings) -> Source:
    """Check the `source_info` of a photo post: only URLs, in the order of the carousel, and a cover among them."""
    if not isinstance(source_info, dict) or source_info.get("source") != "PULL_FROM_URL":
        raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
    urls: Any = source_info.get("photo_images")
    cover: Any = source_info.get("photo_cover_index")
    is_correct = (
        isinstance(urls, list)
        and 1 <= len(urls) <= rules.PHOTOS
        and all(isinstance(url, str) and is_pullable(url, settings) for url in urls)
        and _is_whole(cover)
        and 0 <= cover < len(urls)
    )
    if not is_correct:
        raise RefusedError("invalid_params", rules.SOURCE_INFO_INCORRECT)
    return Source("PULL_FROM_URL", photo_images=tuple(urls), photo_cover_index=cover)


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


def is_pullable(url: str, settings: Settings) -> bool:
    """Whether TikTok would pull from `url` at all: https and a host name, unless the sandbox may take local ones."""
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


def check_ownership(urls: tuple[str, ...], app: App) -> None:
    """Refuse URLs of which one lies under no domain or URL prefix that the app has verified."""
    if not all(any(_covers(verified, url) for verified in app.verified_properties) for url in urls):
        raise RefusedError("url_ownership_unverified")


def _covers(verified: str, url: str) -> bool:
    if "://" in verified:
        return url.startswith(verified)
    return f".{urlsplit(url).hostname or ''}".endswith(f".{verified}")
