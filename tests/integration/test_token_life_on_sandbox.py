"""The life of tokens at the sandbox, over real HTTP: one refresh for each expiry, whoever is killed, late or many."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import SecretStr

from local.tiktok.server import Sandbox
from publisher.domain.accounts import Account, AccountState
from publisher.domain.errors import TokenExpired, TryAgain
from publisher.ports import Grant, TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.sweep import sweep
from publisher.use_cases.use_access_token import seal_tokens, tokens_context, use_access_token
from tests.builders import NOW, an_account
from tests.fakes import FakeClock, FakePorts, Killed

DAY = 86400
LIFETIMES = {"24h": DAY, "2h": 7200}


class Clock(FakeClock):
    """Stands until it is set; who sleeps lets the other threads work."""

    def sleep(self, seconds: float) -> None:
        time.sleep(0.005)


class World:
    """Workers whose ledger is in memory and whose TikTok is the sandbox, with one time for both."""

    def __init__(self, url: str) -> None:
        self._url = url
        app = TikTokApp(client_key="sandbox-client-key", client_secret=SecretStr("sandbox-client-secret"))
        self.tiktok: Any = TikTokClient(url, url, lambda: app, Transport())
        self.ports = _all_in_memory_but(self.tiktok)
        self.admin("reset", {})
        self.admin("clock", {"frozen": True, "set": NOW})

    def admin(self, path: str, content: object = None, method: str | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self._url}/_sandbox/{path}", body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def settings(self, **changes: object) -> None:
        self.admin("settings", changes, "PATCH")

    def advance(self, seconds: float) -> None:
        self.ports.clock.time += seconds
        self.admin("clock", {"set": self.ports.clock.time})

    def connect(self, username: str = "emu_creator") -> str:
        """A creator connects an account; the consent page is tested elsewhere."""
        if username != "emu_creator":
            self.admin("users", {"username": username, "nickname": username})
        account = an_account(open_id=username, tokens=None, watch_at=self.ports.clock.time)
        tokens = self.admin("grants", {"username": username, "scopes": account.scopes})
        grant = Grant(
            open_id=username,
            access_token=SecretStr(tokens["access_token"]),
            refresh_token=SecretStr(tokens["refresh_token"]),
            expires_in=tokens["expires_in"],
            refresh_expires_in=tokens["refresh_expires_in"],
            scopes=account.scopes,
        )
        sealer = self.ports.vault.sealer(tokens_context(account))
        sealed = seal_tokens(sealer, grant, 1, self.ports.clock.time)
        self.ports.accounts.add(account.model_copy(update={"tokens": sealed}))
        return account.account_id

    def account(self, account_id: str) -> Account:
        account: Account = self.ports.accounts.get(account_id)
        return account

    def state(self, account_id: str) -> AccountState:
        return self.account(account_id).state(self.ports.clock.time)

    def work(self, account_id: str) -> str:
        """What every worker does: a call that TikTok answers only to a token that works."""
        username: str = use_access_token(self.ports, account_id, self.tiktok.creator, seconds_left=100).username
        return username

    def calls(self, endpoint: str) -> list[Mapping[str, Any]]:
        return [call for call in self.admin("log")["calls"] if call["endpoint"] == endpoint]

    def refreshes(self) -> int:
        """How many refreshes TikTok made."""
        return sum(1 for call in self.calls("token") if "error" not in call and not call["fault"])

    def refusals(self) -> list[str]:
        """Every answer of TikTok's that a token was dead."""
        dead = {"access_token_invalid", "invalid_grant"}
        return [call["error"] for call in self.admin("log")["calls"] if call.get("error") in dead]

    def access_stands(self, username: str = "emu_creator") -> bool:
        """Take the access back as the creator would, and tell whether there was any."""
        try:
            self.admin("actions", {"action": "revoke", "username": username})
        except urllib.error.HTTPError as refused:
            refused.close()
            return False
        return True


def _all_in_memory_but(tiktok: object) -> Any:
    ports = FakePorts(clock=Clock())
    vars(ports)["tiktok"] = tiktok
    return ports


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return World(sandbox.url)


# Many workers


@pytest.mark.parametrize("profile", LIFETIMES)
@pytest.mark.parametrize("moment", ["dead", "nearly dead"])
def test_of_twenty_workers_at_once_one_refreshes_at_each_expiry_and_nobody_uses_a_dead_token(world, profile, moment):
    world.settings(token_profile=profile)
    accounts = {name: world.connect(name) for name in (f"emu_{number}" for number in range(5))}
    left = 0 if moment == "dead" else 300
    for expiry in range(1, 4):
        world.advance(LIFETIMES[profile] - left)
        gate = threading.Barrier(20)

        def work(account_id, gate=gate):
            gate.wait()
            return world.work(account_id)

        with ThreadPoolExecutor(20) as pool:
            for name, account_id in accounts.items():
                assert list(pool.map(work, [account_id] * 20)) == [name] * 20
        assert world.refreshes() == expiry * len(accounts)
    assert world.refusals() == []


@pytest.mark.parametrize("profile", LIFETIMES)
def test_an_account_that_nobody_uses_for_two_years_stays_connected(world, profile):
    world.settings(token_profile=profile)
    account_id = world.connect()
    for _ in range(104):
        world.advance(7 * DAY)
        assert sweep(world.ports, seconds_left=lambda: 100).errors == {}
    assert (world.state(account_id), world.work(account_id)) == (AccountState.ACTIVE, "emu_creator")
    assert world.refusals() == []
    assert world.refreshes() <= 25


# Killed and late workers


def test_a_crash_between_tiktoks_answer_and_our_write_ends_in_reauthorize_and_nobody_loops(world):
    account_id = world.connect()
    world.advance(DAY * 0.8)
    refresh = world.tiktok.refresh

    def refresh_and_die(token):
        refresh(token)
        raise Killed

    world.tiktok.refresh = refresh_and_die
    with pytest.raises(Killed):
        world.work(account_id)
    world.tiktok.refresh = refresh
    assert world.work(account_id) == "emu_creator", "the old access token still works meanwhile"
    world.advance(31)
    for _ in range(10):
        with pytest.raises(TokenExpired):
            world.work(account_id)
    sweep(world.ports, seconds_left=lambda: 100)
    assert world.state(account_id) is AccountState.REAUTHORIZE
    assert world.refusals() == ["invalid_grant"]
    assert len(world.calls("token")) == 2


@pytest.mark.parametrize("grace", [0, 600])
def test_an_old_lease_holder_that_wakes_late_writes_nothing(world, grace):
    """With a time of grace TikTok takes even the spent refresh token, and gives a second pair of tokens for it."""
    world.settings(refresh_grace_seconds=grace)
    account_id = world.connect()
    world.advance(DAY)
    refresh, between = world.tiktok.refresh, []

    def sleep_past_the_lease(token):
        world.tiktok.refresh = refresh
        world.advance(31)
        assert world.work(account_id) == "emu_creator"
        between.append(world.account(account_id))
        return refresh(token)

    world.tiktok.refresh = sleep_past_the_lease
    assert world.work(account_id) == "emu_creator"
    assert world.account(account_id) == between[0]
    assert world.refusals() == ([] if grace else ["invalid_grant"])


# Answers that do not come


@pytest.mark.parametrize(
    "do", [{"status": 500}, {"status": 503}, {"status": 429}, "timeout", "reset", "drop", "html", "cut_json"]
)
@pytest.mark.parametrize("moment", ["nearly dead", "dead"])
def test_an_unclear_answer_never_asks_for_the_creator(world, do, moment):
    world.settings(hold_seconds=0.1)
    account_id = world.connect()
    world.advance(DAY if moment == "dead" else DAY * 0.8)
    world.admin("faults", [{"endpoint": "token", "do": do}])
    if moment == "dead":
        with pytest.raises(TryAgain):
            world.work(account_id)
    else:
        assert world.work(account_id) == "emu_creator"
    assert world.state(account_id) is AccountState.ACTIVE
    world.advance(31)
    assert world.work(account_id) == "emu_creator"
    assert (world.refreshes(), world.refusals()) == (1, [])


@pytest.mark.parametrize("do", [{"status": 500}, "timeout", "drop"])
def test_an_answer_that_was_lost_after_tiktok_acted_is_asked_for_once_more_and_then_for_the_creator(world, do):
    world.settings(hold_seconds=0.1)
    account_id = world.connect()
    world.advance(DAY * 0.8)
    world.admin("faults", [{"endpoint": "token", "do": do, "when": "after"}])
    assert world.work(account_id) == "emu_creator"
    assert world.state(account_id) is AccountState.ACTIVE
    world.advance(31)
    for _ in range(5):
        with pytest.raises(TokenExpired):
            world.work(account_id)
    assert world.state(account_id) is AccountState.REAUTHORIZE
    assert len(world.calls("token")) == 2


def test_an_answer_that_was_lost_is_made_up_for_when_tiktok_still_takes_the_old_token(world):
    world.settings(hold_seconds=0.1, refresh_grace_seconds=600)
    account_id = world.connect()
    world.advance(DAY)
    world.admin("faults", [{"endpoint": "token", "do": "drop", "when": "after"}])
    with pytest.raises(TryAgain):
        world.work(account_id)
    world.advance(31)
    assert world.work(account_id) == "emu_creator"
    assert (world.state(account_id), world.refusals()) == (AccountState.ACTIVE, [])


# TikTok's profiles


def test_a_life_that_tiktok_does_not_tell_is_taken_for_a_day(world):
    world.settings(refresh_omits_expires_in=True)
    account_id = world.connect()
    for _ in range(3):
        world.advance(DAY)
        assert world.work(account_id) == "emu_creator"
    tokens = world.account(account_id).tokens
    assert tokens is not None
    assert (tokens.lifetime, tokens.expires_at) == (DAY, world.ports.clock.time + DAY)
    assert (world.refreshes(), world.refusals()) == (3, [])


def test_a_token_that_dies_before_its_untold_time_is_refreshed_when_tiktok_refuses_it(world):
    world.settings(refresh_omits_expires_in=True, token_profile="2h")
    account_id = world.connect()
    for number in range(1, 4):
        world.advance(7200)
        assert world.work(account_id) == "emu_creator"
        assert world.refreshes() == number
    assert world.state(account_id) is AccountState.ACTIVE
    assert world.refusals() == ["access_token_invalid"] * 2, "the first life was told"


@pytest.mark.parametrize("rotation", ["always", "never"])
def test_a_refresh_token_is_replaced_by_the_one_that_comes_back(world, rotation):
    world.settings(refresh_rotation=rotation)
    account_id = world.connect()
    for _ in range(3):
        world.advance(DAY)
        assert world.work(account_id) == "emu_creator"
    assert (world.refreshes(), world.refusals()) == (3, [])


def test_a_refresh_token_whose_life_counts_down_is_seen_to_end(world):
    world.settings(refresh_lifetime="counts_down", token_profile="2h")
    account_id, seen = world.connect(), []
    for _ in range(181):
        world.advance(DAY)
        sweep(world.ports, seconds_left=lambda: 100)
        if world.state(account_id) not in seen:
            seen.append(world.state(account_id))
    assert seen == [AccountState.ACTIVE, AccountState.EXPIRING, AccountState.REAUTHORIZE]
    assert world.account(account_id).standing(world.ports.clock.time).since is not None


# Disconnecting


@pytest.mark.parametrize("disconnects", ["before TikTok's answer", "after TikTok's answer"])
@pytest.mark.parametrize("answers", [True, False])
def test_a_disconnection_that_races_a_refresh_leaves_no_access_behind(world, disconnects, answers):
    account_id = world.connect()
    workspace_id = world.account(account_id).workspace_id
    world.advance(DAY * 0.8)
    refresh = world.tiktok.refresh

    def race(token):
        world.tiktok.refresh = refresh
        grant = refresh(token) if disconnects.startswith("after") else None
        if not answers:
            world.admin("faults", [{"endpoint": "revoke", "do": {"status": 500}}])
        disconnect(world.ports, workspace_id, account_id, seconds_left=100)
        return grant or refresh(token)

    world.tiktok.refresh = race
    with pytest.raises(TokenExpired):
        world.work(account_id)
    assert world.state(account_id) is AccountState.DISCONNECTED
    world.advance(61)
    sweep(world.ports, seconds_left=lambda: 100)
    assert world.account(account_id).tokens is None
    assert not world.access_stands()


def test_of_twenty_workers_and_a_disconnection_the_disconnection_wins(world):
    account_id = world.connect()
    workspace_id = world.account(account_id).workspace_id
    world.advance(DAY)
    gate = threading.Barrier(21)

    def work(_number):
        gate.wait()
        try:
            return world.work(account_id)
        except TokenExpired as error:
            return error.error

    with ThreadPoolExecutor(20) as pool:
        outcomes = pool.map(work, range(20))
        gate.wait()
        disconnect(world.ports, workspace_id, account_id, seconds_left=100)
        seen = set(outcomes)
    assert seen <= {"emu_creator", "The TikTok account is disconnected."}
    assert (world.state(account_id), world.account(account_id).tokens) == (AccountState.DISCONNECTED, None)
    assert not world.access_stands()
    assert world.refreshes() == 1
