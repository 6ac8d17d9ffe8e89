"""The real steps on the machine, with every port in memory and one clock for all that waits."""

import importlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from publisher.domain.posts import Post, execution_name
from publisher.step import step
from tests.builders import a_post
from tests.fakes import FakePorts
from tests.workflow.engine import STATES, Engine, Execution, Function

URL = "https://media.example/film.mp4"
FILM = b"\x00\x00\x00\x20ftypisom"
"""How a film begins; zeros may follow."""
PHOTOS = tuple(f"https://media.example/{number}.jpg" for number in (1, 2, 3))
PHOTO = b"\xff\xd8\xff\xe0" + bytes(100)


class Publication:
    """A post and the machine that publishes it. `timeouts` are the functions' own, in seconds by state."""

    def __init__(self, machine: Engine, ports: FakePorts, **post: object) -> None:
        self.machine, self.ports = machine, ports
        accepted = a_post(**{"account_id": ports.connect().account_id, "media_urls": (URL,), **post})
        ports.posts.accept(accepted, None)
        self.post_id = accepted.post_id

    @property
    def post(self) -> Post:
        post = self.ports.posts.get(self.post_id)
        assert post is not None
        return post

    @property
    def given(self) -> dict[str, str]:
        """The execution's input, as the adapter gives it."""
        post = self.post
        return {"postId": post.post_id, "accountId": post.account_id, "execution": execution_name(post)}

    def run(self, while_waiting: Callable[[], object] = lambda: None) -> Execution:
        """Run one execution; `while_waiting` happens in every wait, also of a retry, before its time is over."""
        functions = {name: self._function(name) for name, state in STATES.items() if state["Type"] == "Task"}

        def sleep(seconds: float) -> None:
            while_waiting()
            self.ports.clock.sleep(seconds)

        return self.machine.run(functions, self.given, sleep)

    def tiktok_pulls(self) -> None:
        """TikTok pulls the pictures that it was offered and has not pulled."""
        for carousel in self.ports.tiktok.carousels.values():
            if not carousel.pulled:
                self.ports.tiktok.pull(carousel.publish_id, self.ports.photo_host)

    def _function(self, state: str) -> Function:
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in state)[1:]
        use_case = getattr(importlib.import_module(f"publisher.use_cases.{name}"), name)
        handler = step(use_case, ports=lambda: self.ports)
        return lambda payload: handler(payload, self._context(state))

    def _context(self, state: str) -> Any:
        """A machine's timeout is a little more than its function's."""
        ends = self.ports.clock.now() + STATES[state]["TimeoutSeconds"] - 30
        return SimpleNamespace(
            aws_request_id="request-1",
            get_remaining_time_in_millis=lambda: int(1000 * (ends - self.ports.clock.now())),
        )
