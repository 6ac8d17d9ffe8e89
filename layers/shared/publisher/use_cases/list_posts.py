"""List a workspace's posts."""

from collections.abc import Mapping

from publisher.api import check_query, read_moment, read_number
from publisher.domain.errors import InvalidRequest
from publisher.domain.limits import PAGE_POSTS
from publisher.domain.posts import Status
from publisher.ports import Ports, PostPage, PostQuery

_USUAL = 20
"""Posts on a page whose size was not asked for."""


def list_posts(ports: Ports, workspace_id: str, query: Mapping[str, str]) -> PostPage:
    """Return a page, newest first, as the query's status, accountId, since, until, limit and cursor say.

    InvalidRequest names the parameter that cannot be read.
    """
    check_query(query, {"status", "accountId", "since", "until", "limit", "cursor"})
    limit = read_number(query, "limit", least=1, most=int(PAGE_POSTS))
    return ports.posts.find(
        PostQuery(
            workspace_id=workspace_id,
            status=_status(query.get("status")),
            account_id=query.get("accountId"),
            since=_moment("since", query.get("since")),
            until=_moment("until", query.get("until")),
            limit=_USUAL if limit is None else limit,
            cursor=query.get("cursor"),
        )
    )


def _status(text: str | None) -> Status | None:
    if text is None:
        return None
    if text not in Status:
        raise InvalidRequest("status is not one of a post's.", f"Choose from {', '.join(Status)}.", field="status")
    return Status(text)


def _moment(name: str, text: str | None) -> float | None:
    return None if text is None else read_moment(text, name)
