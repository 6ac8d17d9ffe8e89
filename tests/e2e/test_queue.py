"""More posts than an account's limits allow, over HTTP only."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import requests

from tests.conftest import Film
from tests.e2e.client import Client, a_video

RACING = 8


def publications(client: Client, account: dict[str, Any]) -> dict[str, Any]:
    quota = client.get(f"/v2/accounts/{account['account_id']}/quota").json()
    return next(limit for limit in quota["limits"] if limit["name"] == "publish")


def test_of_racing_posts_exactly_six_go_out_and_the_others_hear_when(
    client: Client, account: dict[str, Any], film: Film
) -> None:
    def publish(_number: int) -> requests.Response:
        return client.publish(a_video(account, film.url), Prefer="respond-async")

    with ThreadPoolExecutor(RACING) as threads:
        answers = list(threads.map(publish, range(RACING)))
    accepted = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(accepted), len(refused)) == (6, RACING - 6), [answer.text for answer in answers]
    for answer in refused:
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
        assert answer.headers["RateLimit-Policy"] == '"publish";q=6;w=3600'
        assert answer.headers["RateLimit"] == f'"publish";r=0;t={answer.headers["Retry-After"]}'
        assert answer.json()["code"] == "RateLimitExceeded"
    ended = [client.wait(answer.json()["postSubmissionId"], seconds=120) for answer in accepted]
    assert [post["status"] for post in ended] == ["PUBLISH_COMPLETE"] * 6
    assert len(client.posts_of(account)) == 6
    told = publications(client, account)
    assert (told["limit"], told["used"], told["left"], len(told["frees"])) == (6, 6, 0, 6)
    _no_call_was_one_too_many(client, account)
    waiting = client.publish(a_video(account, film.url) | {"queueIfLimited": True})
    assert (waiting.status_code, waiting.json()["status"]) == (202, "QUEUED")
    turn = datetime.fromisoformat(waiting.json()["notBefore"])
    assert turn == datetime.fromisoformat(told["frees"][0])
    assert 0 < (turn - datetime.now(UTC)).total_seconds() <= 3600
    cancelled = client.change("DELETE", waiting.json()["postSubmissionId"])
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "CANCELLED")
    assert len(client.posts_of(account)) == 6


def _no_call_was_one_too_many(client: Client, account: dict[str, Any]) -> None:
    calls = client.sandbox("GET", "log")["calls"]
    own = [call for call in calls if call.get("open_id") == account["tiktok_open_id"]]
    assert len(own) > RACING
    assert [call for call in own if call["status"] == 429] == []


def test_bulk_takes_what_the_limits_allow_and_says_of_each_row_what_became_of_it(
    client: Client, account: dict[str, Any], film: Film
) -> None:
    rows = [a_video(account, film.url, text=f"Row {number}") for number in range(1, 9)]
    rows[2]["post"]["content"]["text"] = "x" * 3000
    body = {"posts": rows, "queueIfLimited": True}
    dry = client.bulk({**body, "dryRun": True})
    assert [result["success"] for result in dry.json()["results"]] == [number != 3 for number in range(1, 9)]
    assert client.opened_for(account) == []
    answer = client.bulk(body, **{"Idempotency-Key": f"bulk-{account['account_id']}"})
    results = answer.json()["results"]
    assert [result["row"] for result in results] == list(range(1, 9))
    assert [result.get("code") for result in results] == [None, None, "TextTooLong", *[None] * 5]
    assert ["notBefore" in result for result in results] == [False] * 7 + [True]
    again = client.bulk(body, **{"Idempotency-Key": f"bulk-{account['account_id']}"})
    assert [result.get("postSubmissionId") for result in again.json()["results"]] == [
        result.get("postSubmissionId") for result in results
    ]
    going = [result["postSubmissionId"] for result in results[:7] if result["success"]]
    assert [client.wait(post_id, seconds=120)["status"] for post_id in going] == ["PUBLISH_COMPLETE"] * 6
    assert len(client.posts_of(account)) == 6
