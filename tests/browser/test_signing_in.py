"""Signing in with a key or a link, and what happens when the session ends."""

from typing import Any

import requests
from playwright.sync_api import Page, expect

from local.key import make_key
from publisher.ports import Keys
from tests.browser.conftest import NewPage, sign_in, sign_in_link
from tests.browser.steps import go_to, heading, new_creator, settled
from tests.e2e.client import Client


def enter_key(page: Page, text: str) -> None:
    page.get_by_label("Admin key").fill(text)
    page.get_by_role("button", name="Sign in").click()


def key_of(operator: Client) -> str:
    return operator.headers["boring-api-key"]


def end_session(page: Page) -> None:
    """End the session on the server, as another tab or an operator does; the page does not know."""
    token = page.request.get("/v2/session").json()["csrfToken"]
    assert page.request.delete("/v2/session", headers={"X-CSRF-Token": token, "Origin": origin(page)}).ok


def origin(page: Page) -> str:
    return str(page.evaluate("location.origin"))


def test_an_admin_key_signs_in(page: Page, operator: Client) -> None:
    page.goto("/")
    enter_key(page, key_of(operator))
    expect(heading(page, "Accounts")).to_be_visible()
    assert "httpOnly" in str(page.context.cookies()[0])
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_key_is_refused_in_words_and_can_be_corrected(page: Page, operator: Client) -> None:
    page.goto("/")
    enter_key(page, key_of(operator)[:-1] + "~")
    expect(page.get_by_role("alert")).to_contain_text("Invalid or missing API key")
    expect(page.get_by_label("Admin key")).to_be_focused()
    enter_key(page, key_of(operator))
    expect(heading(page, "Accounts")).to_be_visible()


def test_a_key_without_the_scope_admin_is_refused_and_told_why(page: Page, operator: Client) -> None:
    body = {"name": "a robot", "scopes": ["posts:read"]}
    made = requests.post(operator.api + "/v2/keys", json=body, headers=operator.headers, timeout=40).json()
    page.goto("/")
    enter_key(page, made["key"])
    expect(page.get_by_role("alert")).to_contain_text("admin")


def test_a_link_signs_in_and_leaves_no_trace_in_the_address(page: Page, operator: Client) -> None:
    sign_in(page, operator)
    assert "sign-in" not in page.url


def test_a_link_signs_in_only_once(page: Page, new_page: NewPage, operator: Client) -> None:
    link = sign_in_link(operator)
    page.goto(link)
    expect(heading(page, "Accounts")).to_be_visible()
    other = new_page()
    other.goto(link)
    expect(heading(other, "Sign in")).to_be_visible()
    expect(other.get_by_role("alert")).not_to_be_empty()


def test_a_link_that_was_used_leaves_a_living_session_alone(page: Page, operator: Client) -> None:
    link = sign_in_link(operator)
    page.goto(link)
    expect(heading(page, "Accounts")).to_be_visible()
    page.goto("about:blank")
    page.goto(link)
    page.get_by_role("dialog").get_by_role("button", name="Sign in with the link").click()
    expect(page.get_by_text("Make another link").or_(page.get_by_role("status").get_by_text("link"))).to_be_visible()
    expect(heading(page, "Accounts")).to_be_visible()


def test_a_link_over_a_living_session_asks_first(signed_in: Page, operator: Client, keys: Keys) -> None:
    stranger = a_stranger(operator, keys)
    before = session_of(signed_in)
    signed_in.goto(sign_in_link(stranger))
    signed_in.get_by_role("dialog").get_by_role("button", name="Stay signed in").click()
    expect(heading(signed_in, "Accounts")).to_be_visible()
    assert session_of(signed_in) == before
    signed_in.goto(sign_in_link(stranger))
    signed_in.get_by_role("dialog").get_by_role("button", name="Sign in with the link").click()
    expect(signed_in.get_by_role("banner")).to_contain_text("stranger")
    assert session_of(signed_in) != before


def a_stranger(operator: Client, keys: Keys) -> Client:
    """An operator of another workspace."""
    return Client(operator.api, make_key(keys, "stranger")[0], operator.tiktok)


def session_of(page: Page) -> str:
    return str(page.request.get("/v2/session").json()["workspaceId"])


def other_tab(page: Page, link: str) -> None:
    """Sign in with a link in another tab of the same browser."""
    tab = page.context.new_page()
    tab.goto(link)
    with tab.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/v2/session")):
        tab.get_by_role("dialog").get_by_role("button", name="Sign in with the link").click()
    settled(tab, "Accounts")
    tab.close()


def test_a_page_says_when_the_browser_has_a_session_of_another_workspace(
    signed_in: Page, operator: Client, keys: Keys
) -> None:
    other_tab(signed_in, sign_in_link(a_stranger(operator, keys)))
    signed_in.get_by_role("link", name="Connect TikTok").click()
    expect(heading(signed_in, "Another workspace")).to_be_visible()
    signed_in.get_by_role("button", name="Go on there").click()
    expect(heading(signed_in, "Accounts")).to_be_visible()
    expect(signed_in.get_by_role("banner")).to_contain_text("stranger")


def test_a_page_shows_nothing_of_a_session_of_another_workspace(signed_in: Page, operator: Client, keys: Keys) -> None:
    other_tab(signed_in, sign_in_link(a_stranger(operator, keys)))
    signed_in.get_by_role("link", name="Keys").click()
    expect(heading(signed_in, "Another workspace")).to_be_visible()
    signed_in.reload()
    expect(heading(signed_in, "Keys")).to_be_visible()
    expect(signed_in.get_by_role("banner")).to_contain_text("stranger")


def test_a_page_goes_on_with_a_newer_session_of_its_workspace(signed_in: Page, operator: Client) -> None:
    new_creator(operator, "Mira Sanders")
    other_tab(signed_in, sign_in_link(operator))
    signed_in.get_by_role("link", name="Keys").click()
    expect(signed_in.get_by_role("heading", name="Keys", level=1)).to_be_visible()
    expect(signed_in.get_by_role("main")).to_contain_text("operator")


def test_who_has_signed_out_is_out_and_stays_out(signed_in: Page) -> None:
    go_to(signed_in, "Posts")
    go_to(signed_in, "Keys")
    signed_in.get_by_role("button", name="Sign out").click()
    expect(heading(signed_in, "Sign in")).to_be_visible()
    signed_in.go_back()
    expect(heading(signed_in, "Sign in")).to_be_visible()
    signed_in.reload()
    expect(heading(signed_in, "Sign in")).to_be_visible()


def test_the_form_after_signing_out_is_not_shown_anew_while_somebody_types(signed_in: Page) -> None:
    go_to(signed_in, "Posts")
    signed_in.evaluate("addEventListener('hashchange', () => document.body.dataset.changed = 'yes')")
    signed_in.get_by_role("button", name="Sign out").click()
    expect(heading(signed_in, "Sign in")).to_be_visible()
    signed_in.get_by_label("Admin key").press_sequentially("half a key")
    expect(signed_in.locator("body[data-changed]")).to_have_count(0)
    expect(signed_in.get_by_label("Admin key")).to_have_value("half a key")
    assert signed_in.url.endswith("#/accounts")


def test_a_session_that_ended_says_so_and_one_comes_back_to_where_one_was(signed_in: Page, operator: Client) -> None:
    end_session(signed_in)
    signed_in.get_by_role("link", name="Posts").click()
    expect(signed_in.get_by_role("alert")).to_contain_text("Your session has ended.")
    enter_key(signed_in, key_of(operator))
    expect(heading(signed_in, "Posts")).to_be_visible()


def test_a_caption_that_was_typed_outlives_the_session_and_is_shown_to_nobody_else(
    signed_in: Page, operator: Client, keys: Keys
) -> None:
    operator.connect(new_creator(operator, "Mira"))
    go_to(signed_in, "New post")
    signed_in.get_by_label("Caption").fill("Half a caption")
    end_session(signed_in)
    signed_in.get_by_role("link", name="Posts").click()
    enter_key(signed_in, key_of(operator))
    settled(signed_in, "Posts")
    go_to(signed_in, "New post")
    expect(signed_in.get_by_label("Caption")).to_have_value("Half a caption")
    signed_in.get_by_role("button", name="Sign out").click()
    other, _ = make_key(keys, "another")
    theirs = Client(operator.api, other, operator.tiktok)
    theirs.connect(new_creator(theirs, "Other"))
    enter_key(signed_in, other)
    settled(signed_in, "Accounts")
    go_to(signed_in, "New post")
    expect(signed_in.get_by_label("Caption")).to_have_value("")


def test_revoking_the_key_ends_the_session_behind_it(signed_in: Page, operator: Client, keys: Keys) -> None:
    listed: list[dict[str, Any]] = operator.get("/v2/keys").json()["keys"]
    revoked = requests.delete(f"{operator.api}/v2/keys/{listed[0]['keyId']}", headers=operator.headers, timeout=40)
    assert revoked.ok, revoked.text
    signed_in.get_by_role("link", name="Keys").click()
    expect(heading(signed_in, "Sign in")).to_be_visible()
