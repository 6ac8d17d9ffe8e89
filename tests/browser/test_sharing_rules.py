"""TikTok's content-sharing rules for the page that posts, one test a row of their table, named after the row."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.steps import choose_addresses, choose_files, compose, open_composer, preview, privacy, publish
from tests.conftest import FILM, Film, MediaServer
from tests.e2e.client import Client
from tests.e2e.pictures import picture

MUSIC = "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en"
BRANDED = "https://www.tiktok.com/legal/page/global/bc-policy/en"
INDICATE = "You need to indicate if your content promotes yourself, a third party, or both."
NOT_PRIVATE = "Branded content visibility cannot be set to private."
TOGGLES = ("Allow Comment", "Allow Duet", "Allow Stitch")


@pytest.fixture
def composer(signed_in: Page, operator: Client) -> Page:
    """The composer of a public creator who allows everything, with a film chosen."""
    compose(signed_in, operator)
    choose_files(signed_in, FILM)
    return signed_in


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "beach.jpg"
    file.write_bytes(picture(540, 960, "JPEG"))
    return file


def checkbox(page: Page, name: str) -> Locator:
    return page.get_by_role("checkbox", name=name, exact=True)


def disclose(page: Page, *boxes: str) -> None:
    checkbox(page, "Disclose commercial content").check()
    for box in boxes:
        checkbox(page, box).check()


def consent_line(page: Page) -> Locator:
    return page.get_by_text("By posting, you agree to")


def expect_consent(page: Page, words: str, **links: str) -> None:
    """Expect the line and its links above the button."""
    line = consent_line(page)
    expect(line).to_have_text(words)
    assert {link.inner_text(): link.get_attribute("href") for link in line.get_by_role("link").all()} == links
    above, below = line.bounding_box(), publish(page).bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]


def questions(operator: Client, account_id: str) -> int:
    """Count how often TikTok was asked for the options of a creator."""
    accounts = operator.get("/api/accounts").json()["accounts"]
    (open_id,) = [one["tiktok_open_id"] for one in accounts if one["account_id"] == account_id]
    calls = operator.sandbox("GET", "log")["calls"]
    return sum((call["endpoint"], call.get("open_id")) == ("creator_info", open_id) for call in calls)


def test_1a_the_page_asks_tiktok_anew_and_shows_who_receives_the_post(signed_in: Page, operator: Client) -> None:
    account_id = compose(signed_in, operator, "Mira Sanders")
    expect(signed_in.get_by_text("Posting to Mira Sanders")).to_be_visible()
    asked = questions(operator, account_id)
    signed_in.reload()
    open_composer(signed_in, account_id)
    assert questions(operator, account_id) == asked + 1


def test_1b_a_creator_who_cannot_post_now_is_told_to_try_later(signed_in: Page, operator: Client) -> None:
    compose(signed_in, operator, banned=True)
    choose_files(signed_in, FILM)
    expect(signed_in.get_by_text("try again later")).to_be_visible()
    expect(publish(signed_in)).to_be_disabled()


def test_1c_a_video_that_is_too_long_for_the_creator_is_not_sent(signed_in: Page, operator: Client) -> None:
    compose(signed_in, operator, max_video_post_duration_sec=3)
    choose_files(signed_in, FILM)
    privacy(signed_in).select_option("Everyone")
    expect(signed_in.get_by_text("The video is 5 seconds long; this creator may post 3 seconds.")).to_be_visible()
    expect(publish(signed_in)).to_be_disabled()


def test_2a_the_text_can_be_edited(composer: Page) -> None:
    composer.get_by_label("Caption").fill("My own words")
    expect(composer.get_by_label("Caption")).to_have_value("My own words")


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        ({}, ["Everyone", "Friends", "Only me"]),
        ({"is_private": True}, ["Followers", "Friends", "Only me"]),
    ],
    ids=["public", "private"],
)
def test_2b_the_privacy_is_one_of_the_live_options_and_chosen_by_hand(
    signed_in: Page, operator: Client, settings: dict[str, Any], labels: list[str]
) -> None:
    compose(signed_in, operator, **settings)
    choose_files(signed_in, FILM)
    offered = privacy(signed_in).get_by_role("option")
    expect(privacy(signed_in)).to_have_value("")
    assert sorted(offered.all_inner_texts()[1:]) == sorted(labels)
    expect(publish(signed_in)).to_be_disabled()
    expect(publish(signed_in)).to_have_accessible_description(re.compile("Choose who can watch this"))
    privacy(signed_in).select_option("Only me")
    expect(publish(signed_in)).to_be_enabled()


def test_2c_nothing_is_allowed_until_it_is_ticked(composer: Page) -> None:
    for name in TOGGLES:
        expect(checkbox(composer, name)).to_be_enabled()
        expect(checkbox(composer, name)).not_to_be_checked()


@pytest.mark.parametrize(("name", "setting"), [*zip(TOGGLES, ("comment", "duet", "stitch"), strict=True)])
def test_2c_what_the_creator_has_switched_off_is_grey_and_says_why(
    signed_in: Page, operator: Client, name: str, setting: str
) -> None:
    settings: dict[str, Any] = {f"{setting}_disabled": True}
    compose(signed_in, operator, **settings)
    for toggle in TOGGLES:
        expect(checkbox(signed_in, toggle)).to_be_enabled(enabled=toggle != name)
    expect(checkbox(signed_in, name)).to_have_accessible_description(re.compile("switched this off"))


def test_2c_photos_have_only_the_comments(signed_in: Page, operator: Client, photo: Path) -> None:
    compose(signed_in, operator)
    choose_files(signed_in, photo)
    expect(checkbox(signed_in, "Allow Comment")).to_be_visible()
    expect(checkbox(signed_in, "Allow Duet")).to_be_hidden()
    expect(checkbox(signed_in, "Allow Stitch")).to_be_hidden()


def test_2d_the_music_confirmation_stands_before_the_button(composer: Page) -> None:
    expect_consent(
        composer,
        "By posting, you agree to TikTok's Music Usage Confirmation",
        **{"Music Usage Confirmation": MUSIC},
    )


def test_3a_the_disclosure_is_off_and_opens_two_boxes(composer: Page) -> None:
    expect(checkbox(composer, "Disclose commercial content")).not_to_be_checked()
    expect(checkbox(composer, "Your brand")).to_be_hidden()
    disclose(composer)
    for name in ("Your brand", "Branded content"):
        expect(checkbox(composer, name)).to_be_visible()
        expect(checkbox(composer, name)).not_to_be_checked()
        checkbox(composer, name).check()
    expect(checkbox(composer, "Your brand")).to_be_checked()


def test_3b_a_disclosure_of_nothing_cannot_be_published_and_hovering_says_why(composer: Page) -> None:
    privacy(composer).select_option("Everyone")
    expect(publish(composer)).to_be_enabled()
    disclose(composer)
    expect(publish(composer)).to_be_disabled()
    expect(composer.get_by_title(INDICATE, exact=True).get_by_role("button", name="Publish")).to_be_visible()
    checkbox(composer, "Your brand").check()
    expect(publish(composer)).to_be_enabled()


def test_3c_your_brand_is_promotional_content(composer: Page) -> None:
    disclose(composer, "Your brand")
    expect(composer.get_by_text("Your photo/video will be labeled as 'Promotional content'")).to_be_visible()


@pytest.mark.parametrize("boxes", [("Branded content",), ("Your brand", "Branded content")], ids=["branded", "both"])
def test_3d_branded_content_is_a_paid_partnership(composer: Page, boxes: tuple[str, ...]) -> None:
    disclose(composer, *boxes)
    expect(composer.get_by_text("Your photo/video will be labeled as 'Paid partnership'")).to_be_visible()
    expect(composer.get_by_text("Promotional content")).to_have_count(0)


def test_3e_with_branded_content_chosen_only_me_cannot_be_and_says_why(composer: Page) -> None:
    disclose(composer, "Branded content")
    only_me = privacy(composer).get_by_role("option", name="Only me")
    expect(only_me).to_be_disabled()
    expect(only_me).to_have_attribute("title", NOT_PRIVATE)
    checkbox(composer, "Branded content").uncheck()
    expect(only_me).to_be_enabled()


def test_3e_branded_content_that_was_chosen_before_is_not_there_beside_only_me(composer: Page) -> None:
    disclose(composer, "Branded content")
    checkbox(composer, "Disclose commercial content").uncheck()
    privacy(composer).select_option("Only me")
    checkbox(composer, "Disclose commercial content").check()
    expect(checkbox(composer, "Branded content")).not_to_be_checked()
    expect(checkbox(composer, "Branded content")).to_be_disabled()
    expect(composer.get_by_text("will be labeled as")).to_be_hidden()
    expect(publish(composer)).to_be_disabled()


def test_3e_with_only_me_chosen_branded_content_cannot_be_and_says_why(composer: Page) -> None:
    privacy(composer).select_option("Only me")
    disclose(composer)
    branded = checkbox(composer, "Branded content")
    expect(branded).to_be_disabled()
    expect(composer.get_by_text(NOT_PRIVATE).first).to_be_visible()
    expect(branded).to_have_accessible_description(re.compile(re.escape(NOT_PRIVATE)))
    privacy(composer).select_option("Friends")
    expect(branded).to_be_enabled()


def test_4a_your_brand_alone_takes_the_music_confirmation(composer: Page) -> None:
    disclose(composer, "Your brand")
    expect_consent(
        composer,
        "By posting, you agree to TikTok's Music Usage Confirmation",
        **{"Music Usage Confirmation": MUSIC},
    )


@pytest.mark.parametrize("boxes", [("Branded content",), ("Your brand", "Branded content")], ids=["branded", "both"])
def test_4b_branded_content_takes_the_policy_and_the_music_confirmation(composer: Page, boxes: tuple[str, ...]) -> None:
    disclose(composer, *boxes)
    expect_consent(
        composer,
        "By posting, you agree to TikTok's Branded Content Policy and Music Usage Confirmation.",
        **{"Branded Content Policy": BRANDED, "Music Usage Confirmation": MUSIC},
    )


def test_5a_a_film_of_this_computer_and_of_the_web_is_shown_before_it_is_sent(composer: Page, film: Film) -> None:
    plays = "film => film.readyState > 0 && film.duration > 5"
    composer.wait_for_function("() => document.querySelector('video')?.readyState > 0")
    assert preview(composer).evaluate(plays)
    choose_addresses(composer, film.url)
    expect(preview(composer)).to_have_attribute("src", film.url)
    composer.wait_for_function("() => document.querySelector('video')?.readyState > 0")
    assert preview(composer).evaluate(plays)


def test_5a_photos_are_shown_before_they_are_sent(
    signed_in: Page, operator: Client, photo: Path, media_server: MediaServer
) -> None:
    compose(signed_in, operator)
    choose_files(signed_in, photo)
    drawn = "img => img.decode().then(() => img.naturalWidth)"
    assert signed_in.get_by_role("img", name="Photo 1").evaluate(drawn) == 540
    choose_addresses(signed_in, media_server.put("hill.jpg", picture(400, 600, "JPEG")))
    assert signed_in.get_by_role("img", name="Photo 1").evaluate(drawn) == 400


def test_5b_nothing_is_added_to_the_text(composer: Page, operator: Client) -> None:
    expect(composer.get_by_label("Caption")).to_have_value("")
    composer.get_by_label("Caption").fill("Exactly this")
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    expect(composer.get_by_role("heading", name="It is published")).to_be_visible()
    (post,) = operator.get("/v2/posts").json()["posts"]
    assert operator.upload_of(post["publish_id"])["post_info"]["title"] == "Exactly this"


def test_5c_nothing_leaves_the_browser_before_the_button_is_pressed(composer: Page, operator: Client) -> None:
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(request.url)

    composer.on("request", note)
    composer.get_by_label("Caption").fill("Not yet")
    privacy(composer).select_option("Everyone")
    disclose(composer, "Your brand")
    expect(publish(composer)).to_be_enabled()
    assert [url for url in sent if not url.startswith("blob:")] == []
    assert operator.get("/v2/posts").json()["posts"] == []


def test_5d_it_is_told_that_processing_takes_a_few_minutes(composer: Page) -> None:
    expect(composer.get_by_text("may take a few minutes to process before the post is visible")).to_be_visible()


def test_5e_the_user_sees_each_state_until_the_end(composer: Page) -> None:
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    post = composer.get_by_role("region", name="The post")
    expect(post.get_by_role("heading", name="On its way")).to_be_visible()
    expect(post.get_by_role("heading", name="It is published")).to_be_visible()
    expect(post.get_by_role("listitem").filter(has_text="Media sent to TikTok")).to_be_visible()


def test_6_of_a_draft_it_is_told_to_finish_it_from_tiktoks_inbox(composer: Page) -> None:
    checkbox(composer, "Send as a draft").check()
    expect(composer.get_by_text("open the notification there to edit and publish it")).to_be_visible()
    composer.get_by_role("button", name="Send draft").click()
    post = composer.get_by_role("region", name="The post")
    expect(post.get_by_role("heading", name="The draft is in the inbox")).to_be_visible()
    expect(post.get_by_text("Open the notification in TikTok's inbox to edit and publish it.")).to_be_visible()
