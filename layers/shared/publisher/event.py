"""The entry of a function that reacts to an event or to the clock."""

from collections.abc import Callable
from typing import Any

from publisher.observability import logger
from publisher.ports import Ports, SecondsLeft
from publisher.step import Context
from publisher.wiring import wired

type Reaction = Callable[[dict[str, Any], Ports, SecondsLeft], dict[str, Any]]
type EventHandler = Callable[[dict[str, Any], Context], dict[str, Any]]


def react(run: Reaction, *, ports: Callable[[], Ports] = wired) -> EventHandler:
    """Make a reaction's handler. Errors leave as they are: Lambda runs the event again and keeps it in the end."""

    def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
        answer = run(event, ports(), lambda: context.get_remaining_time_in_millis() / 1000)
        logger().info("reacted", extra={"answer": answer})
        return answer

    return handler
