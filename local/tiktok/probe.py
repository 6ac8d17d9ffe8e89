"""Looking into a received film as TikTok does before it publishes it."""

from pathlib import Path

import av

from local.tiktok import rules
from local.tiktok.rules import FailReason
from local.tiktok.state import Media

_WEBM_HEAD = 64  # bytes at the start that hold the document type of a Matroska file


def probe(path: Path) -> Media | None:
    """Tell what the film at `path` is; None if it is none in a container that TikTok takes."""
    try:
        with av.open(str(path)) as container:
            kind = _container_kind(container, path)
            if not kind or not container.streams.video:
                return None
            stream = container.streams.video[0]
            next(container.decode(stream))
            ticks = stream.duration * stream.time_base if stream.duration and stream.time_base else 0
            return Media(
                container=kind,
                codec=stream.codec_context.name,
                width=stream.codec_context.width,
                height=stream.codec_context.height,
                frame_rate=float(stream.average_rate or stream.guessed_rate or 0),
                duration=container.duration / av.time_base if container.duration else float(ticks),
            )
    except (av.FFmpegError, StopIteration, UnicodeDecodeError):
        return None


def _container_kind(container: av.container.InputContainer, path: Path) -> str | None:
    names = container.format.name.split(",")
    if "mp4" in names:
        brand = container.metadata.get("major_brand", "")
        if brand.startswith(("3g", "M4A")):
            return None
        return "mov" if brand.startswith("qt") or not brand else "mp4"
    with path.open("rb") as file:
        return "webm" if "webm" in names and b"webm" in file.read(_WEBM_HEAD) else None


def find_fault(media: Media | None, longest: float) -> FailReason | None:
    """Why TikTok would not publish the film; `longest` in seconds."""
    if media is None or media.codec not in rules.CODECS:
        return "file_format_check_failed"
    if not 0 < media.duration <= longest:
        return "duration_check_failed"
    if not rules.FRAME_RATE_MIN <= media.frame_rate <= rules.FRAME_RATE_MAX:
        return "frame_rate_check_failed"
    if not all(rules.SIDE_MIN <= side <= rules.SIDE_MAX for side in (media.width, media.height)):
        return "picture_size_check_failed"
    return None
