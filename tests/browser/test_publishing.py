"""What a user publishes from the browser, and what TikTok gets: files, addresses, carousels, drafts, at a time."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Request, Route, expect

from tests.browser.conftest import Watch
from tests.browser.steps import (
    choose_addresses,
    choose_files,
    compose,
    go_to,
    heading,
    new_creator,
    open_composer,
    privacy,
    publish,
    settled,
    violations,
)
from tests.conftest import FILM, Film, MediaServer
from tests.e2e.client import Client
from tests.e2e.pictures import picture

PARTS = "**/uploads/**partNumber=*"
"""The addresses in S3 that parts of files are sent to."""


@pytest.fixture
def composer(signed_in: Page, operator: Client) -> Page:
    """The composer of a creator who allows everything."""
    compose(signed_in, operator)
    return signed_in


@pytest.fixture
def album(tmp_path: Path) -> list[Path]:
    """Three photos that can be told apart."""
    files = []
    for number, (width, height) in enumerate([(300, 400), (400, 300), (300, 300)]):
        files.append(tmp_path / f"photo-{number}.jpg")
        files[-1].write_bytes(picture(width, height, "JPEG"))
    return files


@pytest.fixture
def big(large_film: Film) -> Path:
    """A film of several parts."""
    return large_film.path


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.mp4", b"", "empty.mp4 is empty."),
        ("notes.txt", b"hello", "notes.txt is neither a video nor a photo."),
        ("photo.heic", b"heic", "photo.heic is a HEIC photo"),
    ],
)
def test_a_file_that_cannot_be_posted_is_named_before_anything_is_sent(
    composer: Page, tmp_path: Path, name: str, data: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(data)
    composer.get_by_label("Video or photos").set_input_files(tmp_path / name)
    privacy(composer).select_option("Everyone")
    expect(publish(composer)).to_be_disabled()
    expect(publish(composer)).to_have_accessible_description(re.compile(re.escape(says)))


@pytest.mark.parametrize(("year", "says"), [(2020, "The time is over."), (2090, "is kept for 30 days")])
def test_a_time_that_a_file_of_this_computer_cannot_have_is_named_before_anything_is_sent(
    composer: Page, year: int, says: str
) -> None:
    choose_files(composer, FILM)
    privacy(composer).select_option("Everyone")
    composer.get_by_role("radio", name="At a time").check()
    composer.get_by_label("Date and time").fill(f"{year}-01-01T12:00")
    expect(publish(composer)).to_be_disabled()
    expect(publish(composer)).to_have_accessible_description(re.compile(says))


def test_a_choice_that_the_creator_has_no_more_is_told_in_words_and_offered_no_more(
    signed_in: Page, operator: Client
) -> None:
    username = new_creator(operator, "Mira Sanders")
    open_composer(signed_in, operator.connect(username)["account_id"])
    choose_files(signed_in, FILM)
    privacy(signed_in).select_option("Everyone")
    signed_in.get_by_role("checkbox", name="Allow Comment").check()
    operator.sandbox("PATCH", f"users/{username}", {"is_private": True})
    publish(signed_in).click()
    expect(signed_in.get_by_role("alert").get_by_text("“Everyone”").first).to_be_visible()
    expect(privacy(signed_in).get_by_role("option", name="Everyone")).to_have_count(0)
    expect(privacy(signed_in).get_by_role("option", name="Followers")).to_have_count(1)
    expect(signed_in.get_by_role("checkbox", name="Allow Comment")).to_be_checked()
    expect(publish(signed_in)).to_be_disabled()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def outcome(page: Page, words: str) -> None:
    """Wait until the post has come to its end."""
    post = page.get_by_role("region", name="The post")
    expect(post.get_by_role("heading", name=words)).to_be_visible(timeout=60_000)


def only_post(operator: Client) -> dict[str, Any]:
    """Return the one post there is, with what it went through."""
    (post,) = operator.get("/v2/posts").json()["posts"]
    shown: dict[str, Any] = operator.get(f"/v2/posts/{post['postSubmissionId']}").json()
    return shown


def at_tiktok(operator: Client) -> dict[str, Any]:
    return operator.upload_of(only_post(operator)["publish_id"])


class Sent:
    """The parts that the browser has sent to S3, by number."""

    def __init__(self, page: Page) -> None:
        self.numbers: list[int] = []
        page.on("requestfinished", self._note)

    def _note(self, request: Request) -> None:
        number = re.search(r"partNumber=(\d+)", request.url)
        if request.method == "PUT" and number:
            self.numbers.append(int(number[1]))


@contextmanager
def stuck(page: Page, *, after: int) -> Iterator[None]:
    """Let some parts of a file through; those after them are on their way until the block ends."""
    held: list[Route] = []
    passed: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT" and len(passed) >= after:
            held.append(route)
        else:
            passed.append(route)
            route.continue_()

    page.route(PARTS, hold)
    yield
    for route in held:
        with suppress(Error):  # the browser has given it up by now
            route.abort()
    page.unroute(PARTS)


def test_a_film_of_this_computer_is_published_byte_for_byte_as_it_was_chosen(composer: Page, operator: Client) -> None:
    choose_files(composer, FILM)
    composer.get_by_label("Caption").fill("A rabbit wakes up #film #rabbit #spring")
    privacy(composer).select_option("Everyone")
    composer.get_by_role("checkbox", name="Allow Comment").check()
    composer.get_by_role("checkbox", name="Disclose commercial content").check()
    composer.get_by_role("checkbox", name="Your brand").check()
    publish(composer).click()
    outcome(composer, "It is published")
    got = at_tiktok(operator)
    assert got["sha256"] == sha256(FILM)
    told = got["post_info"]
    assert told["title"] == "A rabbit wakes up #film #rabbit #spring"
    assert told["privacy_level"] == "PUBLIC_TO_EVERYONE"
    assert (told["disable_comment"], told["disable_duet"], told["disable_stitch"]) == (False, True, True)
    assert (told["brand_organic_toggle"], told["brand_content_toggle"]) == (True, False)
    link = composer.get_by_role("link", name="See it on TikTok")
    # A post that ends before TikTok has shown it to everybody gets its address from the sweep, which runs each minute.
    expect(link).to_have_attribute("href", re.compile(r"^https://www\.tiktok\.com/@"), timeout=130_000)
    assert violations(composer) == []


def test_an_upload_shows_how_far_it_is_and_goes_on_where_it_was_stopped(
    composer: Page, operator: Client, big: Path
) -> None:
    sent = Sent(composer)
    choose_files(composer, big)
    privacy(composer).select_option("Everyone")
    with stuck(composer, after=1):
        with composer.expect_event("requestfinished", lambda request: request.method == "PUT"):
            publish(composer).click()
        bar = composer.get_by_role("progressbar", name="Uploaded")
        expect(bar).to_have_js_property("max", big.stat().st_size)
        assert bar.evaluate("bar => bar.value") > 0
        assert violations(composer) == []
        composer.get_by_role("button", name="Stop the upload").click()
        expect(composer.get_by_role("alert")).to_contain_text("The upload was stopped.")
    publish(composer).click()
    outcome(composer, "It is published")
    assert sorted(sent.numbers) == list(range(1, len(sent.numbers) + 1))
    assert at_tiktok(operator)["sha256"] == sha256(big)


def test_an_upload_goes_on_after_a_reload_with_what_is_missing(composer: Page, operator: Client, big: Path) -> None:
    sent = Sent(composer)
    choose_files(composer, big)
    privacy(composer).select_option("Everyone")
    with stuck(composer, after=1):
        with composer.expect_event("requestfinished", lambda request: request.method == "PUT"):
            publish(composer).click()
        composer.reload()
    settled(composer, "New post")
    choose_files(composer, big)
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It is published")
    assert sorted(sent.numbers) == list(range(1, len(sent.numbers) + 1))
    assert at_tiktok(operator)["sha256"] == sha256(big)


def test_a_part_that_the_connection_loses_is_sent_again_by_itself(
    composer: Page, operator: Client, watch: Watch
) -> None:
    composer.route(PARTS, lambda route: route.abort("connectionreset"), times=1)
    choose_files(composer, FILM)
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It is published")
    assert at_tiktok(operator)["sha256"] == sha256(FILM)
    watch.forgive("console error: Failed to load resource: net::ERR_CONNECTION_RESET")


def test_publishing_again_after_a_lost_answer_makes_no_second_post(
    composer: Page, operator: Client, film: Film, watch: Watch
) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    composer.route("**/v2/posts", lose, times=1)
    choose_addresses(composer, film.url)
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    expect(composer.get_by_role("alert")).to_contain_text("The service did not answer.")
    expect(composer.get_by_role("alert")).to_contain_text("the same post is never made twice")
    watch.forgive("console error: Failed to load resource: net::ERR_CONNECTION_RESET")
    publish(composer).click()
    outcome(composer, "It is published")
    assert only_post(operator)["status"] == "PUBLISH_COMPLETE"


def test_a_film_of_the_web_is_published(composer: Page, operator: Client, film: Film) -> None:
    choose_addresses(composer, film.url)
    privacy(composer).select_option("Only me")
    publish(composer).click()
    outcome(composer, "It is published")
    assert at_tiktok(operator)["sha256"] == sha256(film.path)
    assert at_tiktok(operator)["post_info"]["privacy_level"] == "SELF_ONLY"


def test_photos_of_this_computer_become_a_carousel_in_the_order_they_were_put(
    composer: Page, operator: Client, album: list[Path]
) -> None:
    choose_files(composer, *album)
    composer.get_by_role("button", name="Later: photo 1").click()
    composer.get_by_label("Title").fill("Three shapes")
    composer.get_by_label("Caption").fill("A walk")
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It is published")
    got = at_tiktok(operator)
    assert [(one["width"], one["height"]) for one in got["pictures"]] == [(400, 300), (300, 400), (300, 300)]
    assert (got["post_info"]["title"], got["post_info"]["description"]) == ("Three shapes", "A walk")


def test_photos_of_the_web_become_a_carousel(composer: Page, operator: Client, media_server: MediaServer) -> None:
    urls = [media_server.put(f"web-{side}.jpg", picture(side, side, "JPEG")) for side in (320, 400)]
    choose_addresses(composer, *urls)
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It is published")
    assert [one["width"] for one in at_tiktok(operator)["pictures"]] == [320, 400]


def test_a_draft_needs_no_choice_and_ends_in_the_inbox(composer: Page, operator: Client) -> None:
    choose_files(composer, FILM)
    composer.get_by_role("checkbox", name="Send as a draft").check()
    expect(privacy(composer)).to_be_hidden()
    publish(composer).click()
    outcome(composer, "The draft is in the inbox")
    assert only_post(operator)["status"] == "SEND_TO_USER_INBOX"
    assert at_tiktok(operator)["sha256"] == sha256(FILM)


def test_a_post_waits_for_its_time_in_the_zone_that_was_chosen_and_can_be_cancelled(
    composer: Page, operator: Client, film: Film
) -> None:
    choose_addresses(composer, film.url)
    composer.get_by_label("Caption").fill("In Tokyo")
    privacy(composer).select_option("Everyone")
    composer.get_by_role("radio", name="At a time").check()
    expect(publish(composer)).to_be_disabled()
    year = datetime.now().astimezone().year + 1
    composer.get_by_label("Date and time").fill(f"{year}-01-02T09:30")
    composer.get_by_role("combobox", name="Time zone").select_option("Asia/Tokyo")
    composer.get_by_role("button", name="Schedule").click()
    outcome(composer, "It is scheduled")
    scheduled = datetime.fromisoformat(only_post(operator)["scheduledTime"])
    assert scheduled == datetime.fromisoformat(f"{year}-01-02T09:30+09:00")
    go_to(composer, "Schedule")
    composer.get_by_role("link", name="In Tokyo").click()
    expect(heading(composer, "Post")).to_be_visible()
    composer.get_by_role("button", name="Cancel post").click()
    composer.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    expect(composer.get_by_text("Scheduled", exact=True)).to_be_visible()
    composer.get_by_role("button", name="Cancel post").click()
    composer.get_by_role("dialog").get_by_role("button", name="Cancel post").click()
    expect(composer.get_by_text("Cancelled", exact=True).first).to_be_visible()
    assert only_post(operator)["status"] == "CANCELLED"


def test_what_fails_says_why_and_what_to_do(composer: Page, operator: Client, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(FILM.read_bytes()[:1000])
    composer.get_by_label("Video or photos").set_input_files(broken)
    expect(composer.get_by_text("Your browser cannot show this video.")).to_be_visible()
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It was not published")
    post = only_post(operator)
    region = composer.get_by_role("region", name="The post")
    expect(region).to_contain_text(post["error"])
    expect(region).to_contain_text(post["message"])


def test_what_the_service_refuses_is_told_beside_the_form_and_can_be_corrected(
    composer: Page, operator: Client, film: Film
) -> None:
    choose_addresses(composer, "film.mp4")
    composer.get_by_label("Caption").fill("Second try")
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    expect(composer.get_by_role("alert")).not_to_be_empty()
    expect(publish(composer)).to_be_focused()
    composer.get_by_label("Addresses of the video or the photos").fill(film.url)
    publish(composer).click()
    outcome(composer, "It is published")
    assert only_post(operator)["text"] == "Second try"


def test_what_was_wrong_is_no_longer_said_once_it_is_corrected(composer: Page, film: Film) -> None:
    choose_addresses(composer, film.url)
    privacy(composer).select_option("Everyone")
    composer.get_by_label("At a time").check()
    composer.get_by_label("Date and time").fill("2090-01-01T10:00")
    composer.get_by_role("button", name="Schedule").click()
    expect(composer.get_by_label("Date and time")).to_have_attribute("aria-invalid", "true")
    composer.get_by_label("Date and time").fill((datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT10:00"))
    composer.get_by_label("Caption").fill("x" * 2200)
    composer.route("**/v2/posts", lambda route: route.fulfill(status=429, json={}))
    composer.get_by_role("button", name="Schedule").click()
    expect(composer.get_by_role("alert")).not_to_be_empty()
    expect(composer.get_by_label("Date and time")).to_have_attribute("aria-invalid", "false")


def test_a_nickname_that_turns_the_direction_leaves_the_user_name_as_it_is(signed_in: Page, operator: Client) -> None:
    account = operator.connect(new_creator(operator, "\u202eleft"))
    open_composer(signed_in, account["account_id"])
    option = signed_in.get_by_role("combobox", name="Post to").locator("option").first
    assert option.text_content() == f"\u2068\u202eleft\u2069 (@{account['tiktok_username']})"


def test_markup_in_a_caption_is_text_everywhere(composer: Page, operator: Client, film: Film) -> None:
    markup = "<img src=x onerror=\"document.title='hit'\"><script>document.title='hit'</script>"
    choose_addresses(composer, film.url)
    composer.get_by_label("Caption").fill(markup)
    privacy(composer).select_option("Everyone")
    publish(composer).click()
    outcome(composer, "It is published")
    assert at_tiktok(operator)["post_info"]["title"] == markup
    composer.get_by_role("link", name="Open the post").click()
    expect(composer.get_by_role("region", name="Content")).to_contain_text(markup)
    go_to(composer, "Posts")
    expect(composer.get_by_role("link", name=markup)).to_be_visible()
    assert composer.title() != "hit"


def test_the_page_of_a_creator_named_in_markup_shows_the_name(signed_in: Page, operator: Client) -> None:
    markup = "<b onclick=alert(1)>Mira</b>"
    account_id = compose(signed_in, operator, markup)
    open_composer(signed_in, account_id)
    expect(signed_in.get_by_text(f"Posting to {markup}")).to_be_visible()
