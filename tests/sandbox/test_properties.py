"""Ownership of URL prefixes, verified as in the developer portal: a file below the prefix, to the byte."""

import re

import pytest
import requests

APP = "apps/sandbox-client-key"


@pytest.fixture
def portal(tiktok):
    """Ask the portal about a prefix; returns HTTP status and answer."""
    tiktok.settings(pull_local_urls=True)

    def ask(prefix, step="", app=APP):
        answer = tiktok.session.post(f"{tiktok.url}/_sandbox/{app}/properties{step}", json={"url_prefix": prefix})
        return answer.status_code, answer.json()

    return ask


def verified(tiktok):
    return tiktok.admin("GET", "apps")["apps"][0]["verified_properties"]


def test_a_prefix_always_has_the_same_file_and_shares_it_with_no_other(tiktok, portal):
    tiktok.admin("POST", "apps", {"client_key": "other", "client_secret": "s"})
    _, claimed = portal("http://127.0.0.1:4000/")
    token = claimed["file"].removeprefix("tiktok").removesuffix(".txt")
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    assert claimed == {"file": f"tiktok{token}.txt", "content": f"tiktok-developers-site-verification={token}"}
    assert portal("http://127.0.0.1:4000/") == (200, claimed)
    assert portal("http://127.0.0.1:4000/media/")[1]["file"] != claimed["file"]
    assert portal("http://127.0.0.1:4000/", app="apps/other")[1]["file"] != claimed["file"]
    assert verified(tiktok) == []


def test_a_prefix_whose_file_is_right_is_verified_and_its_urls_may_be_pulled(tiktok, portal, host, picture):
    prefix = f"{host.url}media/"
    url = host.serve("media/1.jpg", picture())
    token = tiktok.token()
    assert tiktok.init_photos(token, [url]).json()["error"]["code"] == "url_ownership_unverified"
    _, claimed = portal(prefix)
    host.serve(f"media/{claimed['file']}", claimed["content"].encode(), content_type="text/plain; charset=utf-8")
    status, app = portal(prefix, "/verify")
    assert (status, app["client_key"], app["verified_properties"]) == (200, "sandbox-client-key", [prefix])
    assert portal(prefix, "/verify")[0] == 200
    assert verified(tiktok) == [prefix]
    publish_id = tiktok.init_photos(token, [url]).json()["data"]["publish_id"]
    assert tiktok.pulled(publish_id)["status"] == "PROCESSING_DOWNLOAD"
    outside = [f"{host.url}1.jpg", url]
    assert tiktok.init_photos(token, outside).json()["error"]["code"] == "url_ownership_unverified"
    tiktok.app(verified_properties=["emu.example"])
    assert verified(tiktok) == ["emu.example"]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"status": 404}, "answered with HTTP 404; it must be 200"),
        ({"status": 302, "headers": {"Location": "/right.txt"}}, "answered with HTTP 302; it must be 200"),
        ({"status": 201}, "answered with HTTP 201; it must be 200"),
        ({"content_type": "text/html"}, "has the Content-Type text/html; it must be text/plain"),
        ({"content_type": None}, "has no Content-Type; it must be text/plain"),
        ({"body": b"%b\n"}, "does not hold exactly tiktok-developers-site-verification="),
        ({"body": b"\xef\xbb\xbf%b"}, "does not hold exactly tiktok-developers-site-verification="),
        ({"body": b"<html>my page</html>"}, "does not hold exactly tiktok-developers-site-verification="),
        ({"body": b""}, "does not hold exactly tiktok-developers-site-verification="),
    ],
)
def test_a_file_that_is_not_right_to_the_byte_verifies_nothing_and_the_sentence_says_why(
    tiktok, portal, host, how, sentence
):
    content = portal(host.url)[1]["content"].encode()
    plain = {"content_type": "text/plain"}
    host.serve("right.txt", content, **plain)
    served = {"body": b"%b", **plain, **how}
    host.serve(portal(host.url)[1]["file"], **{**served, "body": served["body"].replace(b"%b", content)})
    status, answer = portal(host.url, "/verify")
    assert (status, sentence in answer["error"]) == (409, True), answer
    assert "/right.txt" not in [path for path, _ in host.requests]
    assert verified(tiktok) == []


def test_a_host_that_is_not_there_verifies_nothing(tiktok, portal, host):
    host.server_close()
    status, answer = portal(host.url, "/verify")
    assert (status, "could not be fetched" in answer["error"]) == (409, True)
    assert verified(tiktok) == []


@pytest.mark.parametrize("step", ["", "/verify"])
@pytest.mark.parametrize(
    "prefix",
    [
        "http://emu.example/",
        "https://203.0.113.5/",
        "https://localhost/",
        "https://emu.example",
        "https://emu.example/media",
        "https://emu.example/?x=/",
        "https://emu.example/#/",
        "emu.example/",
        "",
    ],
)
def test_a_prefix_is_an_https_url_of_a_host_name_and_ends_with_a_slash(tiktok, portal, prefix, step):
    tiktok.settings(pull_local_urls=False)
    status, answer = portal(prefix, step)
    assert (status, prefix in answer["error"]) == (400, True)
    assert portal("https://emu.example/media/")[0] == 200


def test_an_app_or_a_prefix_that_is_not_named_is_told(tiktok, portal):
    assert portal("http://127.0.0.1:4000/", app="apps/unknown") == (404, {"error": "there is no app unknown"})
    assert portal(5) == (400, {"error": "url_prefix: Input should be a valid string"})
    for path in (f"{APP}/properties/else", f"{APP}/property", "users/emu_creator/properties", "apps/properties"):
        assert tiktok.session.post(f"{tiktok.url}/_sandbox/{path}", json={}).status_code == 404


def test_the_sandbox_answers_others_while_it_verifies(tiktok, portal, host):
    """The file may come from a service that is asking the sandbox something at that moment."""
    _, claimed = portal(host.url)
    host.serve(claimed["file"], claimed["content"].encode(), content_type="text/plain")
    host.before_answer = lambda: requests.get(f"{tiktok.url}/_sandbox/clock", timeout=20).close()
    assert portal(host.url, "/verify")[0] == 200
