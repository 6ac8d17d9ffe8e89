"""Every five minutes: collect the figures of the accounts whose time has come."""

from typing import Any

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.collect_figures import collect_figures


def on_time(_event: dict[str, Any], ports: Ports, seconds_left: SecondsLeft) -> dict[str, Any]:
    """Answer how many accounts were collected, and which of them failed and why."""
    return collect_figures(ports, seconds_left=seconds_left).model_dump()


handler = react(on_time)
