"""The list of posts and one post: what became of it, and what can be done now."""

import time
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from local.emulator import client_of
from local.state import running_address
from publisher.aws.posts import DynamoPosts
from publisher.domain.errors import Busy
from publisher.wiring import SystemClock
from tests.browser.conftest import LivedIn, sign_in
from tests.browser.steps import go_to, heading, new_creator, settled, violations
from tests.conftest import FILM, Film, MediaServer
from tests.e2e.client import Client, a_video

AGE_SECONDS = 1801
"""After so long without a word from TikTok a post is unclear."""


@pytest.fixture
def account(operator: Client) -> dict[str, Any]:
    return operator.connect(new_creator(operator, "Mira Sanders"))


@pytest.fixture
def history(page: Page, lived_in: LivedIn) -> Page:
    """The list of a workspace with a post in most states."""
    sign_in(page, lived_in.operator)
    go_to(page, "Posts")
    return page


@pytest.fixture(scope="session")
def ledger(ready: dict[str, Any], state: Path) -> DynamoPosts:
    """The stack's own record of posts."""
    dynamodb = client_of(running_address(state).endpoint, "dynamodb")
    (table,) = [name for name in dynamodb.list_tables()["TableNames"] if "Posts" in name]
    return DynamoPosts(dynamodb, table, SystemClock())


@pytest.fixture
def unclear(operator: Client, account: dict[str, Any], film: Film, ledger: DynamoPosts) -> str:
    """A post of which TikTok has said nothing for half an hour."""
    operator.sandbox("PATCH", "settings", {"stick_publishes": True})
    post = operator.publish(a_video(account, film.url), Prefer="respond-async").json()
    grow_old(ledger, post["postSubmissionId"])
    operator.sandbox("PATCH", "settings", {"stick_publishes": False})
    assert operator.wait(post["postSubmissionId"])["status"] == "REVIEW"
    return str(post["postSubmissionId"])


def grow_old(ledger: DynamoPosts, post_id: str) -> None:
    """Have TikTok's silence begin half an hour earlier, as no test waits for that."""
    until = time.monotonic() + 60
    while True:
        post = ledger.get(post_id)
        assert post is not None
        assert time.monotonic() < until, post.status
        # Changed before, it would come between the step that sends the film and its record of that.
        if post.last_offered_at is not None and post.timeline[-1].step == "CheckStatus":
            try:
                ledger.save(post.model_copy(update={"last_offered_at": post.last_offered_at - AGE_SECONDS}))
            except Busy:
                continue  # its execution was faster
            return
        time.sleep(0.3)


def rows(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("article")


def open_post(page: Page, post_id: str) -> None:
    page.goto(f"/#/posts/{post_id}")
    settled(page, "Post")


def badge(page: Page, label: str) -> Locator:
    return page.get_by_role("main").get_by_text(label, exact=True).first


def test_without_a_post_the_list_says_what_to_do(signed_in: Page) -> None:
    go_to(signed_in, "Posts")
    expect(signed_in.get_by_role("heading", name="No post yet")).to_be_visible()
    expect(signed_in.get_by_role("main").get_by_role("link", name="New post")).to_be_visible()


def test_the_list_shows_every_post_with_its_state(history: Page, lived_in: LivedIn) -> None:
    expect(rows(history)).to_have_count(len(lived_in.posts))
    for label in ("Published", "In the inbox", "Failed", "Scheduled", "Cancelled"):
        expect(rows(history).get_by_text(label, exact=True).first).to_be_visible()


def test_the_list_is_filtered_by_state_and_the_filter_stands_in_the_address(history: Page) -> None:
    history.get_by_role("combobox", name="Status").select_option("Failed")
    expect(rows(history)).to_have_count(1)
    expect(rows(history).get_by_role("link")).to_have_text("A film that breaks off")
    history.reload()
    expect(rows(history)).to_have_count(1)
    history.get_by_role("combobox", name="Status").select_option("Needs you")
    expect(history.get_by_role("heading", name="No post like this")).to_be_visible()
    history.get_by_role("link", name="Clear filters").click()
    expect(rows(history)).not_to_have_count(1)


def test_a_post_shows_its_steps_and_what_tiktok_calls_it(history: Page, lived_in: LivedIn) -> None:
    post_id = lived_in.posts["PUBLISH_COMPLETE"]
    post = lived_in.operator.get(f"/v2/posts/{post_id}").json()
    history.get_by_role("link", name="A rabbit wakes up").click()
    expect(heading(history, "Post")).to_be_visible()
    steps = history.get_by_role("region", name="Timeline").get_by_role("listitem")
    expect(steps).to_have_count(len(post["timeline"]))
    ids = history.get_by_role("region", name="Ids")
    for text in (post_id, post["publish_id"], *post["postIds"]):
        expect(ids.get_by_text(text, exact=True)).to_be_visible()
    ids.get_by_role("button", name="Copy TikTok's publish id").click()
    expect(history.get_by_text(f"Copied: {post['publish_id']}")).to_be_visible()
    expect(history.get_by_role("region", name="Content").get_by_role("link")).to_have_attribute(
        "href", post["publicUrl"]
    )


def test_a_failed_post_says_why_and_goes_on_when_the_reason_is_gone(
    signed_in: Page, operator: Client, account: dict[str, Any], media_server: MediaServer
) -> None:
    url = f"{media_server.url}/late-{account['account_id']}.mp4"
    post_id = operator.publish(a_video(account, url), Prefer="respond-async").json()["postSubmissionId"]
    failed = operator.wait(post_id)
    open_post(signed_in, post_id)
    for text in (failed["error"], failed["message"]):
        expect(signed_in.get_by_role("main")).to_contain_text(text)
    media_server.put(url.rpartition("/")[2], FILM.read_bytes())
    signed_in.get_by_role("button", name="Try again").click()
    expect(badge(signed_in, "Published")).to_be_visible()
    assert len(operator.posts_of(account)) == 1


def test_the_text_and_the_time_of_a_scheduled_post_can_be_changed(
    signed_in: Page, operator: Client, account: dict[str, Any], film: Film
) -> None:
    body = a_video(account, film.url, text="First words") | {"scheduledTime": in_days(3)}
    post_id = operator.publish(body).json()["postSubmissionId"]
    open_post(signed_in, post_id)
    signed_in.get_by_role("button", name="Edit").click()
    dialog = signed_in.get_by_role("dialog", name="Edit the post")
    dialog.get_by_label("Caption").fill("Better words")
    dialog.get_by_label("Goes out at").fill(in_days(5)[:16])
    dialog.get_by_role("combobox", name="Time zone").select_option("UTC")
    dialog.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_role("region", name="Content")).to_contain_text("Better words")
    post = operator.get(f"/v2/posts/{post_id}").json()
    assert (post["text"], post["scheduledTime"][:16]) == ("Better words", in_days(5)[:16])


def test_a_change_that_is_refused_keeps_what_was_typed_and_says_why(
    signed_in: Page, operator: Client, account: dict[str, Any], film: Film
) -> None:
    post = operator.publish(a_video(account, film.url, text="Before") | {"scheduledTime": in_days(2)}).json()
    open_post(signed_in, post["postSubmissionId"])
    signed_in.get_by_role("button", name="Edit").click()
    dialog = signed_in.get_by_role("dialog")
    dialog.get_by_label("Caption").fill("After")
    dialog.get_by_label("Goes out at").fill("2020-01-01T12:00")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    expect(dialog.get_by_label("Caption")).to_have_value("After")
    dialog.get_by_label("Goes out at").fill(in_days(3)[:16])
    dialog.get_by_role("button", name="Save").click()
    expect(signed_in.get_by_text("After")).to_be_visible()


def in_days(days: int) -> str:
    return time.strftime("%Y-%m-%dT12:00:00Z", time.gmtime(time.time() + days * 86400))


def test_of_an_unclear_post_a_person_says_that_it_is_there(
    signed_in: Page, operator: Client, account: dict[str, Any], unclear: str
) -> None:
    open_post(signed_in, unclear)
    assert violations(signed_in) == []
    signed_in.get_by_role("button", name="It is there").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(badge(signed_in, "Needs you")).to_be_visible()
    signed_in.get_by_role("button", name="It is there").click()
    signed_in.get_by_role("dialog").get_by_role("button", name="Yes, it is there").click()
    expect(badge(signed_in, "Published")).to_be_visible()
    assert len(operator.opened_for(account)) == 1


def test_of_an_unclear_post_another_page_learns_what_was_said_already(
    signed_in: Page, operator: Client, account: dict[str, Any], unclear: str
) -> None:
    open_post(signed_in, unclear)
    expect(badge(signed_in, "Needs you")).to_be_visible()
    told = requests.post(
        f"{operator.api}/v2/posts/{unclear}/retry", json={"published": True}, headers=operator.headers, timeout=40
    )
    assert told.ok
    send_again(signed_in)
    expect(badge(signed_in, "Published")).to_be_visible()
    assert len(operator.opened_for(account)) == 1


def test_of_an_unclear_post_a_person_says_that_it_is_not_there_and_it_is_sent_again(
    signed_in: Page, operator: Client, account: dict[str, Any], unclear: str
) -> None:
    open_post(signed_in, unclear)
    send_again(signed_in)
    expect(signed_in.get_by_role("alert")).to_contain_text("TikTok is still working on the post, so it may yet appear.")
    (opened,) = operator.opened_for(account)
    operator.sandbox("PATCH", "settings", {"webhooks": "off"})
    operator.sandbox(
        "POST", "actions", {"action": "fail", "publish_id": opened["publish_id"], "fail_reason": "internal"}
    )
    operator.sandbox("PATCH", "settings", {"webhooks": "on"})
    send_again(signed_in)
    expect(badge(signed_in, "Published")).to_be_visible(timeout=60_000)
    assert len(operator.posts_of(account)) == 1


def send_again(page: Page) -> None:
    page.get_by_role("button", name="It is not there").click()
    page.get_by_role("dialog").get_by_role("button", name="It is not there, send it again").click()


def test_a_post_that_is_not_there_says_so(signed_in: Page) -> None:
    signed_in.goto("/#/posts/7c1b6a1e-0000-4000-8000-000000000000")
    expect(heading(signed_in, "Post")).to_be_visible()
    expect(signed_in.get_by_role("main")).to_contain_text("There is no such post")
