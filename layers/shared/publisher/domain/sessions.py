"""Sessions of the dashboard: a browser that has shown an admin key, and one-time links that stand for such a key."""

import hashlib
import hmac
import secrets

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import SESSION_IDLE_SECONDS, SESSION_SECONDS

_TOKEN_BYTES = 32


class Session(BaseModel):
    """A session as stored; times are epoch seconds. Only its browser knows the token."""

    model_config = ConfigDict(frozen=True)

    token_hash: str
    key_id: str
    began_at: float
    seen_at: float

    @property
    def ends_at(self) -> float:
        """When it ends, whatever its browser does."""
        return self.began_at + SESSION_SECONDS

    def alive(self, now: float) -> bool:
        """Tell whether it still counts: it was used lately, and is not too old."""
        return now < self.ends_at and now - self.seen_at < SESSION_IDLE_SECONDS


class SignInTicket(BaseModel):
    """What a one-time sign-in link stands for: a key's holder made it."""

    model_config = ConfigDict(frozen=True)

    token_hash: str
    key_id: str
    expires_at: float


def new_token() -> str:
    """Make a token of 256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_token(token: str) -> str:
    """Hash a token, as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_token(token: str) -> str:
    """Return what a page of ours sends beside a session's cookie; who cannot read our answers cannot know it."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()
