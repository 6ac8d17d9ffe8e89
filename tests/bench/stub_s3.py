"""A stand-in for S3 and for a media server that costs almost nothing, so that a bench measures the client.

It takes objects and parts and drops their bytes; `GET /media/<size>` gives so many bytes that begin like an MP4.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from multiprocessing import get_context
from multiprocessing.connection import Connection

_FILM = b"\0\0\0\x18ftypisom\0\0\2\0isommp41".ljust(1 << 20, b"\x5a")
_BEGUN = b"<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>"
_ENDED = b'<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>'


@contextlib.contextmanager
def stub_s3() -> Iterator[str]:
    """Run the stub in a process of its own; yields its root URL."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(parent: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        parent.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_talk, args=(client,), daemon=True).start()


def _talk(client: socket.socket) -> None:
    sink = bytearray(1 << 20)
    with client, contextlib.suppress(ConnectionError):
        while (request := _read_request(client, sink)) is not None:
            _answer(client, *request)


def _read_request(client: socket.socket, sink: bytearray) -> tuple[str, str] | None:
    """Return a request's method and target once its body is swallowed; None when the client is gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return None
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    headers = BytesParser().parsebytes(fields)
    if "100-continue" in headers.get("Expect", ""):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    left = int(headers.get("Content-Length", 0)) - len(body)
    while left > 0:
        got = client.recv_into(sink, min(left, len(sink)))
        if not got:
            return None
        left -= got
    method, target, _ = line.decode().split(" ", 2)
    return method, target


def _answer(client: socket.socket, method: str, target: str) -> None:
    media = re.fullmatch(r"/media/(\d+)", target)
    if media:
        size = int(media[1])
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % size)
        for sent in range(0, size, len(_FILM)):
            client.sendall(memoryview(_FILM)[: size - sent])
        return
    body = b""
    if method == "POST":
        body = _BEGUN if target.endswith("?uploads") else _ENDED
    client.sendall(b'HTTP/1.1 200 OK\r\nETag: "part"\r\nContent-Length: %d\r\n\r\n%b' % (len(body), body))
