"""Many posts under one simulated time: their executions, what the machine waits, the schedules and the sweep."""

import heapq
import itertools
import math
from collections.abc import Callable
from typing import Any

from publisher.domain.errors import PublisherError, TryAgain
from publisher.domain.posts import Post
from publisher.messages import StepError, StepInput
from publisher.use_cases.create_post import create_post
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from tests.unit.work import CAUGHT_AT_ONCE, LAST, STEPS, URL, caught, caught_by_machine

RETRY_SECONDS = 5
RETRIES = 6
SWEEP_SECONDS = 60
AFTER_WAIT = {"WaitForTikTok": "CheckStatus", "WaitForTurn": "InitializePost"}


class Machines:
    """Runs every execution that is started, a step at a time, in the order of the clock, which it sets.

    `set_clock` is told every moment before anything happens at it. `schedules` and `sweeps` may be switched off.
    """

    def __init__(self, ports: Any, set_clock: Callable[[float], object] | None = None) -> None:
        self.ports = ports
        self.schedules = self.sweeps = True
        self.states: list[tuple[float, str, str]] = []
        """When which post entered what."""
        self._set_clock = set_clock or self._set
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._adopted: set[str] = set()
        self._sweep_at = ports.clock.now() + SWEEP_SECONDS

    def send(self, account_id: str, key: str | None = None, **more: Any) -> Post:
        """Send a post as a caller who does not wait; `draft` and whatever else the body may hold."""
        content = {"text": "A rabbit. #a #b #c", "mediaUrls": more.pop("url", URL), "platform": "tiktok"}
        chosen = {"draft": True} if more.pop("draft", False) else {"privacyLevel": "PUBLIC_TO_EVERYONE"}
        body = {"post": {"accountId": account_id, "content": content, "tiktokOptions": chosen}, **more}
        accepted = create_post(self.ports, "workspace-1", body, idempotency_key=key, seconds_left=29, patient=True)
        return accepted.post

    def post(self, post: Post) -> Post:
        """The post as it is now."""
        known: Post = self.ports.posts.get(post.post_id)
        return known

    def entered(self, state: str) -> list[float]:
        """When any post entered a state."""
        return [at for at, _, name in self.states if name == state]

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.ports.clock.now() + seconds
        while True:
            self._adopt()
            at, act = self._next()
            if at > end:
                break
            self._set_clock(max(at, self.ports.clock.now()))
            act()
        self._set_clock(max(end, self.ports.clock.now()))

    def _set(self, at: float) -> None:
        self.ports.clock.time = at

    def _adopt(self) -> None:
        for name, post in list(self.ports.executions.started.items()):
            if name not in self._adopted:
                self._adopted.add(name)
                self._plan(0, lambda name=name, post=post: self._step(name, post, "DownloadMedia"))  # type: ignore[misc]

    def _plan(self, wait: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.ports.clock.now() + wait, next(self._numbers), act))

    def _next(self) -> tuple[float, Callable[[], None]]:
        """Return what happens next; of several at one moment an execution's step is first, the sweep last."""
        choices: list[tuple[float, int, Callable[[], None]]] = []
        if self._events:
            choices.append((self._events[0][0], 0, self._take_up))
        if self.schedules and self.ports.schedules.planned:
            at, post_id = min((at, post_id) for post_id, at in self.ports.schedules.planned)
            choices.append((at, 1, lambda: self._fire(post_id, at)))
        if self.sweeps:
            choices.append((self._sweep_at, 2, self._sweep))
        at, _, act = min(choices, key=lambda choice: choice[:2], default=(math.inf, 0, lambda: None))
        return at, act

    def _take_up(self) -> None:
        heapq.heappop(self._events)[2]()

    def _fire(self, post_id: str, at: int) -> None:
        self.ports.schedules.planned.discard((post_id, at))
        start_due(self.ports, post_id)

    def _sweep(self) -> None:
        self._sweep_at = self.ports.clock.now() + SWEEP_SECONDS
        sweep(self.ports, seconds_left=lambda: 100)

    def _step(self, name: str, post: Post, state: str, error: StepError | None = None, tries: int = 1) -> None:
        self.states.append((self.ports.clock.now(), post.post_id, state))
        request = StepInput(post_id=post.post_id, account_id=post.account_id, execution=name, error=error)
        try:
            output = STEPS[state](request, self.ports, lambda: 800.0)
        except PublisherError as problem:
            mended = isinstance(problem, TryAgain) and not isinstance(problem, CAUGHT_AT_ONCE)
            if mended and tries <= RETRIES:
                self._plan(RETRY_SECONDS, lambda: self._step(name, post, state, error, tries + 1))
                return
            told, then = caught_by_machine(problem), caught(state, problem)
            self._plan(0, lambda: self._step(name, post, then, told))
            return
        if state in LAST or output.next == "Held":
            self.states.append((self.ports.clock.now(), post.post_id, "Held" if output.next == "Held" else "End"))
            self.ports.executions.end(self.ports.executions.started[name])
            return
        if output.next in AFTER_WAIT:
            self.states.append((self.ports.clock.now(), post.post_id, output.next))
        following = AFTER_WAIT.get(output.next, output.next)
        self._plan(output.wait_seconds, lambda: self._step(name, post, following, error))
