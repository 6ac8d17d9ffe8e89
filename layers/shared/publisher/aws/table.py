"""One DynamoDB table: consistent reads, and writes that know whether they won."""

import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.aws.items import Item, encode
from publisher.domain.errors import Busy, ServiceUnavailable
from publisher.domain.limits import CONFLICT_TURNS
from publisher.ports import Clock

_NEW = "attribute_not_exists(pk) OR expires <= :now"
"""DynamoDB removes expired items within days; until then they count as gone."""


class Put(NamedTuple):
    """An item to store if a condition holds that names `values` as `:name`."""

    item: Item
    condition: str
    values: Item


class Table:
    """A table whose primary key is `pk`. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def get(self, key: Item) -> Item | None:
        """Return the item as it is at this moment, unless it has expired."""
        with aws_call("DynamoDB"):
            item: Item | None = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")
        return None if item is None or self._expired(item) else item

    def take(self, key: Item) -> Item | None:
        """Remove an item and return it, unless it has expired; of several callers one gets it."""
        with aws_call("DynamoDB"):
            answer = self._client.delete_item(TableName=self._name, Key=key, ReturnValues="ALL_OLD")
        item: Item | None = answer.get("Attributes")
        return None if item is None or self._expired(item) else item

    def add(self, *items: Item) -> bool:
        """Store new items, all or none; False when one of the keys is taken."""
        now = {":now": encode(self._clock.now())}
        return self.put(*(Put(item, _NEW, now) for item in items))

    def put(self, *items: Put) -> bool:
        """Store items in place of those that are there, all or none; False when one of the conditions does not hold."""
        puts = [
            {"TableName": self._name, "Item": item, "ConditionExpression": condition}
            | ({"ExpressionAttributeValues": values} if values else {})
            for item, condition, values in items
        ]
        token = uuid.uuid4().hex
        for _ in range(CONFLICT_TURNS):
            try:
                with aws_call("DynamoDB", "TransactionCanceledException"):
                    self._client.transact_write_items(
                        TransactItems=[{"Put": put} for put in puts], ClientRequestToken=token
                    )
            except ClientError as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if "TransactionConflict" not in reasons:
                    raise ServiceUnavailable("DynamoDB did not take a write.", "Try again in a moment.") from None
            else:
                return True
            self._clock.sleep(random.uniform(0.02, 0.1))  # noqa: S311 (spreads workers, guards nothing)
        raise Busy("Other workers are writing the same objects.", "Try again in a moment.")

    def update(self, key: Item, changes: Mapping[str, object], condition: str, **seen: object) -> bool:
        """Change attributes, where None removes one, if the condition holds; False when it does not.

        The condition names values of `seen` as `:name`. Each write leaves a random id in the item, so that a write
        which was applied, lost its answer and was sent again recognizes itself.
        """
        return self._change(key, changes, condition, seen, returned="NONE") is not None

    def update_and_get(self, key: Item, changes: Mapping[str, object], condition: str, **seen: object) -> Item | None:
        """Change attributes as `update` does, and return the item as it is then; None when the condition fails."""
        return self._change(key, changes, condition, seen, returned="ALL_NEW")

    def _change(
        self, key: Item, changes: Mapping[str, object], condition: str, seen: Mapping[str, object], *, returned: str
    ) -> Item | None:
        """Change attributes and return what `returned` asks for; None when the condition fails."""
        write = uuid.uuid4().hex
        stored = {name: encode(value) for name, value in {**changes, "write": write}.items() if value is not None}
        removed = [f"#{name}" for name, value in changes.items() if value is None]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in stored)
        if removed:
            expression += " REMOVE " + ", ".join(removed)
        try:
            with aws_call("DynamoDB", "ConditionalCheckFailedException"):
                answer = self._client.update_item(
                    TableName=self._name,
                    Key=key,
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={f"#{name}": name for name in {**changes, "write": write}},
                    ExpressionAttributeValues={f":{name}": value for name, value in stored.items()}
                    | {f":{name}": encode(value) for name, value in seen.items()},
                    ReturnValues=returned,
                )
        except ClientError:
            item = self.get(key)
            return item if item is not None and item.get("write") == encode(write) else None
        changed: Item = answer.get("Attributes", {})
        return changed

    def query(self, index: str | None, **parameters: Any) -> Iterator[Item]:
        """Read an index, or the table itself, page after page as they are needed.

        What was just written may not be in an index yet.
        """
        where = {} if index is None else {"IndexName": index}
        while True:
            with aws_call("DynamoDB"):
                answer = self._client.query(TableName=self._name, **where, **parameters)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _expired(self, item: Item) -> bool:
        return "expires" in item and float(item["expires"]["N"]) <= self._clock.now()


def watched(shard: int, now: float, most: int) -> dict[str, Any]:
    """Return what a query asks of one partition of an index of watched items: those whose watch time has come."""
    return {
        "KeyConditionExpression": "watch = :watch AND watch_at <= :now",
        "ExpressionAttributeValues": {":watch": encode(str(shard)), ":now": encode(now)},
        "Limit": most,
    }


def longest_overdue(shards: Iterable[Iterator[Item]], most: int) -> list[Item]:
    """Return at most `most` items of all partitions of an index of watched items, by watch time."""
    due = [item for shard in shards for item in islice(shard, most)]
    return sorted(due, key=lambda item: float(item["watch_at"]["N"]))[:most]
