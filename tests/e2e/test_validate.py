"""Checking a post before it is posted: its media is looked at where it lies."""

from typing import Any

import pytest
import requests

from tests.bench.bench_look import write_large_film
from tests.conftest import MediaServer
from tests.e2e.client import Client, a_video, photos
from tests.films import film as made
from tests.pictures import plain

MIB = 1024 * 1024
GIB = 1024 * MIB


def validate(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    url = f"{client.api}/v2/posts/validate"
    answer = requests.post(url, json=body, headers=client.headers, timeout=40)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
def gigabyte(media_server: MediaServer) -> str:
    """The address of a film of one gigabyte."""
    write_large_film(media_server.folder / "gigabyte.mp4", made(size=(1080, 1920)), GIB)
    return f"{media_server.url}/in-parts/gigabyte.mp4"


def test_of_a_gigabyte_a_few_megabytes_are_read(client: Client, account, media_server: MediaServer, gigabyte: str):
    media_server.sent = 0
    told = validate(client, a_video(account, gigabyte))
    assert told["valid"], told
    (seen,) = told["media"]
    assert (seen["sizeBytes"], seen["contentType"], seen["codec"]) == (GIB, "video/mp4", "H.264")
    assert (seen["width"], seen["height"], seen["durationSeconds"], seen["framesPerSecond"]) == (1080, 1920, 1.0, 30.0)
    assert media_server.sent < 8 * MIB
    assert client.opened_for(account) == []


def test_every_problem_is_told_at_once_and_nothing_is_done(client: Client, account, media_server: MediaServer):
    good, page = media_server.put("one.jpg", plain("JPEG", size=(800, 600))), f"{media_server.url}/page"
    body = photos(account, [good, page, f"{media_server.url}/nothing.jpg"], "x" * 5000)
    told = validate(client, body)
    assert not told["valid"]
    found = {(problem["field"], problem["code"]) for problem in told["problems"]}
    assert found == {
        ("post.content.text", "TextTooLong"),
        ("post.content.mediaUrls[1]", "InvalidMediaType"),
        ("post.content.mediaUrls[2]", "MediaDownloadFailed"),
    }
    assert (told["media"][0]["width"], told["media"][0]["height"]) == (800, 600)
    assert client.opened_for(account) == []


def test_an_address_inside_is_not_looked_at(client: Client, account, media_server: MediaServer):
    told = validate(client, a_video(account, f"{media_server.url}/to-a-private-address"))
    (problem,) = told["problems"]
    assert problem["code"] == "MediaDownloadFailed"
    assert "10.0.0.1" not in str(told)


def test_what_is_valid_is_published(client: Client, account, film):
    body = a_video(account, film.url)
    assert validate(client, body)["valid"]
    assert client.publish_and_wait(body).post["status"] == "PUBLISH_COMPLETE"


def test_a_film_that_was_uploaded_is_looked_at(client: Client, account, film):
    with film.path.open("rb") as content:
        files = {"file": ("film.mp4", content)}
        upload = requests.post(f"{client.api}/api/v2/media/upload", files=files, headers=client.headers, timeout=40)
    told = validate(client, a_video(account, upload.json()["mediaUrl"]))
    assert told["valid"], told
    assert told["media"][0]["sizeBytes"] == film.path.stat().st_size
