"""Accounts that stay alive: a refresh token that nobody uses is used before it dies, and one that is dead is told."""

import pytest

from publisher.domain.accounts import Account, AccountState, idle, look_next, notified
from publisher.domain.errors import Busy, RateLimitExceeded, ServiceUnavailable, Timeout, TokenExpired
from publisher.use_cases.look_after_each import LookedAfter
from publisher.use_cases.sweep import sweep
from publisher.use_cases.use_access_token import use_access_token
from tests.builders import NOW, an_account, sealed_tokens
from tests.fakes import FakePorts, Killed
from tests.unit.test_connecting import connect

DAY = 86400


def stored(ports: FakePorts, account_id: str) -> Account:
    account = ports.accounts.get(account_id)
    assert account is not None
    return account


def swept(ports: FakePorts) -> LookedAfter:
    return sweep(ports, seconds_left=lambda: 100)


def live(ports: FakePorts, days: float) -> None:
    """Let days pass in which nobody does anything, but the sweep whenever an account is due."""
    until = ports.clock.time + days * DAY
    while (watched := [one.watch_at for one in ports.accounts._accounts.values() if one.watch_at is not None]) and min(
        watched
    ) <= until:
        ports.clock.time = max(ports.clock.time, min(watched))
        swept(ports)
    ports.clock.time = until


@pytest.fixture
def account_id(ports):
    return connect(ports, open_id="open-1").account_id


# When


@pytest.mark.parametrize(
    ("used_days_ago", "days_left", "is_idle"),
    [(0, 365, False), (29.9, 335, False), (30, 335, True), (1, 15.1, False), (1, 15, True), (1, 1, True)],
)
def test_a_refresh_token_is_used_after_thirty_days_and_in_its_last_fifteen(used_days_ago, days_left, is_idle):
    tokens = sealed_tokens(
        expires_at=NOW - used_days_ago * DAY + 7200, lifetime=7200, refresh_expires_at=NOW + days_left * DAY
    )
    assert idle(an_account(tokens=tokens), NOW) is is_idle


def test_the_next_look_is_when_the_refresh_token_is_to_be_used_and_then_daily():
    fresh = sealed_tokens(expires_at=NOW + DAY, lifetime=DAY, refresh_expires_at=NOW + 180 * DAY)
    assert look_next(an_account(tokens=fresh), NOW).watch_at == NOW + 30 * DAY
    short = fresh.model_copy(update={"refresh_expires_at": NOW + 40 * DAY})
    assert look_next(an_account(tokens=short), NOW).watch_at == NOW + 25 * DAY
    late = fresh.model_copy(update={"refresh_expires_at": NOW + 14 * DAY})
    assert look_next(an_account(tokens=late, noticed=AccountState.EXPIRING), NOW).watch_at == NOW + DAY


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": None},
        {"disconnected_at": NOW},
        {"reauthorize_since": NOW},
        {"tokens": sealed_tokens(refresh_expires_at=NOW)},
    ],
)
def test_an_account_that_cannot_be_used_is_not_kept_alive(changes):
    assert look_next(notified(an_account(**{"watch_at": NOW, **changes}), NOW), NOW).watch_at is None


def test_an_account_whose_workspace_is_not_told_its_state_is_looked_at_soon():
    for account in (an_account(reauthorize_since=NOW), an_account(tokens=None), an_account(noticed=None)):
        assert look_next(account, NOW).watch_at == NOW + 120


# What happens


@pytest.mark.parametrize("lifetime", [7200, DAY])
def test_an_account_that_nobody_uses_for_three_years_stays_connected(ports, lifetime):
    ports.tiktok.lifetime = lifetime
    account_id = connect(ports, open_id="open-1").account_id
    for _ in range(36):
        live(ports, 30.5)
        assert stored(ports, account_id).state(ports.clock.time) is AccountState.ACTIVE
    assert use_access_token(ports, account_id, ports.tiktok.creator, seconds_left=100).username == "a_creator"
    assert 35 <= ports.tiktok.refreshes <= 38


def test_an_account_in_use_is_not_refreshed_more_often(ports, account_id):
    for _ in range(40):
        live(ports, 1)
        use_access_token(ports, account_id, ports.tiktok.creator, seconds_left=100)
    assert ports.tiktok.refreshes == 40


def test_a_dead_refresh_token_is_told_with_moment_and_reason_before_anybody_needs_it(ports, account_id):
    ports.tiktok.remove_app("open-1")
    live(ports, 31)
    account = stored(ports, account_id)
    assert account.state(ports.clock.time) is AccountState.REAUTHORIZE
    assert (account.reauthorize_since, account.reauthorize_reason) == (
        NOW + 30 * DAY,
        "TikTok refuses to refresh the token.",
    )
    assert account.watch_at is None, "nobody but the creator can help"


@pytest.mark.parametrize(
    "error",
    [
        ServiceUnavailable("TikTok is down.", "Try again."),
        Timeout("No answer.", "Try again."),
        RateLimitExceeded("Too many.", "Wait.", retry_after=60),
    ],
)
def test_without_a_clear_answer_the_account_stays_active_and_is_refreshed_soon(ports, account_id, error):
    live(ports, 29)
    ports.tiktok.faults.before("refresh", error)
    ports.clock.time = NOW + 30 * DAY
    assert list(swept(ports).errors) == [account_id]
    assert stored(ports, account_id).state(ports.clock.time) is AccountState.ACTIVE
    live(ports, 0.01)
    assert (ports.tiktok.refreshes, stored(ports, account_id).watch_at > ports.clock.time + DAY) == (1, True)


def test_one_accounts_trouble_stops_no_other(ports):
    accounts = [connect(ports, open_id=f"open-{number}").account_id for number in range(3)]
    live(ports, 29)
    ports.tiktok.remove_app("open-0")
    ports.tiktok.faults.before("refresh", RuntimeError("broken"))
    ports.clock.time = NOW + 30 * DAY
    with pytest.raises(ExceptionGroup, match="could not be looked after"):
        swept(ports)
    live(ports, 1)
    states = sorted(stored(ports, account_id).state(ports.clock.time) for account_id in accounts)
    assert states == [AccountState.ACTIVE, AccountState.ACTIVE, AccountState.REAUTHORIZE]


def test_a_worker_killed_while_tiktok_answers_leaves_an_account_that_asks_for_its_creator(ports, account_id):
    live(ports, 29)
    ports.tiktok.faults.after("refresh", Killed())
    ports.clock.time = NOW + 30 * DAY
    with pytest.raises(Killed):
        swept(ports)
    live(ports, 1)
    assert stored(ports, account_id).state(ports.clock.time) is AccountState.REAUTHORIZE
    assert stored(ports, account_id).watch_at is None


def test_tokens_that_come_late_bring_an_account_back_under_watch(ports, account_id):
    """Another worker gave the account up while TikTok's answer to the first one was under way."""
    live(ports, 29)
    refresh = ports.tiktok.refresh

    def answer_late(token):
        grant = refresh(token)
        ports.clock.time += 150
        swept(ports)
        assert stored(ports, account_id).state(ports.clock.time) is AccountState.REAUTHORIZE
        return grant

    ports.tiktok.refresh = answer_late
    ports.clock.time = NOW + 30 * DAY
    swept(ports)
    ports.tiktok.refresh = refresh
    live(ports, 60)
    assert stored(ports, account_id).state(ports.clock.time) is AccountState.ACTIVE
    assert ports.tiktok.refreshes >= 2


def test_a_reconnection_under_way_keeps_its_look(ports, account_id):
    """What a reconnection asks for is not planned away by a look that began before it."""
    live(ports, 29)
    keep = ports.tiktok.refresh

    def reconnected_meanwhile(token):
        grant = keep(token)
        connect(ports, open_id="open-1")
        return grant

    ports.tiktok.refresh = reconnected_meanwhile
    ports.clock.time = NOW + 30 * DAY
    swept(ports)
    assert stored(ports, account_id).watch_at == NOW + 30 * DAY


def test_a_look_that_another_worker_disturbs_comes_again(ports, account_id):
    live(ports, 29)
    ports.clock.time = NOW + 30 * DAY
    ports.accounts.faults.before("save", Busy("Another worker has changed the account.", "Try again."))
    assert list(swept(ports).errors) == [account_id]
    swept(ports)
    assert ports.tiktok.refreshes == 1


def test_a_sweep_takes_a_hundred_accounts(ports):
    for number in range(101):
        connect(ports, open_id=f"open-{number}")
    assert [swept(ports).looked_after for _ in range(3)] == [100, 1, 0]


def test_a_token_refused_twice_by_tiktok_is_not_asked_for_again(ports, account_id):
    refusal = TokenExpired("TikTok takes the token for invalid.", "Reconnect.")
    for _ in range(2):
        ports.tiktok.faults.before("creator", refusal)
    with pytest.raises(TokenExpired):
        use_access_token(ports, account_id, ports.tiktok.creator, seconds_left=100)
    refreshes = ports.tiktok.refreshes
    live(ports, 200)
    assert ports.tiktok.refreshes == refreshes
