"""Find an upload, and tell how far it has come."""

from collections.abc import Mapping

from publisher.domain.errors import NotFound
from publisher.domain.rules import is_id
from publisher.domain.uploads import Upload, UploadState, plan_parts
from publisher.ports import Ports, ReceivedPart


def find_upload(ports: Ports, workspace_id: str, upload_id: str) -> Upload:
    """Return an upload of the workspace; NotFound for another workspace's, a dropped or an expired one as for none."""
    upload = find_also_dropped(ports, workspace_id, upload_id)
    if upload.dropped:
        raise no_such_upload()
    return upload


def show_upload(ports: Ports, workspace_id: str, upload_id: str) -> UploadState:
    """Return how far an upload of the workspace has come; NotFound as `find_upload`."""
    return state_of(ports, find_upload(ports, workspace_id, upload_id))


def find_also_dropped(ports: Ports, workspace_id: str, upload_id: str) -> Upload:
    """Return an upload of the workspace, though it was dropped."""
    upload = ports.uploads.find(workspace_id, upload_id) if is_id(upload_id) else None
    if upload is None:
        raise no_such_upload()
    return upload


def no_such_upload() -> NotFound:
    """Return what an upload that is not there is told with."""
    return NotFound("There is no such upload in this workspace.", "Upload the file again.")


def state_of(ports: Ports, upload: Upload) -> UploadState:
    """Tell how far an upload has come."""
    return UploadState(upload=upload, received=frozenset(() if upload.complete else good_parts(ports, upload)))


def good_parts(ports: Ports, upload: Upload) -> Mapping[int, ReceivedPart]:
    """Return the parts that are there by number; one that has not its size, or no place in the file, is none."""
    sizes = {part.number: part.size for part in plan_parts(upload.size)}
    return {part.number: part for part in ports.uploads.received(upload) if sizes.get(part.number) == part.size}
