"""The state machine's own file on an interpreter of Step Functions, in this process and without waiting.

moto brings the interpreter. What is put in its place: Lambda, by functions of a test; time, by a function that is told
how long the machine would wait; and its thread, so that starting an execution returns when the execution has ended.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import jitter_strategy_decl, retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

FILE = Path(__file__).parents[2] / "statemachine" / "publish_post.asl.json"
MACHINE: dict[str, Any] = json.loads(FILE.read_text())
STATES: dict[str, Any] = MACHINE["States"]
REGION, ACCOUNT = "eu-central-1", "123456789012"

MOST_CALLS = 200
"""Of functions, in one execution: a machine that needs more goes round in circles."""

type Function = Callable[[dict[str, Any]], dict[str, Any]]
"""A step as Lambda runs it: takes the payload, and answers or raises."""


class LambdaFailed(Exception):
    """Lambda itself fails with a code such as TooManyRequestsException; the function may have run or not."""


@dataclass
class Execution:
    """What an execution did. Retries are in `calls` and `retry_waits`, and not in `states`."""

    states: list[str] = field(default_factory=list)
    """Every state entered, in order."""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every call of a function: the state's name, and the payload that the function got."""
    waits: list[float] = field(default_factory=list)
    """Seconds of each wait of WaitForTikTok and WaitForTurn."""
    retry_waits: list[float] = field(default_factory=list)
    """The longest that each retry may wait, in seconds: jitter makes it less."""
    status: str = ""
    error: str | None = None
    history: str = ""
    """The whole history as JSON."""

    @property
    def called(self) -> list[str]:
        return [state for state, _ in self.calls]

    @property
    def transitions(self) -> int:
        """State transitions as AWS counts them: states entered, and retries."""
        return len(self.states) + len(self.retry_waits)


class Engine:
    """Runs the machine. `functions` are by state; `sleep` is told every wait."""

    def __init__(self, client: Any, machine: str) -> None:
        self._client = client
        self._machine = machine
        self._started = 0
        self._execution = Execution()
        self._functions: Mapping[str, Function] = {}
        self._sleep: Callable[[float], None] = lambda _: None

    def run(
        self,
        functions: Mapping[str, Function],
        given: Mapping[str, str],
        sleep: Callable[[float], None] = lambda _: None,
    ) -> Execution:
        """Run one execution to its end; `given` is its input."""
        self._started += 1
        self._functions, self._sleep, self._execution = functions, sleep, Execution()
        started = self._client.start_execution(
            stateMachineArn=self._machine, name=f"execution-{self._started}", input=json.dumps(given)
        )
        ended = self._client.describe_execution(executionArn=started["executionArn"])
        events = self._client.get_execution_history(executionArn=started["executionArn"])["events"]
        execution = self._execution
        assert len(execution.calls) <= MOST_CALLS, f"the machine goes round in circles: {execution.called[-9:]}"
        execution.states = [
            event["stateEnteredEventDetails"]["name"] for event in events if event["type"].endswith("StateEntered")
        ]
        execution.status, execution.error = ended["status"], ended.get("error")
        execution.history = json.dumps(events, default=str)
        return execution

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (Lambda's own names)
        """Answer as Lambda does."""
        state, payload = FunctionName.rpartition(":")[2], json.loads(Payload)
        self._execution.calls.append((state, payload))
        if len(self._execution.calls) > MOST_CALLS:
            raise RuntimeError("the machine goes round in circles")  # which ends it, as every further call does
        try:
            answer = self._functions[state](payload)
        except TimeoutError:
            raise  # the interpreter makes States.Timeout of it
        except LambdaFailed as failure:
            response: Any = {"Error": {"Code": str(failure), "Message": "Lambda failed."}}
            response["ResponseMetadata"] = {"HTTPStatusCode": 500, "RequestId": "request-1"}
            raise ClientError(response, "Invoke") from None
        except Exception as error:  # noqa: BLE001 (Lambda's runtime reports any error by its class)
            told = {"errorType": type(error).__name__, "errorMessage": str(error), "stackTrace": []}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}

    def wait(self, seconds: float) -> None:
        self._execution.waits.append(seconds)
        self._sleep(seconds)

    def wait_for_retry(self, seconds: float) -> None:
        self._execution.retry_waits.append(seconds)
        self._sleep(seconds)


@contextmanager
def engine() -> Iterator[Engine]:
    """Start the interpreter with the machine's file, substituted as CloudFormation does."""
    definition = FILE.read_text()
    for state in STATES:
        definition = definition.replace(
            f"${{{state}FunctionArn}}", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{state}"
        )
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name=REGION)
        machine = client.create_state_machine(
            name="publish-post", definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT}:role/machine"
        )
        running = Engine(client, machine["stateMachineArn"])
        longest = SimpleNamespace(uniform=lambda _low, high: high)
        with (
            patch.object(lambda_eval_utils, "boto_client_for", lambda **_: running),
            patch.object(WaitFunction, "_wait_interval", lambda _self, env, wait_seconds: running.wait(wait_seconds)),
            patch.object(retrier_decl, "time", SimpleNamespace(sleep=running.wait_for_retry)),
            patch.object(jitter_strategy_decl, "random", longest),
            patch.object(AmazonStateLanguageParser, "parse", cache(AmazonStateLanguageParser.parse)),
            patch.object(ExecutionWorker, "start", ExecutionWorker._execution_logic),
        ):
            yield running
