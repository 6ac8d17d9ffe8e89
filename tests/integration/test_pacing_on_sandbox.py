"""Limits at the sandbox, over real HTTP: TikTok never refuses a call for the minute, and is not asked in vain."""

import json
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from local.tiktok.server import Sandbox
from publisher.domain.errors import PostLimitReached
from publisher.domain.posts import Post, Status
from publisher.ports import Grant, TikTokApp
from publisher.tiktok.client import TikTokClient
from publisher.tiktok.transport import Transport
from publisher.use_cases.use_access_token import seal_tokens, tokens_context
from tests import films
from tests.builders import NOW, an_account
from tests.fakes import FakePorts
from tests.unit.machines import Machines
from tests.unit.work import URL

MINUTE, HOUR, DAY = 60, 3600, 86400
INIT = "video/init"


class World:
    """One account whose ledger is in memory and whose TikTok is the sandbox, with one time for both."""

    def __init__(self, url: str) -> None:
        self._url = url
        app = TikTokApp(client_key="sandbox-client-key", client_secret=SecretStr("sandbox-client-secret"))
        self.ports: Any = FakePorts()
        vars(self.ports)["tiktok"] = TikTokClient(url, url, lambda: app, Transport())
        self.ports.fetcher.media[URL] = films.film()
        self.machines = Machines(self.ports, self.set_clock)
        self.admin("reset", {})
        self.set_clock(NOW)
        self.account_id = self._connect()

    def admin(self, path: str, content: object = None, method: str | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self._url}/_sandbox/{path}", body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def set_clock(self, at: float) -> None:
        self.ports.clock.time = at
        self.admin("clock", {"frozen": True, "set": at})

    def run(self, seconds: float) -> None:
        self.machines.run(seconds)

    def send(self, **more: Any) -> Post:
        return self.machines.send(self.account_id, **more)

    def outcomes(self, posts: list[Post]) -> Counter[Status]:
        return Counter(self.machines.post(post).status for post in posts)

    def calls(self, endpoint: str) -> list[Any]:
        return [call for call in self.admin("log")["calls"] if call["endpoint"] == endpoint]

    def refused_for_the_minute(self) -> set[str]:
        """Endpoints of which a call was one too many for TikTok."""
        calls = self.admin("log")["calls"]
        return {call["endpoint"] for call in calls if call["status"] == 429}

    def _connect(self) -> str:
        """A creator connects an account; the consent page is tested elsewhere."""
        account = an_account(open_id="emu_creator", tokens=None)
        tokens = self.admin("grants", {"username": "emu_creator", "scopes": account.scopes})
        grant = Grant(
            open_id="emu_creator",
            access_token=SecretStr(tokens["access_token"]),
            refresh_token=SecretStr(tokens["refresh_token"]),
            expires_in=tokens["expires_in"],
            refresh_expires_in=tokens["refresh_expires_in"],
            scopes=account.scopes,
        )
        sealed = seal_tokens(self.ports.vault.sealer(tokens_context(account)), grant, 1, NOW)
        self.ports.accounts.add(account.model_copy(update={"tokens": sealed}))
        return account.account_id


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    return World(sandbox.url)


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody counts TikTok's calls a minute."""
    monkeypatch.setattr("publisher.use_cases.take_turn.count", lambda usage, *_: (usage, 0.0))


BUSY = pytest.mark.parametrize(("lost_answers", "too_often"), [(5, {INIT, "creator_info"}), (0, {"status"})])
"""How many answers to inits TikTok loses, and which endpoints whoever does not count would call too often."""


def busy_minutes(world: World, lost_answers: int) -> list[Post]:
    """Six posts and five drafts are under way at once, and every 10 seconds another post comes in."""
    world.admin("settings", {"processing_seconds": 15 * MINUTE}, "PATCH")
    if lost_answers:
        fault = {"endpoint": INIT, "do": {"status": 500}, "when": "after", "times": lost_answers}
        world.admin("faults", [fault])
    posts = [world.send() for _ in range(6)] + [world.send(draft=True) for _ in range(5)]
    for _ in range(7):
        world.run(10)
        posts.append(world.send(queueIfLimited=True))
    world.run(5 * HOUR)
    return posts


@BUSY
def test_posts_that_are_under_way_at_once_are_never_refused_for_the_minute(world, lost_answers, too_often):
    posts = busy_minutes(world, lost_answers)
    assert world.refused_for_the_minute() == set()
    assert all(world.calls(endpoint) for endpoint in too_often)
    assert world.outcomes(posts) == {Status.PUBLISH_COMPLETE: 13, Status.SEND_TO_USER_INBOX: 5}


@BUSY
@pytest.mark.usefixtures("unpaced")
def test_without_pacing_they_would_be(world, lost_answers, too_often):
    busy_minutes(world, lost_answers)
    assert world.refused_for_the_minute() >= too_often


def test_of_12_posts_no_hour_sees_seven_inits(world):
    posts = [world.send(queueIfLimited=True) for _ in range(12)]
    world.run(3 * HOUR)
    times = [call["time"] for call in world.calls(INIT)]
    assert len(times) == 12
    assert all(later - sooner >= HOUR for sooner, later in zip(times, times[6:], strict=False))
    assert world.outcomes(posts) == {Status.PUBLISH_COMPLETE: 12}
    assert world.refused_for_the_minute() == set()


# Holds: TikTok's refusals as they come over the wire
REFUSALS = (
    "spam_risk",
    "spam_risk_user_banned_from_posting",
    "spam_risk_too_many_posts",
    "reached_active_user_cap",
)


def posting_calls(world: World) -> int:
    return len(world.calls(INIT)) + len(world.calls("creator_info"))


def assert_held(world: World, code: str) -> None:
    """Nothing is asked of TikTok until it may be over, and then who waits goes out."""
    before = posting_calls(world)
    with pytest.raises(PostLimitReached) as caught:
        world.send()
    assert caught.value.tiktok_code == code
    assert caught.value.tiktok_log_id
    waits = world.send(queueIfLimited=True)
    assert waits.not_before
    world.run(waits.not_before - world.ports.clock.now() - 1)
    assert posting_calls(world) == before
    world.run(5 * MINUTE)
    assert world.outcomes([waits]) == {Status.PUBLISH_COMPLETE: 1}


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("endpoint", ["creator_info", INIT])
@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_whatever_its_form_holds_the_posts_after_it(world, code, endpoint, status):
    first = world.send()
    body = {"data": {}, "error": {"code": code, "message": "No.", "log_id": "log-7"}}
    world.admin("faults", [{"endpoint": endpoint, "do": {"status": status, "body": body}}])
    world.run(MINUTE)
    failed = world.machines.post(first)
    assert failed.failure is not None
    assert (failed.status, failed.failure.tiktok_code, failed.failure.tiktok_log_id) == (Status.FAILED, code, "log-7")
    assert_held(world, code)


@pytest.mark.parametrize("code", REFUSALS[:3])
def test_a_reason_to_fail_holds_the_posts_after_it(world, code):
    world.admin("settings", {"forced_fail_reason": code}, "PATCH")
    first = world.send()
    world.run(5 * MINUTE)
    assert world.outcomes([first]) == {Status.FAILED: 1}
    world.admin("settings", {"forced_fail_reason": None}, "PATCH")
    assert_held(world, code)


def test_the_creators_cap_of_15_a_day_costs_one_question_and_no_init(world):
    """TikTok counts a post from when it is published, which is later than our init; so one post asks too early."""
    posts = [world.send(queueIfLimited=True) for _ in range(17)]
    world.run(DAY - MINUTE)
    assert world.outcomes(posts) == {Status.PUBLISH_COMPLETE: 15, Status.QUEUED: 2}
    world.run(HOUR)
    assert world.outcomes(posts) == {Status.PUBLISH_COMPLETE: 17}
    refused = [call["endpoint"] for call in world.admin("log")["calls"] if "spam_risk" in call.get("error", "")]
    assert refused == ["creator_info"]
