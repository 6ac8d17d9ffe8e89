"""A browser per file, a fresh profile per test, and a watch that lets no page misbehave unseen."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
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

from local.emulator import client_of
from local.key import make_key, open_keys
from local.state import running_address
from publisher.ports import Keys
from tests.browser.steps import WIDE
from tests.conftest import ROOT, Film, MediaServer
from tests.e2e.client import Client, a_video, photos
from tests.e2e.pictures import picture

BROWSER = ROOT / ".tools" / "browser"
"""Where the set-up wrote which Chromium to use."""

PATIENCE = 60_000
"""How long a page may take to show what is expected, in milliseconds: functions start cold, and posts take seconds."""

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

    def forgive(self, beginning: str) -> None:
        """Drop what a test has brought about itself; there has to be such a thing."""
        kept = [one for one in self.trouble if not one.startswith(beginning)]
        assert len(kept) < len(self.trouble), self.trouble
        self.trouble[:] = kept

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


# Of a file's tests and not of the whole run: while Playwright is started, no other test of the worker can run a loop.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="session")
def keys(ready: dict[str, Any], state: Path) -> Keys:
    """The stack's keys, as an operator makes them."""
    address = running_address(state)
    return open_keys(client_of(address.endpoint, "dynamodb"), address.keys_table)


@pytest.fixture
def operator(client: Client, keys: Keys) -> Client:
    """An operator with an admin key of a workspace that is empty."""
    key, _ = make_key(keys, "operator")
    return Client(client.api, key, client.tiktok)


def sign_in_link(operator: Client) -> str:
    """Make a link that signs in once."""
    answer = requests.post(operator.api + "/v2/session/links", headers=operator.headers, timeout=40)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["signInUrl"])


def sign_in(page: Page, operator: Client) -> Page:
    page.goto(sign_in_link(operator))
    expect(page.get_by_role("heading", name="Accounts", level=1)).to_be_visible()
    return page


@pytest.fixture
def signed_in(page: Page, operator: Client) -> Page:
    """A browser whose user is signed in to an empty workspace and looks at the accounts."""
    return sign_in(page, operator)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Tell with a failure what the page showed, as a screen reader would."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.when == "call" and report.failed and page is not None and not page.is_closed():
        report.sections.append(("page", f"{page.url}\n{page.locator('body').aria_snapshot()}"))
    return report


class LivedIn(NamedTuple):
    """A workspace with a history: its user, its account, and the ids of its posts by status."""

    operator: Client
    account: dict[str, Any]
    posts: dict[str, str]


@pytest.fixture(scope="session")
def lived_in(client: Client, keys: Keys, media_server: MediaServer, film: Film) -> LivedIn:
    """A workspace as it looks after some days: an account with videos, and a post in most states."""
    key, _ = make_key(keys, "Office")
    operator = Client(client.api, key, client.tiktok)
    operator.sandbox("POST", "users", {"username": "mira.sanders", "nickname": "Mira Sanders"})
    account = operator.connect("mira.sanders")
    operator.sandbox("POST", "videos", {"username": account["tiktok_username"], "count": 12, "days": 30})
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=17, minute=0, second=0, microsecond=0)
    later = {"scheduledTime": tomorrow.isoformat()}
    pictures = [media_server.put(f"walk-{number}.jpg", picture(540, 960, "JPEG")) for number in range(3)]
    bodies = {
        "PUBLISH_COMPLETE": a_video(account, film.url, text="A rabbit wakes up #film #rabbit #spring"),
        "carousel": photos(account, pictures, "A walk #walk #spring #photo", privacyLevel="PUBLIC_TO_EVERYONE"),
        "SEND_TO_USER_INBOX": a_video(account, film.url, text="", options={"privacyLevel": None, "draft": True}),
        "FAILED": a_video(account, f"{media_server.url}/cut", text="A film that breaks off"),
        "SCHEDULED": a_video(account, film.url, text="The rabbit comes back #film #rabbit #spring") | later,
        "CANCELLED": a_video(account, film.url, text="Never mind") | later,
    }
    posts = {status: operator.publish(body, Prefer="respond-async").json() for status, body in bodies.items()}
    ids = {status: str(answer["postSubmissionId"]) for status, answer in posts.items()}
    operator.change("DELETE", ids["CANCELLED"])
    shown = {status: operator.wait(post_id) for status, post_id in ids.items() if status != "SCHEDULED"}
    for status in ("PUBLISH_COMPLETE", "carousel"):
        operator.wait_for_address(ids[status])
    assert {status: post["status"] for status, post in shown.items() if status != "carousel"} == {
        status: status for status in shown if status != "carousel"
    }
    return LivedIn(operator, account, ids)
