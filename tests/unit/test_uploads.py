"""Uploads over HTTP, and posts that are made of them."""

import pytest

from publisher.api import iso
from publisher.domain.errors import Busy, ServiceUnavailable
from publisher.domain.limits import MIB, PART_URL_SECONDS, PICTURES, VIDEO_BYTES
from publisher.domain.posts import Status
from tests.fakes import FakePorts, sha256_of
from tests.unit.conftest import Http, HttpAnswer, assert_failed
from tests.unit.test_isolation import WorkOn
from tests.unit.work import FILM, picture

UPLOADS = "/v2/media/uploads"
SIZE = 20 * MIB + 3
LARGE = FILM + bytes(SIZE - len(FILM))
PARTS = [LARGE[first : first + 8 * MIB] for first in range(0, SIZE, 8 * MIB)]
DAY = 86400


def begin(http: Http, size: int = len(FILM), name: str = "film.mp4", **more: object) -> HttpAnswer:
    return http.call("POST", UPLOADS, {"fileName": name, "size": size}, **more)  # type: ignore[arg-type]


def named(parts: list[bytes], *numbers: int) -> dict[str, object]:
    """The body that names these parts, or all."""
    hashes = {number: sha256_of(part) for number, part in enumerate(parts, start=1)}
    return {"parts": [{"number": n, "sha256": hashes[n]} for n in numbers or hashes]}


def bring(http: Http, ports: FakePorts, upload_id: str, parts: list[bytes], *numbers: int) -> None:
    body = named(parts, *numbers)
    signed = http.call("POST", f"{UPLOADS}/{upload_id}/parts", body)
    assert signed.status == 200
    for part in signed.json["parts"]:
        if "url" in part:
            data = parts[part["number"] - 1]
            assert ports.uploads.put_part(part["url"], data, sha256_of(data))


def uploaded(http: Http, ports: FakePorts, data: bytes = FILM, name: str = "film.mp4") -> dict[str, str]:
    """A complete upload of one part."""
    upload: dict[str, str] = begin(http, len(data), name).json
    bring(http, ports, upload["uploadId"], [data])
    assert http.call("POST", f"{UPLOADS}/{upload['uploadId']}/complete", named([data])).status == 200
    return upload


def a_body(account_id: str, *urls: str, **more: object) -> dict[str, object]:
    content = {"text": "t", "mediaUrls": list(urls), "platform": "tiktok"}
    options = {"privacyLevel": "PUBLIC_TO_EVERYONE"}
    return {"post": {"accountId": account_id, "content": content, "tiktokOptions": options}, **more}


# Begin
def test_a_new_upload_tells_its_parts_and_its_address(http, ports):
    answer = begin(http, SIZE, "My film.mp4")
    assert answer.status == 201
    upload = answer.json
    assert upload == {
        "uploadId": upload["uploadId"],
        "fileName": "My film.mp4",
        "size": SIZE,
        "mediaUrl": f"https://publish.example/v2/media/uploads/{upload['uploadId']}/My-film.mp4",
        "partSize": 8 * MIB,
        "parts": [
            {"number": 1, "first": 0, "size": 8 * MIB, "received": False},
            {"number": 2, "first": 8 * MIB, "size": 8 * MIB, "received": False},
            {"number": 3, "first": 16 * MIB, "size": 4 * MIB + 3, "received": False},
        ],
        "complete": False,
        "expiresAt": iso(ports.clock.now() + 2 * DAY),
    }


@pytest.mark.parametrize(
    "name",
    ["Screenshot at 9.41.00\u202fAM.png", "family \U0001f468\u200d\U0001f469\u200d\U0001f467.mp4", "\u3000film.mp4"],
)
def test_a_file_may_have_any_name_that_stands_on_one_line(http: Http, name: str) -> None:
    begun = begin(http, name=name)
    assert begun.status == 201, begun.body
    assert begun.json["fileName"] == name


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"size": 1}, "MissingParameter", "fileName"),
        ({"fileName": "a.mp4"}, "MissingParameter", "size"),
        ({"fileName": "", "size": 1}, "InvalidRequest", "fileName"),
        ({"fileName": " ", "size": 1}, "InvalidRequest", "fileName"),
        ({"fileName": "a\n.mp4", "size": 1}, "InvalidRequest", "fileName"),
        ({"fileName": "a" * 256, "size": 1}, "InvalidRequest", "fileName"),
        ({"fileName": "a.mp4", "size": 0}, "InvalidRequest", "size"),
        ({"fileName": "a.mp4", "size": "1"}, "InvalidRequest", "size"),
        ({"fileName": "a.mp4", "size": True}, "InvalidRequest", "size"),
        ({"fileName": "a.mp4", "size": int(VIDEO_BYTES) + 1}, "MediaTooLarge", "GiB"),
        ({"fileName": "a.mp4", "size": 1, "contentType": "video"}, "InvalidRequest", "contentType"),
        ({"fileName": "a.mp4", "size": 1, "contentType": "video/mp4\r\nx: y"}, "InvalidRequest", "contentType"),
        ({"fileName": "a.mp4", "size": 1, "key": "k"}, "InvalidRequest", "key"),
        ([], "InvalidRequest", None),
    ],
)
def test_what_cannot_be_uploaded_is_told_before_any_byte(http, ports, body, code, field):
    answer = http.call("POST", UPLOADS, body)
    assert_failed(answer, 400, code)
    assert field is None or field in answer.json["error"]
    assert ports.uploads._uploads == {}


def test_the_largest_file_that_tiktok_takes_can_be_uploaded(http):
    assert begin(http, int(VIDEO_BYTES)).status == 201


# Parts
def test_an_address_takes_the_bytes_that_were_announced_and_no_others(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/parts", named(PARTS, 2))
    assert answer.json["urlsExpireAt"] == iso(ports.clock.now() + PART_URL_SECONDS)
    assert ["url" in part for part in answer.json["parts"]] == [False, True, False]
    url = answer.json["parts"][1]["url"]
    assert not ports.uploads.put_part(url, PARTS[0], sha256_of(PARTS[0]))
    assert not ports.uploads.put_part(url, PARTS[0], sha256_of(PARTS[1]))
    assert ports.uploads.put_part(url, PARTS[1], sha256_of(PARTS[1]))


def test_an_interrupted_upload_is_taken_up_where_it_was(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    bring(http, ports, upload_id, PARTS, 2)
    there = http.get(f"{UPLOADS}/{upload_id}").json
    assert [part["received"] for part in there["parts"]] == [False, True, False]
    bring(http, ports, upload_id, PARTS, 1, 3)
    assert http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(PARTS)).json["complete"] is True
    assert list(ports.uploads.files.values()) == [LARGE]


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        [{"number": 1}],
        [{"number": "1", "sha256": sha256_of(b"")}],
        [{"number": 1, "sha256": "no hash"}],
        [{"number": 0, "sha256": sha256_of(b"")}],
        [{"number": 2, "sha256": sha256_of(b"")}],
        [{"number": 1, "sha256": sha256_of(b"")}] * 2,
    ],
)
@pytest.mark.parametrize("call", ["parts", "complete"])
def test_a_part_that_is_none_is_refused(http, parts, call):
    upload_id = begin(http).json["uploadId"]
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/{call}", {"parts": parts})
    assert answer.status == 400
    assert "part" in answer.json["error"]


# Complete
def test_a_complete_upload_says_so_however_often_it_is_completed(http, ports):
    upload = uploaded(http, ports)
    answers = [http.call("POST", f"{UPLOADS}/{upload['uploadId']}/complete", named([FILM])) for _ in range(2)]
    answers.append(http.get(f"{UPLOADS}/{upload['uploadId']}"))
    for answer in answers:
        assert answer.status == 200
        assert answer.json["complete"] is True
        assert [part["received"] for part in answer.json["parts"]] == [True]
        assert answer.json["expiresAt"] == iso(ports.clock.now() + 30 * DAY)


def test_a_completion_whose_answer_was_lost_is_repeated(http, ports):
    upload_id = begin(http).json["uploadId"]
    bring(http, ports, upload_id, [FILM])
    ports.uploads.faults.after("complete", ServiceUnavailable("The answer was lost.", "Try again."))
    assert http.call("POST", f"{UPLOADS}/{upload_id}/complete", named([FILM])).status == 503
    assert http.call("POST", f"{UPLOADS}/{upload_id}/complete", named([FILM])).json["complete"] is True


def test_parts_that_are_missing_are_named(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    bring(http, ports, upload_id, PARTS, 2)
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(PARTS))
    assert_failed(answer, 400, "InvalidRequest")
    assert answer.json["error"] == "Parts 1, 3 are not there."


def test_parts_that_are_not_named_are_told(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    bring(http, ports, upload_id, PARTS)
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(PARTS, 1, 2))
    assert answer.json["error"] == "Part 3 is not named."


def test_a_file_that_was_changed_while_it_was_uploaded_is_none(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    bring(http, ports, upload_id, PARTS)
    changed = [PARTS[0], b"c" * (8 * MIB), PARTS[2]]
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(changed))
    assert_failed(answer, 400, "InvalidRequest")
    assert answer.json["error"] == "Part 2 is there with other bytes."
    assert ports.uploads.files == {}
    bring(http, ports, upload_id, changed, 2)
    assert http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(changed)).json["complete"] is True


def test_a_part_that_has_not_its_size_is_not_there(http, ports):
    upload_id = begin(http, SIZE).json["uploadId"]
    bring(http, ports, upload_id, PARTS)
    ports.uploads.replace_part(upload_id, 2, b"short")
    assert [part["received"] for part in http.get(f"{UPLOADS}/{upload_id}").json["parts"]] == [True, False, True]
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/complete", named(PARTS))
    assert answer.json["error"] == "Part 2 is not there."


def test_of_many_parts_that_are_missing_the_first_are_named(http):
    upload_id = begin(http, 12 * 8 * MIB).json["uploadId"]
    answer = http.call("POST", f"{UPLOADS}/{upload_id}/complete", named([b"x"] * 12))
    assert answer.json["error"] == "Parts 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more are not there."


def test_a_part_that_is_replaced_while_the_upload_is_completed_makes_no_other_file(http, ports):
    upload_id = begin(http).json["uploadId"]
    bring(http, ports, upload_id, [FILM])
    ports.uploads.faults.before("complete", Busy("The upload was changed meanwhile.", "Look at it again."))
    assert http.call("POST", f"{UPLOADS}/{upload_id}/complete", named([FILM])).status == 503
    assert ports.uploads.files == {}


def test_a_complete_upload_takes_no_more_parts(http, ports):
    upload = uploaded(http, ports)
    answer = http.call("POST", f"{UPLOADS}/{upload['uploadId']}/parts", named([FILM]))
    assert (answer.status, answer.json["error"]) == (409, "The upload is complete, and takes no more parts.")


# Drop
def test_a_dropped_upload_is_gone_and_may_be_dropped_again(http, ports):
    for upload_id in (begin(http).json["uploadId"], uploaded(http, ports)["uploadId"]):
        for _ in range(2):
            answer = http.call("DELETE", f"{UPLOADS}/{upload_id}", "")
            assert (answer.status, answer.json) == (200, {"success": True, "uploadId": upload_id})
        assert_failed(http.get(f"{UPLOADS}/{upload_id}"), 404, "NotFound")
        assert_failed(http.call("POST", f"{UPLOADS}/{upload_id}/parts", named([FILM])), 404, "NotFound")
    assert ports.uploads.files == {}


def test_an_upload_that_is_never_completed_is_gone_after_two_days_and_a_whole_one_after_thirty(http, ports):
    unfinished, whole = begin(http).json["uploadId"], uploaded(http, ports)["uploadId"]
    ports.clock.time += 2 * DAY
    assert [http.get(f"{UPLOADS}/{one}").status for one in (unfinished, whole)] == [404, 200]
    ports.clock.time += 28 * DAY
    assert http.get(f"{UPLOADS}/{whole}").status == 404


@pytest.mark.parametrize("upload_id", ["nothing", "..%2F..", "0" * 36])
def test_an_id_that_is_none_is_no_upload(http, upload_id):
    assert_failed(http.get(f"{UPLOADS}/{upload_id}"), 404, "NotFound")


# Posts
@pytest.fixture
def account_id(ports: FakePorts) -> str:
    return ports.connect().account_id


def test_an_uploaded_film_is_published(http, ports, account_id):
    url = uploaded(http, ports)["mediaUrl"]
    answer = http.post(a_body(account_id, url), headers={"Prefer": "respond-async"})
    assert answer.status == 202
    WorkOn(ports, account_id, answer.json["postSubmissionId"]).go_on(lambda: None)
    post = ports.posts.get(answer.json["postSubmissionId"])
    assert post is not None
    assert (post.status, post.media and post.media.size) == (Status.PUBLISH_COMPLETE, len(FILM))
    assert list(ports.media.objects.values()) in ([FILM], [])


def test_uploaded_and_fetched_pictures_make_one_carousel(http, ports, account_id):
    mine = uploaded(http, ports, picture(1), "1.jpg")["mediaUrl"]
    ports.fetcher.media["https://media.example/2.jpg"] = picture(2)
    body = a_body(account_id, mine, "https://media.example/2.jpg")
    answer = http.post(body, headers={"Prefer": "respond-async"})
    work = WorkOn(ports, account_id, answer.json["postSubmissionId"])
    work.run("DownloadMedia")
    post = ports.posts.get(work.post_id)
    assert post is not None
    assert post.pictures is not None
    assert (post.pictures.count, post.pictures.size) == (2, len(picture(1)) + len(picture(2)))


@pytest.mark.parametrize("host", ["https://other.example", "http://127.0.0.1:9", "https://publish.example:8443"])
def test_an_upload_is_used_whatever_host_its_address_names(http, ports, account_id, host):
    url = uploaded(http, ports)["mediaUrl"].replace("https://publish.example", host)
    assert http.post(a_body(account_id, url), headers={"Prefer": "respond-async"}).status == 202


def assert_no_upload(answer: HttpAnswer) -> None:
    assert_failed(answer, 400, "InvalidMediaUrl")
    assert answer.json["error"] == "There is no such upload in this workspace."


def test_another_workspaces_upload_is_like_one_that_never_was(http, ports):
    upload = uploaded(http, ports)
    account = ports.connect(workspace_id="workspace-2", open_id="open-2")
    key = http.make_key(workspace_id="workspace-2")
    never = upload["mediaUrl"].replace(upload["uploadId"], "7d0b5a52-6c1b-4c0e-9f9b-5f1c1a1f0b7e")
    answers = [http.post(a_body(account.account_id, url), key=key) for url in (upload["mediaUrl"], never)]
    for answer in answers:
        assert_no_upload(answer)
    assert ports.executions.started == {}


def test_an_address_with_another_name_is_no_upload(http, ports, account_id):
    url = uploaded(http, ports)["mediaUrl"]
    assert_no_upload(http.post(a_body(account_id, url.replace("film.mp4", "other.mp4"))))


def test_a_dropped_upload_makes_no_post(http, ports, account_id):
    upload = uploaded(http, ports)
    http.call("DELETE", f"{UPLOADS}/{upload['uploadId']}", "")
    assert_no_upload(http.post(a_body(account_id, upload["mediaUrl"])))


def test_an_upload_that_is_not_complete_makes_no_post(http, ports, account_id):
    upload = begin(http).json
    bring(http, ports, upload["uploadId"], [FILM])
    answer = http.post(a_body(account_id, upload["mediaUrl"]))
    assert_failed(answer, 400, "InvalidMediaUrl")
    assert answer.json["error"] == "The upload is not complete."


def test_a_post_is_not_scheduled_for_when_its_upload_is_gone(http, ports, account_id):
    url = uploaded(http, ports)["mediaUrl"]
    end = ports.clock.now() + 30 * DAY
    late = http.post(a_body(account_id, url, scheduledTime=iso(end + 60)))
    assert_failed(late, 400, "InvalidMediaUrl")
    assert late.json["error"] == f"The upload is kept until {iso(end)}, and the post is for later."
    early = http.post(a_body(account_id, url, scheduledTime=iso(end - 60)))
    assert early.json["status"] == "SCHEDULED"
    path = f"/v2/posts/{early.json['postSubmissionId']}"
    assert_failed(http.call("PATCH", path, {"scheduledTime": iso(end + 60)}), 400, "InvalidMediaUrl")
    assert http.call("PATCH", path, {"post": {"content": {"text": "new"}}}).status == 200
    assert http.call("PATCH", path, {"scheduledTime": iso(end - 120)}).status == 200


def test_each_upload_that_is_wrong_is_told_with_its_place(http, ports, account_id):
    good, open_yet = uploaded(http, ports, picture(1), "1.jpg")["mediaUrl"], begin(http, 1, "2.jpg").json["mediaUrl"]
    answer = http.post(a_body(account_id, good, open_yet, "https://127.0.0.1/3.jpg"))
    assert answer.status == 400
    told = {problem["field"]: problem["error"] for problem in answer.json["problems"]}
    assert told["post.content.mediaUrls[1]"] == "Picture 2 of 3: The upload is not complete."
    assert set(told) == {"post.content.mediaUrls[1]", "post.content.mediaUrls[2]"}


def test_of_more_media_than_a_post_has_the_uploads_are_not_looked_up(http, account_id):
    open_yet = begin(http, 1, "1.jpg").json["mediaUrl"]
    urls = [f"https://media.example/{number}.jpg" for number in range(PICTURES)]
    answer = http.post(a_body(account_id, *urls, open_yet))
    assert [problem["field"] for problem in answer.json["problems"]] == ["post.content.mediaUrls"]


def test_a_repeated_request_gets_the_first_answer_though_the_upload_is_gone(http, ports, account_id):
    upload = uploaded(http, ports)
    more = {"headers": {"Idempotency-Key": "k", "Prefer": "respond-async"}}
    first = http.post(a_body(account_id, upload["mediaUrl"]), **more)
    http.call("DELETE", f"{UPLOADS}/{upload['uploadId']}", "")
    again = http.post(a_body(account_id, upload["mediaUrl"]), **more)
    assert (again.status, again.body) == (202, first.body)


def test_a_post_whose_upload_is_dropped_before_it_is_fetched_fails_and_says_so(http, ports, account_id):
    upload = uploaded(http, ports)
    answer = http.post(a_body(account_id, upload["mediaUrl"]), headers={"Prefer": "respond-async"})
    http.call("DELETE", f"{UPLOADS}/{upload['uploadId']}", "")
    WorkOn(ports, account_id, answer.json["postSubmissionId"]).go_on(lambda: None)
    post = ports.posts.get(answer.json["postSubmissionId"])
    assert post is not None
    assert post.failure is not None
    assert (post.status, post.failure.code) == (Status.FAILED, "MediaDownloadFailed")


def test_rows_of_a_bulk_request_name_uploads_too(http, ports, account_id):
    url = uploaded(http, ports)["mediaUrl"]
    rows = [a_body(account_id, url), a_body(account_id, url.replace("film.mp4", "other.mp4"))]
    answer = http.call("POST", "/v2/posts/bulk", {"posts": rows, "queueIfLimited": True})
    assert [row["status"] if row["success"] else row["code"] for row in answer.json["results"]] == [
        "QUEUED",
        "InvalidMediaUrl",
    ]


def test_a_caller_cannot_name_the_store_itself(http, ports, account_id):
    upload = uploaded(http, ports)
    answer = http.post(a_body(account_id, f"s3://media/uploads/workspace-1/{upload['uploadId']}/film.mp4"))
    assert_failed(answer, 400, "InvalidMediaUrl")
