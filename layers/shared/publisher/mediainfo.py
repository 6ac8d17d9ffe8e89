"""MediaInfo's library in a process of its own, because the files were chosen by strangers.

One changed byte can keep the library busy for minutes (a test has the file), and a call into it cannot be interrupted;
a process can be ended, and neither its memory nor its crash is ours. The file stays with the parent, which answers each
read, so that the process needs no access to anything.
"""

import json
import resource
import sys
from multiprocessing.connection import Connection
from typing import Any

from pymediainfo import MediaInfo, Track

READ_BYTES = 1024 * 1024
"""Size of a read: an index at the end of a large file costs two or three of them, not the whole file."""
_MEMORY_BYTES = 512 * 1024 * 1024
_CPU_SECONDS = 120


class _ParentsFile:
    """The parent's file, as far as MediaInfo uses a file."""

    def __init__(self, parent: Connection, size: int) -> None:
        self._parent = parent
        self._size = size
        self._position = 0

    def seek(self, offset: int, whence: int = 0) -> None:
        self._position = offset + (self._size if whence else 0)

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        _send(self._parent, {"read": [self._position, size]})
        data = self._parent.recv_bytes()
        self._position += len(data)
        return data


def serve(descriptor: int, size: int, speed: float) -> None:
    """Tell the parent at the other end of a pipe what a file of `size` bytes holds.

    Sends {"read": [position, bytes]}, answered by those bytes, and at last {"told": {"container": …, "video": …,
    "has_sound": …}} with MediaInfo's own names and values. `speed` is MediaInfo's: 0.5 looks here and there, 1.0 at
    every frame.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    with Connection(descriptor) as parent:
        info = MediaInfo.parse(_ParentsFile(parent, size), parse_speed=speed, buffer_size=READ_BYTES)
        videos = info.video_tracks
        told = {
            "container": _values(info.general_tracks[0], "duration", "istruncated"),
            "video": _values(videos[0], "duration", "width", "height", "frame_rate", "format") if videos else None,
            "has_sound": bool(info.audio_tracks),
        }
        _send(parent, {"told": told})


def _values(track: Track, *names: str) -> dict[str, Any]:
    return {name: getattr(track, name) for name in names}


def _send(parent: Connection, message: dict[str, Any]) -> None:
    parent.send_bytes(json.dumps(message).encode())
