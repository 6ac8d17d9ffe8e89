"""The ledger in DynamoDB."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from publisher.aws.cursors import cursor_at, place_of
from publisher.aws.items import Item, created, encode, expires, from_item, key, request_key, to_item
from publisher.aws.table import Table, longest_overdue, watched
from publisher.domain.errors import Busy
from publisher.domain.limits import IDEMPOTENCY_DAYS
from publisher.domain.posts import WATCH_SHARDS, Post
from publisher.ports import Clock, IdempotentRequest, PostPage, PostQuery

_BEFORE_ALL, _AFTER_ALL = "0", "~"


class DynamoPosts:
    """The port Posts. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)
        self._clock = clock

    def accept(self, post: Post, request: IdempotentRequest | None) -> bool:
        """Store a new post and its request in one transaction; False when the request's key is known."""
        items = [to_item(post, created=_place(post), **_indexed(post)) | key("post", post.post_id)]
        if request:
            forgotten = expires(self._clock.now() + IDEMPOTENCY_DAYS * 86400)
            items.append(to_item(request, expires=forgotten) | request_key(request.workspace_id, request.key))
        if self._table.add(*items):
            return True
        if request is None:
            return True  # only an earlier try of this call can have used a new post's id
        known = self.request(request.workspace_id, request.key)
        return known is not None and known.post_id == post.post_id

    def get(self, post_id: str) -> Post | None:
        """Return the post as it is at this moment."""
        item = self._table.get(key("post", post_id))
        return from_item(Post, item) if item else None

    def save(self, post: Post) -> Post:
        """Store a changed post unless its version has moved on, then Busy."""
        new = post.model_copy(update={"version": post.version + 1})
        changes = {**new.model_dump(mode="json"), **_indexed(post)}
        if not self._table.update(key("post", post.post_id), changes, "version = :seen", seen=post.version):
            raise Busy("Another worker has changed the post since it was read.", "Read the post and try again.")
        return new

    def find(self, query: PostQuery) -> PostPage:
        """List posts of a workspace, newest first: `since` is included, `until` is not."""
        first = _BEFORE_ALL if query.since is None else created(query.since)
        last = _AFTER_ALL if query.until is None else created(query.until)
        if first >= last:
            return PostPage(posts=(), cursor=None)
        wanted = query.model_dump(mode="json", include={"status", "account_id"}, exclude_none=True)
        values = {"workspace_id": query.workspace_id, "first": first, "last": last, **wanted}
        parameters: dict[str, Any] = {
            "ScanIndexForward": False,
            "KeyConditionExpression": "workspace_id = :workspace_id AND created BETWEEN :first AND :last",
            "ExpressionAttributeValues": {f":{name}": encode(value) for name, value in values.items()},
        }
        if wanted:
            parameters["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in wanted)
            parameters["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
        else:
            parameters["Limit"] = query.limit + 1
        if query.cursor is not None:
            at = place_of(query.cursor, query.workspace_id)
            parameters["ExclusiveStartKey"] = _start(at, query.workspace_id)
        found = list(islice(self._table.query("by_workspace", **parameters), query.limit + 1))
        posts = tuple(from_item(Post, item) for item in found[: query.limit])
        goes_on = len(found) > query.limit
        return PostPage(posts=posts, cursor=cursor_at(_place(posts[-1]), query.workspace_id) if goes_on else None)

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` posts whose watch time has come, the longest overdue first."""
        shards = (self._table.query("by_watch", **watched(shard, now, most)) for shard in range(WATCH_SHARDS))
        return [item["pk"]["S"].removeprefix("post#") for item in longest_overdue(shards, most)]

    def of_publish(self, publish_id: str) -> str | None:
        """Return the id of the post that TikTok knows by this id; one just written may not be found yet."""
        found = self._table.query(
            "by_publish",
            KeyConditionExpression="publish_id = :publish_id",
            ExpressionAttributeValues={":publish_id": encode(publish_id)},
        )
        return next((str(item["pk"]["S"]).removeprefix("post#") for item in found), None)

    def of_video(self, video_id: str) -> str | None:
        """Return the id of the post whose first public id this is; one just written may not be found yet."""
        found = self._table.query(
            "by_video",
            KeyConditionExpression="video_id = :video_id",
            ExpressionAttributeValues={":video_id": encode(video_id)},
        )
        return next((str(item["pk"]["S"]).removeprefix("post#") for item in found), None)

    def request(self, workspace_id: str, idempotency_key: str) -> IdempotentRequest | None:
        """Return the request that came with this key in the last days."""
        item = self._table.get(request_key(workspace_id, idempotency_key))
        return from_item(IdempotentRequest, item) if item else None

    def take_over(self, request: IdempotentRequest, now: float, until: float) -> bool:
        """Begin to answer a request whose first worker is past its time; False when another one has begun."""
        return self._table.update(
            request_key(request.workspace_id, request.key),
            {"in_flight_until": until},
            "in_flight_until <= :now AND attribute_not_exists(answer)",
            now=now,
        )

    def answer(self, request: IdempotentRequest, answer: str) -> None:
        """Keep what was answered; the first answer stays."""
        self._table.update(
            request_key(request.workspace_id, request.key),
            {"answer": answer},
            "attribute_exists(pk) AND attribute_not_exists(answer)",
        )


def _indexed(post: Post) -> dict[str, str | None]:
    """Return what the indexes need beside the post's fields; a post that lacks one is not in its index.

    `watch` is the post's partition of the index of watched posts.
    """
    return {
        "watch": None if post.watch_at is None else post.watch_shard,
        "publish_id": post.publish_id,
        "video_id": post.post_ids[0] if post.post_ids else None,
    }


def _place(post: Post) -> str:
    return created(post.created_at, post.post_id)


def _start(at: str, workspace_id: str) -> Item:
    return {
        **key("post", at.partition("#")[2]),
        "workspace_id": encode(workspace_id),
        "created": encode(at),
    }
