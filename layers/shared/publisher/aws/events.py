"""TikTok's events in DynamoDB, in the table of the posts."""

from typing import Any

from publisher.aws.items import expires, from_item, key
from publisher.aws.table import Table
from publisher.domain.limits import EVENT_NOTE_SECONDS
from publisher.ports import Clock, EventTimes

_TIMES = key("events")


class DynamoEvents:
    """The port Events. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def known(self, digest: str) -> bool:
        """Tell whether an event was taken in before and is still remembered."""
        return self._table.get(key("event", digest)) is not None

    def remember(self, digest: str, until: float) -> None:
        """Remember an event until an epoch second."""
        self._table.update(
            key("event", digest),
            {"expires": expires(until)},
            "attribute_not_exists(pk) OR expires < :until",
            until=until,
        )

    def note(self, *, good: bool, now: float) -> None:
        """Note that an event came, well signed or badly, at most once a minute."""
        name = "last_good_at" if good else "last_bad_at"
        self._table.update(
            _TIMES,
            {name: now},
            f"attribute_not_exists({name}) OR {name} <= :before",
            before=now - EVENT_NOTE_SECONDS,
        )

    def times(self) -> EventTimes:
        """Return when events came last."""
        return from_item(EventTimes, self._table.get(_TIMES) or {})
