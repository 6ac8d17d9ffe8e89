"""Sessions of the dashboard over HTTP: begun with a key or a link, ended, and of no use to pages of other sites."""

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import pytest

from publisher.domain.limits import SESSION_IDLE_SECONDS, SESSION_SECONDS, SESSION_SEEN_SECONDS, SIGN_IN_LINK_SECONDS
from tests.builders import NOW
from tests.fakes import FakePorts
from tests.unit.conftest import Http, HttpAnswer, assert_failed

PAGE = {"Accept": "text/html,application/xhtml+xml"}
OURS = "https://publish.example"


def sign_in(http: Http, body: object = None, **more) -> HttpAnswer:
    return http.call("POST", "/v2/session", {"key": http.key} if body is None else body, key=None, **more)


def cookie_of(answer: HttpAnswer) -> str:
    """The cookie as the browser sends it back."""
    (cookie,) = answer.cookies
    return cookie.partition(";")[0]


class Browser:
    """A browser that is signed in."""

    def __init__(self, http: Http, body: object = None) -> None:
        answer = sign_in(http, body)
        assert answer.status == 201, answer.body
        self.http, self.cookie, self.csrf = http, cookie_of(answer), answer.json["csrfToken"]

    def call(self, method: str, path: str, body: object = "", **more) -> HttpAnswer:
        """Call as the dashboard's page does; headers may be given instead."""
        sent = {"headers": {"X-CSRF-Token": self.csrf, "Origin": OURS, "Sec-Fetch-Site": "same-origin"}, **more}
        return self.http.call(method, path, body, cookies=["other=1", self.cookie], **{"key": None, **sent})

    def get(self, path: str, **more) -> HttpAnswer:
        return self.call("GET", path, **{"headers": {}, **more})


@pytest.fixture
def browser(http: Http) -> Browser:
    return Browser(http)


def link_of(http: Http, key: str = "") -> str:
    """Make a sign-in link, and return its ticket."""
    answer = http.call("POST", "/v2/session/links", "", key=key)
    assert answer.status == 201, answer.body
    return str(answer.json["signInUrl"]).rpartition("/")[2]


# Begun


def test_an_admin_key_begins_a_session(http, ports):
    answer = sign_in(http)
    assert answer.status == 201
    assert answer.json == {
        "csrfToken": answer.json["csrfToken"],
        "keyName": "k",
        "keyBeginning": f"{http.key[:17]}…",
        "workspaceId": "workspace-1",
        "signedInAt": "2026-09-21T14:13:20.000Z",
        "endsAt": "2026-09-22T02:13:20.000Z",
    }
    shown = http.get("/v2/session", key=None, cookies=[cookie_of(answer)])
    assert (shown.status, shown.json) == (200, answer.json)
    assert shown.cookies == []


def test_scripts_and_other_hosts_cannot_read_the_cookie(http):
    answer = sign_in(http)
    assert re.fullmatch(r"__Host-session=[A-Za-z0-9_-]{43}", cookie_of(answer))
    assert answer.cookies == [f"{cookie_of(answer)}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure"]


def test_on_a_laptop_the_cookie_fits_plain_http(http, ports):
    ports.public_url = "http://127.0.0.1:8080"
    answer = sign_in(http)
    assert answer.cookies == [f"{cookie_of(answer)}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"]
    assert cookie_of(answer).startswith("session=")
    assert http.get("/v2/posts", key=None, cookies=[cookie_of(answer)]).status == 200


def test_over_https_a_cookie_that_another_host_could_have_set_counts_nothing(http):
    cookie = cookie_of(sign_in(http)).removeprefix("__Host-")
    assert_failed(http.get("/v2/posts", key=None, cookies=[cookie]), 401, "InvalidApiKey")


def test_the_token_is_stored_nowhere(http, ports):
    token = cookie_of(sign_in(http)).partition("=")[2]
    ticket = link_of(http)
    stored = [*ports.sessions._sessions.values(), *ports.sessions._tickets.values()]
    assert len(stored) == 2
    assert not [value for value in stored if token in repr(value) or ticket in repr(value)]


def test_a_wrong_key_is_refused_as_the_api_refuses_it(http, ports):
    wrong = http.key[:-1] + ("0" if http.key[-1] != "0" else "1")
    answer, api = sign_in(http, {"key": wrong}), http.get("/v2/posts", key=wrong)
    assert_failed(answer, 401, "InvalidApiKey")
    assert {**answer.json, "requestId": ""} == {**api.json, "requestId": ""}
    assert answer.cookies == []
    assert ports.sessions._sessions == {}


def test_a_key_without_the_scope_admin_begins_nothing(http, ports):
    answer = sign_in(http, {"key": http.make_key(scopes=("posts:write",))})
    assert_failed(answer, 403, "InsufficientScope")
    assert (answer.cookies, ports.sessions._sessions) == ([], {})


@pytest.mark.parametrize("body", [{}, [], {"key": 5}, {"key": None}, {"keys": "x"}, {"ticket": ["x"]}])
def test_a_body_without_a_key_or_a_ticket_is_refused(http, body):
    assert sign_in(http, body).status == 400


def test_signing_in_again_ends_the_browsers_former_session(http, browser):
    again = sign_in(http, cookies=[browser.cookie])
    assert cookie_of(again) != browser.cookie
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")
    assert http.get("/v2/posts", key=None, cookies=[cookie_of(again)]).status == 200


def test_a_failed_sign_in_leaves_the_browsers_session_alone(http, browser):
    assert sign_in(http, {"key": "no key"}, cookies=[browser.cookie]).status == 401
    assert browser.get("/v2/posts").status == 200


# Links


def test_a_link_signs_in_once_as_the_key_that_made_it(http):
    answer = http.call("POST", "/v2/session/links", "")
    assert (answer.status, answer.json["expiresAt"]) == (201, "2026-09-21T14:23:20.000Z")
    ticket = re.fullmatch(r"https://publish\.example/#/sign-in/([A-Za-z0-9_-]{43})", answer.json["signInUrl"])
    assert ticket
    assert sign_in(http, {"ticket": ticket[1]}).json["keyBeginning"] == f"{http.key[:17]}…"
    again = sign_in(http, {"ticket": ticket[1]})
    assert_failed(again, 401, "InvalidApiKey")
    assert "used before" in again.json["error"]


@pytest.mark.parametrize(("seconds", "status"), [(SIGN_IN_LINK_SECONDS - 1, 201), (SIGN_IN_LINK_SECONDS, 401)])
def test_a_link_lives_for_ten_minutes(http, ports, seconds, status):
    ticket = link_of(http)
    ports.clock.time = NOW + seconds
    assert sign_in(http, {"ticket": ticket}).status == status


def test_a_link_ends_with_its_key(http):
    key = http.make_key()
    ticket = link_of(http, key)
    revoke(http, key)
    assert_failed(sign_in(http, {"ticket": ticket}), 401, "InvalidApiKey")


@pytest.mark.parametrize("ticket", ["", "x", "x" * 5000, "\x00", "é"])
def test_a_ticket_that_never_was_signs_nobody_in(http, ticket):
    assert sign_in(http, {"ticket": ticket}).status in (400, 401)


def test_only_an_admin_key_makes_links(http):
    answer = http.call("POST", "/v2/session/links", "", key=http.make_key(scopes=("posts:write",)))
    assert_failed(answer, 403, "InsufficientScope")


def test_a_browser_that_is_signed_in_makes_links_too(http, browser):
    ticket = str(browser.call("POST", "/v2/session/links").json["signInUrl"]).rpartition("/")[2]
    assert Browser(http, {"ticket": ticket}).get("/v2/posts").status == 200


# Ended


def revoke(http: Http, key: str) -> None:
    assert http.call("DELETE", f"/v2/keys/{key[len('tkp_live_') :][:8]}", "").status == 200


def test_signing_out_ends_the_session_and_deletes_the_cookie(browser):
    answer = browser.call("DELETE", "/v2/session")
    assert (answer.status, answer.json) == (200, {"success": True})
    assert answer.cookies == ["__Host-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")
    assert_failed(browser.get("/v2/session"), 401, "InvalidApiKey")


def test_signing_out_again_is_the_same(http, browser):
    first, second = browser.call("DELETE", "/v2/session"), browser.call("DELETE", "/v2/session")
    assert (second.status, second.json, second.cookies) == (200, first.json, first.cookies)
    assert http.call("DELETE", "/v2/session", "", key=None).status == 200


def test_signing_out_ends_no_other_session(http, browser):
    other = Browser(http)
    browser.call("DELETE", "/v2/session")
    assert other.get("/v2/posts").status == 200


def test_a_session_that_is_not_used_ends_after_30_minutes(browser, ports):
    ports.clock.time = NOW + SESSION_IDLE_SECONDS - 1
    assert browser.get("/v2/posts").status == 200
    ports.clock.time += SESSION_IDLE_SECONDS
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")


def test_a_session_that_is_used_ends_after_12_hours(browser, ports):
    while ports.clock.time + SESSION_IDLE_SECONDS / 2 < NOW + SESSION_SECONDS:
        ports.clock.time += SESSION_IDLE_SECONDS / 2
        assert browser.get("/v2/posts").status == 200
    ports.clock.time = NOW + SESSION_SECONDS
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")


def test_use_is_noted_once_a_minute_at_most(browser, ports):
    (session,) = ports.sessions._sessions.values()
    ports.clock.time = NOW + SESSION_SEEN_SECONDS - 1
    browser.get("/v2/posts")
    assert ports.sessions.get(session.token_hash).seen_at == NOW
    ports.clock.time = NOW + SESSION_SEEN_SECONDS
    browser.get("/v2/posts")
    assert ports.sessions.get(session.token_hash).seen_at == NOW + SESSION_SEEN_SECONDS


def test_a_session_ends_at_once_when_its_key_is_revoked(http):
    key = http.make_key()
    browser = Browser(http, {"key": key})
    revoke(http, key)
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")


def test_a_session_ends_with_its_key(http, ports):
    made = http.call("POST", "/v2/keys", {"name": "n", "scopes": ["admin"], "expiresAt": "2026-09-21T14:14:20Z"})
    browser = Browser(http, {"key": made.json["key"]})
    ports.clock.time = NOW + 59
    assert browser.get("/v2/posts").status == 200
    ports.clock.time = NOW + 60
    assert_failed(browser.get("/v2/posts"), 401, "InvalidApiKey")


@pytest.mark.parametrize("token", ["", "x", "x" * 4000, "%00", "a.b"])
def test_a_cookie_that_never_was_a_session_opens_nothing(http, token):
    for path in ("/v2/posts", "/v2/session"):
        assert_failed(http.get(path, key=None, cookies=[f"__Host-session={token}"]), 401, "InvalidApiKey")


# Pages of other sites

FORGED: Mapping[str, Mapping[str, str]] = {
    "nothing": {},
    "no token": {"Origin": OURS, "Sec-Fetch-Site": "same-origin"},
    "empty token": {"X-CSRF-Token": "", "Origin": OURS},
    "wrong token": {"X-CSRF-Token": "0" * 64, "Origin": OURS},
    "strange token": {"X-CSRF-Token": "é🐇", "Origin": OURS},
    "foreign origin": {"X-CSRF-Token": "right", "Origin": "https://evil.example"},
    "longer origin": {"X-CSRF-Token": "right", "Origin": "https://publish.example.evil.example"},
    "no origin": {"X-CSRF-Token": "right", "Origin": "null"},
    "cross-site": {"X-CSRF-Token": "right", "Sec-Fetch-Site": "cross-site"},
    "same site": {"X-CSRF-Token": "right", "Sec-Fetch-Site": "same-site"},
    "typed": {"X-CSRF-Token": "right", "Sec-Fetch-Site": "none"},
}


def with_token(browser: Browser, headers: Mapping[str, str]) -> dict[str, str]:
    return {name: browser.csrf if value == "right" else value for name, value in headers.items()}


def unsafe_routes(http: Http) -> list[tuple[str, str]]:
    routes = [(route, scope) for api in http.apis for route, scope in api.routes.items()]
    return [(method, path) for (method, path), scope in routes if scope and method not in ("GET", "HEAD")]


@pytest.mark.parametrize("case", FORGED)
def test_no_route_that_changes_something_takes_a_session_from_another_page(http, browser, case):
    routes = unsafe_routes(http)
    assert len(routes) > 10
    for method, path in routes:
        answer = browser.call(method, re.sub(r"[{}]", "", path), {}, headers=with_token(browser, FORGED[case]))
        assert_failed(answer, 403, "ForgedRequest")


def test_every_route_that_changes_something_takes_a_session_from_a_page_of_ours(http):
    for method, path in unsafe_routes(http):
        browser = Browser(http)
        assert browser.call(method, re.sub(r"[{}]", "", path), {}).status not in (401, 403), f"{method} {path}"


@pytest.mark.parametrize("headers", [{}, {"Origin": OURS}, {"Origin": "https://api.example"}])
def test_the_pages_origin_may_be_the_address_or_the_host_that_was_called(browser, headers):
    answer = browser.call("POST", "/v2/keys", {"name": "n"}, headers={"X-CSRF-Token": browser.csrf, **headers})
    assert answer.status == 201


def test_another_sessions_token_does_not_do(http, browser):
    other = Browser(http)
    assert other.csrf != browser.csrf
    answer = browser.call("POST", "/v2/keys", {"name": "n"}, headers={"X-CSRF-Token": other.csrf, "Origin": OURS})
    assert_failed(answer, 403, "ForgedRequest")


def test_a_page_of_another_session_is_not_answered_even_when_it_only_reads(http, browser):
    stale = {"headers": {"X-CSRF-Token": Browser(http).csrf}}
    assert_failed(browser.get("/v2/keys", **stale), 403, "ForgedRequest")


def test_a_page_of_another_session_does_not_end_the_one_that_the_browser_has_now(http, browser):
    stale = {"headers": {"X-CSRF-Token": Browser(http).csrf, "Origin": OURS}}
    assert_failed(browser.call("DELETE", "/v2/session", **stale), 403, "ForgedRequest")
    assert browser.get("/v2/session").status == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 302), ("none", 302), (None, 302)]
)
def test_no_page_of_another_site_begins_a_connection_with_the_browsers_session(browser, site, status):
    headers = PAGE if site is None else PAGE | {"Sec-Fetch-Site": site}
    assert browser.get("/oauth/tiktok/start", headers=headers).status == status


def test_reading_needs_no_token(browser):
    assert browser.get("/api/accounts").status == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("case", ["foreign origin", "longer origin", "no origin", "cross-site", "same site"])
def test_another_page_signs_nobody_in_or_out(http, browser, method, case):
    headers = with_token(browser, FORGED[case])
    answer = browser.call(method, "/v2/session", {"key": http.key}, headers=headers)
    assert_failed(answer, 403, "ForgedRequest")
    assert answer.cookies == []
    assert browser.get("/v2/posts").status == 200


def test_a_key_in_a_header_goes_before_the_cookie(http, browser):
    other = http.make_key(workspace_id="workspace-2", scopes=("admin",))
    made = browser.call("POST", "/v2/keys", {"name": "n"}, key=other, headers={})
    assert made.status == 201, "a key needs no token"
    assert made.json["keyId"] in {key["keyId"] for key in http.get("/v2/keys", key=other).json["keys"]}
    assert_failed(browser.get("/v2/posts", key="no key"), 401, "InvalidApiKey")


def test_callers_with_a_key_cost_no_look_at_sessions(http, browser, ports: FakePorts):
    ports.sessions = None  # type: ignore[assignment]  # whoever asks it breaks
    assert browser.get("/v2/posts", key=http.key).status == 200
    assert http.get("/v2/posts").status == 200
    assert http.get("/v2/posts", key=None).status == 401


# Connecting from the dashboard


def begin(browser: Browser) -> tuple[dict[str, str], str]:
    """Begin to connect: the query that TikTok gets, and the connection's cookie."""
    answer = browser.get("/oauth/tiktok/start", headers=PAGE)
    assert answer.status == 302
    query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    return query, cookie_of(answer)


def back(http: Http, query: Mapping[str, str], cookies: list[str], headers: Mapping[str, str] = PAGE) -> HttpAnswer:
    return http.get("/oauth/tiktok/callback", query=query, cookies=cookies, headers=headers, key=None)


def consented(ports: FakePorts, query: Mapping[str, str], **grant) -> dict[str, str]:
    code = ports.tiktok.consent(query["code_challenge"], query["redirect_uri"], **grant)
    return {"code": code, "state": query["state"]}


def test_an_account_connected_from_the_dashboard_leads_back_there(http, browser, ports):
    query, cookie = begin(browser)
    answer = back(http, consented(ports, query), [browser.cookie, cookie])
    (account,) = browser.get("/api/accounts").json["accounts"]
    assert (answer.status, answer.headers["Location"]) == (302, f"/#/accounts?connected={account['account_id']}")
    assert answer.cookies == ["__Host-connecting=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]


def test_the_dashboard_is_told_what_was_not_allowed(http, browser, ports):
    query, cookie = begin(browser)
    granted = tuple(scope for scope in query["scope"].split(",") if scope not in ("video.list", "video.publish"))
    answer = back(http, consented(ports, query, scopes=granted), [browser.cookie, cookie])
    assert re.fullmatch(
        r"/#/accounts\?connected=[0-9a-f-]+&missing=(video\.list,video\.publish|video\.publish,video\.list)",
        answer.headers["Location"],
    )


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"error": "access_denied"}, "access_denied"),
        ({"error": "access_denied", "error_type": "non_sandbox_target"}, "non_sandbox_target"),
        ({"error": "x", "error_type": "//evil.example?a&b#c"}, "%2F%2Fevil.example%3Fa%26b%23c"),
        ({"state": "another", "code": "code"}, "ConnectionRefused"),
        ({}, "ConnectionRefused"),
    ],
)
def test_a_refusal_leads_back_to_the_dashboard_and_says_why(http, browser, told, why):
    query, cookie = begin(browser)
    answer = back(http, {"state": query["state"], **told}, [browser.cookie, cookie])
    assert answer.status == 302
    assert re.fullmatch(rf"/#/accounts\?refused={re.escape(why)}&request=request-\d+", answer.headers["Location"])


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_connection_that_began_elsewhere_ends_in_a_page(http, browser, ports, signed_in):
    link = http.get("/oauth/tiktok/start", headers={"Accept": "application/json"}).json["connectUrl"]
    session = [browser.cookie] if signed_in else []
    opened = http.get(urlsplit(link).path, key=None, headers=PAGE, cookies=session)
    query = {name: values[0] for name, values in parse_qs(urlsplit(opened.headers["Location"]).query).items()}
    denied = {"state": "another", "error": "access_denied"}
    for told, status in ((denied, 400), (consented(ports, query), 200)):
        answer = back(http, told, [*session, cookie_of(opened)])
        assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert ('<a href="/">Open the dashboard</a>' in answer.body) is signed_in


def test_who_has_signed_out_meanwhile_gets_the_page(http, browser, ports):
    query, cookie = begin(browser)
    assert back(http, consented(ports, query), [cookie]).status == 200


def test_a_program_gets_json_also_with_cookies(http, browser, ports):
    query, cookie = begin(browser)
    answer = back(http, consented(ports, query), [browser.cookie, cookie], {"Accept": "application/json"})
    assert json.loads(answer.body)["success"] is True


def test_to_connect_with_a_session_that_is_over_leads_to_the_dashboard(http, browser):
    _, connecting = begin(browser)
    browser.call("DELETE", "/v2/session")
    answer = http.get("/oauth/tiktok/start", key=None, headers=PAGE, cookies=[browser.cookie, connecting])
    assert (answer.status, '<a href="/">Open the dashboard</a>' in answer.body) == (401, True)
