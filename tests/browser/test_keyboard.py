"""Everything is reached and worked with the keyboard alone."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import card, heading, new_creator, privacy, publish, settled
from tests.conftest import FILM
from tests.e2e.client import Client

MOST_STOPS = 60
"""More stops than any page has between its top and what a test looks for."""


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until something has the focus, which has to be seen."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            assert outlined(page)
            return
    raise AssertionError(f"Tab never comes to {wanted}")


def outlined(page: Page) -> bool:
    """Tell whether what has the focus shows it."""
    shows = "getComputedStyle(document.activeElement)"
    return bool(page.evaluate(f"{shows}.outlineStyle !== 'none' || {shows}.boxShadow !== 'none'"))


def test_a_post_is_published_from_signing_in_to_its_page_without_a_mouse(page: Page, operator: Client) -> None:
    operator.connect(new_creator(operator, "Mira Sanders"))
    page.goto("/")
    expect(page.get_by_label("Admin key")).to_be_focused()
    page.keyboard.type(operator.headers["boring-api-key"])
    page.keyboard.press("Enter")
    expect(heading(page, "Accounts")).to_be_visible()
    reach(page, card(page, "Mira Sanders").get_by_role("link", name="Test Upload"))
    page.keyboard.press("Enter")
    settled(page, "New post")
    expect(heading(page, "New post")).to_be_focused()
    # Expected before the way there: the browser needs a moment until it tells of choosers instead of showing them.
    with page.expect_file_chooser() as chooser:
        reach(page, page.get_by_label("Video or photos"))
        page.keyboard.press("Space")
    chooser.value.set_files(FILM)
    reach(page, page.get_by_label("Caption"))
    page.keyboard.press("Control+A")
    page.keyboard.type("By hand")
    reach(page, privacy(page))
    page.keyboard.press("ArrowDown")
    expect(privacy(page)).to_have_value("PUBLIC_TO_EVERYONE")
    comment = page.get_by_role("checkbox", name="Allow Comment")
    reach(page, comment)
    page.keyboard.press("Space")
    expect(comment).to_be_checked()
    reach(page, publish(page))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="It is published")).to_be_visible()
    reach(page, page.get_by_role("link", name="Open the post"))
    page.keyboard.press("Enter")
    expect(heading(page, "Post")).to_be_focused()
    expect(page.get_by_role("region", name="Content")).to_contain_text("By hand")


def test_the_menu_can_be_skipped(signed_in: Page) -> None:
    signed_in.reload()
    settled(signed_in, "Accounts")
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(signed_in.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    signed_in.keyboard.press("Enter")
    signed_in.keyboard.press("Tab")
    expect(signed_in.get_by_role("main").get_by_role("link", name="Connect TikTok")).to_be_focused()
    assert signed_in.url.endswith("#/accounts")


def test_a_dialog_keeps_the_focus_and_gives_it_back(page: Page, signed_in: Page, operator: Client) -> None:
    operator.connect(new_creator(operator, "Mira Sanders"))
    page.reload()
    button = card(page, "Mira Sanders").get_by_role("button", name="Disconnect")
    reach(page, button)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    for _ in range(5):
        page.keyboard.press("Tab")
        assert page.evaluate("!document.querySelector('main').contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()
