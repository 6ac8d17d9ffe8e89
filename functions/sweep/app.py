"""Every minute: look after the posts whose time has come."""

from typing import Any

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.sweep import sweep


def on_minute(_event: dict[str, Any], ports: Ports, seconds_left: SecondsLeft) -> dict[str, Any]:
    """Answer how many posts were looked after, and which of them failed and why."""
    return sweep(ports, seconds_left=seconds_left).model_dump()


handler = react(on_minute)
