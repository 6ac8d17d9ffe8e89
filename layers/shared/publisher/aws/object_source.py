"""A file of ours in S3 as the media of a post."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from publisher.aws.media_store import Body
from publisher.domain.errors import MediaTooLarge
from publisher.domain.limits import SNIFF_BYTES
from publisher.ports import Source


@contextmanager
def object_source(answer: Any, kind: str, *, max_bytes: int) -> Iterator[Source]:
    """Read what S3 answered; MediaTooLarge when it is. `kind` says what it is, such as "dropped"."""
    with closing(answer["Body"]) as body:
        if answer["ContentLength"] > max_bytes:
            raise MediaTooLarge(
                f"The {kind} file has more than {max_bytes:,} bytes.", "Compress or shorten it, and send it again."
            )
        yield _ObjectSource(body, answer["ContentLength"])


class _ObjectSource:
    """An object being read; its first bytes are `head` and are delivered by `readinto` all the same."""

    def __init__(self, body: Any, size: int) -> None:
        self._body = Body(body)
        head = bytearray(SNIFF_BYTES)
        self.size: int | None = size
        self.head = bytes(head[: self._body.readinto(memoryview(head))])
        self._head_left = memoryview(self.head)

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the object ends before; 0 at the end."""
        first = min(len(buffer), len(self._head_left))
        buffer[:first] = self._head_left[:first]
        self._head_left = self._head_left[first:]
        return first + self._body.readinto(buffer[first:])
