"""A check of a film of one gigabyte where it lies, beside downloading it and looking then.

Both read from the same server on loopback, so that only their ratio says something; the bytes are those it sent.
"""

import re
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from pymediainfo import MediaInfo

from publisher.domain.limits import GIB, LOOK_BYTES, LOOK_SECONDS, MIB, VIDEO_BYTES
from publisher.fetching import Fetcher
from publisher.probing import Prober
from tests.bench.report import Row
from tests.films import film

ROUNDS = 5
SIZE = int(GIB)
_PART = re.compile(r"bytes=(\d+)-(\d+)")


def run() -> list[Row]:
    """Look at the film in both ways."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film.mp4"
        write_large_film(file, film(size=(1080, 1920)), SIZE)
        with _server(file) as (url, sent):
            seconds, read = _measured(lambda: _look(url), sent)
            other_seconds, other_read = _measured(lambda: _download(url, Path(folder) / "copy.mp4"), sent)
    return [
        Row("check of 1 GiB, read", read / MIB, other_read / MIB, "MiB", "8", read <= 8 * MIB),
        Row("check of 1 GiB", seconds, other_seconds, "s"),
    ]


def write_large_film(file: Path, content: bytes, size: int) -> None:
    """Write a film of which most is a hole between its first frames and its index, which stands at the end."""
    at = content.index(b"mdat") - 4
    length = int.from_bytes(content[at : at + 4])
    hole = size - len(content)
    with file.open("wb") as written:
        written.write(content[:at] + struct.pack(">I", length + hole) + content[at + 4 : at + length])
        written.seek(hole, 1)
        written.write(content[at + length :])


def _look(url: str) -> None:
    origin = url.rpartition("/")[0]
    look = Fetcher([origin]).look(url, max_bytes=VIDEO_BYTES, most=int(LOOK_BYTES), seconds=float(LOOK_SECONDS))
    with look as remote:
        facts = Prober().video(remote.file(), remote.size or 0)
    if (facts.size, facts.width, facts.codec) != (SIZE, 1080, "H.264"):
        raise RuntimeError(f"the film is told wrongly: {facts}")


def _download(url: str, copy: Path) -> None:
    subprocess.run(["curl", "-s", "-o", copy, url], check=True)
    if not MediaInfo.parse(copy, parse_speed=0.5).video_tracks:
        raise RuntimeError("MediaInfo sees no film")


def _measured(work: Callable[[], None], sent: Callable[[], int]) -> tuple[float, float]:
    """Return the seconds of a round, and the bytes that the server sent in it."""
    seconds, before = [], sent()
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return median(seconds), (sent() - before) / ROUNDS


@contextmanager
def _server(file: Path) -> Iterator[tuple[str, Callable[[], int]]]:
    """Serve a file in a process of its own; yields its URL, and what tells how many bytes were sent."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, file), daemon=True)
    process.start()
    url = ours.recv()

    def sent() -> int:
        ours.send(None)
        return int(ours.recv())

    try:
        yield url, sent
    finally:
        process.terminate()
        process.join()


def _serve(parent: Connection, file: Path) -> None:
    sent = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            part = _PART.fullmatch(self.headers.get("Range", ""))
            first, last = (int(part[1]), min(int(part[2]), SIZE - 1)) if part else (0, SIZE - 1)
            self.send_response(206 if part else 200)
            self.send_header("Content-Length", str(last - first + 1))
            self.send_header("Content-Range", f"bytes {first}-{last}/{SIZE}")
            self.end_headers()
            with file.open("rb") as content, suppress(ConnectionError):
                content.seek(first)
                while first <= last:
                    piece = content.read(min(MIB, last + 1 - first))
                    self.wfile.write(piece)
                    first += len(piece)
                    sent[0] += len(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parent.send(f"http://127.0.0.1:{server.server_address[1]}/film.mp4")
    while True:
        parent.recv()
        parent.send(sent[0])
