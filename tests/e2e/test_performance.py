"""How accounts and videos fare, over HTTP only; the clock of the service is helped where a day would pass."""

import csv
import io
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import requests

from tests.e2e.client import Client, a_video

FIGURES = {"view_count": 1200, "like_count": 90, "comment_count": 7, "share_count": 11}
IN_CAMEL = {"viewCount": 1200, "likeCount": 90, "commentCount": 7, "shareCount": 11}
PUBLIC_WITHIN = 20
"""Seconds until the sandbox, which moderates for three, shows a video to everybody."""


@pytest.fixture(scope="module", autouse=True)
def collect(ready: dict[str, Any]) -> Callable[[], None]:
    """Let the collection run now, and never by its schedule, so that nobody else asks TikTok meanwhile."""
    session = boto3.Session("anybody", "anything", region_name="us-east-1")
    scheduler = session.client("scheduler", endpoint_url=ready["s3"])
    pages = scheduler.get_paginator("list_schedules").paginate()
    (every_five_minutes,) = [
        one["Name"] for page in pages for one in page["Schedules"] if one["Name"].endswith("-collect-stats")
    ]
    scheduler.delete_schedule(Name=every_five_minutes)
    functions = session.client("lambda", endpoint_url=ready["s3"])
    pages = functions.get_paginator("list_functions").paginate()
    names = [one["FunctionName"] for page in pages for one in page["Functions"]]
    (name,) = [name for name in names if "CollectStats" in name]

    def run() -> dict[str, Any]:
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        errors: dict[str, Any] = json.load(answer["Payload"])["errors"]
        return errors

    def run_well() -> None:
        assert run() == {}

    run()  # an account that other tests left without its rights is an error once, and then put off for a day
    return run_well


@pytest.fixture(scope="module")
def connected(client: Client) -> dict[str, Any]:
    return client.new_account()


def metrics(client: Client, account: dict[str, Any], **more: str) -> requests.Response:
    return client.get("/api/performance/metrics", params={"account_id": account["account_id"], **more})


def videos(client: Client, account: dict[str, Any], rest: str = "", **query: Any) -> requests.Response:
    return client.get(f"/v2/accounts/{account['account_id']}/videos{rest}", params=query)


def history(client: Client, account: dict[str, Any], **query: str) -> requests.Response:
    return client.get(f"/v2/accounts/{account['account_id']}/history", params=query)


def asked(client: Client, account: dict[str, Any], *endpoints: str) -> int:
    """How often TikTok was asked about an account."""
    calls = client.sandbox("GET", "log")["calls"]
    return sum(call.get("open_id") == account["tiktok_open_id"] and call["endpoint"] in endpoints for call in calls)


def fares(client: Client, video_id: str, **figures: int) -> None:
    client.sandbox("PATCH", f"videos/{video_id}", figures)


def films_of(client: Client, creator: str) -> list[str]:
    return [str(one["video_id"]) for one in client.sandbox("GET", "videos")["videos"] if one["username"] == creator]


def published(client: Client, account: dict[str, Any], url: str) -> dict[str, Any]:
    """Publish, and return the post when everybody can see it."""
    post_id = client.publish_and_wait(a_video(account, url)).post["postSubmissionId"]
    until = time.monotonic() + PUBLIC_WITHIN
    while True:
        shown = client.sandbox("GET", "log")["posts"]
        if any(one["username"] == account["tiktok_username"] and one["announced"] for one in shown):
            post: dict[str, Any] = client.get(f"/v2/posts/{post_id}").json()
            return post
        assert time.monotonic() < until, shown
        time.sleep(0.3)


def test_a_published_video_is_shown_with_its_figures_and_again_without_asking_tiktok(client: Client, creator, film):
    account = client.connect(creator)
    published(client, account, film.url)
    (video_id,) = films_of(client, creator)
    fares(client, video_id, **FIGURES)
    before = asked(client, account, "user_info", "video/list")

    first = metrics(client, account, platform="tiktok")
    assert first.status_code == 200, first.text
    said = first.json()
    assert set(said) == {
        *("success", "account_id", "platform", "cached_at", "as_of", "missing_scopes", "metrics", "videos")
    }
    assert (said["success"], said["platform"], said["account_id"]) == (True, "tiktok", account["account_id"])
    assert (said["cached_at"], said["missing_scopes"]) == (None, [])
    assert said["metrics"]["likes_count"] == 90
    assert said["metrics"]["video_count"] == 1
    (video,) = said["videos"]
    assert FIGURES.items() <= video.items()
    assert (video["id"], video["video_description"]) == (video_id, "A rabbit #film #rabbit #spring")
    assert video["duration"] > 0
    now = client.sandbox("GET", "clock")["now"]
    assert abs(datetime.fromisoformat(video["create_time"]).timestamp() - now) < 120
    assert requests.get(video["cover_image_url"], timeout=40).headers["Content-Type"] == "image/jpeg"
    assert video_id in video["share_url"]

    fares(client, video_id, view_count=5000)
    again = metrics(client, account).json()
    assert again == {**said, "cached_at": said["as_of"]}
    assert asked(client, account, "user_info", "video/list") == before + 2


def test_of_readers_at_the_same_moment_one_asks_tiktok_and_all_are_answered(client: Client, account):
    client.sandbox("POST", "videos", {"username": account["tiktok_username"], "count": 3})
    before = asked(client, account, "user_info", "video/list")
    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(lambda _: metrics(client, account), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({json.dumps({**answer.json(), "cached_at": None}) for answer in answers}) == 1
    assert sum(answer.json()["cached_at"] is None for answer in answers) == 1
    assert asked(client, account, "user_info", "video/list") == before + 2


def test_what_the_creator_did_not_allow_is_null_and_named(client: Client, creator, collect):
    account = client.connect(creator, scopes=("user.info.basic", "video.publish"))
    said = metrics(client, account).json()
    assert said["missing_scopes"] == ["user.info.stats", "video.list"]
    assert set(said["metrics"].values()) == {None}
    assert said["videos"] is None
    page = videos(client, account).json()
    assert (page["videos"], page["hasMore"], page["cursor"]) == (None, False, None)
    assert page["missingScopes"] == ["user.info.stats", "video.list"]
    collect()
    (day,) = history(client, account).json()["days"]
    assert (day["followerCount"], day["collected"]["videos"]) == (None, 0)


def test_pages_lead_newest_first_through_all_videos(client: Client, creator):
    client.sandbox("POST", "videos", {"username": creator, "count": 45})
    account = client.connect(creator)
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = videos(client, account, limit=20, **cursor).json()
        pages.append(page["videos"])
        if not page["hasMore"]:
            break
        cursor = {"cursor": page["cursor"]}
    assert page["cursor"] is None
    assert [len(page) for page in pages] == [20, 20, 5]
    shown = [video for page in pages for video in page]
    assert sorted(video["id"] for video in shown) == sorted(films_of(client, creator))
    assert [video["createTime"] for video in shown] == sorted((video["createTime"] for video in shown), reverse=True)


def test_a_post_and_its_video_lead_to_each_other(client: Client, creator, film, collect):
    account = client.connect(creator)
    post = published(client, account, film.url)
    assert "metrics" not in post or post["metrics"]["viewCount"] == 0
    (video_id,) = films_of(client, creator)
    fares(client, video_id, **FIGURES)
    one = videos(client, account, f"/{video_id}").json()
    assert one["video"]["id"] == video_id
    assert IN_CAMEL.items() <= one["video"].items()
    assert list(one["ages"]) == ["1h", "6h", "24h", "72h", "7d"]
    assert one["ages"]["1h"]["viewCount"] is None

    collect()  # an account whose figures somebody asked for is due
    post = client.get(f"/v2/posts/{post['postSubmissionId']}").json()
    assert IN_CAMEL.items() <= post["metrics"].items()
    assert post["metrics"]["asOf"]
    if post["postIds"]:
        assert one.get("postSubmissionId", post["postSubmissionId"]) == post["postSubmissionId"]
    assert videos(client, account, "/7000000000000000000").status_code == 404


def test_an_account_is_collected_from_when_it_is_connected(client: Client, creator, collect):
    client.sandbox("POST", "videos", {"username": creator, "count": 2, "days": 3})
    old, new = films_of(client, creator)
    for video_id, views in ((old, 30), (new, 12)):
        fares(client, video_id, view_count=views, like_count=3, comment_count=2, share_count=1)
    account = client.connect(creator)
    collect()
    collect()
    (day,) = history(client, account).json()["days"]
    assert day["date"] in (today := datetime.now(UTC).date().isoformat(), day["asOf"][:10])
    assert day["videoCount"] == 2
    assert day["collected"] == {"videos": 2, "viewCount": 42, "likeCount": 6, "commentCount": 4, "shareCount": 2}
    (of_one,) = history(client, account, videoId=new).json()["days"]
    assert of_one == {**of_one, "date": day["date"], "viewCount": 12, "likeCount": 3}
    assert history(client, account, since="2026-01-01", until="2026-01-02").json()["days"] == []

    table = history(client, account, format="csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in table.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert row["date"] == day["date"] <= today
    assert (row["video_count"], row["collected_view_count"]) == ("2", "42")
    (row,) = csv.DictReader(io.StringIO(history(client, account, format="csv", videoId=old).text))
    assert (row["view_count"], row["share_count"]) == ("30", "1")


def test_a_hundred_questions_a_day_are_asked_and_kept_answers_come_after_them(client: Client, account):
    with ThreadPoolExecutor(8) as readers:
        answers = list(readers.map(lambda cursor: videos(client, account, cursor=cursor), range(1, 101)))
    assert {answer.status_code for answer in answers} == {200}
    refused = videos(client, account, cursor=101)
    assert (refused.status_code, refused.json()["code"]) == (429, "RateLimitExceeded")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    assert refused.headers["RateLimit-Policy"] == '"performance";q=100;w=86400'
    assert videos(client, account, cursor=100).json()["cachedAt"]
    quota = client.get(f"/v2/accounts/{account['account_id']}/quota").json()
    (limit,) = [limit for limit in quota["limits"] if limit["name"] == "performance"]
    assert (limit["used"], limit["left"]) == (100, 0)


@pytest.mark.parametrize(
    ("path", "query", "refusal"),
    [
        ("/api/performance/metrics", {}, (400, "MissingParameter")),
        ("/api/performance/metrics", {"account_id": "mine", "platform": "instagram"}, (400, "InvalidPlatform")),
        ("/api/performance/metrics", {"account_id": "00000000-0000-4000-8000-000000000000"}, (404, "NotFound")),
        ("/api/performance/metrics", {"account_id": "../accounts"}, (404, "NotFound")),
        ("/v2/accounts/mine/videos", {"limit": "0"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/videos", {"limit": "21"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/videos", {"cursor": "soon"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/videos", {"cursor": "9" * 40}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/videos", {"page": "2"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/videos/film", {}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/history", {"since": "yesterday"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/history", {"since": "2026-02-02", "until": "2026-02-01"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/history", {"since": "2026-01-01", "until": "2026-12-31"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/history", {"format": "xlsx"}, (400, "InvalidRequest")),
        ("/v2/accounts/mine/history", {"videoId": "=1+1"}, (400, "InvalidRequest")),
    ],
)
def test_a_question_that_cannot_be_is_told_so_and_tiktok_is_not_asked(client: Client, connected, path, query, refusal):
    path = path.replace("mine", connected["account_id"])
    query = {name: connected["account_id"] if value == "mine" else value for name, value in query.items()}
    answer = client.get(path, params=query)
    assert (answer.status_code, answer.json()["code"]) == refusal, answer.text
    assert asked(client, connected, "video/list", "video/query") == 0
