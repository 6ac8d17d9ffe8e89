"""What is refused, with which code, HTTP status and message, and in which order."""

import json
import re

import pytest

INIT = "/v2/post/publish/video/init/"
DRAFT = "/v2/post/publish/inbox/video/init/"
GUIDE = "https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide"
POST_INFO = "The request post info is empty or incorrect"
SOURCE_INFO = "The request source info is empty or incorrect"
WHOLE = {"source": "FILE_UPLOAD", "video_size": 1000, "chunk_size": 1000, "total_chunk_count": 1}


def refusal(answer):
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def test_the_envelope_has_sorted_keys_and_a_log_id_that_the_header_repeats(tiktok):
    answer = tiktok.creator_info(tiktok.token())
    assert answer.headers["Content-Type"].startswith("application/json")
    assert list(answer.json()) == ["data", "error"]
    assert list(answer.json()["data"]) == sorted(answer.json()["data"])
    log_id = answer.json()["error"]["log_id"]
    assert re.fullmatch(r"20261122120000[0-9A-F]{20}", log_id)
    assert answer.headers["x-tt-logid"] == log_id


@pytest.mark.parametrize(
    "path",
    [
        "/v2/post/publish/video/init",
        "/v2/post/publish/status/fetch",
        "/v2/oauth/token",
        "/v2/unknown/",
    ],
)
def test_a_path_without_its_slash_is_no_path(tiktok, path):
    assert tiktok.post(path, tiktok.token(), {}).status_code == 404


def test_another_method_is_refused(tiktok):
    assert tiktok.session.get(f"{tiktok.url}{INIT}").status_code == 405
    assert tiktok.session.head(f"{tiktok.url}{INIT}").status_code == 405


@pytest.mark.parametrize("path", [INIT, DRAFT, "/v2/post/publish/creator_info/query/", "/v2/post/publish/cancel/"])
def test_without_a_good_token_nothing_is_looked_at(tiktok, path):
    url = f"{tiktok.url}{path}"
    invalid = (401, "access_token_invalid", "The access token is invalid or not found in the request.")
    malformed = (400, "invalid_params", "Invalid authorization header. Please check the format.")
    assert refusal(tiktok.session.post(url)) == invalid
    assert refusal(tiktok.session.post(url, headers={"Authorization": "Bearer act.unknown"})) == invalid
    assert refusal(tiktok.session.post(url, headers={"Authorization": f"Basic {tiktok.token()}"})) == malformed
    assert refusal(tiktok.session.post(url, headers={"Authorization": tiktok.token()})) == malformed


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        (INIT, "video.upload"),
        (DRAFT, "video.publish"),
        ("/v2/post/publish/creator_info/query/", "video.upload"),
        ("/v2/post/publish/status/fetch/", "user.info.basic"),
        ("/v2/post/publish/cancel/", "user.info.basic"),
    ],
)
def test_each_endpoint_wants_its_scope(tiktok, path, scope):
    assert refusal(tiktok.post(path, tiktok.token("emu_creator", scope), {})) == (
        401,
        "scope_not_authorized",
        "The user did not authorize the scope required for completing this request.",
    )


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (INIT, 6),
        (DRAFT, 6),
        ("/v2/post/publish/creator_info/query/", 20),
        ("/v2/post/publish/status/fetch/", 30),
    ],
)
def test_a_token_has_so_many_calls_in_a_sliding_minute(tiktok, path, limit):
    token = tiktok.token()
    tiktok.post(path, token, {})
    tiktok.advance(30)
    for _ in range(limit - 1):
        assert code(tiktok.post(path, token, {})) != (429, "rate_limit_exceeded")
    assert code(tiktok.post(path, token, {})) == (429, "rate_limit_exceeded")
    assert code(tiktok.post(path, tiktok.token(), {})) != (429, "rate_limit_exceeded")
    tiktok.advance(29)
    assert code(tiktok.post(path, token, {})) == (429, "rate_limit_exceeded")
    tiktok.advance(1)
    assert code(tiktok.post(path, token, {})) != (429, "rate_limit_exceeded")
    assert code(tiktok.post(path, token, {})) == (429, "rate_limit_exceeded")


def test_user_info_has_600_calls_a_minute(tiktok):
    token = tiktok.token()
    answers = [tiktok.user_info(token, "open_id").status_code for _ in range(601)]
    assert answers == [200] * 600 + [429]


def test_endpoints_are_limited_apart_from_each_other(tiktok):
    token = tiktok.token()
    for _ in range(6):
        assert tiktok.post(INIT, token, {}).status_code == 400
    assert tiktok.init_draft(token).status_code == 200


def test_limits_can_be_switched_off(tiktok):
    tiktok.settings(enforce_rate_limits=False)
    token = tiktok.token()
    assert {tiktok.init(token).status_code for _ in range(10)} == {200}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(tiktok, body):
    headers = {"Authorization": f"Bearer {tiktok.token()}"}
    assert code(tiktok.session.post(f"{tiktok.url}{INIT}", data=body, headers=headers)) == (400, "invalid_params")


@pytest.mark.parametrize("body", [None, b"", b"{}"])
def test_creator_info_needs_no_body(tiktok, body):
    headers = {"Authorization": f"Bearer {tiktok.token()}"}
    answer = tiktok.session.post(f"{tiktok.url}/v2/post/publish/creator_info/query/", data=body, headers=headers)
    assert answer.status_code == 200


def test_a_body_may_come_in_chunks(tiktok):
    body = json.dumps({"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": WHOLE}).encode()
    headers = {"Authorization": f"Bearer {tiktok.token()}"}
    pieces = iter([body[:10], body[10:]])
    assert tiktok.session.post(f"{tiktok.url}{INIT}", data=pieces, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "post_info",
    [
        {"title": "x" * 2201},
        {"title": "😀" * 1101},
        {"title": 7},
        {"disable_comment": "true"},
        {"brand_content_toggle": 1},
        {"is_aigc": "no"},
        {"video_cover_timestamp_ms": "1000"},
        {"video_cover_timestamp_ms": True},
        {"privacy_level": None},
        {"privacy_level": ""},
        {"privacy_level": ["SELF_ONLY"]},
    ],
)
def test_a_wrong_post_info_is_refused_as_a_whole(tiktok, post_info):
    assert refusal(tiktok.init(tiktok.token(), post_info=post_info)) == (400, "invalid_params", POST_INFO)


@pytest.mark.parametrize("post_info", [None, [], "x"])
def test_a_missing_post_info_is_refused(tiktok, post_info):
    answer = tiktok.post(INIT, tiktok.token(), {"post_info": post_info, "source_info": WHOLE})
    assert refusal(answer) == (400, "invalid_params", POST_INFO)


@pytest.mark.parametrize(
    "post_info",
    [
        {"title": "x" * 2200},
        {"title": "😀" * 1100},
        {"title": None},
        {"title": ""},
        {"video_cover_timestamp_ms": -5},
        {"video_cover_timestamp_ms": 10**12},
        {"disable_comment": None},
        {"brand_content_toggle": True, "privacy_level": "SELF_ONLY"},
        {"unknown_field": 1},
    ],
)
def test_these_post_infos_are_taken(tiktok, post_info):
    assert tiktok.init(tiktok.token(), post_info=post_info).status_code == 200


@pytest.mark.parametrize(
    "source_info",
    [
        [],
        {},
        {"source": "FILE"},
        {**WHOLE, "video_size": None},
        {**WHOLE, "video_size": "1000"},
        {**WHOLE, "video_size": 1000.0},
        {**WHOLE, "video_size": 0},
        {**WHOLE, "chunk_size": -1},
        {**WHOLE, "total_chunk_count": 0},
        {**WHOLE, "total_chunk_count": True},
        {"source": "PULL_FROM_URL"},
        {"source": "PULL_FROM_URL", "video_url": 5},
        {"source": "PULL_FROM_URL", "video_url": "http://media.emu.example/v.mp4"},
        {"source": "PULL_FROM_URL", "video_url": "https://203.0.113.5/v.mp4"},
        {"source": "PULL_FROM_URL", "video_url": "https://[::1]/v.mp4"},
        {"source": "PULL_FROM_URL", "video_url": "https://[/v.mp4"},
    ],
)
@pytest.mark.parametrize("path", [INIT, DRAFT])
def test_a_wrong_source_info_is_refused_as_a_whole(tiktok, path, source_info):
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": source_info}
    assert refusal(tiktok.post(path, tiktok.token(), body)) == (400, "invalid_params", SOURCE_INFO)


def test_a_missing_privacy_level_is_a_mismatch_by_the_documents(tiktok):
    tiktok.settings(missing_privacy_level="privacy_level_option_mismatch")
    answer = tiktok.init(tiktok.token(), post_info={"privacy_level": None})
    assert code(answer) == (403, "privacy_level_option_mismatch")


@pytest.mark.parametrize(
    ("username", "level"),
    [
        ("emu_creator", "FOLLOWER_OF_CREATOR"),
        ("emu_creator", "EVERYONE"),
        ("emu_private", "PUBLIC_TO_EVERYONE"),
    ],
)
def test_a_privacy_level_must_be_one_of_the_live_options(tiktok, username, level):
    token = tiktok.token(username)
    assert code(tiktok.init(token, post_info={"privacy_level": level})) == (403, "privacy_level_option_mismatch")
    tiktok.settings(privacy_mismatch_status=400)
    assert code(tiktok.init(token, post_info={"privacy_level": level})) == (400, "privacy_level_option_mismatch")


def test_the_options_follow_the_account(tiktok):
    token = tiktok.token()

    def options():
        return tiktok.creator_info(token).json()["data"]["privacy_level_options"]

    assert options() == ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
    tiktok.user(is_private=True)
    assert options() == ["FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"]
    tiktok.user(privacy_level_options=["SELF_ONLY"])
    assert options() == ["SELF_ONLY"]


def test_brand_toggles_are_required_by_the_documents(tiktok):
    tiktok.settings(brand_toggles="required")
    token = tiktok.token()
    assert refusal(tiktok.init(token)) == (400, "invalid_params", POST_INFO)
    both = {"brand_content_toggle": False, "brand_organic_toggle": False}
    assert tiktok.init(token, post_info=both).status_code == 200


def test_a_pull_wants_a_verified_property(tiktok):
    token = tiktok.token()
    pull = {"source": "PULL_FROM_URL", "video_url": "https://media.emu.example/v/1.mp4?sig=x"}
    for answer in (tiktok.init(token, source_info=pull), tiktok.init_draft(token, pull)):
        assert refusal(answer) == (
            403,
            "url_ownership_unverified",
            f"Please review our URL ownership verification rules at {GUIDE}/#pull_from_url",
        )
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("verified", "url", "owned"),
    [
        ("emu.example", "https://media.emu.example/v.mp4", True),
        ("media.emu.example", "https://emu.example/v.mp4", False),
        ("emu.example", "https://notemu.example/v.mp4", False),
        ("https://emu.example/media/", "https://emu.example/media/v.mp4", True),
        ("https://emu.example/media/", "https://emu.example/other/v.mp4", False),
        ("https://emu.example/media/", "https://media.emu.example/media/v.mp4", False),
    ],
)
def test_ownership_covers_a_domain_with_its_subdomains_or_one_prefix(tiktok, verified, url, owned):
    tiktok.app(verified_properties=[verified])
    answer = tiktok.init(tiktok.token(), source_info={"source": "PULL_FROM_URL", "video_url": url})
    assert answer.status_code == (200 if owned else 403)


def test_an_unaudited_app_posts_only_to_private_accounts_and_only_for_the_creator(tiktok):
    tiktok.app(audited=False)
    public, private = tiktok.token("emu_creator"), tiktok.token("emu_private")
    refused = (403, "unaudited_client_can_only_post_to_private_accounts")
    assert code(tiktok.init(public, post_info={"privacy_level": "SELF_ONLY"})) == refused
    assert code(tiktok.init(private, post_info={"privacy_level": "MUTUAL_FOLLOW_FRIENDS"})) == refused
    assert tiktok.init(private, post_info={"privacy_level": "SELF_ONLY"}).status_code == 200
    assert tiktok.init_draft(public).status_code == 200
    tiktok.settings(unaudited_rule="self_only")
    assert tiktok.init(public, post_info={"privacy_level": "SELF_ONLY"}).status_code == 200


def test_an_unaudited_app_may_see_all_options_or_one(tiktok):
    tiktok.app(audited=False)
    token = tiktok.token()
    assert "PUBLIC_TO_EVERYONE" in tiktok.creator_info(token).json()["data"]["privacy_level_options"]
    tiktok.settings(unaudited_creator_info="self_only")
    assert tiktok.creator_info(token).json()["data"]["privacy_level_options"] == ["SELF_ONLY"]


def test_an_unaudited_app_has_five_active_users_a_day(tiktok):
    tiktok.app(audited=False)
    for number in range(6):
        tiktok.admin("POST", "users", {"username": f"user{number}", "nickname": "U", "is_private": True})
    only_me = {"privacy_level": "SELF_ONLY"}
    tokens = [tiktok.token(f"user{number}") for number in range(6)]
    for token in tokens[:5]:
        assert tiktok.init(token, post_info=only_me).status_code == 200
    assert code(tiktok.init(tokens[5], post_info=only_me)) == (403, "reached_active_user_cap")
    assert code(tiktok.creator_info(tokens[5])) == (200, "reached_active_user_cap")
    assert tiktok.init(tokens[0], post_info=only_me).status_code == 200


def test_an_audited_app_can_have_an_active_user_cap_too(tiktok):
    tiktok.app(active_user_cap=0)
    assert code(tiktok.init(tiktok.token())) == (403, "reached_active_user_cap")


def test_a_banned_creator_is_refused_everywhere_and_under_200_by_creator_info(tiktok):
    token = tiktok.token("emu_banned")
    banned = "spam_risk_user_banned_from_posting"
    assert code(tiktok.init(token)) == (403, banned)
    assert code(tiktok.init_draft(token)) == (403, banned)
    answer = tiktok.creator_info(token)
    assert code(answer) == (200, banned)
    assert answer.json()["data"] == {}


def test_fifteen_direct_posts_a_day_over_all_apps(tiktok, clip):
    tiktok.settings(enforce_rate_limits=False, processing_seconds_per_gb=0)
    tiktok.admin("POST", "apps", {"client_key": "other", "client_secret": "s"})
    token = tiktok.token()
    other = tiktok.admin("POST", "grants", {"username": "emu_creator", "client_key": "other"})["access_token"]
    for number in range(15):
        tiktok.publish(other if number % 2 else token, clip)
    spam = "spam_risk_too_many_posts"
    assert refusal(tiktok.init(token)) == (
        403,
        spam,
        "You have created too many posts in the last 24 hours via the API",
    )
    blocked = tiktok.creator_info(token)
    assert (code(blocked), blocked.json()["data"]) == ((200, spam), {})
    assert tiktok.init_draft(token).status_code == 200
    tiktok.advance(2)
    assert code(tiktok.init(token)) == (403, spam)
    tiktok.advance(86_399)
    assert code(tiktok.init(tiktok.token())) == (403, spam)
    tiktok.advance(1)
    assert tiktok.init(tiktok.token()).status_code == 200


def test_an_upload_without_its_bytes_counts_for_no_post(tiktok):
    tiktok.settings(enforce_rate_limits=False)
    token = tiktok.token()
    assert {tiktok.init(token).status_code for _ in range(20)} == {200}


def test_five_drafts_may_wait_in_the_inbox(tiktok, clip):
    token = tiktok.token()
    drafts = [tiktok.draft(token, clip) for _ in range(5)]
    assert code(tiktok.init_draft(token)) == (403, "spam_risk_too_many_pending_share")
    tiktok.advance(60)
    tiktok.admin("POST", "actions", {"action": "finish_draft", "publish_id": drafts[0]})
    assert tiktok.init_draft(token).status_code == 200
    assert code(tiktok.init_draft(token)) == (403, "spam_risk_too_many_pending_share")


@pytest.mark.parametrize(("cap", "status"), [("24h", 200), ("until_handled", 403)])
def test_waiting_a_day_frees_the_inbox_or_not(tiktok, clip, cap, status):
    tiktok.settings(pending_share_cap=cap)
    token = tiktok.token()
    for _ in range(5):
        tiktok.draft(token, clip)
    tiktok.advance(86_400)
    assert tiktok.init_draft(tiktok.token()).status_code == status


def test_the_first_of_several_mistakes_is_told(tiktok):
    """Authorization, token, scope, rate, JSON, post_info, source_info, ownership, audit, ban, privacy."""
    tiktok.app(audited=False)
    url = f"{tiktok.url}{INIT}"
    token = tiktok.token("emu_banned")
    pull = {"source": "PULL_FROM_URL", "video_url": "https://media.emu.example/v.mp4"}
    followers = {"privacy_level": "FOLLOWER_OF_CREATOR"}
    assert tiktok.session.post(url, data="{", headers={"Authorization": "x"}).status_code == 400
    assert code(tiktok.post(INIT, "act.x", {})) == (401, "access_token_invalid")
    assert code(tiktok.post(INIT, tiktok.token("emu_banned", "video.list"), {})) == (401, "scope_not_authorized")
    assert refusal(tiktok.post(INIT, token, {"source_info": {}}))[2] == POST_INFO
    assert refusal(tiktok.post(INIT, token, {"post_info": followers, "source_info": {}}))[2] == SOURCE_INFO
    assert code(tiktok.init(token, post_info=followers, source_info=pull))[1] == "url_ownership_unverified"
    assert code(tiktok.init(token, post_info=followers))[1] == "unaudited_client_can_only_post_to_private_accounts"
    tiktok.app(audited=True)
    assert code(tiktok.init(token, post_info=followers))[1] == "spam_risk_user_banned_from_posting"
    tiktok.user("emu_banned", banned=False)
    assert code(tiktok.init(token, post_info=followers))[1] == "privacy_level_option_mismatch"
    assert code(tiktok.post(INIT, token, {}))[1] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("setting", "present"), [({}, False), ({"error_data": "empty"}, True)], ids=["absent", "empty"]
)
def test_a_refusal_has_no_data_or_empty_data(tiktok, setting, present):
    tiktok.settings(**setting)
    assert ("data" in tiktok.init(tiktok.token(), source_info={"source": "x"}).json()) is present


def test_the_documents_other_names_can_be_switched_on(tiktok):
    tiktok.settings(invalid_params_code="invalid_param", log_id_key="logid")
    error = tiktok.init(tiktok.token(), source_info={"source": "x"}).json()["error"]
    assert error["code"] == "invalid_param"
    assert set(error) == {"code", "message", "logid"}


def test_status_and_cancel_know_only_the_callers_own_publish_ids(tiktok):
    mine, other = tiktok.token(), tiktok.token("emu_private")
    publish_id = tiktok.init(mine).json()["data"]["publish_id"]
    foreign = (400, "token_not_authorized_for_specified_publish_id")
    assert code(tiktok.status(other, publish_id)) == foreign
    assert code(tiktok.cancel(other, publish_id)) == foreign
    for wrong in ("v_pub_file~v2-1.1", None, 5):
        assert code(tiktok.status(mine, wrong)) == (400, "invalid_publish_id")
    assert tiktok.status(tiktok.token(), publish_id).status_code == 200


def test_user_info_gives_the_asked_fields_of_granted_scopes(tiktok):
    token = tiktok.token("emu_creator", "user.info.basic")
    assert set(tiktok.user_info(token, "open_id,display_name").json()["data"]["user"]) == {"open_id", "display_name"}
    assert code(tiktok.user_info(token, "")) == (400, "invalid_params")
    assert code(tiktok.user_info(token, "open_id,shoe_size")) == (400, "invalid_params")
    assert code(tiktok.user_info(token, "open_id,username")) == (401, "scope_not_authorized")
    tiktok.settings(missing_field_scope="scope_permission_missed")
    assert code(tiktok.user_info(token, "open_id,username")) == (400, "scope_permission_missed")
    tiktok.settings(missing_field_scope="empty")
    user = tiktok.user_info(token, "display_name,username,follower_count,is_verified").json()["data"]["user"]
    assert user == {"display_name": "Emu Creator", "follower_count": 0, "is_verified": False, "username": ""}


def test_a_user_has_one_open_id_an_app_and_one_union_id(tiktok):
    tiktok.admin("POST", "apps", {"client_key": "other", "client_secret": "s"})
    other = tiktok.admin("POST", "grants", {"username": "emu_creator", "client_key": "other"})["access_token"]
    first, second = (
        tiktok.user_info(token, "open_id,union_id").json()["data"]["user"] for token in (tiktok.token(), other)
    )
    assert first["union_id"] == second["union_id"]
    assert first["open_id"] != second["open_id"]
