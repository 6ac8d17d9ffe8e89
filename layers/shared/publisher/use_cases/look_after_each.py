"""Do what is due, one thing after the other, as far as the time goes."""

from collections.abc import Callable, Iterable

from publisher.domain.errors import PublisherError
from publisher.ports import SecondsLeft, Value


class LookedAfter(Value):
    """How many were looked after, and the errors by their ids of those that are left for the next time."""

    looked_after: int
    errors: dict[str, str]


def look_after_each(
    due: Iterable[tuple[str, Callable[..., object]]], *, least_seconds: int, seconds_left: SecondsLeft
) -> LookedAfter:
    """Call each of `due`, by its id, with `seconds_left` of function time, until that is less than `least_seconds`.

    What fails is tried again the next time and stops no other. Errors that are not ours are raised together in the
    end, so that the function counts as failed.
    """
    looked_after, errors = 0, dict[str, str]()
    broken: list[Exception] = []
    for due_id, look_after in due:
        if seconds_left() < least_seconds:
            break
        looked_after += 1
        try:
            look_after(seconds_left=seconds_left())
        except PublisherError as error:
            errors[due_id] = f"{type(error).__name__}: {error.error}"
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others wait for nobody else
            broken.append(error)
    if broken:
        raise ExceptionGroup("what could not be looked after", broken)
    return LookedAfter(looked_after=looked_after, errors=errors)
