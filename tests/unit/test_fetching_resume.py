"""Going on after a connection was cut: only when the rest is certain to be of the same media."""

import pytest

from publisher.domain.errors import MediaDownloadFailed
from publisher.domain.limits import VIDEO_BYTES
from publisher.fetching import Fetcher, Pace
from tests.media_server import FILM, Connection, Internet, MediaServer

ETAG = 'ETag: "a1"'
SIZE = len(FILM)
CUT = 200_000


def cut_at(end: int, *headers: str):
    """Declare the whole film, send it up to byte `end` and cut the connection."""

    def behave(connection: Connection) -> None:
        connection.begin(f"Content-Length: {SIZE}", *headers)
        connection.send(FILM[:end])

    return behave


def first_byte(connection: Connection) -> int:
    return int(connection.headers["range"].removeprefix("bytes=").removesuffix("-"))


def continue_with(end: int, *headers: str, content_range: str = "", status: str = "206 Partial Content"):
    """Answer a range request with the bytes that it wants, up to byte `end`."""

    def behave(connection: Connection) -> None:
        first = first_byte(connection)
        told = content_range or f"bytes {first}-{SIZE - 1}/{SIZE}"
        connection.begin(f"Content-Length: {SIZE - first}", f"Content-Range: {told}", *headers, status=status)
        connection.send(FILM[first:end])

    return behave


def fetch(server: MediaServer, pace: Pace | None = None) -> bytes:
    fetcher = Fetcher([server.origin], pace=pace or Pace())
    with fetcher.open(f"{server.origin}/film.mp4", max_bytes=VIDEO_BYTES) as source:
        buffer = bytearray(SIZE + 1)
        return bytes(buffer[: source.readinto(memoryview(buffer))])


def test_a_cut_download_goes_on_at_the_missing_byte():
    with MediaServer(cut_at(CUT, ETAG), continue_with(SIZE, ETAG)) as server:
        assert fetch(server) == FILM

    assert f'Range: bytes={CUT}-\r\nIf-Range: "a1"\r\n' in server.requests[1]


@pytest.mark.parametrize("end", [1, 60_000, 65_536, 65_537, SIZE - 1])
def test_it_goes_on_wherever_it_was_cut(end):
    with MediaServer(cut_at(end, ETAG), continue_with(SIZE, ETAG)) as server:
        assert fetch(server) == FILM


def test_a_reset_and_a_silence_are_cuts_too():
    def reset(connection: Connection) -> None:
        cut_at(CUT, ETAG)(connection)
        connection.reset()

    def be_silent(connection: Connection) -> None:
        continue_with(SIZE - 10, ETAG)(connection)
        connection.be_silent()

    with MediaServer(reset, be_silent, continue_with(SIZE, ETAG)) as server:
        assert fetch(server, Pace(idle=0.3)) == FILM


@pytest.mark.parametrize(("cuts", "arrives"), [(3, True), (4, False)])
def test_three_cuts_are_mended_and_a_fourth_is_not(cuts, arrives):
    more_cuts = [continue_with(CUT + number, ETAG) for number in range(1, cuts)]
    with MediaServer(cut_at(CUT, ETAG), *more_cuts, continue_with(SIZE, ETAG)) as server:
        if arrives:
            assert fetch(server) == FILM
        else:
            with pytest.raises(MediaDownloadFailed, match=f"ended at byte {CUT + 3:,} of {SIZE:,}"):
                fetch(server)

    assert server.connections == 4


@pytest.mark.parametrize("headers", [(), ('ETag: W/"a1"',), ("Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT",)])
def test_without_a_strong_etag_a_cut_download_has_failed(headers):
    with (
        MediaServer(cut_at(CUT, *headers), continue_with(SIZE, *headers)) as server,
        pytest.raises(MediaDownloadFailed, match="cut the connection"),
    ):
        fetch(server)

    assert server.connections == 1


@pytest.mark.parametrize(
    "behave",
    [
        continue_with(SIZE, 'ETag: "b2"'),
        continue_with(SIZE),
        continue_with(SIZE, ETAG, content_range=f"bytes {CUT}-{SIZE}/{SIZE + 1}"),
        continue_with(SIZE, ETAG, content_range=f"bytes {CUT + 1}-{SIZE - 1}/{SIZE}"),
        continue_with(SIZE, ETAG, content_range=f"bytes {CUT}-{SIZE - 1}/*"),
        lambda connection: connection.answer(FILM, ETAG),
        lambda connection: connection.answer(FILM, 'ETag: "b2"'),
        lambda connection: connection.answer(b"", status="416 Range Not Satisfiable"),
        lambda connection: connection.answer(b"", status="404 Not Found"),
    ],
)
def test_media_that_changed_between_two_requests_is_never_pieced_together(behave):
    with MediaServer(cut_at(CUT, ETAG), behave) as server, pytest.raises(MediaDownloadFailed, match="changed or went"):
        fetch(server)


def test_a_continuation_in_another_coding_is_refused():
    with (
        MediaServer(cut_at(CUT, ETAG), continue_with(SIZE, ETAG, "Content-Encoding: gzip")) as server,
        pytest.raises(MediaDownloadFailed, match="compressed"),
    ):
        fetch(server)


def test_a_continuation_longer_than_the_media_is_not_read():
    def behave(connection: Connection) -> None:
        connection.begin(ETAG, f"Content-Range: bytes {CUT}-{SIZE - 1}/{SIZE}", status="206 Partial Content")
        connection.send(FILM[CUT:] + b"more")

    with MediaServer(cut_at(CUT, ETAG), behave) as server:
        assert fetch(server) == FILM


def test_every_continuation_is_resolved_and_checked_again():
    with MediaServer(cut_at(CUT, ETAG), continue_with(SIZE, ETAG)) as server:
        internet = Internet(server, {"media.example": [["93.184.216.34"], ["169.254.169.254"]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial)
        with (
            fetcher.open("http://media.example/film.mp4", max_bytes=VIDEO_BYTES) as source,
            pytest.raises(MediaDownloadFailed),
        ):
            source.readinto(memoryview(bytearray(SIZE)))

    assert (internet.dialed, server.connections) == (["93.184.216.34"], 1)


def test_the_total_time_counts_over_all_connections():
    def drip(connection: Connection) -> None:
        continue_with(CUT + 1, ETAG)(connection)
        connection.drip(FILM[at : at + 1] for at in range(CUT + 1, SIZE))

    with (
        MediaServer(cut_at(CUT, ETAG), drip) as server,
        pytest.raises(MediaDownloadFailed, match=r"took over 0\.8 seconds"),
    ):
        fetch(server, Pace(total=0.8, bytes_per_second=1))

    assert server.connections == 2
