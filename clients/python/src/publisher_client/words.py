"""What the command line prints: results on stdout, and on stderr what happens meanwhile."""

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from pydantic import BaseModel

from publisher_client.errors import OutputLost, PublisherApiError, PublisherError
from publisher_client.models import Post, PostAnswer

BAR = 30
"""Characters of a full progress bar."""
MIB = 1024 * 1024


def clean(text: object) -> str:
    """Return text without what could steer a terminal: strangers chose nicknames and captions."""
    return "".join(one if one.isprintable() else " " for one in str(text))


def show(text: str) -> None:
    """Print a line of a result; OutputLost when it cannot be printed."""
    try:
        print(text, flush=True)
    except OSError as error:
        _silence(sys.stdout)
        raise OutputLost(error.strerror or str(error), reader_gone=isinstance(error, BrokenPipeError)) from error


def say(text: str) -> None:
    """Tell a person something that is no result."""
    _mutter(clean(text) + "\n")


def ask(text: str) -> None:
    """Ask a person something, who answers in the same line."""
    _mutter(text)


def _mutter(text: str) -> None:
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:  # nobody listens; what is under way goes on, and the exit code still tells how it ended
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Let what is still to be written vanish, also what Python writes when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def say_error(error: PublisherError) -> None:
    """Tell what happened and what to do."""
    say(f"Error: {error.error}")
    for problem in error.problems if isinstance(error, PublisherApiError) else []:
        if problem.get("error") != error.error:
            say(f"  {problem.get('field') or 'post'}: {problem.get('error')} {problem.get('message')}")
    say(f"What to do: {error.advice}")
    if isinstance(error, PublisherApiError):
        say(f"({error.facts})")


def answer(told: BaseModel | Sequence[BaseModel] | dict[str, Any], name: str = "") -> None:
    """Print an answer as the API's JSON; a list stands under its name."""
    if isinstance(told, BaseModel):
        told = _json(told)
    elif not isinstance(told, dict):
        told = {name: [_json(one) for one in told]}
    show(json.dumps(told, ensure_ascii=False, indent=2))


def _json(told: BaseModel) -> dict[str, Any]:
    return told.model_dump(mode="json", by_alias=True, exclude_unset=True)


def table(head: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """Print columns; `empty` is said when there is no row."""
    lines = [[clean("-" if cell is None else cell) for cell in row] for row in rows]
    if not lines:
        say(empty)
        return
    lines.insert(0, list(head))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        show("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def short(text: str, characters: int = 40) -> str:
    """Return a caption that fits into a table."""
    text = clean(text)
    return text if len(text) <= characters else text[: characters - 1] + "…"


def post_in_words(post: PostAnswer) -> None:
    """Print what is to be said of one post."""
    show(f"{post.post_submission_id}  {post.status}  {clean(post.message)}")
    for warning in post.warnings:
        show(f"  Note: {clean(warning)}")
    if post.scheduled_time:
        show(f"  At: {post.scheduled_time.isoformat()}")
    if post.not_before:
        show(f"  Not before: {post.not_before.isoformat()}")
    if not isinstance(post, Post):
        return
    if post.public_url:
        show(f"  {clean(post.public_url)}")
    if post.error:
        show(f"  Why: {clean(post.error)} ({clean(post.code)})")
    if post.tiktok_log_id:
        show(f"  TikTok's log id: {clean(post.tiktok_log_id)}")


class Progress:
    """Tells how far something is: a bar that moves at a terminal, else a line whenever a step begins."""

    def __init__(self) -> None:
        self._moves = sys.stderr.isatty()
        self._drawn = False
        self._began = time.monotonic()
        self._said: set[str] = set()

    def bytes(self, name: str, there: int, whole: int) -> None:
        """Show how many bytes of a file are there."""
        share = there / whole if whole else 1.0
        if not self._moves:
            if there == whole:
                self._once(f"{name}: uploaded, {whole} bytes")
            return
        speed = there / MIB / max(time.monotonic() - self._began, 0.001)
        bar = ("█" * round(share * BAR)).ljust(BAR, "░")
        text = clean(
            f"{short(name, 30)} {bar} {share:4.0%} {there / MIB:.1f} of {whole / MIB:.1f} MiB, {speed:.1f} MiB/s"
        )
        _mutter(f"\r\x1b[K{text}")
        self._drawn = True
        if there == whole:
            self.end()

    def post(self, post: Post) -> None:
        """Show the steps of a post that are new since the last look."""
        for moment in post.timeline:
            self._once(f"{moment.at:%H:%M:%S}  {moment.step}", key=f"{moment.at} {moment.step}")
        latest = post.timeline[-1] if post.timeline else None
        if self._moves and latest and latest.bytes and latest.total_bytes and latest.bytes < latest.total_bytes:
            self.bytes(latest.step, latest.bytes, latest.total_bytes)
        if not post.ended:
            self._once(post.message)

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._drawn:
            _mutter("\n")
            self._drawn = False

    def _once(self, text: str, key: str | None = None) -> None:
        if (key or text) not in self._said:
            self._said.add(key or text)
            self.end()
            say(text)
