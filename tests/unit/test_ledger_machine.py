"""The guarantee: at most one public post per accepted post, whatever is delivered twice, killed, lost or reordered.

Every call of a step to the outside may, before or after it took effect, lose its answer, kill its worker, sleep past a
lease or an upload URL, let TikTok pull pictures, or let another worker run a whole step first. TikTok's own list of
what was opened is the judge.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from publisher.domain.errors import Failure, PublisherError, ServiceUnavailable
from publisher.domain.posts import Status, carousel_taken
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.sweep import sweep
from tests.builders import MIB, NOW
from tests.fakes import FakePorts, Killed, TikTokPost
from tests.unit.work import STEPS, URL, Act, Interruptions, Point, Work

MOVING = ("DownloadMedia", "ConvertPhotos", "InitializePost", "UploadChunks", "CheckStatus")
type Trouble = list[tuple[int, bool, str]]


def trouble(calls: int, *, at_least: int = 0) -> st.SearchStrategy[Trouble]:
    """What goes wrong in so many calls: at which, before or after its effect, and what."""
    what = ["lost", "lost", "killed", "sleep 130", "sleep 3700", "pull", "pull", "other", "other", *MOVING]
    one = st.tuples(st.integers(0, calls - 1), st.booleans(), st.sampled_from(what))
    return st.lists(one, min_size=at_least, max_size=3)


def film(size: int) -> bytes:
    return b"\x00\x00\x00\x18ftypmp42" + bytes(size - 12)


class LedgerMachine(RuleBasedStateMachine):
    """Deliveries of steps to one post, in any order, with trouble at any call."""

    media = film(1000)
    done: tuple[str, ...] = ()
    """Steps that are done when the search begins."""
    patient = False
    """Whether nobody waits for the post."""

    @initialize(draft=st.booleans(), failing=st.booleans())
    def accept(self, draft: bool, failing: bool) -> None:
        self.depth = 0
        self.ports = FakePorts()
        self.ports.fetcher.media[URL] = self.media
        self.work = Work(self.ports)
        options = {"draft": True} if draft else {"privacy_level": "PUBLIC_TO_EVERYONE"}
        self.work.accept(options=options, watch_at=NOW + 60, patient=self.patient)
        if failing:
            self.ports.tiktok.fail_next_post(
                Failure(
                    name="VideoProcessingFailed", code="VideoProcessingFailed", error="e", message="m", retryable=False
                )
            )
        for step in self.done:
            self.work.run(step)
        self.interruptions = Interruptions(self.ports)

    def _act(self, what: str) -> Act:
        match what:
            case "lost":
                return self._lose
            case "killed":
                return self._kill
            case "sleep 130" | "sleep 3700":
                return lambda: self.ports.clock.sleep(float(what.split()[1]))
            case "pull":
                return self._pull
            case "other":
                return self._others
            case _:
                return lambda: self._run(what)

    def _lose(self) -> None:
        raise ServiceUnavailable("The answer was lost.", "Try again.")

    def _kill(self) -> None:
        raise Killed

    def _pull(self) -> None:
        """TikTok pulls whatever it was offered and has not pulled."""
        for carousel in list(self.ports.tiktok.carousels.values()):
            if not carousel.pulled:
                self.ports.tiktok.pull(carousel.publish_id, self.ports.photo_host)

    def _others(self) -> None:
        """Another worker does everything from the start while this one is away."""
        for step in MOVING:
            self._run(step)

    def _run(self, step: str) -> None:
        if self.depth > 1:
            return
        self.depth += 1
        try:
            self.work.run(step)
        except (PublisherError, Killed):
            pass
        finally:
            self.depth -= 1

    def _plan(self, trouble: Trouble) -> None:
        plan: dict[Point, Act] = {(call, after): self._act(what) for call, after, what in trouble}
        self.interruptions.at(plan)

    @rule(step=st.sampled_from([*STEPS, *MOVING]), trouble=trouble(18))
    def deliver(self, step: str, trouble: Trouble) -> None:
        self._plan(trouble)
        self._run(step)

    @rule(trouble=trouble(30))
    def run_through(self, trouble: Trouble) -> None:
        self._plan(trouble)
        self._others()

    @rule(seconds=st.sampled_from([5, 60, 130, 1900, 3700, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.ports.clock.sleep(seconds)

    @rule(trouble=trouble(12))
    def watch_over(self, trouble: Trouble) -> None:
        self._plan(trouble)
        try:
            sweep(self.ports, seconds_left=lambda: 100)
            continue_post(self.ports, self.work.post_id)
        except (PublisherError, Killed):
            pass

    @rule()
    def token_dies(self) -> None:
        self.ports.tiktok.expire_access_tokens()

    @rule()
    def tiktok_has_done_its_part_and_says_so(self) -> None:
        self._pull()
        for step in ("CheckStatus", "CheckStatus", "RecordPublished"):
            self._run(step)

    @rule()
    def creator_publishes_the_draft(self) -> None:
        for held in self._held():
            self.ports.tiktok.finish_draft(held.publish_id)

    @invariant()
    def tiktok_has_at_most_one_post(self) -> None:
        if hasattr(self, "work"):
            assert len(self._held()) <= 1, "TikTok has two posts"

    @invariant()
    def the_outcome_is_the_truth(self) -> None:
        if not hasattr(self, "work"):
            return
        self.interruptions.at({})
        post = self.work.post
        if post.status in (Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX):
            held = [(held.publish_id, held.failure) for held in self._held()]
            assert held == [(post.publish_id, None)], "a post that TikTok has not is said to be there"
        if post.status is Status.FAILED:
            assert all(held.failure for held in self._held()), "a post that TikTok has is said to have failed"
        assert post.terminal or post.watch_at is not None, "nobody looks after the post"

    def teardown(self) -> None:
        """Every accepted post ends once the trouble is over, and what TikTok pulls after that makes no second one."""
        if not hasattr(self, "work"):
            return
        self.interruptions.at({})
        self.ports.clock.sleep(130)
        self.work.go_on(self._pull)
        self._pull()
        assert self.work.post.terminal
        self.tiktok_has_at_most_one_post()
        self.the_outcome_is_the_truth()

    def _held(self) -> list[TikTokPost]:
        """All that TikTok has the whole of. What it could not pull it has not."""
        opened = (*self.ports.tiktok.uploads.values(), *self.ports.tiktok.carousels.values())
        pull_failed = "photo_pull_failed"
        return [
            post for post in opened if post.complete and not (post.failure and post.failure.tiktok_code == pull_failed)
        ]


class LedgerMachineOfPhotos(LedgerMachine):
    """The same with a picture, which TikTok pulls when it likes, or never."""

    media = b"\xff\xd8\xff\xe0" + bytes(100)
    done = ("DownloadMedia", "ConvertPhotos")

    @rule(trouble=trouble(18, at_least=1))
    def offer(self, trouble: Trouble) -> None:
        self._plan(trouble)
        self._run("InitializePost")

    @rule()
    def tiktok_pulls(self) -> None:
        self._pull()


class LedgerMachineWithTwoChunks(LedgerMachine):
    """The same with a video of two chunks, so that the last byte is not in the first call."""

    media = film(20 * MIB)


def budget(examples: int, steps: int) -> settings:
    return settings(
        phases=(Phase.explicit, Phase.generate),
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )


def test_no_interleaving_makes_two_posts_of_one_chunk():
    run_state_machine_as_test(LedgerMachine, settings=budget(1500, 25))


def test_no_interleaving_makes_two_posts_of_two_chunks():
    run_state_machine_as_test(LedgerMachineWithTwoChunks, settings=budget(30, 12))


def test_no_interleaving_makes_two_posts_of_a_picture():
    run_state_machine_as_test(LedgerMachineOfPhotos, settings=budget(1500, 25))


def test_a_host_without_a_fence_is_caught(monkeypatch):
    """The judge is not blind: when closing an address stops nobody it finds a second post."""
    monkeypatch.setattr("tests.fakes.FakePhotoHost.fence", lambda self, _prefix: True)
    with pytest.raises(AssertionError, match="TikTok has two posts"):
        run_state_machine_as_test(LedgerMachineOfPhotos, settings=budget(300, 20))


def test_an_answer_that_is_kept_for_whatever_offer_is_caught(monkeypatch):
    """A slow worker must not put the id of an offer that was closed over the offer that followed."""

    def careless(ports, post, publish_id):
        known = ports.posts.get(post.post_id)
        if known.carousel is not None:
            ports.posts.save(carousel_taken(known, publish_id, ports.clock.now()))

    monkeypatch.setattr("publisher.use_cases.initialize_post._record_answer", careless)
    with pytest.raises(AssertionError, match="is said to"):
        run_state_machine_as_test(LedgerMachineOfPhotos, settings=budget(1500, 20))


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
    with pytest.raises(AssertionError, match=r"TikTok has two posts|is said to"):
        run_state_machine_as_test(LedgerMachine, settings=budget(2000, 20))


@pytest.mark.parametrize("machine", [LedgerMachine, LedgerMachineOfPhotos])
def test_the_machine_reaches_every_outcome(machine):
    """The search is not idle: it ends posts in every way."""
    seen = set()

    watched = type("Watched", (machine,), {"teardown": lambda self: seen.add(self.work.post.status)})
    run_state_machine_as_test(watched, settings=budget(400, 20))
    assert seen >= {Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX, Status.FAILED, Status.REVIEW}
