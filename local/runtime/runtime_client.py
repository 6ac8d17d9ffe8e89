"""The part of awslambdaric that is built from C++, in plain Python: it is built on Linux only.

The four functions keep the names, arguments and results that awslambdaric calls them by. A function's process has this
folder on its path elsewhere than on Linux (functions.py).
"""

import http.client
import os
from http import HTTPStatus

_API = "/2018-06-01/runtime/invocation"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_user_agent = ""


def initialize_client(user_agent: str) -> None:
    """Note how to name ourselves."""
    global _user_agent  # noqa: PLW0603 - the interface keeps it between calls
    _user_agent = user_agent


def next() -> tuple[bytes, dict[str, str | int]]:  # noqa: A001 - its name there
    """Wait for the next event; return it with the headers that describe it, the deadline as a number."""
    event, headers = _call("GET", f"{_API}/next", HTTPStatus.OK, None, {})
    return event, {**headers, _DEADLINE: int(headers[_DEADLINE])}


def post_invocation_result(request_id: str, result: bytes, content_type: str, _invocation_id: str | None) -> None:
    """Hand over what the handler returned."""
    _call("POST", f"{_API}/{request_id}/response", HTTPStatus.ACCEPTED, result, {"Content-Type": content_type})


def post_error(request_id: str, error: str, xray_cause: str, _invocation_id: str | None) -> None:
    """Hand over what the handler raised."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": xray_cause}
    _call("POST", f"{_API}/{request_id}/error", HTTPStatus.ACCEPTED, error.encode(), headers)


def _call(
    method: str, path: str, expected: HTTPStatus, body: bytes | None, headers: dict[str, str]
) -> tuple[bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        connection.request(method, path, body, {"User-Agent": _user_agent, **headers})
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status != expected:
        raise RuntimeError(f"{method} {path} answered {answer.status}")
    return content, dict(answer.getheaders())
