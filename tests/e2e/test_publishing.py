"""A video from a URL to TikTok, over HTTP only; the sandbox's log is the judge."""

import hashlib
import threading
import time
import uuid

import pytest
import requests

from tests.e2e.client import Client, a_video, query_of


def test_a_film_is_published_byte_for_byte_with_the_choices_of_the_caller(client: Client, account, film):
    body = a_video(account, film.url, options={"allowComment": True, "brandOrganicToggle": True})
    answer = client.publish(body)
    post = answer.json()
    assert (answer.status_code, post["status"]) == (200, "PUBLISH_COMPLETE")
    assert set(post) == {
        "success", "postSubmissionId", "platform", "post_type", "publish_id", "status", "message",
        "label", "consent", "warnings", "statusUrl", "requestId",
    }  # fmt: skip
    assert post["label"] == "Promotional content"
    upload = client.upload_of(post["publish_id"])
    assert upload["sha256"] == hashlib.sha256(film.path.read_bytes()).hexdigest()
    told = upload["post_info"]
    assert told["title"] == body["post"]["content"]["text"]
    assert told["privacy_level"] == "PUBLIC_TO_EVERYONE"
    assert (told["disable_comment"], told["disable_duet"], told["disable_stitch"]) == (False, True, True)
    assert (told["brand_organic_toggle"], told["brand_content_toggle"]) == (True, False)


def test_a_post_shows_its_steps_and_bytes(client: Client, account, film):
    post_id = client.publish(a_video(account, film.url), Prefer="respond-async").json()["postSubmissionId"]
    post = client.wait(post_id)
    steps = [moment["step"] for moment in post["timeline"]]
    assert steps[:4] == ["Accepted", "DownloadMedia", "InitializePost", "UploadChunks"]
    assert steps[-1] == "RecordPublished"
    uploaded = next(moment for moment in post["timeline"] if moment["step"] == "UploadChunks")
    assert uploaded["bytes"] == uploaded["totalBytes"] == film.path.stat().st_size
    assert post["options"]["privacyLevel"] == "PUBLIC_TO_EVERYONE"


def test_a_video_of_many_chunks_arrives_whole(client: Client, account, large_film):
    answer = client.publish(a_video(account, large_film.url), Prefer="wait=25").json()
    post = client.wait(answer["postSubmissionId"])
    assert post["status"] == "PUBLISH_COMPLETE", post
    upload = client.upload_of(post["publish_id"])
    assert upload["total_chunk_count"] > 1
    assert upload["sha256"] == hashlib.sha256(large_film.path.read_bytes()).hexdigest()


def test_a_media_server_that_fails_once_does_not_fail_the_post(client: Client, account, media_server):
    url = f"{media_server.url}/fails-once/{uuid.uuid4()}"
    post = client.wait(client.publish(a_video(account, url)).json()["postSubmissionId"])
    assert post["status"] == "PUBLISH_COMPLETE", post


def test_a_draft_ends_in_the_creators_inbox(client: Client, account, film):
    body = a_video(account, film.url, text="")
    body["post"]["tiktokOptions"] = {"draft": True}
    answer = client.publish(body)
    assert (answer.status_code, answer.json()["status"]) == (200, "SEND_TO_USER_INBOX")
    assert "inbox" in answer.json()["message"]


def test_the_same_key_and_body_make_one_post_and_get_one_answer(client: Client, account, film):
    key, body = str(uuid.uuid4()), a_video(account, film.url)
    first = client.publish(body, **{"Idempotency-Key": key})
    again = client.publish(body, **{"Idempotency-Key": key})
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    body["post"]["content"]["text"] = "another caption"
    assert client.publish(body, **{"Idempotency-Key": key}).status_code == 422


def test_racing_requests_with_one_key_make_one_post(client: Client, account, film):
    key, body = str(uuid.uuid4()), a_video(account, film.url, text=f"racing {uuid.uuid4()}")
    answers = []

    def send() -> None:
        answers.append(client.publish(body, **{"Idempotency-Key": key, "Prefer": "respond-async"}))

    racers = [threading.Thread(target=send) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    accepted = {answer.json()["postSubmissionId"] for answer in answers if answer.status_code < 300}
    assert len(accepted) == 1
    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    client.wait(accepted.pop())
    text = body["post"]["content"]["text"]
    log = client.sandbox("GET", "log")
    assert len([one for one in log["publishes"] if one["post_info"].get("title") == text]) == 1


def test_posts_are_listed_newest_first_page_by_page(client: Client, account, film):
    made = [
        client.publish(a_video(account, film.url), Prefer="respond-async").json()["postSubmissionId"] for _ in range(3)
    ]
    page = client.get("/v2/posts?limit=2").json()
    assert [post["postSubmissionId"] for post in page["posts"]] == [made[2], made[1]]
    following = client.get("/v2/posts", params={"limit": 2, "cursor": page["cursor"]}).json()
    assert following["posts"][0]["postSubmissionId"] == made[0]
    for post_id in made:
        client.wait(post_id)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("endpoint", ["video/init", "upload", "status"])
def test_a_call_that_fails_before_or_after_its_effect_makes_one_post(client: Client, account, film, endpoint, when):
    text = f"trouble {uuid.uuid4()}"
    fault = {"endpoint": endpoint, "times": 1, "when": when, "do": {"status": 500}}
    client.sandbox("POST", "faults", [fault])
    try:
        answer = client.publish(a_video(account, film.url, text=text), Prefer="respond-async")
        post = client.wait(answer.json()["postSubmissionId"])
    finally:
        client.sandbox("DELETE", "faults")
    assert post["status"] == "PUBLISH_COMPLETE", post
    log = client.sandbox("GET", "log")
    assert len([one for one in log["posts"] if one["publish_id"] == post["publish_id"]]) == 1
    complete = [
        one for one in log["publishes"]
        if one["post_info"].get("title") == text and one["received"] == film.path.stat().st_size
    ]  # fmt: skip
    assert len(complete) == 1


@pytest.mark.parametrize("endpoint", ["creator_info", "video/init", "status"])
def test_a_token_that_tiktok_no_longer_takes_is_refreshed_and_the_same_post_goes_on(
    client: Client, account, film, endpoint
):
    text = f"token {uuid.uuid4()}"
    client.sandbox("POST", "faults", [{"endpoint": endpoint, "times": 1, "do": {"code": "access_token_invalid"}}])
    try:
        answer = client.publish(a_video(account, film.url, text=text))
        post = client.wait(answer.json()["postSubmissionId"])
    finally:
        client.sandbox("DELETE", "faults")
    assert post["status"] == "PUBLISH_COMPLETE", post
    uploads = [one for one in client.sandbox("GET", "log")["publishes"] if one["post_info"].get("title") == text]
    assert [one["publish_id"] for one in uploads] == [post["publish_id"]]


def test_a_public_id_that_comes_after_the_outcome_is_found_and_shown_as_a_string(client: Client, account, film):
    settings = client.sandbox("GET", "settings")
    client.sandbox("PATCH", "settings", {"moderation_seconds": 20})
    try:
        post = client.wait(client.publish(a_video(account, film.url)).json()["postSubmissionId"])
        assert (post["status"], post["postIds"], post["publicUrl"]) == ("PUBLISH_COMPLETE", [], None)
        until = time.monotonic() + 180
        while not post["postIds"] and time.monotonic() < until:
            time.sleep(1)
            post = client.get(f"/v2/posts/{post['postSubmissionId']}").json()
    finally:
        client.sandbox("PATCH", "settings", {"moderation_seconds": settings["moderation_seconds"]})
    (post_id,) = post["postIds"]
    assert isinstance(post_id, str)
    assert len(post_id) == 19
    assert post["publicUrl"] == f"https://www.tiktok.com/@{account['tiktok_username']}/video/{post_id}"


def test_the_consent_page_gets_pkce_in_hex_and_a_state_of_256_bits(client: Client):
    answer = requests.get(client.api + "/oauth/tiktok/start", headers=client.headers, allow_redirects=False, timeout=40)
    query = query_of(answer.headers["Location"])
    assert answer.status_code == 302
    assert len(query["state"]) >= 43
    assert len(query["code_challenge"]) == 64
    assert set(query["code_challenge"]) <= set("0123456789abcdef")
