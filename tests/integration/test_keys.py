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
