"""Make an API key: an operator's, which may open a new workspace, or one that a workspace asks for."""

import uuid

from pydantic import SecretStr

from publisher.api import CreateKeyRequest, read_body, read_moment
from publisher.domain.errors import InvalidRequest, MissingParameter
from publisher.domain.keys import SCOPES, ApiKey, NewKey
from publisher.domain.limits import KEY_NAME_CHARACTERS
from publisher.domain.rules import is_name
from publisher.ports import Clock, Keys, Ports

USUAL_SCOPES = tuple(scope for scope in SCOPES if scope != "admin")
"""What a key may do whose maker chose nothing: all but making further keys."""


def create_key(
    keys: Keys, clock: Clock, *, name: str, scopes: tuple[str, ...] = SCOPES, workspace_id: str | None = None
) -> tuple[ApiKey, SecretStr]:
    """Store a new key and return it with its text, which cannot be read again; without a workspace it gets a new one.

    InvalidRequest for a scope that does not exist.
    """
    key, text = _new_key(workspace_id or str(uuid.uuid4()), name, scopes, clock.now())
    keys.add(key)
    return key, text


def create_key_of_workspace(ports: Ports, workspace_id: str, body: object) -> tuple[ApiKey, SecretStr]:
    """Store a key as the body of POST /v2/keys asks for it, and return it with its text, which is told only now.

    InvalidRequest names the field that cannot be. Repeating it makes another key.
    """
    request = read_body(CreateKeyRequest, body, "POST /v2/keys")
    now = ports.clock.now()
    name, scopes = _checked_name(request.name), _checked_scopes(request.scopes)
    expires_at = _checked_expiry(request.expires_at, now)
    key, text = _new_key(workspace_id, name, scopes, now, expires_at)
    ports.keys.add(key)
    return key, text


def _new_key(
    workspace_id: str, name: str, scopes: tuple[str, ...], now: float, expires_at: float | None = None
) -> tuple[ApiKey, SecretStr]:
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise InvalidRequest(
            f"There is no scope {', '.join(unknown)}.", f"Choose from {', '.join(SCOPES)}.", field="scopes"
        )
    made = NewKey.make()
    key = ApiKey(
        key_id=made.key_id,
        workspace_id=workspace_id,
        name=name,
        scopes=scopes,
        secret_hash=made.secret_hash,
        created_at=now,
        expires_at=expires_at,
    )
    return key, made.text


def _checked_name(name: str | None) -> str:
    if name is None:
        raise MissingParameter("name is missing.", "Say what the key is for.", field="name")
    if not is_name(name, int(KEY_NAME_CHARACTERS)):
        raise InvalidRequest(
            f"name is not 1 to {KEY_NAME_CHARACTERS} characters on one line.", "Say what the key is for.", field="name"
        )
    return name


def _checked_scopes(scopes: list[str] | None) -> tuple[str, ...]:
    if scopes is None:
        return USUAL_SCOPES
    if not scopes:
        raise InvalidRequest("scopes is empty.", f"Choose from {', '.join(SCOPES)}.", field="scopes")
    return tuple(dict.fromkeys(scopes))


def _checked_expiry(text: str | None, now: float) -> float | None:
    at = None if text is None else read_moment(text, "expiresAt")
    if at is not None and at <= now:
        raise InvalidRequest("expiresAt is over.", "Give a time to come, or leave it out.", field="expiresAt")
    return at
