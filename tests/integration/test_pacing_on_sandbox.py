"""Many posts of one account at the sandbox, over real HTTP: TikTok never has to say that a call was one too many."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest

from local.tiktok.server import Sandbox
from publisher.domain.errors import RateLimitExceeded
from publisher.domain.posts import Status, execution_name
from publisher.domain.slots import Lane, Turn, Usage, Window
from publisher.messages import StepInput, StepOutput
from publisher.use_cases.create_post import create_post
from publisher.use_cases.start_due import start_due
from tests.films import film
from tests.integration.test_token_life_on_sandbox import World
from tests.unit.work import LAST, STEPS

FILM = "https://media.example/film.mp4"
MINUTE, HOUR = 60, 3600
AFTER = {"WaitForTikTok": "CheckStatus", "WaitForTurn": "InitializePost"}
RETRY_SECONDS = 30
"""The machine's first wait when TikTok says that a call was one too many."""


class Channel(World):
    """The executions of one account's posts, all under way at the same time, with one clock for them and TikTok."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.account_id = self.connect()
        self.ports.fetcher.media[FILM] = film()
        self.posts: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._known: set[object] = set()

    def send(self, *, draft: bool = False, **more: object) -> None:
        content = {"text": "A rabbit. #a #b #c", "mediaUrls": FILM, "platform": "tiktok"}
        options: dict[str, object] = {"draft": True} if draft else {"privacyLevel": "SELF_ONLY"}
        body = {"post": {"accountId": self.account_id, "content": content, "tiktokOptions": options}, **more}
        accepted = create_post(self.ports, "workspace-1", body, idempotency_key=None, seconds_left=29, patient=True)
        self.posts.append(accepted.post.post_id)
        self._plan()

    def run(self) -> None:
        """Everything happens when its time comes: steps, the machine's waits, and schedules."""
        for _ in range(3000):
            if not self._events:
                return
            at, _number, act = heapq.heappop(self._events)
            if at > self.ports.clock.time:
                self.advance(at - self.ports.clock.time)
            act()
            self._plan()
        raise AssertionError("the posts go round in circles")

    def statuses(self) -> Counter[Status]:
        return Counter(self.ports.posts.get(post_id).status for post_id in self.posts)

    def too_many(self) -> set[str]:
        """Endpoints at which TikTok said that a call was one too many."""
        return {call["endpoint"] for call in self.admin("log")["calls"] if call.get("error") == "rate_limit_exceeded"}

    def inits(self) -> list[float]:
        return sorted(self.ports.posts.get(one).upload.opened_at for one in self.posts)

    def _plan(self) -> None:
        """Plan what was started or scheduled since."""
        for name, post in self.ports.executions.started.items():
            if name not in self._known:
                self._known.add(name)
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                self._at(self.ports.clock.time, partial(self._step, post.post_id, "DownloadMedia"))
        for post_id, at in self.ports.schedules.planned:
            if (post_id, at) not in self._known:
                self._known.add((post_id, at))
                self._at(at, partial(start_due, self.ports, post_id))

    def _at(self, at: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._events, (at, next(self._order), act))

    def _step(self, post_id: str, step: str) -> None:
        execution = execution_name(self.ports.posts.get(post_id))
        request = StepInput(post_id=post_id, account_id=self.account_id, execution=execution)
        try:
            output: StepOutput = STEPS[step](request, self.ports, lambda: 800.0)
        except RateLimitExceeded:
            self._at(self.ports.clock.time + RETRY_SECONDS, partial(self._step, post_id, step))
            return
        if step in LAST or output.next == "Held":
            self.in_flight -= 1
            return
        following = AFTER.get(output.next, output.next)
        self._at(self.ports.clock.time + output.wait_seconds, partial(self._step, post_id, following))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def channel(sandbox: Sandbox) -> Channel:
    return Channel(sandbox.url)


@pytest.fixture
def unpaced(monkeypatch: pytest.MonkeyPatch, channel: Channel) -> Channel:
    """The same without any account of what was used."""

    def always(usage: Usage, _lane: Lane, _owner: str, now: float, *, held_until: float = 0.0) -> tuple[Usage, Turn]:
        return usage, Turn(at=now, taken=True)

    def uncounted(usage: Usage, _window: Window, _owner: str, _now: float) -> tuple[Usage, float]:
        return usage, 0.0

    for name, rule in (("take", always), ("join", always), ("count", uncounted)):
        monkeypatch.setattr(f"publisher.use_cases.take_turn.{name}", rule)
    return channel


def three_at_once_again_and_again(channel: Channel) -> None:
    """Three posts come in together, and three more whenever these are through, for as long as the account may."""
    for _ in range(4):
        for _ in range(3):
            channel.send(queueIfLimited=True)
        channel.run()


def many_that_take_long(channel: Channel) -> None:
    """As many posts and drafts as an account may have at once, at a TikTok that takes its time."""
    channel.settings(processing_seconds=120)
    for _ in range(6):
        channel.send()
    for _ in range(5):
        channel.send(draft=True)
    channel.run()


def a_heap_at_once(channel: Channel) -> None:
    """More posts in one moment than TikTok lets us ask about their creator in a minute."""
    for _ in range(24):
        channel.send(queueIfLimited=True)
    channel.run()


@pytest.mark.parametrize(
    ("load", "published", "drafts"),
    [(three_at_once_again_and_again, 12, 0), (many_that_take_long, 6, 5), (a_heap_at_once, 24, 0)],
)
def test_tiktok_never_says_that_a_call_was_one_too_many(channel, load, published, drafts):
    load(channel)
    assert channel.most_in_flight >= 3
    assert channel.statuses() == +Counter({Status.PUBLISH_COMPLETE: published, Status.SEND_TO_USER_INBOX: drafts})
    assert channel.too_many() == set()


@pytest.mark.parametrize(
    ("load", "endpoints"),
    [
        (three_at_once_again_and_again, {"video/init"}),
        (many_that_take_long, {"status"}),
        (a_heap_at_once, {"creator_info"}),
    ],
)
def test_without_pacing_the_same_posts_are_too_many(unpaced, load, endpoints):
    """The judge is not blind, and each load is one that has to be paced."""
    with suppress(RateLimitExceeded):  # at intake
        load(unpaced)
    assert unpaced.too_many() >= endpoints


def test_twelve_posts_that_may_wait_go_out_within_hours_and_never_seven_in_one(channel):
    for _ in range(12):
        channel.send(queueIfLimited=True)
    began = channel.ports.clock.time
    channel.run()
    assert channel.statuses() == {Status.PUBLISH_COMPLETE: 12}
    inits = channel.inits()
    assert all(later - sooner >= HOUR for sooner, later in zip(inits, inits[6:], strict=False))
    assert inits[-1] - began < HOUR + 5 * MINUTE
    assert channel.too_many() == set()
