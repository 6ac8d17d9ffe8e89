"""When an execution of the machine failed, timed out or was stopped: continue its post."""

from typing import Any

from publisher.event import react
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.continue_post import continue_post


def on_execution_ended(event: dict[str, Any], ports: Ports, _seconds_left: SecondsLeft) -> dict[str, Any]:
    """Continue the post whose id the execution's name begins with."""
    name = event["detail"]["name"]
    continue_post(ports, name.rpartition("-")[0], ended_execution=name)
    return {}


handler = react(on_execution_ended)
