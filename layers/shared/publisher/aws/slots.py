"""What accounts, and the app, have used of their limits, in DynamoDB, in the table of the accounts.

Each usage is one item, so that one conditional write decides who takes a slot.
"""

import json
from typing import Any

from publisher.aws.items import Item, decode, key
from publisher.aws.table import Table
from publisher.domain.errors import Busy
from publisher.domain.slots import Entry, Hold, Place, Usage
from publisher.ports import Clock


class DynamoSlots:
    """The port Slots. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def get(self, usage_id: str) -> Usage:
        """Return the usage as it is at this moment; an empty one when nothing was used."""
        item = self._table.get(key("slots", usage_id))
        return Usage(usage_id) if item is None else _usage(usage_id, item)

    def save(self, usage: Usage) -> None:
        """Store a usage unless its version has moved on, then Busy."""
        changes = {"version": usage.version + 1, "used": json.dumps([usage.logs, usage.lines, usage.holds])}
        place = key("slots", usage.usage_id)
        if usage.version:
            stored = self._table.update(place, changes, "version = :seen", seen=usage.version)
        else:
            stored = self._table.update(place, changes, "attribute_not_exists(pk)")
        if not stored:
            raise Busy("Another worker has used the account's limits since they were read.", "Read them and try again.")


def _usage(usage_id: str, item: Item) -> Usage:
    logs, lines, holds = json.loads(str(decode(item["used"])))
    return Usage(
        usage_id,
        logs={name: tuple(Entry(*entry) for entry in log) for name, log in logs.items()},
        lines={name: tuple(Place(*place) for place in line) for name, line in lines.items()},
        holds={name: Hold(*hold) for name, hold in holds.items()},
        version=int(item["version"]["N"]),
    )
