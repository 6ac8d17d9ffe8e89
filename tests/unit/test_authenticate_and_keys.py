"""API keys: made once, known by a hash, and refused in the same words whatever is wrong with them."""

import pytest

from publisher.domain.errors import InvalidApiKey, InvalidRequest
from publisher.domain.keys import SCOPES, NewKey, hash_secret, split_key
from publisher.use_cases.authenticate import authenticate
from publisher.use_cases.create_key import create_key
from tests.builders import NOW, a_key


def make(ports, **changes):
    key, text = create_key(ports.keys, ports.clock, **{"name": "a key", **changes})
    return key, text.get_secret_value()


def change(ports, key, **changes):
    """Store what a key becomes later."""
    ports.keys._keys[key.key_id] = key.model_copy(update=changes)


def test_a_new_key_opens_its_workspace(ports):
    key, text = make(ports, workspace_id="workspace-1")
    found = authenticate(ports, text)
    assert (found.key_id, found.workspace_id, found.scopes) == (key.key_id, "workspace-1", SCOPES)


def test_a_key_without_a_workspace_founds_a_new_one(ports):
    assert make(ports)[0].workspace_id != make(ports)[0].workspace_id


def test_a_keys_text_is_stored_nowhere(ports):
    key, text = make(ports)
    secret = text[len("tkp_live_12345678_") : -6]
    assert split_key(text) == (key.key_id, secret)
    assert secret not in key.model_dump_json()
    assert key.secret_hash == hash_secret(secret)
    assert text not in repr(create_key(ports.keys, ports.clock, name="n")[1])


def test_a_key_is_256_random_bits_with_a_checksum():
    made = [NewKey.make().text.get_secret_value() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(text.startswith("tkp_live_") and split_key(text) for text in made)


def test_every_single_typing_error_is_caught_without_a_look_up():
    text = NewKey.make().text.get_secret_value()
    for position in range(len(text)):
        wrong = "x" if text[position] != "x" else "y"
        assert split_key(text[:position] + wrong + text[position + 1 :]) is None


def wrong_keys(ports):
    key, text = make(ports)
    yield "none", None
    yield "empty", ""
    yield "no key at all", "secret"
    yield "cut", text[:-1]
    yield "longer", text + "0"
    yield "another's text", NewKey.make().text.get_secret_value()
    yield "not ASCII", text[:-1] + "é"
    yield "too long", "tkp_live_" * 10000
    change(ports, key, secret_hash=hash_secret("another"))
    yield "another secret", text
    change(ports, key, revoked_at=NOW)
    yield "revoked", text
    change(ports, key, expires_at=NOW)
    yield "expired", text


def test_every_wrong_key_is_refused_in_the_same_words(ports):
    said = {}
    for name, text in wrong_keys(ports):
        with pytest.raises(InvalidApiKey) as caught:
            authenticate(ports, text)
        said[name] = (caught.value.error, caught.value.message)
    assert len(said) == 11
    assert set(said.values()) == {said["none"]}
    assert said["none"][0] == "Invalid or missing API key"


def test_a_key_counts_until_its_last_second(ports):
    key, text = make(ports)
    change(ports, key, expires_at=NOW + 1)
    assert authenticate(ports, text)
    ports.clock.time += 1
    with pytest.raises(InvalidApiKey):
        authenticate(ports, text)


def test_the_last_use_is_noted_once_an_hour(ports):
    key, text = make(ports)
    for seconds, noted in ((0, NOW), (3599, NOW), (3600, NOW + 3600)):
        ports.clock.time = NOW + seconds
        authenticate(ports, text)
        assert ports.keys.get(key.key_id).last_used_at == noted


def test_a_scope_that_does_not_exist_is_refused(ports):
    with pytest.raises(InvalidRequest, match="posts:delete"):
        make(ports, scopes=("posts:read", "posts:delete"))


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_may_do_what_its_scopes_name_and_an_admin_key_everything(scope):
    assert a_key(scopes=(scope,)).allows(scope)
    assert a_key(scopes=("admin",)).allows(scope)
    assert not a_key(scopes=tuple({*SCOPES} - {scope, "admin"})).allows(scope)
