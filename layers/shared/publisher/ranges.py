"""A file whose bytes are elsewhere and are asked for when they are read."""

import io
from collections.abc import Callable
from typing import Any, BinaryIO

RANGE_BYTES = 1024 * 1024
"""Asked for at once, at least: what a container says of itself is read in small pieces that lie together."""

type ReadAt = Callable[[int, memoryview], int]
"""Fills a buffer with the bytes from a position on, where there are such, and returns how many it wrote."""


def seekable(size: int, read_at: ReadAt) -> BinaryIO:
    """Return a file of `size` bytes for reading here and there, each time at least 1 MiB at once."""
    return io.BufferedReader(_Ranges(size, read_at), RANGE_BYTES)


class _Ranges(io.RawIOBase):
    """A file whose every read is a request."""

    def __init__(self, size: int, read_at: ReadAt) -> None:
        self._size = size
        self._read_at = read_at
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readall(self) -> bytes:
        rest = bytearray(max(0, self._size - self._at))
        return bytes(rest[: self.readinto(rest)])

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._at)]
        filled = self._read_at(self._at, view) if view else 0
        self._at += filled
        return filled
