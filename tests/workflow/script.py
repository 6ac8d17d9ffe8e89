"""Steps that answer from a script."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.step import step
from tests.fakes import FakePorts
from tests.workflow.engine import Engine, Execution, Function, LambdaFailed

GIVEN = {"postId": "post-1", "accountId": "account-1", "execution": "post-1-0"}
CONTEXT: Any = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 900_000)
GOOD = {
    "DownloadMedia": StepOutput(next="InitializePost"),
    "ConvertPhotos": StepOutput(next="InitializePost"),
    "InitializePost": StepOutput(next="UploadChunks"),
    "UploadChunks": StepOutput(next="WaitForTikTok", wait_seconds=5),
    "CheckStatus": StepOutput(next="RecordPublished"),
    "Reconcile": StepOutput(next="RecordFailure"),
    "RecordPublished": StepOutput(next="RecordPublished"),
    "RecordFailure": StepOutput(next="RecordFailure"),
}
"""What each step answers when its script is over."""

type Answer = StepOutput | Exception | dict[str, Any]
type Script = Mapping[str, Sequence[Answer]]


def play(machine: Engine, script: Script) -> Execution:
    """Run the machine with steps that answer, by state, what the script says."""
    execution = machine.run({state: _scripted(state, script.get(state, ())) for state in GOOD}, GIVEN)
    assert_only_ids_travel(execution, GIVEN)
    return execution


def _scripted(state: str, script: Sequence[Answer]) -> Function:
    """The real entry of a step around an answer or error."""
    answers = iter(script)

    def function(payload: dict[str, Any]) -> dict[str, Any]:
        answer = next(answers, GOOD[state])
        if isinstance(answer, LambdaFailed | TimeoutError):
            raise answer  # not from the step's code
        if isinstance(answer, dict):
            return answer

        def act(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return step(act, ports=FakePorts)(payload, CONTEXT)

    return function


def assert_only_ids_travel(execution: Execution, given: Mapping[str, str]) -> None:
    """Each step gets what the execution was given, the last decision and the last error, and nothing else."""
    assert execution.calls
    for _, payload in execution.calls:
        assert {key: payload.get(key) for key in given} == given
        assert set(payload) <= {*given, "step", "error"}
        assert set(payload.get("step", {})) <= {"next", "waitSeconds"}
        assert set(payload.get("error", {})) <= {"Error", "Cause"}
