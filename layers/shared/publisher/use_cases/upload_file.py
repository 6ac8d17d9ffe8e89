"""Take a small file whole."""

from publisher.api import BeginUploadRequest
from publisher.domain.errors import InvalidMediaType, MediaTooLarge
from publisher.domain.limits import FORM_FILE_BYTES, MIB
from publisher.domain.sniffing import other_name, sniff
from publisher.domain.uploads import UploadState
from publisher.ports import Ports
from publisher.use_cases.begin_upload import new_upload


def upload_file(ports: Ports, workspace_id: str, file_name: str, data: bytes) -> UploadState:
    """Store a file, whose bytes decide what it is; it is complete at once.

    MediaTooLarge and InvalidMediaType for what cannot be posted, or not in this way. Repeating it stores another one.
    """
    if len(data) > FORM_FILE_BYTES:
        raise MediaTooLarge(
            f"The file has {len(data):,} bytes; a form takes {FORM_FILE_BYTES // MIB} MiB.",
            "Upload it in parts: POST /v2/media/uploads.",
            field="file",
        )
    kind = sniff(data)
    if data and kind is None:
        name = other_name(data)
        what = f"{name}, which cannot be used" if name else "neither a video nor a picture that can be used"
        raise InvalidMediaType(
            f"The file is {what}.",
            "Send MP4, MOV or WebM; JPEG, PNG, WebP, GIF, BMP or TIFF.",
            field="file",
        )
    request = BeginUploadRequest(file_name=file_name, size=len(data), content_type=kind)
    return UploadState(upload=ports.uploads.put(new_upload(ports, workspace_id, request), data))
