"""Converting pictures, which a process of its own does (imaging.py)."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from publisher.domain.errors import InternalServerError, InvalidMediaType, MediaTooLarge, RequestInvalid
from publisher.domain.limits import PICTURE_PIXELS, PICTURE_SECONDS, PICTURE_SIDE, SNIFF_BYTES, WEBP_PIXELS
from publisher.domain.sniffing import Kind, sniff
from publisher.ports import Convert, ConvertedPicture

_MESSAGE_BYTES = 64 * 1024
_MEGAPIXELS, _WEBP_MEGAPIXELS = (limit / 10**6 for limit in (PICTURE_PIXELS, WEBP_PIXELS))
_SAVE_AGAIN = "Open the picture to see whether it is whole, and save it again as JPEG."
_SAVE_SMALLER = f"Save it as a baseline JPEG of at most {int(_WEBP_MEGAPIXELS)} megapixels."


class Converter:
    """Converts in a process that is started when it is needed; a picture may take so many seconds."""

    def __init__(self, seconds: float = PICTURE_SECONDS) -> None:
        self._seconds = seconds

    @contextmanager
    def converting(self) -> Iterator[Convert]:
        """Convert any number of pictures until the block ends.

        InvalidMediaType for a file that is no picture or a damaged one, or takes too long; MediaTooLarge for one that
        has too many pixels or needs too much memory. The next picture is converted all the same.
        """
        worker = _Worker(self._seconds)
        try:
            yield worker.convert
        finally:
            worker.end()


class _Worker:
    """The process, which is another one after a picture that it did not survive."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None

    def convert(self, source: Path, target: Path) -> ConvertedPicture:
        deadline = time.monotonic() + self._seconds
        with source.open("rb") as file:
            kind = sniff(file.read(SNIFF_BYTES))
        if kind is None or kind.is_video:
            raise not_a_picture()
        answer = self._ask({"source": str(source), "target": str(target), "kind": kind.name}, deadline)
        if "failed" in answer:
            raise InternalServerError(f"The converted picture cannot be stored: {answer['failed']}.", "Try again.")
        if "refused" in answer:
            raise refusal(answer["refused"], kind)
        return ConvertedPicture(**answer["converted"])

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process and self._pipe:
            self._process.kill()
            self._process.wait()
            self._pipe.close()
        self._process = self._pipe = None

    def _ask(self, request: dict[str, str], deadline: float) -> dict[str, Any]:
        pipe = self._pipe or self._start(deadline)
        try:
            pipe.send_bytes(json.dumps(request).encode())
            return _receive(pipe, deadline)
        except TimeoutError as error:
            self.end()
            raise InvalidMediaType("Converting the picture takes too long.", _SAVE_SMALLER) from error
        except (EOFError, ConnectionError) as error:
            self.end()
            raise InvalidMediaType("The picture cannot be read.", _SAVE_AGAIN) from error

    def _start(self, deadline: float) -> Connection:
        ours, theirs = Pipe()
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; from publisher.imaging import serve; "
            f"serve({theirs.fileno()}, {self._seconds})"
        )
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - a program of ours, and a number
                [sys.executable, "-c", program], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        self._pipe = ours
        try:
            _receive(ours, deadline)
        except (TimeoutError, EOFError, ConnectionError) as error:
            self.end()
            raise InternalServerError("The converter of pictures does not start.", "The log says why.") from error
        return ours


def _receive(pipe: Connection, deadline: float) -> dict[str, Any]:
    if not pipe.poll(max(0, deadline - time.monotonic())):
        raise TimeoutError
    message: dict[str, Any] = json.loads(pipe.recv_bytes(_MESSAGE_BYTES))
    return message


def not_a_picture() -> InvalidMediaType:
    """Return the error of a file that is none."""
    return InvalidMediaType(
        "The media is not a picture in JPEG, PNG, WEBP, GIF, BMP or TIFF.",
        "Save it as JPEG; HEIC, AVIF and SVG are not taken.",
    )


def refusal(reason: str, kind: Kind) -> RequestInvalid:
    """Return the error of a picture that is refused for one of imaging's reasons."""
    match reason:
        case "too large" if kind is Kind.WEBP:
            return MediaTooLarge(
                f"The picture is larger than the {_WEBP_MEGAPIXELS:g} megapixels that a WEBP may have.",
                f"Make it smaller, or save it as JPEG, which may have {_MEGAPIXELS:g} megapixels.",
            )
        case "too large":
            return MediaTooLarge(
                f"The picture is larger than {_MEGAPIXELS:g} megapixels, or than {PICTURE_SIDE:,} pixels on a side.",
                "Make it smaller.",
            )
        case "memory":
            return MediaTooLarge("Decoding the picture needs too much memory.", _SAVE_SMALLER)
        case "no range":
            return InvalidMediaType(
                "The picture has 32 bits a sample, and nothing says which of their values are black and white.",
                "Save it as JPEG, or with 8 or 16 bits a sample.",
            )
        case _:
            return InvalidMediaType("The picture is damaged or incomplete.", _SAVE_AGAIN)
