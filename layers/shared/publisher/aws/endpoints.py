"""Customers' endpoints, and what is delivered to them, in DynamoDB.

An endpoint is in the index of its workspace, a delivery in that of its endpoint.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from publisher.aws.cursors import cursor_at, place_of
from publisher.aws.items import Item, created, encode, expires, from_item, key, to_item
from publisher.aws.table import Table, longest_overdue, watched
from publisher.domain.endpoints import WATCH_SHARDS, Delivery, Endpoint
from publisher.domain.errors import Busy
from publisher.domain.limits import DELIVERY_DAYS
from publisher.ports import Clock, DeliveryKey, DeliveryPage


class DynamoEndpoints:
    """The port Endpoints. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint as it is at this moment."""
        item = self._table.get(key("endpoint", endpoint_id))
        return from_item(Endpoint, item) if item else None

    def of_workspace(self, workspace_id: str) -> Sequence[Endpoint]:
        """List a workspace's endpoints, oldest first; one just added may not be there yet."""
        items = self._table.query(
            "by_workspace",
            KeyConditionExpression="workspace_id = :workspace_id",
            ExpressionAttributeValues={":workspace_id": encode(workspace_id)},
        )
        return [from_item(Endpoint, item) for item in items]

    def add(self, endpoint: Endpoint) -> None:
        """Store a new endpoint; only an earlier try of this call can have used its id."""
        stamp = created(endpoint.created_at, endpoint.endpoint_id)
        self._table.add(to_item(endpoint, created=stamp) | key("endpoint", endpoint.endpoint_id))

    def save(self, endpoint: Endpoint) -> Endpoint:
        """Store a changed endpoint unless its version has moved on, then Busy."""
        new = endpoint.model_copy(update={"version": endpoint.version + 1})
        changes = new.model_dump(mode="json")
        if not self._table.update(key("endpoint", new.endpoint_id), changes, "version = :seen", seen=endpoint.version):
            raise Busy("Another worker has changed the webhook since it was read.", "Read it and try again.")
        return new

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint. Safe to repeat."""
        self._table.take(key("endpoint", endpoint_id))

    def begin(self, delivery: Delivery) -> None:
        """Store a new delivery for some weeks; one that is known stays as it is."""
        forgotten = expires(delivery.created_at + DELIVERY_DAYS * 86400)
        item = to_item(delivery, stored=_place(delivery), watch=delivery.watch_shard, expires=forgotten)
        self._table.add(item | _key(delivery))

    def delivery(self, known_by: DeliveryKey) -> Delivery | None:
        """Return a delivery as it is at this moment."""
        item = self._table.get(_key(known_by))
        return from_item(Delivery, item) if item else None

    def move(self, delivery: Delivery) -> Delivery:
        """Store a changed delivery unless its version has moved on, then Busy."""
        new = delivery.model_copy(update={"version": delivery.version + 1})
        watch = None if new.watch_at is None else new.watch_shard
        changes = {**new.model_dump(mode="json"), "watch": watch}
        if not self._table.update(_key(delivery), changes, "version = :seen", seen=delivery.version):
            raise Busy("Another worker has changed the delivery since it was read.", "Read it and try again.")
        return new

    def deliveries(self, endpoint_id: str, limit: int, cursor: str | None) -> DeliveryPage:
        """List deliveries to an endpoint, newest first."""
        parameters: dict[str, Any] = {
            "ScanIndexForward": False,
            "KeyConditionExpression": "endpoint_id = :endpoint_id",
            "ExpressionAttributeValues": {":endpoint_id": encode(endpoint_id)},
            "Limit": limit + 1,
        }
        if cursor is not None:
            parameters["ExclusiveStartKey"] = _start(place_of(cursor, endpoint_id), endpoint_id)
        found = list(islice(self._table.query("by_endpoint", **parameters), limit + 1))
        page = tuple(from_item(Delivery, item) for item in found[:limit])
        goes_on = len(found) > limit
        return DeliveryPage(deliveries=page, cursor=cursor_at(_place(page[-1]), endpoint_id) if goes_on else None)

    def due(self, now: float, most: int) -> Sequence[DeliveryKey]:
        """Return at most `most` deliveries whose watch time has come, the longest overdue first."""
        shards = (self._table.query("by_watch", **watched(shard, now, most)) for shard in range(WATCH_SHARDS))
        return [_known_by(item["pk"]["S"]) for item in longest_overdue(shards, most)]


def _key(known_by: DeliveryKey | Delivery) -> Item:
    return key("delivery", known_by.endpoint_id, known_by.notice_id)


def _known_by(pk: str) -> DeliveryKey:
    _, endpoint_id, notice_id = pk.split("#")
    return DeliveryKey(endpoint_id=endpoint_id, notice_id=notice_id)


def _place(delivery: Delivery) -> str:
    return created(delivery.created_at, delivery.notice_id)


def _start(at: str, endpoint_id: str) -> Item:
    return {
        **key("delivery", endpoint_id, at.partition("#")[2]),
        "endpoint_id": encode(endpoint_id),
        "stored": encode(at),
    }
