"""The guarantee with posts that may wait: creators take the access back and connect again at any moment."""

from hypothesis.stateful import rule, run_state_machine_as_test

from publisher.use_cases.sweep import sweep
from tests.unit.test_connecting import connect
from tests.unit.test_ledger_machine import LedgerMachine, LedgerMachineOfPhotos, budget


class PatientMachine(LedgerMachine):
    """A post that nobody waits for, and an account that comes and goes."""

    patient = True

    @rule()
    def creator_removes_the_app(self) -> None:
        self.interruptions.at({})
        self.ports.tiktok.remove_app(self.work.account.open_id)

    @rule()
    def creator_connects_again(self) -> None:
        self.interruptions.at({})
        connect(self.ports, self.work.account.workspace_id, open_id=self.work.account.open_id)

    def teardown(self) -> None:
        """Connected again, every post that waits goes on with the next sweeps, and ends."""
        if not hasattr(self, "work"):
            return
        self.creator_connects_again()
        for _ in range(2):
            self.ports.clock.sleep(130)
            sweep(self.ports, seconds_left=lambda: 100)
        assert self.work.post.held_since is None
        super().teardown()


class PatientMachineOfPhotos(PatientMachine, LedgerMachineOfPhotos):
    """The same with a picture."""


def test_no_interleaving_with_lost_accounts_makes_two_posts_of_one_chunk():
    run_state_machine_as_test(PatientMachine, settings=budget(700, 25))


def test_no_interleaving_with_lost_accounts_makes_two_posts_of_a_picture():
    run_state_machine_as_test(PatientMachineOfPhotos, settings=budget(700, 25))


def test_the_machine_holds_posts_and_lets_them_go_on():
    """The search is not idle."""
    seen = set()

    class Watched(PatientMachine):
        def teardown(self) -> None:
            super().teardown()
            steps = [moment.step for moment in self.work.post.timeline]
            if "Held" in steps:
                seen.add("held")
                seen.add(f"then {self.work.post.status}" if steps[-1] != "Held" else "waits")

    run_state_machine_as_test(Watched, settings=budget(300, 25))
    assert seen >= {"held", "then PUBLISH_COMPLETE"}
