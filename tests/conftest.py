"""One local stack for all tests over HTTP and in a browser, its user, and a media server that it may fetch from."""

import json
import os
import random
import socket
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.e2e.client import Client

ROOT = Path(__file__).resolve().parents[1]
FILM = ROOT / ".tools/samples/bigbuckbunny.mp4"
CHUNKS = 25 * 1024 * 1024
"""Enough for two chunks."""


@dataclass(frozen=True)
class Film:
    """A film and where the media server has it."""

    path: Path
    url: str


@dataclass(frozen=True)
class Posted:
    """A POST that a server got, and what it answered."""

    headers: dict[str, str]
    body: bytes
    status: int


class MediaServer(ThreadingHTTPServer):
    """Serves the files of a folder, misbehaves on other paths, and takes whatever is POSTed."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), MediaHandler)
        self.folder = folder
        self.asked: set[str] = set()
        self.go_on = threading.Event()
        self.posted: dict[str, list[Posted]] = defaultdict(list)
        """What was POSTed to each path."""
        self.refusals: Counter[str] = Counter()
        """How many further POSTs to a path are refused."""
        self.sent = 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def put(self, name: str, content: bytes) -> str:
        """Serve something under a name, and return its URL."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return f"{self.url}/{name}"


class MediaHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: MediaServer

    def do_GET(self) -> None:
        match self.path:
            case "/page":
                self._answer(200, b"<!doctype html><title>A player</title>", "text/html")
            case "/picture":
                self._answer(200, b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(2000), "video/mp4")
            case "/cut":
                self._answer(200, FILM.read_bytes()[:100_000], "video/mp4", length=1_055_736)
            case "/huge":
                self._answer(200, FILM.read_bytes()[:100_000], "video/mp4", length=4 * 2**30 + 1)
            case path if path.startswith("/fails-once/"):
                first = path not in self.server.asked
                self.server.asked.add(path)
                status, body = (503, b"busy") if first else (200, FILM.read_bytes())
                self._answer(status, body, "video/mp4")
            case "/waits":
                self.server.go_on.wait(8)  # a media server may be silent for ten seconds
                self._answer(200, FILM.read_bytes(), "video/mp4")
            case "/to-a-private-address":
                self.send_response(302)
                self.send_header("Location", "http://10.0.0.1/film.mp4")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case path if path.startswith("/in-parts/"):
                self._answer_part(self.server.folder / path.removeprefix("/in-parts/"))
            case path if (self.server.folder / path[1:]).is_file():
                self._answer(200, (self.server.folder / path[1:]).read_bytes(), "video/mp4")
            case _:
                self._answer(404, b"not here", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 503 if self.server.refusals[self.path] > 0 else 204
        self.server.refusals[self.path] -= 1
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.posted[self.path].append(Posted(headers, body, status))
        self._answer(status, b"", "text/plain")

    def _answer_part(self, file: Path) -> None:
        """Answer the part that is asked for, and count the bytes; a client that has enough goes away."""
        size = file.stat().st_size
        first, _, last = self.headers.get("Range", f"bytes=0-{size - 1}").removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or size - 1), size - 1)
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(end - begin + 1))
        self.send_header("Content-Range", f"bytes {begin}-{end}/{size}")
        self.end_headers()
        with file.open("rb") as content, suppress(ConnectionError):
            content.seek(begin)
            while begin <= end:
                begin += self.wfile.write(piece := content.read(min(65536, end + 1 - begin)))
                self.server.sent += len(piece)

    def _answer(self, status: int, body: bytes, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = length is not None

    def log_message(self, *_: object) -> None:
        """Say nothing."""


# A machine that is busy for a second breaks no promise.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

KINDS = {"e2e": "waiting", "browser": "browsing", "clients": "browsing"}
"""What the tests of a folder do most; all others calculate."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files of each kind take turns, so that of several workers one waits while another needs a processor."""
    turns: dict[Path, int] = {}
    files: Counter[str] = Counter()
    for item in items:
        if item.path not in turns:
            kind = KINDS.get(item.path.parent.name, "calculating")
            turns[item.path] = files[kind]
            files[kind] += 1
    items.sort(key=lambda item: turns[item.path])


@pytest.fixture(scope="session")
def media_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MediaServer]:
    folder = tmp_path_factory.mktemp("media")
    film = FILM.read_bytes()
    (folder / "film.mp4").write_bytes(film)
    # A free box may stand at the end of an MP4, and makes the same film as large as is needed.
    (folder / "large.mp4").write_bytes(
        film + CHUNKS.to_bytes(4) + b"free" + bytes(range(256)) * (CHUNKS // 256 - 1) + bytes(248)
    )
    server = MediaServer(folder)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory of the stack."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def ready(media_server: MediaServer, state: Path) -> Iterator[dict[str, Any]]:
    """The line that the stack prints when it is ready."""
    command = [sys.executable, "-m", "local", "--port", str(free_port()), "--state", str(state)]
    with (state / "stderr").open("w") as stderr:
        stack = subprocess.Popen(
            [*command, "--trust-media-origin", media_server.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    assert stack.stdout is not None
    line = stack.stdout.readline()
    assert line, (state / "stderr").read_text()
    yield json.loads(line)
    stack.terminate()
    stack.wait(120)
    stack.stdout.close()


@pytest.fixture(scope="session")
def client(ready: dict[str, Any]) -> Client:
    return Client(ready["api"], ready["apiKey"], ready["tiktok"])


@pytest.fixture
def creator(client: Client) -> str:
    """A creator of the sandbox whom nobody else uses."""
    return client.new_creator()


@pytest.fixture
def account(client: Client, creator: str) -> dict[str, Any]:
    return client.connect(creator)


@pytest.fixture(scope="session")
def film(media_server: MediaServer) -> Film:
    return Film(media_server.folder / "film.mp4", f"{media_server.url}/film.mp4")


@pytest.fixture(scope="session")
def large_film(media_server: MediaServer) -> Film:
    return Film(media_server.folder / "large.mp4", f"{media_server.url}/large.mp4")


def free_port() -> int:
    """Return a port that is free as the two after it are, which the sandbox and S3 take.

    From below those that systems give to connections, of which one could take it before it is used; each worker has
    ports of its own.
    """
    first = 20_000 + 3_000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4)
    while True:
        port = random.randrange(first, first + 2_998)
        with ExitStack() as sockets, suppress(OSError):
            for one in (port, port + 1, port + 2):
                sockets.enter_context(socket.socket()).bind(("127.0.0.1", one))
            return port
