"""python -m local.tiktok as a program, and what survives its restart."""

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from local.tiktok.server import Sandbox

ROOT = Path(__file__).parents[2]


def start(*arguments):
    command = [sys.executable, "-m", "local.tiktok", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_ends_on_a_signal(connect, number):
    process = start("--port", 0, "--profile", "2h")
    ready = json.loads(process.stdout.readline())
    assert ready["ready"] is True
    tiktok = connect(ready["url"])
    assert tiktok.grant()["expires_in"] == 7_200
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_a_used_port_is_one_sentence_and_exit_code_2(served):
    port = served.url.rpartition(":")[2]
    process = start("--port", port)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == f"Port {port} of 127.0.0.1 is already in use; choose another one with --port.\n"


@pytest.mark.parametrize("content", ["", "{", '{"unknown": 1}'])
def test_a_state_that_cannot_be_read_is_one_sentence_and_exit_code_2(tmp_path, content):
    (tmp_path / "world.json").write_text(content)
    process = start("--port", 0, "--state", tmp_path)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == f"The state in {tmp_path} cannot be read; remove it or choose another --state.\n"


def test_the_program_keeps_its_state_when_it_is_killed(connect, tmp_path):
    process = start("--port", 0, "--state", tmp_path)
    tokens = connect(json.loads(process.stdout.readline())["url"]).grant()
    process.kill()
    process.communicate(timeout=60)
    with Sandbox(state=tmp_path) as sandbox:
        assert connect(sandbox.url).creator_info(tokens["access_token"]).status_code == 200


def test_everything_survives_a_restart_with_the_same_state(connect, tmp_path, clip):
    with Sandbox(state=tmp_path, profile="2h") as sandbox:
        tiktok = connect(sandbox.url)
        tiktok.settings(mb="decimal")
        tiktok.user(nickname="Renamed")
        tiktok.app(audited=False)
        tiktok.app(audited=True)
        tiktok.admin("POST", "clock", {"frozen": True, "set": 2_000_000_000})
        tiktok.fault("cancel", "drop")
        tokens = tiktok.grant()
        token = tokens["access_token"]
        code = tiktok.code()
        done = tiktok.publish(token, clip)
        tiktok.advance(60)
        size = 5_242_880
        plan = {"source": "FILE_UPLOAD", "video_size": size + 9_000_000, "chunk_size": size, "total_chunk_count": 2}
        half = tiktok.init(token, source_info=plan).json()["data"]
        assert tiktok.put(half["upload_url"], bytes(size), size + 9_000_000).status_code == 206
        before = tiktok.log()
    with Sandbox(state=tmp_path) as sandbox:
        again = connect(sandbox.url)
        assert again.log() == before
        assert again.admin("GET", "settings")["token_profile"] == "2h"
        assert again.admin("GET", "settings")["mb"] == "decimal"
        assert again.admin("GET", "faults")["faults"][0]["endpoint"] == "cancel"
        assert again.creator_info(token).json()["data"]["creator_nickname"] == "Renamed"
        assert again.state(token, done)["status"] == "PUBLISH_COMPLETE"
        assert "access_token" in again.exchange(code).json()
        assert "access_token" in again.refresh(tokens["refresh_token"]).json()
        url = half["upload_url"].replace(tiktok.url, again.url)
        assert again.put(url, bytes(9_000_000), size + 9_000_000, size).status_code == 201
        assert again.log()["publishes"][1]["received"] == size + 9_000_000


def test_without_a_state_nothing_is_left_behind():
    with Sandbox() as sandbox:
        folder = sandbox.folder
        assert folder.exists()
    assert not folder.exists()


def test_stopping_waits_neither_for_held_calls_nor_for_idle_connections(connect):
    sandbox = Sandbox().start()
    with ThreadPoolExecutor(1) as pool:
        tiktok, held = connect(sandbox.url), connect(sandbox.url)
        tiktok.fault("creator_info", "timeout")
        call = pool.submit(held.creator_info, tiktok.token())
        while not tiktok.log()["calls"]:
            pass
        began = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - began < 5
        assert isinstance(call.exception(), requests.ConnectionError)
