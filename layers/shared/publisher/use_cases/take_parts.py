"""The parts of an upload: where they are to be sent, and the one file that becomes of them."""

from collections.abc import Collection

from publisher.api import PartsRequest, read_body
from publisher.domain.errors import InvalidRequest, MissingParameter, WrongStatus
from publisher.domain.limits import PART_URL_SECONDS
from publisher.domain.uploads import UploadState, is_sha256, plan_parts
from publisher.ports import Ports
from publisher.use_cases.find_upload import find_upload, good_parts, state_of

_TOLD_PARTS = 10
"""Of those that are missing or differ, so that a sentence stays one."""


def sign_parts(ports: Ports, workspace_id: str, upload_id: str, body: object) -> UploadState:
    """Return the upload with an address for each part that the body names, good for that part's SHA-256 alone.

    NotFound without such an upload, WrongStatus when it is complete, InvalidRequest for a part that it does not have.
    Safe to repeat; a part may be sent again as long as the upload is not complete.
    """
    upload = find_upload(ports, workspace_id, upload_id)
    wanted = _read_parts(body, "POST /v2/media/uploads/{uploadId}/parts")
    if upload.complete:
        raise WrongStatus("The upload is complete, and takes no more parts.", "Begin another one.")
    now = ports.clock.now()
    plan = {part.number: part for part in plan_parts(upload.size)}
    _check_numbers(wanted, len(plan))
    urls = {number: ports.uploads.part_url(upload, plan[number], sha256) for number, sha256 in wanted.items()}
    state = state_of(ports, upload)
    return state.model_copy(update={"urls": urls, "urls_expire_at": now + PART_URL_SECONDS})


def complete_upload(ports: Ports, workspace_id: str, upload_id: str, body: object) -> UploadState:
    """End an upload whose parts are all there, with the bytes that the body says.

    InvalidRequest names the parts that are missing, or hold other bytes, so that a file that was changed while it was
    uploaded is none. Safe to repeat: one that is complete stays as it is.
    """
    upload = find_upload(ports, workspace_id, upload_id)
    named = _read_parts(body, "POST /v2/media/uploads/{uploadId}/complete")
    if not upload.complete:
        numbers = [part.number for part in plan_parts(upload.size)]
        _check_numbers(named, len(numbers))
        there = good_parts(ports, upload)
        if unnamed := [number for number in numbers if number not in named]:
            raise _wrong(unnamed, "not named", "Give number and sha256 of every part.")
        if missing := [number for number in numbers if number not in there]:
            raise _wrong(missing, "not there", "Send what is missing, then complete the upload.")
        if other := [number for number in numbers if named[number] != there[number].sha256]:
            raise _wrong(other, "there with other bytes", "Send those parts again, or begin anew if the file changed.")
        ports.uploads.complete(upload, [there[number] for number in numbers])
        upload = find_upload(ports, workspace_id, upload_id)
    return state_of(ports, upload)


def _read_parts(body: object, call: str) -> dict[int, str]:
    """Read which parts a body names: their SHA-256 by number; InvalidRequest when it cannot be read."""
    parts = read_body(PartsRequest, body, call).parts
    if not parts:
        raise MissingParameter("parts is missing.", "Give number and sha256 of at least one part.", field="parts")
    for place, part in enumerate(parts):
        if not is_sha256(part.sha256):
            raise InvalidRequest(
                f"The sha256 of part {part.number} is no SHA-256 in base64.",
                "Hash the bytes of the part, and write the 32 bytes of the result in base64.",
                field=f"parts[{place}].sha256",
            )
    named = {part.number: part.sha256 for part in parts}
    if len(named) < len(parts):
        raise InvalidRequest("parts names a part twice.", "Give each number once.", field="parts")
    return named


def _check_numbers(named: dict[int, str], count: int) -> None:
    """InvalidRequest when a part is named that an upload of so many parts does not have."""
    others = sorted(number for number in named if not 1 <= number <= count)
    if others:
        raise InvalidRequest(f"There is no part {others[0]}.", f"This upload has parts 1 to {count}.", field="parts")


def _wrong(numbers: Collection[int], how: str, message: str) -> InvalidRequest:
    told = ", ".join(str(number) for number in list(numbers)[:_TOLD_PARTS])
    more = f" and {len(numbers) - _TOLD_PARTS} more" if len(numbers) > _TOLD_PARTS else ""
    parts = f"Part {told} is" if len(numbers) == 1 else f"Parts {told}{more} are"
    return InvalidRequest(f"{parts} {how}.", message, field="parts")
