"""Every arrow of the state machine, taken: each Next, Choice, Retry and Catch of the file."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, get_args

import pytest

from publisher.domain import errors
from publisher.messages import NextState, StepInput, StepOutput
from tests.workflow.engine import STATES, Execution, LambdaFailed
from tests.workflow.script import Answer, Script

TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
LEADS_TO: dict[str, Script] = {
    "ConvertPhotos": {"DownloadMedia": [StepOutput(next="ConvertPhotos")]},
    "WaitForTurn": {"InitializePost": [StepOutput(next="WaitForTurn", wait_seconds=20)]},
    "Reconcile": {"InitializePost": [errors.PublishingFailed("TikTok refused the post.", "Send another.")]},
    "RecordFailure": {
        "DownloadMedia": [errors.MediaDownloadFailed("The media server answered 404.", "Check the URL.")]
    },
}
"""What makes the machine enter a state that it passes by when all goes well."""
GOOD_WAY = [
    "DownloadMedia",
    "WhatNext",
    "InitializePost",
    "WhatNext",
    "UploadChunks",
    "WhatNext",
    "WaitForTikTok",
    "CheckStatus",
    "WhatNext",
    "RecordPublished",
]
WAY = {
    "ConvertPhotos": ["DownloadMedia", "WhatNext", "ConvertPhotos", *GOOD_WAY[2:]],
    "Reconcile": ["DownloadMedia", "WhatNext", "InitializePost", "Reconcile", "WhatNext", "RecordFailure"],
    "RecordFailure": ["DownloadMedia", "RecordFailure"],
}
"""What LEADS_TO makes of the way."""
CANNOT_COME = {"States.HeartbeatTimeout"}
"""No task has a heartbeat and the interpreter makes none; the error is named because AWS may."""

type Play = Callable[[Script], Execution]


def _error(name: str) -> Exception:
    """An error that the machine knows by this name."""
    if name == "States.Timeout":
        return TimeoutError()
    if name.startswith("Lambda."):
        return LambdaFailed(name.removeprefix("Lambda."))
    kind: type[errors.PublisherError] = getattr(errors, name)
    return kind("It happened.", "Do this.")


def _arrows(kind: str) -> Iterator[Any]:
    """State, and rule of its Retry or Catch."""
    for name, state in TASKS.items():
        for rule in state.get(kind, []):
            yield pytest.param(name, rule, id=f"{name}-{rule['ErrorEquals'][0]}")


def _retried() -> Iterator[Any]:
    """State, rule of its Retry, and error."""
    for name, state in TASKS.items():
        for rule in state["Retry"]:
            for error in rule["ErrorEquals"]:
                if error not in CANNOT_COME:
                    yield pytest.param(name, rule, error, id=f"{name}-{error}")


def _script_for(name: str, *answers: Answer) -> Script:
    return {**LEADS_TO.get(name, {}), name: list(answers)}


def test_all_goes_well(play: Play) -> None:
    execution = play({})
    assert (execution.status, execution.states) == ("SUCCEEDED", GOOD_WAY)


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if "Next" in state])
def test_a_state_that_is_done_is_followed_by_the_next(play: Play, name: str) -> None:
    execution = play(LEADS_TO.get(name, {}))
    assert (name, STATES[name]["Next"]) in pairwise(execution.states)


@pytest.mark.parametrize("name", [name for name, state in TASKS.items() if state.get("End")])
def test_a_recorded_outcome_ends_the_execution(play: Play, name: str) -> None:
    execution = play(LEADS_TO.get(name, {}))
    assert (execution.status, execution.states[-1]) == ("SUCCEEDED", name)


@pytest.mark.parametrize("decision", get_args(NextState))
@pytest.mark.parametrize("name", [name for name, state in TASKS.items() if state.get("Next") == "WhatNext"])
def test_the_machine_goes_where_the_step_says(play: Play, name: str, decision: NextState) -> None:
    execution = play(_script_for(name, StepOutput(next=decision, wait_seconds=7)))
    after = execution.states[execution.states.index(name) :]
    assert after[:3] == [name, "WhatNext", decision]


@pytest.mark.parametrize("name", [name for name, state in TASKS.items() if state.get("Next") == "WhatNext"])
def test_a_decision_that_nobody_knows_is_a_failure(play: Play, name: str) -> None:
    execution = play(_script_for(name, {"next": "Elsewhere", "waitSeconds": 0}))
    assert execution.states[-2:] == ["WhatNext", "RecordFailure"]


def test_the_machine_waits_as_long_as_the_step_says(play: Play) -> None:
    again = [StepOutput(next="WaitForTikTok", wait_seconds=seconds) for seconds in (5, 10, 20)]
    assert play({"CheckStatus": again}).waits == [5, 5, 10, 20]


def test_a_post_waits_for_its_turn_as_long_as_the_step_says_and_is_then_opened(play: Play) -> None:
    again = [StepOutput(next="WaitForTurn", wait_seconds=seconds) for seconds in (65, 7)]
    execution = play({"InitializePost": again})
    turns = ["InitializePost", "WhatNext", "WaitForTurn"] * 2
    assert execution.states == ["DownloadMedia", "WhatNext", *turns, *GOOD_WAY[2:]]
    assert (execution.status, execution.waits) == ("SUCCEEDED", [65, 7, 5])


def test_a_post_that_waits_for_long_leaves_the_machine(play: Play) -> None:
    execution = play({"InitializePost": [StepOutput(next="Held")]})
    assert (execution.status, execution.states[-2:]) == ("SUCCEEDED", ["WhatNext", "Held"])


@pytest.mark.parametrize(("name", "rule", "error"), list(_retried()))
def test_an_error_that_time_mends_is_retried(play: Play, name: str, rule: dict[str, Any], error: str) -> None:
    execution = play(_script_for(name, _error(error)))
    assert execution.status == "SUCCEEDED"
    assert execution.states == WAY.get(name, GOOD_WAY)
    assert execution.called.count(name) == 2
    assert execution.retry_waits == [rule["IntervalSeconds"]]


@pytest.mark.parametrize(("name", "rule"), list(_arrows("Retry")))
def test_retries_back_off_and_end(play: Play, name: str, rule: dict[str, Any]) -> None:
    error, most = rule["ErrorEquals"][0], rule["MaxAttempts"]
    execution = play(_script_for(name, *[_error(error)] * (most + 1)))
    backoff = [rule["IntervalSeconds"] * rule["BackoffRate"] ** number for number in range(most)]
    assert execution.called.count(name) == most + 1
    assert execution.retry_waits == [min(wait, rule["MaxDelaySeconds"]) for wait in backoff]
    if TASKS[name].get("End"):
        assert (execution.status, execution.error, execution.states[-1]) == ("FAILED", error, name)
    else:
        assert (name, TASKS[name]["Catch"][-1]["Next"]) in pairwise(execution.states)
        assert execution.status == "SUCCEEDED"


@pytest.mark.parametrize(("name", "rule"), list(_arrows("Catch")))
def test_an_error_that_time_does_not_mend_is_caught_at_once(play: Play, name: str, rule: dict[str, Any]) -> None:
    error = rule["ErrorEquals"][0] if rule["ErrorEquals"] != ["States.ALL"] else "PublishingFailed"
    execution = play(_script_for(name, _error(error)))
    place = execution.states.index(name)
    caught = StepInput.model_validate(_payload_of(execution, rule["Next"], after=name))
    assert execution.states[place + 1] == rule["Next"]
    assert execution.retry_waits == []
    assert caught.error is not None
    assert (caught.error.name, caught.error.failure().error) == (error, "It happened.")


def _payload_of(execution: Execution, name: str, *, after: str) -> dict[str, Any]:
    return next(payload for state, payload in execution.calls[execution.called.index(after) :] if state == name)


@pytest.mark.parametrize("name", [name for name, state in TASKS.items() if "Catch" in state])
def test_a_killed_function_is_told_as_what_it_is(play: Play, name: str) -> None:
    most = max(rule["MaxAttempts"] for rule in TASKS[name]["Retry"] if "States.Timeout" in rule["ErrorEquals"])
    execution = play(_script_for(name, *[TimeoutError()] * (most + 1)))
    target = TASKS[name]["Catch"][-1]["Next"]
    caught = StepInput.model_validate(_payload_of(execution, target, after=name))
    assert caught.error is not None
    assert (caught.error.name, caught.error.failure().code) == ("States.Timeout", "InternalServerError")


@pytest.mark.parametrize("name", [name for name, state in TASKS.items() if state.get("End")])
def test_an_outcome_that_cannot_be_recorded_fails_the_execution(play: Play, name: str) -> None:
    execution = play(_script_for(name, _error("NotFound")))
    assert (execution.status, execution.error, execution.states[-1]) == ("FAILED", "NotFound", name)
    assert execution.retry_waits == []


@pytest.mark.parametrize("name", TASKS)
def test_what_broke_in_a_step_is_not_told_in_the_history(play: Play, name: str) -> None:
    execution = play(_script_for(name, ValueError("act.a-token-in-a-message")))
    assert execution.retry_waits
    assert '"InternalServerError' in execution.history
    assert "a-token-in-a-message" not in execution.history


def test_an_expired_upload_is_opened_again_and_goes_on(play: Play) -> None:
    execution = play({"UploadChunks": [_error("UploadExpired")]})
    assert execution.states == [*GOOD_WAY[:5], "InitializePost", *GOOD_WAY[3:]]


def test_photos_are_converted_and_never_uploaded(play: Play) -> None:
    wait = StepOutput(next="WaitForTikTok", wait_seconds=5)
    execution = play({**LEADS_TO["ConvertPhotos"], "InitializePost": [wait]})
    assert execution.states == [*WAY["ConvertPhotos"][:5], *GOOD_WAY[6:]]
    assert execution.waits == [5]


@pytest.mark.parametrize("error", ["InvalidMediaType", "PublishingFailed", "NotFound"])
def test_photos_that_cannot_be_converted_fail_before_tiktok_is_asked(play: Play, error: str) -> None:
    execution = play(_script_for("ConvertPhotos", _error(error)))
    assert execution.states == ["DownloadMedia", "WhatNext", "ConvertPhotos", "RecordFailure"]


@pytest.mark.parametrize("error", ["MissingParameter", "MediaTooLarge", "InvalidMediaType", "MediaDownloadFailed"])
def test_what_is_wrong_with_the_media_is_told_at_once(play: Play, error: str) -> None:
    execution = play(_script_for("DownloadMedia", _error(error)))
    assert (execution.states, execution.retry_waits) == (WAY["RecordFailure"], [])


def test_a_picture_that_is_away_for_the_moment_is_tried_again_twice(play: Play) -> None:
    execution = play(_script_for("DownloadMedia", *[_error("MediaUnavailable")] * 3))
    assert (execution.states, execution.called.count("DownloadMedia")) == (WAY["RecordFailure"], 3)


def test_an_offer_of_pictures_in_doubt_is_tried_again_by_the_step_that_settles_it(play: Play) -> None:
    """InitializePost closes the address of the offer before, so the machine may simply call it again."""
    wait = StepOutput(next="WaitForTikTok", wait_seconds=5)
    execution = play({**LEADS_TO["ConvertPhotos"], "InitializePost": [_error("Timeout"), TimeoutError(), wait]})
    assert execution.states == [*WAY["ConvertPhotos"][:5], *GOOD_WAY[6:]]
    assert execution.called.count("InitializePost") == 3


def test_a_status_that_cannot_be_asked_for_is_asked_for_again_later(play: Play) -> None:
    wait = StepOutput(next="WaitForTikTok", wait_seconds=60)
    execution = play({"CheckStatus": [errors.TokenExpired("It is over.", "Connect.")] * 2, "Reconcile": [wait, wait]})
    asked = ["CheckStatus", "Reconcile", "WhatNext", "WaitForTikTok"]
    assert execution.states == [*GOOD_WAY[:7], *asked, *asked, *GOOD_WAY[7:]]


def test_two_polls_take_few_transitions(play: Play) -> None:
    execution = play({"CheckStatus": [StepOutput(next="WaitForTikTok", wait_seconds=5)]})
    assert execution.transitions == len(execution.states) == 13


@pytest.mark.parametrize("turns", [1, 3])
def test_an_upload_that_needs_more_time_costs_two_transitions_a_turn(play: Play, turns: int) -> None:
    execution = play({"UploadChunks": [StepOutput(next="UploadChunks")] * turns})
    assert execution.transitions == len(GOOD_WAY) + 2 * turns
