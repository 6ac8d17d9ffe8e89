"""The watch over the browser tests sees what a page must not do."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Watch


@pytest.fixture
def seen(page: Page, watch: Watch) -> Any:
    """What the watch noted, which is no failure here."""
    page.goto("/")
    yield watch.trouble
    watch.trouble.clear()


def test_an_error_on_the_console_is_seen(page: Page, seen: list[str]) -> None:
    with page.expect_console_message():
        page.evaluate("console.error('something is wrong')")
    assert seen == ["console error: something is wrong"]


def test_an_exception_that_nobody_catches_is_seen(page: Page, seen: list[str]) -> None:
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('lost') })")
    assert seen == ["uncaught: lost"]


def test_a_picture_of_another_host_is_seen(page: Page, seen: list[str]) -> None:
    page.context.route("https://example.com/**", lambda route: route.fulfill(status=204))
    with page.expect_request("https://example.com/picture.png"):
        page.evaluate("document.body.append(Object.assign(new Image(), {src: 'https://example.com/picture.png'}))")
    assert "request to another host: https://example.com/picture.png" in seen


def test_a_script_in_the_page_breaks_its_policy_and_is_seen(page: Page, seen: list[str]) -> None:
    with page.expect_console_message():
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in one for one in seen), seen
