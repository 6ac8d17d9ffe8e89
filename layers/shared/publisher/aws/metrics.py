"""Figures of accounts and their videos in DynamoDB, under one partition an account.

An account's month is one query: each day is an item, whose videos are packed, because there may be five hundred.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from publisher.aws.items import Item, decode, encode, expires, from_item, key
from publisher.aws.table import Table, longest_overdue, watched
from publisher.domain.errors import Busy
from publisher.domain.history import METRICS_SHARDS, Collected, Day, shard_of
from publisher.domain.limits import HISTORY_DAYS
from publisher.ports import Answered, Clock

_ANY = "attribute_exists(pk) OR attribute_not_exists(pk)"
_DAY = 86400


class DynamoMetrics:
    """The port Metrics. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)
        self._clock = clock

    def get(self, account_id: str) -> Collected:
        """Return what was collected last; an empty one when nothing was."""
        item = self._table.get(_key(account_id, "latest"))
        if item is None:
            return Collected(account_id=account_id)
        fields = {name: decode(item[name]) for name in ("at", "figures", "version") if name in item}
        return Collected.model_validate({"account_id": account_id, "tracks": _unpacked(item["tracks"]), **fields})

    def save(self, collected: Collected, next_at: float) -> None:
        """Store what was collected, and when to collect next, unless the version has moved on, then Busy."""
        new = collected.model_dump(mode="json", include={"at", "figures"})
        changes = {**new, "tracks": _packed(collected.tracks), "version": collected.version + 1}
        fresh = "attribute_not_exists(version)" if collected.version == 0 else "version = :seen"
        seen = {} if collected.version == 0 else {"seen": collected.version}
        if not self._table.update(_key(collected.account_id, "latest"), changes, fresh, **seen):
            raise Busy("Another worker has collected the account.", "It is collected again when it is due.")
        self.put_off(collected.account_id, next_at)

    def plan(self, account_id: str, at: float) -> None:
        """Have an account collected at an epoch second, unless it is planned sooner."""
        changes = {"watch": shard_of(account_id), "watch_at": at}
        self._table.update(_key(account_id, "plan"), changes, "attribute_not_exists(watch_at) OR watch_at > :at", at=at)

    def put_off(self, account_id: str, at: float | None) -> None:
        """Have an account collected at an epoch second and no sooner, or never."""
        changes = {"watch": None if at is None else shard_of(account_id), "watch_at": at}
        self._table.update(_key(account_id, "plan"), changes, _ANY)

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` accounts that are due, the longest overdue first."""
        shards = (self._table.query("by_watch", **watched(shard, now, most)) for shard in range(METRICS_SHARDS))
        return [item["pk"]["S"].removeprefix("metrics#") for item in longest_overdue(shards, most)]

    def record(self, account_id: str, day: Day) -> None:
        """Store a day's record in place of one of that date."""
        changes = {
            "at": day.at,
            "figures": day.figures.model_dump(mode="json"),
            "videos": _packed(day.videos),
            "expires": expires(day.at + HISTORY_DAYS * _DAY),
        }
        self._table.update(_key(account_id, f"day#{day.date}"), changes, _ANY)

    def days(self, account_id: str, first: str, last: str) -> Sequence[Day]:
        """Return the records from one date to another, both included, oldest first."""
        items = self._table.query(
            None,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": _key(account_id, "")["pk"],
                ":first": encode(f"day#{first}"),
                ":last": encode(f"day#{last}"),
            },
        )
        return [_day(item) for item in items]

    def answered(self, account_id: str, question: str) -> Answered | None:
        """Return the answer to a question while it is good."""
        item = self._table.get(_key(account_id, f"answer#{question}"))
        if item is None or "until" not in item:
            return None
        known = from_item(Answered, item)
        return known if known.until > self._clock.now() else None

    def lease(self, account_id: str, question: str, until: float) -> bool:
        """Take the right to find an answer until an epoch second; False while another one has it, or has found one."""
        changes = {"lease_until": until, "until": None, "expires": expires(until + _DAY)}
        free = (
            "(attribute_not_exists(lease_until) OR lease_until <= :now) AND "
            "(attribute_not_exists(#until) OR #until <= :now)"
        )
        return self._table.update(_key(account_id, f"answer#{question}"), changes, free, now=self._clock.now())

    def answer(self, account_id: str, question: str, answer: Answered | None) -> None:
        """Keep an answer, or none when it was not found, and give the right to find it back."""
        kept: Mapping[str, object] = {}
        if answer is not None:
            kept = {**answer.model_dump(mode="json"), "expires": expires(answer.until)}
        self._table.update(_key(account_id, f"answer#{question}"), {"lease_until": None, **kept}, _ANY)


def _key(account_id: str, name: str) -> Item:
    return {**key("metrics", account_id), "sk": encode(name)}


def _day(item: Item) -> Day:
    fields = {name: decode(item[name]) for name in ("at", "figures")}
    date = str(decode(item["sk"])).removeprefix("day#")
    return Day.model_validate({"date": date, "videos": _unpacked(item["videos"]), **fields})


def _packed(parts: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(parts, separators=(",", ":")).encode())


def _unpacked(attribute: Mapping[str, Any]) -> Any:
    return json.loads(zlib.decompress(attribute["B"]))
