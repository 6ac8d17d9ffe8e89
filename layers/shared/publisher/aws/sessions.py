"""Sessions of the dashboard in DynamoDB, in the table of the keys that they were begun with."""

from typing import Any

from publisher.aws.items import expires, from_item, key, to_item
from publisher.aws.table import Table
from publisher.domain.sessions import Session, SignInTicket
from publisher.ports import Clock


class DynamoSessions:
    """The port Sessions. `client` is a boto3 client of DynamoDB."""

    def __init__(self, client: Any, table_name: str, clock: Clock) -> None:
        self._table = Table(client, table_name, clock)

    def get(self, token_hash: str) -> Session | None:
        """Return a session as it is at this moment."""
        item = self._table.get(key("session", token_hash))
        return from_item(Session, item) if item else None

    def add(self, session: Session) -> None:
        """Store a new session."""
        self._table.add(to_item(session, expires=expires(session.ends_at)) | key("session", session.token_hash))

    def seen(self, token_hash: str, now: float) -> None:
        """Note when a session was used; one that is gone stays gone."""
        self._table.update(key("session", token_hash), {"seen_at": now}, "attribute_exists(pk)")

    def end(self, token_hash: str) -> None:
        """Forget a session. Safe to repeat."""
        self._table.take(key("session", token_hash))

    def add_ticket(self, ticket: SignInTicket) -> None:
        """Store a sign-in link's ticket until it expires."""
        self._table.add(to_item(ticket, expires=expires(ticket.expires_at)) | key("ticket", ticket.token_hash))

    def take_ticket(self, token_hash: str) -> SignInTicket | None:
        """Return and forget a ticket: of several callers one gets it."""
        item = self._table.take(key("ticket", token_hash))
        return from_item(SignInTicket, item) if item else None
