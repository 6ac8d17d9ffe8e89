"""Look after dropped files whose event was lost, or came to nothing."""

from functools import partial

from publisher.domain.drops import RESULT, Place, place_of
from publisher.domain.limits import DROP_MIN_SECONDS, DROP_PATIENCE_SECONDS, DROP_SWEEP_SECONDS
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.look_after_each import LookedAfter, look_after_each
from publisher.use_cases.take_drop import take_drop


def sweep_drops(ports: Ports, *, seconds_left: SecondsLeft) -> LookedAfter:
    """Look at every file that was put some minutes ago and has no result from since then, the oldest first.

    So a file is found although all deliveries of its event failed. A folder that waits for its files for long is told
    so.
    """
    now = ports.clock.now()
    due = [
        (place.key, partial(take_drop, ports, place.key, waited_long=now - put_at >= DROP_PATIENCE_SECONDS))
        for put_at, place in _without_result(ports)
        if now - put_at >= DROP_SWEEP_SECONDS
    ]
    return look_after_each(due, least_seconds=DROP_MIN_SECONDS, seconds_left=seconds_left)


def _without_result(ports: Ports) -> list[tuple[float, Place]]:
    """Return what was put last, and when, of everything that has no later result."""
    put: dict[Place, float] = {}
    told: dict[str, float] = {}
    for key, at in ports.drops.walk():
        place = place_of(key)
        if place is not None:
            put[place] = max(at, put.get(place, at))
        elif key.endswith(RESULT):
            told[key] = at
    # S3 tells whole seconds, so a result of the same second may be of what was there before: it is looked at again.
    return sorted((at, place) for place, at in put.items() if told.get(place.result_key, 0.0) <= at)
