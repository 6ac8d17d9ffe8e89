"""The user's figures, and the public videos with theirs: pages, fields, growth, covers."""

import io
import itertools
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from local.tiktok.server import Sandbox

NOON = 1_795_348_800
DAY = 86_400
FIGURES = ("view_count", "like_count", "comment_count", "share_count")
ALL_FIELDS = (
    "id,create_time,cover_image_url,share_url,video_description,title,duration,height,width,embed_html,embed_link,"
    "like_count,comment_count,share_count,view_count"
)


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


def listed(tiktok, token, fields="id", **body):
    return tiktok.video_list(token, fields, body).json()["data"]


def ids(data):
    return [video["id"] for video in data["videos"]]


def figures(tiktok, token, video_id):
    (video,) = tiktok.video_query(token, [video_id], ",".join(FIGURES)).json()["data"]["videos"]
    return tuple(video[name] for name in FIGURES)


def user(tiktok, token, name):
    return tiktok.user_info(token, name).json()["data"]["user"][name]


def published(tiktok, token, clip, **post_info):
    """The public id of a post, as soon as there is one."""
    publish_id = tiktok.publish(token, clip, **post_info)
    tiktok.advance(10)
    return tiktok.state(token, publish_id).get("publicaly_available_post_id", [None])[0]


def test_a_published_video_is_listed_under_its_public_id_with_what_is_true_of_it(tiktok, film):
    token = tiktok.token()
    post_id = published(tiktok, token, film(width=400, height=720, seconds=2), title="Ein Hase <3 #emu")
    (video,) = listed(tiktok, token, ALL_FIELDS)["videos"]
    assert set(video) == set(ALL_FIELDS.split(","))
    assert video["id"] == str(post_id)
    assert video["create_time"] == NOON + 2
    assert (video["title"], video["video_description"]) == ("Ein Hase <3 #emu", "Ein Hase <3 #emu")
    assert (video["duration"], video["width"], video["height"]) == (2, 400, 720)
    assert video["share_url"].startswith(f"https://www.tiktok.com/@emu_creator/video/{post_id}?utm_")
    assert video["embed_link"].startswith(f"https://www.tiktok.com/embed/v2/{post_id}?")
    assert str(post_id) in video["embed_html"]
    assert "Ein Hase &lt;3" in video["embed_html"]


def test_texts_end_after_150_characters(tiktok, clip):
    token = tiktok.token()
    published(tiktok, token, clip, title="é" * 151)
    (video,) = listed(tiktok, token, "title,video_description")["videos"]
    assert video == {"title": "é" * 150, "video_description": "é" * 150}


def test_only_what_the_public_can_see_is_there(tiktok, clip):
    token = tiktok.token()
    assert published(tiktok, token, clip, privacy_level="SELF_ONLY") is None
    tiktok.settings(moderation_seconds=60)
    publish_id = tiktok.publish(token, clip)
    tiktok.advance(10)
    assert (ids(listed(tiktok, token)), user(tiktok, token, "video_count")) == ([], 0)
    tiktok.advance(60)
    (post_id,) = tiktok.state(token, publish_id)["publicaly_available_post_id"]
    assert (ids(listed(tiktok, token)), user(tiktok, token, "video_count")) == ([str(post_id)], 1)


def test_photo_posts_are_no_videos(tiktok, host, picture):
    tiktok.settings(pull_local_urls=True)
    tiktok.app(verified_properties=[host.url])
    token = tiktok.token()
    publish_id = tiktok.init_photos(token, [host.serve("1.jpg", picture())]).json()["data"]["publish_id"]
    tiktok.pulled(publish_id)
    tiktok.advance(10)
    (post_id,) = tiktok.state(token, publish_id)["publicaly_available_post_id"]
    assert (ids(listed(tiktok, token)), user(tiktok, token, "video_count")) == ([], 0)
    assert tiktok.video_query(token, [str(post_id)]).json()["data"] == {"videos": []}


def test_a_video_that_is_hidden_leaves_the_list_and_the_sums_until_it_is_shown_again(tiktok, clip):
    token = tiktok.token()
    of_app = tiktok.add_videos()[0]["video_id"]
    of_post = published(tiktok, token, clip)
    tiktok.admin("PATCH", f"videos/{of_app}", {"like_count": 5})
    tiktok.admin("PATCH", f"videos/{of_post}", {"like_count": 7})
    for post_id, left in ((of_app, of_post), (of_post, of_app)):
        tiktok.admin("POST", "actions", {"action": "withdraw", "post_id": post_id})
        assert ids(listed(tiktok, token)) == [str(left)]
        assert tiktok.video_query(token, [str(post_id)]).json()["data"]["videos"] == []
        assert (user(tiktok, token, "video_count"), user(tiktok, token, "likes_count")) == (
            1,
            5 if left == of_app else 7,
        )
        tiktok.admin("POST", "actions", {"action": "show_again", "post_id": post_id})
    assert len(ids(listed(tiktok, token))) == 2


@pytest.mark.parametrize(("action", "status"), [("withdraw", 200), ("show_again", 409)])
def test_an_added_video_is_hidden_and_shown_in_turn(tiktok, action, status):
    post_id = tiktok.add_videos()[0]["video_id"]
    body = {"action": action, "post_id": post_id}
    assert tiktok.session.post(f"{tiktok.url}/_sandbox/actions", json=body).status_code == status
    assert tiktok.session.post(f"{tiktok.url}/_sandbox/actions", json=body).status_code == 409


# Pages
def test_pages_lead_newest_first_through_every_video_once(tiktok):
    added = [str(video["video_id"]) for video in tiktok.add_videos(count=500, days=100)]
    token = tiktok.token()
    seen, page = [], {"cursor": None, "has_more": True}
    while page["has_more"]:
        page = listed(tiktok, token, cursor=page["cursor"], max_count=20)
        seen += ids(page)
    assert seen == added[::-1]
    assert len(tiktok.log()["calls"]) == 25


def test_the_cursor_is_the_last_videos_time_in_milliseconds(tiktok):
    tiktok.add_videos(count=3, days=3)
    page = listed(tiktok, tiktok.token(), "create_time", max_count=2)
    assert page == {
        "videos": [{"create_time": NOON - DAY}, {"create_time": NOON - 2 * DAY}],
        "cursor": (NOON - 2 * DAY) * 1000,
        "has_more": True,
    }


def test_a_page_has_ten_videos_unless_told_otherwise(tiktok):
    tiktok.add_videos(count=11)
    token = tiktok.token()
    first = tiktok.session.post(
        f"{tiktok.url}/v2/video/list/", params={"fields": "id"}, headers={"Authorization": f"Bearer {token}"}
    ).json()["data"]
    assert (len(first["videos"]), first["has_more"]) == (10, True)
    second = listed(tiktok, token, cursor=first["cursor"])
    assert (len(second["videos"]), second["has_more"]) == (1, False)
    assert listed(tiktok, token, cursor=second["cursor"]) == {
        "videos": [],
        "cursor": second["cursor"],
        "has_more": False,
    }


def test_videos_of_one_moment_are_told_apart_by_the_cursor(tiktok, clip):
    token = tiktok.token()
    for _ in range(3):
        tiktok.publish(token, clip)
    tiktok.advance(10)
    pages = [listed(tiktok, token, max_count=2)]
    pages.append(listed(tiktok, token, max_count=2, cursor=pages[0]["cursor"]))
    assert [len(set(ids(page))) for page in pages] == [2, 1]
    assert len(set(ids(pages[0]) + ids(pages[1]))) == 3


def test_an_account_without_videos_has_an_empty_page(tiktok):
    assert listed(tiktok, tiktok.token()) == {"videos": [], "cursor": NOON * 1000, "has_more": False}


# Named videos
def test_foreign_unknown_and_repeated_ids_are_left_out(tiktok):
    own, older = (str(video["video_id"]) for video in tiktok.add_videos(count=2))
    foreign = str(tiktok.add_videos("emu_quiet")[0]["video_id"])
    answer = tiktok.video_query(tiktok.token(), [older, foreign, own, "7575000000000009999", "shoe", older])
    assert answer.json()["data"] == {"videos": [{"id": older}, {"id": own}]}


# What is refused
@pytest.mark.parametrize("fields", ["", ",", "id,reach", "open_id"])
def test_fields_must_be_named_and_known(tiktok, fields):
    token = tiktok.token()
    assert code(tiktok.video_list(token, fields, {})) == (400, "invalid_params")
    assert code(tiktok.video_query(token, ["1"], fields)) == (400, "invalid_params")


@pytest.mark.parametrize(
    "body",
    [
        {"max_count": 0},
        {"max_count": 21},
        {"max_count": "10"},
        {"max_count": True},
        {"max_count": 10.5},
        {"cursor": -1},
        {"cursor": "1790000000000"},
        {"cursor": 2**63},
        [],
    ],
)
def test_a_page_that_cannot_be_is_refused(tiktok, body):
    assert code(tiktok.video_list(tiktok.token(), "id", body)) == (400, "invalid_params")


@pytest.mark.parametrize("ids", [None, [], "7575000000000000001", [7575000000000000001], ["1"] * 21, {"1": "1"}])
def test_ids_that_cannot_be_are_refused(tiktok, ids):
    assert code(tiktok.video_query(tiktok.token(), ids)) == (400, "invalid_params")


def test_videos_need_their_scope_and_a_token(tiktok):
    token = tiktok.token("emu_creator", "user.info.basic", "user.info.stats", "video.publish")
    for ask in (tiktok.video_list, tiktok.video_query):
        assert code(ask(token, ["1"])) == (401, "scope_not_authorized")
        assert code(ask("act.made-up", ["1"])) == (401, "access_token_invalid")


def test_each_endpoint_has_600_calls_a_minute(tiktok):
    token = tiktok.token()
    answers = [tiktok.video_list(token, "id", {}).status_code for _ in range(601)]
    assert answers == [200] * 600 + [429]
    assert tiktok.video_query(token, ["1"]).status_code == 200
    tiktok.advance(60)
    assert tiktok.video_list(token, "id", {}).status_code == 200


def test_faults_strike_and_the_log_tells_what_was_asked(tiktok):
    tiktok.add_videos(count=3)
    token = tiktok.token()
    tiktok.fault("video/list", {"code": "internal_error"})
    tiktok.fault("video/query", "cut_json", when="after")
    assert code(tiktok.video_list(token, "id", {"max_count": 2})) == (500, "internal_error")
    assert tiktok.video_query(token, ["1"]).status_code == 200
    assert len(listed(tiktok, token, max_count=2)["videos"]) == 2
    calls = tiktok.log()["calls"]
    assert [call["endpoint"] for call in calls] == ["video/list", "video/query", "video/list"]
    assert [call["fault"] is None for call in calls] == [False, False, True]
    assert (calls[2]["fields"], calls[2]["body"], calls[2]["videos"]) == (["id"], {"max_count": 2}, 2)


# Growth
def test_figures_begin_at_zero_and_grow_plausibly_without_ever_falling(tiktok, clip):
    post_id = str(published(tiktok, tiktok.token(), clip))
    series = [figures(tiktok, tiktok.token(), post_id)]
    for _ in range(40):
        tiktok.advance(DAY / 4)
        series.append(figures(tiktok, tiktok.token(), post_id))
    for earlier, later in itertools.pairwise(series):
        assert all(before <= after for before, after in zip(earlier, later, strict=True))
    views, likes, comments, shares = series[-1]
    assert 150 <= views <= 100_000
    assert 0.03 * views - 1 <= likes <= 0.12 * views + 1
    assert comments < likes
    assert shares < likes
    assert series[20][0] - series[0][0] > series[40][0] - series[20][0]


def test_a_video_of_no_age_has_nothing(tiktok, clip):
    tiktok.settings(processing_seconds=0, processing_seconds_per_gb=0, moderation_seconds=0)
    token = tiktok.token()
    tiktok.publish(token, clip)
    (video,) = listed(tiktok, token, ",".join(FIGURES))["videos"]
    assert set(video.values()) == {0}


def test_every_video_fares_in_its_own_way(tiktok):
    tiktok.add_videos(count=20, days=0.001)
    tiktok.advance(30 * DAY)
    views = [video["view_count"] for video in listed(tiktok, tiktok.token(), "view_count", max_count=20)["videos"]]
    assert len(set(views)) == 20
    assert max(views) > 10 * min(views)


def test_a_users_figures_are_the_sum_of_what_the_videos_brought(tiktok):
    token = tiktok.token()
    assert [user(tiktok, token, name) for name in ("follower_count", "likes_count", "video_count")] == [1204, 0, 0]
    tiktok.add_videos(count=15, days=5)
    likes = listed(tiktok, token, "like_count", max_count=20)["videos"]
    assert user(tiktok, token, "likes_count") == sum(video["like_count"] for video in likes) > 0
    assert user(tiktok, token, "video_count") == 15
    followers = user(tiktok, token, "follower_count")
    assert followers > 1204
    tiktok.advance(DAY)
    token = tiktok.token()
    assert user(tiktok, token, "follower_count") > followers
    tiktok.user(follower_count=0, following_count=3)
    assert user(tiktok, token, "following_count") == 3
    assert 0 < user(tiktok, token, "follower_count") < followers


def test_followers_stay_when_a_video_goes(tiktok):
    token = tiktok.token()
    video_id = tiktok.add_videos()[0]["video_id"]
    followers = user(tiktok, token, "follower_count")
    tiktok.admin("POST", "actions", {"action": "withdraw", "post_id": video_id})
    assert user(tiktok, token, "follower_count") == followers > 1204


def test_figures_are_the_same_after_a_restart(tmp_path, connect):
    def told(tiktok):
        token = tiktok.token()
        return listed(tiktok, token, ",".join(("id", *FIGURES))), user(tiktok, token, "follower_count")

    with Sandbox(state=tmp_path) as sandbox:
        tiktok = connect(sandbox.url)
        tiktok.admin("POST", "clock", {"frozen": True, "set": NOON})
        video = tiktok.add_videos(count=5)[0]
        tiktok.admin("PATCH", f"videos/{video['video_id']}", {"view_count": 12})
        before = told(tiktok)
    with Sandbox(state=tmp_path) as sandbox:
        assert told(connect(sandbox.url)) == before


# The operator
def test_figures_are_set_and_let_go_again(tiktok):
    token = tiktok.token()
    video_id = str(tiktok.add_videos()[0]["video_id"])
    natural = figures(tiktok, token, video_id)
    tiktok.admin("PATCH", f"videos/{video_id}", {"view_count": 5, "share_count": 0})
    assert figures(tiktok, token, video_id) == (5, natural[1], natural[2], 0)
    tiktok.admin("PATCH", f"videos/{video_id}", {"view_count": None})
    assert figures(tiktok, token, video_id) == (*natural[:3], 0)


def test_the_operator_sees_every_video_with_its_figures(tiktok, clip):
    token = tiktok.token()
    post_id = published(tiktok, token, clip)
    video_id = tiktok.add_videos("emu_quiet", title="old", duration=7, width=720, height=1280)[0]["video_id"]
    tiktok.admin("POST", "actions", {"action": "withdraw", "post_id": post_id})
    seen = {video["video_id"]: video for video in tiktok.admin("GET", "videos")["videos"]}
    assert set(seen) == {post_id, video_id}
    assert (seen[post_id]["is_public"], seen[video_id]["is_public"]) == (False, True)
    added = seen[video_id]
    assert (added["title"], added["duration"], added["width"], added["height"]) == ("old 1", 7, 720, 1280)
    assert all(isinstance(added[name], int) for name in FIGURES)


def test_the_same_videos_come_again_after_a_reset(tiktok):
    before = tiktok.add_videos(count=3)
    tiktok.admin("POST", "reset")
    tiktok.admin("POST", "clock", {"frozen": True, "set": NOON})
    assert tiktok.add_videos(count=3) == before
    assert len({video["video_id"] for video in before + tiktok.add_videos(count=3)}) == 6


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "videos", {"username": "nobody"}, 404),
        ("POST", "videos", {"username": "emu_creator", "count": 0}, 400),
        ("PATCH", "videos/1", {"view_count": 1}, 404),
    ],
)
def test_a_wrong_call_of_the_operator_is_told(tiktok, method, path, body, status):
    answer = tiktok.session.request(method, f"{tiktok.url}/_sandbox/{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_nothing_is_older_than_the_clock_can_show(tiktok):
    tiktok.admin("POST", "clock", {"set": 1_000_000_000 + DAY})
    body = {"username": "emu_creator", "days": 2}
    assert tiktok.session.post(f"{tiktok.url}/_sandbox/videos", json=body).status_code == 400


def test_a_negative_figure_is_refused(tiktok):
    video_id = tiktok.add_videos()[0]["video_id"]
    answer = tiktok.session.patch(f"{tiktok.url}/_sandbox/videos/{video_id}", json={"view_count": -1})
    assert answer.status_code == 400


# Covers
def test_a_cover_is_a_small_jpeg_for_six_hours(tiktok):
    tiktok.add_videos(count=2)
    first, second = (video["cover_image_url"] for video in listed(tiktok, tiktok.token(), "cover_image_url")["videos"])
    answer = tiktok.session.get(first)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("JPEG", (135, 240))
    assert tiktok.session.get(second).content != answer.content
    tiktok.advance(6 * 3600 - 1)
    assert tiktok.session.get(first).status_code == 200
    tiktok.advance(1)
    assert tiktok.session.get(first).status_code == 403


def test_a_cover_without_its_signature_or_its_video_is_not_served(tiktok):
    video_id = tiktok.add_videos()[0]["video_id"]
    url = listed(tiktok, tiktok.token(), "cover_image_url")["videos"][0]["cover_image_url"]
    expires = parse_qs(urlsplit(url).query)["x-expires"][0]
    assert tiktok.session.get(url.replace(expires, str(int(expires) + 1))).status_code == 403
    assert tiktok.session.get(f"{tiktok.url}/cover/").status_code == 403
    tiktok.admin("POST", "actions", {"action": "withdraw", "post_id": video_id})
    assert tiktok.session.get(url).status_code == 404
