"""What comes back from a customer's server: bytes are taken as they are, and attacks and accidents end in time."""

import gzip
import itertools
import threading
import time
import tracemalloc

import pytest

from publisher.domain.errors import InvalidMediaType, MediaDownloadFailed, MediaTooLarge, RequestInvalid
from publisher.domain.limits import SNIFF_BYTES, VIDEO_BYTES
from publisher.fetching import Fetcher, Pace
from tests.media_server import FILM, Authority, Connection, Internet, MediaServer

MIB = 1024 * 1024
HASTY = Pace(headers=0.4, idle=0.4, grace=0.4, total=30)
"""A pace that attacks meet soon. What is not an attack is tested at the usual one."""


def opened(server: MediaServer, pace: Pace | None = None):
    return Fetcher([server.origin], pace=pace or Pace()).open(server.origin, max_bytes=VIDEO_BYTES)


def serve(*behaviours, pace: Pace | None = None, max_bytes: int = VIDEO_BYTES, piece: int = MIB) -> bytes:
    """Download what a server with these behaviours sends, in buffers of `piece` bytes."""
    with MediaServer(*behaviours) as server:
        fetcher = Fetcher([server.origin], pace=pace or Pace())
        with fetcher.open(f"{server.origin}/film.mp4?signature=5ecret", max_bytes=max_bytes) as source:
            received = bytearray()
            buffer = bytearray(piece)
            while count := source.readinto(memoryview(buffer)):
                received += buffer[:count]
            assert source.readinto(memoryview(buffer)) == 0
            return bytes(received)


def failure(*behaviours, pace: Pace | None = HASTY, max_bytes: int = VIDEO_BYTES) -> RequestInvalid:
    """Return the error of a download that has to fail within seconds; it does not tell the query."""
    started = time.monotonic()
    with pytest.raises(RequestInvalid) as failed:
        serve(*behaviours, pace=pace, max_bytes=max_bytes)
    assert time.monotonic() - started < 10
    assert "5ecret" not in failed.value.error + failed.value.message
    return failed.value


def chunked(body: bytes, size: int = 10_000) -> bytes:
    pieces = [body[first : first + size] for first in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def send_chunked(connection: Connection) -> None:
    connection.begin("Transfer-Encoding: chunked")
    connection.send(chunked(FILM))


def send_unframed(connection: Connection) -> None:
    connection.begin()
    connection.send(FILM)


def drip_film(connection: Connection) -> None:
    connection.begin(f"Content-Length: {len(FILM)}")
    connection.drip((FILM[first : first + 5000] for first in range(0, len(FILM), 5000)), seconds=0.001)


@pytest.mark.parametrize("behave", [lambda connection: connection.answer(FILM), send_chunked, send_unframed])
@pytest.mark.parametrize("piece", [1000, SNIFF_BYTES, len(FILM), MIB])
def test_every_byte_arrives_in_buffers_of_any_size(behave, piece):
    assert serve(behave, piece=piece) == FILM


def test_a_buffer_is_filled_to_its_end_however_small_the_pieces_come():
    buffer = bytearray(100_000)

    with MediaServer(drip_film) as server, opened(server) as source:
        assert source.readinto(memoryview(buffer)) == len(buffer)


def test_the_head_the_kind_and_the_declared_size_are_known_at_once_and_the_head_is_delivered_again():
    buffer = bytearray(len(FILM))

    with MediaServer(lambda connection: connection.answer(FILM, 'ETag: "a1"')) as server, opened(server) as source:
        assert (source.size, source.head, source.etag) == (len(FILM), FILM[:SNIFF_BYTES], '"a1"')
        assert source.kind == "video/mp4"
        source.readinto(memoryview(buffer))

    assert buffer == FILM


@pytest.mark.parametrize("etag", ['W/"a1"', "a1", '"a', '"a" "b"'])
def test_an_etag_that_does_not_fix_the_bytes_is_none(etag):
    with MediaServer(lambda connection: connection.answer(FILM, f"ETag: {etag}")) as server, opened(server) as source:
        assert source.etag is None


def test_the_connection_ends_with_the_block():
    ended = threading.Event()

    def behave(connection: Connection) -> None:
        connection.begin(f"Content-Length: {10**9}")
        try:
            connection.send_endlessly(FILM)
        except OSError:
            ended.set()

    with MediaServer(behave) as server:
        with opened(server):
            pass

        assert ended.wait(10)


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "304 Not Modified", "401 No", "404 No"])
def test_any_status_but_200_is_a_failed_download(status):
    error = failure(lambda connection: connection.answer(FILM, status=status))

    assert isinstance(error, MediaDownloadFailed)
    assert status[:3] in error.error


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b"\xef\xbb\xbf\n <HTML>",
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'{"error": "not found"}',
        b"%PDF-1.7",
        b"MZ\x90\0",
        gzip.compress(FILM),
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska",
        b"\0\0\0\x18ftypheic",
    ],
)
def test_bytes_that_are_no_media_are_refused_whatever_their_name_and_content_type(body):
    error = failure(lambda connection: connection.answer(body, "Content-Type: video/mp4"))

    assert isinstance(error, InvalidMediaType)
    assert ("web page" in error.error) == (b"html" in body.lower())


def test_cve_2026_39974_an_error_repeats_nothing_of_what_was_sent():
    error = failure(
        lambda connection: connection.answer(b"<html>internal-canary</html>", "Content-Type: canary/canary")
    )

    assert "canary" not in error.error + error.message


def test_an_empty_file_is_a_failed_download():
    assert isinstance(failure(lambda connection: connection.answer(b"")), MediaDownloadFailed)


def test_a_declared_size_over_the_limit_is_refused_before_the_body_is_read():
    def behave(connection: Connection) -> None:
        connection.begin(f"Content-Length: {50 * 10**9}")
        connection.be_silent()

    assert isinstance(failure(behave), MediaTooLarge)


def endless_chunks(connection: Connection) -> None:
    connection.begin("Transfer-Encoding: chunked")
    connection.send_endlessly(b"%x\r\n%b\r\n" % (len(FILM), FILM))


def endless_unframed(connection: Connection) -> None:
    connection.begin()
    connection.send_endlessly(FILM)


@pytest.mark.parametrize("behave", [endless_chunks, endless_unframed])
def test_an_endless_body_is_too_large(behave):
    assert isinstance(failure(behave, max_bytes=8 * MIB), MediaTooLarge)


@pytest.mark.parametrize("behave", [send_chunked, send_unframed])
def test_a_body_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(behave):
    assert serve(behave, max_bytes=len(FILM)) == FILM
    assert isinstance(failure(behave, max_bytes=len(FILM) - 1), MediaTooLarge)


def begin_and(*headers: str, body: bytes = FILM):
    def behave(connection: Connection) -> None:
        connection.begin(*headers)
        connection.send(body)

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        begin_and(f"Content-Length: {len(FILM) + 1}"),
        begin_and(f"Content-Length: {len(FILM)}", body=FILM[:-1]),
        begin_and(f"Content-Length: {len(FILM)}", body=FILM[:1000]),
        begin_and(f"Content-Length: {len(FILM)}", body=b""),
        begin_and("Transfer-Encoding: chunked", body=chunked(FILM)[:-5]),
        begin_and("Transfer-Encoding: chunked", body=chunked(FILM)[:-1000]),
        begin_and("Transfer-Encoding: chunked", body=b"10\r\nshort"),
        begin_and("Transfer-Encoding: chunked", body=b"not a size\r\n" + FILM),
    ],
)
def test_fewer_bytes_than_declared_are_a_failed_download_never_a_shorter_film(behave):
    assert isinstance(failure(behave), MediaDownloadFailed)


def test_more_bytes_than_declared_are_not_read():
    assert serve(begin_and("Content-Length: 100000")) == FILM[:100_000]


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 300000", "Transfer-Encoding: chunked"),
        ("Content-Length: 300000", "Content-Length: 300024"),
        ("Content-Length: 300024, 300024",),
        ("Content-Length: +300024",),
        ("Content-Length: -1",),
        ("Content-Length: 0x10",),
        ("Content-Length: 3_0",),
        ("Content-Length:",),
        (f"Content-Length: {'9' * 5000}",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: identity",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Content-Encoding: gzip",),
        ("Content-Encoding: br", f"Content-Length: {len(FILM)}"),
        ("Content-Encoding: identity", "Content-Encoding: gzip"),
    ],
)
def test_an_answer_whose_end_or_coding_is_in_doubt_is_refused(headers):
    assert isinstance(failure(begin_and(*headers)), MediaDownloadFailed)


def test_a_chunked_answer_that_declares_a_length_too_is_refused():
    behave = begin_and(f"Content-Length: {len(FILM)}", "Transfer-Encoding: chunked", body=chunked(FILM))

    assert isinstance(failure(behave), MediaDownloadFailed)


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Length: {len(FILM)}", f"Content-Length: {len(FILM)}"),
        (f"Content-Length:  {len(FILM)} ",),
        ("Content-Encoding: Identity", f"Content-Length: {len(FILM)}"),
    ],
)
def test_an_answer_that_says_the_same_twice_is_taken(headers):
    assert serve(begin_and(*headers)) == FILM


@pytest.mark.parametrize("layers", [1, 200])
def test_cve_2025_66418_a_decompression_bomb_is_not_unpacked(layers):
    bomb = gzip.compress(bytes(MIB))
    coding = ", ".join(["gzip"] * layers)

    assert "compressed" in failure(begin_and(f"Content-Encoding: {coding}", body=bomb)).error


def test_cve_2026_44432_the_body_of_a_redirect_is_not_read():
    def behave(connection: Connection) -> None:
        connection.begin("Location: /next", "Content-Encoding: gzip", status="302 Found")
        connection.send_endlessly(gzip.compress(bytes(MIB)))

    assert serve(behave, lambda connection: connection.answer(FILM)) == FILM


def drip(start: bytes, piece: bytes):
    """Send a beginning, and then without end a small piece every now and then."""

    def behave(connection: Connection) -> None:
        connection.send(start)
        connection.drip(itertools.repeat(piece))

    return behave


def flood(start: bytes, piece: bytes):
    def behave(connection: Connection) -> None:
        connection.send(start)
        connection.send_endlessly(piece)

    return behave


HEADERS = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "behave",
    [
        lambda connection: connection.be_silent(),
        drip(b"", b"H"),
        drip(HEADERS, b"X: y\r\n"),
        drip(HEADERS + b"X: ", b"y"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        flood(HEADERS, b"X-Many: headers\r\n" * 1000),
        flood(HEADERS + b"X-Long: ", b"y" * 65536),
        flood(b"", b"H" * 65536),
        lambda connection: connection.send(b""),
        lambda connection: connection.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
        lambda connection: connection.send(b"HTTP/1.1 two hundred\r\n\r\n"),
        lambda connection: connection.send(HEADERS),
        lambda connection: connection.reset(),
    ],
)
def test_headers_that_do_not_come_to_an_end_in_time_fail(behave):
    assert isinstance(failure(behave), MediaDownloadFailed)


def test_endless_headers_end_by_their_size_long_before_their_time():
    behave = flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

    assert isinstance(failure(behave, pace=Pace(headers=60)), MediaDownloadFailed)


START = HEADERS + b"Content-Length: 100000000\r\n\r\n" + FILM


@pytest.mark.parametrize(
    ("behave", "pace", "reason"),
    [
        (drip(START, b"x"), Pace(grace=0.3, idle=5, bytes_per_second=10**9), "less than 1e+09 bytes a second"),
        (drip(START, b"x"), Pace(total=1, bytes_per_second=1), "took over 1 seconds"),
        (drip(HEADERS + b"\r\n", b"x"), Pace(total=1, bytes_per_second=1), "took over 1 seconds"),
        (flood(START, b"x"), Pace(total=0.5), "took over 0.5 seconds"),
    ],
)
def test_a_body_that_drips_fails(behave, pace, reason):
    assert reason in failure(behave, pace=pace).error


@pytest.mark.parametrize(
    "start", [START, HEADERS + b"\r\n" + FILM, HEADERS + b"Transfer-Encoding: chunked\r\n\r\n9\r\n"]
)
def test_a_body_that_falls_silent_fails(start):
    def behave(connection: Connection) -> None:
        connection.send(start)
        connection.be_silent()

    assert "silent for 0.4 seconds" in failure(behave, pace=Pace(idle=0.4)).error


def test_a_server_that_began_fast_may_not_turn_slow():
    def behave(connection: Connection) -> None:
        connection.begin(f"Content-Length: {10**9}")
        connection.send(FILM * 30)
        connection.drip(itertools.repeat(b"x"))

    assert "bytes a second" in failure(behave, pace=Pace(grace=0.2, idle=0.4)).error


def test_endless_trailers_end_with_the_total_time():
    behave = flood(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(FILM)[:-2], b"X: y\r\n" * 1000)

    assert isinstance(failure(behave, pace=Pace(total=1)), MediaDownloadFailed)


def test_time_that_the_reader_takes_is_not_held_against_the_server():
    buffer = memoryview(bytearray(len(FILM) * 20))

    with (
        MediaServer(lambda connection: connection.answer(FILM * 20)) as server,
        opened(server, Pace(grace=0.6, idle=0.6)) as source,
    ):
        source.readinto(buffer[:100_000])
        time.sleep(1.3)  # The reader's own time is what this is about.

        assert source.readinto(buffer[100_000:]) == len(buffer) - 100_000


def test_a_tls_stream_that_ends_without_a_farewell_is_cut(tmp_path):
    authority = Authority(tmp_path)
    with MediaServer(send_unframed, tls=authority.server("media.example")) as server:
        internet = Internet(server, {"media.example": [["93.184.216.34"]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial, ca_certs=str(authority.pem))
        with (
            pytest.raises(MediaDownloadFailed),
            fetcher.open("https://media.example/film.mp4", max_bytes=VIDEO_BYTES) as source,
        ):
            source.readinto(memoryview(bytearray(2 * len(FILM))))


def test_memory_does_not_grow_with_the_body():
    def behave(connection: Connection) -> None:
        connection.begin(f"Content-Length: {64 * MIB}")
        connection.send(FILM.ljust(MIB, b"x"))
        for _ in range(63):
            connection.send(piece)

    piece = bytes(MIB)
    with MediaServer(behave) as server, opened(server) as source:
        buffer = memoryview(bytearray(MIB))
        tracemalloc.start()
        try:
            received = sum(iter(lambda: source.readinto(buffer), 0))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert received == 64 * MIB
    assert peak < MIB
