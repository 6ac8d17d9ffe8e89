"""Brings a file to the service, in parts, to S3 directly. What a connection loses is one part, not the file."""

import base64
import hashlib
import mimetypes
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from publisher_client.errors import PublisherApiError, PublisherError, Unreachable
from publisher_client.models import Part, Upload
from publisher_client.transport import Transport

UPLOADS = "/v2/media/uploads"
ADDRESSES_OF_A_PART = 3
"""Fresh addresses that are asked for when S3 refuses one, which is good for an hour."""

OnBytes = Callable[[int, int], None]
"""Called with the bytes that are there, and with all."""


def find_upload(transport: Transport, upload_id: str) -> Upload | None:
    """Return an upload as it stands; None when there is no such any more."""
    try:
        return Upload.read(transport.call("GET", f"{UPLOADS}/{upload_id}"))
    except PublisherApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def begin_upload(transport: Transport, file: Path) -> Upload:
    """Tell the service of a file; nothing of it is sent yet."""
    kind, _ = mimetypes.guess_type(file.name)
    body = {"fileName": file.name, "size": file.stat().st_size, **({"contentType": kind} if kind else {})}
    # When the answer is lost, an upload is left that nobody knows; the service drops it by itself.
    return Upload.read(transport.call("POST", UPLOADS, body=body))


def bring(transport: Transport, file: Path, upload: Upload, on_bytes: OnBytes) -> Upload:
    """Send what is missing, and return the upload when it is complete; PublisherError when the file has changed."""
    if upload.complete:
        on_bytes(upload.size, upload.size)
        return upload
    there = sum(part.size for part in upload.parts if part.received)
    on_bytes(there, upload.size)
    hashes: list[dict[str, object]] = []
    with file.open("rb") as source:
        for part in upload.parts:
            source.seek(part.first)
            data = source.read(part.size)
            if len(data) != part.size:
                raise PublisherError(f"{file.name} has become shorter.", "Upload it again when nothing writes to it.")
            sha256 = base64.b64encode(hashlib.sha256(data).digest()).decode()
            hashes.append({"number": part.number, "sha256": sha256})
            if not part.received:
                _send(transport, upload.upload_id, part, data, sha256)
                there += part.size
                on_bytes(there, upload.size)
    answer = transport.call("POST", f"{UPLOADS}/{upload.upload_id}/complete", body={"parts": hashes})
    return Upload.read(answer)


def _send(transport: Transport, upload_id: str, part: Part, data: bytes, sha256: str) -> None:
    for _ in range(ADDRESSES_OF_A_PART):
        asked = {"parts": [{"number": part.number, "sha256": sha256}]}
        answer = Upload.read(transport.call("POST", f"{UPLOADS}/{upload_id}/parts", body=asked))
        url = next((one.url for one in answer.parts if one.number == part.number), None)
        if url is None:
            return  # the part is there: an answer of S3 was lost
        if transport.put_part(url, data, sha256):
            return
    raise Unreachable(
        f"The file's store refuses part {part.number}.",
        "Look whether this computer's clock is right, and try again.",
        outcome_unknown=False,
    )
