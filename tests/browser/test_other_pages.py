"""The pages beside accounts and posts: schedule, performance, keys, limits and settings."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import LivedIn, sign_in
from tests.browser.steps import go_to, heading, new_creator, settled
from tests.e2e.client import Client

COLUMNS = ["Video Description", "Views", "Likes", "Comments", "Shares", "Duration", "Create Time"]


@pytest.fixture
def office(page: Page, lived_in: LivedIn) -> Page:
    """A workspace with a history."""
    return sign_in(page, lived_in.operator)


def figures(page: Page) -> Locator:
    return page.get_by_role("table", name="Videos and their figures")


def column(page: Page, name: str) -> list[str]:
    """Return the cells of a column, from the top."""
    heads = figures(page).get_by_role("columnheader").all_inner_texts()
    rows = figures(page).locator("tbody").get_by_role("row").all()
    return [row.get_by_role("cell").nth(heads.index(name)).inner_text() for row in rows]


@pytest.mark.parametrize("address", ["%E0", "__proto__", "constructor", "nothing"])
def test_an_address_that_leads_nowhere_says_so_under_the_menu(signed_in: Page, address: str) -> None:
    signed_in.goto(f"/#/{address}")
    expect(signed_in.get_by_role("navigation", name="Main")).to_be_visible()
    expect(heading(signed_in, "There is no such page")).to_be_visible()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GET /api/accounts lists them.", ""),
        (
            "Use the account_id of a connected TikTok account; GET /api/accounts lists them.",
            "Use the account_id of a connected TikTok account.",
        ),
        ("The creator has to connect it again (GET /oauth/tiktok/start).", "The creator has to connect it again."),
        ("Choose from SELF_ONLY, PUBLIC_TO_EVERYONE.", "Choose from “Only me”, “Everyone”."),
        ("Shorten the video. It has 3.5 minutes.", "Shorten the video. It has 3.5 minutes."),
    ],
)
def test_an_advice_is_for_a_person_and_not_for_a_program(signed_in: Page, said: str, shown: str) -> None:
    script = """async (said) => {
        const main = document.querySelector("script[type=module]").src;
        return (await import(main.replace("main.js", "parts.js"))).advice(said);
    }"""
    assert signed_in.evaluate(script, said) == shown


def test_a_month_that_there_is_not_is_the_present_one(signed_in: Page) -> None:
    signed_in.goto("/#/schedule?view=month&month=2026-13")
    settled(signed_in, "Schedule")
    expect(signed_in.get_by_role("main")).to_contain_text(f"{datetime.now(ZoneInfo('Europe/Berlin')):%B %Y}")


@pytest.mark.parametrize(("page_name", "title"), [("compose", "New post"), ("performance", "Performance")])
def test_an_account_that_is_not_there_is_not_replaced_by_another(
    signed_in: Page, operator: Client, page_name: str, title: str
) -> None:
    operator.connect(new_creator(operator, "Mira Sanders"))
    signed_in.goto(f"/#/{page_name}?account=00000000-0000-4000-8000-000000000000")
    settled(signed_in, title)
    expect(signed_in.get_by_text("The account of this address is not connected here")).to_be_visible()
    expect(signed_in.get_by_role("combobox").first).to_have_value("")
    expect(signed_in.get_by_text("Posting to Mira")).to_have_count(0)


def test_without_a_planned_post_the_schedule_says_what_to_do(signed_in: Page) -> None:
    go_to(signed_in, "Schedule")
    expect(signed_in.get_by_role("heading", name="Nothing is planned")).to_be_visible()


def test_the_schedule_is_a_list_of_days_and_a_month(office: Page, lived_in: LivedIn) -> None:
    post = lived_in.operator.get(f"/v2/posts/{lived_in.posts['SCHEDULED']}").json()
    due = datetime.fromisoformat(post["scheduledTime"]).astimezone(ZoneInfo("Europe/Berlin"))
    go_to(office, "Schedule")
    day = office.get_by_role("region", name=f"{due:%A}, {due.day} {due:%B %Y}")
    expect(day.get_by_role("listitem")).to_contain_text(f"{due:%H:%M}")
    office.get_by_role("link", name="Month", exact=True).click()
    if due.month != datetime.now(ZoneInfo("Europe/Berlin")).month:
        office.get_by_role("link", name="Next month").click()
    month = office.get_by_role("table", name=f"Posts in {due:%B %Y}")
    cell = month.get_by_role("cell").filter(has=office.get_by_role("link", name=re.compile(f"{due:%H:%M} The rabbit")))
    expect(cell).to_contain_text(str(due.day))
    cell.get_by_role("link").click()
    expect(heading(office, "Post")).to_be_visible()


def test_performance_lists_what_the_documentation_lists_and_sorts_by_each(office: Page) -> None:
    go_to(office, "Performance")
    heads = figures(office).get_by_role("columnheader")
    assert [name for name in heads.all_inner_texts() if name in COLUMNS] == COLUMNS
    assert len(column(office, "Views")) > 10
    for name in ("Views", "Likes"):
        office.get_by_role("button", name=name, exact=True).click()
        expect(heads.filter(has_text=name)).to_have_attribute("aria-sort", "descending")
        falling = [int(text.replace(",", "")) for text in column(office, name)]
        assert falling == sorted(falling, reverse=True)
        office.get_by_role("button", name=name, exact=True).click()
        expect(heads.filter(has_text=name)).to_have_attribute("aria-sort", "ascending")
        assert [int(text.replace(",", "")) for text in column(office, name)] == falling[::-1]


def a_day(number: int) -> dict[str, Any]:
    """Return a day of an account's history, which no test waits for."""
    counts = {"followerCount": 1180 + number, "followingCount": 3, "likesCount": 7 * number, "videoCount": number}
    day = f"2026-11-{number}"
    return {"date": day, "asOf": f"{day}T03:00:00Z", "collected": {"viewCount": 100 * number}, **counts}


def test_performance_over_time_is_drawn_and_can_be_read_as_a_table(office: Page) -> None:
    days = [a_day(number) for number in (21, 22, 23)]
    office.route("**/v2/accounts/*/history", lambda route: route.fulfill(json={"days": days}))
    go_to(office, "Performance")
    over_time = office.get_by_role("region", name="Over time")
    line = over_time.get_by_role("img", name="Followers: 1,201 on 2026-11-21, 1,203 on 2026-11-23")
    expect(line).to_be_visible()
    over_time.get_by_text("Followers as a table").click()
    numbers = over_time.get_by_role("region", name="Followers as a table").get_by_role("row")
    assert numbers.all_inner_texts() == [
        "Day\tFollowers",
        "2026-11-21\t1,201",
        "2026-11-22\t1,202",
        "2026-11-23\t1,203",
    ]


def test_the_history_is_saved_as_csv(office: Page, tmp_path: Path) -> None:
    go_to(office, "Performance")
    with office.expect_download() as saved:
        office.get_by_role("link", name="Download CSV").click()
    assert saved.value.suggested_filename.endswith(".csv")
    saved.value.save_as(tmp_path / "history.csv")
    assert "date" in (tmp_path / "history.csv").read_text().splitlines()[0].lower()


def test_a_key_is_made_shown_once_and_revoked(signed_in: Page, operator: Client) -> None:
    go_to(signed_in, "Keys")
    signed_in.get_by_label("Name").fill("A robot")
    signed_in.get_by_role("button", name="Make a key").click()
    shown = signed_in.get_by_role("region", name="The new key")
    text = shown.get_by_text(re.compile("^tkp_live_")).inner_text()
    shown.get_by_role("button", name="Copy key").click()
    expect(signed_in.get_by_text("Copied")).to_be_visible()
    assert signed_in.evaluate("navigator.clipboard.readText()") == text
    robot = Client(operator.api, text, operator.tiktok)
    assert robot.get("/v2/posts").status_code == 200
    signed_in.reload()
    expect(signed_in.get_by_role("row").filter(has_text="A robot")).to_be_visible()
    expect(signed_in.get_by_text(text)).to_have_count(0)
    signed_in.get_by_role("button", name="Revoke A robot").click()
    signed_in.get_by_role("dialog", name="Revoke A robot?").get_by_role("button", name="Revoke").click()
    expect(signed_in.get_by_role("row").filter(has_text="A robot")).to_contain_text("Revoked")
    assert robot.get("/v2/posts").status_code == 401


def test_limits_say_what_is_left_and_when_it_frees(office: Page, lived_in: LivedIn) -> None:
    quota = lived_in.operator.get(f"/v2/accounts/{lived_in.account['account_id']}/quota").json()
    publish = next(limit for limit in quota["limits"] if limit["name"] == "publish")
    go_to(office, "Limits")
    main = office.get_by_role("main")
    expect(main.get_by_text("Mira Sanders").first).to_be_visible()
    expect(main).to_contain_text(f"{publish['left']} of {publish['limit']}")
    assert publish["left"] < publish["limit"]


def test_settings_show_what_the_doctor_finds_with_what_to_do(office: Page) -> None:
    with office.expect_response("**/v2/doctor") as told:
        go_to(office, "Settings")
    findings: list[dict[str, Any]] = told.value.json()["findings"]
    assert findings
    setup = office.get_by_role("region", name="Set-up")
    expect(setup.get_by_role("listitem")).to_have_count(len(findings))
    for finding in findings:
        expect(setup).to_contain_text(finding["check"])


def test_the_defaults_of_an_account_are_kept(signed_in: Page, operator: Client) -> None:
    account = operator.connect(new_creator(operator, "Mira Sanders"))
    go_to(signed_in, "Settings")
    defaults = signed_in.get_by_role("region", name="Defaults")
    defaults.get_by_role("combobox", name="Who can watch").select_option("Friends")
    defaults.get_by_role("checkbox", name="Allow comments").check()
    defaults.get_by_role("button", name="Save defaults").click()
    expect(signed_in.get_by_text("saved", exact=False).first).to_be_visible()
    kept = operator.get(f"/v2/accounts/{account['account_id']}/defaults").json()["defaults"]
    assert (kept["privacyLevel"], kept["allowComment"], kept["allowDuet"]) == ("MUTUAL_FOLLOW_FRIENDS", True, False)
