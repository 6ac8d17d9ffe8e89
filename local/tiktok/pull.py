"""PULL_FROM_URL: TikTok fetches the film itself."""

import urllib.request
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from threading import Thread
from typing import IO, override

from local.tiktok import intake, lifecycle, rules
from local.tiktok.store import Store

_BLOCK = 1024 * 1024  # bytes
_IDLE_SECONDS = 30


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        # Every redirect is a failure: the answer 3xx becomes an HTTPError.
        return None


def start(store: Store, publish_id: str) -> None:
    """Fetch the film of a publish in the background."""
    Thread(target=_pull, args=(store, publish_id), name=f"pull {publish_id}", daemon=True).start()


def resume(store: Store) -> None:
    """Begin again what was being fetched when the sandbox stopped."""
    with store.change() as world:
        for publish in world.publishes.values():
            if publish.status == "PROCESSING_DOWNLOAD" and publish.accepted_at is None:
                start(store, publish.publish_id)


def _pull(store: Store, publish_id: str) -> None:
    with store.change() as world:
        publish = world.publishes[publish_id]
        url, path = publish.video_url, store.media_path(publish.upload_id)
        limit = rules.VIDEO_GB * rules.GIGABYTE[world.settings.mb]
    try:
        _download(store, publish_id, str(url), path, limit)
    except (OSError, ValueError, HTTPException):
        with store.change() as world:
            publish = world.publishes.get(publish_id, publish)
            if publish.is_processing:
                lifecycle.fail(publish, "video_pull_failed", world.clock.now())
        return
    findings = intake.examine(path)
    with store.change() as world:
        publish = world.publishes.get(publish_id, publish)
        if publish.is_processing:
            intake.hand_over(world, publish, *findings)


def _download(store: Store, publish_id: str, url: str, path: Path, limit: int) -> None:
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=_IDLE_SECONDS) as answer, path.open("wb") as file:
        announced = answer.headers.get("Content-Length")
        received = 0
        while block := answer.read(_BLOCK):
            file.write(block)
            received += len(block)
            with store.change() as world:
                publish = world.publishes.get(publish_id)
                if publish is None or not publish.is_processing or received > limit:
                    raise ValueError("the download is no longer wanted, or too large")
                publish.received = received
        if announced is not None and int(announced) != received:
            raise ValueError("the film was cut off")
