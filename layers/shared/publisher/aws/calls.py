"""What AWS answers when it cannot, in our words: no name, key or address of a resource."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from publisher.domain.errors import InternalServerError, ServiceUnavailable

_SERVER_FAULT = 500
_TOO_MUCH = frozenset(
    {
        "ExecutionLimitExceeded",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


@contextmanager
def aws_call(service: str, *expected: str) -> Iterator[None]:
    """Turn botocore's errors into ours, but for ClientErrors with a code that the caller expects.

    ServiceUnavailable when time may mend it, InternalServerError when the call itself is wrong or not allowed.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in expected:
            raise
        answer = error.response.get("ResponseMetadata", {})
        told = f"{code}, request {answer.get('RequestId', 'unknown')}"
        if code in _TOO_MUCH or answer.get("HTTPStatusCode", 0) >= _SERVER_FAULT:
            raise ServiceUnavailable(f"{service} did not answer well ({told}).", "Try again in a moment.") from None
        raise InternalServerError(f"{service} refused a call ({told}).", "Tell the operator what it says.") from None
    except HTTPClientError as error:
        told = type(error).__name__
        raise ServiceUnavailable(f"{service} did not answer ({told}).", "Try again in a moment.") from None
    except BotoCoreError as error:
        told = type(error).__name__
        raise InternalServerError(
            f"{service} could not be called ({told}).", "Tell the operator what it says."
        ) from None


def error_code(error: ClientError) -> str:
    """Return AWS's code of an error, such as "ThrottlingException"."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))
