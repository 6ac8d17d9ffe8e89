"""Disconnecting: nothing uses the account any more, TikTok takes our access back, and no late worker brings it back."""

import pytest

from publisher.domain.accounts import Account, AccountState
from publisher.domain.errors import (
    AccountDisabled,
    Busy,
    ConnectionRefused,
    InvalidToken,
    NotFound,
    ServiceUnavailable,
    Timeout,
    TokenExpired,
)
from publisher.use_cases.create_post import create_post
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.list_accounts import list_accounts
from publisher.use_cases.look_after_each import LookedAfter
from publisher.use_cases.sweep import sweep
from publisher.use_cases.use_access_token import use_access_token
from tests.builders import NOW
from tests.fakes import FakePorts, Killed
from tests.unit.test_connecting import connect

DAY = 86400
MINE, THEIRS = "workspace-1", "workspace-2"
UNCLEAR = [
    ServiceUnavailable("TikTok is down.", "Try again."),
    Timeout("TikTok did not answer.", "Try again."),
    InvalidToken("TikTok did not revoke the token.", "Tell the operator."),
]


def stored(ports: FakePorts, account_id: str) -> Account:
    account = ports.accounts.get(account_id)
    assert account is not None
    return account


def end(ports: FakePorts, account_id: str, workspace_id: str = MINE) -> Account:
    return disconnect(ports, workspace_id, account_id, seconds_left=100)


def swept(ports: FakePorts) -> LookedAfter:
    return sweep(ports, seconds_left=lambda: 100)


def username(ports: FakePorts, account_id: str) -> str:
    return use_access_token(ports, account_id, lambda token: ports.tiktok.creator(token).username, seconds_left=100)


@pytest.fixture
def account_id(ports):
    return ports.connect(open_id="open-1").account_id


def accesses(ports: FakePorts) -> int:
    """How many tokens TikTok still takes."""
    return len(ports.tiktok._access) + len(ports.tiktok._refresh)


def test_tiktok_takes_the_access_back_and_the_tokens_are_erased(ports, account_id):
    account = end(ports, account_id)
    assert (account.state(NOW), account.tokens, account.watch_at) == (AccountState.DISCONNECTED, None, NOW)
    assert stored(ports, account_id) == account
    assert accesses(ports) == 0


def test_disconnecting_again_changes_nothing(ports, account_id):
    account = end(ports, account_id)
    ports.clock.time += 60
    assert end(ports, account_id) == account


@pytest.mark.parametrize("workspace_id", [THEIRS, ""])
def test_another_workspaces_account_is_not_found_and_stays(ports, account_id, workspace_id):
    with pytest.raises(NotFound):
        end(ports, account_id, workspace_id)
    assert username(ports, account_id) == "a_creator"


@pytest.mark.parametrize("unknown", ["9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11", "", "x" * 3000, "a\x00b"])
def test_an_account_that_does_not_exist_is_not_found(ports, unknown):
    with pytest.raises(NotFound):
        end(ports, unknown)


def test_a_disconnected_account_is_in_no_list_and_takes_no_posts(ports, account_id):
    end(ports, account_id)
    assert list_accounts(ports, MINE) == []
    body = {
        "post": {
            "accountId": account_id,
            "content": {"mediaUrls": "https://media.example/film.mp4", "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "SELF_ONLY"},
        }
    }
    with pytest.raises(AccountDisabled, match="disconnected"):
        create_post(ports, MINE, body, idempotency_key=None, seconds_left=100)


@pytest.mark.parametrize("error", UNCLEAR)
def test_from_the_first_moment_nothing_uses_the_tokens(ports, account_id, error):
    """TikTok has not answered yet, so they are still there."""
    ports.tiktok.faults.before("revoke", error)
    assert end(ports, account_id).tokens is not None
    with pytest.raises(TokenExpired, match="disconnected"):
        username(ports, account_id)
    assert list_accounts(ports, MINE) == []


def test_a_dead_access_token_is_refreshed_to_give_the_access_up(ports, account_id):
    ports.clock.time += DAY
    end(ports, account_id)
    assert (accesses(ports), stored(ports, account_id).tokens, ports.tiktok.refreshes) == (0, None, 1)


def test_a_token_that_still_works_is_not_refreshed_to_give_the_access_up(ports, account_id):
    ports.clock.time += DAY - 1
    end(ports, account_id)
    assert (accesses(ports), stored(ports, account_id).tokens, ports.tiktok.refreshes) == (0, None, 0)


def test_a_token_that_tiktok_refuses_is_refreshed_to_give_the_access_up(ports, account_id):
    ports.tiktok.expire_access_tokens()
    end(ports, account_id)
    assert (accesses(ports), stored(ports, account_id).tokens, ports.tiktok.refreshes) == (0, None, 1)


def test_an_access_that_the_creator_took_back_is_simply_forgotten(ports, account_id):
    ports.tiktok.remove_app("open-1")
    assert end(ports, account_id).tokens is None


def test_an_account_that_waits_for_its_creator_can_be_disconnected(ports, account_id):
    account = stored(ports, account_id)
    ports.accounts.save(account.model_copy(update={"reauthorize_since": NOW, "reauthorize_reason": "Refused."}))
    account = end(ports, account_id)
    assert (account.state(NOW), account.tokens, accesses(ports)) == (AccountState.DISCONNECTED, None, 0)


@pytest.mark.parametrize("error", UNCLEAR)
def test_without_an_answer_tiktok_is_asked_ever_less_often_for_a_day(ports, account_id, error):
    for _ in range(100):
        ports.tiktok.faults.before("revoke", error)
    end(ports, account_id)
    times = []
    while (watch_at := stored(ports, account_id).watch_at) is not None:
        ports.clock.time = watch_at
        times.append(watch_at - NOW)
        assert (account_id in swept(ports).errors) == (watch_at < NOW + DAY)
    assert times == [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, DAY]
    assert stored(ports, account_id).tokens is None


def test_when_tiktok_answers_again_the_tokens_are_erased(ports, account_id):
    ports.tiktok.faults.before("revoke", UNCLEAR[0])
    end(ports, account_id)
    ports.clock.time += 60
    assert swept(ports) == LookedAfter(looked_after=1, errors={})
    assert (accesses(ports), stored(ports, account_id).tokens, stored(ports, account_id).watch_at) == (0, None, None)


@pytest.mark.parametrize("fault", ["before", "after"])
def test_a_worker_killed_while_tiktok_acts_is_made_up_for(ports, account_id, fault):
    getattr(ports.tiktok.faults, fault)("revoke", Killed())
    with pytest.raises(Killed):
        end(ports, account_id)
    ports.clock.time += 60
    swept(ports)
    assert (accesses(ports), stored(ports, account_id).tokens) == (0, None)


@pytest.mark.parametrize("late", [False, True])
def test_a_write_that_others_disturb_is_made_again(ports, account_id, late):
    for _ in range(4):
        ports.accounts.faults.before("save", Busy("Another worker has changed the account.", "Try again."))
    revoke = ports.tiktok.revoke

    def revoke_before_a_storm(token):
        for _ in range(4 if late else 0):
            ports.accounts.faults.before("save", Busy("Another worker has changed the account.", "Try again."))
        revoke(token)

    ports.tiktok.revoke = revoke_before_a_storm
    assert end(ports, account_id).tokens is None


# Late workers


@pytest.mark.parametrize("answers", [True, False])
def test_a_refresh_that_comes_back_late_brings_no_access_back(ports, account_id, answers):
    ports.clock.time += DAY * 0.8
    refresh = ports.tiktok.refresh

    def refresh_slowly(token):
        grant = refresh(token)
        if not answers:
            ports.tiktok.faults.before("revoke", UNCLEAR[0])
        end(ports, account_id)
        return grant

    ports.tiktok.refresh = refresh_slowly
    used: list[object] = []
    with pytest.raises(TokenExpired, match="disconnected"):
        use_access_token(ports, account_id, used.append, seconds_left=100)
    assert used == []
    assert stored(ports, account_id).state(ports.clock.time) is AccountState.DISCONNECTED
    ports.clock.time += 61
    swept(ports)
    assert (accesses(ports), stored(ports, account_id).tokens) == (0, None)


@pytest.mark.parametrize("erased", [True, False])
def test_a_refresh_that_comes_back_after_a_reconnection_replaces_nothing(ports, erased):
    account_id = connect(ports, MINE, open_id="open-1").account_id
    ports.clock.time += DAY * 0.8
    refresh = ports.tiktok.refresh

    def refresh_slowly(token):
        ports.tiktok.refresh = refresh
        grant = refresh(token)
        if not erased:
            ports.tiktok.faults.before("revoke", UNCLEAR[0])
        end(ports, account_id)
        assert connect(ports, MINE, open_id="open-1").account_id == account_id
        ports.tiktok._access.pop(grant.access_token.get_secret_value(), None)  # were it stored, nothing would work
        return grant

    ports.tiktok.refresh = refresh_slowly
    assert [username(ports, account_id) for _ in range(2)] == ["a_creator"] * 2
    assert ports.tiktok.refreshes == 1


def test_a_reconnection_ends_the_attempts_to_give_the_access_up(ports):
    account_id = connect(ports, MINE, open_id="open-1").account_id
    ports.tiktok.faults.before("revoke", UNCLEAR[0])
    end(ports, account_id)
    ports.clock.time += 30
    assert connect(ports, MINE, open_id="open-1").account_id == account_id
    for _ in range(30):
        ports.clock.time += 3600
        swept(ports)
    assert username(ports, account_id) == "a_creator"


def test_an_erasure_that_comes_after_a_reconnection_erases_nothing(ports):
    account_id = connect(ports, MINE, open_id="open-1").account_id
    revoke = ports.tiktok.revoke

    def revoke_slowly(token):
        revoke(token)
        ports.clock.time += 5
        connect(ports, MINE, open_id="open-1")

    ports.tiktok.revoke = revoke_slowly
    end(ports, account_id)
    assert username(ports, account_id) == "a_creator"


# Other workspaces


def test_another_workspace_may_connect_the_tiktok_user_and_gets_a_new_account(ports):
    mine = connect(ports, MINE, open_id="open-1").account_id
    with pytest.raises(ConnectionRefused, match="another workspace"):
        connect(ports, THEIRS, open_id="open-1")
    end(ports, mine)
    theirs = connect(ports, THEIRS, open_id="open-1").account_id
    assert theirs != mine
    assert (list_accounts(ports, MINE), [one.account_id for one in list_accounts(ports, THEIRS)]) == ([], [theirs])
    assert username(ports, theirs) == "a_creator"
    with pytest.raises(ConnectionRefused, match="another workspace"):
        connect(ports, MINE, open_id="open-1")


def test_what_the_former_workspace_had_left_to_give_up_does_not_end_the_new_account(ports):
    mine = connect(ports, MINE, open_id="open-1").account_id
    ports.tiktok.faults.before("revoke", UNCLEAR[0])
    end(ports, mine)
    theirs = connect(ports, THEIRS, open_id="open-1").account_id
    assert stored(ports, mine).tokens is None
    for _ in range(30):
        ports.clock.time += 3600
        swept(ports)
    assert username(ports, theirs) == "a_creator"


def test_a_former_workspace_that_reconnects_at_the_same_moment_keeps_the_tiktok_user(ports):
    mine = connect(ports, MINE, open_id="open-1").account_id
    end(ports, mine)
    move = ports.accounts.move

    def move_late(former, account):
        connect(ports, MINE, open_id="open-1")
        move(former, account)

    ports.accounts.move = move_late
    with pytest.raises(ConnectionRefused, match="another workspace"):
        connect(ports, THEIRS, open_id="open-1")
    assert username(ports, mine) == "a_creator"
    assert list_accounts(ports, THEIRS) == []
