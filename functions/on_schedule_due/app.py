"""When the time or the turn of a post has come: start it."""

from typing import Any

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.start_due import start_due


def on_schedule_due(event: dict[str, Any], ports: Ports, _seconds_left: SecondsLeft) -> dict[str, Any]:
    """Start the post that the schedule names."""
    start_due(ports, event["postId"])
    return {}


handler = react(on_schedule_due)
