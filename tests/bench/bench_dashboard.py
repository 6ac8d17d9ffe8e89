"""How soon a browser paints a page of the dashboard, on the local stack with warm functions and an empty cache.

The baseline is the same page's files from a plain file server, which needs no session and asks nothing.
"""

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

import requests
from playwright.sync_api import Browser, sync_playwright

from local.options import Options
from local.stack import Stack, running_stack
from tests.bench.report import Row

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "functions/dashboard/static"
BROWSER = ROOT / ".tools/browser"
PAGES = ("accounts", "compose", "posts", "schedule", "performance", "limits", "keys", "settings")
ROUNDS = 5
MOST_MS = 1000
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def run() -> list[Row]:
    """Open every page some times, each time in a new profile."""
    with (
        tempfile.TemporaryDirectory() as state,
        running_stack(Options(0, state=Path(state))) as stack,
        _browser() as browser,
        _files() as files,
    ):
        cookies = _session(stack)
        ours = {page: _paint(browser, f"{stack.api}/#/{page}", cookies) for page in PAGES}
        plain = _paint(browser, f"{files}/index.html", [])
    return [
        Row(f"dashboard, first paint of {page}", took, plain, "ms", f"under {MOST_MS} ms", took < MOST_MS)
        for page, took in ours.items()
    ]


def _session(stack: Stack) -> list[dict[str, str]]:
    answer = requests.post(f"{stack.api}/v2/session", json={"key": stack.api_key}, timeout=30)
    answer.raise_for_status()
    return [{"name": cookie.name, "value": cookie.value or "", "url": stack.api} for cookie in answer.cookies]


def _paint(browser: Browser, url: str, cookies: list[dict[str, str]]) -> float:
    """Return the median of the times to the first contentful paint in ms; a first round warms the functions up."""
    took = []
    for _ in range(ROUNDS + 1):
        context = browser.new_context()
        context.add_cookies(cookies)  # type: ignore[arg-type]  # a dict is what it takes
        page = context.new_page()
        page.goto(url)
        page.wait_for_function(f"{_PAINTED} > 0")
        took.append(float(page.evaluate(_PAINTED)))
        context.close()
    return median(took[1:])


@contextmanager
def _browser() -> Iterator[Browser]:
    path = shutil.which(BROWSER.read_text().strip())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, chromium_sandbox=os.getuid() != 0)
        yield browser
        browser.close()


@contextmanager
def _files() -> Iterator[str]:
    """Serve the dashboard's files as they are; their version is the folder that they are in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(STATIC, folder / "assets/plain")
        (folder / "index.html").write_text((STATIC / "index.html").read_text().replace("{version}", "plain"))
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""
