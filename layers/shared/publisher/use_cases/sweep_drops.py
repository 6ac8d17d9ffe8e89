"""Look after dropped files whose event was lost, or came to nothing."""

from publisher.domain.drops import RESULT, Place, place_of
from publisher.domain.errors import PublisherError
from publisher.domain.limits import DROP_MIN_SECONDS, DROP_PATIENCE_SECONDS, DROP_SWEEP_SECONDS
from publisher.ports import Ports, SecondsLeft, Value
from publisher.use_cases.take_drop import take_drop


class SweptDrops(Value):
    """How many files were looked at, and the errors by key of those that are left for the next time."""

    looked_after: int
    errors: dict[str, str]


def sweep_drops(ports: Ports, *, seconds_left: SecondsLeft) -> SweptDrops:
    """Look at every file that was put some minutes ago and has no result from since then, the oldest first.

    So a file is found although all deliveries of its event failed. A folder that waits for its files for long is told
    so. What fails is tried again the next time and stops no other.
    """
    looked_after, errors = 0, dict[str, str]()
    now = ports.clock.now()
    for put_at, place in _without_result(ports):
        if now - put_at < DROP_SWEEP_SECONDS:
            continue
        if seconds_left() < DROP_MIN_SECONDS:
            break
        looked_after += 1
        try:
            waited_long = now - put_at >= DROP_PATIENCE_SECONDS
            take_drop(ports, place.key, seconds_left=seconds_left(), waited_long=waited_long)
        except PublisherError as error:
            errors[place.key] = f"{type(error).__name__}: {error.error}"
    return SweptDrops(looked_after=looked_after, errors=errors)


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
