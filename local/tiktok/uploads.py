"""The upload host: PUT of one chunk after another, streamed to disk."""

import re
from dataclasses import dataclass
from pathlib import Path

from local.tiktok import intake, rules
from local.tiktok.answers import RefusedError
from local.tiktok.calls import Call
from local.tiktok.settings import Settings
from local.tiktok.state import Publish, World
from local.tiktok.web import Body, Response, ShortBodyError

_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII)


@dataclass(frozen=True)
class Chunk:
    """Bytes `first` to `last`, both included, of `total`."""

    first: int
    last: int
    total: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.last - self.first + 1


class WrongRangeError(Exception):
    """The chunk is not the one that comes next."""


def upload(call: Call) -> Response:
    """Take the next chunk: 206 and go on, 201 when it was the last."""
    upload_id = call.request.first("upload_id")
    call.notes["content_range"] = call.request.headers.get("Content-Range")
    call.notes["content_length"] = call.request.body.length
    with call.store.upload_lock(upload_id):
        return _take(call, upload_id)


def _take(call: Call, upload_id: str) -> Response:
    path = call.store.media_path(upload_id)
    with call.store.change() as world:
        publish = _find(call, world, upload_id)
        chunk = _read_headers(call, publish)
        progress = _progress(publish, world.settings)
        if chunk.first != publish.received or publish.accepted_at is not None:
            return _answer(call, 416, progress)
        if chunk.size != _expected_size(publish):
            raise RefusedError("invalid_params", status=400)
    try:
        _write(call.request.body, path, chunk.first)
    except ShortBodyError:
        # Seen as a gateway's answer, not as 400 (gitroomhq/postiz-app#1784).
        return Response(502, b"Bad Gateway", {"Content-Type": "text/plain", "x-tt-logid": call.log_id})
    is_last = chunk.last + 1 == chunk.total
    findings = intake.examine(path) if is_last else None
    with call.store.change() as world:
        publish = _find(call, world, upload_id)
        publish.received = chunk.last + 1
        if findings:
            intake.hand_over(world, publish, *findings)
        return _answer(call, 201 if is_last else 206, _progress(publish, world.settings))


def _find(call: Call, world: World, upload_id: str) -> Publish:
    publish = world.publish_by_upload(upload_id)
    if publish is None or publish.upload_token != call.request.first("upload_token"):
        raise RefusedError("invalid_file_upload", status=404)
    call.notes |= {"publish_id": publish.publish_id, "open_id": publish.open_id, "client_key": publish.client_key}
    is_expired = publish.upload_expires_at is not None and world.clock.now() >= publish.upload_expires_at
    if is_expired or (not publish.is_processing and publish.accepted_at is None):
        raise RefusedError("invalid_file_upload", status=403)
    return publish


def _read_headers(call: Call, publish: Publish) -> Chunk:
    headers = call.request.headers
    match = _RANGE.fullmatch(headers.get("Content-Range", ""))
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if match is None or content_type not in rules.UPLOAD_CONTENT_TYPES:
        raise RefusedError("invalid_params", status=400)
    chunk = Chunk(*(int(number) for number in match.groups()))
    is_consistent = chunk.first <= chunk.last < chunk.total and chunk.total == publish.video_size
    if not is_consistent or call.request.body.length != chunk.size:
        raise RefusedError("invalid_params", status=400)
    return chunk


def _expected_size(publish: Publish) -> int:
    if publish.video_size is None or publish.chunk_size is None or publish.total_chunk_count is None:
        raise TypeError(f"{publish.publish_id} takes no upload")
    is_last = publish.received // publish.chunk_size == publish.total_chunk_count - 1
    return publish.video_size - publish.received if is_last else publish.chunk_size


def _write(body: Body, path: Path, offset: int) -> None:
    with path.open("r+b" if path.exists() else "wb") as file:
        # What a broken attempt at this chunk may have left behind goes away.
        file.truncate(offset)
        file.seek(offset)
        for block in body.blocks():
            file.write(block)


def _progress(publish: Publish, settings: Settings) -> str:
    count = publish.received if settings.upload_content_range == "count" else max(publish.received - 1, 0)
    return f"bytes 0-{count}/{publish.video_size}"


def _answer(call: Call, status: int, progress: str) -> Response:
    return Response(status, headers={"Content-Range": progress, "x-tt-logid": call.log_id})
