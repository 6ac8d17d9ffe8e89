"""Revoke an API key."""

from publisher.domain.errors import NotFound
from publisher.domain.keys import ApiKey, is_key_id
from publisher.ports import Ports


def revoke_key(ports: Ports, workspace_id: str, key_id: str) -> ApiKey:
    """Revoke a key of the workspace, from its next request on, and return it as it is then; again changes nothing.

    NotFound for another workspace's key as for none.
    """
    key = _key_of(ports, workspace_id, key_id)
    ports.keys.revoke(key.key_id, ports.clock.now())
    return _key_of(ports, workspace_id, key_id)


def _key_of(ports: Ports, workspace_id: str, key_id: str) -> ApiKey:
    key = ports.keys.get(key_id) if is_key_id(key_id) else None
    if key is None or key.workspace_id != workspace_id:
        raise NotFound("There is no such key in this workspace.", "GET /v2/keys lists them.")
    return key
