"""Files of a folder for browsers: pages that name a version, and what they load under it."""

import gzip
import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/openapi+json",
    ".svg": "image/svg+xml",
}


class StaticFile(NamedTuple):
    """A file as it is served, and the same compressed with gzip."""

    content_type: str
    content: bytes
    compressed: bytes


class StaticFiles:
    """All files under a folder, read when the first of them is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> StaticFile | None:
        """Return the file of that name, such as views/posts.js; None when there is none."""
        return self._files.get(name)

    @cached_property
    def version(self) -> str:
        """Changes when any of the files does, so that browsers may keep what they loaded under it."""
        return self._read[0]

    @property
    def _files(self) -> Mapping[str, StaticFile]:
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[str, Mapping[str, StaticFile]]:
        # The names come from the folder alone, so that no request reaches a file outside of it.
        found = {
            file.relative_to(self._folder).as_posix(): file.read_bytes()
            for file in sorted(self._folder.rglob("*"))
            if file.suffix in _TYPES
        }
        digest = hashlib.sha256()
        for name, content in found.items():
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
        version = digest.hexdigest()[:16]
        files = {}
        for name, content in found.items():
            served = content.replace(b"{version}", version.encode()) if name.endswith(".html") else content
            files[name] = StaticFile(_TYPES[Path(name).suffix], served, gzip.compress(served, mtime=0))
        return version, files
