"""Files dropped in S3 become posts; whoever has only S3 sees what became of them."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import boto3
import pytest

from tests.conftest import Film
from tests.e2e.client import Client
from tests.e2e.pictures import picture

SECONDS = 150
"""A drop waits half a minute for its sidecar, and its result is written within a minute of its end."""
IN_A_MONTH = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
PUBLIC = {"privacyLevel": "PUBLIC_TO_EVERYONE"}


class Bucket(NamedTuple):
    """The drop bucket, as a person with S3 access and nothing else has it."""

    s3: Any
    name: str

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.name, Key=key, Body=data)

    def result(self, key: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the result beside a file when it says what is wanted."""
        until, said = time.monotonic() + SECONDS, None
        while time.monotonic() < until:
            said = self._read(f"{key}.result.json")
            if said is not None and wanted(said):
                return said
            time.sleep(0.5)
        raise AssertionError(f"the result of {key} says {said}")

    def _read(self, key: str) -> dict[str, Any] | None:
        try:
            return dict(json.load(self.s3.get_object(Bucket=self.name, Key=key)["Body"]))
        except self.s3.exceptions.NoSuchKey:
            return None


def published(result: dict[str, Any]) -> bool:
    return result.get("status") == "PUBLISH_COMPLETE"


@pytest.fixture(scope="module")
def bucket(ready: dict[str, Any]) -> Bucket:
    s3 = boto3.client(
        "s3",
        endpoint_url=ready["s3"],
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        region_name="us-east-1",
    )
    return Bucket(s3, ready["dropBucket"])


@pytest.fixture(scope="module", autouse=True)
def dropped(client: Client, bucket: Bucket, film: Film) -> dict[str, dict[str, Any]]:
    """Drop everything at once, each for an account of its own, so that it is waited for once."""
    names = ("with a sidecar", "alone", "carousel", "without privacy", "scheduled")
    accounts = {name: client.new_account() for name in names}
    folders = {name: f"autopublish/{account['account_id']}" for name, account in accounts.items()}
    data = film.path.read_bytes()
    client.set_defaults(accounts["alone"], PUBLIC)
    bucket.put(f"{folders['alone']}/alone.mp4", data)
    bucket.put(f"{folders['without privacy']}/nobody.mp4", data)
    said = {**PUBLIC, "text": "Dropped #film"}
    bucket.put(f"{folders['with a sidecar']}/rabbit film.mp4.json", json.dumps(said).encode())
    bucket.put(f"{folders['with a sidecar']}/rabbit film.mp4", data)
    mornings: dict[str, object] = {
        **PUBLIC,
        "text": "Two mornings",
        "photoTitle": "Mornings",
        "files": ["2.png", "1.png"],
    }
    bucket.put(f"{folders['carousel']}/mornings/post.json", json.dumps(mornings).encode())
    bucket.put(f"{folders['carousel']}/mornings/1.png", picture(640, 640, "PNG"))
    bucket.put(f"{folders['carousel']}/mornings/2.png", picture(640, 480, "PNG"))
    later = {**PUBLIC, "scheduledTime": IN_A_MONTH.isoformat()}
    bucket.put(f"{folders['scheduled']}/later.mp4.json", json.dumps(later).encode())
    bucket.put(f"{folders['scheduled']}/later.mp4", data)
    return {name: {**account, "folder": folders[name]} for name, account in accounts.items()}


def test_a_file_without_any_privacy_makes_no_post_and_the_result_says_why(
    client: Client, dropped: dict[str, dict[str, Any]], bucket: Bucket
) -> None:
    account = dropped["without privacy"]
    key = f"{account['folder']}/nobody.mp4"
    told = bucket.result(key, lambda said: said["success"] is False)
    assert told["code"] == "MissingParameter"
    assert client.get(f"/v2/posts?accountId={account['account_id']}").json()["posts"] == []
    bucket.put(f"{key}.json", json.dumps(PUBLIC).encode())
    assert published(bucket.result(key, published))


def test_a_dropped_file_may_be_scheduled_and_cancelled(
    client: Client, dropped: dict[str, dict[str, Any]], bucket: Bucket
) -> None:
    account = dropped["scheduled"]
    key = f"{account['folder']}/later.mp4"
    result = bucket.result(key, lambda said: said.get("status") == "SCHEDULED")
    assert datetime.fromisoformat(result["scheduledTime"]) == IN_A_MONTH
    assert client.change("DELETE", result["postSubmissionId"]).json()["status"] == "CANCELLED"
    bucket.result(key, lambda said: said.get("status") == "CANCELLED")
    assert client.opened_for(account) == []


def test_a_file_with_a_sidecar_is_published_once_and_the_result_lies_beside_it(
    client: Client, dropped: dict[str, dict[str, Any]], bucket: Bucket, film: Film
) -> None:
    account = dropped["with a sidecar"]
    key = f"{account['folder']}/rabbit film.mp4"
    result = bucket.result(key, published)
    post = client.get(f"/v2/posts/{result['postSubmissionId']}").json()
    assert (post["status"], post["accountId"]) == ("PUBLISH_COMPLETE", account["account_id"])
    assert [there["title"] for there in client.posts_of(account)] == ["Dropped #film"]
    bucket.put(key, film.path.read_bytes() + bytes(8))
    told = bucket.result(key, lambda said: "note" in said)
    assert told["postSubmissionId"] == result["postSubmissionId"]
    assert len(client.opened_for(account)) == 1


def test_a_file_alone_goes_out_with_the_accounts_defaults(
    client: Client, dropped: dict[str, dict[str, Any]], bucket: Bucket
) -> None:
    account = dropped["alone"]
    result = bucket.result(f"{account['folder']}/alone.mp4", published)
    assert result["options"]["privacyLevel"] == "PUBLIC_TO_EVERYONE"
    assert len(client.posts_of(account)) == 1


def test_a_folder_with_a_post_json_becomes_a_carousel_in_its_order(
    client: Client, dropped: dict[str, dict[str, Any]], bucket: Bucket
) -> None:
    account = dropped["carousel"]
    result = bucket.result(f"{account['folder']}/mornings/post.json", published)
    assert result["post_type"] == "photo"
    (there,) = client.posts_of(account)
    assert there["title"] == "Mornings"
