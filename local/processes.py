"""Child processes that end with their parent."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1


class LocalError(Exception):
    """The local stack cannot go on. Its text is one sentence for the person who started it."""


class _Ended(BaseException):
    """A signal asked the program to end."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Leave the block at the first SIGINT or SIGTERM, from wherever it is; later ones do not disturb the leaving."""

    def end(*_: object) -> None:
        for number in numbers:
            signal.signal(number, lambda *_: None)
        raise _Ended

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        signal.signal(number, end)
    with suppress(_Ended):
        yield


def bypass_proxies() -> None:
    """Let this process and its children reach this machine directly, whatever proxy the environment names."""
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{named},127.0.0.1" if named else "127.0.0.1"


def free_port(preferred: int) -> int:
    """Return the preferred port of 127.0.0.1, or any free one when it is used."""
    for port in (preferred, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as server:
            return int(server.getsockname()[1])
    raise LocalError("This machine has no free port.")


class Child:
    """A running child process, leader of a process group of its own, and the line of JSON it reported itself with."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path, report: dict[str, Any]) -> None:
        self.name, self.log, self.report = name, log, report
        self._process = process

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def check(self) -> None:
        """Raise LocalError when the process has ended."""
        if self._process.poll() is not None:
            raise LocalError(f"{self.name} ended unexpectedly (exit code {self._process.returncode}); see {self.log}.")


@contextmanager
def child(
    name: str, command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command until the block ends; it is ready when it has printed one line of JSON on stdout.

    It gets a group of its own, so that Ctrl-C on a terminal reaches it only through us, and everything it started
    ends with it.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no thread runs yet
        )
    try:
        yield Child(name, process, log, _report(name, process, log))
    finally:
        _end(process)


def _report(name: str, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    assert process.stdout is not None  # it was opened as a pipe
    line = process.stdout.readline()
    if not line:
        process.wait()
        lines = log.read_text(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {process.returncode}"
        raise LocalError(f"{name} did not start: {reason} (log: {log})")
    report: dict[str, Any] = json.loads(line)
    return report


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _end_with_parent() -> None:
    """Ask Linux to send SIGTERM to this process when its parent dies, however it dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
