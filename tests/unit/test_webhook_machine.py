"""Events at any moment, of any kind and about anything TikTok was ever offered, change nothing about the guarantee."""

import hashlib
import hmac
import json
from contextlib import suppress

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from publisher.domain.errors import PublisherError
from publisher.domain.posts import Post, carousel_taken
from publisher.use_cases.sweep import sweep
from publisher.use_cases.take_event import take_event
from tests.fakes import Killed
from tests.unit.test_ledger_machine import LedgerMachine, LedgerMachineOfPhotos, Trouble, budget, trouble

KINDS = ("complete", "failed", "inbox_delivered", "publicly_available", "no_longer_publicaly_available")


class Told(LedgerMachine):
    """TikTok tells whatever it likes: also what is not so, twice, early, late, and of offers that came to nothing."""

    @rule(which=st.sampled_from([0, 0, 1, 1, 2]), kind=st.sampled_from(KINDS), again=st.booleans(), trouble=trouble(8))
    def tiktok_tells(self, which: int, kind: str, again: bool, trouble: Trouble) -> None:
        opened = (*self.ports.tiktok.uploads.values(), *self.ports.tiktok.carousels.values())
        account = self.ports.accounts.get(self.work.post.account_id)
        assert account is not None
        now = self.ports.clock.now()
        said = {
            "client_key": "key",
            "event": f"post.publish.{kind}",
            "create_time": int(now) if not again else 1_790_000_000,
            "user_openid": account.open_id,
            "content": json.dumps(
                {"publish_id": opened[which].publish_id if which < len(opened) else "p_pub_url~v2.9"}
            ),
        }
        body = json.dumps(said).encode()
        signature = hmac.new(b"secret", f"{int(now)}.".encode() + body, hashlib.sha256).hexdigest()
        self._plan(trouble)
        with suppress(PublisherError, Killed):
            take_event(self.ports, body, f"t={int(now)},s={signature}")

    @rule(trouble=trouble(8))
    def the_sweep_comes_while_the_machine_sleeps(self, trouble: Trouble) -> None:
        self.interruptions.at({})
        self.ports.executions.start(self.work.post)
        self.ports.clock.sleep(130)
        self._plan(trouble)
        with suppress(PublisherError, Killed):
            sweep(self.ports, seconds_left=lambda: 100)


class ToldOfPhotos(Told, LedgerMachineOfPhotos):
    """The same with a picture, and first with offers whose answer was lost: an event alone may tell their id."""

    @initialize(draft=st.booleans(), failing=st.booleans(), pulled=st.lists(st.booleans(), max_size=2))
    def accept(self, draft: bool, failing: bool, pulled: list[bool]) -> None:
        super().accept(draft, failing)
        for one in pulled:
            self._offer_without_an_answer(pulled=one)

    def _offer_without_an_answer(self, *, pulled: bool) -> None:
        def lose() -> None:
            if self.interruptions.seen[-1] == "open_carousel":
                if pulled:
                    self._pull()
                self._lose()

        self.interruptions.at({(call, True): lose for call in range(30)})
        self._run("InitializePost")
        self.interruptions.at({})
        self._run("Reconcile")


@pytest.mark.parametrize("machine", [Told, ToldOfPhotos])
def test_no_event_makes_two_posts_or_an_outcome_that_is_not_so(machine):
    run_state_machine_as_test(machine, settings=budget(700, 30))


def test_the_search_finds_pictures_that_only_an_event_could_name(monkeypatch):
    """The search is not idle: it comes to pictures whose answer was lost, and to their name."""
    named: list[str | None] = []

    def take(post: Post, publish_id: str | None, now: float) -> Post:
        named.append(publish_id)
        return carousel_taken(post, publish_id, now)

    monkeypatch.setattr("publisher.use_cases.follow_hint.carousel_taken", take)
    run_state_machine_as_test(ToldOfPhotos, settings=budget(300, 30))
    assert named


class ToldOfSeveralOffers(ToldOfPhotos):
    """Always two offers were lost, since only among several a wrong one can be named."""

    @initialize(failing=st.booleans(), pulled=st.tuples(st.booleans(), st.booleans()))
    def accept(self, failing: bool, pulled: tuple[bool, bool]) -> None:
        super().accept(False, failing, list(pulled))


def test_a_name_that_is_taken_from_whatever_offer_is_caught(monkeypatch):
    """The judge is not blind: of several offers one that was closed before fails under an id of its own."""
    monkeypatch.setattr(
        "publisher.use_cases.follow_hint.PUBLISHED", frozenset({"FAILED", "PROCESSING_DOWNLOAD", "PUBLISH_COMPLETE"})
    )
    with pytest.raises(AssertionError, match="is said to"):
        run_state_machine_as_test(ToldOfSeveralOffers, settings=budget(4000, 30))
