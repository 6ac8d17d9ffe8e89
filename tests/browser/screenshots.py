"""The README's pictures of the dashboard: run by `make screenshots`, which no test run does."""

from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import LivedIn, sign_in
from tests.browser.steps import PHONE, choose_files, go_to, open_composer, privacy, settled
from tests.conftest import FILM, ROOT, Film
from tests.e2e.client import a_video

FOLDER = ROOT / "docs" / "screenshots"
COLOURS = 192
MOST_BYTES = 150_000
OTHERS = {"nordlys.bakery": "Nordlys Bakery", "studio.lumen": "Studio Lumen"}
"""More accounts; TikTok has taken back the access to the last one."""

PLANS = {2: "Behind the scenes", 4: "The rabbit and the butterfly", 5: "Questions of the week", 9: "A walk in spring"}


@pytest.fixture(scope="session")
def office(lived_in: LivedIn, film: Film) -> LivedIn:
    """The workspace of the tests, with more accounts and more planned."""
    for username, nickname in OTHERS.items():
        lived_in.operator.sandbox("POST", "users", {"username": username, "nickname": nickname})
        account = lived_in.operator.connect(username)
    lived_in.operator.sandbox("POST", "actions", {"action": "revoke", "username": account["tiktok_username"]})
    lived_in.operator.get(f"/v2/accounts/{account['account_id']}/creator-info")  # it finds out
    noon = datetime.now(ZoneInfo("Europe/Berlin")).replace(hour=12, minute=30, second=0, microsecond=0)
    for days, text in PLANS.items():
        body = a_video(lived_in.account, film.url, text=text)
        answer = lived_in.operator.publish(body | {"scheduledTime": (noon + timedelta(days=days)).isoformat()})
        assert answer.status_code == 202, answer.text
    return lived_in


@pytest.fixture
def screen(page: Page, office: LivedIn) -> Page:
    return sign_in(page, office.operator)


def take(page: Page, name: str) -> None:
    """Keep what the window shows, in few colours, as it stands in the repository."""
    page.evaluate("document.activeElement.blur()")
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    shown = Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    file = BytesIO()
    shown.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    assert len(file.getvalue()) <= MOST_BYTES
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(file.getvalue())


def fill_composer(page: Page, office: LivedIn) -> None:
    open_composer(page, office.account["account_id"])
    choose_files(page, FILM)
    page.wait_for_function("() => document.querySelector('video')?.readyState === 4")
    page.get_by_label("Caption").fill("A rabbit wakes up, and the day is his #film #rabbit #spring")
    privacy(page).select_option("Everyone")
    page.get_by_role("checkbox", name="Allow Comment").check()
    page.get_by_role("checkbox", name="Disclose commercial content").check()
    page.get_by_role("checkbox", name="Your brand").check()
    page.evaluate("scrollTo(0, 0)")


def test_sign_in(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_label("Admin key")).to_be_focused()
    take(page, "sign-in")


def test_accounts(screen: Page) -> None:
    take(screen, "accounts")


def test_composer(screen: Page, office: LivedIn) -> None:
    fill_composer(screen, office)
    take(screen, "composer")


def test_composer_on_a_phone(screen: Page, office: LivedIn) -> None:
    screen.set_viewport_size(PHONE)
    fill_composer(screen, office)
    take(screen, "composer-phone")


def test_post(screen: Page, office: LivedIn) -> None:
    screen.goto(f"/#/posts/{office.posts['PUBLISH_COMPLETE']}")
    settled(screen, "Post")
    take(screen, "post")


def test_schedule(screen: Page) -> None:
    go_to(screen, "Schedule")
    screen.get_by_role("link", name="Month", exact=True).click()
    expect(screen.get_by_role("table")).to_be_visible()
    take(screen, "schedule")


def test_performance_in_the_dark(screen: Page) -> None:
    screen.emulate_media(color_scheme="dark")
    go_to(screen, "Performance")
    take(screen, "performance-dark")
