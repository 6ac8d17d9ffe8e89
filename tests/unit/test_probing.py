"""What is told of a video by its container, at the cost of a few reads."""

import io
import struct
import sys
import time
from fractions import Fraction
from random import Random

import pytest

from publisher.domain.errors import InternalServerError, InvalidMediaType, MediaTooLarge, ServiceUnavailable
from publisher.domain.limits import MIB
from publisher.domain.media import VideoFacts
from publisher.domain.pictures import PictureFacts
from publisher.ports import TooMuchToRead
from publisher.probing import Prober
from tests.films import film, sound
from tests.media_server import MediaServer
from tests.pictures import plain


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.sizes: list[int] = []

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.sizes.append(len(data))
        return data


class Padded(Counted):
    """A film whose mdat box is `padding` bytes longer than what is there; what was left out reads as zeros."""

    def __init__(self, content: bytes, padding: int) -> None:
        boxes = top_boxes(content)
        at, size = boxes["mdat"]
        self._before = content[:at] + struct.pack(">I", size + padding) + content[at + 4 : at + size]
        self._after = content[at + size :]
        self.end = len(content) + padding
        self._at = 0
        super().__init__(b"")

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = {0: 0, 1: self._at, 2: self.end}[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        first, last = self._at, min(self.end, self._at + size)
        after = self.end - len(self._after)
        data = self._before[first:last]
        data += bytes(max(0, min(last, after) - max(first, len(self._before))))
        if last > after:
            data += self._after[max(0, first - after) : last - after]
        self._at = last
        self.sizes.append(len(data))
        return data


def top_boxes(content: bytes) -> dict[str, tuple[int, int]]:
    """Return where the boxes of an MP4 begin and how long they are."""
    boxes, at = {}, 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        boxes[name.decode()] = (at, size)
        at += size
    return boxes


def facts(content: bytes) -> VideoFacts:
    return Prober().video(io.BytesIO(content), len(content))


def refusal(content: bytes) -> str:
    with pytest.raises(InvalidMediaType) as refused:
        facts(content)
    return refused.value.error


@pytest.mark.parametrize(
    ("container", "codec", "options", "content_type", "name"),
    [
        ("mp4", "libx264", "", "video/mp4", "H.264"),
        ("mp4", "libx264", "movflags=faststart", "video/mp4", "H.264"),
        ("mp4", "libx264", "movflags=frag_keyframe+empty_moov", "video/mp4", "H.264"),
        ("mp4", "libx264", "movflags=cmaf", "video/mp4", "H.264"),
        ("mp4", "libx265", "", "video/mp4", "H.265"),
        ("mov", "libx264", "", "video/quicktime", "H.264"),
        ("webm", "libvpx", "", "video/webm", "VP8"),
        ("webm", "libvpx-vp9", "", "video/webm", "VP9"),
        ("webm", "libvpx-vp9", "live=1", "video/webm", "VP9"),
        ("mp4", "mpeg4", "", "video/mp4", "MPEG-4 Visual"),
    ],
)
def test_the_facts_of_every_container_and_codec_are_read(container, codec, options, content_type, name):
    content = film(container, codec, options=options)

    assert facts(content) == VideoFacts(
        content_type=content_type,
        size=len(content),
        duration_seconds=1.0,
        width=360,
        height=640,
        frames_per_second=30.0,
        codec=name,
    )


@pytest.mark.parametrize("rate", [Fraction(10), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)])
@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
def test_a_frame_rate_that_is_no_whole_number_is_told(container, codec, rate):
    assert facts(film(container, codec, rate=rate)).frames_per_second == pytest.approx(float(rate), abs=0.01)


def jittery(number: int) -> int:
    return number * 33 + number % 7 * 4


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
def test_a_frame_rate_that_varies_is_told_as_its_average(container, codec):
    assert facts(film(container, codec, times=jittery)).frames_per_second == pytest.approx(30.1, abs=0.5)


@pytest.mark.parametrize("options", ["", "movflags=faststart"])
def test_one_gigabyte_costs_a_few_megabytes_wherever_its_index_is(options):
    gigabyte = Padded(film(options=options), 1000 * MIB)

    told = Prober().video(gigabyte, gigabyte.end)

    assert (told.duration_seconds, told.frames_per_second) == (1.0, 30.0)
    assert len(gigabyte.sizes) <= 6
    assert sum(gigabyte.sizes) <= 4 * MIB


def test_an_ordinary_film_is_read_in_two_pieces():
    counted = Counted(film())

    Prober().video(counted, len(counted.getvalue()))

    assert len(counted.sizes) <= 2


@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
@pytest.mark.parametrize("options", ["", "movflags=faststart"])
def test_a_film_without_its_end_is_incomplete(container, codec, options):
    content = film(container, codec, options=options if container == "mp4" else "")

    assert "incomplete" in refusal(content[: len(content) * 2 // 3])


def test_sound_alone_is_no_video():
    assert refusal(sound()) == "The media file holds only sound."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html></html>",
        b"\xff\xd8\xff\xe0" + bytes(1000),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(1000),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"x" * 1000,
        b"\x1a\x45\xdf\xa3\x88\x42\x82\x84webm" + bytes(1000),
        b"\0\0\0\x08moov",
    ],
)
def test_what_is_no_video_is_refused_in_a_sentence(content):
    assert refusal(content).endswith(".")


def test_matroska_is_refused_although_webm_is_made_of_it():
    assert refusal(film("matroska", "libx264")) == "The media is not a video in MP4, MOV or WebM."


def test_a_file_that_keeps_the_library_busy_for_minutes_is_given_up_in_time():
    content = film(options="movflags=cmaf")
    at = content.index(b"trun") + 8
    busy = content[:at] + struct.pack(">I", 0x7FFFFFFF) + content[at + 4 :]
    started = time.monotonic()

    with pytest.raises(InvalidMediaType, match="takes too long"):
        Prober().video(io.BytesIO(busy), len(busy), seconds=0.5)

    assert time.monotonic() - started < 5


def replace_library(monkeypatch, folder, serve: str) -> None:
    """Let the process that looks into files run this code instead."""
    package = folder / "publisher"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "mediainfo.py").write_text(f"import os\n{serve}")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def test_a_file_that_crashes_the_library_is_refused(monkeypatch, tmp_path):
    ask_and_crash = """
from multiprocessing.connection import Connection
def serve(descriptor, size, speed):
    parent = Connection(descriptor)
    parent.send_bytes(b'{"read": [0, 10]}')
    parent.recv_bytes()
    os.abort()
"""
    replace_library(monkeypatch, tmp_path, ask_and_crash)

    assert refusal(film()) == "The video file cannot be read."


def test_a_library_that_does_not_start_is_our_fault_and_not_the_files(monkeypatch, tmp_path):
    replace_library(monkeypatch, tmp_path, "os._exit(1)")

    with pytest.raises(InternalServerError):
        facts(film())


def test_an_error_of_reading_the_file_comes_through():
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ServiceUnavailable("S3 did not answer.", "Try again.")
            return super().read(size)

    content = Padded(film(), 10 * MIB)
    broken = Broken(content.read(content.end))

    with pytest.raises(ServiceUnavailable):
        Prober().video(broken, content.end)


def test_damaged_films_are_described_or_refused_and_nothing_else():
    choose = Random(7)
    for number in range(12):
        content = bytearray(film(*choose.choice([("mp4", "libx264"), ("webm", "libvpx-vp9"), ("mov", "libx264")])))
        for _ in range(choose.choice([1, 5, 30])):
            content[choose.randrange(min(len(content), 3000))] = choose.choice([0, 1, 127, 255])
        try:
            told = Prober().video(io.BytesIO(content), len(content), seconds=5)
        except InvalidMediaType:
            continue
        assert told.duration_seconds > 0, number


def test_media_that_refers_to_another_place_does_not_make_us_look_there():
    with MediaServer(lambda connection: connection.answer(film())) as server:
        told = facts(with_reference(film(options="movflags=faststart"), f"{server.origin}/film.mp4"))

    assert told.duration_seconds == 1.0
    assert server.connections == 0


def with_reference(content: bytes, url: str) -> bytes:
    """Return an MP4 that says its samples are at `url`."""
    at = content.index(b"url ") - 4
    (size,) = struct.unpack_from(">I", content, at)
    entry = b"url \0\0\0\0" + url.encode() + b"\0"
    grown = len(entry) + 4 - size
    content = content[:at] + struct.pack(">I", len(entry) + 4) + entry + content[at + size :]
    for name in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = content.index(name) - 4
        (size,) = struct.unpack_from(">I", content, at)
        content = content[:at] + struct.pack(">I", size + grown) + content[at + 4 :]
    return content


KINDS = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_tells_its_kind_and_sides(kind):
    content = plain(kind, size=(61, 40))
    told = Prober().picture(io.BytesIO(content), len(content))
    assert told == PictureFacts(content_type=KINDS[kind], size=len(content), width=61, height=40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_of_a_large_picture_little_is_read(kind):
    counted = Counted(plain(kind, size=(60, 40)) + bytes(30 * MIB))
    assert Prober().picture(counted, len(counted.getvalue())).width == 60
    assert sum(counted.sizes) <= 2 * MIB


def test_a_picture_with_more_pixels_than_are_converted_is_too_large():
    content = plain("PNG", mode="1", colour=0, size=(40_000, 40_000))
    with pytest.raises(MediaTooLarge, match="megapixels"):
        Prober().picture(io.BytesIO(content), len(content))


@pytest.mark.parametrize("content", [plain("PNG")[:20], plain("JPEG")[:30], plain("WEBP")[:40], plain("TIFF")[:30]])
def test_a_picture_whose_header_is_damaged_cannot_be_read(content):
    with pytest.raises(InvalidMediaType):
        Prober().picture(io.BytesIO(content), len(content))


def test_a_film_is_no_picture_and_a_picture_no_film():
    with pytest.raises(InvalidMediaType, match="not a picture"):
        Prober().picture(io.BytesIO(film()), len(film()))
    with pytest.raises(InvalidMediaType, match="not a video"):
        Prober().video(io.BytesIO(plain()), len(plain()))


def test_what_stops_a_read_stops_the_look():
    class Stopping(io.BytesIO):
        def read(self, size=-1):
            if size > 70_000:
                raise TooMuchToRead
            return super().read(size)

    with pytest.raises(TooMuchToRead):
        Prober().video(Stopping(film()), len(film()))
