"""What becomes of a publish: outcomes, posts, ids, drafts, cancelling."""

import hashlib

import pytest


def test_a_public_post_is_processed_then_complete_then_has_its_id(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    processing = {"status": "PROCESSING_UPLOAD", "uploaded_bytes": len(clip)}
    assert tiktok.state(token, publish_id) == processing
    tiktok.advance(1.9)
    assert tiktok.state(token, publish_id) == processing
    tiktok.advance(0.2)
    assert tiktok.state(token, publish_id) == {"status": "PUBLISH_COMPLETE", "uploaded_bytes": len(clip)}
    tiktok.advance(1.8)
    assert "publicaly_available_post_id" not in tiktok.state(token, publish_id)
    tiktok.advance(0.2)
    [post_id] = tiktok.state(token, publish_id)["publicaly_available_post_id"]
    assert post_id == tiktok.log()["posts"][0]["post_id"]


def test_a_post_id_is_a_bare_number_of_19_digits_that_a_float_cannot_hold(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(60)
    answer = tiktok.status(token, publish_id)
    [post_id] = answer.json()["data"]["publicaly_available_post_id"]
    assert f'"publicaly_available_post_id":[{post_id}]' in answer.text
    assert len(str(post_id)) == 19
    assert int(float(post_id)) != post_id


@pytest.mark.parametrize("level", ["MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"])
def test_a_post_that_is_not_public_never_has_an_id(tiktok, clip, level):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip, privacy_level=level)
    tiktok.advance(86_000)
    assert tiktok.state(token, publish_id) == {"status": "PUBLISH_COMPLETE", "uploaded_bytes": len(clip)}
    assert tiktok.log()["posts"][0]["publicly_available_at"] is None


def test_empty_keys_can_be_sent(tiktok):
    tiktok.settings(empty_keys="emit")
    token = tiktok.token()
    publish_id = tiktok.init(token).json()["data"]["publish_id"]
    assert tiktok.state(token, publish_id) == {
        "fail_reason": "",
        "publicaly_available_post_id": [],
        "status": "PROCESSING_UPLOAD",
        "uploaded_bytes": 0,
    }


def test_a_larger_film_takes_longer(tiktok, clip):
    tiktok.settings(processing_seconds=1, processing_seconds_per_gb=1_000_000_000)
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(len(clip) + 0.9)
    assert tiktok.state(token, publish_id)["status"] == "PROCESSING_UPLOAD"
    tiktok.advance(0.2)
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_the_post_is_what_was_asked_for(tiktok, clip):
    title = "Zwölf 😀 #emu @friend\nline two"
    tiktok.publish(
        tiktok.token(),
        clip,
        title=title,
        disable_duet=True,
        brand_content_toggle=True,
        is_aigc=True,
        video_cover_timestamp_ms=100,
    )
    assert tiktok.log()["posts"] == []
    tiktok.advance(10)
    [post] = tiktok.log()["posts"]
    assert post["title"] == title
    assert post["privacy_level"] == "PUBLIC_TO_EVERYONE"
    assert (post["comments"], post["duets"], post["stitches"]) == (True, False, True)
    assert (post["branded_content"], post["own_brand"], post["ai_generated"]) == (True, False, True)
    assert post["cover_timestamp_ms"] == 100
    assert (post["size"], post["sha256"]) == (len(clip), hashlib.sha256(clip).hexdigest())


def test_the_creators_own_switches_win_silently(tiktok, clip):
    token = tiktok.token("emu_quiet")
    info = tiktok.creator_info(token).json()["data"]
    assert (info["comment_disabled"], info["duet_disabled"], info["stitch_disabled"]) == (True, True, True)
    tiktok.publish(token, clip, disable_comment=False, disable_duet=False, disable_stitch=False)
    tiktok.advance(10)
    [post] = tiktok.log()["posts"]
    assert (post["comments"], post["duets"], post["stitches"]) == (False, False, False)


def test_a_private_account_has_no_duets_and_stitches(tiktok):
    info = tiktok.creator_info(tiktok.token("emu_private")).json()["data"]
    assert (info["comment_disabled"], info["duet_disabled"], info["stitch_disabled"]) == (False, True, True)


@pytest.mark.parametrize(("moment", "level"), [(10**6, "PUBLIC_TO_EVERYONE"), (100, "SELF_ONLY")])
def test_a_cover_outside_the_film_or_of_a_hidden_post_is_the_first_frame(tiktok, clip, moment, level):
    tiktok.publish(tiktok.token(), clip, video_cover_timestamp_ms=moment, privacy_level=level)
    tiktok.advance(10)
    assert tiktok.log()["posts"][0]["cover_timestamp_ms"] == 0


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({}, None),
        ({"suffix": "mov"}, None),
        ({"codec": "libvpx", "suffix": "webm"}, None),
        ({"codec": "libvpx-vp9", "suffix": "webm"}, None),
        ({"codec": "libx265"}, None),
        ({"suffix": "mkv"}, "file_format_check_failed"),
        ({"suffix": "avi"}, "file_format_check_failed"),
        ({"suffix": "3gp"}, "file_format_check_failed"),
        ({"codec": "mpeg4"}, "file_format_check_failed"),
        ({"rate": 22}, "frame_rate_check_failed"),
        ({"rate": 23}, None),
        ({"rate": 60}, None),
        ({"rate": 61}, "frame_rate_check_failed"),
        ({"width": 358}, "picture_size_check_failed"),
        ({"height": 358}, "picture_size_check_failed"),
        ({"width": 4096}, None),
        ({"width": 4098}, "picture_size_check_failed"),
    ],
)
def test_the_received_film_is_looked_into(tiktok, film, kind, reason):
    token = tiktok.token()
    publish_id = tiktok.publish(token, film(**kind))
    assert tiktok.state(token, publish_id)["status"] == "PROCESSING_UPLOAD"
    tiktok.advance(10)
    answer = tiktok.status(token, publish_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (200, "ok")
    assert answer.json()["data"].get("fail_reason") == reason
    assert len(tiktok.log()["posts"]) == (0 if reason else 1)


@pytest.mark.parametrize("content", [b"<html>not found</html>", bytes(5000), b"\0\0\0\x18ftypmp42junk"])
def test_bytes_that_are_no_film_fail_their_format(tiktok, content):
    token = tiktok.token()
    publish_id = tiktok.publish(token, content)
    tiktok.advance(10)
    assert tiktok.state(token, publish_id)["fail_reason"] == "file_format_check_failed"


def test_a_film_cut_off_fails_its_format(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip[: len(clip) // 2])
    tiktok.advance(10)
    assert tiktok.state(token, publish_id)["fail_reason"] == "file_format_check_failed"


def test_a_direct_post_is_as_long_as_the_creator_may_and_a_draft_as_tiktok_takes(tiktok, film):
    tiktok.user(max_video_post_duration_sec=1)
    token = tiktok.token()
    long = film(seconds=1.2)
    direct, fitting, draft = tiktok.publish(token, long), tiktok.publish(token, film(seconds=1)), ""
    draft = tiktok.draft(token, long)
    tiktok.advance(10)
    assert tiktok.state(token, direct)["fail_reason"] == "duration_check_failed"
    assert tiktok.state(token, fitting)["status"] == "PUBLISH_COMPLETE"
    assert tiktok.state(token, draft)["status"] == "SEND_TO_USER_INBOX"


@pytest.mark.parametrize(("seconds", "reason"), [(600, "frame_rate_check_failed"), (601, "duration_check_failed")])
def test_no_film_is_longer_than_ten_minutes(tiktok, film, seconds, reason):
    """One frame a second keeps the films small; the length is looked at before the frame rate."""
    tiktok.user(max_video_post_duration_sec=3600)
    token = tiktok.token()
    publish_id = tiktok.publish(token, film(rate=1, seconds=seconds))
    tiktok.advance(10)
    assert tiktok.state(token, publish_id).get("fail_reason") == reason


def test_a_draft_ends_in_the_inbox_until_the_creator_posts_it(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.draft(token, clip)
    assert publish_id.startswith("v_inbox_file~v2.")
    tiktok.advance(100)
    assert tiktok.state(token, publish_id) == {"status": "SEND_TO_USER_INBOX", "uploaded_bytes": len(clip)}
    assert tiktok.log()["posts"] == []
    finish = {"action": "finish_draft", "publish_id": publish_id, "title": "mine"}
    tiktok.admin("POST", "actions", finish)
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"
    tiktok.admin("POST", "actions", finish)
    tiktok.advance(3)
    posts = tiktok.log()["posts"]
    assert tiktok.state(token, publish_id)["publicaly_available_post_id"] == [post["post_id"] for post in posts]
    assert [(post["kind"], post["title"]) for post in posts] == [("draft", "mine")] * 2


def test_an_unfinished_upload_can_be_cancelled_and_takes_no_more_bytes(tiktok):
    token = tiktok.token()
    data = tiktok.init(token).json()["data"]
    answer = tiktok.cancel(token, data["publish_id"])
    assert answer.status_code == 200
    assert set(answer.json()) == {"error"}
    assert tiktok.state(token, data["publish_id"]) == {"status": "FAILED", "fail_reason": "publish_cancelled"}
    assert tiktok.put(data["upload_url"], bytes(1000)).status_code == 403


@pytest.mark.parametrize("seconds", [0, 10])
def test_what_is_processing_or_done_cannot_be_cancelled(tiktok, clip, seconds):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(seconds)
    answer = tiktok.cancel(token, publish_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "publish_not_cancellable")


def test_a_ban_or_a_full_day_during_processing_fails_the_post(tiktok, clip):
    token = tiktok.token()
    banned = tiktok.publish(token, clip)
    tiktok.user(banned=True)
    tiktok.advance(10)
    assert tiktok.state(token, banned)["fail_reason"] == "spam_risk_user_banned_from_posting"
    tiktok.user(banned=False)
    full = tiktok.publish(token, clip)
    tiktok.user(daily_post_cap=0)
    tiktok.advance(10)
    assert tiktok.state(token, full)["fail_reason"] == "spam_risk_too_many_posts"


def test_revoking_fails_what_is_in_processing(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.admin("POST", "actions", {"action": "revoke", "username": "emu_creator"})
    assert tiktok.status(token, publish_id).json()["error"]["code"] == "access_token_invalid"
    assert tiktok.state(tiktok.token(), publish_id)["fail_reason"] == "auth_removed"


def test_a_stuck_publish_stays_in_processing_until_it_is_let_go(tiktok, clip):
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.admin("POST", "actions", {"action": "stick", "publish_id": publish_id})
    tiktok.advance(80_000)
    assert tiktok.state(token, publish_id)["status"] == "PROCESSING_UPLOAD"
    tiktok.admin("POST", "actions", {"action": "unstick", "publish_id": publish_id})
    assert tiktok.state(token, publish_id)["status"] == "PUBLISH_COMPLETE"


def test_all_new_publishes_can_be_made_to_stick(tiktok, clip):
    tiktok.settings(stick_publishes=True)
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(80_000)
    assert tiktok.state(token, publish_id)["status"] == "PROCESSING_UPLOAD"


def test_a_fail_reason_can_be_forced(tiktok, clip):
    tiktok.settings(forced_fail_reason="spam_risk_text")
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(10)
    assert tiktok.state(token, publish_id)["fail_reason"] == "spam_risk_text"
    waiting = tiktok.init(token).json()["data"]["publish_id"]
    tiktok.admin("POST", "actions", {"action": "fail", "publish_id": waiting, "fail_reason": "spam_risk"})
    assert tiktok.state(token, waiting)["fail_reason"] == "spam_risk"


def test_moderation_takes_as_long_as_it_is_told_to(tiktok, clip):
    tiktok.settings(moderation_seconds=7_200)
    token = tiktok.token()
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(7_201)
    assert "publicaly_available_post_id" not in tiktok.state(token, publish_id)
    assert tiktok.user_info(token, "video_count").json()["data"]["user"]["video_count"] == 0
    tiktok.advance(2)
    assert "publicaly_available_post_id" in tiktok.state(token, publish_id)
    assert tiktok.user_info(token, "video_count").json()["data"]["user"]["video_count"] == 1
