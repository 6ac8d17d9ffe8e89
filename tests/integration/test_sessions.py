"""The port Sessions."""

import math

import pytest

from publisher.domain.sessions import Session, SignInTicket
from tests.builders import NOW, a_key


def a_session(**changes: object) -> Session:
    return Session.model_validate(
        {"token_hash": "hash", "key_id": "ab12cd34", "began_at": NOW + 0.25, "seen_at": NOW + 0.25, **changes}
    )


def a_ticket(**changes: object) -> SignInTicket:
    return SignInTicket.model_validate(
        {"token_hash": "hash", "key_id": "ab12cd34", "expires_at": NOW + 600.5, **changes}
    )


def test_an_added_session_reads_back_as_it_was(ports):
    ports.sessions.add(a_session())
    assert ports.sessions.get("hash") == a_session()


def test_an_unknown_session_is_none(ports):
    assert ports.sessions.get("nobody") is None


def test_use_is_noted_and_nothing_else(ports):
    ports.sessions.add(a_session())
    ports.sessions.seen("hash", NOW + 61.5)
    assert ports.sessions.get("hash") == a_session(seen_at=NOW + 61.5)


def test_an_ended_session_is_gone_and_a_late_note_of_its_use_brings_it_not_back(ports):
    ports.sessions.add(a_session())
    ports.sessions.add(a_session(token_hash="another"))
    ports.sessions.end("hash")
    ports.sessions.end("hash")
    ports.sessions.seen("hash", NOW + 61)
    assert ports.sessions.get("hash") is None
    assert ports.sessions.get("another") == a_session(token_hash="another")


def test_ending_an_unknown_session_changes_nothing(ports):
    ports.sessions.end("nobody")
    assert ports.sessions.get("nobody") is None


def test_a_ticket_is_taken_once(ports):
    ports.sessions.add_ticket(a_ticket())
    assert ports.sessions.take_ticket("hash") == a_ticket()
    assert ports.sessions.take_ticket("hash") is None
    assert ports.sessions.take_ticket("nobody") is None


def test_of_24_browsers_with_one_link_one_gets_it(ports, race):
    ports.sessions.add_ticket(a_ticket())
    outcomes = race(lambda _: ports.sessions.take_ticket("hash"), 24)
    assert [outcome for outcome in outcomes if outcome is not None] == [a_ticket()]


def test_a_ticket_is_no_session_and_a_session_no_ticket(ports):
    ports.sessions.add(a_session(token_hash="session"))
    ports.sessions.add_ticket(a_ticket(token_hash="ticket"))
    assert ports.sessions.get("ticket") is None
    assert ports.sessions.take_ticket("session") is None
    assert ports.sessions.get("session") == a_session(token_hash="session")


def test_sessions_and_tickets_are_in_no_list_of_keys(ports):
    key = a_key()
    ports.keys.add(key)
    ports.sessions.add(a_session(key_id=key.key_id))
    ports.sessions.add_ticket(a_ticket(key_id=key.key_id))
    assert list(ports.keys.of_workspace(key.workspace_id)) == [key]
    assert ports.keys.get("hash") is None


# DynamoDB


@pytest.mark.parametrize("value", [a_session(), a_ticket()], ids=["session", "ticket"])
def test_dynamodb_removes_what_is_over(aws_ports, value):
    if isinstance(value, Session):
        aws_ports.sessions.add(value)
        over = value.ends_at
    else:
        aws_ports.sessions.add_ticket(value)
        over = value.expires_at
    (item,) = aws_ports.aws.clients["dynamodb"].scan(TableName="KeysTable")["Items"]
    assert int(item["expires"]["N"]) == math.ceil(over)
