"""Posts that go out at a time, over HTTP only. All of them are scheduled at once, and waited for once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest
import requests

from tests.conftest import Film
from tests.e2e.client import Client, a_video

AHEAD = 65
"""Seconds from the first request to the time of the posts; the least that the API takes is 60."""
LATE = 60
"""Seconds that a post may start late."""


@dataclass
class Scheduled:
    """What was scheduled, and the moment at which it was to start."""

    account: dict[str, Any]
    at: datetime
    goes: requests.Response
    edited: requests.Response
    cancelled: requests.Response
    moved_away: requests.Response
    moved_here: requests.Response
    cancelled_as_it_fires: requests.Response
    cancels: list[requests.Response]


def scheduled(account: dict[str, Any], url: str, at: datetime, **changes: Any) -> dict[str, Any]:
    return {**a_video(account, url, **changes), "scheduledTime": at.isoformat()}


def post_id(answer: requests.Response) -> str:
    return str(answer.json()["postSubmissionId"])


def started_at(post: dict[str, Any]) -> datetime:
    return next(datetime.fromisoformat(moment["at"]) for moment in post["timeline"] if moment["step"] == "Due")


def in_time(post: dict[str, Any], at: datetime) -> bool:
    return timedelta(seconds=-2) <= started_at(post) - at <= timedelta(seconds=LATE)


@pytest.fixture(scope="module")
def all_of_them(client: Client, film: Film) -> Scheduled:
    account = client.new_account()
    far = (datetime.now(UTC) + timedelta(days=300)).replace(microsecond=0)

    def take(at: datetime, **changes: Any) -> requests.Response:
        return client.publish(scheduled(account, film.url, at, **changes))

    # The functions that take and that change posts begin to run before the minute does.
    moved_here = take(far, text="Is moved to now")
    client.change("PATCH", post_id(moved_here), {"scheduledTime": (far + timedelta(days=1)).isoformat()})
    at = (datetime.now(UTC) + timedelta(seconds=AHEAD)).replace(microsecond=0)
    goes = client.publish(
        a_video(account, film.url, text="Goes out #film")
        | {
            "scheduledTime": at.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None).isoformat(),
            "timezone": "Europe/Berlin",
        }
    )
    edited = take(at, text="A caption with a mistkae")
    cancelled = take(at, text="Is cancelled")
    moved_away = take(at, text="Is moved to another year")
    cancelled_as_it_fires = take(at, text="Is cancelled as it fires")
    changes = [
        client.change("PATCH", post_id(edited), {"post": {"content": {"text": "A caption without one #film"}}}),
        client.change("PATCH", post_id(moved_away), {"scheduledTime": far.isoformat()}),
        client.change("PATCH", post_id(moved_here), {"scheduledTime": at.isoformat()}),
        client.change("DELETE", post_id(cancelled)),
    ]
    assert [change.status_code for change in changes] == [200] * 4, [change.text for change in changes]
    time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
    with ThreadPoolExecutor() as threads:
        coming = [threads.submit(client.change, "DELETE", post_id(cancelled_as_it_fires)) for _ in range(2)]
        cancels = [cancel.result() for cancel in coming]
    return Scheduled(account, at, goes, edited, cancelled, moved_away, moved_here, cancelled_as_it_fires, cancels)


@pytest.fixture(scope="module")
def schedules(ready: dict[str, Any]) -> Callable[[], list[str]]:
    """Return the names of all schedules that there are."""
    scheduler = boto3.client(
        "scheduler",
        endpoint_url=ready["s3"],
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        region_name="us-east-1",
    )
    pages = scheduler.get_paginator("list_schedules")
    return lambda: [schedule["Name"] for page in pages.paginate() for schedule in page["Schedules"]]


@pytest.fixture
def ended(client: Client) -> Callable[[requests.Response], dict[str, Any]]:
    return lambda answer: client.wait(post_id(answer), seconds=LATE + 60)


def test_a_scheduled_post_says_so_at_once(all_of_them: Scheduled) -> None:
    said = all_of_them.goes.json()
    assert (all_of_them.goes.status_code, said["status"], said["success"]) == (202, "SCHEDULED", True)
    assert datetime.fromisoformat(said["scheduledTime"]) == all_of_them.at


def test_a_scheduled_post_goes_out_at_its_time(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    post = ended(all_of_them.goes)
    assert post["status"] == "PUBLISH_COMPLETE"
    assert in_time(post, all_of_them.at)
    assert [there["title"] for there in client.posts_of(all_of_them.account)].count("Goes out #film") == 1


def test_a_post_that_was_edited_goes_out_as_it_was_edited(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    assert ended(all_of_them.edited)["status"] == "PUBLISH_COMPLETE"
    captions = [there["title"] for there in client.posts_of(all_of_them.account)]
    assert "A caption without one #film" in captions
    assert "A caption with a mistkae" not in captions


def test_a_post_that_was_moved_goes_out_at_its_new_time_only(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    assert in_time(ended(all_of_them.moved_here), all_of_them.at)
    away = client.get(f"/v2/posts/{post_id(all_of_them.moved_away)}").json()
    assert away["status"] == "SCHEDULED"
    assert [there["title"] for there in client.posts_of(all_of_them.account)].count("Is moved to now") == 1
    assert client.change("DELETE", post_id(all_of_them.moved_away)).json()["status"] == "CANCELLED"


def test_a_cancelled_post_never_goes_out(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    ended(all_of_them.goes)
    post = client.get(f"/v2/posts/{post_id(all_of_them.cancelled)}").json()
    assert post["status"] == "CANCELLED"
    assert "Is cancelled" not in [there["title"] for there in client.posts_of(all_of_them.account)]


def test_a_post_cancelled_twice_in_the_second_it_fires_has_one_outcome_and_both_are_told_it(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    post = ended(all_of_them.cancelled_as_it_fires)
    there = [one["title"] for one in client.posts_of(all_of_them.account)].count("Is cancelled as it fires")
    said = [(cancel.status_code, cancel.json().get("status")) for cancel in all_of_them.cancels]
    if post["status"] == "CANCELLED":
        assert (there, (200, "CANCELLED") in said) == (0, True)
    else:
        assert (post["status"], there, [status for status, _ in said]) == ("PUBLISH_COMPLETE", 1, [409, 409])


def test_a_published_post_can_be_neither_cancelled_nor_edited_nor_retried(
    client: Client, all_of_them: Scheduled, ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    ended(all_of_them.goes)
    known = post_id(all_of_them.goes)
    answers = [
        client.change("DELETE", known),
        client.change("PATCH", known, {"post": {"content": {"text": "Too late"}}}),
        client.change("POST", f"{known}/retry"),
    ]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert all(answer.json()["message"] for answer in answers)


def test_the_schedule_of_a_post_is_gone_when_it_has_run(
    all_of_them: Scheduled, schedules: Callable[[], list[str]], ended: Callable[[requests.Response], dict[str, Any]]
) -> None:
    ended(all_of_them.goes)
    over = (post_id(all_of_them.goes), post_id(all_of_them.cancelled))
    until = time.monotonic() + 30
    while any(name.startswith(over) for name in schedules()):
        assert time.monotonic() < until, schedules()
        time.sleep(0.5)
