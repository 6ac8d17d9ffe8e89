"""A month of an account with 500 videos: what is read and written, and how long our code takes, on moto.

The baseline keeps an item for each video and day. Sizes are counted as DynamoDB counts them; times are of this machine
and of moto, so that only their ratio says something. The last row is not measured: each account is a partition of its
own, so a thousand of them keep a thousand times as much, and none is read for another.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import boto3
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from publisher.aws.items import Item, encode
from publisher.aws.metrics import DynamoMetrics
from publisher.domain.history import Counts, Day, date_of
from publisher.domain.limits import COLLECTED_VIDEOS
from publisher.domain.metrics import AccountFigures
from tests.bench.report import Row
from tests.builders import NOW
from tests.fakes import FakeClock

DAYS = 31
ACCOUNTS = 1000
ROUNDS = 5
BATCH = 25
"""Items in one batch, the most that DynamoDB takes."""
WRITE_UNIT = 1024
READ_UNIT = 2 * 4096
"""Bytes that one unit pays for; the read is an eventually consistent one.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
FIGURES = AccountFigures(follower_count=120_000, following_count=300, likes_count=4_000_000, video_count=900)


class Table:
    """The table of the template on moto, with what went through its client."""

    def __init__(self) -> None:
        properties = yaml_parse(TEMPLATE.read_text())["Resources"]["MetricsTable"]["Properties"]
        wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.client = boto3.client("dynamodb", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="a")
        self.client.create_table(TableName="metrics", **{name: properties[name] for name in wanted})
        self.pages: list[list[Item]] = []
        self.client.meta.events.register("after-call.dynamodb.Query", self._note)

    def _note(self, parsed: dict[str, Any], **_: object) -> None:
        self.pages.append(parsed["Items"])


def run() -> list[Row]:
    """Write and read a month in both ways."""
    days = [_day(number) for number in range(DAYS)]
    with _table() as table:
        metrics = DynamoMetrics(table.client, "metrics", FakeClock())
        write = median([_seconds(lambda day=day: metrics.record("account-1", day)) for day in days])
        first, last = days[0].date, days[-1].date
        read = median([_seconds(lambda: metrics.days("account-1", first, last)) for _ in range(ROUNDS)])
        if list(metrics.days("account-1", first, last)) != days:
            raise RuntimeError("the month is not what was written")
        pages = len(table.pages) // (ROUNDS + 1)
        month = [item for page in table.pages[-pages:] for item in page]
    with _table() as table:
        one_write = median([_seconds(lambda day=day: _record(table.client, day)) for day in days])
        one_read = _seconds(lambda: _read(table.client))
        one_pages, singles = len(table.pages), [item for page in table.pages for item in page]
    kept, single = sum(map(_size, month)), sum(map(_size, singles))
    writes, one_writes = (sum(-(-_size(item) // WRITE_UNIT) for item in items) / DAYS for items in (month, singles))
    name = f"history, {COLLECTED_VIDEOS} videos x {DAYS} days"
    stored = ACCOUNTS * 365 / DAYS / 2**30
    return [
        Row(f"{name}, queries", pages, one_pages, "queries", "1", pages == 1),
        Row(f"{name}, items read", len(month), len(singles), "items", f"{DAYS}", len(month) == DAYS),
        Row(f"{name}, size", kept / 1024, single / 1024, "KiB"),
        Row(f"{name}, read units", -(-kept // READ_UNIT), -(-single // READ_UNIT), "units"),
        Row(f"{name}, reading", 1000 * read, 1000 * one_read, "ms"),
        Row("history, write units of a day", writes, one_writes, "units"),
        Row("history, writing a day", 1000 * write, 1000 * one_write, "ms"),
        Row(f"history, a year of {ACCOUNTS:,} such accounts", kept * stored, single * stored, "GiB"),
    ]


@contextmanager
def _table() -> Iterator[Table]:
    with mock_aws():
        yield Table()


def _day(number: int) -> Day:
    """Figures as they are: of few videos large, of the others small."""
    chance, at = random.Random(number), NOW + number * 86400
    same = random.Random("ids")
    videos = {}
    for _ in range(COLLECTED_VIDEOS):
        video_id = str(same.randrange(7_300_000_000_000_000_000, 7_600_000_000_000_000_000))
        views = int(10 ** chance.uniform(2, 6))
        videos[video_id] = Counts(views, views * chance.randrange(3, 12) // 100, views // 150, views // 90)
    return Day(date=date_of(at), at=at, figures=FIGURES, videos=videos)


def _record(client: Any, day: Day) -> None:
    """Keep an item for each video."""
    items = [
        {
            "pk": encode("metrics#account-1"),
            "sk": encode(f"day#{day.date}#{video_id}"),
            "expires": encode(int(day.at)),
            **{name: encode(count) for name, count in counts._asdict().items()},
        }
        for video_id, counts in day.videos.items()
    ]
    for first in range(0, len(items), BATCH):
        batch = [{"PutRequest": {"Item": item}} for item in items[first : first + BATCH]]
        client.batch_write_item(RequestItems={"metrics": batch})


def _read(client: Any) -> None:
    for _ in client.get_paginator("query").paginate(
        TableName="metrics",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": encode("metrics#account-1")},
    ):
        pass


def _size(item: Item) -> int:
    """Return the bytes of an item: its names and values; a number takes about a byte for two digits, and one more."""
    return sum(len(name) + _value_size(attribute) for name, attribute in item.items())


def _value_size(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "M":
        return 3 + sum(1 + len(name) + _value_size(part) for name, part in value.items())
    return (len(value) + 1) // 2 + 1 if kind == "N" else len(value) if kind in ("S", "B") else 1


def _seconds(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
