"""The client as its users have it: installed, with a service that misbehaves or the whole local stack."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "clients/python"


@dataclass
class Program:
    """The installed command `publisher` of one user."""

    path: Path
    environment: dict[str, str]
    cwd: Path

    def run(
        self, *arguments: str, told: str = "", stdout: Any = subprocess.PIPE, stderr: Any = subprocess.PIPE, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end, as in a script: nobody sits at a terminal. `more` is its environment."""
        return subprocess.run(
            [str(self.path), *arguments],
            input=told,
            env=self.environment | more,
            cwd=self.cwd,
            stdout=stdout,
            stderr=stderr,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, *arguments: str) -> Any:
        """Run it with --json, and return what it says."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the package was installed in, as pip builds it."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--no-index", "--target", str(folder), str(PACKAGE)], check=True)
    return folder


@pytest.fixture
def program(installed: Path, tmp_path: Path) -> Program:
    """The command of a user with an empty home, who is not signed in."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "PYTHONWARNINGS": "error",
        "NO_PROXY": "127.0.0.1",
    }
    return Program(installed / "bin/publisher", environment, tmp_path)


ACCOUNT = {
    "account_id": "account",
    "is_valid": True,
    "tiktok_username": "rabbit",
    "tiktok_display_name": "Rabbit",
    "tiktok_avatar_url": "",
    "state": "active",
}


@dataclass
class Scene:
    """What the misbehaving service does with the next requests, and what it has."""

    faults: list[str] = field(default_factory=list)
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    heard: list[tuple[str, str]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class BadService(ThreadingHTTPServer):
    """A service with posts alone: one for each Idempotency-Key. Faults are taken in their order, one a request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BadServiceHandler)
        self.scene = Scene()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class BadServiceHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: BadService

    def do_GET(self) -> None:
        self._misbehave(lambda: (200, {"accounts": [ACCOUNT]}, {}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._misbehave(lambda: self._retried() if self.path.endswith("/retry") else self._posted(body))

    def _posted(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        with self.server.scene.lock:
            post = self.server.scene.posts.setdefault(
                self.headers["Idempotency-Key"],
                {
                    "success": True,
                    "postSubmissionId": f"post-{len(self.server.scene.posts) + 1}",
                    "post_type": "video",
                    "status": "QUEUED",
                    "message": body["post"]["content"]["text"],
                    "warnings": [],
                },
            )
        return 202, post, {}

    def _retried(self) -> tuple[int, dict[str, Any], dict[str, str]]:
        return 202, {"postSubmissionId": "post-1", "post_type": "video", "status": "QUEUED", "message": "again"}, {}

    def _misbehave(self, act: Any) -> None:
        scene = self.server.scene
        with scene.lock:
            scene.heard.append((self.command, self.path))
            scene.authorizations.append(self.headers["Authorization"])
            fault = scene.faults.pop(0) if scene.faults else "none"
        match fault.split():
            case ["cut-before"]:
                self._cut()
            case ["cut-after"]:
                act()
                self._cut()
            case ["half"]:
                status, told, headers = act()
                self._answer(status, told, headers, cut=True)
            case ["outcome", status]:
                self._answer(int(status), {"postSubmissionId": "post-1", "error": "TikTok", "message": "Later."}, {})
            case ["in-flight"]:
                self._answer(409, {"retryable": True, "code": "InvalidRequest"}, {"Retry-After": "3"})
            case ["other", status]:
                self._answer(int(status), {"hello": "world"}, {})
            case ["redirect", url]:
                self._answer(307, {}, {"Location": url})
            case [status, "after", seconds]:
                self._answer(int(status), {"retryable": True}, {"Retry-After": seconds})
            case [status] if status.isdecimal():
                self._answer(int(status), {"error": "It is so.", "message": "Do that.", "code": "Some"}, {})
            case _:
                self._answer(*act())

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, told: dict[str, Any], headers: dict[str, str], *, cut: bool = False) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut

    def finish(self) -> None:
        """Leave a connection that was cut on purpose without a traceback."""
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[BadService]:
    server = BadService()
    yield server
    server.shutdown()
    server.server_close()
