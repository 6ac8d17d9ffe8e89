"""What the command line shows of a post whose file is on its way to TikTok."""

import io
import sys
from datetime import UTC, datetime

import pytest

from publisher_client.models import Moment, Post
from publisher_client.words import Progress

AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def uploading(there: int) -> Post:
    return Post(
        post_submission_id="post",
        post_type="video",
        status="IN_PROGRESS",
        message="The post is on its way.",
        account_id="account",
        text="",
        timeline=[Moment(step="UPLOADING", at=AT, bytes=there, total_bytes=100)],
        post_ids=[],
        created_at=AT,
        updated_at=AT,
    )


def shown(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(sys, "stderr", stream)
    progress = Progress()
    for there in (40, 70, 100):
        progress.post(uploading(there))
    progress.end()
    return stream.getvalue().replace("\r\x1b[K", "\n").split("\n")


def test_at_a_terminal_an_upload_to_tiktok_is_a_bar_that_moves(monkeypatch):
    lines = shown(Terminal(), monkeypatch)
    assert [line.split("%")[0] for line in lines if "%" in line] == [
        "UPLOADING " + "█" * 12 + "░" * 18 + "  40",
        "UPLOADING " + "█" * 21 + "░" * 9 + "  70",
    ]
    assert lines.count("14:00:00  UPLOADING") == 1


def test_in_a_file_an_upload_to_tiktok_is_one_line(monkeypatch):
    assert shown(io.StringIO(), monkeypatch) == ["14:00:00  UPLOADING", "The post is on its way.", ""]
