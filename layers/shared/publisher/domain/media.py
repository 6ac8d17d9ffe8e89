"""Facts about a video, whether TikTok takes it, and what would do better there."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from publisher.domain.errors import InvalidMediaType, MediaTooLarge
from publisher.domain.limits import (
    ADVISED_BYTES,
    ADVISED_SECONDS_MAX,
    ADVISED_SECONDS_MIN,
    ADVISED_SIDE,
    VIDEO_BYTES,
    VIDEO_FPS_MAX,
    VIDEO_FPS_MIN,
    VIDEO_SECONDS_MAX,
    VIDEO_SIDE_MAX,
    VIDEO_SIDE_MIN,
)
from publisher.domain.sniffing import Kind, other_name, sniff

CONTAINERS = (Kind.MP4, Kind.QUICKTIME, Kind.WEBM)
"""TikTok, media transfer guide (documented)."""
CODECS = ("H.264", "H.265", "VP8", "VP9")
"""TikTok, media transfer guide (documented)."""
_FPS_NOISE = 0.1
"""A recording's average misses its nominal rate by less: 60.02 is a phone's 60."""


class VideoFacts(BaseModel):
    """What a container says of itself.

    Size in bytes, duration in seconds, sides in pixels before any rotation; the frame rate is the average. `codec` is a
    name of `CODECS`, or another one that TikTok does not take.
    """

    model_config = ConfigDict(frozen=True)

    content_type: str
    size: int
    duration_seconds: float
    width: int
    height: int
    frames_per_second: float
    codec: str


def known_kind(head: bytes) -> Kind:
    """Tell the kind of media that begins with `head`; InvalidMediaType for anything that cannot be used."""
    kind = sniff(head)
    if kind is None:
        name = other_name(head)
        what = f"{name}, which cannot be used" if name else "neither a video nor a picture that can be used"
        raise InvalidMediaType(
            f"The media is {what}.",
            "Give the file itself, not a page that shows it: MP4, MOV or WebM; JPEG, PNG, WebP, GIF, BMP or TIFF.",
            field="post.content.mediaUrls",
        )
    return kind


def check_video(facts: VideoFacts, *, longest_seconds: int) -> None:
    """Raise InvalidMediaType, naming every problem, or MediaTooLarge when TikTok would refuse the video.

    `longest_seconds` is the creator's own limit; for a draft, which may be cut in the app, give VIDEO_SECONDS_MAX.
    """
    if facts.size > VIDEO_BYTES:
        raise MediaTooLarge(
            f"The video has {facts.size:,} bytes; TikTok takes {VIDEO_BYTES:,}.", "Compress or shorten the video."
        )
    problems = list(_problems(facts, longest_seconds))
    if problems:
        raise InvalidMediaType(
            " ".join(wrong for wrong, _ in problems), " ".join(dict.fromkeys(remedy for _, remedy in problems))
        )


def _problems(facts: VideoFacts, longest_seconds: int) -> Iterator[tuple[str, str]]:
    """Tell what is wrong and what to do, for each rule that is broken."""
    if facts.content_type not in CONTAINERS:
        yield f"The media is {facts.content_type}, not MP4, MOV or WebM.", "Save the video as MP4."
    if facts.codec not in CODECS:
        yield (
            f"The video is coded in {facts.codec}; TikTok takes {', '.join(CODECS)}.",
            "Export the video with the H.264 codec.",
        )
    if not VIDEO_FPS_MIN - _FPS_NOISE <= facts.frames_per_second <= VIDEO_FPS_MAX + _FPS_NOISE:
        yield (
            f"The video has {facts.frames_per_second:.2f} frames a second, not {VIDEO_FPS_MIN} to {VIDEO_FPS_MAX}.",
            "Export the video with 30 frames a second.",
        )
    if min(facts.width, facts.height) < VIDEO_SIDE_MIN or max(facts.width, facts.height) > VIDEO_SIDE_MAX:
        yield (
            f"The video is {facts.width} x {facts.height}; TikTok takes {VIDEO_SIDE_MIN} to {VIDEO_SIDE_MAX} a side.",
            "Export the video in 1080 x 1920.",
        )
    if facts.duration_seconds > VIDEO_SECONDS_MAX:
        yield (
            f"The video is {facts.duration_seconds:.1f} seconds long; TikTok takes {VIDEO_SECONDS_MAX}.",
            "Shorten the video.",
        )
    elif facts.duration_seconds > longest_seconds:
        yield (
            f"The video is {facts.duration_seconds:.1f} seconds long; this creator may post {longest_seconds}.",
            "Shorten the video, or send it as a draft and trim it in TikTok.",
        )


def advice(facts: VideoFacts) -> list[str]:
    """Return warnings about a video that TikTok takes but that would do better otherwise."""
    warnings = []
    if facts.size > ADVISED_BYTES:
        warnings.append(f"The video is over {ADVISED_BYTES // 10**6} MB: it uploads slowly.")
    if facts.content_type != Kind.MP4:
        warnings.append("The video is not an MP4, the format that TikTok processes best.")
    if min(facts.width, facts.height) < ADVISED_SIDE:
        warnings.append(f"The video is {facts.width} x {facts.height}, under {ADVISED_SIDE}p: it may look soft.")
    if not ADVISED_SECONDS_MIN <= facts.duration_seconds <= ADVISED_SECONDS_MAX:
        warnings.append(
            f"The video is {facts.duration_seconds:.1f} seconds long; {ADVISED_SECONDS_MIN} to {ADVISED_SECONDS_MAX} "
            "engage best."
        )
    return warnings
