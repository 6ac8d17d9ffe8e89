"""Photo posts: the sandbox pulls each picture from a host of the test's own, decodes it, and posts the carousel."""

import hashlib
import io
import threading
import time
from functools import partial

import pytest
from PIL import Image

from local.tiktok.server import Sandbox
from local.tiktok.store import Store

NOON = 1_795_348_800


def allow(tiktok, host):
    tiktok.settings(pull_local_urls=True)
    tiktok.app(verified_properties=[host.url])


@pytest.fixture
def post(tiktok, host):
    """Open a photo post of files of the host; returns token and publish_id."""
    allow(tiktok, host)

    def start(*urls, **more):
        token = tiktok.token()
        answer = tiktok.init_photos(token, list(urls), **more)
        assert answer.status_code == 200, answer.text
        return token, answer.json()["data"]["publish_id"]

    return start


def pulling(*publish_ids):
    """Whether somebody still means to pull for one of them."""
    return {f"pull {publish_id}" for publish_id in publish_ids} & {thread.name for thread in threading.enumerate()}


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def failure(tiktok, token, publish_id):
    """How the post of pictures ended, None if it did not fail."""
    tiktok.pulled(publish_id)
    tiktok.advance(60)
    return tiktok.state(token, publish_id).get("fail_reason")


def test_a_carousel_becomes_one_post_with_its_pictures_in_order(tiktok, host, post, picture):
    contents = [picture(360, 480, colour="teal"), picture(300, 200, "WEBP"), picture(360, 480, colour="plum")]
    kinds = ["image/jpeg", "image/webp; charset=binary", "IMAGE/JPEG"]
    urls = [
        host.serve(f"{number}.jpg", content, content_type=kind)
        for number, (content, kind) in enumerate(zip(contents, kinds, strict=True))
    ]
    words = {"title": "three frames", "description": "longer text #emu", "auto_add_music": True}
    token, publish_id = post(*urls, post_info={**words, "disable_comment": True}, photo_cover_index=2)
    size = sum(map(len, contents))
    publish = tiktok.pulled(publish_id)
    assert tiktok.state(token, publish_id) == {"status": "PROCESSING_DOWNLOAD", "downloaded_bytes": size}
    assert [path for path, _ in host.requests] == ["/0.jpg", "/1.jpg", "/2.jpg"]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    assert publish["media_type"] == "PHOTO"
    assert publish["photo_images"] == urls
    assert publish["pictures"] == [
        {
            "sha256": sha256,
            "size": len(content),
            "pulled_at": NOON,
            "kind": kind,
            "width": width,
            "height": height,
            "fault": None,
        }
        for content, sha256, (kind, width, height) in zip(
            contents, hashes, [("jpeg", 360, 480), ("webp", 300, 200), ("jpeg", 360, 480)], strict=True
        )
    ]
    assert publish["pulls"] == [{"url": url, "at": NOON, "status": 200, "fault": None} for url in urls]
    tiktok.advance(2.1)
    assert tiktok.state(token, publish_id) == {"status": "PUBLISH_COMPLETE", "downloaded_bytes": size}
    tiktok.advance(3)
    [shown] = tiktok.log()["posts"]
    assert tiktok.state(token, publish_id)["publicaly_available_post_id"] == [shown["post_id"]]
    assert shown | {**words, "media_type": "PHOTO", "kind": "direct", "privacy_level": "PUBLIC_TO_EVERYONE"} == shown
    assert (shown["photo_count"], shown["photo_cover_index"], shown["photo_sha256"]) == (3, 2, hashes)
    assert (shown["comments"], shown["duets"], shown["stitches"]) == (False, False, False)
    assert (shown["size"], shown["sha256"]) == (size, None)


def test_a_post_takes_what_photos_know_of_its_switches(tiktok, host, post, picture):
    url = host.serve("1.jpg", picture())
    switches = {"brand_organic_toggle": True, "is_aigc": True, "disable_duet": False, "disable_stitch": False}
    _, publish_id = post(url, post_info={**switches, "privacy_level": "SELF_ONLY"})
    tiktok.pulled(publish_id)
    tiktok.advance(60)
    [shown] = tiktok.log()["posts"]
    assert (shown["branded_content"], shown["own_brand"], shown["ai_generated"]) == (False, True, False)
    assert (shown["comments"], shown["duets"], shown["stitches"], shown["auto_add_music"]) == (
        True,
        False,
        False,
        False,
    )
    assert (shown["description"], shown["publicly_available_at"]) == ("", None)


def test_a_draft_waits_in_the_inbox_and_keeps_its_words_when_the_creator_posts_it(tiktok, host, post, picture):
    words = {"title": "a title", "description": "a description", "auto_add_music": True}
    token, publish_id = post(host.serve("1.jpg", picture()), mode="MEDIA_UPLOAD", post_info=words)
    size = tiktok.pulled(publish_id)["received"]
    tiktok.advance(100)
    assert tiktok.state(token, publish_id) == {"status": "SEND_TO_USER_INBOX", "downloaded_bytes": size}
    assert tiktok.log()["posts"] == []
    finish = {"action": "finish_draft", "publish_id": publish_id}
    tiktok.admin("POST", "actions", finish)
    tiktok.admin("POST", "actions", {**finish, "title": "", "description": "edited", "privacy_level": "SELF_ONLY"})
    tiktok.advance(3)
    posts = tiktok.log()["posts"]
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"
    assert tiktok.state(token, publish_id)["publicaly_available_post_id"] == [posts[0]["post_id"]]
    shown = [(post["kind"], post["title"], post["description"], post["photo_count"]) for post in posts]
    assert shown == [("draft", "a title", "a description", 1), ("draft", "", "edited", 1)]
    assert [post["auto_add_music"] for post in posts] == [False, False]


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"status": 301, "headers": {"Location": "/good.jpg"}}, 301),
        ({"status": 302, "headers": {"Location": "/good.jpg"}}, 302),
        ({"status": 307, "headers": {"Location": "/good.jpg"}}, 307),
        ({"status": 304}, 304),
        ({"status": 203}, 203),
        ({"status": 206}, 206),
        ({"status": 403}, 403),
        ({"status": 500}, 500),
        ({"content_type": "image/png"}, 200),
        ({"content_type": "application/octet-stream"}, 200),
        ({"content_type": None}, 200),
        ({"missing": 1}, 200),
    ],
)
def test_what_is_no_plain_answer_with_a_picture_fails_the_pull(tiktok, host, post, picture, how, status):  # noqa: PLR0917  # fixtures are given by name
    good = host.serve("good.jpg", picture())
    bad = host.serve("bad.jpg", picture(), **how)
    token, publish_id = post(good, bad, good)
    publish = tiktok.pulled(publish_id)
    assert [pull["status"] for pull in publish["pulls"]] == [200, status]
    assert [path for path, _ in host.requests] == ["/good.jpg", "/bad.jpg"]
    assert tiktok.state(token, publish_id)["fail_reason"] == "photo_pull_failed"
    tiktok.advance(100)
    assert tiktok.log()["posts"] == []


def test_a_host_that_is_not_there_fails_the_pull(tiktok, host, post):
    host.server_close()
    token, publish_id = post(f"{host.url}1.jpg")
    assert tiktok.pulled(publish_id)["pulls"][0]["status"] is None
    assert tiktok.state(token, publish_id)["fail_reason"] == "photo_pull_failed"


@pytest.mark.parametrize(("mb", "most"), [("binary", 20_971_520), ("decimal", 20_000_000)])
def test_a_picture_of_more_than_20_mb_fails_the_pull(tiktok, host, post, picture, mb, most):  # noqa: PLR0917  # fixtures are given by name
    tiktok.settings(mb=mb)
    content = picture()
    # What follows a picture in its file is no part of it.
    fitting = host.serve("fitting.jpg", content + bytes(most - len(content)))
    larger = host.serve("larger.jpg", content + bytes(most - len(content) + 1))
    assert failure(tiktok, *post(fitting)) is None
    assert failure(tiktok, *post(fitting, larger)) == "photo_pull_failed"


def test_pictures_are_asked_for_plainly_and_with_their_query(tiktok, host, post, picture):
    host.serve("1.jpg", picture())
    _, publish_id = post(f"{host.url}1.jpg?signature=hidden")
    publish = tiktok.pulled(publish_id)
    [(path, headers)] = host.requests
    assert path == "/1.jpg?signature=hidden"
    assert (headers["User-Agent"], headers.get("Cookie"), headers.get("Authorization")) == (
        "tiktok-sandbox",
        None,
        None,
    )
    assert publish["pulls"][0]["url"] == f"{host.url}1.jpg"


def gradient():
    """A JPEG whose pixels are all decoded before its end is missed, with a comment that looks like another JPEG."""
    file = io.BytesIO()
    with Image.linear_gradient("L").resize((1080, 1920)).convert("RGB") as image:
        image.save(file, "JPEG", comment=b"\xff\xd8\xff\xda\xff\xd9")
    return file.getvalue()


SECOND = Image.new("RGB", (360, 480), "plum")
FORMATS = {
    "baseline": (lambda make: make(), None),
    "progressive": (lambda make: make(progressive=True), None),
    "webp": (lambda make: make(kind="WEBP"), None),
    "lossless webp": (lambda make: make(kind="WEBP", lossless=True), None),
    "several pictures in one jpeg": (lambda make: make(kind="MPO", save_all=True, append_images=[SECOND]), None),
    "a moving webp": (
        lambda make: make(kind="WEBP", save_all=True, append_images=[SECOND]),
        "file_format_check_failed",
    ),
    "png": (lambda make: make(kind="PNG"), "file_format_check_failed"),
    "gif": (lambda make: make(kind="GIF"), "file_format_check_failed"),
    "bmp": (lambda make: make(kind="BMP"), "file_format_check_failed"),
    "tiff": (lambda make: make(kind="TIFF"), "file_format_check_failed"),
    "a page": (lambda _: b"<html>not found</html>", "file_format_check_failed"),
    "nothing": (lambda _: b"", "file_format_check_failed"),
    "half of a jpeg": (lambda make: make()[: len(make()) // 2], "file_format_check_failed"),
    "a jpeg without its last byte": (lambda make: make()[:-1], "file_format_check_failed"),
    "a jpeg inside a jpeg": (lambda _: gradient(), None),
    "a jpeg inside a jpeg, of which only the inner one ends": (lambda _: gradient()[:-2], "file_format_check_failed"),
    "a webp whose last pixels are broken": (
        lambda make: make(kind="WEBP", lossless=True)[:-1] + b"\xff",
        "file_format_check_failed",
    ),
    "half of a webp": (lambda make: make(kind="WEBP")[: len(make(kind="WEBP")) // 2], "file_format_check_failed"),
    "a webp without its last byte": (lambda make: make(kind="WEBP")[:-1], "file_format_check_failed"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_byte_of_a_picture_is_looked_at(tiktok, host, post, picture, name):
    make, reason = FORMATS[name]
    assert failure(tiktok, *post(host.serve("1.jpg", make(picture)))) == reason


SAMPLES = [
    # (width, height, by width and height, by the shorter side); the first seven were seen at TikTok.
    (1086, 1448, False, False),
    (1254, 1254, False, False),
    (941, 1672, True, True),
    (1080, 1920, True, True),
    (1080, 1440, True, True),
    (1080, 1080, True, True),
    (1920, 1080, False, True),
    (1081, 1920, False, False),
    (1080, 1921, False, True),
    (1, 1, True, True),
]


@pytest.mark.parametrize("reading", ["width_and_height", "shorter_side"])
def test_a_picture_is_at_most_1080p_in_both_readings_of_it(tiktok, host, post, picture, reading):
    tiktok.settings(image_1080p=reading, enforce_rate_limits=False)
    for width, height, *fits in SAMPLES:
        expected = None if fits[reading == "shorter_side"] else "picture_size_check_failed"
        token, publish_id = post(host.serve("1.jpg", picture(width, height)))
        assert failure(tiktok, token, publish_id) == expected, (width, height)


def test_a_picture_too_large_to_be_decoded_fails_its_size(tiktok, host, post, picture):
    content = picture(8, 8)
    start = content.index(b"\xff\xc0") + 5
    huge = content[:start] + (60_000).to_bytes(2) * 2 + content[start + 4 :]
    assert failure(tiktok, *post(host.serve("1.jpg", huge))) == "picture_size_check_failed"


def test_one_bad_picture_fails_the_whole_post_and_only_the_log_says_which(tiktok, host, post, picture):
    urls = [host.serve("1.jpg", picture()), host.serve("2.jpg", picture(1081, 10)), host.serve("3.jpg", b"x")]
    token, publish_id = post(*urls)
    publish = tiktok.pulled(publish_id)
    faults = [None, "picture_size_check_failed", "file_format_check_failed"]
    assert [picture["fault"] for picture in publish["pictures"]] == faults
    assert tiktok.state(token, publish_id)["status"] == "PROCESSING_DOWNLOAD"
    tiktok.advance(60)
    expected = {"status": "FAILED", "fail_reason": faults[1], "downloaded_bytes": publish["received"]}
    assert tiktok.state(token, publish_id) == expected
    assert tiktok.log()["posts"] == []


def test_a_pull_can_be_held_back_and_begins_when_the_clock_comes_to_it(tiktok, host, post, picture):
    tiktok.settings(pull_delay_seconds=600)
    token, publish_id = post(host.serve("1.jpg", picture()))
    tiktok.advance(599)
    assert tiktok.state(token, publish_id) == {"status": "PROCESSING_DOWNLOAD"}
    tiktok.advance(1)
    publish = tiktok.pulled(publish_id)
    assert [pull["at"] for pull in publish["pulls"]] == [NOON + 600]
    assert len(host.requests) == 1
    tiktok.advance(60)
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_a_pull_held_back_begins_by_itself_when_the_clock_runs(tiktok, host, post, picture):
    tiktok.settings(pull_delay_seconds=0.2)
    _, publish_id = post(host.serve("1.jpg", picture()))
    tiktok.admin("POST", "clock", {"frozen": False})
    [pull] = tiktok.pulled(publish_id)["pulls"]
    assert NOON + 0.2 <= pull["at"] < NOON + 20


def test_nothing_is_pulled_after_an_hour(tiktok, host, post, picture):
    tiktok.settings(pull_delay_seconds=3_600)
    token, publish_id = post(host.serve("1.jpg", picture()))
    tiktok.advance(3_600)
    wait_until(lambda: not pulling(publish_id))
    assert tiktok.state(token, publish_id) == {"status": "FAILED", "fail_reason": "photo_pull_failed"}
    assert host.requests == []


def test_a_pull_that_takes_an_hour_fails_and_asks_for_no_further_picture(tiktok, host, post, picture):
    token, publish_id = post(host.serve("1.jpg", picture(), held=True), host.serve("2.jpg", picture()))
    wait_until(lambda: host.requests)
    tiktok.advance(3_599)
    assert tiktok.state(token, publish_id) == {"status": "PROCESSING_DOWNLOAD"}
    tiktok.advance(1)
    assert tiktok.state(token, publish_id) == {"status": "FAILED", "fail_reason": "photo_pull_failed"}
    host.released.set()
    wait_until(lambda: not pulling(publish_id))
    assert [path for path, _ in host.requests] == ["/1.jpg"]


def test_a_pull_can_be_cancelled_while_it_waits_and_while_it_runs(tiktok, host, post, picture):
    held, other = host.serve("held.jpg", picture(), held=True), host.serve("other.jpg", picture())
    token, running = post(held, other)
    wait_until(lambda: host.requests)
    tiktok.settings(pull_delay_seconds=600)
    _, waiting = post(other)
    for publish_id in (running, waiting):
        assert tiktok.cancel(token, publish_id).status_code == 200
    host.released.set()
    tiktok.advance(600)
    wait_until(lambda: not pulling(running, waiting))
    for publish_id in (running, waiting):
        assert tiktok.state(token, publish_id)["fail_reason"] == "publish_cancelled"
    assert [path for path, _ in host.requests] == ["/held.jpg"]
    assert tiktok.log()["posts"] == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_what_is_pulled_can_no_longer_be_cancelled(tiktok, host, post, picture, seconds):
    token, publish_id = post(host.serve("1.jpg", picture()))
    tiktok.pulled(publish_id)
    tiktok.advance(seconds)
    assert tiktok.cancel(token, publish_id).json()["error"]["code"] == "publish_not_cancellable"


def test_a_ban_or_a_removed_app_fails_the_post(tiktok, host, post, picture):
    url = host.serve("1.jpg", picture())
    token, publish_id = post(url)
    tiktok.pulled(publish_id)
    tiktok.user(banned=True)
    assert failure(tiktok, token, publish_id) == "spam_risk_user_banned_from_posting"
    tiktok.user(banned=False)
    tiktok.settings(pull_delay_seconds=600)
    _, publish_id = post(url)
    tiktok.admin("POST", "actions", {"action": "revoke", "username": "emu_creator"})
    assert tiktok.state(tiktok.token(), publish_id)["fail_reason"] == "auth_removed"


@pytest.mark.parametrize("action", ["reset", "drop", "timeout"])
@pytest.mark.parametrize(("when", "asked"), [("before", ["/1.jpg"]), ("after", ["/1.jpg", "/2.jpg"])])
def test_a_pull_can_be_lost_before_or_after_the_host_was_asked(tiktok, host, post, picture, action, when, asked):  # noqa: PLR0917  # fixtures are given by name
    tiktok.settings(hold_seconds=0.1)
    tiktok.fault("pull", action, when=when, skip=1)
    token, publish_id = post(host.serve("1.jpg", picture()), host.serve("2.jpg", picture()))
    publish = tiktok.pulled(publish_id)
    assert tiktok.state(token, publish_id)["fail_reason"] == "photo_pull_failed"
    assert [path for path, _ in host.requests] == asked
    assert [pull["fault"] for pull in publish["pulls"]] == [None, f"{action} {when}"]


@pytest.mark.parametrize("do", ["html", "unknown_code", {"status": 500}, {"code": "internal_error"}])
def test_a_pull_cannot_be_answered_by_a_fault(tiktok, do):
    answer = tiktok.session.post(f"{tiktok.url}/_sandbox/faults", json={"endpoint": "pull", "do": do})
    assert (answer.status_code, "a pull can only be lost" in answer.json()["error"]) == (400, True)


def test_photos_survive_a_restart_with_the_same_state(connect, host, tmp_path, picture):
    url = host.serve("1.jpg", picture())
    with Sandbox(state=tmp_path) as sandbox:
        tiktok = connect(sandbox.url)
        allow(tiktok, host)
        tiktok.admin("POST", "clock", {"frozen": True, "set": NOON})
        token = tiktok.token()
        init = partial(tiktok.init_photos, token, [url], post_info={"description": "kept"})
        posted, draft = (init(mode=mode).json()["data"]["publish_id"] for mode in ("DIRECT_POST", "MEDIA_UPLOAD"))
        tiktok.pulled(posted)
        tiktok.pulled(draft)
        tiktok.advance(60)
        tiktok.settings(pull_delay_seconds=600)
        waiting = init().json()["data"]["publish_id"]
        before = tiktok.log()
        assert len(host.requests) == 2
    with Sandbox(state=tmp_path) as sandbox:
        again = connect(sandbox.url)
        assert again.log() == before
        again.advance(600)
        assert again.pulled(waiting)["pictures"][0]["pulled_at"] == NOON + 660
        again.admin("POST", "actions", {"action": "finish_draft", "publish_id": draft})
        again.advance(60)
        posts = again.log()["posts"]
        assert {(post["publish_id"], post["description"]) for post in posts} == {
            (posted, "kept"),
            (draft, "kept"),
            (waiting, "kept"),
        }
        assert len(posts) == len(host.requests) == 3


def test_pictures_whose_pull_a_stop_has_cut_short_are_pulled_anew(connect, host, tmp_path, picture):
    first, second = host.serve("1.jpg", picture()), host.serve("2.jpg", picture(), held=True)
    with Sandbox(state=tmp_path) as sandbox:
        tiktok = connect(sandbox.url)
        allow(tiktok, host)
        answer = tiktok.init_photos(tiktok.token(), [first, second])
        wait_until(lambda: len(host.requests) == 2)
    with Sandbox(state=tmp_path) as sandbox:
        again = connect(sandbox.url)
        host.released.set()
        publish = again.pulled(answer.json()["data"]["publish_id"])
        size = len(picture())
        assert (publish["received"], [picture["size"] for picture in publish["pictures"]]) == (2 * size, [size, size])
        assert [pull["url"] for pull in publish["pulls"]] == [first, second, first, second]


def test_a_sandbox_that_has_stopped_asks_for_no_further_picture_and_writes_none(connect, host, tmp_path, picture):
    urls = [host.serve("1.jpg", picture(), held=True), host.serve("2.jpg", picture())]
    with Sandbox(state=tmp_path) as sandbox:
        tiktok = connect(sandbox.url)
        allow(tiktok, host)
        publish_id = tiktok.init_photos(tiktok.token(), urls).json()["data"]["publish_id"]
        wait_until(lambda: host.requests)
        with sandbox._store.change() as world:
            file = sandbox._store.media_path(f"{world.publishes[publish_id].upload_id}.0")
    file.write_bytes(b"pulled by the next one")
    host.released.set()
    wait_until(lambda: not pulling(publish_id))
    assert [path for path, _ in host.requests] == ["/1.jpg"]
    assert file.read_bytes() == b"pulled by the next one"


def test_a_reset_and_a_stop_leave_no_pull_behind(connect, host):
    with Sandbox() as sandbox:
        tiktok = connect(sandbox.url)
        for end in (lambda: tiktok.admin("POST", "reset"), sandbox._store.close):
            allow(tiktok, host)
            tiktok.admin("POST", "clock", {"frozen": True})
            tiktok.settings(pull_delay_seconds=600)
            publish_id = tiktok.init_photos(tiktok.token(), [f"{host.url}1.jpg"]).json()["data"]["publish_id"]
            assert pulling(publish_id)
            end()
            wait_until(lambda: not pulling(publish_id))  # noqa: B023  # it is called here and now
    assert host.requests == []


def test_a_reset_between_finding_a_pull_and_waiting_for_it_ends_it_too(tmp_path):
    store = Store(tmp_path, None, keep=False)
    with store.change() as world:
        moment = world.clock.now() + 600
    store.reset()
    assert not store.wait_until(moment, world)
