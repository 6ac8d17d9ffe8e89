"""Files that customers upload: what they are called, in which parts they come, and how long they are kept."""

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import (
    FILE_NAME_CHARACTERS,
    MIB,
    UPLOAD_DAYS,
    UPLOAD_OPEN_DAYS,
    UPLOAD_PART_BYTES,
    UPLOAD_PARTS,
)

_DAY_SECONDS = 86400
_SHA256_BYTES = 32
_UNSAFE = re.compile(r"[^\w.-]+")
_ENDING = re.compile(r"\.\w{1,10}\Z")
_PATH = re.compile(r"/v2/media/uploads/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([^/]+)")


class Part(NamedTuple):
    """Bytes of a file: its `number` from 1, the `first` byte's place, and its size in bytes."""

    number: int
    first: int
    size: int


class UploadName(NamedTuple):
    """What a media URL says of an upload: its id, and its name as `safe_name` makes it."""

    upload_id: str
    name: str


class Upload(BaseModel):
    """A file of `size` bytes that comes in parts, or has come; `handle` is the store's name of what is under way."""

    model_config = ConfigDict(frozen=True)

    workspace_id: str
    upload_id: str
    file_name: str
    size: int
    content_type: str
    begun_at: float
    handle: str = ""
    complete: bool = False
    dropped: bool = False

    @property
    def name(self) -> UploadName:
        """What its media URL says of it."""
        return UploadName(self.upload_id, safe_name(self.file_name))

    @property
    def expires_at(self) -> float:
        """Return the epoch second until which it is kept: longer once it is whole."""
        return self.begun_at + (UPLOAD_DAYS if self.complete else UPLOAD_OPEN_DAYS) * _DAY_SECONDS

    def media_url(self, base_url: str) -> str:
        """Return the address that posts of its workspace may name."""
        return f"{base_url}/v2/media/uploads/{self.upload_id}/{quote(self.name.name)}"


class UploadState(BaseModel):
    """How far an upload has come: the numbers of the parts that are there, and addresses for parts until a second."""

    model_config = ConfigDict(frozen=True)

    upload: Upload
    received: frozenset[int] = frozenset()
    urls: dict[int, str] = {}
    urls_expire_at: float | None = None


def part_size(size: int) -> int:
    """Return the bytes of each part but the last: whole MiB, and as many as keep the parts few."""
    mebibytes = -(-size // (UPLOAD_PARTS * MIB))
    return max(int(UPLOAD_PART_BYTES), mebibytes * MIB)


def plan_parts(size: int) -> Sequence[Part]:
    """Return the parts of a file of at least one byte, in order."""
    step = part_size(size)
    starts = range(0, size, step)
    return tuple(Part(number, first, min(step, size - first)) for number, first in enumerate(starts, start=1))


def safe_name(file_name: str) -> str:
    """Return a name of letters, digits, dots and dashes for a file, with its ending; never empty."""
    plain = _UNSAFE.sub("-", unicodedata.normalize("NFC", file_name)).strip("-.")
    ending = found[0] if (found := _ENDING.search(plain)) else ""
    stem = plain.removesuffix(ending)[: FILE_NAME_CHARACTERS - len(ending)].rstrip("-.")
    return stem + ending or "file"


def upload_named(url: str) -> UploadName | None:
    """Return what a media URL says of an upload, whichever host it names; None for any other URL.

    Ours is one address among several that may lead to the service, so the path alone tells.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    found = _PATH.fullmatch(parts.path)
    if parts.scheme not in ("http", "https") or found is None:
        return None
    return UploadName(found[1], unquote(found[2]))


def is_sha256(text: str) -> bool:
    """Tell whether a text is the base64 of a SHA-256, in its one usual form."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(digest) == _SHA256_BYTES and base64.b64encode(digest).decode() == text
