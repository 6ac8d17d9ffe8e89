"""What content/init refuses, with which code and message, and in which order; nothing is pulled here."""

import re

import pytest

INIT = "/v2/post/publish/content/init/"
POST_INFO = "The request post info is empty or incorrect"
SOURCE_INFO = "The request source info is empty or incorrect"
MODE = "Invalid media_type or post_mode"
URL = "https://media.emu.example/p/1.jpg"
MODES = pytest.mark.parametrize("mode", ["DIRECT_POST", "MEDIA_UPLOAD"])


@pytest.fixture(autouse=True)
def _held_back(tiktok):
    tiktok.app(verified_properties=["emu.example"])
    tiktok.settings(pull_delay_seconds=3_600)


def refusal(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "change",
    [
        {"media_type": None},
        {"media_type": "VIDEO"},
        {"media_type": "photo"},
        {"media_type": ["PHOTO"]},
        {"post_mode": None},
        {"post_mode": "DIRECT POST"},
        {"post_mode": "INBOX"},
        {"post_mode": ["DIRECT_POST"]},
    ],
)
def test_another_media_type_or_post_mode_is_refused(tiktok, change):
    body = {"media_type": "PHOTO", "post_mode": "DIRECT_POST", "post_info": {}, "source_info": {}, **change}
    assert refusal(tiktok.post(INIT, tiktok.token(), body)) == (400, "invalid_params", MODE)


@MODES
@pytest.mark.parametrize(
    "post_info",
    [
        {"title": "x" * 91},
        {"title": "😀" * 46},
        {"title": 7},
        {"description": "x" * 4001},
        {"description": "😀" * 2001},
        {"description": ["x"]},
        {"privacy_level": 1},
        {"disable_comment": "true"},
        {"auto_add_music": 1},
        {"brand_content_toggle": "no"},
        {"brand_organic_toggle": 0},
    ],
)
def test_a_wrong_post_info_is_refused_in_both_modes(tiktok, mode, post_info):
    answer = tiktok.init_photos(tiktok.token(), [URL], mode=mode, post_info=post_info)
    assert refusal(answer) == (400, "invalid_params", POST_INFO)


@MODES
@pytest.mark.parametrize("post_info", [None, [], "x"])
def test_a_missing_post_info_is_refused_in_both_modes(tiktok, mode, post_info):
    body = {"media_type": "PHOTO", "post_mode": mode, "post_info": post_info, "source_info": {}}
    assert refusal(tiktok.post(INIT, tiktok.token(), body)) == (400, "invalid_params", POST_INFO)


@MODES
@pytest.mark.parametrize(
    "post_info",
    [
        {"title": "x" * 90, "description": "x" * 4000},
        {"title": "😀" * 45, "description": "😀" * 2000},
        {"title": None, "description": ""},
        {"auto_add_music": True, "disable_comment": None},
        {"disable_duet": "not looked at", "disable_stitch": 5, "is_aigc": "nor this"},
    ],
)
def test_these_post_infos_are_taken_in_both_modes(tiktok, mode, post_info):
    assert tiktok.init_photos(tiktok.token(), [URL], mode=mode, post_info=post_info).status_code == 200


def test_a_direct_post_needs_a_privacy_level_and_a_draft_none(tiktok):
    token = tiktok.token()
    without = {"privacy_level": None}
    assert refusal(tiktok.init_photos(token, [URL], post_info=without)) == (400, "invalid_params", POST_INFO)
    tiktok.settings(missing_privacy_level="privacy_level_option_mismatch")
    mismatch = (403, "privacy_level_option_mismatch")
    assert code(tiktok.init_photos(token, [URL], post_info=without)) == mismatch
    not_offered = {"privacy_level": "FOLLOWER_OF_CREATOR"}
    assert code(tiktok.init_photos(token, [URL], post_info=not_offered)) == mismatch
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD", post_info=not_offered).status_code == 200
    body = {"media_type": "PHOTO", "post_mode": "MEDIA_UPLOAD", "post_info": {}}
    source_info = {"source": "PULL_FROM_URL", "photo_images": [URL], "photo_cover_index": 0}
    assert tiktok.post(INIT, token, {**body, "source_info": source_info}).status_code == 200


def test_brand_toggles_are_required_by_the_documents_of_direct_posts_alone(tiktok):
    tiktok.settings(brand_toggles="required")
    token = tiktok.token()
    assert refusal(tiktok.init_photos(token, [URL])) == (400, "invalid_params", POST_INFO)
    both = {"brand_content_toggle": False, "brand_organic_toggle": False}
    assert tiktok.init_photos(token, [URL], post_info=both).status_code == 200
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200


@MODES
@pytest.mark.parametrize(
    "source_info",
    [
        {"source": None},
        {"source": "FILE_UPLOAD"},
        {"photo_images": None},
        {"photo_images": []},
        {"photo_images": [URL] * 36},
        {"photo_images": URL},
        {"photo_images": [URL, 5]},
        {"photo_images": [URL, None]},
        {"photo_images": [URL, ""]},
        {"photo_images": [URL, "http://media.emu.example/p/2.jpg"]},
        {"photo_images": [URL, "https://203.0.113.5/p/2.jpg"]},
        {"photo_cover_index": None},
        {"photo_cover_index": -1},
        {"photo_cover_index": 1},
        {"photo_cover_index": "0"},
        {"photo_cover_index": 0.0},
        {"photo_cover_index": False},
    ],
)
def test_a_wrong_source_info_is_refused_in_both_modes(tiktok, mode, source_info):
    answer = tiktok.init_photos(tiktok.token(), [URL], mode=mode, **source_info)
    assert refusal(answer) == (400, "invalid_params", SOURCE_INFO)


@pytest.mark.parametrize("source_info", [None, [], "x"])
def test_a_missing_source_info_is_refused(tiktok, source_info):
    body = {"media_type": "PHOTO", "post_mode": "MEDIA_UPLOAD", "post_info": {}, "source_info": source_info}
    assert refusal(tiktok.post(INIT, tiktok.token(), body)) == (400, "invalid_params", SOURCE_INFO)


@pytest.mark.parametrize(("count", "cover"), [(1, 0), (35, 0), (35, 34)])
def test_1_to_35_pictures_are_taken_with_any_of_them_as_cover(tiktok, count, cover):
    assert tiktok.init_photos(tiktok.token(), [URL] * count, photo_cover_index=cover).status_code == 200


@MODES
@pytest.mark.parametrize("foreign", [0, 1, 2])
def test_every_single_url_must_be_owned(tiktok, mode, foreign):
    urls = [URL] * 3
    urls[foreign] = "https://notemu.example/p/1.jpg"
    answer = tiktok.init_photos(tiktok.token(), urls, mode=mode)
    assert code(answer) == (403, "url_ownership_unverified")
    assert "data" not in answer.json()
    assert tiktok.log()["publishes"] == []


def test_each_mode_wants_its_own_scope(tiktok):
    publish = tiktok.token("emu_creator", "video.publish")
    upload = tiktok.token("emu_creator", "video.upload")
    neither = tiktok.token("emu_creator", "video.list")
    refused = (401, "scope_not_authorized")
    assert tiktok.init_photos(publish, [URL]).status_code == 200
    assert tiktok.init_photos(upload, [URL], mode="MEDIA_UPLOAD").status_code == 200
    assert code(tiktok.init_photos(upload, [URL])) == refused
    assert code(tiktok.init_photos(publish, [URL], mode="MEDIA_UPLOAD")) == refused
    assert code(tiktok.init_photos(neither, [URL], mode="ELSE")) == refused
    assert code(tiktok.init_photos(publish, [URL], mode="ELSE")) == (400, "invalid_params")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"post_mode":{}}', b'{"a":NaN}', b"[" * 100_000])
def test_a_body_that_is_no_request_is_refused(tiktok, body):
    headers = {"Authorization": f"Bearer {tiktok.token()}"}
    assert code(tiktok.session.post(f"{tiktok.url}{INIT}", data=body, headers=headers)) == (400, "invalid_params")


def test_a_token_has_6_calls_a_minute_apart_from_those_for_videos(tiktok):
    token = tiktok.token()
    for _ in range(6):
        assert tiktok.post(INIT, token, {}).status_code == 400
    assert code(tiktok.post(INIT, token, {})) == (429, "rate_limit_exceeded")
    assert tiktok.init(token).status_code == tiktok.init_draft(token).status_code == 200
    assert tiktok.post(INIT, tiktok.token(), {}).status_code == 400
    tiktok.advance(60)
    assert tiktok.post(INIT, token, {}).status_code == 400


def test_the_checks_have_an_order(tiktok):
    tiktok.app(audited=False)
    token = tiktok.token("emu_banned")
    foreign = ["https://notemu.example/p/1.jpg"]
    followers = {"privacy_level": "FOLLOWER_OF_CREATOR"}
    request = {"media_type": "PHOTO", "post_mode": "DIRECT_POST"}
    assert code(tiktok.post(INIT, "act.x", {})) == (401, "access_token_invalid")
    assert code(tiktok.post(INIT, tiktok.token("emu_banned", "video.list"), {})) == (401, "scope_not_authorized")
    assert refusal(tiktok.post(INIT, token, {"source_info": {}}))[2] == MODE
    assert refusal(tiktok.post(INIT, token, {**request, "source_info": {}}))[2] == POST_INFO
    assert refusal(tiktok.post(INIT, token, {**request, "post_info": followers}))[2] == SOURCE_INFO
    assert code(tiktok.init_photos(token, foreign, post_info=followers))[1] == "url_ownership_unverified"
    unaudited = "unaudited_client_can_only_post_to_private_accounts"
    assert code(tiktok.init_photos(token, [URL], post_info=followers)) == (403, unaudited)
    tiktok.app(audited=True)
    assert code(tiktok.init_photos(token, [URL], post_info=followers))[1] == "spam_risk_user_banned_from_posting"
    assert code(tiktok.init_photos(token, [URL], post_info=followers))[1] == "rate_limit_exceeded"


def test_a_banned_creator_is_refused_in_both_modes(tiktok):
    token = tiktok.token("emu_banned")
    banned = (403, "spam_risk_user_banned_from_posting")
    assert code(tiktok.init_photos(token, [URL])) == banned
    assert code(tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD")) == banned


def test_an_unaudited_app_may_make_drafts_but_no_public_posts(tiktok):
    tiktok.app(audited=False)
    token = tiktok.token()
    unaudited = (403, "unaudited_client_can_only_post_to_private_accounts")
    assert code(tiktok.init_photos(token, [URL], post_info={"privacy_level": "SELF_ONLY"})) == unaudited
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200
    private = tiktok.token("emu_private")
    assert tiktok.init_photos(private, [URL], post_info={"privacy_level": "SELF_ONLY"}).status_code == 200


def test_an_active_user_cap_holds_for_direct_posts_of_photos_alone(tiktok):
    tiktok.app(active_user_cap=0)
    token = tiktok.token()
    assert code(tiktok.init_photos(token, [URL])) == (403, "reached_active_user_cap")
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200
    tiktok.app(active_user_cap=1)
    assert tiktok.init_photos(token, [URL]).status_code == 200
    assert code(tiktok.init(tiktok.token("emu_private"))) == (403, "reached_active_user_cap")


def test_posts_of_photos_and_videos_share_the_days_cap(tiktok, clip):
    tiktok.user(daily_post_cap=1)
    token = tiktok.token()
    tiktok.publish(token, clip)
    assert code(tiktok.init_photos(token, [URL])) == (403, "spam_risk_too_many_posts")
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200
    tiktok.advance(86_500)
    assert tiktok.init_photos(tiktok.token(), [URL]).status_code == 200


def test_drafts_of_photos_and_videos_share_the_five_places_of_the_inbox(tiktok, clip):
    token = tiktok.token()
    for _ in range(3):
        tiktok.draft(token, clip)
    for _ in range(2):
        assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200
    full = (403, "spam_risk_too_many_pending_share")
    assert code(tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD")) == full
    assert code(tiktok.init_draft(token)) == full
    assert tiktok.init_photos(token, [URL]).status_code == 200
    tiktok.advance(100)
    video, *_ = tiktok.log()["publishes"]
    tiktok.admin("POST", "actions", {"action": "finish_draft", "publish_id": video["publish_id"]})
    assert tiktok.init_photos(token, [URL], mode="MEDIA_UPLOAD").status_code == 200


@MODES
def test_both_modes_have_publish_ids_of_one_form_and_no_upload_url(tiktok, mode):
    data = tiktok.init_photos(tiktok.token(), [URL], mode=mode).json()["data"]
    assert set(data) == {"publish_id"}
    assert re.fullmatch(r"p_pub_url~v2\.\d{19}", data["publish_id"])


def test_the_log_holds_no_query_of_a_picture(tiktok):
    signed = [f"{URL}?signature=hidden", f"{URL}?signature=hidden2"]
    assert tiktok.init_photos(tiktok.token(), signed).status_code == 200
    assert tiktok.init_photos(tiktok.token(), [*signed, 5]).status_code == 400
    assert "hidden" not in str(tiktok.log())
    assert tiktok.log()["publishes"][0]["photo_images"] == [URL, URL]
    assert tiktok.log()["calls"][0]["body"]["source_info"]["photo_images"] == [URL, URL]


@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
def test_a_fault_strikes_content_init_before_or_after_its_effect(tiktok, when, effects):
    tiktok.fault("content/init", {"code": "app_version_check_failed"}, when=when)
    assert code(tiktok.init_photos(tiktok.token(), [URL])) == (400, "app_version_check_failed")
    log = tiktok.log()
    assert [call["endpoint"] for call in log["calls"]] == ["content/init"]
    assert len(log["publishes"]) == effects
