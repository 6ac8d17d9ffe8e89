"""PULL_FROM_URL: the sandbox fetches the film from a host of the test's own."""

import hashlib
import json
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from local.tiktok.server import Sandbox

ROOT = Path(__file__).parents[2]


class MediaHost(ThreadingHTTPServer):
    """Serves one film; /slow.mp4 waits for `released`."""

    daemon_threads = False

    def __init__(self, film: bytes) -> None:
        super().__init__(("127.0.0.1", 0), MediaHandler)
        self.film = film
        self.released = Event()


class MediaHandler(BaseHTTPRequestHandler):
    server: MediaHost

    def do_GET(self):
        film = self.server.film
        if self.path == "/slow.mp4":
            self.server.released.wait(25)  # a client waits for 30
        if self.path == "/moved.mp4":
            self.send_response(302)
            self.send_header("Location", "/film.mp4")
            self.send_header("Content-Length", "0")
        elif self.path == "/missing.mp4":
            self.send_response(404)
            self.send_header("Content-Length", "0")
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(film) + (self.path == "/cut.mp4")))
        with suppress(ConnectionError):  # a stopped sandbox has hung up
            self.end_headers()
            self.wfile.write(film)

    def log_message(self, *args):
        pass


@pytest.fixture
def host(clip):
    server = MediaHost(clip)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def pull(tiktok, host):
    """Open a pull of a path of the media host; returns token and publish_id."""
    base = f"http://127.0.0.1:{host.server_port}/"
    tiktok.settings(pull_local_urls=True)
    tiktok.app(verified_properties=[base])

    def start(path, opening=tiktok.init):
        token = tiktok.token()
        source_info = {"source": "PULL_FROM_URL", "video_url": base + path}
        answer = opening(token, source_info=source_info)
        return token, answer.json()["data"]["publish_id"]

    return start


def eventually(tiktok, condition):
    """The publish of the log, as soon as it meets the condition."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        [publish] = tiktok.log()["publishes"]
        if condition(publish):
            return publish
    raise AssertionError(publish)


def test_a_pulled_film_becomes_a_post(tiktok, pull, clip):
    token, publish_id = pull("film.mp4")
    assert publish_id.startswith("v_pub_url~v2.")
    publish = eventually(tiktok, lambda publish: publish["accepted_at"])
    assert publish["sha256"] == hashlib.sha256(clip).hexdigest()
    assert tiktok.state(token, publish_id) == {"status": "PROCESSING_DOWNLOAD", "downloaded_bytes": len(clip)}
    tiktok.advance(10)
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_a_pulled_draft_reaches_the_inbox(tiktok, pull):
    token, publish_id = pull("film.mp4", tiktok.init_draft)
    assert publish_id.startswith("v_inbox_url~v2.")
    eventually(tiktok, lambda publish: publish["accepted_at"])
    tiktok.advance(10)
    assert tiktok.state(token, publish_id)["status"] == "SEND_TO_USER_INBOX"


@pytest.mark.parametrize("path", ["moved.mp4", "missing.mp4", "cut.mp4"])
def test_a_redirect_an_error_or_a_cut_film_fails_the_pull(tiktok, pull, path):
    token, publish_id = pull(path)
    eventually(tiktok, lambda publish: publish["status"] == "FAILED")
    assert tiktok.state(token, publish_id)["fail_reason"] == "video_pull_failed"


def test_a_pull_cut_short_by_a_stop_begins_anew(connect, host, tmp_path, clip):
    base = f"http://127.0.0.1:{host.server_port}/"
    command = [sys.executable, "-m", "local.tiktok", "--port", "0", "--state", tmp_path]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        tiktok = connect(json.loads(process.stdout.readline())["url"])
        tiktok.settings(pull_local_urls=True)
        tiktok.app(verified_properties=[base])
        tiktok.init(tiktok.token(), source_info={"source": "PULL_FROM_URL", "video_url": f"{base}slow.mp4"})
        process.terminate()
    with Sandbox(state=tmp_path) as sandbox:
        again = connect(sandbox.url)
        assert again.log()["publishes"][0]["received"] == 0
        host.released.set()
        publish = eventually(again, lambda publish: publish["accepted_at"])
        assert publish["sha256"] == hashlib.sha256(clip).hexdigest()


def test_a_running_pull_can_be_cancelled(tiktok, pull, host):
    token, publish_id = pull("slow.mp4")
    assert tiktok.cancel(token, publish_id).status_code == 200
    host.released.set()
    assert tiktok.state(token, publish_id)["fail_reason"] == "publish_cancelled"


def test_a_pull_of_a_film_can_be_held_back_and_lost_as_one_of_pictures_can(tiktok, pull):
    tiktok.settings(pull_delay_seconds=60)
    tiktok.fault("pull", "drop", when="after")
    token, publish_id = pull("film.mp4")
    noon = tiktok.log()["now"]
    tiktok.advance(60)
    publish = eventually(tiktok, lambda publish: publish["status"] == "FAILED")
    assert [(pull["at"], pull["status"], pull["fault"]) for pull in publish["pulls"]] == [
        (noon + 60, 200, "drop after")
    ]
    assert tiktok.state(token, publish_id)["fail_reason"] == "video_pull_failed"
    assert tiktok.log()["posts"] == []


def test_a_pull_that_takes_an_hour_fails(tiktok, pull):
    token, publish_id = pull("slow.mp4")
    tiktok.advance(3_599)
    assert tiktok.state(token, publish_id) == {"status": "PROCESSING_DOWNLOAD"}
    tiktok.advance(1)
    assert tiktok.state(token, publish_id) == {"status": "FAILED", "fail_reason": "video_pull_failed"}
