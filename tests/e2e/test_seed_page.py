"""The documented page, literally: its examples as they stand there, and the answers that it shows.

Only the account, the hosts and the emoji differ: the page as we have it lost those to a wrong character set.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.conftest import MediaServer
from tests.e2e.client import Client, Outcome
from tests.e2e.pictures import picture

PHOTO_CAROUSEL = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Check out these amazing shots! 📸 #photography #tiktok",
"mediaUrls": [
"https://example.com/photo1.jpg",
"https://example.com/photo2.jpg",
"https://example.com/photo3.jpg"
],
"platform": "tiktok"
}
}
}
"""

PHOTO_DRAFT = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Draft caption - edit in TikTok app",
"mediaUrls": ["https://example.com/photo.jpg"],
"platform": "tiktok"
},
"tiktokOptions": {
"draft": true
}
}
}
"""

PUBLIC_VIDEO = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Check out this amazing video! #tiktok #trending",
"mediaUrls": ["https://example.com/video.mp4"],
"platform": "tiktok"
},
"tiktokOptions": {
"privacyLevel": "PUBLIC_TO_EVERYONE",
"allowComment": true,
"allowDuet": true,
"allowStitch": true
}
}
}
"""

FRIENDS_VIDEO = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Just for my friends! 🤫",
"mediaUrls": ["https://example.com/video.mp4"],
"platform": "tiktok"
},
"tiktokOptions": {
"privacyLevel": "MUTUAL_FOLLOW_FRIENDS",
"allowComment": true,
"allowDuet": false,
"allowStitch": false
}
}
}
"""

BRANDED_VIDEO = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Amazing product from @brand! #ad #sponsored",
"mediaUrls": ["https://storage.googleapis.com/my-bucket/sponsored-video.mp4"],
"platform": "tiktok"
},
"tiktokOptions": {
"privacyLevel": "PUBLIC_TO_EVERYONE",
"allowComment": true,
"allowDuet": false,
"allowStitch": false,
"brandContentToggle": true
}
}
}
"""

PROMOTIONAL_VIDEO = """
{
"post": {
"accountId": "your-tiktok-account-id",
"content": {
"text": "Check out my new course! Link in bio 🔗",
"mediaUrls": ["https://example.com/promo-video.mp4"],
"platform": "tiktok"
},
"tiktokOptions": {
"privacyLevel": "PUBLIC_TO_EVERYONE",
"allowComment": true,
"allowDuet": true,
"allowStitch": true,
"brandOrganicToggle": true
}
}
}
"""

EXAMPLES = (PHOTO_CAROUSEL, PHOTO_DRAFT, PUBLIC_VIDEO, FRIENDS_VIDEO, BRANDED_VIDEO, PROMOTIONAL_VIDEO)

SUCCESSFUL_RESPONSE = """
{
"success": true,
"postSubmissionId": "ca5b8e50-9376-4fbb-b2fc-b619849e3574",
"platform": "tiktok",
"post_type": "video",
"publish_id": "v_pub_file~v2-1.7577571164748499000",
"status": "PUBLISH_COMPLETE",
"message": "Post published successfully"
}
"""

FAILED_RESPONSE = """
{
"success": false,
"error": "Account is not a TikTok account",
"platform": "tiktok"
}
"""


class Published(NamedTuple):
    """An example that was sent: what its sender saw, what TikTok got, and the posts that are on TikTok now."""

    outcome: Outcome
    opened: dict[str, Any]
    posts: list[dict[str, Any]]


def filled_in(example: str, account_id: str, media_server: MediaServer) -> dict[str, Any]:
    """Return an example with an account and with media that are there."""
    text = example.replace("your-tiktok-account-id", account_id)
    body: dict[str, Any] = json.loads(re.sub(r"https://[^\"]*/", f"{media_server.url}/page/", text))
    return body


@pytest.fixture(scope="module")
def published(client: Client, media_server: MediaServer, film) -> dict[str, Published]:
    """All examples, sent by different creators."""
    # Customers' names often lie about the format.
    media_server.put("page/photo1.jpg", picture(1600, 900, "JPEG"))
    media_server.put("page/photo2.jpg", picture(801, 900, "PNG"))
    media_server.put("page/photo3.jpg", picture(802, 900, "WEBP"))
    media_server.put("page/photo.jpg", picture(600, 800, "JPEG"))
    for name in ("video.mp4", "sponsored-video.mp4", "promo-video.mp4"):
        media_server.put(f"page/{name}", film.path.read_bytes())

    def publish(example: str) -> Published:
        account = client.new_account()
        outcome = client.publish_and_wait(filled_in(example, account["account_id"], media_server))
        (opened,) = client.opened_for(account)
        return Published(outcome, opened, client.posts_of(account))

    with ThreadPoolExecutor(max_workers=3) as users:
        return dict(zip(EXAMPLES, users.map(publish, EXAMPLES), strict=True))


def text_of(example: str) -> str:
    return str(json.loads(example)["post"]["content"]["text"])


@pytest.mark.parametrize("example", [example for example in EXAMPLES if example != PHOTO_DRAFT])
def test_an_example_is_published_with_the_very_caption(published, example):
    outcome, _, (post,) = published[example]
    assert outcome.post["status"] == "PUBLISH_COMPLETE", outcome.post
    assert post["description" if example == PHOTO_CAROUSEL else "title"] == text_of(example)


def test_a_photo_carousel_without_options_is_public_and_its_pngs_are_converted(published):
    outcome, opened, (post,) = published[PHOTO_CAROUSEL]
    assert (outcome.post["post_type"], opened["media_type"]) == ("photo", "PHOTO")
    assert (post["photo_count"], post["privacy_level"]) == (3, "PUBLIC_TO_EVERYONE")
    assert (post["comments"], post["branded_content"], post["own_brand"]) == (False, False, False)
    pictures = [(one["kind"], one["width"], one["height"]) for one in opened["pictures"]]
    assert pictures == [("jpeg", 1080, 607), ("jpeg", 801, 900), ("jpeg", 802, 900)]


def test_a_photo_draft_waits_in_the_inbox_with_its_caption_and_is_posted_by_nobody(published):
    outcome, opened, posts = published[PHOTO_DRAFT]
    assert outcome.post["status"] == opened["status"] == "SEND_TO_USER_INBOX"
    assert (outcome.post["post_type"], len(opened["pictures"])) == ("photo", 1)
    assert opened["post_info"]["description"] == text_of(PHOTO_DRAFT)
    assert posts == []


def test_a_public_video_has_comments_duet_and_stitch_enabled(published):
    _, _, (post,) = published[PUBLIC_VIDEO]
    assert (post["privacy_level"], post["kind"]) == ("PUBLIC_TO_EVERYONE", "direct")
    assert (post["comments"], post["duets"], post["stitches"]) == (True, True, True)
    assert (post["branded_content"], post["own_brand"]) == (False, False)


def test_a_friends_only_video_is_for_friends_with_comments_enabled(published):
    outcome, _, (post,) = published[FRIENDS_VIDEO]
    assert post["privacy_level"] == "MUTUAL_FOLLOW_FRIENDS"
    assert (post["comments"], post["duets"], post["stitches"]) == (True, False, False)
    assert outcome.post["publicUrl"] is None


def test_branded_content_is_labeled_as_a_paid_partnership(published):
    outcome, _, (post,) = published[BRANDED_VIDEO]
    assert (post["branded_content"], post["own_brand"]) == (True, False)
    assert outcome.post["label"] == "Paid partnership"
    assert "Branded Content Policy and Music Usage Confirmation" in outcome.post["consent"]["statement"]


def test_ones_own_brand_is_labeled_as_promotional_content(published):
    outcome, _, (post,) = published[PROMOTIONAL_VIDEO]
    assert (post["branded_content"], post["own_brand"]) == (False, True)
    assert (post["comments"], post["duets"], post["stitches"]) == (True, True, True)
    assert outcome.post["label"] == "Promotional content"
    assert outcome.post["consent"]["statement"] == "By posting, you agree to TikTok's Music Usage Confirmation"


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_successful_response_has_the_keys_of_the_page_in_their_order(published, example):
    outcome = published[example].outcome
    shown = json.loads(SUCCESSFUL_RESPONSE)
    assert list(outcome.answer.json())[: len(shown)] == list(shown)
    assert set(shown) <= set(outcome.post)


def test_a_successful_response_is_the_one_of_the_page(published):
    outcome = published[PUBLIC_VIDEO].outcome
    shown, answer = json.loads(SUCCESSFUL_RESPONSE), outcome.post
    of_the_post = {"postSubmissionId", "publish_id"}
    assert {key: answer[key] for key in shown if key not in of_the_post} == {
        key: value for key, value in shown.items() if key not in of_the_post
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["postSubmissionId"])
    assert re.fullmatch(r"v_pub_file~v2-1\.\d{19}", answer["publish_id"])


def test_a_failed_response_is_the_one_of_the_page(client: Client, media_server):
    somebody = "5d2c1f7e-0000-4000-8000-000000000000"
    answer = client.publish(filled_in(PUBLIC_VIDEO, somebody, media_server))
    shown = json.loads(FAILED_RESPONSE)
    assert answer.status_code == 400
    assert {key: answer.json()[key] for key in shown} == shown
