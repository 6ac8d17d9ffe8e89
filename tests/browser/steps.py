"""What a user of the dashboard does and looks at, by role and accessible name only."""

import re
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.client import Client

WIDE: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 360, "height": 740}


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


def compose(page: Page, operator: Client, nickname: str = "Mira Sanders", **settings: Any) -> str:
    """Open the composer for a new creator's account, when TikTok has told the options; return the account's id."""
    account = operator.connect(new_creator(operator, nickname, **settings))
    open_composer(page, account["account_id"])
    return str(account["account_id"])


def open_composer(page: Page, account_id: str) -> None:
    page.goto(f"/#/compose?account={account_id}")
    settled(page, "New post")


def choose_files(page: Page, *files: Path) -> None:
    """Choose files of this computer, and wait for their preview."""
    page.get_by_label("Video or photos").set_input_files(list(files))
    expect(preview(page)).to_be_visible()


def choose_addresses(page: Page, *urls: str) -> None:
    """Name files of the web."""
    page.get_by_role("radio", name="From the web").check()
    page.get_by_label("Addresses of the video or the photos").fill("\n".join(urls))
    page.get_by_label("Caption").focus()


def preview(page: Page) -> Locator:
    """Return the film, or the list of photos, that is shown before it is published."""
    return page.get_by_label("Preview of the video").or_(page.get_by_role("list", name="Photos in their order"))


def privacy(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Who can watch this")


def publish(page: Page) -> Locator:
    """Return the button that publishes, schedules or sends a draft."""
    return page.get_by_role("region", name="Publish").get_by_role("button")


SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


def violations(page: Page) -> list[str]:
    """Return what axe-core finds in light and dark, wide and on a phone, one line an element."""
    found = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for size in (WIDE, PHONE):
            page.set_viewport_size(size)
            for rule in Axe().run(page).response["violations"]:
                found += [f"{scheme}, {size['width']}: {rule['id']}: {node['html']}" for node in rule["nodes"]]
    page.set_viewport_size(WIDE)
    return found
