"""Where the fetcher connects: what a customer's server names, redirects and certificates cannot make it do.

The servers' own records of who connected are the judge.
"""

import contextlib
import itertools
import socket

import pytest

from publisher.domain.errors import InvalidMediaUrl, MediaDownloadFailed, RequestInvalid
from publisher.domain.limits import VIDEO_BYTES
from publisher.fetching import Fetcher, Pace
from tests.media_server import FILM, Authority, Connection, Internet, MediaServer

PUBLIC = "93.184.216.34"
PRIVATE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "168.63.129.16", "0.0.0.0", "192.168.1.1"]
PRIVATE_V6 = [
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "fd00:ec2::254",
    "fe80::1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
]
QUERY = "signature=5ecret"


def serve_film(connection: Connection) -> None:
    connection.answer(FILM)


def redirect_to(location: str, status: str = "302 Found"):
    return lambda connection: connection.answer(b"", f"Location: {location}", status=status)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def dial_port(port: int):
    """Dial this port of the loopback whatever is asked for."""
    return lambda _address, timeout: socket.create_connection(("127.0.0.1", port), timeout)


def fetch(fetcher: Fetcher, url: str) -> bytes:
    with fetcher.open(url, max_bytes=VIDEO_BYTES) as source:
        buffer = bytearray(2 * len(FILM))
        return bytes(buffer[: source.readinto(memoryview(buffer))])


def failure(fetcher: Fetcher, url: str) -> RequestInvalid:
    """Return the error of a download that has to fail; it tells neither the query nor an address."""
    with pytest.raises(RequestInvalid) as failed:
        fetch(fetcher, url)
    told = failed.value.error + failed.value.message
    assert not any(secret in told for secret in (QUERY, PUBLIC, *PRIVATE, *PRIVATE_V6))
    return failed.value


def test_a_public_name_is_resolved_once_and_the_checked_address_is_dialed():
    with MediaServer(serve_film) as server:
        internet = Internet(server, {"media.example": [[PUBLIC, "1.1.1.1"]]})

        assert fetch(Fetcher(resolve=internet.resolve, dial=internet.dial), "http://media.example/film.mp4") == FILM

    assert (internet.lookups, internet.dialed) == (["media.example"], [PUBLIC])


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_V6)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_of_a_private_address_is_never_dialed(scheme, address):
    with MediaServer(serve_film) as server:
        internet = Internet(server, {"media.example": [[address]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial)

        assert isinstance(failure(fetcher, f"{scheme}://media.example/?{QUERY}"), MediaDownloadFailed)

    assert (internet.dialed, server.connections) == ([], 0)


def test_a_name_of_the_loopback_is_never_dialed_for_real():
    with MediaServer(serve_film) as server:
        fetcher = Fetcher(resolve=lambda _host, _port: ["127.0.0.1"], dial=dial_port(server.port))

        failure(fetcher, "http://media.example/film.mp4")

    assert server.connections == 0


@pytest.mark.parametrize("addresses", list(itertools.permutations([PUBLIC, "10.0.0.1", "2606:4700:4700::1111"], 2)))
def test_one_private_address_among_public_ones_spoils_the_name(addresses):
    with MediaServer(serve_film) as server:
        internet = Internet(server, {"media.example": [list(addresses)]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial)
        if "10.0.0.1" in addresses:
            failure(fetcher, "http://media.example/film.mp4")
        else:
            assert fetch(fetcher, "http://media.example/film.mp4") == FILM

    assert ("10.0.0.1" in addresses) == (internet.dialed == [])


@pytest.mark.parametrize("private", [*PRIVATE, "::1", "::ffff:7f00:1"])
@pytest.mark.parametrize("turns", ["once", "flip"])
def test_cve_2026_42346_a_name_that_changes_its_address_after_the_check_gains_nothing(turns, private):
    answers = [[PUBLIC], [private]] if turns == "once" else [[PUBLIC], [private]] * 20
    with MediaServer(redirect_to("/film.mp4"), serve_film) as server:
        internet = Internet(server, {"media.example": answers})

        failure(Fetcher(resolve=internet.resolve, dial=internet.dial), f"http://media.example/?{QUERY}")

    assert (internet.dialed, server.connections) == ([PUBLIC], 1)


def test_a_connection_that_ends_at_a_private_address_gets_no_byte():
    with MediaServer(serve_film) as server:
        fetcher = Fetcher(resolve=lambda _host, _port: [PUBLIC], dial=dial_port(server.port))

        failure(fetcher, "http://media.example/film.mp4")

    assert server.requests == []


def test_an_address_that_does_not_answer_is_followed_by_the_next_one():
    with MediaServer(serve_film) as server:
        internet = Internet(server, {"media.example": [["1.1.1.1", PUBLIC]]})

        def dial(address, timeout):
            if address[0] == "1.1.1.1":
                internet.dialed.append(address[0])
                raise ConnectionRefusedError
            return internet.dial(address, timeout)

        assert fetch(Fetcher(resolve=internet.resolve, dial=dial), "http://media.example/film.mp4") == FILM

    assert internet.dialed == ["1.1.1.1", PUBLIC]


def test_at_most_four_addresses_are_tried():
    tried = []

    def dial(address, timeout):
        tried.append(address[0])
        raise TimeoutError

    addresses = [f"93.184.216.{last}" for last in range(9)]
    failure(Fetcher(resolve=lambda _host, _port: addresses, dial=dial), "http://media.example/film.mp4")

    assert tried == addresses[:4]


def test_unknown_private_and_unreachable_names_read_alike():
    def refuse(address, timeout):
        raise ConnectionRefusedError

    with MediaServer(serve_film) as server:
        internet = Internet(server, {"private.example": [["10.0.0.1"]], "closed.example": [[PUBLIC]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=refuse)
        names = ("private.example", "closed.example", "unknown.example")
        errors = [failure(fetcher, f"https://{name}/film.mp4?{QUERY}") for name in names]

    told = {(error.error.replace(name, "it"), error.message) for name, error in zip(names, errors, strict=True)}
    assert len(told) == 1


def test_the_cause_for_the_log_names_the_private_address():
    fetcher = Fetcher(resolve=lambda _host, _port: ["10.0.0.1"])

    assert "10.0.0.1" in str(failure(fetcher, "http://media.example/film.mp4").__cause__)


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/film.mp4",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::ffff:7f00:1]/",
        "http://2130706433/",
        "//127.0.0.1/film.mp4",
        "http://private.example/film.mp4",
        "http://media.example:9001/2018-06-01/runtime/invocation/next",
        "http://user@media.example/film.mp4",
        "ftp://media.example/film.mp4",
        "file:///proc/self/environ",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "",
    ],
)
def test_cve_2026_40168_a_redirect_to_a_forbidden_place_is_not_followed(location):
    with MediaServer(redirect_to(location), serve_film) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]], "private.example": [["10.0.0.1"]]})
        error = failure(Fetcher(resolve=internet.resolve, dial=internet.dial), f"http://media.example/?{QUERY}")

    assert isinstance(error, MediaDownloadFailed)
    assert (internet.dialed, server.connections) == ([PUBLIC], 1)


def test_a_redirect_from_https_to_http_is_not_followed(authority):
    with MediaServer(redirect_to("http://media.example/film.mp4"), tls=authority.server("media.example")) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial, ca_certs=str(authority.pem))

        failure(fetcher, "https://media.example/film.mp4")

    assert server.connections == 1


@pytest.mark.parametrize(
    "location", ["/film.mp4", "film.mp4", "//other.example/film.mp4", "http://other.example/film.mp4"]
)
def test_a_redirect_to_a_public_place_is_followed(location):
    with MediaServer(redirect_to(location), serve_film) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]], "other.example": [["1.1.1.1"]]})

        assert fetch(Fetcher(resolve=internet.resolve, dial=internet.dial), "http://media.example/") == FILM

    assert server.requests[1].startswith("GET /film.mp4 ")
    assert internet.dialed[1] == ("1.1.1.1" if "other" in location else PUBLIC)


def test_the_bytes_of_a_redirect_are_percent_encoded_as_they_are():
    with MediaServer(redirect_to("/für dich.mp4?a=%20b".encode().decode("latin-1")), serve_film) as server:
        assert fetch(Fetcher([server.origin]), server.origin) == FILM

    assert server.requests[1].startswith("GET /f%C3%BCr%20dich.mp4?a=%20b ")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_every_kind_of_redirect_is_followed_and_checked(status):
    with MediaServer(redirect_to("/next", status), redirect_to("http://10.0.0.1/", status)) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]]})

        failure(Fetcher(resolve=internet.resolve, dial=internet.dial), "http://media.example/film.mp4")

    assert internet.dialed == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(("redirects", "arrives"), [(3, True), (4, False)])
def test_three_redirects_are_followed_and_a_fourth_is_not(redirects, arrives):
    with MediaServer(*[redirect_to("/next")] * redirects, serve_film) as server:
        fetcher = Fetcher([server.origin])
        if arrives:
            assert fetch(fetcher, f"{server.origin}/film.mp4") == FILM
        else:
            failure(fetcher, f"{server.origin}/film.mp4")

    assert server.connections == 4


def test_a_redirect_may_lead_to_a_trusted_origin_and_to_no_other_local_one():
    with MediaServer(serve_film) as trusted, MediaServer(serve_film) as local:
        for target, arrives in ((trusted, True), (local, False)):
            with MediaServer(redirect_to(f"{target.origin}/film.mp4")) as server:
                internet = Internet(server, {"media.example": [[PUBLIC]]})
                fetcher = Fetcher([trusted.origin], resolve=internet.resolve, dial=internet.dial)
                with contextlib.nullcontext() if arrives else pytest.raises(MediaDownloadFailed):
                    assert fetch(fetcher, "http://media.example/film.mp4") == FILM

    assert (trusted.connections, local.connections) == (1, 0)


def test_the_certificate_is_checked_on_the_name_while_the_address_is_dialed(authority):
    with MediaServer(serve_film, tls=authority.server("media.example")) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]], "other.example": [[PUBLIC]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial, ca_certs=str(authority.pem))

        assert fetch(fetcher, "https://media.example/film.mp4") == FILM
        assert "certificate" in failure(fetcher, f"https://other.example/?{QUERY}").error

    assert len(server.requests) == 1


def test_a_certificate_of_an_unknown_authority_is_refused(authority):
    with MediaServer(serve_film, tls=authority.server("media.example")) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]]})
        error = failure(Fetcher(resolve=internet.resolve, dial=internet.dial), "https://media.example/film.mp4")

    assert "certificate" in error.error
    assert server.requests == []


def test_a_server_that_speaks_no_tls_is_an_ordinary_failure():
    with MediaServer(serve_film) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]]})
        fetcher = Fetcher(resolve=internet.resolve, dial=internet.dial, pace=Pace(headers=0.3))
        error = failure(fetcher, "https://media.example/film.mp4")

    assert isinstance(error, MediaDownloadFailed)


def test_a_request_carries_no_credentials_cookies_or_wish_for_compression(monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine media.example login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    set_cookie = "Set-Cookie: session=1"
    with MediaServer(
        lambda connection: connection.answer(b"", set_cookie, "Location: /next", status="302 Found"), serve_film
    ) as server:
        internet = Internet(server, {"media.example": [[PUBLIC]]})
        fetch(Fetcher(resolve=internet.resolve, dial=internet.dial), "http://media.example/film.mp4?a=b")

    assert server.requests == [
        f"GET {target} HTTP/1.1\r\nHost: media.example\r\nUser-Agent: publisher-media-fetch\r\nAccept: */*\r\n"
        "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
        for target in ("/film.mp4?a=b", "/next")
    ]


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with MediaServer(serve_film) as server, MediaServer(serve_film) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.origin)

        assert fetch(Fetcher([server.origin]), server.origin) == FILM

    assert proxy.connections == 0


def test_an_address_in_the_url_is_refused_before_anything_is_resolved():
    with MediaServer(serve_film) as server:
        internet = Internet(server, {})
        with pytest.raises(InvalidMediaUrl):
            fetch(Fetcher(resolve=internet.resolve, dial=internet.dial), "http://127.0.0.1/film.mp4")

    assert internet.lookups == []
