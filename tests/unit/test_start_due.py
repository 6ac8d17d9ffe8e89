"""A scheduled post starts at its time, once: however often, early or late its schedule fires, and whoever else acts."""

import threading

import pytest

from publisher.domain.errors import Busy, ServiceUnavailable, WrongStatus
from publisher.domain.posts import Status, wait_for_turn
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.start_due import start_due
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_post
from tests.fakes import FakePorts, Killed
from tests.unit.work import Interruptions

AT = NOW + 3600


def scheduled(ports: FakePorts, **changes):
    account = ports.connect()
    planned = {"status": Status.SCHEDULED, "scheduled_at": AT, "watch_at": AT, "patient": True, "queues": True}
    post = a_post(**{"account_id": account.account_id, **planned, **changes})
    ports.posts.accept(post, None)
    ports.schedules.put(post.post_id, AT)
    return post


def waiting(ports: FakePorts):
    """A post whose turn comes at its time."""
    post = scheduled(ports)
    return ports.posts.save(wait_for_turn(post, AT, NOW))


def starts(ports: FakePorts) -> list[str]:
    return list(ports.executions.started)


def status(ports: FakePorts, post) -> Status:
    stored = ports.posts.get(post.post_id)
    assert stored is not None
    return stored.status


def swept(ports: FakePorts):
    return sweep(ports, seconds_left=lambda: 100)


def test_a_post_starts_at_its_time_under_its_own_name_and_is_watched(ports):
    post = scheduled(ports)
    ports.clock.time = AT
    start_due(ports, post.post_id)
    begun = ports.posts.get(post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]
    assert (begun.status, begun.timeline[-1].step, begun.watch_at) == (Status.QUEUED, "Due", AT + 60)


@pytest.mark.parametrize("seconds", [0, 1, 59, 3600, 86400])
def test_a_schedule_that_fires_again_later_starts_nothing_more(ports, seconds):
    post = scheduled(ports)
    ports.clock.time = AT
    start_due(ports, post.post_id)
    ports.clock.time += seconds
    start_due(ports, post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]


@pytest.mark.parametrize("make", [scheduled, waiting])
@pytest.mark.parametrize(("early", "starts_now"), [(3600, False), (2.5, False), (2, True), (0.2, True), (-86400, True)])
def test_a_firing_counts_from_two_seconds_before_the_time_on(ports, make, early, starts_now):
    post = make(ports)
    ports.clock.time = AT - early
    start_due(ports, post.post_id)
    assert len(starts(ports)) == starts_now


def test_a_post_that_was_moved_starts_at_its_new_time_only(ports):
    post = scheduled(ports)
    ports.posts.save(post.model_copy(update={"scheduled_at": AT + 600, "watch_at": AT + 600}))
    ports.clock.time = AT
    start_due(ports, post.post_id)
    assert (starts(ports), status(ports, post)) == ([], Status.SCHEDULED)
    ports.clock.time = AT + 600
    start_due(ports, post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]


@pytest.mark.parametrize("ended", [Status.CANCELLED, Status.FAILED, Status.PUBLISH_COMPLETE, Status.REVIEW])
def test_a_firing_for_a_post_that_has_ended_means_nothing(ports, ended):
    post = scheduled(ports, status=ended)
    ports.clock.time = AT
    start_due(ports, post.post_id)
    assert (starts(ports), ports.posts.get(post.post_id)) == ([], post)


def test_a_firing_for_a_post_that_is_not_there_means_nothing(ports):
    start_due(ports, "00000000-0000-0000-0000-000000000000")
    assert starts(ports) == []


def test_a_firing_for_a_post_on_its_way_does_not_touch_it(ports):
    post = scheduled(ports, status=Status.PROCESSING_UPLOAD)
    ports.clock.time = AT
    start_due(ports, post.post_id)
    assert (starts(ports), ports.posts.get(post.post_id)) == ([], post)


def test_a_worker_that_dies_between_the_write_and_the_start_is_made_up_for_by_the_next_firing(ports):
    post = scheduled(ports)
    ports.clock.time = AT
    ports.executions.faults.before("start", Killed())
    with pytest.raises(Killed):
        start_due(ports, post.post_id)
    assert (starts(ports), status(ports, post)) == ([], Status.QUEUED)
    start_due(ports, post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]


def test_a_worker_that_dies_between_the_write_and_the_start_is_made_up_for_by_the_sweep_of_the_next_minute(ports):
    post = scheduled(ports)
    ports.clock.time = AT
    ports.executions.faults.before("start", Killed())
    with pytest.raises(Killed):
        start_due(ports, post.post_id)
    ports.clock.time += 60
    swept(ports)
    assert len(starts(ports)) == 1


def test_a_start_that_fails_is_told_so_that_the_event_is_run_again(ports):
    post = scheduled(ports)
    ports.clock.time = AT
    ports.executions.faults.before("start", ServiceUnavailable("Throttled.", "Try again."))
    with pytest.raises(ServiceUnavailable):
        start_due(ports, post.post_id)
    start_due(ports, post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]


def test_a_schedule_that_never_fires_is_made_up_for_by_the_sweep(ports):
    post = scheduled(ports)
    ports.schedules.planned.clear()
    ports.clock.time = AT - 3
    swept(ports)
    assert starts(ports) == []
    ports.clock.time = AT
    swept(ports)
    swept(ports)
    assert (starts(ports), status(ports, post)) == ([f"{post.post_id}-0"], Status.QUEUED)


def test_a_post_whose_turn_has_come_goes_on_once_however_often_it_is_woken(ports):
    post = waiting(ports)
    ports.clock.time = AT
    start_due(ports, post.post_id)
    start_due(ports, post.post_id)
    swept(ports)
    woken = ports.posts.get(post.post_id)
    assert (starts(ports), woken.held_since, woken.not_before) == ([f"{post.post_id}-1"], None, None)


def test_a_post_that_others_change_all_the_time_is_busy_and_starts_later(ports):
    post = scheduled(ports)
    ports.clock.time = AT
    for _ in range(8):
        ports.posts.faults.before("save", Busy("Another worker was faster.", "Try again."))
    with pytest.raises(Busy):
        start_due(ports, post.post_id)
    assert (starts(ports), status(ports, post)) == ([], Status.SCHEDULED)
    start_due(ports, post.post_id)
    assert starts(ports) == [f"{post.post_id}-0"]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("call", range(4))
def test_a_post_that_is_cancelled_at_any_moment_of_its_start_stays_cancelled_and_starts_at_most_once(call, late):
    """It may start and still be cancelled, because TikTok has nothing of it: then the execution finds it ended."""
    ports = FakePorts()
    post = scheduled(ports)
    ports.clock.time = AT
    interruptions = Interruptions(ports)
    interruptions.plan[call, late] = lambda: cancel_post(ports, post.workspace_id, post.post_id)
    start_due(ports, post.post_id)
    start_due(ports, post.post_id)
    swept(ports)
    assert interruptions.plan == {}
    assert (status(ports, post), len(starts(ports)) <= 1) == (Status.CANCELLED, True)


@pytest.mark.parametrize("fires_first", [True, False])
@pytest.mark.parametrize("_round", range(20))
def test_cancelled_in_the_second_it_fires_twice(fires_first, _round):
    ports = FakePorts()
    post = scheduled(ports)
    ports.clock.time = AT
    told: list[Status | None] = []

    def cancel() -> None:
        try:
            told.append(cancel_post(ports, post.workspace_id, post.post_id).status)
        except WrongStatus:
            told.append(None)

    acts = [lambda: start_due(ports, post.post_id), cancel] * 2
    threads = [threading.Thread(target=act) for act in (acts if fires_first else acts[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [Status.CANCELLED] * 2  # TikTok has nothing of a post that only started
    assert status(ports, post) is Status.CANCELLED
    assert len(starts(ports)) <= 1
    start_due(ports, post.post_id)
    swept(ports)
    assert (status(ports, post), len(starts(ports)) <= 1) == (Status.CANCELLED, True)
