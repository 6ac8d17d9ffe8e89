"""Send the notices whose time has come to their endpoints."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pydantic import SecretStr

from publisher.domain.endpoints import (
    GONE,
    Delivery,
    Endpoint,
    Try,
    disabled,
    given_up,
    leased,
    signed,
    silent_since,
    took,
    tried,
)
from publisher.domain.errors import Busy, PublisherError
from publisher.domain.limits import CHANGE_TRIES, DELIVERIES_AT_ONCE, DELIVERIES_PER_RUN, DELIVERY_MIN_SECONDS
from publisher.ports import DeliveryKey, Ports, SecondsLeft, Value

_SUCCESS = range(200, 300)
_GONE = "It answered 410 Gone: it wants no more notices."
_SILENT = "It took nothing for 72 hours."


class Sent(Value):
    """How many deliveries were looked at, and the errors by notice of those that are left for the next run."""

    looked_at: int
    errors: dict[str, str]


def deliver(ports: Ports, keys: Sequence[DeliveryKey] | None, *, seconds_left: SecondsLeft) -> Sent:
    """Send these deliveries, or all that are due, some at a time and while there is time.

    What fails in a way of ours is tried again by the next run and stops no other. Errors that are not ours are raised
    together in the end, so that the function counts as failed.
    """
    if keys is None:
        keys = ports.endpoints.due(ports.clock.now(), int(DELIVERIES_PER_RUN))
    with ThreadPoolExecutor(max_workers=int(DELIVERIES_AT_ONCE)) as senders:
        under_way = {key: senders.submit(_in_time, ports, key, seconds_left) for key in keys}
    errors, broken = dict[str, str](), list[Exception]()
    for key, future in under_way.items():
        match future.exception():
            case PublisherError() as error:
                errors[key.notice_id] = f"{type(error).__name__}: {error.error}"
            case Exception() as error:
                broken.append(error)
    if broken:
        raise ExceptionGroup("what could not be delivered", broken)
    return Sent(looked_at=len(under_way), errors=errors)


def _in_time(ports: Ports, key: DeliveryKey, seconds_left: SecondsLeft) -> None:
    if seconds_left() >= DELIVERY_MIN_SECONDS:
        _deliver(ports, key)


def _deliver(ports: Ports, key: DeliveryKey) -> None:
    """Send one delivery that is due, unless another worker does, and record what came of it."""
    now = ports.clock.now()
    delivery = ports.endpoints.delivery(key)
    if delivery is None or not delivery.due(now):
        return
    endpoint = ports.endpoints.get(key.endpoint_id)
    with suppress(Busy):  # somebody else is at it, or has begun it again
        if endpoint is None or endpoint.disabled_at is not None:
            ports.endpoints.move(given_up(delivery))
            return
        delivery = ports.endpoints.move(leased(delivery, now))
        attempt = _try(ports, endpoint, delivery)
        now = ports.clock.now()
        _learn(ports, endpoint, delivery, attempt, now)
        if attempt.status == GONE:
            ports.endpoints.move(given_up(tried(delivery, attempt, now, luck=0)))
            return
        ports.endpoints.move(tried(delivery, attempt, now, luck=random.random()))  # noqa: S311 (guards nothing)


def _try(ports: Ports, endpoint: Endpoint, delivery: Delivery) -> Try:
    at = ports.clock.now()
    reply = ports.sender.send(endpoint.url, signed(delivery, _secrets(ports, endpoint, at), at), delivery.body)
    milliseconds = round(1000 * (ports.clock.now() - at))
    error = reply.error
    if reply.status is not None and reply.status not in _SUCCESS:
        error = f"It answered {reply.status}, which is not a success."
    return Try(at=at, status=reply.status, milliseconds=milliseconds, error=error)


def _secrets(ports: Ports, endpoint: Endpoint, now: float) -> list[SecretStr]:
    return [ports.vault.unseal(sealed, endpoint.secret_context) for sealed in endpoint.sealed_secrets(now)]


def _learn(ports: Ports, endpoint: Endpoint, delivery: Delivery, attempt: Try, now: float) -> None:
    """Note at the endpoint what a try says of it: before the delivery's end, which nobody looks at again."""
    for _ in range(CHANGE_TRIES):
        learned = _learned(endpoint, delivery, attempt, now)
        if learned == endpoint:
            return
        try:
            ports.endpoints.save(learned)
        except Busy:
            known = ports.endpoints.get(endpoint.endpoint_id)
            if known is None:
                return
            endpoint = known
            continue
        return
    raise Busy("Other workers are changing the webhook.", "The next try notes it.")


def _learned(endpoint: Endpoint, delivery: Delivery, attempt: Try, now: float) -> Endpoint:
    if attempt.error is None:
        return took(endpoint, now)
    if attempt.status == GONE:
        return disabled(endpoint, _GONE, now)
    if delivery.last_try and silent_since(endpoint, delivery.begun_at):
        return disabled(endpoint, _SILENT, now)
    return endpoint
