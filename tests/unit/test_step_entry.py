"""The entry of a step, and of a reaction: errors leave by a name that the machine knows, and without foreign text."""

import io
import json

import pytest

from publisher.domain import errors
from publisher.domain.errors import Failure, InternalServerError, PublisherError, PublishingFailed, RateLimitExceeded
from publisher.event import react
from publisher.messages import StepError, StepInput, StepOutput
from publisher.observability import logger
from publisher.step import step
from tests.unit.conftest import Context

EVENT = {"postId": "post-1", "accountId": "account-1", "execution": "post-1-0"}


def run(ports, body, event=EVENT):
    return step(body, ports=lambda: ports)(event, Context(ports.clock))


def raising(error: Exception):
    def body(_request, _ports, _seconds_left):
        raise error

    return body


def as_lambda_tells_it(error: BaseException) -> dict[str, str]:
    """What the machine catches: the class's name, and Lambda's JSON with the error's text."""
    cause = {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": "1", "stackTrace": []}
    return {"Error": type(error).__name__, "Cause": json.dumps(cause)}


def test_a_step_gets_ids_ports_and_time_and_answers_where_the_machine_goes(ports):
    def body(request, given, seconds_left):
        assert (request.post_id, request.account_id, request.execution) == ("post-1", "account-1", "post-1-0")
        assert (request.error, given) == (None, ports)
        ports.clock.time += 4
        assert seconds_left() == 25
        return StepOutput(next="WaitForTikTok", wait_seconds=20)

    assert run(ports, body) == {"next": "WaitForTikTok", "waitSeconds": 20}


def test_an_answer_always_holds_both_keys_that_the_machine_selects(ports):
    answer = run(ports, lambda *_: StepOutput(next="UploadChunks"))
    assert answer == {"next": "UploadChunks", "waitSeconds": 0}


def test_other_keys_of_the_machines_state_are_left_alone(ports):
    event = {**EVENT, "step": {"next": "UploadChunks", "waitSeconds": 0}}
    assert run(ports, lambda *_: StepOutput(next="UploadChunks"), event)


def kinds(parent: type[PublisherError]):
    for kind in parent.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("kind", [kind for kind in kinds(PublisherError) if kind is not errors.InvalidPost])
def test_our_errors_keep_their_name_and_their_text_is_the_failure(ports, kind):
    error = kind("It happened.", "Do this.", tiktok_code="code", tiktok_log_id="log-1")
    failure = error.failure()
    with pytest.raises(kind) as caught:
        run(ports, raising(error))
    assert type(caught.value) is kind
    assert Failure.model_validate_json(str(caught.value)) == failure


def test_what_one_step_raised_another_can_record(ports):
    error = RateLimitExceeded("Too many.", "Wait.", retry_after=60, tiktok_log_id="log-1")
    failure = error.failure()
    with pytest.raises(RateLimitExceeded) as caught:
        run(ports, raising(error))
    event = {**EVENT, "error": as_lambda_tells_it(caught.value)}

    def body(request, _ports, _seconds_left):
        assert request.error.name == "RateLimitExceeded"
        assert request.error.failure() == failure
        return StepOutput(next="RecordFailure")

    run(ports, body, event)


@pytest.mark.parametrize(
    "error", [RuntimeError("act.secret"), KeyError("act.secret"), ValueError("https://10.0.0.1/act.secret")]
)
def test_any_other_error_leaves_as_a_fault_of_ours_without_its_text(ports, error):
    with pytest.raises(InternalServerError) as caught:
        run(ports, raising(error))
    told = Failure.model_validate_json(str(caught.value))
    assert (told.name, told.code, told.retryable) == ("InternalServerError", "InternalServerError", True)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_message_that_cannot_be_read_is_a_fault_of_ours_too(ports):
    with pytest.raises(InternalServerError) as caught:
        run(ports, lambda *_: None, {"postId": ["act.secret"]})
    assert "secret" not in str(caught.value)


def test_ports_that_cannot_be_made_are_a_fault_of_ours_too(ports):
    def no_ports():
        raise ValueError("act.secret")

    with pytest.raises(InternalServerError) as caught:
        step(lambda *_: StepOutput(next="UploadChunks"), ports=no_ports)(EVENT, Context(ports.clock))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("States.Timeout", ""),
        ("Lambda.Unknown", "The cause could not be determined because Lambda did not return an error type."),
        ("Lambda.ServiceException", "null"),
        ("Runtime.ExitError", '{"errorType": "Runtime.ExitError"}'),
        ("MemoryError", '{"errorMessage": "act.secret", "errorType": "MemoryError"}'),
        ("Sandbox.Timedout", '{"errorMessage": "2026 1 Task timed out after 900.00 seconds"}'),
        ("RuntimeError", '{"errorMessage": 5}'),
    ],
)
def test_an_error_that_is_not_ours_says_that_a_step_did_not_finish(name, cause):
    failure = StepError.model_validate({"Error": name, "Cause": cause}).failure()
    assert (failure.name, failure.code, failure.retryable) == (name, "InternalServerError", True)
    assert failure.error == "A step of the publication did not finish."
    assert "postSubmissionId" in failure.message
    assert "secret" not in failure.model_dump_json()


def test_a_cause_is_optional():
    event = {**EVENT, "error": {"Error": "States.Timeout"}}
    error = StepInput.model_validate(event).error
    assert error is not None
    assert error.failure().name == "States.Timeout"


def test_a_log_line_carries_the_ids_and_the_failure(ports, monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", written)
    with pytest.raises(PublishingFailed):
        run(ports, raising(PublishingFailed("TikTok refused.", "Do this.", tiktok_log_id="log-1")))
    line = json.loads(written.getvalue().splitlines()[-1])
    assert (line["post_id"], line["account_id"], line["execution"]) == ("post-1", "account-1", "post-1-0")
    assert line["failure"]["tiktok_log_id"] == "log-1"


def test_a_reaction_gets_the_event_and_its_time_and_errors_leave_as_they_are(ports):
    handler = react(
        lambda event, given, seconds_left: {"event": event, "same": given is ports, "left": seconds_left()},
        ports=lambda: ports,
    )
    assert handler({"detail": {}}, Context(ports.clock)) == {"event": {"detail": {}}, "same": True, "left": 29.0}

    def broken(_event, _ports, _seconds_left):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        react(broken, ports=lambda: ports)({}, Context(ports.clock))
