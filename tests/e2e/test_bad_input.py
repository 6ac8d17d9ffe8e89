"""Bad input gets a clear error with the documented code, and nothing is published or lost."""

import json

import pytest
import requests

from tests.e2e.client import Client, a_video


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/404", "MediaDownloadFailed"),
        ("/page", "InvalidMediaType"),
        ("/picture", "InvalidMediaType"),
        ("/cut", "MediaDownloadFailed"),
        ("/huge", "MediaTooLarge"),
        ("/to-a-private-address", "MediaDownloadFailed"),
    ],
)
def test_media_that_cannot_be_had_fails_the_post_with_its_code(client: Client, account, media_server, path, code):
    answer = client.publish(a_video(account, media_server.url + path))
    body = answer.json()
    assert (answer.status_code, body["success"], body["code"]) == (400, False, code)
    assert body["message"]
    assert "10.0.0.1" not in answer.text
    post = client.get(f"/v2/posts/{body['postSubmissionId']}").json()
    assert (post["status"], post["code"], post["publish_id"]) == ("FAILED", code, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mediaUrls": []}, "MediaRequired"),
        ({"mediaUrls": ["ftp://example.com/video.mp4"]}, "InvalidMediaUrl"),
        ({"mediaUrls": ["http://127.0.0.1:1/video.mp4"]}, "InvalidMediaUrl"),
        ({"mediaUrls": ["http://169.254.169.254/latest"]}, "InvalidMediaUrl"),
        ({"platform": "youtube"}, "InvalidPlatform"),
        ({"text": "😀" * 1101}, "TextTooLong"),
        ({"options": {"privacyLevel": None}}, "MissingParameter"),
        ({"options": {"privacyLevel": "FOLLOWER_OF_CREATOR"}}, "InvalidRequest"),
        ({"options": {"privacyLevel": "SELF_ONLY", "brandContentToggle": True}}, "InvalidRequest"),
    ],
)
def test_a_wrong_field_is_refused_before_anything_is_stored(client: Client, account, film, change, code):
    before = client.get("/v2/posts?limit=1").json()
    answer = client.publish(a_video(account, film.url, **change))
    assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text
    assert client.get("/v2/posts?limit=1").json() == before


def test_every_problem_is_told_in_one_answer(client: Client, account):
    body = a_video(account, "ftp://example.com/video.mp4", text="😀" * 1101, options={"privacyLevel": "NOBODY"})
    body["post"]["colour"] = "red"
    fields = {problem["field"] for problem in client.publish(body).json()["problems"]}
    assert fields == {
        "post.colour",
        "post.content.mediaUrls",
        "post.content.text",
        "post.tiktokOptions.privacyLevel",
    }


def test_an_unknown_account_is_not_a_tiktok_account(client: Client, film):
    answer = client.publish(a_video({"account_id": "00000000-0000-4000-8000-000000000000"}, film.url))
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidAccountId")
    assert answer.json()["error"] == "Account is not a TikTok account"


@pytest.mark.parametrize("key", [None, "", "wrong", "tkp_live_AAAAAAAA_" + "A" * 49])
def test_without_a_key_that_counts_nothing_is_answered(client: Client, key):
    headers = {} if key is None else {"boring-api-key": key}
    answer = requests.get(client.api + "/v2/posts", headers=headers, timeout=40)
    assert (answer.status_code, answer.json()["code"]) == (401, "InvalidApiKey")
    assert answer.json()["error"] == "Invalid or missing API key"


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b'"text"', b"\xff\xfe", json.dumps({"post": {"x": "y" * 300_000}}).encode()]
)
def test_a_body_that_is_no_request_is_refused(client: Client, body):
    answer = requests.post(client.api + "/v2/posts", data=body, headers=client.headers, timeout=40)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")


def test_another_path_and_another_method_are_not_there(client: Client):
    assert client.get("/v2/nothing").status_code == 404
    assert requests.delete(client.api + "/v2/posts", headers=client.headers, timeout=40).status_code in (404, 405)
