"""The page of accounts: connected through TikTok's consent page, shown, copied, tested and disconnected."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import card, consent, go_to, heading, new_creator
from tests.conftest import MediaServer
from tests.e2e.client import Client
from tests.e2e.pictures import picture

NAME = "Mira Sanders"
MARKUP = "<img src=x onerror=\"document.title='hit'\">"


@pytest.fixture
def avatar(media_server: MediaServer) -> str:
    return media_server.put("avatar.png", picture(96, 96, "PNG"))


@pytest.fixture
def creator(operator: Client, avatar: str) -> str:
    return new_creator(operator, NAME, avatar_url=avatar)


@pytest.fixture
def account(operator: Client, creator: str) -> dict[str, Any]:
    return operator.connect(creator)


@pytest.fixture
def accounts(account: dict[str, Any], signed_in: Page) -> Page:
    """The page with one account on it."""
    signed_in.reload()
    expect(card(signed_in, NAME)).to_be_visible()
    return signed_in


def test_without_an_account_the_page_says_what_to_do(signed_in: Page) -> None:
    expect(signed_in.get_by_role("heading", name="No account yet")).to_be_visible()
    expect(signed_in.get_by_role("link", name="Connect TikTok")).to_be_visible()


def test_an_account_is_connected_through_the_consent_page(
    signed_in: Page, creator: str, operator: Client, avatar: str
) -> None:
    signed_in.get_by_role("link", name="Connect TikTok").click()
    consent(signed_in, creator)
    expect(heading(signed_in, "Accounts")).to_be_visible()
    expect(signed_in.get_by_role("status").filter(has_text="The account is connected.")).to_be_visible()
    shown = card(signed_in, NAME)
    (account,) = operator.get("/api/accounts").json()["accounts"]
    for text in (f"@{creator}", "TikTok", "Active", account["account_id"]):
        expect(shown.get_by_text(text, exact=True)).to_be_visible()
    expect(shown.locator("img")).to_have_attribute("src", avatar)
    assert "connected" not in signed_in.url


def test_what_was_not_allowed_is_named(signed_in: Page, creator: str) -> None:
    signed_in.get_by_role("link", name="Connect TikTok").click()
    consent(signed_in, creator, without=("video.publish",))
    expect(signed_in.get_by_role("status").filter(has_text="video.publish")).to_be_visible()
    expect(card(signed_in, NAME)).to_be_visible()


def test_who_denies_is_told_that_nothing_has_changed(signed_in: Page, creator: str, operator: Client) -> None:
    signed_in.get_by_role("link", name="Connect TikTok").click()
    consent(signed_in, creator, decision="Deny")
    told = signed_in.get_by_role("status").filter(has_text="The account was not connected.")
    expect(told).to_contain_text("You did not allow it, so nothing has changed.")
    expect(signed_in.get_by_role("heading", name="No account yet")).to_be_visible()
    assert "refused" not in signed_in.url
    assert operator.get("/api/accounts").json() == {"accounts": []}


def test_the_id_is_copied(accounts: Page, account: dict[str, Any]) -> None:
    card(accounts, NAME).get_by_role("button", name="Copy ID").click()
    expect(accounts.get_by_text(f"Copied: {account['account_id']}")).to_be_visible()
    assert accounts.evaluate("navigator.clipboard.readText()") == account["account_id"]


def test_disconnecting_asks_first_and_no_changes_nothing(accounts: Page, operator: Client) -> None:
    card(accounts, NAME).get_by_role("button", name="Disconnect").click()
    question = accounts.get_by_role("dialog", name=f"Disconnect {NAME}?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    accounts.keyboard.press("Escape")
    expect(question).to_have_count(0)
    (account,) = operator.get("/api/accounts").json()["accounts"]
    assert account["state"] == "active"


def test_disconnecting_takes_the_access_back_at_tiktok(
    accounts: Page, operator: Client, account: dict[str, Any]
) -> None:
    card(accounts, NAME).get_by_role("button", name="Disconnect").click()
    accounts.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
    expect(accounts.get_by_text("The account is disconnected")).to_be_visible()
    expect(card(accounts, NAME)).to_have_count(0)
    revoked = [
        call["endpoint"]
        for call in operator.sandbox("GET", "log")["calls"]
        if call.get("open_id") == account["tiktok_open_id"]
    ]
    assert revoked[-1] == "revoke"


def test_test_upload_opens_the_composer_for_the_account(accounts: Page) -> None:
    card(accounts, NAME).get_by_role("link", name="Test Upload").click()
    expect(heading(accounts, "New post")).to_be_visible()
    expect(accounts.get_by_role("combobox", name="Post to").get_by_role("option", selected=True)).to_contain_text(NAME)


def test_view_performance_opens_the_figures_of_the_account(accounts: Page) -> None:
    card(accounts, NAME).get_by_role("link", name="View Performance").click()
    expect(heading(accounts, "Performance")).to_be_visible()
    expect(accounts.get_by_role("combobox", name="Account").get_by_role("option", selected=True)).to_contain_text(NAME)


def test_an_account_that_tiktok_let_go_says_what_to_do(
    accounts: Page, operator: Client, creator: str, account: dict[str, Any]
) -> None:
    operator.sandbox("POST", "actions", {"action": "revoke", "username": creator})
    assert operator.get(f"/v2/accounts/{account['account_id']}/creator-info").status_code == 401
    accounts.reload()
    shown = card(accounts, NAME)
    expect(shown.get_by_text("Connect again", exact=True).first).to_be_visible()
    expect(shown.get_by_role("link", name="Connect again")).to_be_visible()
    expect(shown.get_by_role("link", name="Test Upload")).to_have_count(0)


def test_markup_in_a_nickname_is_text(signed_in: Page, operator: Client, avatar: str) -> None:
    operator.connect(new_creator(operator, MARKUP, avatar_url=avatar))
    signed_in.reload()
    expect(card(signed_in, MARKUP).get_by_role("heading", name=MARKUP)).to_be_visible()
    go_to(signed_in, "Accounts")
    card(signed_in, MARKUP).get_by_role("button", name="Disconnect").click()
    expect(signed_in.get_by_role("dialog", name=f"Disconnect {MARKUP}?")).to_be_visible()
    assert signed_in.title() != "hit"


def test_what_was_not_allowed_stands_on_the_card_and_takes_test_upload_away(signed_in: Page, operator: Client) -> None:
    name = new_creator(operator, "Mira Sanders")
    signed_in.get_by_role("link", name="Connect TikTok").first.click()
    consent(signed_in, name, without=("video.publish", "video.upload"))
    go_to(signed_in, "Posts")
    go_to(signed_in, "Accounts")
    shown = card(signed_in, "Mira Sanders")
    expect(shown).to_contain_text("Not allowed: video.upload, video.publish.")
    expect(shown.get_by_role("link", name="Connect again")).to_be_visible()
    expect(shown.get_by_role("link", name="Test Upload")).to_have_count(0)
