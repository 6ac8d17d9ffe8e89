"""Tell what is left of an account's limits."""

from publisher.domain.quota import Quota, quota_of
from publisher.domain.slots import APP
from publisher.ports import Ports
from publisher.use_cases.load_account import load_account


def get_quota(ports: Ports, workspace_id: str, account_id: str) -> Quota:
    """Return what is left now; NotFound when this workspace has no such account. Takes nothing."""
    account = load_account(ports, workspace_id, account_id)
    return quota_of(ports.slots.get(account.account_id), ports.slots.get(APP), ports.clock.now())
