"""A film from a customer's computer to TikTok, in parts that go to S3 over real HTTP."""

import base64
import hashlib
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.emulator import client_of
from tests.conftest import Film
from tests.e2e.client import Client, a_video, photos
from tests.e2e.test_local_runtime import run
from tests.pictures import plain

UPLOADS = "/v2/media/uploads"


class Uploader:
    """Someone who brings a file as a browser does."""

    def __init__(self, client: Client, data: bytes, name: str = "film.mp4") -> None:
        self.client, self.data = client, data
        answer = self.call("POST", "", {"fileName": name, "size": len(data)})
        assert answer.status_code == 201, answer.text
        self.upload: dict[str, Any] = answer.json()

    def call(self, method: str, path: str, body: object = None) -> requests.Response:
        url = self.client.api + UPLOADS + (f"/{self.upload['uploadId']}{path}" if path or method != "POST" else "")
        return requests.request(method, url, json=body, headers=self.client.headers, timeout=40)

    def bytes_of(self, number: int) -> bytes:
        part = self.upload["parts"][number - 1]
        return self.data[part["first"] : part["first"] + part["size"]]

    def named(self, numbers: Sequence[int] = ()) -> dict[str, Any]:
        wanted = numbers or [part["number"] for part in self.upload["parts"]]
        return {"parts": [{"number": number, "sha256": sha256(self.bytes_of(number))} for number in wanted]}

    def address(self, number: int) -> str:
        answer = self.call("POST", "/parts", self.named([number]))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["parts"][number - 1]["url"])

    def bring(self, *numbers: int) -> None:
        for number in numbers:
            put = send(self.address(number), self.bytes_of(number))
            assert put.status_code == 200, put.text

    def complete(self) -> requests.Response:
        return self.call("POST", "/complete", self.named())

    def received(self) -> list[int]:
        return [part["number"] for part in self.call("GET", "").json()["parts"] if part["received"]]


def sha256(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def send(url: str, data: bytes, told: bytes | None = None) -> requests.Response:
    """Send bytes to S3; `told` are those whose hash is told."""
    headers = {"x-amz-checksum-sha256": sha256(data if told is None else told), "Origin": "https://publish.example"}
    return requests.put(url, data=data, headers=headers, timeout=40)


@pytest.fixture
def uploader(client: Client, large_film) -> Uploader:
    """A film of several parts, of which none is there yet."""
    return Uploader(client, large_film.path.read_bytes())


def test_an_uploaded_film_is_published_byte_for_byte(uploader, client: Client, account):
    count = len(uploader.upload["parts"])
    assert count > 3
    uploader.bring(1, 3)
    assert uploader.received() == [1, 3]  # here the connection is lost, and the page is opened anew
    early = client.publish(a_video(account, uploader.upload["mediaUrl"]))
    assert (early.status_code, early.json()["error"]) == (400, "The upload is not complete.")
    missing = uploader.complete()
    assert (missing.status_code, missing.json()["error"].startswith("Parts 2, ")) == (400, True)
    uploader.bring(*(number for number in range(1, count + 1) if number not in uploader.received()))
    answers = [uploader.complete(), uploader.complete(), uploader.call("GET", "")]
    assert [(answer.status_code, answer.json()["complete"]) for answer in answers] == [(200, True)] * 3
    _, post = client.publish_and_wait(a_video(account, uploader.upload["mediaUrl"]))
    assert post["status"] == "PUBLISH_COMPLETE", post
    assert client.upload_of(post["publish_id"])["sha256"] == hashlib.sha256(uploader.data).hexdigest()


def test_s3_refuses_a_part_with_other_bytes_than_were_announced(uploader):
    url, good = uploader.address(2), uploader.bytes_of(2)
    damaged = bytes([good[0] ^ 1]) + good[1:]
    for answer in (send(url, damaged), send(url, damaged, told=good), send(url, good[:-1], told=good)):
        assert answer.status_code in (400, 403)
    assert requests.put(url, data=good, timeout=40).status_code == 403  # the hash is not told
    assert uploader.received() == []
    assert send(url, good).status_code == 200
    assert uploader.received() == [2]


def test_an_address_is_of_one_part_and_cannot_be_changed_to_another(uploader):
    url, data = uploader.address(1), uploader.bytes_of(1)
    for changed in (
        url.replace("partNumber=1", "partNumber=2"),
        url.replace("X-Amz-Expires=3600", "X-Amz-Expires=9999"),
    ):
        assert changed != url
        assert send(changed, data).status_code == 403
    assert uploader.received() == []


def test_a_browser_on_any_page_may_bring_parts(uploader, ready):
    asked = {
        "Origin": "https://publish.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type,x-amz-checksum-sha256",
    }
    url = uploader.address(1)
    assert "{0.scheme}://{0.netloc}".format(urlsplit(url)) == ready["s3"]
    allowed = requests.options(url, headers=asked, timeout=40)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] in ("*", asked["Origin"])
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    answer = send(url, uploader.bytes_of(1))
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_the_bucket_has_the_templates_rule_for_browsers(uploader, ready):
    bucket = urlsplit(uploader.address(1)).path.split("/")[1]
    (rule,) = client_of(ready["s3"], "s3").get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["PUT"], ["*"])


def test_another_workspace_neither_sees_nor_uses_an_upload(client: Client, state, film):
    mine = Uploader(client, film.path.read_bytes())
    mine.bring(1)
    assert mine.complete().status_code == 200
    made = run("local.key", "--state", str(state), "--name", "stranger")
    stranger = Client(client.api, made.stdout.strip(), client.tiktok)
    other = Uploader(stranger, b"x")
    other.upload = mine.upload
    assert [other.call("GET", "").status_code, other.call("DELETE", "").status_code] == [404, 404]
    assert other.call("POST", "/parts", mine.named()).status_code == 404
    refused = stranger.publish(a_video(stranger.new_account(), mine.upload["mediaUrl"]))
    assert refused.status_code == 400
    assert refused.json()["error"] == "There is no such upload in this workspace."
    assert mine.call("GET", "").json()["complete"] is True


def test_a_dropped_upload_is_gone(client: Client, account, film):
    mine = Uploader(client, film.path.read_bytes())
    mine.bring(1)
    assert mine.complete().status_code == 200
    for _ in range(2):
        assert mine.call("DELETE", "").json() == {"success": True, "uploadId": mine.upload["uploadId"]}
    assert mine.call("GET", "").status_code == 404
    refused = client.publish(a_video(account, mine.upload["mediaUrl"]))
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidMediaUrl")


def test_uploaded_pictures_become_a_carousel_beside_fetched_ones(client: Client, account, media_server):
    picture = plain(size=(360, 640))
    uploader = Uploader(client, picture, "one picture.png")
    uploader.bring(1)
    assert uploader.complete().status_code == 200
    fetched = media_server.put(f"{uuid.uuid4()}.png", picture)
    _, post = client.publish_and_wait(photos(account, [uploader.upload["mediaUrl"], fetched]))
    assert post["status"] == "PUBLISH_COMPLETE", post


def test_a_small_film_in_a_form_is_published(client: Client, film: Film) -> None:
    account = client.new_account()
    with film.path.open("rb") as file:
        answer = requests.post(
            f"{client.api}/api/v2/media/upload", files={"file": file}, headers=client.headers, timeout=40
        )
    assert answer.status_code == 201, answer.text
    outcome = client.publish_and_wait(a_video(account, answer.json()["mediaUrl"]))
    assert outcome.post["status"] == "PUBLISH_COMPLETE"
    assert client.upload_of(outcome.post["publish_id"])["sha256"] == hashlib.sha256(film.path.read_bytes()).hexdigest()
