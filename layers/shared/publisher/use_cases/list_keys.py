"""List a workspace's API keys."""

from collections.abc import Sequence

from publisher.domain.keys import ApiKey
from publisher.ports import Ports


def list_keys(ports: Ports, workspace_id: str) -> Sequence[ApiKey]:
    """Return all keys, oldest first, also those that count no more; one just made may not be there yet."""
    return ports.keys.of_workspace(workspace_id)
