"""Accounts, and connections under way, in DynamoDB.

A TikTok user is held by one account: the item `open_id#…` names it, and is stored together with it.
"""

from collections.abc import Sequence
from typing import Any

from publisher.aws.items import Item, created, decode, encode, expires, from_item, key, to_item
from publisher.aws.table import Put, Table, longest_overdue, watched
from publisher.domain.accounts import WATCH_SHARDS, Account
from publisher.domain.errors import Busy
from publisher.ports import Clock, PendingConnection


class DynamoAccounts:
    """The port Accounts. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def get(self, account_id: str) -> Account | None:
        """Return the account as it is at this moment."""
        item = self._table.get(key("account", account_id))
        return from_item(Account, item) if item else None

    def find_open_id(self, open_id: str) -> Account | None:
        """Return the account that holds this TikTok user, in whatever workspace."""
        holder = self._table.get(key("open_id", open_id))
        return self.get(str(decode(holder["account_id"]))) if holder else None

    def of_workspace(self, workspace_id: str) -> Sequence[Account]:
        """List a workspace's accounts, oldest first; one just added may not be there yet."""
        items = self._table.query(
            "by_workspace",
            KeyConditionExpression="workspace_id = :workspace_id",
            ExpressionAttributeValues={":workspace_id": encode(workspace_id)},
        )
        return [from_item(Account, item) for item in items]

    def add(self, account: Account) -> None:
        """Store a new account; Busy when its TikTok user is held by another one."""
        link = {"account_id": encode(account.account_id)} | key("open_id", account.open_id)
        if self._table.add(_item(account), link):
            return
        if self._table.get(key("open_id", account.open_id)) != link:
            raise Busy("Another account holds this TikTok user.", "Read it again.")

    def move(self, former: Account, account: Account) -> None:
        """Store a new account that takes the TikTok user of `former`, and `former` as it is changed."""
        new = former.model_copy(update={"version": former.version + 1})
        link = {"account_id": encode(account.account_id)} | key("open_id", account.open_id)
        moved = self._table.put(
            Put(_item(new), "version = :seen", {":seen": encode(former.version)}),
            Put(link, "account_id = :former", {":former": encode(former.account_id)}),
            Put(_item(account), "attribute_not_exists(pk)", {}),
        )
        if not moved and self._table.get(key("open_id", account.open_id)) != link:
            raise Busy("Another worker has changed the account since it was read.", "Read it and try again.")

    def save(self, account: Account) -> Account:
        """Store a changed account unless its version has moved on, then Busy."""
        new = account.model_copy(update={"version": account.version + 1})
        changes = {**new.model_dump(mode="json"), "watch": _watch(new)}
        if not self._table.update(key("account", account.account_id), changes, "version = :seen", seen=account.version):
            raise Busy("Another worker has changed the account since it was read.", "Read it and try again.")
        return new

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` accounts whose watch time has come, the longest overdue first."""
        shards = (self._table.query("by_watch", **watched(shard, now, most)) for shard in range(WATCH_SHARDS))
        return [item["pk"]["S"].removeprefix("account#") for item in longest_overdue(shards, most)]

    def begin_connecting(self, pending: PendingConnection) -> None:
        """Remember a connection under way until it expires."""
        self._table.add(to_item(pending, expires=expires(pending.expires_at)) | key("connection", pending.token_hash))

    def finish_connecting(self, token_hash: str) -> PendingConnection | None:
        """Return and forget a connection under way: of several callers one gets it."""
        item = self._table.take(key("connection", token_hash))
        return from_item(PendingConnection, item) if item else None


def _item(account: Account) -> Item:
    """Return an account as it is stored whole."""
    stamp = created(account.created_at, account.account_id)
    return to_item(account, created=stamp, watch=_watch(account)) | key("account", account.account_id)


def _watch(account: Account) -> str | None:
    """Return the account's partition of the index of watched accounts; one without a watch time is not in it."""
    return None if account.watch_at is None else account.watch_shard
