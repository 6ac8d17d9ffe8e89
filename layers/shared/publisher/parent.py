"""What a process that looks at a stranger's file has instead of the file: a pipe to the parent, which reads it."""

import json
from multiprocessing.connection import Connection
from typing import Any


class ParentsFile:
    """The parent's file of `size` bytes, as far as programs that look at media use a file.

    Sends {"read": [position, bytes]}, which is answered by those bytes.
    """

    def __init__(self, parent: Connection, size: int) -> None:
        self._parent = parent
        self._size = size
        self._position = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position that counts from the beginning (0), from here (1) or from the end (2)."""
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return so many bytes, or all that follow."""
        tell(self._parent, {"read": [self._position, max(0, self._size - self._position) if size < 0 else size]})
        data = self._parent.recv_bytes()
        self._position += len(data)
        return data


def tell(parent: Connection, message: dict[str, Any]) -> None:
    """Send the parent a message."""
    parent.send_bytes(json.dumps(message).encode())
