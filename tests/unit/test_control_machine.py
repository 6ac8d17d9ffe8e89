"""The guarantee with a person at the controls: cancelled, edited, tried again and answered about at any moment."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from publisher.domain.errors import PublisherError
from publisher.domain.posts import Status
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.edit_post import edit_post
from publisher.use_cases.retry_post import retry_post
from publisher.use_cases.start_due import start_due
from tests.fakes import Killed, TikTokPost
from tests.unit.test_hold_machine import PatientMachine, PatientMachineOfPhotos
from tests.unit.test_ledger_machine import MOVING, Trouble, budget
from tests.unit.work import Act

CONTROLS = ("cancel", "edit", "due", *("retry", "answer") * 3)
"""What is for good is done less often, or hardly anything else would be."""


def handled(calls: int, *, at_least: int = 0) -> st.SearchStrategy[Trouble]:
    """What happens in so many calls: at which, before or after its effect, and what."""
    what = ["lost", "killed", "sleep 130", "pull", "other", *CONTROLS, *MOVING]
    one = st.tuples(st.integers(0, calls - 1), st.booleans(), st.sampled_from(what))
    return st.lists(one, min_size=at_least, max_size=3)


class ControlMachine(PatientMachine):
    """A person who cancels, edits and tries again while the machine is at work, and tells the truth when asked."""

    cancelled = False

    def _act(self, what: str) -> Act:
        return (lambda: self._control(what)) if what in CONTROLS else super()._act(what)

    def _control(self, what: str) -> None:
        if self.depth > 1:
            return
        self.depth += 1
        try:
            self._do(what)
        except (PublisherError, Killed):
            pass
        finally:
            self.depth -= 1

    def _do(self, what: str) -> None:
        ports, (workspace, post_id) = self.ports, (self.work.account.workspace_id, self.work.post_id)
        match what:
            case "cancel":
                self.cancelled |= cancel_post(ports, workspace, post_id).status is Status.CANCELLED
            case "retry":
                retry_post(ports, workspace, post_id, {}, seconds_left=25)
            case "answer":
                retry_post(ports, workspace, post_id, {"published": bool(self._held())}, seconds_left=25)
            case "edit":
                edit_post(ports, workspace, post_id, {"post": {"content": {"text": "Edited"}}}, seconds_left=25)
            case "due":
                start_due(ports, post_id)

    @rule(step=st.sampled_from(MOVING), trouble=handled(12, at_least=1))
    def deliver_while_a_person_acts(self, step: str, trouble: Trouble) -> None:
        self._plan(trouble)
        self._run(step)

    @rule(trouble=handled(30, at_least=1))
    def run_through_while_a_person_acts(self, trouble: Trouble) -> None:
        self._plan(trouble)
        self._others()

    @rule(what=st.sampled_from(CONTROLS), trouble=handled(8))
    def person_acts(self, what: str, trouble: Trouble) -> None:
        self._plan(trouble)
        self._control(what)

    @rule(trouble=handled(8))
    def the_post_ends_and_a_person_acts(self, trouble: Trouble) -> None:
        self._plan([])
        self._run("RecordFailure")
        what = "answer" if self.work.post.status is Status.REVIEW else "retry"
        self._plan(trouble)
        self._control(what)

    @invariant()
    def a_cancelled_post_stays_cancelled_and_is_nowhere(self) -> None:
        if not hasattr(self, "work"):
            return
        self.interruptions.at({})
        if self.cancelled or self.work.post.status is Status.CANCELLED:
            assert self.work.post.status is Status.CANCELLED, "a post came back that was said to be cancelled"
            assert self._held() == [], "TikTok has a post that was said to be cancelled"

    def _held(self) -> list[TikTokPost]:
        """What is there: a post that TikTok failed is tried again rightly."""
        return [post for post in super()._held() if post.failure is None]


class ControlMachineOfPhotos(ControlMachine, PatientMachineOfPhotos):
    """The same with a picture."""


def test_no_hand_at_the_controls_makes_two_posts_of_one_chunk() -> None:
    run_state_machine_as_test(ControlMachine, settings=budget(1200, 25))


def test_no_hand_at_the_controls_makes_two_posts_of_a_picture() -> None:
    run_state_machine_as_test(ControlMachineOfPhotos, settings=budget(1200, 25))


@pytest.mark.parametrize(
    ("machine", "steps"),
    [(ControlMachine, {"Cancelled", "Retried"}), (ControlMachineOfPhotos, {"Cancelled", "Retried", "Answered"})],
)
def test_the_search_cancels_tries_again_and_answers(machine: type[ControlMachine], steps: set[str]) -> None:
    """It is not idle. Of a video TikTok always knows the outcome, so nobody has to answer about one."""
    seen = set[str]()

    class Watched(machine):  # type: ignore[valid-type, misc]
        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "work"):
                seen.update(moment.step for moment in self.work.post.timeline)

    run_state_machine_as_test(Watched, settings=budget(400, 25))
    assert seen >= {*steps, "RecordPublished"}


@pytest.mark.parametrize("machine", [ControlMachine, ControlMachineOfPhotos])
def test_a_cancel_that_minds_no_point_of_no_return_is_caught(
    machine: type[ControlMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge is not blind."""
    monkeypatch.setattr("publisher.domain.posts.Post.untouched", property(lambda post: not post.terminal))
    with pytest.raises(AssertionError, match=r"said to be cancelled|is said to"):
        run_state_machine_as_test(machine, settings=budget(4000, 25))
