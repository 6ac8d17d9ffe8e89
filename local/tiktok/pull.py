"""PULL_FROM_URL: TikTok fetches the film or the pictures itself."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError

from local.tiktok import fetch, intake, lifecycle, pictures, rules
from local.tiktok.faults import Fault, take
from local.tiktok.state import Picture, Publish, Pull, World
from local.tiktok.store import Store

_BLOCK = 1024 * 1024  # bytes


@dataclass(frozen=True)
class _Target:
    """What to fetch, where to, at most how many bytes, and of which types unless any will do."""

    url: str
    path: Path
    limit: int
    content_types: tuple[str, ...] = ()


def start(store: Store, publish_id: str) -> None:
    """Fetch the media of a publish in the background, when its time has come."""
    Thread(target=_pull, args=(store, publish_id), name=f"pull {publish_id}", daemon=True).start()


def resume(store: Store) -> None:
    """Begin again what was being fetched when the sandbox stopped."""
    with store.change() as world:
        for publish in world.publishes.values():
            if publish.status == "PROCESSING_DOWNLOAD" and publish.accepted_at is None:
                start(store, publish.publish_id)


def _pull(store: Store, publish_id: str) -> None:
    with store.change() as world:
        publish = world.publishes.get(publish_id)
    if publish is None or not store.wait_until(publish.pull_due_at, world):
        return
    try:
        with store.change() as world:
            _wanted(store, world, publish_id).received = 0
        if publish.media_type == "PHOTO":
            _pull_pictures(store, publish)
        else:
            _pull_film(store, publish)
    except fetch.FetchError:
        with store.change() as world:
            wanted = world.publishes.get(publish_id)  # not after a reset
            if wanted is not None and wanted.is_processing:
                lifecycle.fail(world, wanted, lifecycle.pull_failure(wanted), world.clock.now())


def _wanted(store: Store, world: World, publish_id: str) -> Publish:
    publish = world.publishes.get(publish_id)
    if publish is None or not publish.is_processing or store.closed.is_set():
        raise ValueError("the download is no longer wanted")
    return publish


def _pull_film(store: Store, publish: Publish) -> None:
    path = store.media_path(publish.upload_id)
    with store.change() as world:
        limit = rules.VIDEO_GB * rules.GIGABYTE[world.settings.mb]
    _download(store, publish.publish_id, _Target(str(publish.video_url), path, limit))
    findings = intake.examine(path)
    with store.change() as world:
        intake.hand_over(world, _wanted(store, world, publish.publish_id), *findings)


def _pull_pictures(store: Store, publish: Publish) -> None:
    paths = [store.media_path(f"{publish.upload_id}.{number}") for number in range(len(publish.photo_images))]
    with store.change() as world:
        _wanted(store, world, publish.publish_id).pictures.clear()
        limit = rules.PICTURE_MB * rules.MEGABYTE[world.settings.mb]
        reading = world.settings.image_1080p
    for url, path in zip(publish.photo_images, paths, strict=True):
        _download(store, publish.publish_id, _Target(url, path, limit, rules.PICTURE_CONTENT_TYPES))
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        with store.change() as world:
            pulled = Picture(sha256=sha256, size=len(content), pulled_at=world.clock.now())
            _wanted(store, world, publish.publish_id).pictures.append(pulled)
    examined = [pictures.examine(picture, path, reading) for picture, path in zip(publish.pictures, paths, strict=True)]
    with store.change() as world:
        intake.hand_over_pictures(world, _wanted(store, world, publish.publish_id), examined)


def _download(store: Store, publish_id: str, target: _Target) -> None:
    """Fetch one file. Raises one of FetchError."""
    with store.change() as world:
        publish = _wanted(store, world, publish_id)
        fault = take(world.faults, "pull")
        attempt = Pull(url=target.url.partition("?")[0], at=world.clock.now(), fault=fault and fault.label())
        publish.pulls.append(attempt)
    if fault and fault.when == "before":
        _lose(store, fault)
    try:
        with fetch.get(target.url) as answer:
            _note_status(store, attempt, answer.status)
            if target.content_types and answer.status != HTTPStatus.OK:
                raise ValueError("the answer is no whole picture")
            if target.content_types and fetch.media_type(answer.headers) not in target.content_types:
                raise ValueError("the answer is of a type that TikTok does not take")
            _receive(store, publish_id, answer, target)
    except HTTPError as error:
        with error:
            _note_status(store, attempt, error.code)
        raise
    if fault:
        _lose(store, fault)


def _note_status(store: Store, attempt: Pull, status: int) -> None:
    with store.change():
        attempt.status = status


def _receive(store: Store, publish_id: str, answer: Any, target: _Target) -> None:
    announced = answer.headers.get("Content-Length")
    received = 0
    with store.change() as world:
        _wanted(store, world, publish_id)  # the file may by now be another pull's, which began after a stop
    with target.path.open("wb") as file:
        while block := answer.read(_BLOCK):
            file.write(block)
            received += len(block)
            with store.change() as world:
                _wanted(store, world, publish_id).received += len(block)
            if received > target.limit:
                raise ValueError("the file is too large")
    if announced is not None and int(announced) != received:
        raise ValueError("the file was cut off")


def _lose(store: Store, fault: Fault) -> None:
    if fault.do == "timeout":
        with store.change() as world:
            hold_seconds = world.settings.hold_seconds
        store.closed.wait(hold_seconds)
    raise ConnectionError("the connection broke, as ordered")
