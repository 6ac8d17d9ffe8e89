"""Give TikTok a picture that it pulls."""

import re

from publisher.domain.errors import NotFound
from publisher.ports import Ports

_PREFIX = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"(?P<number>[1-9][0-9]?)\.jpg")


def pull_picture(ports: Ports, prefix: str, name: str) -> bytes:
    """Return the JPEG of an address such as prefix/1.jpg, and note that it was pulled; NotFound unless it is open."""
    known = _NAME.fullmatch(name)
    if known is None or not _PREFIX.fullmatch(prefix):
        raise _not_found()
    number = int(known["number"])
    # Noted before the first byte is out: a post whose address was never pulled from may be offered again.
    hosted = ports.photo_host.pull(prefix, number, ports.clock.now())
    picture = ports.media.get(f"{hosted.folder}/{number}.jpg") if hosted else None
    if picture is None:
        raise _not_found()
    return picture


def _not_found() -> NotFound:
    return NotFound("There is no such picture.", "Pictures are here while TikTok publishes their post.")
