"""Find out whose key a request came with."""

from publisher.domain.errors import InvalidApiKey
from publisher.domain.keys import ApiKey, split_key
from publisher.domain.limits import KEY_USED_SECONDS
from publisher.ports import Ports


def authenticate(ports: Ports, text: str | None) -> ApiKey:
    """Return the key; InvalidApiKey, always in the same words, when there is none that counts."""
    parts = split_key(text or "")
    key = ports.keys.get(parts[0]) if parts else None
    now = ports.clock.now()
    if parts is None or key is None or not key.opens(parts[1], now):
        raise InvalidApiKey("Invalid or missing API key", "Send a key of your workspace in the header boring-api-key.")
    if key.last_used_at is None or now - key.last_used_at >= KEY_USED_SECONDS:
        ports.keys.used(key.key_id, now)
    return key
