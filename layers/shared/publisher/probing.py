"""Reading what a video's container, or a picture's header, says of itself."""

import json
import math
import subprocess
import sys
import time
from multiprocessing import Pipe
from typing import Any, BinaryIO, NamedTuple

from publisher.converting import not_a_picture, refusal
from publisher.domain.errors import InternalServerError, InvalidMediaType
from publisher.domain.limits import PROBE_SECONDS, SNIFF_BYTES
from publisher.domain.media import VideoFacts
from publisher.domain.pictures import PictureFacts
from publisher.domain.sniffing import Kind, sniff

_HERE_AND_THERE, _EVERY_FRAME = 0.5, 1.0
_MESSAGE_BYTES = 64 * 1024
_CODECS = {"AVC": "H.264", "HEVC": "H.265"}
_EXPORT_AGAIN = "Play the file to see whether it is whole, and export it again as MP4."


class Prober:
    """Looks into files by processes that end with each look."""

    def video(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> VideoFacts:
        """Return the facts of the video in `file`, which has `size` bytes and can seek.

        A streamed recording may tell its duration or frame rate only by its frames; such a file is read throughout.
        InvalidMediaType when there is no video, it is incomplete, it does not tell what has to be known, or finding
        out takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        kind = _kind(file)
        if kind is None or not kind.is_video:
            raise InvalidMediaType("The media is not a video in MP4, MOV or WebM.", "Give a video file.")
        told = _video_told(file, size, _HERE_AND_THERE, deadline)
        # A streamed recording declares neither duration nor end, so that its end cannot be missing.
        if told.is_truncated and (told.duration_seconds or not told.has_video):
            raise InvalidMediaType("The video file is incomplete: its end is missing.", _EXPORT_AGAIN)
        if not told.has_video:
            what = "only sound" if told.has_sound else "no video that can be read"
            raise InvalidMediaType(f"The media file holds {what}.", _EXPORT_AGAIN)
        if not (told.duration_seconds and told.frames_per_second):
            told = _video_told(file, size, _EVERY_FRAME, deadline)
        return _facts(kind, size, told)

    def picture(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> PictureFacts:
        """Return the facts of the picture in `file`, which has `size` bytes and can seek.

        MediaTooLarge for more pixels than are converted, InvalidMediaType when there is no picture, its header cannot
        be read, or finding out takes longer than `seconds`.
        """
        kind = _kind(file)
        if kind is None or kind.is_video:
            raise not_a_picture()
        message = _ask(
            file, f"imaging import measure; measure({{}}, {size}, {kind.name!r})", time.monotonic() + seconds
        )
        if message is None or "refused" in message:
            raise refusal("damaged" if message is None else message["refused"], kind)
        return PictureFacts(content_type=kind, size=size, **message["told"])


def _kind(file: BinaryIO) -> Kind | None:
    file.seek(0)
    return sniff(file.read(SNIFF_BYTES))


class _Told(NamedTuple):
    """What MediaInfo told; 0 and "" for what it did not."""

    is_truncated: bool
    has_video: bool
    has_sound: bool
    duration_seconds: float
    frames_per_second: float
    width: float
    height: float
    codec: str


def _facts(kind: Kind, size: int, told: _Told) -> VideoFacts:
    missing = [name.replace("_", " ") for name in _Told._fields[3:] if not getattr(told, name)]
    if missing:
        raise InvalidMediaType(f"The video does not tell its {' and '.join(missing)}.", _EXPORT_AGAIN)
    return VideoFacts(
        content_type=kind,
        size=size,
        duration_seconds=told.duration_seconds,
        width=round(told.width),
        height=round(told.height),
        frames_per_second=told.frames_per_second,
        codec=told.codec,
    )


def _video_told(file: BinaryIO, size: int, speed: float, deadline: float) -> _Told:
    message = _ask(file, f"mediainfo import serve; serve({{}}, {size}, {speed})", deadline)
    if message is None:
        raise InvalidMediaType("The video file cannot be read.", _EXPORT_AGAIN)
    return _told(message["told"])


def _ask(file: BinaryIO, program: str, deadline: float) -> dict[str, Any] | None:
    """Let a program look into the file, in a process that ends with this call; None when it broke on the file.

    `program` has a place for the descriptor of the pipe by which it talks as ParentsFile does.
    """
    ours, theirs = Pipe()
    command = f"import sys; sys.path[:] = {sys.path!r}; from publisher.{program.format(theirs.fileno())}"
    with ours, theirs:
        process = subprocess.Popen(  # noqa: S603 - a program of ours, and a number
            [sys.executable, "-c", command], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
        theirs.close()
        has_begun = False
        try:
            while ours.poll(max(0, deadline - time.monotonic())):
                message: dict[str, Any] = json.loads(ours.recv_bytes(_MESSAGE_BYTES))
                if "read" not in message:
                    return message
                has_begun = True
                position, length = message["read"]
                file.seek(position)
                ours.send_bytes(file.read(length))
        except (EOFError, ConnectionError) as error:
            if not has_begun:
                raise InternalServerError(
                    "The program that reads media does not start.", "The log says why."
                ) from error
            return None
        finally:
            process.kill()
            process.wait()
    raise InvalidMediaType("Reading the media file takes too long.", _EXPORT_AGAIN)


def _told(told: dict[str, Any]) -> _Told:
    container, video = told["container"], told["video"] or {}
    coding = str(video.get("format") or "")
    return _Told(
        is_truncated=container["istruncated"] == "Yes",
        has_video=bool(video),
        has_sound=told["has_sound"],
        duration_seconds=max(_number(container, "duration"), _number(video, "duration")) / 1000,
        frames_per_second=_number(video, "frame_rate"),
        width=_number(video, "width"),
        height=_number(video, "height"),
        codec=_CODECS.get(coding, coding),
    )


def _number(values: dict[str, Any], name: str) -> float:
    """Return a positive number; 0 for anything else, since damaged files are told in odd ways."""
    try:
        number = float(values.get(name) or 0)
    except ValueError:
        return 0
    return number if math.isfinite(number) and number > 0 else 0
