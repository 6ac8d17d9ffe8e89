"""List a workspace's accounts."""

from collections.abc import Sequence

from publisher.domain.accounts import Account
from publisher.ports import Ports


def list_accounts(ports: Ports, workspace_id: str) -> Sequence[Account]:
    """Return the accounts that are connected or were, but not those that were disconnected; oldest first."""
    return [account for account in ports.accounts.of_workspace(workspace_id) if account.connected]
