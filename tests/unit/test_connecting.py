"""Connecting an account: once, in time, in the browser where it began, and only to the workspace that asked."""

import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from publisher.domain.accounts import SCOPES, AccountState
from publisher.domain.errors import Busy, ConnectionRefused, ServiceUnavailable
from publisher.use_cases.finish_connecting import Callback, finish_connecting
from publisher.use_cases.list_accounts import list_accounts
from publisher.use_cases.start_connecting import (
    ConsentVisit,
    hashed,
    make_connect_link,
    open_connect_link,
    start_connecting,
    verifier_of,
)
from publisher.use_cases.use_access_token import use_access_token
from tests.builders import NOW
from tests.fakes import FakePorts

MINE, THEIRS = "workspace-1", "workspace-2"
REDIRECT = "https://api.example/oauth/tiktok/callback"


def query_of(visit: ConsentVisit) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(visit.url).query).items()}


def consent(ports: FakePorts, visit: ConsentVisit, **changes: Any) -> Callback:
    """The creator agrees, and his browser comes back."""
    query = query_of(visit)
    code = ports.tiktok.consent(query["code_challenge"], query["redirect_uri"], **changes)
    return Callback(state=query["state"], code=code, session=visit.session)


def connect(ports: FakePorts, workspace_id: str = MINE, **changes: Any):
    return finish_connecting(ports, consent(ports, start_connecting(ports, workspace_id, REDIRECT), **changes))


def refused(ports: FakePorts, callback: Callback) -> ConnectionRefused:
    """The account is not connected, and the error says what to do."""
    with pytest.raises(ConnectionRefused) as caught:
        finish_connecting(ports, callback)
    assert list_accounts(ports, MINE) == []
    assert caught.value.error.endswith(".")
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_connected_account_can_be_used(ports):
    account = connect(ports)
    assert account.state(ports.clock.now()) is AccountState.ACTIVE
    assert (account.workspace_id, account.scopes, account.missing_scopes) == (MINE, SCOPES, ())
    assert (account.username, account.display_name) == ("a_creator", "A Creator")
    creator = use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=100)
    assert creator.username == "a_creator"


def test_the_consent_page_asks_for_every_scope_and_holds_no_secret_of_the_session(ports):
    visit = start_connecting(ports, MINE, REDIRECT)
    query = query_of(visit)
    assert set(query["scope"].split(",")) == set(SCOPES)
    assert query["redirect_uri"] == REDIRECT
    assert visit.session not in visit.url


def test_the_challenge_is_the_hex_hash_of_a_verifier_that_keeps_to_the_rules(ports):
    visit = start_connecting(ports, MINE, REDIRECT)
    query = query_of(visit)
    verifier = verifier_of(query["state"], visit.session)
    assert query["code_challenge"] == hashlib.sha256(verifier.encode()).hexdigest()
    assert re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", verifier)


def test_states_sessions_and_links_are_256_random_bits_stored_hashed(ports):
    visits = [start_connecting(ports, MINE, REDIRECT) for _ in range(50)]
    link = make_connect_link(ports, MINE)
    tokens = {query_of(visit)["state"] for visit in visits} | {visit.session for visit in visits} | {link.ticket}
    assert len(tokens) == 101
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    stored = repr(ports.accounts._pending)
    assert not any(token in stored for token in tokens)


@pytest.mark.parametrize("state", [None, "", "wrong", "x" * 5000])
def test_a_missing_or_wrong_state_is_refused(ports, state):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    refused(ports, callback.model_copy(update={"state": state}))


def test_a_state_counts_once(ports):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    account = finish_connecting(ports, callback)
    with pytest.raises(ConnectionRefused, match="used before"):
        finish_connecting(ports, callback)
    assert list_accounts(ports, MINE) == [account]


@pytest.mark.parametrize(("seconds", "good"), [(599, True), (600, False), (601, False)])
def test_a_state_counts_for_ten_minutes(ports, seconds, good):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    ports.clock.time += seconds
    if good:
        assert finish_connecting(ports, callback)
    else:
        assert "too old" in refused(ports, callback).error


@pytest.mark.parametrize("session", [None, "", "another"])
def test_another_browser_or_one_without_a_cookie_is_refused(ports, session):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    assert "another browser" in refused(ports, callback.model_copy(update={"session": session})).error


def test_another_attempts_session_is_refused(ports):
    """An attacker's state in a victim's browser, where a connection of the victim's own is under way."""
    attack, victim = start_connecting(ports, THEIRS, REDIRECT), start_connecting(ports, MINE, REDIRECT)
    refused(ports, consent(ports, attack).model_copy(update={"session": victim.session}))
    assert list_accounts(ports, THEIRS) == []


def test_the_workspace_is_the_one_that_began(ports):
    account = connect(ports, THEIRS)
    assert (list_accounts(ports, THEIRS), list_accounts(ports, MINE)) == ([account], [])


def test_a_creator_who_declines_connects_nothing(ports):
    visit = start_connecting(ports, MINE, REDIRECT)
    callback = Callback(state=query_of(visit)["state"], error="access_denied", session=visit.session)
    error = refused(ports, callback)
    assert (error.error, error.tiktok_code) == ("The creator did not allow access.", "access_denied")


@pytest.mark.parametrize(
    ("said", "error_type", "words"),
    [
        ("unauthorized_client", None, "Login Kit"),
        ("invalid_scope", None, "scope"),
        ("param_error", None, "redirect URI"),
        ("server_error", None, "Start again"),
        ("access_denied", "non_sandbox_target", "developer portal"),
        ("<script>", None, "Start again"),
    ],
)
def test_what_tiktok_says_against_it_is_told_with_what_to_do(ports, said, error_type, words):
    visit = start_connecting(ports, MINE, REDIRECT)
    error = refused(
        ports, Callback(state=query_of(visit)["state"], error=said, error_type=error_type, session=visit.session)
    )
    assert words in error.message
    assert "<script>" not in f"{error.error} {error.message} {error.tiktok_code}"


def test_an_error_counts_only_with_the_state_and_session_it_belongs_to(ports):
    visit = start_connecting(ports, MINE, REDIRECT)
    state = query_of(visit)["state"]
    assert "another browser" in refused(ports, Callback(state=state, error="access_denied", session="another")).error


def test_a_callback_without_a_code_is_refused(ports):
    visit = start_connecting(ports, MINE, REDIRECT)
    assert "no code" in refused(ports, Callback(state=query_of(visit)["state"], session=visit.session)).error


def test_a_code_that_was_used_is_refused(ports):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    ports.tiktok._codes.clear()
    refused(ports, callback)


def test_the_code_of_another_attempt_is_refused(ports):
    """A code only counts with the verifier of the browser it was issued to."""
    attack, victim = start_connecting(ports, MINE, REDIRECT), start_connecting(ports, MINE, REDIRECT)
    stolen = consent(ports, attack).code
    refused(ports, Callback(state=query_of(victim)["state"], code=stolen, session=victim.session))


def test_a_partial_grant_connects_with_what_it_allows_and_says_what_is_missing(ports):
    account = connect(ports, scopes=("user.info.basic", "video.upload"))
    assert account.scopes == ("user.info.basic", "video.upload")
    assert account.missing_scopes == ("user.info.profile", "user.info.stats", "video.list", "video.publish")
    assert account.username == ""


def test_reconnecting_keeps_the_account_id_and_mends_the_account(ports):
    first = connect(ports, open_id="open-1", scopes=("user.info.basic",))
    ports.accounts.save(first.model_copy(update={"reauthorize_since": NOW, "reauthorize_reason": "Refused."}))
    ports.clock.time += 60
    second = connect(ports, open_id="open-1")
    assert (second.account_id, second.created_at, second.updated_at) == (first.account_id, NOW, NOW + 60)
    assert (second.state(ports.clock.now()), second.reauthorize_reason) == (AccountState.ACTIVE, "")
    assert (second.scopes, second.tokens.ver) == (SCOPES, 2)
    assert list_accounts(ports, MINE) == [second]


def test_an_account_of_another_workspace_is_refused_and_stays_where_it_is(ports):
    theirs = connect(ports, THEIRS, open_id="open-1")
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT), open_id="open-1")
    assert "another workspace" in refused(ports, callback).error
    assert list_accounts(ports, THEIRS) == [theirs]


def test_reconnecting_while_a_worker_changes_the_account_keeps_the_new_tokens(ports):
    """The code is spent and the new tokens exist nowhere else, so the write is made again."""
    connect(ports, open_id="open-1")
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT), open_id="open-1")
    ports.accounts.faults.before("save", Busy("Another worker has changed the account.", "Try again."))
    account = finish_connecting(ports, callback)
    assert account.model_dump()["tokens"]["ver"] == 2
    assert use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=100)


def test_connecting_one_creator_twice_at_the_same_moment_makes_one_account(ports):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT), open_id="open-1")
    add = ports.accounts.add

    def add_after_another(account):
        ports.accounts.add = add
        connect(ports, open_id="open-1")
        add(account)

    ports.accounts.add = add_after_another
    finish_connecting(ports, callback)
    (account,) = list_accounts(ports, MINE)
    assert (account.open_id, account.model_dump()["tokens"]["ver"]) == ("open-1", 2)


def test_two_workspaces_that_connect_one_creator_at_the_same_moment_do_not_both_get_him(ports):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT), open_id="open-1")
    add = ports.accounts.add

    def add_after_another(account):
        ports.accounts.add = add
        connect(ports, THEIRS, open_id="open-1")
        add(account)

    ports.accounts.add = add_after_another
    assert "another workspace" in refused(ports, callback).error


def test_when_tiktok_is_down_nothing_is_connected(ports):
    callback = consent(ports, start_connecting(ports, MINE, REDIRECT))
    ports.tiktok.faults.before("exchange_code", ServiceUnavailable("TikTok is down.", "Try again."))
    with pytest.raises(ServiceUnavailable):
        finish_connecting(ports, callback)
    assert list_accounts(ports, MINE) == []


def test_tokens_are_bound_to_their_account(ports):
    account = connect(ports)
    other = connect(ports)
    ports.accounts.save(other.model_copy(update={"tokens": account.tokens}))
    with pytest.raises(Exception, match="cannot be opened"):
        use_access_token(ports, other.account_id, ports.tiktok.creator, seconds_left=100)


# Links


def test_a_link_connects_to_the_workspace_it_was_made_for(ports):
    visit = open_connect_link(ports, make_connect_link(ports, MINE).ticket, REDIRECT)
    assert finish_connecting(ports, consent(ports, visit)).workspace_id == MINE


def test_a_link_opens_once(ports):
    ticket = make_connect_link(ports, MINE).ticket
    open_connect_link(ports, ticket, REDIRECT)
    with pytest.raises(ConnectionRefused, match="used before or is too old"):
        open_connect_link(ports, ticket, REDIRECT)


def test_a_link_opens_for_ten_minutes(ports):
    link = make_connect_link(ports, MINE)
    assert link.expires_at == NOW + 600
    ports.clock.time += 600
    with pytest.raises(ConnectionRefused, match="used before or is too old"):
        open_connect_link(ports, link.ticket, REDIRECT)


def test_a_ticket_is_no_state_and_a_state_is_no_ticket(ports):
    ticket = make_connect_link(ports, MINE).ticket
    refused(ports, Callback(state=ticket, code="code", session=""))
    state = query_of(start_connecting(ports, MINE, REDIRECT))["state"]
    with pytest.raises(ConnectionRefused):
        open_connect_link(ports, state, REDIRECT)


def test_what_is_stored_of_a_token_is_its_sha256():
    assert hashed("token") == hashlib.sha256(b"token").hexdigest()


def test_a_disconnected_account_is_not_listed(ports):
    account = connect(ports)
    ports.accounts.save(account.model_copy(update={"tokens": None}))
    assert list_accounts(ports, MINE) == []
