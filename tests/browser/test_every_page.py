"""What holds for every page: accessible in light and dark, wide and on a phone, and small."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LivedIn, NewPage, sign_in
from tests.browser.steps import PHONE, choose_files, open_composer, settled, violations
from tests.conftest import FILM

PAGES = {
    "accounts": "Accounts",
    "compose": "New post",
    "posts": "Posts",
    "posts/{PUBLISH_COMPLETE}": "Post",
    "posts/{FAILED}": "Post",
    "posts/{SCHEDULED}": "Post",
    "schedule": "Schedule",
    "performance": "Performance",
    "limits": "Limits",
    "keys": "Keys",
    "settings": "Settings",
    "nowhere": "There is no such page",
}
MOST_BYTES = 150_000
"""Of a page over the wire, compressed and without pictures and films, the first time that a browser comes."""

every_page = pytest.mark.parametrize("address", PAGES)


@pytest.fixture
def opened(page: Page, lived_in: LivedIn, address: str) -> Page:
    """The page of a workspace with a history, when it has loaded."""
    sign_in(page, lived_in.operator)
    page.goto(f"/#/{address.format(**lived_in.posts)}")
    settled(page, PAGES[address])
    return page


def overflow(page: Page) -> int:
    """Return how many pixels wider the page is than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@every_page
def test_axe_finds_nothing_in_any_look(opened: Page) -> None:
    assert violations(opened) == []


@every_page
def test_a_phone_shows_all_of_the_page_and_of_the_menu(opened: Page) -> None:
    opened.set_viewport_size(PHONE)
    assert overflow(opened) == 0
    menu = opened.get_by_role("navigation", name="Main")
    for link in menu.get_by_role("link").all():
        link.scroll_into_view_if_needed()
        expect(link).to_be_in_viewport()


def test_axe_finds_nothing_on_the_page_of_signing_in_in_any_look(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Admin key").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    assert violations(page) == []
    assert overflow(page) == 0


def test_axe_finds_nothing_in_an_open_dialog(page: Page, lived_in: LivedIn) -> None:
    sign_in(page, lived_in.operator)
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_nothing_where_the_service_does_not_answer(page: Page, lived_in: LivedIn) -> None:
    sign_in(page, lived_in.operator)
    page.route("**/v2/posts?*", lambda route: route.fulfill(status=429, json=REFUSAL))
    page.goto("/#/posts")
    expect(page.get_by_text("Too many requests.")).to_be_visible()
    assert violations(page) == []


def test_axe_finds_nothing_on_the_page_of_the_contract_in_any_look(page: Page) -> None:
    page.goto("/docs")
    expect(page.get_by_role("heading", level=2).first).to_be_visible()
    assert violations(page) == []
    assert overflow(page) == 0


def test_axe_finds_nothing_in_a_composer_with_all_open_and_something_wrong(page: Page, lived_in: LivedIn) -> None:
    sign_in(page, lived_in.operator)
    open_composer(page, lived_in.account["account_id"])
    choose_files(page, FILM)
    page.get_by_role("checkbox", name="Disclose commercial content").check()
    page.get_by_role("checkbox", name="Branded content").check()
    page.get_by_role("radio", name="At a time").check()
    page.get_by_text("More options").click()
    assert violations(page) == []
    assert overflow(page) == 0


REFUSAL = {
    "success": False,
    "error": "Too many requests.",
    "code": "RateLimitExceeded",
    "message": "Try again in a minute.",
    "requestId": "6a3f8a8e-7d0e-4f5e-9c43-1f3a3f2f9f10",
}


class Traffic:
    """Counts the bytes that come over the wire for a page, without pictures and films."""

    def __init__(self, page: Page) -> None:
        self._kinds: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        protocol = page.context.new_cdp_session(page)
        protocol.on("Network.responseReceived", self._received)
        protocol.on("Network.loadingFinished", self._finished)
        protocol.send("Network.enable")

    def _received(self, event: dict[str, Any]) -> None:
        self._kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = int(event["encodedDataLength"])

    @property
    def bytes(self) -> int:
        media = {request for request, kind in self._kinds.items() if kind in {"Image", "Media"}}
        return sum(size for request, size in self._sizes.items() if request not in media)


@pytest.fixture
def newcomer(page: Page, new_page: NewPage, lived_in: LivedIn) -> Page:
    """A browser with a session and an empty cache."""
    sign_in(page, lived_in.operator)
    return new_page(storage_state=page.context.storage_state())


@every_page
def test_a_page_takes_little_of_the_line(newcomer: Page, lived_in: LivedIn, address: str) -> None:
    traffic = Traffic(newcomer)
    newcomer.goto(f"/#/{address.format(**lived_in.posts)}")
    settled(newcomer, PAGES[address])
    assert 0 < traffic.bytes <= MOST_BYTES
