"""The addresses of pictures in DynamoDB.

Each is one item, so one conditional write decides whether it was pulled from or closed first.
"""

from typing import Any

from publisher.aws.items import decode, expires, key
from publisher.aws.table import Table
from publisher.domain.errors import Busy
from publisher.domain.limits import PHOTO_HOST_SECONDS
from publisher.ports import Clock, Hosted

_KEPT_SECONDS = 2 * PHOTO_HOST_SECONDS
"""An item is kept this long after the last that can happen to it: gone, it would let a late worker open it again."""


class DynamoPhotoHost:
    """The port PhotoHost. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)
        self._clock = clock

    def host(self, prefix: str, hosted: Hosted, until: float) -> None:
        """Open an address until an epoch second; Busy when it was closed before."""
        changes = {
            "folder": hosted.folder,
            "pictures": hosted.count,
            "open_until": until,
            "expires": expires(until + _KEPT_SECONDS),
        }
        # Also on top of an own earlier write, which leaves `pulled` as it is.
        if not self._table.update(
            key("prefix", prefix),
            changes,
            "attribute_not_exists(closed) AND (attribute_not_exists(pk) OR folder = :known)",
            known=hosted.folder,
        ):
            raise Busy("The address of the pictures is closed.", "Offer them under another one.")

    def pull(self, prefix: str, number: int, now: float) -> Hosted | None:
        """Note that TikTok asks for picture `number`, and return where it is; None when it may not have it."""
        item = self._table.update_and_get(
            key("prefix", prefix),
            {"pulled": True},
            "attribute_not_exists(closed) AND open_until > :now AND :number BETWEEN :first AND pictures",
            now=now,
            number=number,
            first=1,
        )
        return None if item is None else Hosted(folder=str(decode(item["folder"])), count=int(item["pictures"]["N"]))

    def fence(self, prefix: str) -> bool:
        """Close an address for good unless it was pulled from; False then."""
        return self._table.update(key("prefix", prefix), self._closing(), "attribute_not_exists(pulled)")

    def close(self, prefix: str) -> None:
        """Close an address for good, whether it was pulled from or not."""
        self._table.update(key("prefix", prefix), self._closing(), "attribute_not_exists(closed)")

    def _closing(self) -> dict[str, object]:
        return {"closed": True, "expires": expires(self._clock.now() + _KEPT_SECONDS)}
