"""When a token is fresh, who may refresh it, and what state an account is in."""

import pytest

from publisher.domain.accounts import (
    SCOPES,
    AccountState,
    fresh_enough,
    leased_by_other,
    usable,
    with_lease,
)
from tests.builders import NOW, an_account, sealed_tokens

DAY = 86400


@pytest.mark.parametrize(
    ("lifetime", "left", "fresh"),
    [
        (86400, 21600, True),
        (86400, 21599, False),
        (7200, 1800, True),
        (7200, 1799, False),
        (1200, 600, True),
        (1200, 599, False),
        (300, 300, False),
    ],
)
def test_a_token_is_fresh_with_a_quarter_of_its_life_and_ten_minutes_left(lifetime, left, fresh):
    assert fresh_enough(sealed_tokens(lifetime=lifetime, expires_at=NOW + left), NOW) is fresh


@pytest.mark.parametrize(("left", "works"), [(1, True), (0, False), (-1, False)])
def test_a_token_works_until_it_expires(left, works):
    assert usable(sealed_tokens(expires_at=NOW + left), NOW) is works


def test_a_lease_is_one_workers_for_thirty_seconds():
    leased = with_lease(sealed_tokens(), "first", NOW)
    assert not leased_by_other(sealed_tokens(), "second", NOW)
    assert not leased_by_other(leased, "first", NOW)
    assert leased_by_other(leased, "second", NOW + 29.9)
    assert not leased_by_other(leased, "second", NOW + 30)


@pytest.mark.parametrize(
    ("days_left", "reauthorize_since", "state"),
    [
        (365, None, AccountState.ACTIVE),
        (14.1, None, AccountState.ACTIVE),
        (14, None, AccountState.EXPIRING),
        (0.1, None, AccountState.EXPIRING),
        (0, None, AccountState.REAUTHORIZE),
        (365, NOW, AccountState.REAUTHORIZE),
    ],
)
def test_an_account_expires_with_its_refresh_token(days_left, reauthorize_since, state):
    tokens = sealed_tokens(refresh_expires_at=NOW + days_left * DAY)
    assert an_account(tokens=tokens, reauthorize_since=reauthorize_since).state(NOW) is state


@pytest.mark.parametrize(
    ("changes", "reason", "since"),
    [
        ({}, None, None),
        ({"tokens": sealed_tokens(refresh_expires_at=NOW + 4 * DAY)}, "ends within 14 days", NOW - 10 * DAY),
        ({"tokens": sealed_tokens(refresh_expires_at=NOW - DAY)}, "has ended", NOW - DAY),
        ({"reauthorize_since": NOW - 5, "reauthorize_reason": "TikTok banned it."}, "TikTok banned it.", NOW - 5),
        ({"disconnected_at": NOW - 9, "tokens": None}, "disconnected", NOW - 9),
    ],
)
def test_every_state_but_active_has_a_reason_and_a_moment(changes, reason, since):
    standing = an_account(**changes).standing(NOW)
    assert (reason or "") in (standing.reason or "")
    assert (standing.reason is None, standing.since) == (reason is None, since)
    assert standing.state is an_account(**changes).state(NOW)


def test_an_account_is_disconnected_while_its_access_is_still_being_given_up():
    account = an_account(disconnected_at=NOW)
    assert (account.state(NOW), account.connected) == (AccountState.DISCONNECTED, False)


def test_a_dead_access_token_leaves_the_account_active():
    assert an_account(tokens=sealed_tokens(expires_at=NOW - 1)).state(NOW) is AccountState.ACTIVE


def test_without_tokens_an_account_is_disconnected():
    assert an_account(tokens=None, reauthorize_since=NOW).state(NOW) is AccountState.DISCONNECTED


def test_missing_scopes_are_those_that_were_asked_for_and_not_granted():
    assert an_account(scopes=SCOPES).missing_scopes == ()
    assert an_account(scopes=("video.upload", "something.new")).missing_scopes == tuple(
        scope for scope in SCOPES if scope != "video.upload"
    )
