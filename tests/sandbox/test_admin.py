"""The operator's side: settings, clock, users, apps, grants, the log, reset."""

import json
from pathlib import Path

from local.tiktok.server import ROUTES
from local.tiktok.settings import Settings

README = (Path(__file__).parents[2] / "local/tiktok/README.md").read_text()


def refused(tiktok, method, path, **more):
    answer = tiktok.session.request(method, f"{tiktok.url}/_sandbox/{path}", **more)
    return answer.status_code, answer.json()["error"]


def test_settings_are_changed_one_by_one_and_checked(tiktok):
    assert tiktok.admin("PATCH", "settings", {"chunk_rules": "legacy"})["chunk_rules"] == "legacy"
    assert tiktok.admin("GET", "settings")["mb"] == "binary"
    assert refused(tiktok, "PATCH", "settings", json={"mb": "roman"})[0] == 400
    status, sentence = refused(tiktok, "PATCH", "settings", json={"chunk_rule": "legacy"})
    assert (status, sentence) == (400, "chunk_rule: Extra inputs are not permitted")
    assert refused(tiktok, "PATCH", "settings", data="{")[0] == 400
    assert refused(tiktok, "PATCH", "settings", json=["x"]) == (400, "the body must be a JSON object")


def test_the_clock_can_be_set_advanced_frozen_and_let_go(tiktok):
    assert tiktok.admin("POST", "clock", {"set": 1_800_000_000}) == {"now": 1_800_000_000, "frozen": True}
    assert tiktok.admin("POST", "clock", {"advance": 0.5})["now"] == 1_800_000_000.5
    assert tiktok.admin("POST", "clock", {"frozen": False, "set": 1_900_000_000})["frozen"] is False
    assert 1_900_000_000 < tiktok.admin("GET", "clock")["now"] < 1_900_000_100
    for wrong in ({"set": 5}, {"advance": 1e9}, {"set": "noon"}):
        assert refused(tiktok, "POST", "clock", json=wrong)[0] == 400
    assert refused(tiktok, "POST", "clock", data='{"advance": NaN}')[0] == 400
    assert 1_900_000_000 < tiktok.admin("GET", "clock")["now"] < 1_900_000_100


def test_users_are_made_changed_and_listed(tiktok):
    made = tiktok.admin("POST", "users", {"username": "new.one", "nickname": "New One", "is_private": True})
    assert made["max_video_post_duration_sec"] == 600
    tiktok.admin("PATCH", "users/new.one", {"max_video_post_duration_sec": 60, "nickname": "Newer"})
    info = tiktok.creator_info(tiktok.token("new.one")).json()["data"]
    assert (info["creator_nickname"], info["max_video_post_duration_sec"]) == ("Newer", 60)
    listed = [user["username"] for user in tiktok.admin("GET", "users")["users"]]
    assert listed == ["emu_creator", "emu_private", "emu_quiet", "emu_banned", "new.one"]
    assert refused(tiktok, "POST", "users", json={"username": "new.one", "nickname": "x"})[0] == 409
    assert refused(tiktok, "PATCH", "users/new.one", json={"username": "other"})[0] == 400
    assert refused(tiktok, "PATCH", "users/nobody", json={})[0] == 404
    assert refused(tiktok, "PATCH", "users/new.one", json={"privacy_level_options": ["ALL"]})[0] == 400


def test_apps_are_made_and_changed_within_the_portals_rules(tiktok):
    tiktok.admin("POST", "apps", {"client_key": "k", "client_secret": "s", "redirect_uris": ["https://a.example/cb"]})
    assert [app["client_key"] for app in tiktok.admin("GET", "apps")["apps"]] == ["sandbox-client-key", "k"]
    assert tiktok.admin("PATCH", "apps/k", {"audited": False})["audited"] is False
    assert refused(tiktok, "POST", "apps", json={"client_key": "k", "client_secret": "s"})[0] == 409
    assert refused(tiktok, "PATCH", "apps/k", json={"client_key": "other"})[0] == 400
    assert refused(tiktok, "PATCH", "apps/unknown", json={})[0] == 404
    for uri in ("http://a.example/cb", "https://a.example/cb?x=1", "https://a.example/cb#x", "/cb"):
        assert refused(tiktok, "PATCH", "apps/k", json={"redirect_uris": [uri]})[0] == 400
    assert refused(tiktok, "PATCH", "apps/k", json={"redirect_uris": ["https://a.example/"] * 11})[0] == 400
    assert refused(tiktok, "PATCH", "apps/k", json={"scopes": ["video.delete"]})[0] == 400


def test_a_grant_is_ready_without_the_consent_page(tiktok):
    tokens = tiktok.grant("emu_private", "video.upload")
    assert tokens["scope"] == "video.upload"
    assert tiktok.init_draft(tokens["access_token"]).status_code == 200
    assert "access_token" in tiktok.refresh(tokens["refresh_token"]).json()
    assert refused(tiktok, "POST", "grants", json={"username": "nobody"})[0] == 404
    assert refused(tiktok, "POST", "grants", json={"username": "emu_private", "scopes": ["x"]})[0] == 400


def test_actions_that_make_no_sense_are_refused(tiktok, clip):
    publish_id = tiktok.publish(tiktok.token(), clip)
    finish = {"action": "finish_draft", "publish_id": publish_id}
    assert refused(tiktok, "POST", "actions", json=finish)[0] == 409
    assert refused(tiktok, "POST", "actions", json={**finish, "publish_id": "x"})[0] == 404
    assert refused(tiktok, "POST", "actions", json={"action": "dance"})[0] == 400
    revoke = {"action": "revoke", "username": "emu_quiet"}
    assert refused(tiktok, "POST", "actions", json=revoke) == (409, "emu_quiet has not authorized sandbox-client-key")
    tiktok.advance(10)
    fail = {"action": "fail", "publish_id": publish_id, "fail_reason": "internal"}
    assert refused(tiktok, "POST", "actions", json=fail)[0] == 409


def test_unknown_admin_paths_are_404(tiktok):
    assert refused(tiktok, "GET", "unknown")[0] == 404
    assert refused(tiktok, "POST", "log")[0] == 404


def test_the_log_has_every_call_of_tiktok_and_none_of_the_operator(tiktok):
    tiktok.authorize()
    token = tiktok.token()
    tiktok.creator_info(token)
    answer = tiktok.init(token)
    tiktok.put(answer.json()["data"]["upload_url"], bytes(1000))
    tiktok.status(token, "unknown")
    tiktok.post("/v2/unknown/", token)
    calls = tiktok.log()["calls"]
    seen = [(call["number"], call["method"], call["endpoint"], call["status"], call.get("error")) for call in calls]
    assert seen == [
        (1, "GET", "authorize", 200, None),
        (2, "POST", "creator_info", 200, None),
        (3, "POST", "video/init", 200, None),
        (4, "PUT", "upload", 201, None),
        (5, "POST", "status", 400, "invalid_publish_id"),
        (6, "POST", None, 404, None),
    ]
    assert calls[2]["log_id"] == answer.headers["x-tt-logid"]
    assert calls[2]["publish_id"] == calls[3]["publish_id"] == answer.json()["data"]["publish_id"]
    assert calls[2]["body"]["post_info"]["title"] == "a caption #emu"
    assert len({call["open_id"] for call in calls[1:5]}) == 1
    assert calls[3]["content_range"] == "bytes 0-999/1000"


def test_the_log_holds_no_secret(tiktok):
    tiktok.app(verified_properties=["emu.example"])
    code = tiktok.code()
    tokens = tiktok.exchange(code).json()
    renewed = tiktok.refresh(tokens["refresh_token"]).json()
    upload_url = tiktok.init(renewed["access_token"]).json()["data"]["upload_url"]
    tiktok.put(upload_url, bytes(1000))
    signed = {"source": "PULL_FROM_URL", "video_url": "https://media.emu.example/v.mp4?signature=hidden"}
    assert tiktok.init(renewed["access_token"], source_info=signed).status_code == 200
    log = json.dumps(tiktok.log())
    secrets = [code, tokens["access_token"], tokens["refresh_token"], renewed["access_token"], "sandbox-client-secret"]
    for secret in [*secrets, upload_url.rpartition("=")[2], "hidden", "abcdefghijklmnopqrstuvwxyz-"]:
        assert secret not in log


def test_the_log_tells_a_publish_from_its_plan_to_its_outcome(tiktok, clip):
    publish_id = tiktok.publish(tiktok.token(), clip)
    tiktok.advance(100)
    [publish] = tiktok.log()["publishes"]
    assert publish["publish_id"] == publish_id
    assert publish["post_info"] == {"privacy_level": "PUBLIC_TO_EVERYONE", "title": "a caption #emu"}
    assert (publish["video_size"], publish["chunk_size"], publish["total_chunk_count"]) == (len(clip), len(clip), 1)
    assert (publish["media"]["container"], publish["media"]["codec"], publish["media"]["width"]) == ("mp4", "h264", 360)
    assert [status for _, status in publish["timeline"]] == ["PROCESSING_UPLOAD", "PUBLISH_COMPLETE"]
    assert 2 <= publish["timeline"][1][0] - publish["timeline"][0][0] < 2.1


def test_a_reset_starts_over_but_never_gives_an_id_twice(tiktok, clip):
    tiktok.settings(mb="decimal")
    token = tiktok.token()
    first = tiktok.publish(token, clip)
    tiktok.admin("POST", "reset")
    tiktok.admin("POST", "clock", {"frozen": True, "set": 1_795_348_800})
    assert tiktok.log()["publishes"] == tiktok.log()["calls"] == []
    assert tiktok.admin("GET", "settings")["mb"] == "binary"
    assert tiktok.creator_info(token).status_code == 401
    assert tiktok.publish(tiktok.token(), clip) > first


def test_the_readme_lists_every_setting_with_its_default_and_every_endpoint():
    for name, field in Settings.model_fields.items():
        default = "none" if field.default is None else json.dumps(field.default).strip('"')
        assert f"| `{name}` | {default} |" in README
    for route in ROUTES:
        assert route.path in README
        assert f"`{route.endpoint}`" in README
