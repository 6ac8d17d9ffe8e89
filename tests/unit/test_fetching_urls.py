"""What a URL alone tells: which ones may be fetched at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.addresses import is_public
from publisher.domain.errors import InvalidMediaUrl
from publisher.domain.media_urls import check_media_url

# 127.0.0.1 and 169.254.169.254 in every notation that some resolver or browser understands (CVE-2025-53641,
# CVE-2026-42449 for the mapped ones, GHSA-qwrf-gfpj-qvj6 for brackets around what is no IPv6 address).
LITERALS = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0177.0x0.1",
    "00000177.1",
    "127.0.0.0x1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0251.0376.0251.0376",
    "10.0.0.1",
    "0",
    "0.0.0.0",
    "255.255.255.255",
    "8.8.8.8",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25eth0]",
    "[fd00:ec2::254]",
    "[2606:4700:4700::1111]",
    "[127.0.0.1]",
    "[media.example]",
    "１２７.０.０.１",  # noqa: RUF001 - that is the attack
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "%31%32%37.0.0.1",
    "127%2e0.0.1",
    "localhost",
    "metadata",
]


@pytest.mark.parametrize("host", LITERALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_addresses_in_any_notation_are_refused(scheme, host):
    with pytest.raises(InvalidMediaUrl):
        check_media_url(f"{scheme}://{host}/film.mp4", ())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://media.example/film.mp4",
        "file:///proc/self/environ",
        "gopher://media.example/",
        "data:video/mp4;base64,AAAA",
        "javascript:alert(1)",
        "s3://bucket/film.mp4",
        "//media.example/film.mp4",
        "media.example/film.mp4",
        "",
        "https:",
        "https:///film.mp4",
        "https://:443/film.mp4",
        "https://user@media.example/film.mp4",
        "https://user:password@media.example/film.mp4",
        "https://media.example@127.0.0.1/film.mp4",
        "https://media.example:8443/film.mp4",
        "https://media.example:80/film.mp4",
        "http://media.example:443/film.mp4",
        "http://media.example:9001/film.mp4",
        "https://media.example:0/film.mp4",
        "https://media.example:99999/film.mp4",
        "https://media.example:-1/film.mp4",
        "https://media.example:4a/film.mp4",
        "https://media.example/a film.mp4",
        "https://media.example\\@127.0.0.1/film.mp4",
        "https://media.example/film.mp4\r\nX: y",
        "https://media.exam\tple/film.mp4",
        "https://media.example/\0",
        "https://media.example/\x7f",
        "https://media.example/\x85",
        "https://media.example/\u2028",
        "\nhttps://media.example/film.mp4",
        "https://-media.example/film.mp4",
        "https://media-.example/film.mp4",
        "https://media..example/film.mp4",
        "https://.example/film.mp4",
        "https://media.example../film.mp4",
        f"https://{'a' * 64}.example/film.mp4",
        f"https://{'a.' * 126}example/film.mp4",
        "https://media.1/film.mp4",
        "https://media.0x7f/film.mp4",
        "https://faß.example/film.mp4",
        "https://\u200d.example/film.mp4",
        "https://media\u2100.example/film.mp4",
        "https://media.example/" + "a" * 2048,
    ],
)
def test_other_urls_that_may_never_be_fetched_are_refused(url):
    with pytest.raises(InvalidMediaUrl):
        check_media_url(url, ())


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://media.example/film.mp4", "media.example", 443, "/film.mp4"),
        ("http://media.example/film.mp4", "media.example", 80, "/film.mp4"),
        ("HTTPS://Media.Example:443/Film.mp4", "media.example", 443, "/Film.mp4"),
        ("http://media.example:80", "media.example", 80, "/"),
        ("https://media.example:/film.mp4", "media.example", 443, "/film.mp4"),
        ("https://media.example./film.mp4", "media.example", 443, "/film.mp4"),
        ("https://media.example?key=a%20b&c=d", "media.example", 443, "/?key=a%20b&c=d"),
        ("https://media.example/film.mp4#t=10", "media.example", 443, "/film.mp4"),
        ("https://media.example/Füße.mp4?q=é", "media.example", 443, "/F%C3%BC%C3%9Fe.mp4?q=%C3%A9"),
        ("https://müller.example/film.mp4", "xn--mller-kva.example", 443, "/film.mp4"),
        ("https://my_bucket.s3.eu-west-1.amazonaws.com/a", "my_bucket.s3.eu-west-1.amazonaws.com", 443, "/a"),
        ("https://127.0.0.1.nip.example/film.mp4", "127.0.0.1.nip.example", 443, "/film.mp4"),
    ],
)
def test_a_url_with_a_dns_name_is_taken_apart(url, host, port, target):
    place = check_media_url(url, ())

    assert (place.host, place.port, place.target, place.trusted) == (host, port, target, False)
    assert place.authority == host


def test_a_url_of_exactly_the_longest_length_is_taken():
    url = "https://media.example/".ljust(2048, "a")

    assert check_media_url(url, ()).target == url.removeprefix("https://media.example")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost:9000"])
def test_a_trusted_origin_may_be_an_address_and_have_its_own_port(origin):
    place = check_media_url(f"{origin}/film.mp4", [origin])

    assert place.trusted
    assert f"http://{place.authority}" == origin


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:9000/film.mp4",
        "http://127.0.0.1:9001/film.mp4",
        "http://127.0.0.1/film.mp4",
        "http://127.0.0.2:9000/film.mp4",
        "http://127.0.0.1.:9000/film.mp4",
        "http://2130706433:9000/film.mp4",
        "http://user@127.0.0.1:9000/film.mp4",
        "http://127.0.0.1:9000@10.0.0.1/film.mp4",
    ],
)
def test_what_only_resembles_a_trusted_origin_is_not_trusted(url):
    with pytest.raises(InvalidMediaUrl):
        check_media_url(url, ["http://127.0.0.1:9000"])


@given(st.text())
def test_any_text_is_either_taken_apart_or_refused(text):
    for url in (text, f"https://{text}", f"https://media.example/{text}"):
        try:
            place = check_media_url(url, ())
        except InvalidMediaUrl:
            continue
        assert place.target.isascii()
        assert place.host.isascii()
        assert place.host.rpartition(".")[2][0].isalpha()


def test_the_error_of_a_refused_url_repeats_nothing_of_it():
    with pytest.raises(InvalidMediaUrl) as refused:
        check_media_url("https://user:password@media.example/film.mp4?signature=secret", ())

    assert not any(part in refused.value.error for part in ("password", "secret", "media.example"))


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255"),
        *("127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1"),
        *("172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1"),
        *("192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
        *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:8.8.8.8"),
        *("64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2001:10::1", "2001:20::1"),
        *("2002:7f00:1::1", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1"),
        *("fe80::1%eth0", "2606:4700:4700::1111%eth0", "fec0::1", "ff02::1", "4000::1"),
        *("", "localhost", "127.1", "0x7f000001", "8.8.8.8 "),
    ],
)
def test_special_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
        *("168.63.129.15", "192.0.1.1", "192.167.255.255", "223.255.255.255"),
        *("2606:4700:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2003::1"),
    ],
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)
