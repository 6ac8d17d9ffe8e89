"""A media host for a few files, as a customer's would be: GET and HEAD, whole or by range."""

import mimetypes
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@contextmanager
def serving(files: Iterable[Path]) -> Iterator[str]:
    """Serve each file at /<its name> of the origin that is returned, on a free port of 127.0.0.1."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.files = {f"/{file.name}": file for file in files}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    files: dict[str, Path]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """Send the file, or the range of it that was asked for."""
        file = self.server.files.get(self.path)
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        content = file.read_bytes()
        size, asked = len(content), re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._send(file, HTTPStatus.OK, content, {})
            return
        first, last = int(asked[1]), min(int(asked[2] or size), size - 1)
        if first > last:
            unsatisfied = {"Content-Range": f"bytes */{size}"}
            self._send(file, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", unsatisfied)
            return
        content_range = {"Content-Range": f"bytes {first}-{last}/{size}"}
        self._send(file, HTTPStatus.PARTIAL_CONTENT, content[first : last + 1], content_range)

    do_HEAD = do_GET  # noqa: N815 - the name http.server asks for

    def _send(self, file: Path, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        modified = file.stat().st_mtime
        headers |= {
            "Accept-Ranges": "bytes",
            "Content-Length": str(len(body)),
            "Content-Type": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            "ETag": f'"{int(modified)}-{file.stat().st_size}"',
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
