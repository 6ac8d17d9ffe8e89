"""Find out whose key a request came with, itself or through a session that was begun with it."""

from publisher.domain.errors import InvalidApiKey
from publisher.domain.keys import ApiKey, split_key
from publisher.domain.limits import KEY_USED_SECONDS, SESSION_SEEN_SECONDS
from publisher.domain.sessions import Session, hash_token
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


def authenticate_session(ports: Ports, token: str | None) -> tuple[ApiKey, Session]:
    """Return the key behind a session; InvalidApiKey when the session is over, or the key counts no more."""
    now = ports.clock.now()
    session = ports.sessions.get(hash_token(token)) if token else None
    key = ports.keys.get(session.key_id) if session and session.alive(now) else None
    if session is None or key is None or not key.counts(now):
        raise InvalidApiKey("Invalid or missing API key", "Sign in, or send a key of your workspace.")
    if now - session.seen_at >= SESSION_SEEN_SECONDS:
        ports.sessions.seen(session.token_hash, now)
    return key, session
