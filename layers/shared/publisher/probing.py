"""Reading what a video's container says of itself, with MediaInfo's library.

MediaInfo seeks: an index at the end of a large file costs two or three reads of `_READ_BYTES`, not the whole file.
"""

from typing import BinaryIO

from pymediainfo import MediaInfo, Track

from publisher.domain.errors import InvalidMediaType
from publisher.domain.limits import SNIFF_BYTES
from publisher.domain.media import VideoFacts
from publisher.domain.sniffing import sniff

_READ_BYTES = 1024 * 1024
_SEEKING, _THROUGHOUT = 0.5, 1.0
_CODECS = {"AVC": "H.264", "HEVC": "H.265"}
_RE_EXPORT = "Play the file to see whether it is whole, and export it again as MP4."


def probe(file: BinaryIO, size: int) -> VideoFacts:
    """Return the facts of the video in `file`, which has `size` bytes and can seek.

    A streamed recording may tell its duration or frame rate only by its frames; such a file is read throughout.
    InvalidMediaType when there is no video, it is incomplete, or it does not tell what has to be known.
    """
    file.seek(0)
    kind = sniff(file.read(SNIFF_BYTES))
    if kind is None or not kind.is_video:
        raise InvalidMediaType("The media is not a video in MP4, MOV or WebM.", "Give a video file.")
    info = _parse(file, _SEEKING)
    facts = _facts(info)
    # A streamed recording declares neither duration nor end, so that its end cannot be missing.
    if info.general_tracks[0].istruncated == "Yes" and (facts is None or facts["duration_seconds"]):
        raise InvalidMediaType("The video file is incomplete: its end is missing.", _RE_EXPORT)
    if facts and not (facts["duration_seconds"] and facts["frames_per_second"]):
        facts = _facts(_parse(file, _THROUGHOUT))
    if facts is None:
        what = "only sound" if info.audio_tracks else "no video that can be read"
        raise InvalidMediaType(f"The media file holds {what}.", _RE_EXPORT)
    missing = [name.replace("_", " ") for name, value in facts.items() if not value]
    if missing:
        raise InvalidMediaType(f"The video does not tell its {' and '.join(missing)}.", _RE_EXPORT)
    return VideoFacts.model_validate({"content_type": str(kind), "size": size, **facts})


def _parse(file: BinaryIO, speed: float) -> MediaInfo:
    return MediaInfo.parse(file, parse_speed=speed, buffer_size=_READ_BYTES)


def _facts(info: MediaInfo) -> dict[str, float | str | None] | None:
    """Return what is told of the first video, by the names of VideoFacts, 0 for the untold; None without a video."""
    if not info.video_tracks:
        return None
    container, video = info.general_tracks[0], info.video_tracks[0]
    milliseconds = max(_number(container, "duration"), _number(video, "duration"))
    return {
        "duration_seconds": milliseconds / 1000,
        "width": _number(video, "width"),
        "height": _number(video, "height"),
        "frames_per_second": _number(video, "frame_rate"),
        "codec": _CODECS.get(video.format, video.format),
    }


def _number(track: Track, name: str) -> float:
    """Return a number of a track; 0 when it is not told."""
    value = getattr(track, name)
    return 0 if value is None else float(value)
