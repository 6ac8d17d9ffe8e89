"""Every minute, and when there is something to send: deliver notices to customers' endpoints."""

from typing import Any

from publisher.event import react
from publisher.ports import DeliveryKey, Ports, SecondsLeft
from publisher.use_cases.deliver import deliver


def on_notice(event: dict[str, Any], ports: Ports, seconds_left: SecondsLeft) -> dict[str, Any]:
    """Send the deliveries that the event names, or else all that are due; answer how many, and which failed here."""
    named = event.get("deliveries")
    keys = None if named is None else [DeliveryKey.model_validate(key) for key in named]
    return deliver(ports, keys, seconds_left=seconds_left).model_dump()


handler = react(on_notice)
