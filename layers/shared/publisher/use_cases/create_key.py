"""Make an API key, and with the first one a workspace."""

import uuid

from pydantic import SecretStr

from publisher.domain.errors import InvalidRequest
from publisher.domain.keys import SCOPES, ApiKey, NewKey
from publisher.ports import Clock, Keys


def create_key(
    keys: Keys, clock: Clock, *, name: str, scopes: tuple[str, ...] = SCOPES, workspace_id: str | None = None
) -> tuple[ApiKey, SecretStr]:
    """Store a new key and return it with its text, which cannot be read again; without a workspace it gets a new one.

    InvalidRequest for a scope that does not exist.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise InvalidRequest(f"There is no scope {', '.join(unknown)}.", f"Choose from {', '.join(SCOPES)}.")
    made = NewKey.make()
    key = ApiKey(
        key_id=made.key_id,
        workspace_id=workspace_id or str(uuid.uuid4()),
        name=name,
        scopes=scopes,
        secret_hash=made.secret_hash,
        created_at=clock.now(),
    )
    keys.add(key)
    return key, made.text
