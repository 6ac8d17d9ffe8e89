"""The HTTP API of the local stack does to requests and answers what API Gateway does."""

import base64
import http.client
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.front import Front, FunctionFailed, Unavailable
from local.template import Route

ROUTES = [
    Route("GET", "/", "Home"),
    Route("ANY", "/{everything+}", "Rest"),
    Route("GET", "/posts/{id}", "Posts"),
    Route("GET", "/posts/latest", "Latest"),
    Route("POST", "/posts", "Posts"),
    Route("GET", "/failing", "Failing"),
    Route("GET", "/late", "Late"),
    Route("GET", "/picture", "Picture"),
    Route("HEAD", "/picture", "Picture"),
    Route("GET", "/text", "Text"),
    Route("GET", "/bare", "Bare"),
]


def invoke(function: str, event: dict[str, Any]) -> Any:
    match function:
        case "Failing":
            raise FunctionFailed
        case "Late":
            raise Unavailable
        case "Text":
            return {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "to the byte"}
        case "Bare":
            return {"hello": "world"}
        case "Picture":
            body = base64.b64encode(bytes(range(256))).decode()
            return {"statusCode": 200, "headers": {"content-type": "image/x"}, "body": body, "isBase64Encoded": True}
        case _:
            seen = json.dumps({"function": function, "event": event})
            cookies = ["a=1; Path=/; HttpOnly", "b=2; Path=/"]
            return {"statusCode": 201, "headers": {"X-One": "1"}, "cookies": cookies, "body": seen}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Front(0, tmp_path_factory.mktemp("logs") / "http.log") as front:
        front.serve(ROUTES, invoke)
        yield front


def event_of(answer: requests.Response) -> dict[str, Any]:
    event: dict[str, Any] = answer.json()["event"]
    return event


def test_answers_carry_status_headers_every_cookie_and_the_body(front: Front) -> None:
    answer = requests.get(f"{front.url}/", timeout=20)
    assert answer.status_code == 201
    assert answer.headers["x-one"] == "1"
    assert answer.raw.headers.getlist("set-cookie") == ["a=1; Path=/; HttpOnly", "b=2; Path=/"]
    assert answer.json()["function"] == "Home"


@pytest.mark.parametrize("method", ["PUT", "TRACE", "CONNECT", "PROPFIND"])
def test_a_method_that_no_route_has_is_not_found(front: Front, method: str) -> None:
    answer = requests.request(method, f"{front.url}/", timeout=20)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_a_request_becomes_an_event_of_format_2(front: Front) -> None:
    headers = {"Cookie": "x=1; y=2", "X-Twice": "one"}
    event = event_of(requests.get(f"{front.url}/posts/a%20b?q=1&q=2&empty=", headers=headers, timeout=20))
    assert event["version"] == "2.0"
    assert event["routeKey"] == "GET /posts/{id}"
    assert event["rawPath"] == "/posts/a b"
    assert event["rawQueryString"] == "q=1&q=2&empty="
    assert event["queryStringParameters"] == {"q": "1,2", "empty": ""}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["cookies"] == ["x=1", "y=2"]
    assert "cookie" not in event["headers"]
    assert event["headers"]["x-twice"] == "one"
    assert event["headers"]["host"] == urlsplit(front.url).netloc
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert "body" not in event


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("GET", "/posts/latest", "Latest"),
        ("GET", "/posts/7", "Posts"),
        ("POST", "/posts", "Posts"),
        ("GET", "/posts/7/pictures", "Rest"),
        ("DELETE", "/posts/7", "Rest"),
    ],
)
def test_the_most_specific_route_answers(front: Front, method: str, path: str, function: str) -> None:
    assert requests.request(method, front.url + path, timeout=20).json()["function"] == function


def test_text_goes_through_as_text(front: Front) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    event = event_of(requests.post(f"{front.url}/posts", data='{"é":1}'.encode(), headers=headers, timeout=20))
    assert (event["body"], event["isBase64Encoded"]) == ('{"é":1}', False)


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-www-form-urlencoded", None])
def test_all_else_goes_through_as_base64(front: Front, kind: str | None) -> None:
    event = event_of(requests.post(f"{front.url}/posts", data=b"\x00\xff", headers={"Content-Type": kind}, timeout=20))
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_a_body_in_pieces_is_put_together(front: Front) -> None:
    event = event_of(requests.post(f"{front.url}/posts", data=iter([b"ab", b"c"]), timeout=20))
    assert base64.b64decode(event["body"]) == b"abc"


def test_a_binary_answer_is_decoded(front: Front) -> None:
    answer = requests.get(f"{front.url}/picture", timeout=20)
    assert answer.content == bytes(range(256))
    assert answer.headers["content-type"] == "image/x"


def test_a_head_request_gets_the_headers_of_the_whole_answer_and_no_body(front: Front) -> None:
    address = urlsplit(front.url).netloc
    connection = http.client.HTTPConnection(address, timeout=20)
    for _ in range(2):  # a body would be taken for the second answer
        connection.request("HEAD", "/picture")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("content-type"), answer.read()) == (200, "image/x", b"")
        assert answer.getheader("content-length") == "256"
    connection.close()


def test_the_type_of_a_text_stays_as_the_function_gave_it(front: Front) -> None:
    answer = requests.get(f"{front.url}/text", timeout=20)
    assert (answer.headers["content-type"], answer.content) == ("text/plain", b"to the byte")


def test_a_result_without_a_status_is_the_body(front: Front) -> None:
    answer = requests.get(f"{front.url}/bare", timeout=20)
    assert (answer.status_code, answer.json()) == (200, {"hello": "world"})


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [("/failing", 500, "Internal Server Error"), ("/late", 503, "Service Unavailable")],
)
def test_a_function_without_an_answer_is_answered_for(front: Front, path: str, status: int, message: str) -> None:
    answer = requests.get(front.url + path, timeout=20)
    assert (answer.status_code, answer.text) == (status, f'{{"message":"{message}"}}')


def test_without_a_route_nothing_is_found(tmp_path: Path) -> None:
    with Front(0, tmp_path / "log") as front:
        front.serve([Route("GET", "/posts", "Posts")], invoke)
        for method, path in (("GET", "/post"), ("POST", "/posts"), ("GET", "/posts/")):
            answer = requests.request(method, front.url + path, timeout=20)
            assert (answer.status_code, answer.text) == (404, '{"message":"Not Found"}')


def test_ten_mebibytes_are_taken(front: Front) -> None:
    event = event_of(requests.post(f"{front.url}/posts", data=bytes(10 * 1024 * 1024), timeout=20))
    assert event["headers"]["content-length"] == "10485760"


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_byte_more_is_too_large(front: Front, in_pieces: bool) -> None:
    body = bytes(10 * 1024 * 1024 + 1)
    answer = requests.post(f"{front.url}/posts", data=iter([body]) if in_pieces else body, timeout=20)
    assert (answer.status_code, answer.text) == (413, '{"message":"Request Entity Too Large"}')


@pytest.mark.parametrize("length", ["-1", "many"])
def test_a_wrong_length_is_a_bad_request(front: Front, length: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(front.url).netloc, timeout=20)
    connection.putrequest("POST", "/posts")
    connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_the_log_tells_the_route_and_never_the_path_or_the_query(tmp_path: Path) -> None:
    log = tmp_path / "http.log"
    with Front(0, log) as front:
        front.serve([Route("GET", "/posts/{id}", "Posts")], invoke)
        for count, path in enumerate(("/posts/a-secret?code=a-secret", "/there/is/no/a-secret"), 1):
            requests.get(front.url + path, timeout=20)
            until = time.monotonic() + 20
            # Written after the answer, by a thread of its own: the next request waits for it.
            while not log.exists() or len(log.read_text().splitlines()) < count:
                assert time.monotonic() < until
    assert [line.rpartition(" ")[0] for line in log.read_text().splitlines()] == ["GET /posts/{id} 201", "GET - 404"]


def test_a_browser_that_leaves_before_the_answer_is_no_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked, left, over = threading.Event(), threading.Event(), threading.Event()

    def slow(_function: str, _event: dict[str, Any]) -> Any:
        asked.set()
        left.wait(20)
        return {"statusCode": 200, "body": "x" * 10_000_000}

    with Front(0, tmp_path / "http.log") as front:
        front.serve([Route("GET", "/{everything+}", "Slow")], slow)
        shutdown = front._server.shutdown_request

        def ended(request: Any) -> None:
            shutdown(request)
            over.set()

        front._server.shutdown_request = ended  # type: ignore[method-assign]
        caller = socket.create_connection(("127.0.0.1", front.port))
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it goes without a goodbye
        caller.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
        assert asked.wait(20)
        caller.close()
        left.set()
        assert over.wait(20)
    assert "Traceback" not in capfd.readouterr().err
