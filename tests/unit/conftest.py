"""What the tests of use cases and entries share."""

import base64
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from publisher.use_cases.create_key import create_key
from publisher.web import Api
from tests.architecture.source import function_folders
from tests.fakes import FakeClock, FakePorts

FUNCTION_SECONDS = 29.0


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


class Context:
    """Lambda's context of an invocation that began at the clock's present time."""

    aws_request_id = "invocation-1"

    def __init__(self, clock: FakeClock, seconds: float = FUNCTION_SECONDS) -> None:
        self._clock, self._ends = clock, clock.now() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * (self._ends - self._clock.now()))


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    cookies: list[str]
    body: str
    is_base64: bool

    @property
    def data(self) -> bytes:
        """The body as it goes over the network."""
        return base64.b64decode(self.body) if self.is_base64 else self.body.encode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def assert_failed(answer: HttpAnswer, status: int, code: str) -> None:
    """The answer has the documented shape of an error, and says nothing else."""
    told = answer.json
    assert (answer.status, told["code"], told["success"], told["platform"]) == (status, code, False, "tiktok")
    assert told["error"]
    assert told["message"]
    assert told["requestId"].startswith("request-")
    assert isinstance(told["retryable"], bool)
    known = {"success", "error", "code", "message", "platform", "retryable", "requestId"}
    assert set(told) - known <= {"postSubmissionId", "tiktok_log_id", "problems"}
    assert answer.headers["Content-Type"] == "application/json"


class Http:
    """The HTTP API in front of the fakes: events as API Gateway's HTTP API sends them, in format 2.0.

    `apis` are those of all functions; a call with the key "" sends the workspace's own.
    """

    def __init__(self, ports: FakePorts, apis: Sequence[Api]) -> None:
        self.ports, self.apis, self._calls = ports, apis, 0
        self.cold_start = 0.0  # seconds that pass between API Gateway's clock and the function's first line
        self.key = self.make_key()

    def make_key(self, **changes: Any) -> str:
        _, text = create_key(
            self.ports.keys, self.ports.clock, **{"name": "k", "workspace_id": "workspace-1"} | changes
        )
        return text.get_secret_value()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        cookies: list[str] | None = None,
        key: str | None = "",
        encode: bool = False,
    ) -> HttpAnswer:
        """Call with the workspace's key, another one, or none; a body that is no text and no bytes goes out as JSON."""
        self._calls += 1
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        encode = encode or isinstance(body, bytes)
        sent = {"boring-api-key": self.key} if key == "" else {"boring-api-key": key} if key else {}
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"host": "api.example", **sent, **{k.lower(): v for k, v in (headers or {}).items()}},
            "requestContext": {
                "requestId": f"request-{self._calls}",
                "domainName": "api.example",
                "stage": "$default",
                "timeEpoch": int(1000 * (self.ports.clock.now() - self.cold_start)),
                "http": {"method": method, "path": path, "sourceIp": "192.0.2.1", "userAgent": "test"},
            },
            "body": base64.b64encode(data).decode() if encode else data.decode(),
            "isBase64Encoded": encode,
        }
        if query is not None:
            event["queryStringParameters"] = dict(query)
        if cookies is not None:
            event["cookies"] = cookies
        answer = self._api_of(method, path).handler(event, Context(self.ports.clock))
        return HttpAnswer(
            answer["statusCode"],
            answer["headers"],
            answer.get("cookies", []),
            answer["body"],
            answer["isBase64Encoded"],
        )

    def _api_of(self, method: str, path: str) -> Api:
        """The function whose route it is: fewer placeholders first, as API Gateway chooses. Else any one answers."""
        routes = [(route, api) for api in self.apis for route in api.routes]
        matching = [
            (route.count("{"), number)
            for number, ((asked, route), _) in enumerate(routes)
            if asked == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), path)
        ]
        return routes[min(matching, default=(0, 0))[1]][1]

    def get(self, path: str, **more: Any) -> HttpAnswer:
        return self.call("GET", path, "", **more)

    def post(self, body: object, **more: Any) -> HttpAnswer:
        return self.call("POST", "/v2/posts", body, **more)


@pytest.fixture
def http(ports: FakePorts, monkeypatch: pytest.MonkeyPatch) -> Http:
    return http_of(ports, monkeypatch)


def http_of(ports: FakePorts, monkeypatch: pytest.MonkeyPatch) -> Http:
    """The API of all functions, in front of these ports."""
    apps = (importlib.import_module(f"{folder}.app") for folder in function_folders())
    apis = [app.api for app in apps if hasattr(app, "api")]
    for api in apis:
        monkeypatch.setattr(api, "ports", lambda: ports)
    return Http(ports, apis)
