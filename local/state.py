"""The directory that outlives the stack."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

from local.processes import LocalError

_ADDRESS = "running.json"


class Address(NamedTuple):
    """Where a running stack is: AWS, its table of keys and its drop bucket, and the root of its API."""

    endpoint: str
    keys_table: str
    drop_bucket: str
    api: str


class State:
    """The state directory, locked while in use: two stacks would overwrite each other's data."""

    def __init__(self, path: Path) -> None:
        """Make the directory where needed; raise LocalError when it cannot be used or is in use."""
        self.path = path.resolve()
        self.logs = self.path / "logs"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LocalError(f"The state directory {path} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise LocalError(f"Another stack runs in {path}: stop it, or choose another --state.") from error
        before = self.path / "logs.before"  # of the last run, which may have ended badly
        shutil.rmtree(before, ignore_errors=True)
        if self.logs.exists():
            self.logs.rename(before)
        self.logs.mkdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    @contextmanager
    def announced(self, address: Address) -> Iterator[None]:
        """Tell `running_address` while the block runs where the stack is."""
        file = self.path / _ADDRESS
        file.write_text(json.dumps(address._asdict()))
        try:
            yield
        finally:
            file.unlink()


def running_address(path: Path) -> Address:
    """Return the address of the stack that runs in a state directory; LocalError when there is none."""
    try:
        return Address(**json.loads((path / _ADDRESS).read_text()))
    except FileNotFoundError as error:
        raise LocalError(f"No stack runs in {path}: start one with `make local`, or name one in AWS.") from error
