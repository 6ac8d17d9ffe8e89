"""The drop bucket's order: which key means what."""

import hashlib
import uuid
from collections.abc import Iterable
from typing import NamedTuple

ROOT = "autopublish"
FOLDER_FILE = "post.json"
"""What makes a folder a post."""
SIDECAR, RESULT = ".json", ".result.json"
_NAMES = uuid.UUID("0d3f5a52-6c1b-5c0e-9f9b-5f1c1a1f0b7e")
"""Made up once: ids of dropped posts are derived from it."""


class Place(NamedTuple):
    """A file, or a folder, that may become a post of an account; `key` is the file's, or that of its post.json."""

    account_id: str
    key: str
    of_folder: bool

    @property
    def sidecar_key(self) -> str:
        """Where the sidecar of a file is."""
        return f"{self.key}{SIDECAR}"

    @property
    def result_key(self) -> str:
        """Where the result is written."""
        return f"{self.key}{RESULT}"

    @property
    def folder(self) -> str:
        """What the keys in the folder begin with."""
        return self.key.removesuffix(FOLDER_FILE)

    @property
    def first_id(self) -> str:
        """The id of the first post that is made of this file."""
        return str(uuid.uuid5(_NAMES, self.key))


def place_of(key: str) -> Place | None:
    """Return what to look at when an object was put; None for what makes no post, such as our own results."""
    root, *rest = key.split("/")
    if root != ROOT or not all(rest) or key.endswith(RESULT):
        return None
    match rest:
        case [account_id, name]:
            media = name.removesuffix(SIDECAR)
            return Place(account_id, f"{ROOT}/{account_id}/{media}", of_folder=False) if media else None
        case [account_id, folder, _]:
            return Place(account_id, f"{ROOT}/{account_id}/{folder}/{FOLDER_FILE}", of_folder=True)
    return None


def following_id(post_id: str) -> str:
    """Return the id of the post that comes after one which failed, was cancelled, or was replaced before it started."""
    return str(uuid.uuid5(_NAMES, post_id))


def version_of(objects: Iterable[tuple[str, str]]) -> str:
    """Return what stands for all objects of a post, by key and version: it changes when one of them does."""
    text = "\n".join(f"{key}\n{version}" for key, version in objects)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_media(key: str) -> bool:
    """Tell whether an object of a folder is one of its pictures, or its video."""
    return not key.endswith((SIDECAR, "/"))
