"""A browser per worker, a fresh profile per test, and a watch that lets no page misbehave unseen."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.conftest import ROOT, MediaServer

BROWSER = ROOT / ".tools" / "browser"
"""Where the set-up wrote which Chromium to use."""

PATIENCE = 20_000
"""How long a page may take to show what is expected, in milliseconds: functions start cold, and posts take seconds."""

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

REFUSED = "Failed to load resource: the server responded with a status of"
"""How Chromium's console begins to tell of an answer that is an error; the watch judges answers by themselves."""


@dataclass
class Watch:
    """Notes whatever a page must not do: errors, broken files, and requests to hosts that are not the stack's."""

    allowed: frozenset[str]
    trouble: list[str] = field(default_factory=list)

    def look_at(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda failure: self.trouble.append(f"uncaught: {failure.error}"))
        context.on("request", self._request)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # A breach of the content security policy is such an error too.
        if message.type in {"error", "warning"} and not message.text.startswith(REFUSED):
            self.trouble.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        if request.url.startswith(("blob:", "data:")):
            return
        if origin(request.url) not in self.allowed:
            self.trouble.append(f"request to another host: {request.url}")

    def _response(self, response: Response) -> None:
        asked_by_code = response.request.resource_type in {"fetch", "xhr"}
        if response.status >= (500 if asked_by_code else 400):
            self.trouble.append(f"answer {response.status}: {response.request.method} {response.url}")


def origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    assert BROWSER.is_file(), "run `local/setup tests`, which finds or installs a Chromium"
    path = shutil.which(BROWSER.read_text().strip())
    # Chromium refuses to put root into a sandbox; whoever else runs the tests keeps it.
    chromium = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.getuid() != 0)
    expect.set_options(timeout=PATIENCE)
    yield chromium
    chromium.close()


@pytest.fixture
def watch(ready: dict[str, Any], media_server: MediaServer) -> Iterator[Watch]:
    """What the test's pages did that they must not; empty at the end, or the test fails."""
    watched = Watch(frozenset(origin(url) for url in (ready["api"], ready["s3"], ready["tiktok"], media_server.url)))
    yield watched
    assert watched.trouble == []


type NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser, ready: dict[str, Any], watch: Watch) -> Iterator[NewPage]:
    """Opens a page in a profile of its own; arguments are those of Playwright's `new_context`."""
    contexts: list[BrowserContext] = []

    def opened(**options: Any) -> Page:
        chosen = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Europe/Berlin", "reduced_motion": "reduce"}
        context = browser.new_context(base_url=ready["api"], **(chosen | options))
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ready["api"])
        watch.look_at(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A browser that was never here: no session, no history."""
    return new_page()


@pytest.fixture
def sign_in_link(ready: dict[str, Any]) -> Callable[[], str]:
    """Makes a link that signs in once."""

    def made() -> str:
        answer = requests.post(
            ready["api"] + "/v2/session/links", headers={"boring-api-key": ready["apiKey"]}, timeout=40
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["signInUrl"])

    return made


@pytest.fixture
def signed_in(page: Page, sign_in_link: Callable[[], str]) -> Page:
    """A browser whose user is signed in and looks at the accounts."""
    return sign_in(page, sign_in_link())


def sign_in(page: Page, link: str) -> Page:
    page.goto(link)
    expect(page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    return page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Tell with a failure what the page showed, as a screen reader would."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page is not None and not page.is_closed():
        report.sections.append(("page", f"{page.url}\n{page.locator('body').aria_snapshot()}"))
    return report
