"""The canonical exchanges of the contract, shape for shape."""

import re

ID = r"7\d{18}"
OK = {"code": "ok", "message": ""}


def body(answer):
    content = answer.json()
    assert content["error"].pop("log_id") == answer.headers["x-tt-logid"]
    return content


def test_user_info(tiktok):
    tiktok.user(avatar_url="https://cdn.emu.example/a.jpeg")
    fields = "open_id,union_id,display_name,avatar_url,username,follower_count"
    answer = body(tiktok.user_info(tiktok.token(), fields))
    user = answer["data"]["user"]
    assert re.fullmatch(r"-000[0-9a-f]{32}", user.pop("open_id"))
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", user.pop("union_id"))
    assert answer == {
        "data": {
            "user": {
                "avatar_url": "https://cdn.emu.example/a.jpeg",
                "display_name": "Emu Creator",
                "follower_count": 1204,
                "username": "emu_creator",
            }
        },
        "error": OK,
    }


def test_creator_info(tiktok):
    tiktok.user(stitch_disabled=True, avatar_url="https://cdn.emu.example/c.webp")
    assert body(tiktok.creator_info(tiktok.token())) == {
        "data": {
            "comment_disabled": False,
            "creator_avatar_url": "https://cdn.emu.example/c.webp",
            "creator_nickname": "Emu Creator",
            "creator_username": "emu_creator",
            "duet_disabled": False,
            "max_video_post_duration_sec": 600,
            "privacy_level_options": ["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"],
            "stitch_disabled": True,
        },
        "error": OK,
    }


def test_creator_info_of_a_blocked_creator(tiktok):
    tiktok.user(daily_post_cap=0)
    answer = tiktok.creator_info(tiktok.token())
    assert answer.status_code == 200
    assert body(answer) == {
        "data": {},
        "error": {
            "code": "spam_risk_too_many_posts",
            "message": "You have created too many posts in the last 24 hours via the API",
        },
    }


def test_a_direct_post_of_50_million_bytes_in_four_chunks(tiktok):
    post_info = {
        "privacy_level": "SELF_ONLY",
        "title": "demo caption #emu",
        "disable_comment": True,
        "disable_duet": True,
        "disable_stitch": True,
        "video_cover_timestamp_ms": 1500,
        "brand_content_toggle": False,
        "brand_organic_toggle": False,
        "is_aigc": False,
    }
    size, chunk = 50_000_123, 10_485_760
    plan = {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk, "total_chunk_count": 4}
    answer = body(tiktok.init(tiktok.token(), post_info=post_info, source_info=plan))
    assert answer["error"] == OK
    assert set(answer["data"]) == {"publish_id", "upload_url"}
    assert re.fullmatch(rf"v_pub_file~v2-1\.{ID}", answer["data"]["publish_id"])
    assert re.fullmatch(
        rf"{tiktok.url}/upload\?upload_id={ID}&upload_token=[0-9a-f-]{{36}}", answer["data"]["upload_url"]
    )
    url = answer["data"]["upload_url"]
    content = bytes(18_542_843)
    answers = [
        tiktok.put(url, content[:chunk], size, 0),
        tiktok.put(url, content[:chunk], size, chunk),
        tiktok.put(url, content[:chunk], size, 2 * chunk),
        tiktok.put(url, content, size, 3 * chunk),
    ]
    assert [answer.status_code for answer in answers] == [206, 206, 206, 201]
    assert answers[3].headers["Content-Range"] == f"bytes 0-{size}/{size}"


def test_a_draft_by_url(tiktok):
    tiktok.app(verified_properties=["emu.example"])
    pull = {"source": "PULL_FROM_URL", "video_url": "https://media.emu.example/v/1.mp4"}
    answer = body(tiktok.init_draft(tiktok.token(), pull))
    assert re.fullmatch(rf"v_inbox_url~v2\.{ID}", answer["data"].pop("publish_id"))
    assert answer == {"data": {}, "error": OK}


def test_a_direct_post_of_three_pictures(tiktok):
    tiktok.app(verified_properties=["emu.example"])
    tiktok.settings(pull_delay_seconds=3_600)  # that host is nowhere
    request = {
        "media_type": "PHOTO",
        "post_mode": "DIRECT_POST",
        "post_info": {
            "title": "three frames",
            "description": "longer text #emu",
            "privacy_level": "SELF_ONLY",
            "disable_comment": True,
            "auto_add_music": False,
            "brand_content_toggle": False,
            "brand_organic_toggle": False,
        },
        "source_info": {
            "source": "PULL_FROM_URL",
            "photo_cover_index": 0,
            "photo_images": [
                "https://media.emu.example/p/1.jpg",
                "https://media.emu.example/p/2.jpg",
                "https://media.emu.example/p/3.webp",
            ],
        },
    }
    answer = body(tiktok.post("/v2/post/publish/content/init/", tiktok.token(), request))
    assert re.fullmatch(rf"p_pub_url~v2\.{ID}", answer["data"].pop("publish_id"))
    assert answer == {"data": {}, "error": OK}


def test_a_draft_ignores_its_post_info(tiktok):
    source_info = {"source": "FILE_UPLOAD", "video_size": 9, "chunk_size": 9, "total_chunk_count": 1}
    request = {"post_info": "nonsense", "source_info": source_info}
    answer = tiktok.post("/v2/post/publish/inbox/video/init/", tiktok.token(), request)
    assert re.fullmatch(rf"v_inbox_file~v2\.{ID}", body(answer)["data"]["publish_id"])


def test_cancel(tiktok):
    token = tiktok.token()
    publish_id = tiktok.init(token).json()["data"]["publish_id"]
    assert body(tiktok.cancel(token, publish_id)) == {"error": OK}
