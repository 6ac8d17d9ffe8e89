"""Read an account of the caller's workspace."""

from publisher.domain.accounts import Account
from publisher.domain.errors import NotFound
from publisher.domain.rules import is_id
from publisher.ports import Ports


def load_account(ports: Ports, workspace_id: str, account_id: str) -> Account:
    """Return the account as it is at this moment; NotFound when this workspace has none, or had it disconnected."""
    account = ports.accounts.get(account_id) if is_id(account_id) else None
    if account is None or account.workspace_id != workspace_id or not account.connected:
        raise NotFound("There is no such account.", "GET /api/accounts lists the workspace's accounts.")
    return account
