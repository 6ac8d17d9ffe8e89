"""API keys in DynamoDB."""

from collections.abc import Sequence
from typing import Any

from publisher.aws.items import encode, from_item, key, to_item
from publisher.aws.table import Table
from publisher.domain.errors import Busy
from publisher.domain.keys import ApiKey
from publisher.ports import Clock


class DynamoKeys:
    """The port Keys. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key as it is at this moment."""
        item = self._table.get(key("key", key_id))
        return from_item(ApiKey, item) if item else None

    def of_workspace(self, workspace_id: str) -> Sequence[ApiKey]:
        """List a workspace's keys, oldest first; one just added may not be there yet."""
        items = self._table.query(
            "by_workspace",
            KeyConditionExpression="workspace_id = :workspace_id",
            ExpressionAttributeValues={":workspace_id": encode(workspace_id)},
        )
        return [from_item(ApiKey, item) for item in items]

    def add(self, new: ApiKey) -> None:
        """Store a new key; Busy when its id is taken."""
        if self._table.add(to_item(new) | key("key", new.key_id)):
            return
        known = self._table.get(key("key", new.key_id))
        if known is None or known.get("secret_hash") != encode(new.secret_hash):
            raise Busy("Another key has this id.", "Make another key.")

    def used(self, key_id: str, now: float) -> None:
        """Note when a key was last used; an unknown one is left unknown."""
        self._table.update(key("key", key_id), {"last_used_at": now}, "attribute_exists(pk)")

    def revoke(self, key_id: str, now: float) -> None:
        """Let a key count no more; the moment of the first time stays."""
        self._table.update(
            key("key", key_id), {"revoked_at": now}, "attribute_exists(pk) AND attribute_not_exists(revoked_at)"
        )
