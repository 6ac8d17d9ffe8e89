"""The entry of a step: read the message, call the use case, and say errors so that the machine can name them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from publisher.domain.errors import InternalServerError, PublisherError
from publisher.messages import StepInput, StepOutput
from publisher.observability import logger
from publisher.ports import Ports, SecondsLeft
from publisher.wiring import wired


class Context(Protocol):
    """What Lambda tells of the invocation."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""


type Step = Callable[[StepInput, Ports, SecondsLeft], StepOutput]
type Handler = Callable[[Mapping[str, Any], Context], dict[str, Any]]


def step(run: Step, *, ports: Callable[[], Ports] = wired) -> Handler:
    """Make a step's handler.

    Our errors keep their class's name, which the machine knows; their text is the failure as JSON, which
    RecordFailure reads. Any other error is logged here and leaves as InternalServerError, because its text could
    hold anything.
    """

    def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        log = logger()
        try:
            request = StepInput.model_validate(event)
            log.append_keys(post_id=request.post_id, account_id=request.account_id, execution=request.execution)
            output = run(request, ports(), lambda: context.get_remaining_time_in_millis() / 1000)
        except PublisherError as error:
            log.warning("step failed", extra={"failure": error.failure().model_dump(exclude_none=True)})
            error.args = (error.failure().model_dump_json(),)
            raise
        except Exception:
            log.exception("step broke")
            raise InternalServerError(_BROKEN.model_dump_json(), "") from None
        log.info("step done", extra={"next": output.next})
        return output.model_dump()

    return handler


_BROKEN = InternalServerError(
    "The publication broke on a fault of the service.",
    "Try again; if it happens again, tell the operator the postSubmissionId.",
).failure()
