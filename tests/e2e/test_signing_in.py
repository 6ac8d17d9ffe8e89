"""A browser's session with the running stack: begun by a one-time link, used, kept from other sites, ended."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urldefrag, urlsplit

import pytest
import requests

from tests.e2e.client import Client, decide
from tests.e2e.test_local_runtime import assert_one_sentence, run


@pytest.fixture
def link(client: Client, state: Path) -> str:
    made = run("local.sign_in", "--state", str(state))
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def open_link(link: str) -> tuple[requests.Session, requests.Response]:
    """Do what the page behind the link does, in a browser that was never here."""
    page, fragment = urldefrag(link)
    browser = requests.Session()
    assert browser.get(page, timeout=40).status_code == 200
    ticket = fragment.removeprefix("/sign-in/")
    return browser, browser.post(f"{page}v2/session", json={"ticket": ticket}, timeout=40)


def test_a_link_of_the_command_signs_in_once(client: Client, link: str) -> None:
    assert re.fullmatch(re.escape(client.api) + r"/#/sign-in/[A-Za-z0-9_-]{43}", link)
    browser, answer = open_link(link)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Set-Cookie"].startswith("session=")
    assert "; HttpOnly" in answer.headers["Set-Cookie"]
    assert browser.get(f"{client.api}/v2/session", timeout=40).json() == answer.json()
    _, again = open_link(link)
    assert (again.status_code, again.json()["code"]) == (401, "InvalidApiKey")


def test_a_session_does_what_its_key_does_from_our_page_only_and_until_it_ends(client: Client, link: str) -> None:
    browser, answer = open_link(link)
    ours = {"X-CSRF-Token": answer.json()["csrfToken"], "Origin": client.api}
    keys = f"{client.api}/v2/keys"
    assert browser.get(f"{client.api}/api/accounts", timeout=40).json() == client.get("/api/accounts").json()
    for headers in ({}, {**ours, "X-CSRF-Token": "another"}, {**ours, "Origin": "https://evil.example"}):
        refused = browser.post(keys, json={"name": "n"}, headers=headers, timeout=40)
        assert (refused.status_code, refused.json()["code"]) == (403, "ForgedRequest")
    assert browser.post(keys, json={"name": "n"}, headers=ours, timeout=40).status_code == 201
    copied = requests.Session()
    copied.cookies.update(browser.cookies)
    assert browser.delete(f"{client.api}/v2/session", headers=ours, timeout=40).json() == {"success": True}
    assert len(browser.cookies) == 0
    assert copied.get(f"{client.api}/api/accounts", timeout=40).status_code == 401


@pytest.mark.parametrize(("decision", "outcome"), [("allow", "connected"), ("deny", "refused")])
def test_connecting_from_the_dashboard_leads_back_to_it(
    client: Client, creator: str, link: str, decision: str, outcome: str
) -> None:
    browser, _ = open_link(link)
    consent = browser.get(f"{client.api}/oauth/tiktok/start", timeout=40)
    back = decide(browser, consent, creator, decision=decision, accept="text/html")
    assert back.status_code == 200
    assert urlsplit(back.url).path == "/"
    route, _, query = urlsplit(back.url).fragment.partition("?")
    told = parse_qs(query)
    assert (route, set(told) - {"missing", "request"}) == ("/accounts", {outcome})
    listed = {account["account_id"] for account in client.get("/api/accounts").json()["accounts"]}
    assert set(told.get("connected", ())) <= listed
    assert told.get("refused", ["access_denied"]) == ["access_denied"]


def test_the_dashboards_files_come_compressed_and_stay_in_the_browser(client: Client) -> None:
    page = requests.get(f"{client.api}/", timeout=40)
    paths = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
    assert paths
    for path in paths:
        answer = requests.get(client.api + path, timeout=40)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    outside = requests.Request("GET", f"{client.api}{paths[0].rpartition('/')[0]}/../../app.py").prepare()
    outside.url = f"{client.api}{paths[0].rpartition('/')[0]}/../../app.py"
    with requests.Session() as curious:
        assert curious.send(outside, timeout=40).status_code == 404


def test_where_no_stack_runs_the_command_says_so(tmp_path: Path) -> None:
    assert_one_sentence(run("local.sign_in", "--state", str(tmp_path)), "No stack runs in")


def test_for_a_stack_in_aws_the_command_wants_a_key_that_counts(client: Client) -> None:
    assert_one_sentence(run("local.sign_in", "--url", client.api, PUBLISHER_KEY=""), "PUBLISHER_KEY")
    assert_one_sentence(run("local.sign_in", "--url", client.api, PUBLISHER_KEY="no key"), "401")
    made = run("local.sign_in", "--url", f"{client.api}/", PUBLISHER_KEY=client.headers["boring-api-key"])
    assert open_link(made.stdout.strip())[1].status_code == 201
