"""Where notices go and what is taken from the answer; the servers' own records of who connected are the judge."""

import itertools
import time
from collections.abc import Callable

import pytest

from publisher.domain.limits import NOTICE_ANSWER_SECONDS
from publisher.ports import Reply
from publisher.sending import Sender
from tests.media_server import Authority, Connection, Internet, MediaServer

PUBLIC = "93.184.216.34"
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "::ffff:127.0.0.1",
    "fd00:ec2::254",
    "fe80::1",
    "64:ff9b::7f00:1",
]
URL = "https://hooks.example/tiktok?a=b"
SIGNED = {"webhook-id": "msg_1", "webhook-timestamp": "1790000000", "webhook-signature": "v1,abc="}
UNREACHABLE = Reply(status=None, error="It could not be reached.")

type Behaviour = Callable[[Connection], None]


def answering(status: str, *headers: str) -> Behaviour:
    def answer(connection: Connection) -> None:
        connection.read_body()
        connection.answer(b"secrets of the inside", *headers, status=status)

    return answer


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def send(authority):
    """Send to hooks.example, which a server with this behaviour is; return the reply, the internet and the server."""

    def act(behave: Behaviour, *addresses: list[str], seconds: float = 5.0, url: str = URL):
        with MediaServer(behave, tls=authority.server("hooks.example")) as server:
            names = {name: list(addresses) or [[PUBLIC]] for name in ("hooks.example", "other.example")}
            internet = Internet(server, names)
            sender = Sender(resolve=internet.resolve, dial=internet.dial, seconds=seconds, ca_certs=str(authority.pem))
            return sender.send(url, SIGNED, '{"text":"Grüße 🐇"}'), internet, server

    return act


def test_a_notice_arrives_as_it_was_signed_and_nothing_else_does(send):
    bodies: list[bytes] = []

    def take(connection: Connection) -> None:
        bodies.append(connection.read_body())
        connection.answer(b"", status="204 No Content")

    reply, internet, server = send(take)
    (request,) = server.requests
    headers = dict(line.split(": ", 1) for line in request.split("\r\n")[1:] if line)
    assert reply == Reply(status=204)
    assert bodies == ['{"text":"Grüße 🐇"}'.encode()]
    assert request.startswith("POST /tiktok?a=b HTTP/1.1\r\n")
    assert headers == {
        **SIGNED,
        "Host": "hooks.example",
        "User-Agent": "publisher-webhooks",
        "Content-Type": "application/json",
        "Content-Length": str(len(bodies[0])),
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    assert (internet.lookups, internet.dialed) == (["hooks.example"], [PUBLIC])


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "410 Gone", "500 Internal Server Error"])
def test_of_an_answer_its_status_is_all_that_is_told(send, status):
    assert send(answering(status))[0] == Reply(status=int(status[:3]))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["https://other.example/", "http://169.254.169.254/latest/", "/elsewhere"])
def test_a_redirect_is_not_followed(send, status, place):
    reply, internet, server = send(answering(f"{status} Moved", f"Location: {place}"))
    assert reply == Reply(status=status)
    assert (internet.lookups, server.connections) == (["hooks.example"], 1)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_of_a_private_address_is_never_dialed(send, address):
    reply, internet, server = send(answering("200 OK"), [address])
    assert (reply, internet.dialed, server.connections) == (UNREACHABLE, [], 0)


def test_one_private_address_among_public_ones_is_enough_to_refuse(send):
    reply, internet, _ = send(answering("200 OK"), [PUBLIC, "10.0.0.1"])
    assert (reply, internet.dialed) == (UNREACHABLE, [])


def test_a_name_that_turns_private_after_it_was_checked_is_dialed_where_it_was_checked(send):
    reply, internet, _ = send(answering("200 OK"), [PUBLIC], ["127.0.0.1"])
    assert (reply.status, internet.dialed) == (200, [PUBLIC])


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://hooks.example:8443/",
        "https://user:pass@hooks.example/",
    ],
)
def test_an_address_that_may_not_be_called_is_not_even_looked_up(send, url):
    reply, internet, server = send(answering("200 OK"), url=url)
    assert reply == Reply(status=None, error="Its URL is not one that can be called.")
    assert (internet.lookups, server.connections) == ([], 0)


def test_the_certificate_is_checked_on_the_name(send):
    reply, _, server = send(answering("200 OK"), url="https://other.example/")
    assert reply == Reply(status=None, error="It has no valid certificate for its name.")
    assert server.requests == []


def drip_headers(connection: Connection) -> None:
    connection.drip(itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"a: b\r\n")))


def flood_headers(connection: Connection) -> None:
    connection.send(b"HTTP/1.1 200 OK\r\n")
    connection.send_endlessly(b"a: " + b"b" * 60_000 + b"\r\n")


@pytest.mark.parametrize(
    "behave",
    [
        Connection.be_silent,
        Connection.reset,
        drip_headers,
        flood_headers,
        lambda connection: connection.send(b"no HTTP\r\n\r\n"),
        lambda connection: connection.send(b"HTTP/1.1 200 OK\r\n"),
    ],
    ids=["silent", "reset", "dripping", "flooding", "no HTTP", "cut"],
)
def test_a_server_that_does_not_answer_properly_takes_only_its_time(send, behave):
    began = time.monotonic()
    reply, _, _ = send(behave, seconds=0.6)
    assert reply == Reply(status=None, error="It gave no complete answer within 0.6 seconds.")
    assert time.monotonic() - began < 3


def test_an_endless_body_is_not_read(send):
    def flood(connection: Connection) -> None:
        connection.read_body()
        connection.begin("Transfer-Encoding: chunked")
        connection.send_endlessly(b"4\r\nabcd\r\n")

    began = time.monotonic()
    assert send(flood)[0] == Reply(status=200)
    assert time.monotonic() - began < 3


def test_an_endpoint_has_ten_seconds_unless_a_test_is_in_a_hurry():
    assert Sender()._seconds == NOTICE_ANSWER_SECONDS == 10


def test_an_origin_that_the_operator_trusts_is_called_where_it_is():
    with MediaServer(answering("200 OK")) as server:
        reply = Sender([server.origin]).send(f"{server.origin}/hook", SIGNED, "{}")
    assert (reply, len(server.requests)) == (Reply(status=200), 1)
