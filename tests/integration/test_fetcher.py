"""The port Fetcher: what both the fake and the real one promise. The attacks are in tests/unit/test_fetching_*.py."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from publisher.domain.errors import MediaDownloadFailed, MediaTooLarge
from publisher.domain.limits import SNIFF_BYTES
from publisher.fetching import Fetcher
from tests.fakes import FakeFetcher

FILM = b"\0\0\0\x18ftypisom".ljust(300_000, b"\x5a")


class MediaServer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/film.mp4" else 404)
        self.send_header("Content-Length", str(len(FILM)))
        self.end_headers()
        self.wfile.write(FILM)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    with ThreadingHTTPServer(("127.0.0.1", 0), MediaServer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["fake", "real"])
def fetcher(request, origin):
    if request.param == "real":
        return Fetcher([origin])
    fake = FakeFetcher()
    fake.media[f"{origin}/film.mp4"] = FILM
    return fake


def test_a_source_knows_its_size_and_beginning_and_still_delivers_all(fetcher, origin):
    with fetcher.open(f"{origin}/film.mp4", max_bytes=10**6) as source:
        assert source.size == len(FILM)
        assert source.head == FILM[:SNIFF_BYTES]
        buffer = memoryview(bytearray(200_000))
        assert source.readinto(buffer) == 200_000
        assert buffer == FILM[:200_000]
        assert source.readinto(buffer) == 100_000
        assert buffer[:100_000] == FILM[200_000:]
        assert source.readinto(buffer) == 0


def test_what_is_not_there_fails(fetcher, origin):
    with pytest.raises(MediaDownloadFailed), fetcher.open(f"{origin}/nothing.mp4", max_bytes=10**6):
        pass


def test_what_is_too_large_is_refused_before_it_is_read(fetcher, origin):
    with pytest.raises(MediaTooLarge), fetcher.open(f"{origin}/film.mp4", max_bytes=len(FILM) - 1):
        pass
