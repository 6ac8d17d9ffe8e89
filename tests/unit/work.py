"""One post on its way through the steps: what they see, what interrupts them, and the machine that leads them."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from publisher.domain.errors import (
    NotTaken,
    PostLimitReached,
    PublisherError,
    ServiceUnavailable,
    Timeout,
    TryAgain,
    UploadExpired,
)
from publisher.domain.posts import Post
from publisher.messages import StepError, StepInput, StepOutput
from publisher.use_cases.check_status import check_status
from publisher.use_cases.convert_photos import convert_photos
from publisher.use_cases.download_media import download_media
from publisher.use_cases.initialize_post import initialize_post
from publisher.use_cases.reconcile import reconcile
from publisher.use_cases.record_failure import record_failure
from publisher.use_cases.record_published import record_published
from publisher.use_cases.upload_chunks import upload_chunks
from tests.builders import a_post
from tests.fakes import FakePorts, Faults, TikTokUpload

STEPS: dict[str, Callable[..., StepOutput]] = {
    "DownloadMedia": download_media,
    "ConvertPhotos": convert_photos,
    "InitializePost": initialize_post,
    "UploadChunks": upload_chunks,
    "CheckStatus": check_status,
    "Reconcile": reconcile,
    "RecordPublished": record_published,
    "RecordFailure": record_failure,
}
LAST = ("RecordPublished", "RecordFailure")
CAUGHT_AT_ONCE = (UploadExpired, PostLimitReached, NotTaken)
"""What time mends and the machine does not retry."""
URL = "https://media.example/film.mp4"
FILM = b"\x00\x00\x00\x20ftypisom" + bytes(range(256)) * 20
PHOTOS = tuple(f"https://media.example/{number}.jpg" for number in (1, 2, 3))
LOST: list[PublisherError] = [
    ServiceUnavailable("The answer was lost.", "Try again."),
    Timeout("No answer.", "Try again."),
]


def picture(number: int) -> bytes:
    """A JPEG to whoever looks at the first bytes, and no other's."""
    return b"\xff\xd8\xff\xe0" + bytes([number]) * (100 * number)


class Work:
    """One post on its way, with what its steps see."""

    def __init__(self, ports: FakePorts) -> None:
        self.ports = ports
        self.account = ports.connect()
        self.post_id = ""

    def accept(self, **changes: Any) -> Post:
        post = a_post(**{"account_id": self.account.account_id, "media_urls": (URL,)} | changes)
        self.ports.posts.accept(post, None)
        self.post_id = post.post_id
        return post

    @property
    def post(self) -> Post:
        post = self.ports.posts.get(self.post_id)
        assert post is not None
        return post

    def run(
        self, step: str, *, error: StepError | None = None, left: Callable[[], float] = lambda: 800.0
    ) -> StepOutput:
        request = StepInput(
            post_id=self.post_id, account_id=self.account.account_id, execution=f"{self.post_id}-0", error=error
        )
        return STEPS[step](request, self.ports, left)

    def change(self, **changes: Any) -> Post:
        return self.ports.posts.save(self.post.model_copy(update=changes))

    @property
    def uploads(self) -> list[TikTokUpload]:
        return list(self.ports.tiktok.uploads.values())

    def go_on(self, while_waiting: Callable[[], object] = lambda: None) -> list[str]:
        """Lead the post from the start to its end as the machine does, and return the steps that were run."""
        state, error, tries, ran = "DownloadMedia", None, itertools.count(1), list[str]()
        for _ in range(300):
            ran.append(state)
            try:
                output = self.run(state, error=error)
            except PublisherError as problem:
                self.ports.clock.sleep(5)
                if not isinstance(problem, TryAgain) or isinstance(problem, CAUGHT_AT_ONCE) or next(tries) > 6:
                    error = caught_by_machine(problem)
                    state = caught(state, problem)
                    tries = itertools.count(1)
                continue
            if state in LAST:
                return ran
            state, tries = output.next, itertools.count(1)
            if state == "Held":
                return [*ran, state]
            if state == "WaitForTikTok":
                while_waiting()
                self.ports.clock.sleep(output.wait_seconds)
                state = "CheckStatus"
            if state == "WaitForTurn":
                self.ports.clock.sleep(output.wait_seconds)
                state = "InitializePost"
        raise AssertionError(f"the post goes round in circles: {ran[-9:]}")


def caught(state: str, problem: PublisherError) -> str:
    """Where the machine goes on when a step has failed for good."""
    if isinstance(problem, UploadExpired):
        return "InitializePost"
    assert state not in LAST, "an outcome could not be written"
    return "Reconcile" if state in ("InitializePost", "UploadChunks", "CheckStatus") else "RecordFailure"


def caught_by_machine(error: PublisherError) -> StepError:
    cause = {"errorMessage": error.failure().model_dump_json(), "errorType": type(error).__name__}
    return StepError.model_validate({"Error": type(error).__name__, "Cause": json.dumps(cause)})


type Act = Callable[[], object]
type Point = tuple[int, bool]
"""A call of the running step by its number from 0, and whether the call has had its effect."""


class Interruptions(Faults):
    """Stands in for every fake's faults: acts before or after the n-th call of whoever runs.

    An act may raise, which is an answer lost or a worker killed, let time pass, or let another worker act.
    """

    def __init__(self, ports: FakePorts) -> None:
        super().__init__()
        self.plan: dict[Point, Act] = {}
        self.calls = itertools.count()
        self.seen: list[str] = []
        for port in (
            ports.posts,
            ports.slots,
            ports.accounts,
            ports.vault,
            ports.media,
            ports.tiktok,
            ports.photo_host,
            ports.executions,
        ):
            port.faults = self

    def at(self, plan: Mapping[Point, Act]) -> None:
        """Begin to count; what was planned before is off."""
        self.plan, self.calls, self.seen = dict(plan), itertools.count(), []

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        if call == "pull":  # TikTok's own, not a worker's
            yield
            return
        number = next(self.calls)
        self.seen.append(call)
        self.plan.pop((number, False), _nothing)()
        yield
        self.plan.pop((number, True), _nothing)()


def _nothing() -> None:
    """Act when nothing is planned."""


def points(calls: int) -> Sequence[Point]:
    """Every point at which a step of so many calls can be interrupted."""
    return [(number, after) for number in range(calls) for after in (False, True)]
