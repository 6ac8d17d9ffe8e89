"""TikTok's webhook: whether an event comes from TikTok, and what it says.

Whoever can send bytes to a public address can send an event, so nothing in it is read before its signature is checked.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from publisher.domain.errors import InvalidRequest, InvalidSignature
from publisher.domain.limits import EVENT_AGE_SECONDS, EVENT_AHEAD_SECONDS

REMOVED = "authorization.removed"
_PUBLISH = "post.publish."
_WITHDRAWN = ("post.publish.no_longer_publicaly_available", "post.publish.no_longer_publicly_available")
"""TikTok's spelling, and the one it may come to."""
_TIME = re.compile(r"[0-9]{1,12}")
_NUMBER_END = 10**12
"""Above this nothing is a time or a reason."""
_TEXT_CHARACTERS = 256
"""TikTok's ids are shorter; what is longer, or no text at all, is an id of nothing."""
_WHAT_TO_DO = (
    "Only TikTok calls this. The operator checks that the stored client_secret is the app's, and after a rotation that "
    "the old one is stored as previous_client_secret."
)


class Event(BaseModel):
    """An event of TikTok's; `created_at` is in epoch seconds. What it lacks is empty."""

    model_config = ConfigDict(frozen=True)

    client_key: str
    kind: str
    created_at: float
    open_id: str
    publish_id: str
    reason: int

    @property
    def about_a_post(self) -> bool:
        """True when it says that something happened to a post."""
        return self.kind.startswith(_PUBLISH) and self.publish_id != ""

    @property
    def withdrawn(self) -> bool:
        """True when it says that a post is no longer public."""
        return self.kind in _WITHDRAWN

    @property
    def removed(self) -> bool:
        """True when it says that a creator's permission is gone."""
        return self.kind == REMOVED and self.open_id != ""


def check_signature(header: str | None, body: bytes, secrets: Sequence[SecretStr], now: float) -> None:
    """Accept a body that one of the app's secrets has signed: `t=<epoch seconds>,s=<hex>`, perhaps several `s`.

    InvalidSignature for any other, and for one whose time is ahead of ours or older than TikTok repeats an event.
    """
    time, given = _parts(header or "")
    signed = f"{time}.".encode() + body
    good = False
    for secret in secrets:
        expected = hmac.new(secret.get_secret_value().encode(), signed, hashlib.sha256).hexdigest().encode()
        for signature in given:
            good |= hmac.compare_digest(expected, signature.encode())  # each is compared, so that time tells nothing
    if not good:
        raise InvalidSignature("The signature is not one of the app's.", _WHAT_TO_DO)
    if int(time) > now + EVENT_AHEAD_SECONDS:
        raise InvalidSignature("The signature's time is in the future.", "The operator checks the clock.")
    if int(time) < now - EVENT_AGE_SECONDS:
        raise InvalidSignature("The signature is too old.", "TikTok has long stopped repeating this event.")


def _parts(header: str) -> tuple[str, list[str]]:
    """Return the header's time as it is written, and its signatures; parts with other names are passed over."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value.lower() for name, _, value in pairs if name == "s" and value]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not signatures:
        raise InvalidSignature("The header TikTok-Signature is missing or not of the form t=…,s=….", _WHAT_TO_DO)
    return times[0], signatures


def read_event(body: bytes) -> Event:
    """Read a body whose signature is good; InvalidRequest when it is no event at all."""
    event, content = _object(body), {}
    if event is None:
        raise InvalidRequest("The body is not a JSON object.", "Only TikTok calls this.")
    if isinstance(event.get("content"), str):
        content = _object(event["content"]) or {}  # JSON inside of a text
    return Event(
        client_key=_text(event.get("client_key")),
        kind=_text(event.get("event")),
        created_at=_number(event.get("create_time")),
        open_id=_text(event.get("user_openid")),
        publish_id=_text(content.get("publish_id")),
        reason=_number(content.get("reason")),
    )


def _object(text: bytes | str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= _TEXT_CHARACTERS and value.isprintable() else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < _NUMBER_END else 0
