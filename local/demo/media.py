"""A media host for one file, as a customer's would be: GET and HEAD, whole or by range."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """Serve a file at /<its name> of the origin that is returned, on a free port of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.file = file
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    file: Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Send the file, or the range of it that was asked for."""
        if self.path != f"/{self.server.file.name}":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = self.server.file.read_bytes()
        size, asked = len(content), re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._send(HTTPStatus.OK, content, {})
            return
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
        if first > last:
            self._send(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", {"Content-Range": f"bytes */{size}"})
            return
        content_range = {"Content-Range": f"bytes {first}-{last}/{size}"}
        self._send(HTTPStatus.PARTIAL_CONTENT, content[first : last + 1], content_range)

    do_HEAD = do_GET  # noqa: N815 - the name http.server asks for

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        modified = self.server.file.stat().st_mtime
        headers |= {
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(body)),
            "Content-Type": "video/mp4",
            "ETag": f'"{int(modified)}-{self.server.file.stat().st_size}"',
            "Last-Modified": formatdate(modified, usegmt=True),
        }
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""
