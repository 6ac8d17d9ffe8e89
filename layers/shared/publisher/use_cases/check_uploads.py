"""Check the uploads that a post names among its media."""

from collections.abc import Sequence

from publisher.api import iso
from publisher.domain.errors import InvalidMediaUrl, NotFound, RequestInvalid
from publisher.domain.limits import PICTURES
from publisher.domain.rules import of_item
from publisher.domain.uploads import upload_named
from publisher.ports import Ports
from publisher.use_cases.find_upload import find_upload, no_such_upload


def upload_problems(ports: Ports, workspace_id: str, media_urls: Sequence[str], at: float) -> list[RequestInvalid]:
    """Find uploads that are not the workspace's, are not complete, or are kept no longer at an epoch second.

    Of more media than a post has only the first are looked at, since the post is refused anyway.
    """
    problems: list[RequestInvalid] = []
    for number, url in enumerate(media_urls[:PICTURES], start=1):
        problem = _problem(ports, workspace_id, url, at)
        if problem is not None:
            problems.append(of_item(problem, number, len(media_urls)))
    return problems


def _problem(ports: Ports, workspace_id: str, url: str, at: float) -> InvalidMediaUrl | None:
    name = upload_named(url)
    if name is None:
        return None
    try:
        upload = find_upload(ports, workspace_id, name.upload_id)
        if upload.name != name:
            raise no_such_upload()
    except NotFound as none:
        return InvalidMediaUrl(none.error, none.message)
    if not upload.complete:
        return InvalidMediaUrl("The upload is not complete.", "Send all its parts, complete it, then make the post.")
    if upload.expires_at < at:
        return InvalidMediaUrl(
            f"The upload is kept until {iso(upload.expires_at)}, and the post is for later.",
            "Schedule the post sooner, or upload the file again later.",
        )
    return None
