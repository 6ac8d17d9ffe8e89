"""Photo carousels and drafts from URLs to TikTok, over HTTP only; the sandbox's log is the judge."""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple

import pytest
import requests
from PIL import Image

from tests.conftest import MediaServer
from tests.e2e.client import Client, Outcome, a_video, photos
from tests.e2e.pictures import BLUE, RED, encoded, picture

HELD_SECONDS = 600
"""Of the sandbox's clock: it is set, never waited for."""
PATIENCE_SECONDS = 60
APP = "apps/sandbox-client-key"


def nearly(colour: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    """Tell whether two colours are the same but for what JPEG loses."""
    return max(abs(one - two) for one, two in zip(colour, other, strict=True)) <= 12


def until[T](look: Callable[[], T], what: str, *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see, and return it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.2)
    return seen


@contextmanager
def pulls_held_back(client: Client) -> Iterator[None]:
    """Let TikTok wait before it pulls what is offered now, until its clock is advanced."""
    client.sandbox("PATCH", "settings", {"pull_delay_seconds": HELD_SECONDS})
    try:
        yield
    finally:
        client.sandbox("PATCH", "settings", {"pull_delay_seconds": 0})


def let_them_be_pulled(client: Client) -> None:
    client.sandbox("POST", "clock", {"advance": HELD_SECONDS})


@contextmanager
def spoiled(client: Client, *faults: dict[str, Any]) -> Iterator[None]:
    """Spoil the next calls of content/init, one by each fault."""
    client.sandbox("POST", "faults", [{"endpoint": "content/init", **fault} for fault in faults])
    try:
        yield
    finally:
        client.sandbox("DELETE", "faults")


def formats(media_server: MediaServer) -> list[str]:
    """Serve a picture of every format, each of another size."""
    sideways = Image.open(BytesIO(picture(2400, 1200, "PNG")))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    exif[0x010E] = "a secret place"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    transparent = Image.new("RGBA", (500, 400), (0, 0, 0, 0))
    transparent.paste((*RED, 255), (0, 0, 250, 400))
    frames = [Image.new("RGB", (510, 400), colour) for colour in (RED, BLUE, BLUE)]
    files = {
        "sideways.jpg": encoded(sideways, "JPEG", exif=exif),
        "transparent.png": encoded(transparent, "PNG"),
        "picture.webp": picture(520, 400, "WEBP"),
        "animation.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "picture.bmp": picture(530, 400, "BMP"),
        "picture.tiff": picture(540, 400, "TIFF"),
    }
    return [media_server.put(f"formats/{name}", content) for name, content in files.items()]


class SlowMotion(NamedTuple):
    """A carousel that TikTok was told of and pulled only later, and what an observer saw before and after."""

    post: dict[str, Any]
    opened: dict[str, Any]
    on_tiktok: list[dict[str, Any]]
    served: list[requests.Response]
    looked_at: requests.Response
    guesses: dict[str, int]
    after: list[requests.Response]

    @property
    def pictures(self) -> list[Image.Image]:
        return [Image.open(BytesIO(answer.content)) for answer in self.served]


@pytest.fixture(scope="module")
def slow_motion(client: Client, media_server: MediaServer) -> SlowMotion:
    account = client.new_account()
    options = {"photoTitle": "Six 📷", "photoCoverIndex": 2, "autoAddMusic": True, "privacyLevel": "SELF_ONLY"}
    body = photos(account, formats(media_server), "All formats 📸 #a #b #c", **options)
    with pulls_held_back(client):
        post_id = client.publish(body, Prefer="respond-async").json()["postSubmissionId"]
        (opened,) = until(lambda: client.opened_for(account), "offered to TikTok")
    urls = opened["photo_images"]
    served = [requests.get(url, timeout=40) for url in urls]
    looked_at = requests.head(urls[0], timeout=40)
    guesses = {path: requests.get(client.api + path, timeout=40).status_code for path in wrong_paths(urls[0])}
    let_them_be_pulled(client)
    post = client.wait(post_id)
    (opened,) = client.opened_for(account)
    after = [requests.get(url, timeout=40) for url in urls]
    return SlowMotion(post, opened, client.posts_of(account), served, looked_at, guesses, after)


def wrong_paths(url: str) -> list[str]:
    """Return paths by which somebody might look for pictures who was not told their address."""
    prefix = url.split("/")[-2]
    other = ("0" if prefix[0] != "0" else "1") + prefix[1:]
    names = ["", "0.jpg", "01.jpg", "7.jpg", "36.jpg", "-1.jpg", "1", "1.png", "%31.jpg.", "..%2f1.jpg", "%2e%2e/1.jpg"]
    within = [f"/media/{prefix}/{name}" for name in names]
    return [*within, "/media", "/media/", f"/media/{prefix}", f"/media/{other}/1.jpg", f"/media/{prefix[:-1]}/1.jpg"]


def test_a_carousel_arrives_whole_and_in_order_with_its_choices(slow_motion):
    (post,) = slow_motion.on_tiktok
    assert slow_motion.post["status"] == "PUBLISH_COMPLETE", slow_motion.post
    assert [one["sha256"] for one in slow_motion.opened["pictures"]] == post["photo_sha256"]
    assert (post["photo_count"], post["photo_cover_index"], post["auto_add_music"]) == (6, 2, True)
    assert (post["title"], post["description"]) == ("Six 📷", "All formats 📸 #a #b #c")
    assert post["privacy_level"] == "SELF_ONLY"


def test_every_format_becomes_a_jpeg_that_fits_without_being_enlarged(slow_motion):
    kinds = [(one["kind"], one["width"], one["height"]) for one in slow_motion.opened["pictures"]]
    assert kinds == [
        ("jpeg", 960, 1920), ("jpeg", 500, 400), ("jpeg", 520, 400),
        ("jpeg", 510, 400), ("jpeg", 530, 400), ("jpeg", 540, 400),
    ]  # fmt: skip


def test_what_is_served_is_what_tiktok_pulled_in_the_callers_order(slow_motion):
    pulled = [one["sha256"] for one in slow_motion.opened["pictures"]]
    assert [hashlib.sha256(answer.content).hexdigest() for answer in slow_motion.served] == pulled


def test_a_picture_is_turned_upright_and_says_nothing_of_where_it_was_taken(slow_motion):
    upright = slow_motion.pictures[0]
    assert nearly(upright.getpixel((480, 10)), RED)
    assert nearly(upright.getpixel((480, 1910)), BLUE)
    for answer, shown in zip(slow_motion.served, slow_motion.pictures, strict=True):
        assert not shown.getexif()
        assert not {"exif", "icc_profile", "xmp", "comment"} & set(shown.info)
        assert b"secret" not in answer.content


def test_what_is_transparent_becomes_white(slow_motion):
    shown = slow_motion.pictures[1]
    assert nearly(shown.getpixel((10, 200)), RED)
    assert nearly(shown.getpixel((490, 200)), (255, 255, 255))


def test_of_an_animation_the_first_frame_is_published_and_a_warning_says_so(slow_motion):
    assert nearly(slow_motion.pictures[3].getpixel((500, 200)), RED)
    (told,) = [warning for warning in slow_motion.post["warnings"] if "animation" in warning]
    assert "Picture 4 of 6" in told


def test_a_picture_is_served_as_nothing_but_a_picture_to_nobody_who_keeps_it(slow_motion):
    for number, answer in enumerate([*slow_motion.served, slow_motion.looked_at]):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Disposition"] == f'inline; filename="{number % 6 + 1}.jpg"'
    assert slow_motion.looked_at.content == b""


def test_pictures_are_found_by_nobody_who_was_not_told_their_address(slow_motion):
    assert slow_motion.guesses == dict.fromkeys(slow_motion.guesses, 404)


def test_the_address_of_pictures_is_gone_after_the_outcome(slow_motion):
    assert [answer.status_code for answer in slow_motion.after] == [404] * 6
    answer = slow_motion.after[0].json()
    assert (answer["success"], answer["code"]) == (False, "NotFound")


def test_the_address_of_pictures_is_in_no_answer_of_the_api(slow_motion):
    prefix = slow_motion.opened["photo_images"][0].split("/")[-2]
    assert len(prefix) >= 32
    assert prefix not in str(slow_motion.post)


class Sent(NamedTuple):
    """A post that has ended, and its account."""

    account: dict[str, Any]
    outcome: Outcome


@pytest.fixture(scope="module")
def sent(client: Client, media_server: MediaServer, film) -> dict[str, Future[Sent]]:
    """Posts of different creators by name, all at once; each test looks at its own."""
    one, two = (media_server.put(f"sent/{width}.jpg", picture(width, 700, "JPEG")) for width in (600, 610))
    anonymous = media_server.put("sent/nameless-picture", picture(620, 700, "PNG"))
    nameless_film = media_server.put("sent/nameless-film", film.path.read_bytes())
    broken = media_server.put("sent/broken.png", picture(600, 700, "PNG")[:1000])
    many = [media_server.put(f"sent/{n}.png", picture(400, 500 + n, "PNG")) for n in range(1, 36)]
    out_of_place: dict[str, Any] = {
        "allowDuet": True,
        "allowStitch": True,
        "isAiGenerated": True,
        "videoCoverTimestampMs": 5,
    }
    video_draft = {"draft": True, "privacyLevel": "SELF_ONLY"}
    posts: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "nameless film": lambda account: photos(account, [nameless_film]),
        "a video among pictures": lambda account: photos(account, [one, film.url, two]),
        "a broken picture": lambda account: photos(account, [one, broken, two]),
        "a page among pictures": lambda account: photos(account, [one, f"{media_server.url}/page", two]),
        "draft to be finished": lambda account: photos(account, [one], "Finish me", draft=True),
        "35 pictures": lambda account: photos(account, many),
        "cover 0": lambda account: photos(account, [one, two], photoCoverIndex=0, **out_of_place),
        "nameless picture": lambda account: photos(account, [anonymous]),
        "photo draft": lambda account: photos(
            account, [one, two], "Kept", draft=True, photoTitle="A title", photoCoverIndex=1, allowComment=True
        ),
        "video draft": lambda account: a_video(account, film.url, text="Lost", options=video_draft),
    }

    def publish(body: Callable[[dict[str, Any]], dict[str, Any]]) -> Sent:
        account = client.new_account()
        return Sent(account, client.publish_and_wait(body(account)))

    def publish_six_drafts() -> Sent:
        account = client.new_account()
        body = a_video(account, film.url, text="", options={"draft": True, "privacyLevel": None})
        waiting = [client.publish(body, Prefer="respond-async").json()["postSubmissionId"] for _ in range(5)]
        for post_id in waiting:
            assert client.wait(post_id)["status"] == "SEND_TO_USER_INBOX"
        return Sent(account, Outcome(client.publish(photos(account, [one], draft=True)), {}))

    with ThreadPoolExecutor(max_workers=4) as users:
        coming = {name: users.submit(publish, body) for name, body in posts.items()}
        coming["sixth draft"] = users.submit(publish_six_drafts)
    return coming


@pytest.fixture(scope="module")
def finished_draft(client: Client, sent) -> Sent:
    """A draft that its creator has finished in TikTok's app."""
    account, outcome = sent["draft to be finished"].result()
    finish = {"action": "finish_draft", "publish_id": outcome.post["publish_id"]}
    client.sandbox("POST", "actions", finish)
    return Sent(account, outcome)


def test_a_carousel_has_up_to_35_pictures_in_their_order(client: Client, finished_draft, sent):
    account, outcome = sent["35 pictures"].result()
    assert outcome.post["status"] == "PUBLISH_COMPLETE", outcome.post
    (opened,) = client.opened_for(account)
    assert [one["height"] for one in opened["pictures"]] == list(range(501, 536))
    (post,) = client.posts_of(account)
    assert (post["photo_count"], post["privacy_level"]) == (35, "PUBLIC_TO_EVERYONE")


def test_36_pictures_are_refused_before_anything_is_stored(client: Client, account, media_server):
    answer = client.publish(photos(account, [f"{media_server.url}/{n}.jpg" for n in range(36)]))
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest"), answer.text
    assert "36" in answer.json()["error"]
    assert client.get(f"/v2/posts?accountId={account['account_id']}").json()["posts"] == []


def test_the_first_picture_can_be_chosen_as_the_cover_and_what_does_not_apply_is_told(client: Client, sent):
    account, outcome = sent["cover 0"].result()
    assert outcome.post["status"] == "PUBLISH_COMPLETE", outcome.post
    (post,) = client.posts_of(account)
    assert post["photo_cover_index"] == outcome.post["options"]["photoCoverIndex"] == 0
    told = " ".join(outcome.post["warnings"])
    for option in ("allowDuet", "allowStitch", "isAiGenerated", "videoCoverTimestampMs"):
        assert told.count(option) == 1


def test_one_picture_of_any_name_is_public_without_a_choice(client: Client, sent):
    account, outcome = sent["nameless picture"].result()
    assert (outcome.post["status"], outcome.post["post_type"]) == ("PUBLISH_COMPLETE", "photo"), outcome.post
    assert outcome.post["options"]["privacyLevel"] == "PUBLIC_TO_EVERYONE"
    (post,) = client.posts_of(account)
    assert (post["photo_count"], post["privacy_level"]) == (1, "PUBLIC_TO_EVERYONE")


def test_a_video_of_any_name_is_not_published_without_a_choice_and_the_choices_are_named(client: Client, sent):
    account, outcome = sent["nameless film"].result()
    assert (outcome.answer.status_code, outcome.answer.json()["code"]) == (400, "MissingParameter")
    assert "PUBLIC_TO_EVERYONE, MUTUAL_FOLLOW_FRIENDS, SELF_ONLY" in outcome.answer.json()["message"]
    assert (outcome.post["status"], client.opened_for(account)) == ("FAILED", [])


@pytest.mark.parametrize("what", ["a video among pictures", "a broken picture", "a page among pictures"])
def test_one_bad_picture_ends_the_post_before_tiktok_hears_of_it_and_is_named(client: Client, sent, what):
    account, outcome = sent[what].result()
    answer = outcome.answer.json()
    assert (outcome.answer.status_code, answer["code"]) == (400, "InvalidMediaType"), answer
    assert answer["error"].startswith("Picture 2 of 3: ")
    assert answer["message"]
    assert (outcome.post["status"], outcome.post["error"]) == ("FAILED", answer["error"])
    assert client.opened_for(account) == []
    calls = [one for one in client.sandbox("GET", "log")["calls"] if one.get("open_id") == account["tiktok_open_id"]]
    assert "content/init" not in {one["endpoint"] for one in calls}


def test_a_photo_draft_takes_title_caption_and_cover_along(client: Client, sent):
    account, outcome = sent["photo draft"].result()
    assert outcome.post["status"] == "SEND_TO_USER_INBOX", outcome.post
    assert "inbox" in outcome.post["message"]
    (opened,) = client.opened_for(account)
    assert (opened["kind"], opened["status"]) == ("draft", "SEND_TO_USER_INBOX")
    assert opened["post_info"] == {"title": "A title", "description": "Kept"}
    assert (opened["photo_cover_index"], client.posts_of(account)) == (1, [])
    (told,) = outcome.post["warnings"]
    assert "allowComment" in told
    assert not [name for name in ("photoTitle", "photoCoverIndex", "caption") if name in told]


def test_a_video_draft_takes_nothing_along_and_says_so(client: Client, sent):
    account, outcome = sent["video draft"].result()
    assert outcome.post["status"] == "SEND_TO_USER_INBOX", outcome.post
    assert "inbox" in outcome.post["message"]
    (opened,) = client.opened_for(account)
    assert (opened["kind"], opened["post_info"]) == ("draft", {})
    assert client.posts_of(account) == []
    assert [warning for warning in outcome.post["warnings"] if "no caption or options" in warning]


def test_a_sixth_draft_that_waits_is_refused_with_the_time_when_there_is_room_again(client: Client, sent):
    account, (answer, _) = sent["sixth draft"].result()
    told = answer.json()
    assert (answer.status_code, told["code"]) == (429, "RateLimitExceeded"), told
    room_in = int(answer.headers["Retry-After"])
    assert 0 < room_in <= 86_400
    (named,) = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", told["message"])
    assert abs(datetime.fromisoformat(named).timestamp() - time.time() - room_in) < 300
    assert len(client.opened_for(account)) == 5


def test_an_address_that_tiktok_does_not_know_as_ours_is_told_with_what_to_do(client: Client, account, media_server):
    url = media_server.put("not-ours.jpg", picture(600, 700, "JPEG"))
    client.sandbox("PATCH", APP, {"verified_properties": []})
    try:
        outcome = client.publish_and_wait(photos(account, [url]))
    finally:
        client.sandbox("POST", f"{APP}/properties/verify", {"url_prefix": f"{client.api}/"})
    answer = outcome.answer.json()
    assert (outcome.answer.status_code, answer["code"], answer["retryable"]) == (422, "PublishingFailed", False)
    assert "verif" in answer["error"]
    assert "verif" in answer["message"]
    assert answer["tiktok_log_id"]
    assert (outcome.post["status"], client.opened_for(account)) == ("FAILED", [])


@pytest.mark.parametrize("folder", ["/", "/media/"])
def test_the_ownership_file_is_served_byte_for_byte(client: Client, folder):
    file = client.sandbox("POST", f"{APP}/properties", {"url_prefix": f"{client.api}/"})
    answer = requests.get(f"{client.api}{folder}{file['file']}", timeout=40, allow_redirects=False)
    assert (answer.status_code, answer.content) == (200, file["content"].encode())
    assert answer.headers["Content-Type"].partition(";")[0] == "text/plain"


@pytest.mark.parametrize("path", ["/tiktok{}.txt", "/media/tiktok{}.txt", "/tiktok{}", "/{}.txt", "/favicon.ico"])
def test_another_file_is_not_there(client: Client, path):
    answer = requests.get(client.api + path.format("A" * 32), timeout=40)
    assert answer.status_code == 404
    assert (answer.json()["success"], answer.json()["code"]) == (False, "NotFound")


@pytest.fixture(scope="module")
def disturbed(client: Client, media_server: MediaServer, sent) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Accounts and posts by what went wrong with their first offer to TikTok. One after the other, as faults strike
    whoever comes next; the waits overlap."""
    body = [media_server.put("disturbed.jpg", picture(600, 700, "JPEG"))]
    accounts = {what: client.new_account() for what in ("pulled", "not pulled", "error", "reset")}

    def publish(what: str) -> str:
        answer = client.publish(photos(accounts[what], body), Prefer="respond-async")
        return str(answer.json()["postSubmissionId"])

    ids = {}
    with spoiled(client, {"do": "drop", "when": "after"}):
        ids["pulled"] = publish("pulled")
        until(lambda: client.posts_of(accounts["pulled"]), "published by TikTok")
    with pulls_held_back(client), spoiled(client, {"do": "drop", "when": "after"}):
        ids["not pulled"] = publish("not pulled")
        until(lambda: len(client.opened_for(accounts["not pulled"])) == 2, "offered to TikTok again")
    # Only now TikTok turns to both offers; the address of the first is closed.
    let_them_be_pulled(client)
    with spoiled(client, {"do": {"status": 500}}, {"do": "reset"}):
        ids |= {what: publish(what) for what in ("error", "reset")}
        posts = {what: client.wait(ids[what]) for what in ("not pulled", "error", "reset")}
    posts["pulled"] = until(lambda: asked_about(client, ids["pulled"]), "the lost answer was noticed")
    return {what: (accounts[what], posts[what]) for what in accounts}


def asked_about(client: Client, post_id: str) -> Any:
    """Return the post when its machine has decided to wait for TikTok's word."""
    post = client.get(f"/v2/posts/{post_id}").json()
    return post if {"CheckStatus", "Reconcile"} & {moment["step"] for moment in post["timeline"]} else None


def test_pictures_not_yet_pulled_when_the_answer_was_lost_are_published_by_a_second_offer_alone(client, disturbed):
    account, post = disturbed["not pulled"]
    assert post["status"] == "PUBLISH_COMPLETE", post
    first, second = client.opened_for(account)
    assert (first["status"], first["fail_reason"]) == ("FAILED", "photo_pull_failed")
    assert (second["status"], second["publish_id"]) == ("PUBLISH_COMPLETE", post["publish_id"])
    assert [one["publish_id"] for one in client.posts_of(account)] == [post["publish_id"]]


def test_pictures_that_were_pulled_when_the_answer_was_lost_are_never_offered_again(client, disturbed):
    account, post = disturbed["pulled"]
    assert (post["status"], post["publish_id"]) == ("PROCESSING_UPLOAD", None)
    assert (len(client.opened_for(account)), len(client.posts_of(account))) == (1, 1)


@pytest.mark.parametrize("what", ["error", "reset"])
def test_an_offer_that_fails_before_its_effect_is_made_again_and_published_once(client, disturbed, what):
    account, post = disturbed[what]
    assert post["status"] == "PUBLISH_COMPLETE", post
    assert [one["publish_id"] for one in client.opened_for(account)] == [post["publish_id"]]
    assert len(client.posts_of(account)) == 1


def test_a_draft_that_its_creator_finished_shows_as_published_with_its_address(client: Client, finished_draft):
    account, outcome = finished_draft
    assert outcome.post["status"] == "SEND_TO_USER_INBOX"
    (on_tiktok,) = client.posts_of(account)

    def look() -> Any:
        post = client.get(outcome.post["statusUrl"]).json()
        return post if post["publicUrl"] else None

    # It is looked after each minute.
    post = until(look, "found by the sweep", seconds=150)
    assert (post["status"], post["message"]) == ("PUBLISH_COMPLETE", "Post published successfully")
    assert post["postIds"] == [str(on_tiktok["post_id"])]
    assert post["publicUrl"] == f"https://www.tiktok.com/@{account['tiktok_username']}/photo/{on_tiktok['post_id']}"
