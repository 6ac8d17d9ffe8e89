"""When a file was put into the drop bucket: make a post of it."""

from typing import Any
from urllib.parse import unquote_plus

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.take_drop import take_drop


def on_file_dropped(event: dict[str, Any], ports: Ports, seconds_left: SecondsLeft) -> dict[str, Any]:
    """Look at each object that S3 tells of; a test event tells of none."""
    keys = [unquote_plus(record["s3"]["object"]["key"]) for record in event.get("Records", [])]
    return {"posts": [take_drop(ports, key, seconds_left=seconds_left()) for key in keys]}


handler = react(on_file_dropped)
