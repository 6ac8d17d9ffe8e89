"""Looking at media where it lies: only the parts that are wanted are asked for, by the same rules as a download."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from publisher.domain.errors import (
    InvalidMediaType,
    InvalidMediaUrl,
    MediaDownloadFailed,
    MediaTooLarge,
    MediaUnavailable,
)
from publisher.domain.limits import MIB, VIDEO_BYTES
from publisher.fetching import Fetcher, Pace, RemoteFile
from publisher.ports import TooMuchToRead
from tests.media_server import Behaviour, Connection, Internet, MediaServer

FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(range(256)) * (5 * MIB // 256)
SIZE = len(FILM)


def wanted(connection: Connection) -> tuple[int, int]:
    first, last = connection.headers["range"].removeprefix("bytes=").split("-")
    return int(first), min(int(last), SIZE - 1)


def in_parts(etag: str = 'ETag: "a1"', total: int = SIZE) -> Behaviour:
    def behave(connection: Connection) -> None:
        first, last = wanted(connection)
        told = f"Content-Range: bytes {first}-{last}/{total}"
        connection.answer(FILM[first : last + 1], told, etag, status="206 Partial Content")

    return behave


def whole(*headers: str, film: bytes = FILM) -> Behaviour:
    return lambda connection: connection.answer(film, *headers)


def unmeasured(film: bytes) -> Behaviour:
    """Send a film without saying how long it is."""

    def behave(connection: Connection) -> None:
        connection.begin("Transfer-Encoding: chunked")
        for first in range(0, len(film), 100_000):
            piece = film[first : first + 100_000]
            connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")

    return behave


@contextmanager
def look(
    server: MediaServer, *, most: int = 16 * MIB, seconds: float = 10, pace: Pace | None = None
) -> Iterator[RemoteFile]:
    fetcher = Fetcher([server.origin], pace=pace or Pace())
    with fetcher.look(f"{server.origin}/film.mp4", max_bytes=VIDEO_BYTES, most=most, seconds=seconds) as file:
        yield file


def read(file: RemoteFile, first: int, size: int) -> bytes:
    opened = file.file()
    opened.seek(first)
    return opened.read(size)


def test_head_and_tail_are_asked_for_and_nothing_between() -> None:
    with MediaServer(in_parts()) as server, look(server) as file:
        assert (file.size, file.kind, file.head) == (SIZE, "video/mp4", FILM[:65536])
        opened = file.file()
        assert opened.read(100) == FILM[:100]
        opened.seek(SIZE - 1000)
        assert opened.read() == FILM[-1000:]
    asked = [line for request in server.requests for line in request.split("\r\n") if line.startswith("Range")]
    assert asked == ["Range: bytes=0-1048575", f"Range: bytes={SIZE - 1000}-{SIZE - 1}"]
    assert 'If-Range: "a1"' in server.requests[1]


@pytest.mark.parametrize("behaviour", [in_parts(), in_parts("X: y"), whole(), unmeasured(FILM)])
@pytest.mark.parametrize("first", [0, 1, 65_535, MIB - 1, MIB, 2 * MIB + 7, SIZE - 1])
def test_what_is_read_is_what_is_there(behaviour: Behaviour, first: int) -> None:
    with MediaServer(behaviour) as server, look(server) as file:
        assert read(file, first, 100_000) == FILM[first : first + 100_000]
        assert file.size == SIZE


def test_a_small_file_is_read_in_one_request() -> None:
    small = FILM[:5000]

    def behave(connection: Connection) -> None:
        connection.answer(small, "Content-Range: bytes 0-4999/5000", status="206 Partial Content")

    with MediaServer(behave) as server, look(server) as file:
        assert read(file, 0, 10_000) == small
    assert server.connections == 1


@pytest.mark.parametrize("behaviour", [in_parts(), whole(), unmeasured(FILM)])
def test_more_than_was_allowed_is_never_asked_for(behaviour: Behaviour) -> None:
    def read_all(file: RemoteFile) -> None:
        opened = file.file()
        while opened.read(MIB):
            pass

    with MediaServer(behaviour) as server, look(server, most=2 * MIB) as file, pytest.raises(TooMuchToRead):
        read_all(file)


def test_the_kind_of_a_file_is_told_although_its_end_is_too_far() -> None:
    with MediaServer(whole()) as server, look(server, most=MIB) as file:
        assert (file.kind, file.size) == ("video/mp4", SIZE)
        with pytest.raises(TooMuchToRead):
            read(file, SIZE - 10, 10)


@pytest.mark.parametrize(
    "second",
    [
        in_parts('ETag: "b2"'),
        in_parts(total=SIZE + 1),
        whole(),
        lambda connection: connection.answer(b"", status="404 Not Found"),
    ],
)
def test_media_that_changes_meanwhile_is_told_as_such(second: Behaviour) -> None:
    changed = pytest.raises(MediaDownloadFailed, match="changed while it was looked at")
    with MediaServer(in_parts(), second) as server, look(server) as file, changed:
        read(file, SIZE - 10, 10)


@pytest.mark.parametrize(
    ("behaviour", "error", "told"),
    [
        (
            lambda connection: connection.answer(b"", status="416 Range Not Satisfiable"),
            MediaDownloadFailed,
            "empty file",
        ),
        (whole(film=b""), MediaDownloadFailed, "empty file"),
        (lambda connection: connection.answer(b"no", status="404 Not Found"), MediaDownloadFailed, "404"),
        (lambda connection: connection.answer(b"no", status="503 Busy"), MediaUnavailable, "503"),
        (whole(film=b"<html>"), InvalidMediaType, "a web page"),
        (
            lambda connection: connection.answer(FILM[:9], status="206 Partial Content"),
            MediaDownloadFailed,
            "which part",
        ),
        (
            lambda connection: connection.answer(
                FILM[:9], "Content-Range: bytes 5-13/14", status="206 Partial Content"
            ),
            MediaDownloadFailed,
            "which part",
        ),
        (in_parts(total=int(VIDEO_BYTES) + 1), MediaTooLarge, "more than"),
        (whole("Content-Encoding: gzip"), MediaDownloadFailed, "compressed"),
    ],
)
def test_what_cannot_be_used_is_refused_in_the_words_of_a_download(
    behaviour: Behaviour, error: type[Exception], told: str
) -> None:
    with MediaServer(behaviour) as server, pytest.raises(error, match=told), look(server):
        pass


def test_a_part_that_is_cut_is_no_part() -> None:
    def cut(connection: Connection) -> None:
        first, last = wanted(connection)
        told = f"Content-Range: bytes {first}-{last}/{SIZE}"
        connection.begin(f"Content-Length: {last - first + 1}", told, 'ETag: "a1"', status="206 Partial Content")
        connection.send(FILM[first : first + 10])

    with MediaServer(in_parts(), cut) as server, look(server) as file, pytest.raises(MediaUnavailable, match="cut"):
        read(file, SIZE - 1000, 1000)


def test_all_of_a_look_has_an_end() -> None:
    def be_slow(connection: Connection) -> None:
        connection.begin(f"Content-Length: {SIZE}")
        connection.drip(bytes([byte]) for byte in FILM)

    with (
        MediaServer(be_slow) as server,
        pytest.raises(MediaUnavailable, match=r"took over 0\.5 seconds"),
        look(server, seconds=0.5),
    ):
        pass


def elsewhere(location: str) -> Callable[[Connection], None]:
    return lambda connection: connection.answer(b"", f"Location: {location}", status="302 Found")


@pytest.mark.parametrize(
    "location", ["http://10.0.0.1/film.mp4", "http://inside.example/film.mp4", "file:///etc/passwd"]
)
def test_no_part_is_asked_for_at_an_address_inside(location: str) -> None:
    """Also when the first part came from a good place."""
    with MediaServer(in_parts(), elsewhere(location)) as server:
        internet = Internet(server, {"media.example": [["93.184.216.34"]], "inside.example": [["10.1.2.3"]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial)
        with (
            fetcher.look("http://media.example/a.mp4", max_bytes=VIDEO_BYTES, most=16 * MIB, seconds=10) as file,
            pytest.raises(MediaDownloadFailed),
        ):
            read(file, SIZE - 10, 10)
    assert set(internet.dialed) == {"93.184.216.34"}


def test_a_name_that_leads_inside_is_not_looked_at() -> None:
    with MediaServer(in_parts()) as server:
        internet = Internet(server, {"media.example": [["10.1.2.3"]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial)
        look_inside = fetcher.look("http://media.example/a.mp4", max_bytes=VIDEO_BYTES, most=MIB, seconds=10)
        with pytest.raises(MediaDownloadFailed, match="could not be reached"), look_inside:
            pass
        with pytest.raises(InvalidMediaUrl), fetcher.look("s3://bucket/key", max_bytes=1, most=1, seconds=1):
            pass
    assert internet.dialed == []
