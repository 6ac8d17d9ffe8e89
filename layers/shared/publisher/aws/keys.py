"""API keys in DynamoDB."""

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
