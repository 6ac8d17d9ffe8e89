"""API keys: `tkp_live_<id>_<secret><check>`, known by their hash alone."""

import hashlib
import hmac
import secrets
import zlib
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr

SCOPES = ("posts:write", "posts:read", "accounts:read", "accounts:write", "stats:read", "admin")
PREFIX = "tkp_live_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECK_LENGTH = 8, 43, 6


class ApiKey(BaseModel):
    """A workspace's key as stored. Times are epoch seconds; the secret itself is not kept."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    workspace_id: str
    name: str
    scopes: tuple[str, ...]
    secret_hash: str
    created_at: float
    last_used_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None

    @property
    def beginning(self) -> str:
        """What the key's text begins with, by which a person recognizes it; the rest is the secret."""
        return f"{PREFIX}{self.key_id}…"

    def allows(self, scope: str) -> bool:
        """Tell whether the key may do what `scope` names; an admin key may do everything."""
        return scope in self.scopes or "admin" in self.scopes

    def opens(self, secret: str, now: float) -> bool:
        """Tell whether `secret` is this key's and the key still counts. Takes the same time either way."""
        same = hmac.compare_digest(self.secret_hash, hash_secret(secret))
        return same and self.counts(now)

    def counts(self, now: float) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class NewKey(BaseModel):
    """A key just made: the only moment its text is known."""

    model_config = ConfigDict(frozen=True)

    text: SecretStr
    key_id: str
    secret_hash: str

    @classmethod
    def make(cls) -> Self:
        """Make a key of 256 random bits, with a checksum that catches typing errors without a look-up."""
        key_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
        body = f"{PREFIX}{key_id}_{secret}"
        return cls(text=SecretStr(body + _check(body)), key_id=key_id, secret_hash=hash_secret(secret))


def split_key(text: str) -> tuple[str, str] | None:
    """Return a key's id and secret, or None when the text is no key: wrong prefix, length or checksum."""
    length = len(PREFIX) + _ID_LENGTH + 1 + _SECRET_LENGTH + _CHECK_LENGTH
    if len(text) != length or not text.isascii() or not text.startswith(PREFIX):
        return None
    body, check = text[:-_CHECK_LENGTH], text[-_CHECK_LENGTH:]
    if not hmac.compare_digest(check, _check(body)):
        return None
    key_id, _, secret = body.removeprefix(PREFIX).partition("_")
    return key_id, secret


def is_key_id(text: str) -> bool:
    """Tell whether a text has the form of a key's id; no key has another one."""
    return len(text) == _ID_LENGTH and set(text) <= set(_ALPHABET)


def hash_secret(secret: str) -> str:
    """Hash a key's secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
