"""Begin to take a file from a customer's computer."""

import re
import uuid

from publisher.api import BeginUploadRequest, read_body
from publisher.domain.errors import InvalidRequest, MediaTooLarge, MissingParameter
from publisher.domain.limits import GIB, GIVEN_NAME_CHARACTERS, VIDEO_BYTES
from publisher.domain.rules import is_name
from publisher.domain.uploads import Upload, UploadState
from publisher.ports import Ports

_ANY_TYPE = "application/octet-stream"
_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)


def begin_upload(ports: Ports, workspace_id: str, body: object) -> UploadState:
    """Open an upload as the body of POST /v2/media/uploads asks for it; no part of it is there yet.

    InvalidRequest names the field that cannot be. Repeating it opens another one. What the file holds is decided by its
    bytes, when a post fetches it.
    """
    request = read_body(BeginUploadRequest, body, "POST /v2/media/uploads")
    return UploadState(upload=ports.uploads.begin(new_upload(ports, workspace_id, request)))


def new_upload(ports: Ports, workspace_id: str, request: BeginUploadRequest) -> Upload:
    """Return the upload that a request describes, before anything is stored of it."""
    return Upload(
        workspace_id=workspace_id,
        upload_id=str(uuid.uuid4()),
        file_name=_checked_name(request.file_name),
        size=_checked_size(request.size),
        content_type=_checked_type(request.content_type),
        begun_at=ports.clock.now(),
    )


def _checked_name(name: str | None) -> str:
    if name is None:
        raise MissingParameter("fileName is missing.", "Give the name of the file.", field="fileName")
    if not is_name(name, int(GIVEN_NAME_CHARACTERS)):
        raise InvalidRequest(
            f"fileName is not 1 to {GIVEN_NAME_CHARACTERS} characters on one line.",
            "Give the file another name.",
            field="fileName",
        )
    return name


def _checked_size(size: int | None) -> int:
    if size is None:
        raise MissingParameter("size is missing.", "Give the size of the file in bytes.", field="size")
    if size < 1:
        raise InvalidRequest("size is not a number of bytes from 1.", "An empty file is no media.", field="size")
    if size > VIDEO_BYTES:
        raise MediaTooLarge(
            f"The file has {size:,} bytes; TikTok takes {VIDEO_BYTES // GIB} GiB.",
            "Compress or shorten it.",
            field="size",
        )
    return size


def _checked_type(content_type: str | None) -> str:
    if content_type is None:
        return _ANY_TYPE
    if not _TYPE.fullmatch(content_type):
        raise InvalidRequest(
            "contentType is no media type.", "Write it as video/mp4, or leave it out.", field="contentType"
        )
    return content_type
