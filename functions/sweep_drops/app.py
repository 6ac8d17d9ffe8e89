"""Every five minutes: look after dropped files whose event was lost."""

from typing import Any

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.sweep_drops import sweep_drops


def on_minutes(_event: dict[str, Any], ports: Ports, seconds_left: SecondsLeft) -> dict[str, Any]:
    """Answer how many files were looked at, and which of them failed and why."""
    return sweep_drops(ports, seconds_left=seconds_left).model_dump()


handler = react(on_minutes)
