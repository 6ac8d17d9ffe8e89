"""The demo as it is started by `make demo`, and what it publishes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import av
import pytest
import requests

from local.demo.media import serving
from local.demo.progress import Progress
from local.demo.samples import ALL, PHOTOGRAPHS
from local.demo.samples import FILM as SAMPLE
from local.processes import ROOT
from publisher.domain.sniffing import Kind, sniff
from tests.conftest import free_port

FILM = SAMPLE.path


def test_the_demo_publishes_a_film_a_carousel_and_a_draft_and_says_so_in_plain_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.demo", "--exit", "--port", str(free_port()), "--state", str(tmp_path)]
    demo = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    posts = [json.loads(answer) for answer in re.findall(r"^{\n.*?^}\n", demo.stdout, re.MULTILINE | re.DOTALL)]
    assert [(post["post_type"], post["status"]) for post in posts] == [
        ("video", "PUBLISH_COMPLETE"),
        ("photo", "PUBLISH_COMPLETE"),
        ("photo", "SEND_TO_USER_INBOX"),
    ]
    for post in posts:
        assert post["success"] is True
        assert f"/v2/posts/{post['postSubmissionId']}\n" in demo.stdout
    assert f"  UploadChunks     {FILM.stat().st_size:,} of {FILM.stat().st_size:,} bytes\n" in demo.stdout
    assert demo.stdout.count("  ConvertPhotos\n") == 2
    assert [sample.credit for sample in ALL if sample.credit not in demo.stdout] == []
    link = r"^Dashboard  http://127\.0\.0\.1:[0-9]+/#/sign-in/[A-Za-z0-9_-]{43}   \(works once, for ten minutes\)$"
    assert re.search(link, demo.stdout, re.MULTILINE)
    assert not {"\r", "\x1b"} & set(demo.stdout)


def test_the_carousel_has_a_picture_that_tiktok_does_not_take_as_it_is() -> None:
    assert {sniff(photograph.path.read_bytes()) for photograph in PHOTOGRAPHS} == {Kind.JPEG, Kind.PNG}


def test_the_film_is_one_that_tiktok_takes() -> None:
    with av.open(str(FILM)) as container:
        (video,) = container.streams.video
        assert video.average_rate is not None
        assert container.duration is not None
        assert "mp4" in container.format.name
        assert video.codec_context.name == "h264"
        assert 23 <= video.average_rate <= 60
        assert 360 <= min(video.width, video.height) <= max(video.width, video.height) <= 4096
        assert container.duration >= 3_000_000


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        (None, 200, 0, 1_055_735),
        ("bytes=0-9", 206, 0, 9),
        ("bytes=1055730-", 206, 1_055_730, 1_055_735),
        ("bytes=1055730-9999999", 206, 1_055_730, 1_055_735),
    ],
)
def test_the_media_host_serves_ranges(asked: str | None, status: int, first: int, last: int) -> None:
    with serving([FILM]) as origin:
        answer = requests.get(f"{origin}/{FILM.name}", headers={"Range": asked}, timeout=20)
    assert answer.status_code == status
    assert answer.content == FILM.read_bytes()[first : last + 1]
    assert answer.headers.get("content-range") == (f"bytes {first}-{last}/1055736" if asked else None)


def test_the_media_host_has_nothing_else_and_nothing_behind_the_end() -> None:
    with serving([FILM]) as origin:
        assert requests.get(f"{origin}/", timeout=20).status_code == 404
        beyond = requests.get(f"{origin}/{FILM.name}", headers={"Range": "bytes=1055736-"}, timeout=20)
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */1055736")


class Terminal:
    """A terminal that remembers what was written."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        """Everything is there."""

    def lines(self) -> list[str]:
        """Return what is seen: a line drawn over shows its last state."""
        return [line.rpartition("\r\x1b[K")[2] for line in self.text.split("\n")]


def test_a_terminal_shows_a_bar_that_fills() -> None:
    terminal = Terminal()
    accepted, moving = {"step": "Accepted"}, {"step": "UploadChunks", "totalBytes": 1000}
    with Progress(terminal) as progress:
        progress.show({"timeline": [accepted]})
        progress.show({"timeline": [accepted, {**moving, "bytes": 0}]})
        assert terminal.lines() == ["  Accepted", f"  UploadChunks     {'░' * 30} 0 of 1,000 bytes"]
        progress.show({"timeline": [accepted, {**moving, "bytes": 500}]})
        progress.show({"timeline": [accepted, {**moving, "bytes": 1000}, {"step": "RecordPublished"}]})
    assert terminal.lines() == [
        "  Accepted",
        f"  UploadChunks     {'█' * 30} 1,000 of 1,000 bytes",
        "  RecordPublished",
        "",
    ]
