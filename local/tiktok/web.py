"""HTTP as the sandbox needs it: keep-alive, bodies as streams, and connections that can be broken on purpose."""

import json
import socket
import struct
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from threading import Event, Lock
from typing import Any, Literal, override
from urllib.parse import parse_qs, urlsplit

BLOCK = 1024 * 1024  # bytes read from a socket at once
BODY_LIMIT = 1024 * 1024  # bytes of a request that is not an upload
CHUNK_HEAD = 1024  # bytes
LENGTH_DIGITS = 18  # of a Content-Length
KEEP_ALIVE_SECONDS = 75


class ShortBodyError(Exception):
    """The client sent fewer bytes than it announced, or stopped sending."""


class Body:
    """The body of one request, read once; `length` in bytes is None if the client gave none."""

    def __init__(self, stream: BufferedIOBase, headers: Message) -> None:
        announced = headers.get("Content-Length", "")
        chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        is_number = announced.isascii() and announced.isdigit() and len(announced) <= LENGTH_DIGITS
        self.length = int(announced) if is_number and not chunked else None
        self._stream = stream
        self._left = self.length or 0
        self._has_chunks = chunked

    def blocks(self) -> Iterator[memoryview]:
        """Yield the bytes still to come; a block is valid until the next one is asked for."""
        if not self._left and not self._has_chunks:
            return
        buffer = memoryview(bytearray(min(BLOCK, self._left or BLOCK)))
        try:
            while self._left or self._next_chunk():
                count = self._stream.readinto1(buffer[: self._left])
                if not count:
                    raise ShortBodyError
                self._left -= count
                yield buffer[:count]
        # A stream that timed out once says OSError from then on.
        except OSError as error:
            raise ShortBodyError from error

    def read(self) -> bytes:
        """Read the whole body, and keep at most BODY_LIMIT bytes of it."""
        content = bytearray()
        for block in self.blocks():
            if len(content) < BODY_LIMIT:
                content += block
        return bytes(content[:BODY_LIMIT])

    def drain(self) -> None:
        """Read what is left, so that the answer reaches a client that is still sending."""
        for _ in self.blocks():
            pass

    def _next_chunk(self) -> bool:
        if not self._has_chunks:
            return False
        line = self._stream.readline(CHUNK_HEAD)
        if not line.strip():  # the end of the chunk before
            line = self._stream.readline(CHUNK_HEAD)
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError as error:
            raise ShortBodyError from error
        if not self._left:
            self._has_chunks = False
            while self._stream.readline(CHUNK_HEAD).strip():
                pass
        return self._left > 0


@dataclass(frozen=True)
class Request:
    """One request. `query` and forms keep every value of a name."""

    method: str
    path: str
    target: str
    query: Mapping[str, list[str]]
    headers: Message
    body: Body

    def first(self, name: str) -> str:
        """Give the first value of a query parameter, or an empty string."""
        return self.query.get(name, [""])[0]

    def form(self) -> dict[str, list[str]]:
        """Read the body as an HTML form."""
        return parse_qs(self.body.read().decode("utf-8", "replace"), keep_blank_values=True)


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Broken:
    """No answer: after `hold_seconds` the connection is reset or closed."""

    how: Literal["reset", "close"]
    hold_seconds: float = 0


def json_response(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Answer in JSON with sorted keys and no spaces, as TikTok does."""
    body = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


def html_response(status: int, page: str) -> Response:
    """Answer a browser."""
    return Response(status, page.encode(), {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})


class Server(ThreadingHTTPServer):
    """A listening socket; each connection has a thread, and `answer` is called for each request."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, host: str, port: int, answer: Callable[[Request], Response | Broken]) -> None:
        self.answer = answer
        self.body_idle_seconds = 30.0
        self.stopping = Event()
        self._connections: set[socket.socket] = set()
        self._connections_lock = Lock()
        super().__init__((host, port), Handler)

    @override
    def server_bind(self) -> None:
        # HTTPServer would look its own name up in DNS.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "tiktok-sandbox", self.socket.getsockname()[1]

    def opened(self, connection: socket.socket) -> None:
        """Remember a connection, to end it when the server stops."""
        with self._connections_lock:
            self._connections.add(connection)
            if self.stopping.is_set():
                _end(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection that has ended."""
        with self._connections_lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Accept nothing more, end every connection, and wait for their threads."""
        self.stopping.set()
        self.shutdown()
        with self._connections_lock:
            for connection in self._connections:
                _end(connection)
        self.server_close()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # the client was quicker
        connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = KEEP_ALIVE_SECONDS
    server: Server

    @override
    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    @override
    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True  # the client hung up: there is nobody to tell

    def respond(self) -> None:
        """Answer the request whose head was just read."""
        parts = urlsplit(self.path)
        body = Body(self.rfile, self.headers)
        request = Request(
            method=self.command,
            path=parts.path,
            target=self.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers=self.headers,
            body=body,
        )
        self.connection.settimeout(self.server.body_idle_seconds)
        outcome = self.server.answer(request)
        try:
            body.drain()
        except ShortBodyError:
            self.close_connection = True
        self.connection.settimeout(KEEP_ALIVE_SECONDS)
        if isinstance(outcome, Broken):
            self._break(outcome)
        else:
            self._send(outcome)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815  # names of http.server

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _break(self, broken: Broken) -> None:
        self.close_connection = True
        self.server.stopping.wait(broken.hold_seconds)
        if broken.how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()  # holds the socket open
            self.connection.close()

    @override
    def version_string(self) -> str:
        return "tiktok-sandbox"

    @override
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        # Without the query: it may hold an upload token or an authorization code.
        print(f"{self.command} {urlsplit(self.path).path} {code}", file=sys.stderr)
