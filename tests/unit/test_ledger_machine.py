"""The guarantee: at most one public post per accepted post, whatever is delivered twice, killed, lost or reordered.

Every call of a step to the outside may, before or after it took effect, lose its answer, kill its worker, sleep past a
lease or an upload URL, or let another worker run a whole step first. TikTok's own list of uploads is the judge.
"""

import itertools
from collections.abc import Callable
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from publisher.domain.errors import Failure, PublisherError, ServiceUnavailable
from publisher.domain.posts import Status
from publisher.messages import StepInput
from publisher.ports import Grant
from publisher.use_cases.check_status import check_status
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.download_media import download_media
from publisher.use_cases.initialize_post import initialize_post
from publisher.use_cases.reconcile import reconcile
from publisher.use_cases.record_failure import record_failure
from publisher.use_cases.record_published import record_published
from publisher.use_cases.sweep import sweep
from publisher.use_cases.upload_chunks import upload_chunks
from publisher.use_cases.use_access_token import seal_tokens, tokens_context
from tests.builders import MIB, NOW, a_post, an_account
from tests.fakes import FakePorts, Faults

URL = "https://media.example/film.mp4"
STEPS = {
    "DownloadMedia": download_media,
    "InitializePost": initialize_post,
    "UploadChunks": upload_chunks,
    "CheckStatus": check_status,
    "Reconcile": reconcile,
    "RecordPublished": record_published,
    "RecordFailure": record_failure,
}
MOVING = ("DownloadMedia", "InitializePost", "UploadChunks", "CheckStatus")


class Killed(BaseException):
    """The worker is gone in the middle of a step."""


class Trouble(Faults):
    """Stands in for a fake's faults: does what is planned for the n-th call of the running step."""

    def __init__(self, machine: "LedgerMachine") -> None:
        super().__init__()
        self.machine = machine

    @contextmanager
    def around(self, _call: str):
        before, after = self.machine.next_trouble()
        before()
        yield
        after()


def nothing() -> None:
    """No trouble."""


def film(size: int) -> bytes:
    return b"\x00\x00\x00\x18ftypmp42" + bytes(size - 12)


class LedgerMachine(RuleBasedStateMachine):
    """Deliveries of steps to one post, in any order, with trouble at any call."""

    size = 1000
    trouble = st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=12),
            st.booleans(),
            st.sampled_from(["lost", "killed", "sleep 130", "sleep 3700", "other", "other", *MOVING]),
        ),
        max_size=3,
    )

    @initialize(draft=st.booleans(), failing=st.booleans())
    def accept(self, draft: bool, failing: bool) -> None:
        self.plan: dict[tuple[int, bool], str] = {}
        self.calls = itertools.count()
        self.depth = 0
        self.ports = FakePorts()
        self.ports.fetcher.media[URL] = film(self.size)
        account = an_account(tokens=None)
        grant: Grant = self.ports.tiktok.grant(account.open_id)
        sealer = self.ports.vault.sealer(tokens_context(account))
        self.ports.accounts.add(
            account.model_copy(update={"tokens": seal_tokens(sealer, grant, 1, self.ports.clock.now())})
        )
        options = {"draft": True} if draft else {"privacy_level": "PUBLIC_TO_EVERYONE"}
        self.post = a_post(media_urls=(URL,), account_id=account.account_id, options=options, watch_at=NOW + 60)
        self.ports.posts.accept(self.post, None)
        if failing:
            self.ports.tiktok.fail_next_post(
                Failure(
                    name="VideoProcessingFailed", code="VideoProcessingFailed", error="e", message="m", retryable=False
                )
            )
        for port in (self.ports.posts, self.ports.accounts, self.ports.vault, self.ports.media, self.ports.tiktok):
            port.faults = Trouble(self)

    def next_trouble(self) -> tuple[Callable[[], None], Callable[[], None]]:
        call = next(self.calls)
        return self._act(self.plan.pop((call, False), None)), self._act(self.plan.pop((call, True), None))

    def _act(self, what: str | None) -> Callable[[], None]:
        match what:
            case None:
                return nothing
            case "lost":
                return self._lose
            case "killed":
                return self._kill
            case "sleep 130" | "sleep 3700":
                return lambda: self.ports.clock.sleep(float(what.split()[1]))
            case "other":
                return self._others
            case _:
                return lambda: self._run(what)

    def _lose(self) -> None:
        raise ServiceUnavailable("The answer was lost.", "Try again.")

    def _kill(self) -> None:
        raise Killed

    def _others(self) -> None:
        """Another worker does everything from the start while this one is away."""
        for step in MOVING:
            self._run(step)

    def _run(self, step: str) -> None:
        if self.depth > 1:
            return
        self.depth += 1
        try:
            request = StepInput(post_id=self.post.post_id, account_id=self.post.account_id, execution="execution")
            STEPS[step](request, self.ports, lambda: 800.0)
        except (PublisherError, Killed):
            pass
        finally:
            self.depth -= 1

    def _plan(self, trouble) -> None:
        self.calls = itertools.count()
        self.plan = {(call, after): what for call, after, what in trouble}

    @rule(step=st.sampled_from(list(STEPS)), trouble=trouble)
    def deliver(self, step: str, trouble) -> None:
        self._plan(trouble)
        self._run(step)

    @rule(trouble=trouble)
    def run_through(self, trouble) -> None:
        self._plan(trouble)
        self._others()

    @rule(seconds=st.sampled_from([5, 60, 130, 1900, 3700]))
    def time_passes(self, seconds: int) -> None:
        self.ports.clock.sleep(seconds)

    @rule(trouble=trouble)
    def watch_over(self, trouble) -> None:
        self._plan(trouble)
        try:
            sweep(self.ports, seconds_left=lambda: 100)
            continue_post(self.ports, self.post.post_id)
        except (PublisherError, Killed):
            pass

    @rule()
    def token_dies(self) -> None:
        self.ports.tiktok.expire_access_tokens()

    @invariant()
    def at_most_one_upload_is_complete(self) -> None:
        if hasattr(self, "ports"):
            assert len(self._complete()) <= 1, "TikTok has two posts"

    @invariant()
    def the_outcome_is_the_truth(self) -> None:
        if not hasattr(self, "ports"):
            return
        self.plan = {}
        post = self.ports.posts.get(self.post.post_id)
        assert post is not None, "an accepted post is forgotten"
        if post.status in (Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX):
            assert [upload.failure for upload in self._complete()] == [None]
        if post.status is Status.FAILED:
            assert all(upload.failure for upload in self._complete())
        assert post.terminal or post.watch_at is not None, "nobody looks after the post"

    def _complete(self):
        return [upload for upload in self.ports.tiktok.uploads.values() if upload.complete]


class LedgerMachineWithTwoChunks(LedgerMachine):
    """The same with a video of two chunks, so that the last byte is not in the first call."""

    size = 20 * MIB


def budget(examples: int, steps: int) -> settings:
    return settings(
        phases=(Phase.explicit, Phase.generate),
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def test_no_interleaving_makes_two_posts_of_one_chunk():
    run_state_machine_as_test(LedgerMachine, settings=budget(1500, 25))


def test_no_interleaving_makes_two_posts_of_two_chunks():
    run_state_machine_as_test(LedgerMachineWithTwoChunks, settings=budget(30, 12))


def test_a_ledger_that_forgets_the_point_of_no_return_is_caught(monkeypatch):
    """The judge is not blind: without the one rule it finds a second post."""
    from publisher.domain import posts

    def naive(post, now):
        return posts.enter(
            post.model_copy(update={"upload": None, "next_byte": 0, "last_offered_at": None, "confirmed": None}),
            "InitializePost",
            now,
            attempt=post.attempt + 1,
        )

    monkeypatch.setattr("publisher.use_cases.initialize_post.begin_attempt", naive)
    monkeypatch.setattr("publisher.use_cases.initialize_post.upload_expired", lambda post, now: True)
    monkeypatch.setattr(posts.Post, "last_offered", property(lambda post: False))
    with pytest.raises(AssertionError, match="TikTok has two posts"):
        run_state_machine_as_test(LedgerMachine, settings=budget(600, 20))


def test_a_ledger_without_conditional_writes_is_caught(monkeypatch):
    """A worker that slept must not write what it knew before."""

    def overwrite(self, post):
        with self.faults.around("save"):
            self._posts[post.post_id] = post.model_copy(update={"version": post.version + 1})
            return self._posts[post.post_id]

    monkeypatch.setattr("tests.fakes.FakePosts.save", overwrite)
    with pytest.raises(AssertionError, match="TikTok has two posts"):
        run_state_machine_as_test(LedgerMachine, settings=budget(2000, 20))


def test_the_machine_reaches_every_outcome():
    """The search is not idle: it ends posts in every way."""
    seen = set()

    class Watched(LedgerMachine):
        def teardown(self) -> None:
            self.plan = {}
            post = self.ports.posts.get(self.post.post_id)
            assert post is not None
            seen.add(post.status)

    run_state_machine_as_test(Watched, settings=budget(300, 20))
    assert seen >= {Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX, Status.FAILED, Status.REVIEW}
