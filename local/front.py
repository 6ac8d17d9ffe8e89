"""The HTTP API on 127.0.0.1: what API Gateway does between a request and a function (payload format 2.0).

MiniStack has an HTTP API too, but one without the `cookies` of an event, with addresses that browsers do not resolve,
and with paths of its own among ours.
"""

import base64
import errno
import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from local.processes import LocalError
from local.template import Route

# The quotas of an HTTP API: largest body, and longest wait for a function (see functions.py).
BODY_BYTES = 10 * 1024 * 1024
_DRAIN_BYTES = 256 * 1024 * 1024
_TEXT_TYPES = ("application/json", "application/xml", "application/javascript")
_NOT_FORWARDED = {"connection", "keep-alive", "transfer-encoding", "cookie"}


class Unavailable(Exception):
    """The function gave no answer in time, or was not allowed to run."""


class FunctionFailed(Exception):
    """The function raised an exception or died."""


class Answer(NamedTuple):
    """What goes back to the caller; `headers` may name one field several times."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Front:
    """Listens from its making on, and answers from `serve` on: a used port shows before anything else is started."""

    def __init__(self, port: int, log: Path) -> None:
        """Raise LocalError when the port cannot be had; port 0 is any free one."""
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            reason = (
                "is already in use" if getattr(error, "errno", None) == errno.EADDRINUSE else f"cannot be had: {error}"
            )
            raise LocalError(f"Port {port} of 127.0.0.1 {reason}; choose another one with --port.") from error
        self._server.log = log
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the port go; requests that are being answered lose their connection when the process ends."""
        if self._server.routes:
            self._server.shutdown()
        self._server.server_close()

    def serve(self, routes: Iterable[Route], invoke: Callable[[str, dict[str, Any]], Any]) -> None:
        """Answer by `invoke(function, event)`, which may raise Unavailable or FunctionFailed, on threads."""
        self._server.routes = sorted((_Pattern(route) for route in routes), key=lambda pattern: pattern.rank)
        self._server.invoke = invoke
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    log: Path
    routes: list["_Pattern"] = []  # noqa: RUF012 - set once, by serve
    invoke: Callable[[str, dict[str, Any]], Any]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of faults of ours; that a browser has left its page before the answer came is none."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Pattern:
    """A route as it is matched: full matches before greedy ones, more literal segments first, ANY last."""

    def __init__(self, route: Route) -> None:
        self.route = route
        segments = route.path.split("/")
        literal = sum(1 for segment in segments if segment and not segment.startswith("{"))
        self.rank = ("+}" in route.path, -literal, route.method == "ANY")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(route.path))
        self._pattern = re.compile(re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", pattern))

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the path's parameters, or None when this is not its route."""
        found = self._pattern.fullmatch(path) if self.route.method in (method, "ANY") else None
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer every method; the base class looks for one called `do_GET`."""
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def _respond(self) -> None:
        began, self._route_key = time.monotonic(), f"{self.command} -"
        answer = self._answer()
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        bodiless = answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not bodiless and self.command != "HEAD":
            self.wfile.write(answer.body)
        # As in the template: the route and not the path, in which connect links and the pictures' addresses travel.
        took = time.monotonic() - began
        with self.server.log.open("a") as log:
            log.write(f"{self._route_key} {answer.status} {took:.3f}s\n")

    def _answer(self) -> Answer:
        try:
            body = self._body()
        except ValueError:
            self.close_connection = True
            return _message(HTTPStatus.BAD_REQUEST, "Bad Request")
        if body is None:
            return _message(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Entity Too Large")
        path = urlsplit(self.path).path
        for pattern in self.server.routes:
            parameters = pattern.match(self.command, path)
            if parameters is not None:
                self._route_key = f"{pattern.route.method} {pattern.route.path}"
                event = self._event(pattern.route, path, parameters, body)
                try:
                    return _answer_of(self.server.invoke(pattern.route.function, event))
                except Unavailable:
                    return _message(HTTPStatus.SERVICE_UNAVAILABLE, "Service Unavailable")
                except FunctionFailed:
                    return _message(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        return _message(HTTPStatus.NOT_FOUND, "Not Found")

    def _body(self) -> bytes | None:
        """Read the request's body, or throw it away and return None when it is too large."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunked_body()
        length = int(self.headers.get("Content-Length", 0))
        if length < 0:
            raise ValueError
        if length <= BODY_BYTES:
            return self.rfile.read(length)
        # A client that is still sending would see a reset instead of the answer.
        left = min(length, _DRAIN_BYTES)
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 20))):
            left -= len(piece)
        self.close_connection = True
        return None

    def _chunked_body(self) -> bytes | None:
        body, length = bytearray(), 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            piece = self.rfile.read(size)
            self.rfile.readline()
            length += size
            if length <= BODY_BYTES:
                body += piece
            elif length > _DRAIN_BYTES:
                self.close_connection = True
                return None
        while self.rfile.readline().strip():
            pass  # trailers
        return bytes(body) if length <= BODY_BYTES else None

    def _event(self, route: Route, path: str, parameters: dict[str, str], body: bytes) -> dict[str, Any]:
        headers: dict[str, str] = {}
        cookies = []
        for name, value in self.headers.items():
            field = name.lower()
            if field == "cookie":
                cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
            if field not in _NOT_FORWARDED:
                headers[field] = f"{headers[field]},{value}" if field in headers else value
        address, host = str(self.client_address[0]), headers.get("host", "")
        headers |= {"x-forwarded-for": address, "x-forwarded-port": str(self.server.server_port)}
        headers |= {"x-forwarded-proto": "http", "content-length": str(len(body))}
        query_string = urlsplit(self.path).query
        query: dict[str, str] = {}
        for name, value in parse_qsl(query_string, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        now = time.time()
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": f"{route.method} {route.path}",
            "rawPath": unquote(path),
            "rawQueryString": query_string,
            "headers": headers,
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "local",
                "domainName": host.partition(":")[0],
                "domainPrefix": host.partition(".")[0],
                "http": {
                    "method": self.command,
                    "path": unquote(path),
                    "protocol": self.request_version,
                    "sourceIp": address,
                    "userAgent": headers.get("user-agent", ""),
                },
                "requestId": str(uuid.uuid4()),
                "routeKey": f"{route.method} {route.path}",
                "stage": "$default",
                "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
                "timeEpoch": int(now * 1000),
            },
            "isBase64Encoded": False,
        }
        if cookies:
            event["cookies"] = cookies
        if query:
            event["queryStringParameters"] = query
        if parameters:
            event["pathParameters"] = parameters
        if body:
            event |= _body_of(body, headers.get("content-type", ""))
        return event

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: `_respond` logs."""


def _body_of(body: bytes, content_type: str) -> dict[str, Any]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in _TEXT_TYPES:
        return {"body": body.decode(errors="replace")}
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _answer_of(result: Any) -> Answer:
    """Read a function's result; one without a status code is the body of a 200."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Answer(HTTPStatus.OK, [("Content-Type", "application/json")], json.dumps(result).encode())
    headers = {str(name).lower(): str(value) for name, value in (result.get("headers") or {}).items()}
    headers.setdefault("content-type", "text/plain;charset=UTF-8")
    for name in ("content-length", "connection", "transfer-encoding"):
        headers.pop(name, None)
    fields = [*headers.items(), *(("set-cookie", str(cookie)) for cookie in result.get("cookies") or [])]
    body = str(result.get("body") or "").encode()
    return Answer(int(result["statusCode"]), fields, base64.b64decode(body) if result.get("isBase64Encoded") else body)


def _message(status: HTTPStatus, text: str) -> Answer:
    return Answer(
        status, [("Content-Type", "application/json")], json.dumps({"message": text}, separators=(",", ":")).encode()
    )
