"""List a workspace's posts."""

from collections.abc import Mapping

from publisher.api import read_moment
from publisher.domain.errors import InvalidRequest
from publisher.domain.limits import PAGE_POSTS
from publisher.domain.posts import Status
from publisher.ports import Ports, PostPage, PostQuery


def list_posts(ports: Ports, workspace_id: str, query: Mapping[str, str]) -> PostPage:
    """Return a page, newest first, as the query's status, accountId, since, until, limit and cursor say.

    InvalidRequest names the parameter that cannot be read.
    """
    unknown = set(query) - {"status", "accountId", "since", "until", "limit", "cursor"}
    if unknown:
        raise InvalidRequest(f"{min(unknown)} is not a parameter of this list.", "Remove it.", field=min(unknown))
    return ports.posts.find(
        PostQuery(
            workspace_id=workspace_id,
            status=_status(query.get("status")),
            account_id=query.get("accountId"),
            since=_moment("since", query.get("since")),
            until=_moment("until", query.get("until")),
            limit=_limit(query.get("limit")),
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


def _limit(text: str | None) -> int:
    if text is None:
        return 20
    if text not in map(str, range(1, PAGE_POSTS + 1)):
        raise InvalidRequest(f"limit is not a number from 1 to {PAGE_POSTS}.", "Leave it out for 20.", field="limit")
    return int(text)
