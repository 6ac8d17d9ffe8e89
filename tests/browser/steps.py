"""What a user of the dashboard does and looks at, by role and accessible name only."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.client import Client


def heading(page: Page, name: str) -> Locator:
    """Return the heading of a page, which names it."""
    return page.get_by_role("heading", name=name, level=1)


def settled(page: Page, name: str) -> None:
    """Wait until a page is there with all that it loads."""
    expect(heading(page, name)).to_be_visible()
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def go_to(page: Page, name: str) -> None:
    """Open a page from the menu, and wait until it is there."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
    settled(page, name)


def card(page: Page, name: str) -> Locator:
    """Return the card of an account."""
    return page.get_by_role("article", name=name)


def new_creator(operator: Client, nickname: str, **settings: Any) -> str:
    """Make a creator of the sandbox whom nobody else uses, and return the username."""
    username = operator.new_creator()
    operator.sandbox("PATCH", f"users/{username}", {"nickname": nickname, **settings})
    return username


def consent(page: Page, username: str, *, decision: str = "Allow", without: tuple[str, ...] = ()) -> None:
    """Answer on TikTok's consent page."""
    page.get_by_role("radio", name=re.compile(rf"@{username}\b")).check()
    for scope in without:
        page.get_by_role("checkbox", name=scope).uncheck()
    page.get_by_role("button", name=decision).click()
