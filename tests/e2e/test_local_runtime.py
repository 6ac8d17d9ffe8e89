"""The local stack: its ready line, its ends, and what it keeps."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local import emulator
from local.processes import ROOT, LocalError
from local.state import State
from tests.conftest import free_port
from tests.e2e.client import Client, query_of

PATIENCE_SECONDS = 30


class Started:
    """A stack that was started by its command, and what belongs to it."""

    def __init__(self, process: subprocess.Popen[str], state: Path) -> None:
        assert process.stdout is not None
        self.process, self.state = process, state
        line = process.stdout.readline()
        assert line, (state.parent / "stderr").read_text()
        self.ready: dict[str, Any] = json.loads(line)
        requests.get(self.ready["api"] + "/api/accounts", timeout=30)  # so that there are functions too
        self.pids = descendants(process.pid)
        address = json.loads((state / "running.json").read_text())
        self.ports = [urlsplit(url).port for url in (self.ready["api"], self.ready["tiktok"], address["endpoint"])]

    @property
    def client(self) -> Client:
        return Client(self.ready["api"], self.ready["apiKey"], self.ready["tiktok"])

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit code and what was still printed on stdout."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, rest

    def leftovers(self) -> list[object]:
        """Return what is still there of it, after a moment for what had to notice that its parent died."""
        until = time.monotonic() + PATIENCE_SECONDS
        while (left := [*filter(is_alive, self.pids), *filter(is_open, self.ports)]) and time.monotonic() < until:
            time.sleep(0.1)
        return list(left)


@contextmanager
def started(state: Path, *arguments: str) -> Iterator[Started]:
    command = [sys.executable, "-m", "local", "--port", str(free_port()), "--state", str(state), *arguments]
    with (state.parent / "stderr").open("w") as stderr:
        # A proxy that nobody can reach must not matter.
        environment = os.environ | {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        yield Started(process, state)
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


def descendants(pid: int) -> list[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
    found = [pid]
    for parent in found:
        found += [child for child, of in pairs if of == parent]
    return found[1:]


def is_alive(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(shown.strip()) and not shown.startswith("Z")


def is_open(port: int | None) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(ended: subprocess.CompletedProcess[str], part: str) -> None:
    assert (ended.returncode, ended.stdout) == (2, "")
    assert part in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_ready_line_says_where_everything_is(ready: dict[str, Any]) -> None:
    assert list(ready) == ["ready", "api", "apiKey", "dashboard", "tiktok", "s3", "dropBucket"]
    assert ready["ready"] is True
    assert ready["dashboard"] == ready["api"] + "/"
    assert {urlsplit(ready[name]).hostname for name in ("api", "tiktok", "s3")} == {"127.0.0.1"}
    assert requests.get(ready["dashboard"], timeout=40).status_code == 200


def test_the_key_of_the_ready_line_opens_the_api(client: Client) -> None:
    assert client.get("/api/accounts").status_code == 200


def test_unknown_routes_are_not_found(ready: dict[str, Any]) -> None:
    answer = requests.get(ready["api"] + "/_ministack/health", timeout=40)
    assert (answer.status_code, answer.text) == (404, '{"message":"Not Found"}')


def test_a_key_made_by_the_command_opens_a_workspace_of_its_own(
    ready: dict[str, Any], state: Path, account: dict[str, Any]
) -> None:
    made = run("local.key", "--state", str(state), "--name", "test")
    assert made.returncode == 0, made.stderr
    answer = requests.get(ready["api"] + "/api/accounts", headers={"x-api-key": made.stdout.strip()}, timeout=40)
    assert (answer.status_code, answer.json()) == (200, {"accounts": []})


def test_a_key_needs_a_running_stack_and_scopes_that_exist(ready: dict[str, Any], state: Path, tmp_path: Path) -> None:
    assert_one_sentence(run("local.key", "--state", str(tmp_path)), "No stack runs in")
    assert_one_sentence(run("local.key", "--state", str(state), "--scope", "posts:eat"), "posts:eat")


def test_a_used_port_is_one_sentence(ready: dict[str, Any], tmp_path: Path) -> None:
    port = str(urlsplit(ready["api"]).port)
    assert_one_sentence(run("local", "--port", port, "--state", str(tmp_path)), f"Port {port} of 127.0.0.1 is already")


def test_a_state_in_use_is_one_sentence(ready: dict[str, Any], state: Path) -> None:
    assert_one_sentence(run("local", "--port", "0", "--state", str(state)), "Another stack runs in")


def test_a_missing_tool_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(emulator, "_PYTHON", tmp_path / "python")
    with (
        pytest.raises(LocalError, match="MiniStack is not installed: run `make setup`"),
        emulator.running_emulator(tmp_path, tmp_path, {}, port=0),
    ):
        pass


def test_what_ends_the_stack_ends_everything_and_loses_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(state) as first:
        account = first.client.connect()
        code, _ = first.end(signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert first.leftovers() == []
    # Another port, another TikTok by address: the functions must learn of both.
    port = str(free_port())
    with started(state, "--trust-media-origin", "http://127.0.0.1:9", "--port", port) as second:
        assert second.ready["apiKey"] == first.ready["apiKey"]
        assert [listed["account_id"] for listed in accounts(second)] == [account["account_id"]]
        consent = second.client.get("/oauth/tiktok/start", allow_redirects=False).headers["location"]
        assert consent.startswith(second.ready["tiktok"])
        assert query_of(consent)["redirect_uri"].startswith(second.ready["api"])
        # Its tokens still open: TikTok is asked with them.
        assert second.client.connect()["account_id"] == account["account_id"]
        while second.process.poll() is None:  # an impatient person
            second.process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        assert second.leftovers() == []
    # The same port: what was addressed stays so, a page that is open too.
    with started(state, "--port", port) as third:
        assert [third.ready[name] for name in ("api", "tiktok", "s3")] == [
            second.ready[name] for name in ("api", "tiktok", "s3")
        ]
        assert [listed["account_id"] for listed in accounts(third)] == [account["account_id"]]
        assert third.end(signal.SIGTERM) == (0, "")
        assert third.leftovers() == []


def accounts(stack: Started) -> list[dict[str, Any]]:
    return list(stack.client.get("/api/accounts").json()["accounts"])


def test_the_logs_of_the_last_run_are_kept(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        (state.logs / "emulator.log").write_text("how it ended")
    with State(tmp_path) as state:
        assert not list(state.logs.iterdir())
        assert (tmp_path / "logs.before/emulator.log").read_text() == "how it ended"
    with State(tmp_path):
        assert not list((tmp_path / "logs.before").iterdir())
