"""Remove an upload."""

from publisher.domain.uploads import Upload
from publisher.ports import Ports
from publisher.use_cases.find_upload import find_also_dropped


def drop_upload(ports: Ports, workspace_id: str, upload_id: str) -> Upload:
    """Remove an upload of the workspace, whole or not, and return it; again changes nothing.

    A post that is to be made of it and has not fetched it fails when it does. NotFound for another workspace's upload
    as for none.
    """
    upload = find_also_dropped(ports, workspace_id, upload_id)
    ports.uploads.drop(upload)
    return upload
