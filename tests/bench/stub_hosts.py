"""Stand-ins for S3 and TikTok's upload host, each a process that costs almost nothing: a bench measures the client.

The first answers any GET with the asked bytes of an object, the second swallows what is PUT.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import Message
from email.parser import BytesParser
from multiprocessing import get_context
from multiprocessing.connection import Connection

_BLOCK = b"\x5a" * (1 << 20)
_RANGE = re.compile(r"bytes[= ](\d+)-(\d+)(?:/(\d+))?")


@contextlib.contextmanager
def stub_hosts(size: int) -> Iterator[tuple[str, str]]:
    """Run both, with an object of `size` bytes; yields their root URLs."""
    with _process(_give, size) as media, _process(_take, size) as upload:
        yield media, upload


@contextlib.contextmanager
def _process(answer: Callable[[socket.socket, Message, bytes, int], None], size: int) -> Iterator[str]:
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, answer, size), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(parent: Connection, answer: Callable[[socket.socket, Message, bytes, int], None], size: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        parent.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            threading.Thread(target=_talk, args=(client, answer, size), daemon=True).start()


def _talk(client: socket.socket, answer: Callable[[socket.socket, Message, bytes, int], None], size: int) -> None:
    with client, contextlib.suppress(ConnectionError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            received = b""
            while b"\r\n\r\n" not in received:
                piece = client.recv(65536)
                if not piece:
                    return
                received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            answer(client, BytesParser().parsebytes(head.partition(b"\r\n")[2]), body, size)


def _give(client: socket.socket, headers: Message, _body: bytes, size: int) -> None:
    asked = _RANGE.match(headers.get("Range", ""))
    first, last = (int(asked[1]), int(asked[2])) if asked else (0, size - 1)
    client.sendall(
        b'HTTP/1.1 206 Partial Content\r\nETag: "film"\r\nContent-Length: %d\r\nContent-Range: bytes %d-%d/%d\r\n\r\n'
        % (last - first + 1, first, last, size)
    )
    for at in range(first, last + 1, len(_BLOCK)):
        client.sendall(memoryview(_BLOCK)[: last + 1 - at])


def _take(client: socket.socket, headers: Message, body: bytes, size: int) -> None:
    sink, left = bytearray(1 << 20), int(headers["Content-Length"]) - len(body)
    while left > 0:
        got = client.recv_into(sink, min(left, len(sink)))
        if not got:
            return
        left -= got
    sent = _RANGE.match(headers.get("Content-Range", ""))
    whole = sent is None or int(sent[2]) == size - 1
    client.sendall(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % (b"201 Created" if whole else b"206 Partial Content"))
