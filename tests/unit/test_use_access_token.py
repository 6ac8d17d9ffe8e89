"""A token that works: refreshed early, by one worker at a time, and given up only when TikTok refuses it for good."""

import threading

import pytest

from publisher.domain.accounts import SCOPES, Account, AccountState, with_lease
from publisher.domain.errors import (
    Busy,
    InternalServerError,
    PublisherError,
    RateLimitExceeded,
    ServiceUnavailable,
    Timeout,
    TokenExpired,
)
from publisher.use_cases.use_access_token import use_access_token
from tests.builders import NOW, an_account
from tests.fakes import FakeClock, FakePorts, Killed

DAY = 86400
LATE = [
    ServiceUnavailable("The answer was lost.", "Try again."),
    Timeout("TikTok did not answer.", "Try again."),
    RateLimitExceeded("TikTok takes no more calls.", "Try again.", retry_after=60),
]


def username(ports: FakePorts, account_id: str, seconds_left: float = 100) -> str:
    """Make a call that TikTok answers only to a token that works."""
    return use_access_token(
        ports, account_id, lambda token: ports.tiktok.creator(token).username, seconds_left=seconds_left
    )


def token_of(ports: FakePorts, account_id: str) -> str:
    return use_access_token(ports, account_id, lambda token: token.get_secret_value(), seconds_left=100)


def stored(ports: FakePorts, account_id: str) -> Account:
    account = ports.accounts.get(account_id)
    assert account is not None
    return account


def state_of(ports: FakePorts, account_id: str) -> AccountState:
    return stored(ports, account_id).state(ports.clock.now())


@pytest.fixture
def account_id(ports):
    return ports.connect().account_id


def test_a_token_with_life_enough_is_used_as_it_is(ports, account_id):
    ports.clock.time += DAY * 3 / 4
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 0


def test_a_token_in_its_last_quarter_is_replaced_before_it_dies(ports, account_id):
    old = token_of(ports, account_id)
    ports.clock.time += DAY * 3 / 4 + 1
    assert token_of(ports, account_id) != old
    assert (ports.tiktok.refreshes, ports.accounts.get(account_id).tokens.ver) == (1, 2)


@pytest.mark.parametrize("lifetime", [7200, DAY])
def test_lifetimes_come_from_tiktoks_answer(ports, lifetime):
    ports.tiktok.lifetime = lifetime
    account_id = ports.connect().account_id
    ports.clock.time += lifetime
    username(ports, account_id)
    tokens = ports.accounts.get(account_id).tokens
    assert (tokens.expires_at, tokens.lifetime) == (ports.clock.time + lifetime, lifetime)
    assert tokens.refresh_expires_at == ports.clock.time + 365 * DAY


def test_both_tokens_are_replaced_and_neither_is_stored_readably(ports, account_id):
    before = ports.accounts.get(account_id).tokens.sealed
    for _ in range(3):
        ports.clock.time += DAY
        token = token_of(ports, account_id)
        account = ports.accounts.get(account_id)
        assert token not in account.model_dump_json()
    assert (ports.tiktok.refreshes, account.tokens.ver) == (3, 4)
    assert account.tokens.sealed != before
    assert account.tokens.lease_owner is None


class WaitingClock(FakeClock):
    """Stands still; who sleeps waits until the test lets all go on."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeping = threading.Semaphore(0)
        self.go_on = threading.Event()

    def sleep(self, seconds: float) -> None:
        self.sleeping.release()
        assert self.go_on.wait(20)


def test_twenty_workers_with_a_dead_token_make_exactly_one_refresh(monkeypatch):
    clock = WaitingClock()
    ports = FakePorts(clock=clock)
    account_id = ports.connect().account_id
    clock.time += DAY
    refresh, together, got = ports.tiktok.refresh, threading.Barrier(20), []

    def refresh_when_all_others_wait(token):
        for _ in range(19):
            assert clock.sleeping.acquire(timeout=20)
        return refresh(token)

    def run() -> None:
        together.wait()
        try:
            got.append(username(ports, account_id))
        except PublisherError as error:
            got.append(error.error)
        clock.go_on.set()

    monkeypatch.setattr(ports.tiktok, "refresh", refresh_when_all_others_wait)
    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["a_creator"] * 20
    assert ports.tiktok.refreshes == 1


def lease(ports: FakePorts, account_id: str) -> None:
    """Another worker is refreshing."""
    account = stored(ports, account_id)
    assert account.tokens is not None
    leased = with_lease(account.tokens, "another", ports.clock.time)
    ports.accounts.save(account.model_copy(update={"tokens": leased}))


def test_while_another_worker_refreshes_the_old_token_is_used_as_long_as_it_works(ports, account_id):
    ports.clock.time += DAY - 60
    lease(ports, account_id)
    assert username(ports, account_id) == "a_creator"
    assert (ports.tiktok.refreshes, ports.clock.time) == (0, NOW + DAY - 60)


def test_a_worker_waits_for_the_refresh_of_another_and_then_uses_its_token(ports, account_id):
    ports.clock.time += DAY
    lease(ports, account_id)
    slept = []

    def sleep(seconds: float) -> None:
        ports.clock.time += seconds
        slept.append(seconds)
        if len(slept) == 3:
            account = ports.accounts.get(account_id)
            ports.clock.time += 30
            ports.clock.sleep = FakeClock.sleep.__get__(ports.clock)
            token_of(ports, account.account_id)  # the other worker is done

    ports.clock.sleep = sleep
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1


def test_a_lease_whose_worker_died_ends_by_itself(ports, account_id):
    ports.clock.time += DAY
    lease(ports, account_id)
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1
    assert 30 <= ports.clock.time - (NOW + DAY) <= 31


def test_a_refresh_is_not_begun_with_less_than_twenty_seconds_left(ports, account_id):
    ports.clock.time += DAY - 60
    assert username(ports, account_id, seconds_left=19.9) == "a_creator"
    ports.clock.time += 60
    with pytest.raises(ServiceUnavailable) as caught:
        username(ports, account_id, seconds_left=19.9)
    assert caught.value.retry_after == 30
    assert ports.tiktok.refreshes == 0
    assert username(ports, account_id, seconds_left=20) == "a_creator"


def test_a_worker_does_not_wait_until_it_has_no_time_left_to_refresh(ports, account_id):
    ports.clock.time += DAY
    lease(ports, account_id)
    with pytest.raises(ServiceUnavailable):
        username(ports, account_id, seconds_left=25)
    assert 5 < ports.clock.time - (NOW + DAY) < 6
    assert ports.tiktok.refreshes == 0


# Lost answers and killed workers


def test_killed_before_tiktok_acts_the_next_worker_refreshes(ports, account_id):
    ports.clock.time += DAY
    ports.tiktok.faults.before("refresh", Killed())
    with pytest.raises(Killed):
        username(ports, account_id)
    assert username(ports, account_id) == "a_creator"
    assert state_of(ports, account_id) is AccountState.ACTIVE


def test_killed_between_tiktoks_answer_and_our_write_ends_in_reauthorize_and_nobody_loops(ports, account_id):
    ports.clock.time += DAY * 0.8
    ports.tiktok.faults.after("refresh", Killed())
    with pytest.raises(Killed):
        username(ports, account_id)
    assert username(ports, account_id) == "a_creator", "the old access token still works meanwhile"
    ports.clock.time += 31
    calls: list[object] = []
    for _ in range(3):
        with pytest.raises(TokenExpired) as caught:
            use_access_token(ports, account_id, calls.append, seconds_left=100)
        assert "connect the account again" in caught.value.message
    assert calls == []
    assert state_of(ports, account_id) is AccountState.REAUTHORIZE
    assert ports.accounts.get(account_id).reauthorize_reason == "TikTok refuses to refresh the token."


@pytest.mark.parametrize("error", LATE)
def test_without_a_clear_answer_the_working_token_goes_on_and_the_old_one_is_tried_later(ports, account_id, error):
    ports.clock.time += DAY * 0.8
    ports.tiktok.faults.before("refresh", error)
    assert username(ports, account_id) == "a_creator"
    assert state_of(ports, account_id) is AccountState.ACTIVE
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 0, "the next try is half a minute away"
    ports.clock.time += 31
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1


@pytest.mark.parametrize("error", LATE)
def test_without_a_clear_answer_and_a_dead_token_the_error_is_told_and_nothing_is_given_up(ports, account_id, error):
    ports.clock.time += DAY
    ports.tiktok.faults.before("refresh", error)
    with pytest.raises(type(error)):
        username(ports, account_id)
    assert state_of(ports, account_id) is AccountState.ACTIVE
    assert username(ports, account_id) == "a_creator"


def test_a_refusal_after_another_worker_has_refreshed_uses_the_new_token(ports, account_id):
    """A worker slept past its lease, and meanwhile another one spent the refresh token."""
    ports.clock.time += DAY
    refresh = ports.tiktok.refresh

    def refresh_late(token):
        ports.tiktok.refresh = refresh
        ports.clock.time += 31
        username(ports, account_id)
        return refresh(token)

    ports.tiktok.refresh = refresh_late
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1
    assert state_of(ports, account_id) is AccountState.ACTIVE


def test_tokens_that_are_written_late_lift_a_reauthorization_noted_meanwhile(ports, account_id):
    """TikTok answered the first worker, which wrote only after a second one had been refused."""
    ports.clock.time += DAY
    refresh = ports.tiktok.refresh

    def answer_late(token):
        grant = refresh(token)
        ports.clock.time += 31
        with pytest.raises(TokenExpired):
            username(ports, account_id)
        return grant

    ports.tiktok.refresh = answer_late
    username(ports, account_id)
    assert state_of(ports, account_id) is AccountState.ACTIVE
    assert username(ports, account_id) == "a_creator"


@pytest.mark.parametrize(
    "error",
    [
        ServiceUnavailable("DynamoDB did not answer.", "Try again."),
        Busy("Another worker has changed the account.", "Try again."),
        InternalServerError("DynamoDB refused a call.", "Tell the operator."),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_new_tokens_are_written_until_they_are_stored(ports, account_id, error, late):
    ports.clock.time += DAY
    refresh = ports.tiktok.refresh

    def refresh_before_a_storm(token):
        for _ in range(1 if late else 4):
            (ports.accounts.faults.after if late else ports.accounts.faults.before)("save", error)
        return refresh(token)

    ports.tiktok.refresh = refresh_before_a_storm
    assert username(ports, account_id) == "a_creator"
    assert ports.accounts.get(account_id).tokens.ver == 2
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1


def test_tokens_that_cannot_be_stored_at_all_are_an_error(ports, account_id):
    ports.clock.time += DAY
    refresh = ports.tiktok.refresh

    def refresh_before_a_storm(token):
        for _ in range(5):
            ports.accounts.faults.before("save", ServiceUnavailable("DynamoDB did not answer.", "Try again."))
        return refresh(token)

    ports.tiktok.refresh = refresh_before_a_storm
    with pytest.raises(ServiceUnavailable, match="DynamoDB"):
        username(ports, account_id)


@pytest.mark.parametrize(("told", "kept"), [((), SCOPES), (("video.upload", "video.publish"),) * 2])
def test_a_refresh_may_change_the_scopes_and_one_that_names_none_keeps_them(ports, account_id, told, kept):
    ports.clock.time += DAY
    refresh = ports.tiktok.refresh
    ports.tiktok.refresh = lambda token: refresh(token).model_copy(update={"scopes": told})
    username(ports, account_id)
    assert stored(ports, account_id).scopes == kept


# Tokens that TikTok refuses


def test_a_refused_token_is_refreshed_once_and_the_same_call_made_again(ports, account_id):
    ports.tiktok.expire_access_tokens()
    assert username(ports, account_id) == "a_creator"
    assert ports.tiktok.refreshes == 1


def test_a_second_refusal_needs_the_creator_and_says_why(ports, account_id):
    refusal = TokenExpired("TikTok takes the token for invalid.", "Reconnect.", tiktok_code="c", tiktok_log_id="log-1")
    ports.tiktok.faults.before("creator", refusal)
    ports.tiktok.faults.before("creator", refusal)
    with pytest.raises(TokenExpired) as caught:
        username(ports, account_id)
    assert (caught.value.tiktok_code, caught.value.tiktok_log_id) == ("c", "log-1")
    account = ports.accounts.get(account_id)
    assert (account.reauthorize_since, account.reauthorize_reason) == (NOW, "TikTok refuses the account's token.")
    assert ports.tiktok.refreshes == 1
    with pytest.raises(TokenExpired, match="TikTok refuses the account's token"):
        username(ports, account_id)
    assert ports.tiktok.refreshes == 1


def test_a_creator_who_removed_the_app_has_to_connect_again(ports, account_id):
    ports.tiktok.remove_app(ports.accounts.get(account_id).open_id)
    with pytest.raises(TokenExpired):
        username(ports, account_id)
    assert state_of(ports, account_id) is AccountState.REAUTHORIZE


def test_that_only_the_creator_can_help_is_noted_although_others_write_to_the_account(ports, account_id):
    ports.tiktok.remove_app(ports.accounts.get(account_id).open_id)
    refresh = ports.tiktok.refresh

    def refresh_before_others_write(token):
        for _ in range(3):
            ports.accounts.faults.before("save", Busy("Another worker has changed the account.", "Try again."))
        return refresh(token)

    ports.tiktok.refresh = refresh_before_others_write
    with pytest.raises(TokenExpired):
        username(ports, account_id)
    assert state_of(ports, account_id) is AccountState.REAUTHORIZE


def test_a_refusal_of_a_token_that_was_replaced_meanwhile_gives_nothing_up(ports, account_id):
    """The token was good when it was read and replaced before it was used: the new one is used, without a refresh."""
    used = []

    def call(token):
        used.append(token)
        if len(used) == 1:
            ports.clock.time += DAY * 0.8
            username(ports, account_id)
            ports.clock.time -= DAY * 0.8
            raise TokenExpired("TikTok takes the token for invalid.", "Reconnect.")
        return ports.tiktok.creator(token).username

    assert use_access_token(ports, account_id, call, seconds_left=100) == "a_creator"
    assert (len(used), ports.tiktok.refreshes) == (2, 1)
    assert state_of(ports, account_id) is AccountState.ACTIVE


def test_other_errors_of_the_call_pass_through(ports, account_id):
    ports.tiktok.faults.before("creator", RateLimitExceeded("Too many.", "Wait.", retry_after=60))
    with pytest.raises(RateLimitExceeded):
        username(ports, account_id)
    assert ports.tiktok.refreshes == 0


@pytest.mark.parametrize("changes", [{"tokens": None}, {"reauthorize_since": NOW, "reauthorize_reason": "Refused."}])
def test_an_account_without_access_is_never_tried(ports, changes):
    account = an_account(**changes)
    ports.accounts.add(account)
    with pytest.raises(TokenExpired, match=r"disconnected|Refused"):
        username(ports, account.account_id)


def test_an_account_that_does_not_exist_is_disconnected(ports):
    with pytest.raises(TokenExpired, match="disconnected"):
        username(ports, "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11")
