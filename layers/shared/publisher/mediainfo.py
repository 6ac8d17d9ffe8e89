"""MediaInfo's library in a process of its own, because the files were chosen by strangers.

One changed byte can keep the library busy for minutes (a test has the file), and a call into it cannot be interrupted;
a process can be ended, and neither its memory nor its crash is ours. The file stays with the parent, which answers each
read, so that the process needs no access to anything.
"""

import resource
import sys
from multiprocessing.connection import Connection
from typing import Any

from pymediainfo import MediaInfo, Track

from publisher.parent import ParentsFile, tell

READ_BYTES = 1024 * 1024
"""Size of a read: an index at the end of a large file costs two or three of them, not the whole file."""
_MEMORY_BYTES = 512 * 1024 * 1024
_CPU_SECONDS = 120


def serve(descriptor: int, size: int, speed: float) -> None:
    """Tell the parent at the other end of a pipe what a file of `size` bytes holds.

    Reads it as ParentsFile does, and sends at last {"told": {"container": …, "video": …, "has_sound": …}} with
    MediaInfo's own names and values. `speed` is MediaInfo's: 0.5 looks here and there, 1.0 at every frame.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    with Connection(descriptor) as parent:
        info = MediaInfo.parse(ParentsFile(parent, size), parse_speed=speed, buffer_size=READ_BYTES)
        videos = info.video_tracks
        told = {
            "container": _values(info.general_tracks[0], "duration", "istruncated"),
            "video": _values(videos[0], "duration", "width", "height", "frame_rate", "format") if videos else None,
            "has_sound": bool(info.audio_tracks),
        }
        tell(parent, {"told": told})


def _values(track: Track, *names: str) -> dict[str, Any]:
    return {name: getattr(track, name) for name in names}
