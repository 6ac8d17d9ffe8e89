"""The state machine's file, which linters accept with arrows to nowhere and errors that nobody raises."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from samtranslator.yaml_helper import yaml_parse

from publisher.domain import errors
from publisher.messages import NextState, StepError, StepInput, StepOutput
from tests.architecture.reach import adapters_of, definitions_behind, port_methods
from tests.architecture.source import ROOT, module, reachable, snake

TEXT = (ROOT / "statemachine" / "publish_post.asl.json").read_text()
MACHINE = json.loads(TEXT)
STATES: dict[str, Any] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())

LAMBDA_TRANSIENT = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "States.Timeout",
    "States.HeartbeatTimeout",
}
"""What a Lambda task reports when it is not known whether the function has run. https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception"""
STATES_ERRORS = {"States.ALL", "States.Timeout", "States.HeartbeatTimeout"}
LAST = {"RecordPublished", "RecordFailure"}
"""When these fail the execution fails, and the rule on ended executions continues the post."""

every_state = pytest.mark.parametrize("name", STATES)
every_task = pytest.mark.parametrize("name", TASKS)


def _arrows(state: dict[str, Any]) -> Iterator[str]:
    for part in (state, *state.get("Catch", []), *state.get("Choices", [])):
        yield from (part[key] for key in ("Next", "Default") if key in part)


def _rules(name: str, kind: str) -> list[dict[str, Any]]:
    return list(STATES[name].get(kind, []))


def _named(name: str, kind: str) -> set[str]:
    return {error for rule in _rules(name, kind) for error in rule["ErrorEquals"]}


@every_state
def test_a_state_says_why_it_is_there(name: str) -> None:
    assert len(STATES[name].get("Comment", "").split()) >= 5


def test_the_machine_says_what_goes_in() -> None:
    ids = re.findall(r'"(\w+)"', MACHINE["Comment"])
    assert ids == [field.alias or key for key, field in StepInput.model_fields.items() if key != "error"]


@every_state
def test_every_arrow_leads_to_a_state(name: str) -> None:
    assert set(_arrows(STATES[name])) <= set(STATES)


def test_every_state_is_reached() -> None:
    reached, todo = {MACHINE["StartAt"]}, [MACHINE["StartAt"]]
    while todo:
        new = set(_arrows(STATES[todo.pop()])) - reached
        reached |= new
        todo += new
    assert reached == set(STATES)


@every_state
def test_from_every_state_the_machine_can_end(name: str) -> None:
    reached, todo = {name}, [name]
    while todo:
        new = set(_arrows(STATES[todo.pop()])) - reached
        reached |= new
        todo += new
    assert any(STATES[state].get("End") or STATES[state]["Type"] == "Succeed" for state in reached)


def test_only_recording_an_outcome_or_holding_the_post_ends_the_machine() -> None:
    assert {name for name, state in STATES.items() if state.get("End")} == LAST
    assert {name for name, state in STATES.items() if state["Type"] in ("Succeed", "Fail")} == {"Held"}


@every_task
def test_a_task_outlives_its_function(name: str) -> None:
    function = TEMPLATE["Resources"][f"{name}Function"]["Properties"]
    timeout = function.get("Timeout", TEMPLATE["Globals"]["Function"]["Timeout"])
    assert timeout < STATES[name]["TimeoutSeconds"] <= 2 * timeout


def test_the_machine_ends_after_a_day_at_the_latest_and_outlives_each_task() -> None:
    assert max(state["TimeoutSeconds"] for state in TASKS.values()) < MACHINE["TimeoutSeconds"] <= 26 * 3600


@every_task
def test_a_task_is_retried_when_lambda_fails(name: str) -> None:
    assert _named(name, "Retry") >= LAMBDA_TRANSIENT


@every_task
def test_a_retry_backs_off_with_jitter_and_an_end(name: str) -> None:
    for rule in _rules(name, "Retry"):
        assert rule["JitterStrategy"] == "FULL"
        assert rule["BackoffRate"] >= 1.5
        assert 1 <= rule["IntervalSeconds"] <= rule["MaxDelaySeconds"] <= 300
        assert 1 <= rule["MaxAttempts"] <= 30


@every_task
def test_no_error_is_named_twice_in_a_retry(name: str) -> None:
    named = [error for rule in _rules(name, "Retry") for error in rule["ErrorEquals"]]
    assert len(named) == len(set(named))


@every_task
def test_every_error_of_a_task_leads_somewhere(name: str) -> None:
    caught = _rules(name, "Catch")
    assert [rule["ErrorEquals"] for rule in caught][-1:] == ([] if name in LAST else [["States.ALL"]])
    assert all(rule["ResultPath"] == "$.error" for rule in caught)


def test_once_tiktok_was_called_an_error_is_reconciled_before_it_is_a_failure() -> None:
    last_resort = {name: _rules(name, "Catch")[-1]["Next"] for name in set(TASKS) - LAST}
    assert last_resort == {
        "DownloadMedia": "RecordFailure",
        "ConvertPhotos": "RecordFailure",
        "InitializePost": "Reconcile",
        "UploadChunks": "Reconcile",
        "CheckStatus": "Reconcile",
        "Reconcile": "RecordFailure",
    }


def test_only_an_upload_that_expired_is_opened_again() -> None:
    back = [
        (name, rule["ErrorEquals"])
        for name in TASKS
        for rule in _rules(name, "Catch")
        if rule["Next"] not in ("Reconcile", "RecordFailure")
    ]
    assert back == [("UploadChunks", ["UploadExpired"])]


@every_task
def test_every_error_name_is_one_that_can_come(name: str) -> None:
    ours = {
        error for error in _named(name, "Retry") | _named(name, "Catch") if not error.startswith(("Lambda.", "States."))
    }
    lambdas = {error for error in _named(name, "Retry") | _named(name, "Catch") if error.startswith("Lambda.")}
    states = {error for error in _named(name, "Retry") | _named(name, "Catch") if error.startswith("States.")}
    assert all(issubclass(getattr(errors, error), errors.PublisherError) for error in ours)
    assert lambdas <= LAMBDA_TRANSIENT
    assert states <= STATES_ERRORS


@every_task
def test_only_what_time_mends_is_retried(name: str) -> None:
    ours = {error for error in _named(name, "Retry") if not error.startswith(("Lambda.", "States."))}
    assert all(issubclass(getattr(errors, error), errors.TryAgain) for error in ours)


@every_task
def test_everything_that_time_mends_is_named(name: str) -> None:
    """Each leaf of TryAgain that the step or an adapter behind it can raise is retried or caught by its name."""
    step = module(f"{snake(name)}.app")
    adapters = adapters_of(port for port, _ in port_methods(step))
    behind: list[ast.AST] = [definition.node for definition in definitions_behind(step)]
    behind += [
        part.tree for adapter in adapters for part in reachable(adapter) if part.layer not in ("domain", "ports")
    ]
    mentioned = {node.id for tree in behind for node in ast.walk(tree) if isinstance(node, ast.Name)}
    leaves = {kind.__name__ for kind in errors.TryAgain.__subclasses__()}
    assert mentioned & leaves
    assert mentioned & leaves <= _named(name, "Retry") | _named(name, "Catch")


@every_task
def test_a_step_gets_ids_only_and_answers_a_decision(name: str) -> None:
    assert STATES[name]["Resource"] == "arn:aws:states:::lambda:invoke"
    assert STATES[name]["Parameters"] == {"FunctionName": f"${{{name}FunctionArn}}", "Payload.$": "$"}
    assert STATES[name]["ResultPath"] == "$.step"
    assert STATES[name]["ResultSelector"] == {
        f"{field.alias or key}.$": f"$.Payload.{field.alias or key}" for key, field in StepOutput.model_fields.items()
    }


def test_a_message_has_no_room_for_content() -> None:
    assert set(StepInput.model_fields) == {"post_id", "account_id", "execution", "error"}
    assert set(StepError.model_fields) == {"name", "cause"}
    assert set(StepOutput.model_fields) == {"next", "wait_seconds"}


def test_the_machine_follows_every_decision_that_a_step_can_make() -> None:
    choices = {rule["StringEquals"]: rule["Next"] for rule in STATES["WhatNext"]["Choices"]}
    assert choices == {state: state for state in get_args(NextState)}
    assert all(rule["Variable"] == "$.step.next" for rule in STATES["WhatNext"]["Choices"])
    assert STATES["WhatNext"]["Default"] == "RecordFailure"


def test_the_machine_waits_as_long_as_the_step_says() -> None:
    assert {name: state["SecondsPath"] for name, state in STATES.items() if state["Type"] == "Wait"} == {
        "WaitForTikTok": "$.step.waitSeconds",
        "WaitForTurn": "$.step.waitSeconds",
    }


def test_the_file_is_valid_before_its_substitutions_which_are_the_steps() -> None:
    marks = {part for part in TEXT.split('"') if "${" in part}
    assert marks == {f"${{{name}FunctionArn}}" for name in TASKS}
