"""Webhooks of ours: a customer's endpoint, a notice of what happened, and its delivery to one endpoint.

A notice is signed as Standard Webhooks says (https://www.standardwebhooks.com), and delivered at least once: the same
notice always has the same id, by which an endpoint knows one that it has seen.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Collection
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr

from publisher.domain.accounts import AccountState
from publisher.domain.errors import InvalidMediaUrl, InvalidRequest
from publisher.domain.limits import (
    DELIVERY_JITTER_PERCENT,
    DELIVERY_LEASE_SECONDS,
    DELIVERY_TRIES_SHOWN,
    DELIVERY_WAITS_SECONDS,
    FORMER_SECRET_SECONDS,
    TOOK_NOTE_SECONDS,
)
from publisher.domain.media_urls import MediaUrl, check_media_url
from publisher.domain.posts import Status

WATCH_SHARDS = 8
"""Index partitions over which the deliveries to be tried are spread."""

TYPE_OF_POST = {
    Status.PUBLISH_COMPLETE: "post.published",
    Status.SEND_TO_USER_INBOX: "post.sent_to_inbox",
    Status.FAILED: "post.failed",
    Status.CANCELLED: "post.cancelled",
    Status.REVIEW: "post.needs_review",
}
TYPE_OF_ACCOUNT = {state: f"account.{state}" for state in AccountState}
TYPES = (*TYPE_OF_POST.values(), *TYPE_OF_ACCOUNT.values())
"""What an endpoint may choose from."""
TEST = "endpoint.test"
"""The type of a notice that somebody asked for, to try an endpoint."""

GONE = 410
_PREFIX = "whsec_"
_SECRET_BYTES = 32
_NOTICE_ID = re.compile(r"msg_[0-9a-f]{32}")


class Frozen(BaseModel):
    """A value that never changes; a change makes a new one."""

    model_config = ConfigDict(frozen=True)


class Notice(Frozen):
    """Something that happened; `body` is the JSON text that tells it, the same bytes each time it is sent."""

    notice_id: str
    type: str
    body: str


class Endpoint(Frozen):
    """A customer's address that notices are sent to; without `types` it wants all. Times are epoch seconds.

    Its secrets are sealed. The former one still signs until an epoch second. `took_at` is about when it last took one.
    """

    endpoint_id: str
    workspace_id: str
    url: str
    types: tuple[str, ...] = ()
    secret: str
    former_secret: str | None = None
    former_until: float = 0.0
    created_at: float
    updated_at: float
    took_at: float | None = None
    disabled_at: float | None = None
    disabled_because: str = ""
    version: int = 0

    def wants(self, notice_type: str) -> bool:
        """Tell whether notices of a type are sent to it."""
        return self.disabled_at is None and (not self.types or notice_type in self.types)

    @property
    def secret_context(self) -> dict[str, str]:
        """What its sealed secrets are bound to."""
        return {"workspace": self.workspace_id, "endpoint": self.endpoint_id, "field": "endpoint_secret"}

    def sealed_secrets(self, now: float) -> tuple[str, ...]:
        """Return the sealed secrets that sign at the epoch second `now`, the present one first."""
        former = self.former_secret if self.former_until > now else None
        return (self.secret,) if former is None else (self.secret, former)


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class Try(Frozen):
    """One request: when, what the endpoint answered after how many milliseconds, or why it did not."""

    at: float
    status: int | None
    milliseconds: int
    error: str | None = None


class Delivery(Frozen):
    """A notice on its way to one endpoint. `body` is what is sent each time; `tries` are the latest, the oldest first.

    `count` is of all tries since it began, or was begun again.
    """

    endpoint_id: str
    notice_id: str
    type: str
    body: str
    created_at: float
    begun_at: float
    state: DeliveryState = DeliveryState.PENDING
    count: int = 0
    tries: tuple[Try, ...] = ()
    watch_at: float | None
    version: int = 0

    @property
    def watch_shard(self) -> str:
        """The partition of the watch index that this delivery is in."""
        return str(zlib.crc32(self.notice_id.encode()) % WATCH_SHARDS)

    def due(self, now: float) -> bool:
        """Tell whether it is to be sent."""
        return self.state is DeliveryState.PENDING and self.watch_at is not None and self.watch_at <= now

    @property
    def being_sent(self) -> bool:
        """True until its first try has ended."""
        return self.state is DeliveryState.PENDING and self.count == 0

    @property
    def last_try(self) -> bool:
        """True when no further try follows the next one."""
        return self.count >= len(DELIVERY_WAITS_SECONDS)


def notice_id(*parts: object) -> str:
    """Return the id of a notice about these: always the same one."""
    return "msg_" + hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def is_notice_id(text: str) -> bool:
    """Tell whether a text has the form of a notice's id; no notice has another one."""
    return _NOTICE_ID.fullmatch(text) is not None


def check_endpoint_url(url: str, trusted_origins: Collection[str]) -> MediaUrl:
    """Take an endpoint's URL apart; InvalidRequest when it may never be called, whatever stands behind it.

    As a media URL, but https alone, unless its origin is one of `trusted_origins`.
    """
    try:
        place = check_media_url(url, trusted_origins)
    except InvalidMediaUrl:
        place = None
    if place is None or (place.scheme != "https" and not place.trusted):
        raise InvalidRequest(
            "url is not one that can be called.",
            "Give https://host/path with a full DNS name, without a port or a user name.",
            field="url",
        )
    return place


def new_secret() -> SecretStr:
    """Make a secret of 256 random bits."""
    return SecretStr(_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


def signed(delivery: Delivery, keys: Collection[SecretStr], now: float) -> dict[str, str]:
    """Return the headers by which an endpoint sees that a request is ours and new; each key signs."""
    content = f"{delivery.notice_id}.{int(now)}.{delivery.body}".encode()
    return {
        "webhook-id": delivery.notice_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(_signature(key, content) for key in keys),
    }


def _signature(key: SecretStr, content: bytes) -> str:
    secret = base64.b64decode(key.get_secret_value().removeprefix(_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(secret, content, "sha256")).decode()


def delivery_of(notice: Notice, endpoint: Endpoint, now: float) -> Delivery:
    """Begin to deliver a notice to an endpoint."""
    return Delivery(
        endpoint_id=endpoint.endpoint_id,
        notice_id=notice.notice_id,
        type=notice.type,
        body=notice.body,
        created_at=now,
        begun_at=now,
        watch_at=now,
    )


def leased(delivery: Delivery, now: float) -> Delivery:
    """Take the right to send; should this worker die, another one may after a while."""
    return delivery.model_copy(update={"watch_at": now + DELIVERY_LEASE_SECONDS})


def tried(delivery: Delivery, attempt: Try, now: float, luck: float) -> Delivery:
    """Record a try, and plan the next one if it did not work; `luck`, from 0 to 1, spreads those that fail together."""
    took = attempt.error is None
    changes = {"count": delivery.count + 1, "tries": (*delivery.tries, attempt)[-int(DELIVERY_TRIES_SHOWN) :]}
    if took or delivery.last_try:
        state = DeliveryState.DELIVERED if took else DeliveryState.FAILED
        return delivery.model_copy(update={**changes, "state": state, "watch_at": None})
    wait = DELIVERY_WAITS_SECONDS[delivery.count] * (1 - luck * DELIVERY_JITTER_PERCENT / 100)
    return delivery.model_copy(update={**changes, "watch_at": now + wait})


def given_up(delivery: Delivery) -> Delivery:
    """End a delivery that nobody wants any more."""
    return delivery.model_copy(update={"state": DeliveryState.FAILED, "watch_at": None})


def begun_again(delivery: Delivery, now: float) -> Delivery:
    """Deliver the same notice anew, with as many tries as at first."""
    again = {"state": DeliveryState.PENDING, "count": 0, "begun_at": now, "watch_at": now}
    return delivery.model_copy(update=again)


def silent_since(endpoint: Endpoint, begun_at: float) -> bool:
    """Tell whether an endpoint has taken nothing since an epoch second."""
    return endpoint.took_at is None or endpoint.took_at < begun_at


def took(endpoint: Endpoint, now: float) -> Endpoint:
    """Note that it took a notice; the same one when that was noted lately."""
    if endpoint.took_at is not None and now - endpoint.took_at < TOOK_NOTE_SECONDS:
        return endpoint
    return endpoint.model_copy(update={"took_at": now})


def disabled(endpoint: Endpoint, because: str, now: float) -> Endpoint:
    """Send it nothing more; one that is disabled already keeps its reason."""
    if endpoint.disabled_at is not None:
        return endpoint
    return endpoint.model_copy(update={"disabled_at": now, "disabled_because": because, "updated_at": now})


def enabled(endpoint: Endpoint, now: float) -> Endpoint:
    """Send it notices again, from now on."""
    return endpoint.model_copy(update={"disabled_at": None, "disabled_because": "", "updated_at": now})


def rotated(endpoint: Endpoint, sealed: str, now: float) -> Endpoint:
    """Sign with a new secret, and for a day with the present one too."""
    former = {"former_secret": endpoint.secret, "former_until": now + FORMER_SECRET_SECONDS}
    return endpoint.model_copy(update={"secret": sealed, **former, "updated_at": now})
