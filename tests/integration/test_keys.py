"""The port Keys."""

import pytest

from publisher.domain.errors import Busy
from tests.builders import NOW, a_key


def test_an_added_key_reads_back_as_it_was(ports):
    key = a_key(expires_at=NOW + 0.5)
    ports.keys.add(key)
    assert ports.keys.get(key.key_id) == key


def test_an_unknown_key_is_none(ports):
    assert ports.keys.get("nobody") is None


def test_adding_a_key_again_is_the_same_key(ports):
    key = a_key()
    ports.keys.add(key)
    ports.keys.add(key)
    assert ports.keys.get(key.key_id) == key


def test_a_key_never_replaces_another(ports):
    key = a_key("one")
    ports.keys.add(key)
    with pytest.raises(Busy):
        ports.keys.add(a_key("two", key_id=key.key_id))
    assert ports.keys.get(key.key_id) == key


def test_the_last_use_is_noted_and_nothing_else(ports):
    key = a_key()
    ports.keys.add(key)
    ports.keys.used(key.key_id, NOW + 7.25)
    assert ports.keys.get(key.key_id) == key.model_copy(update={"last_used_at": NOW + 7.25})


def test_using_an_unknown_key_makes_none(ports):
    ports.keys.used("nobody", NOW)
    assert ports.keys.get("nobody") is None


def test_a_workspace_lists_its_own_keys_oldest_first(ports):
    keys = [a_key(created_at=NOW + number) for number in (3, 1, 2.5)]
    for key in (*keys, a_key(workspace_id="workspace-2", created_at=NOW)):
        ports.keys.add(key)
    assert list(ports.keys.of_workspace("workspace-1")) == [keys[1], keys[2], keys[0]]
    assert list(ports.keys.of_workspace("nobody")) == []


def test_all_of_many_keys_are_listed(ports):
    keys = [a_key(name="n" * 100, created_at=NOW + number) for number in range(120)]
    for key in keys:
        ports.keys.add(key)
    assert list(ports.keys.of_workspace("workspace-1")) == keys


def test_a_revoked_key_stays_and_keeps_its_first_moment(ports):
    key = a_key()
    ports.keys.add(key)
    ports.keys.revoke(key.key_id, NOW + 1)
    ports.keys.revoke(key.key_id, NOW + 2)
    revoked = key.model_copy(update={"revoked_at": NOW + 1})
    assert ports.keys.get(key.key_id) == revoked
    assert list(ports.keys.of_workspace("workspace-1")) == [revoked]


def test_a_note_of_a_last_use_that_comes_late_keeps_a_key_revoked(ports):
    key = a_key()
    ports.keys.add(key)
    ports.keys.revoke(key.key_id, NOW + 1)
    ports.keys.used(key.key_id, NOW + 2)
    assert ports.keys.get(key.key_id).revoked_at == NOW + 1


def test_revoking_an_unknown_key_makes_none(ports):
    ports.keys.revoke("nobody", NOW)
    assert ports.keys.get("nobody") is None


# DynamoDB
def test_a_revocation_whose_answer_was_lost_has_happened(aws_ports):
    key = a_key()
    aws_ports.keys.add(key)
    aws_ports.aws.lose_answer("dynamodb", "UpdateItem")
    aws_ports.keys.revoke(key.key_id, NOW + 1)
    assert aws_ports.keys.get(key.key_id).revoked_at == NOW + 1


def test_dynamodb_removes_no_key_not_even_one_that_has_expired(aws_ports):
    key = a_key(expires_at=NOW - 1, revoked_at=NOW - 1)
    aws_ports.keys.add(key)
    (item,) = aws_ports.aws.clients["dynamodb"].scan(TableName="KeysTable")["Items"]
    assert "expires" not in item
