"""Small files in a form: stored whole, known by their bytes, and refused in words."""

from typing import Any

import pytest

from publisher.domain.limits import FORM_BODY_BYTES, FORM_FILE_BYTES
from publisher.domain.uploads import UploadName
from tests.builders import a_form
from tests.fakes import FakePorts
from tests.pictures import plain
from tests.unit.conftest import Http, HttpAnswer, assert_failed

PATH = "/api/v2/media/upload"
PICTURE = plain("JPEG")


def form(data: bytes, **more: str) -> tuple[bytes, str]:
    return a_form(data, **more), "multipart/form-data; boundary=x"


def send(http: Http, body: bytes, content_type: str = "multipart/form-data; boundary=x", **more: Any) -> HttpAnswer:
    return http.call("POST", PATH, body, headers={"content-type": content_type}, **more)


def test_a_picture_is_stored_to_the_byte_and_its_address_is_told(http: Http, ports: FakePorts) -> None:
    answer = send(http, *form(PICTURE))
    assert answer.status == 201
    told = answer.json
    assert told["complete"]
    assert told["size"] == len(PICTURE)
    assert told["mediaUrl"] == f"https://publish.example/v2/media/uploads/{told['uploadId']}/photo.jpg"
    assert ports.uploads.files["workspace-1", UploadName(told["uploadId"], "photo.jpg")] == PICTURE


def test_it_is_an_upload_like_any_other(http: Http) -> None:
    upload_id = send(http, *form(PICTURE)).json["uploadId"]
    assert http.get(f"/v2/media/uploads/{upload_id}").json["complete"]
    assert http.call("DELETE", f"/v2/media/uploads/{upload_id}").status == 200
    assert http.get(f"/v2/media/uploads/{upload_id}").status == 404


def test_the_largest_file_is_taken_and_a_byte_more_is_told_of_the_other_way(http: Http) -> None:
    film = b"\x00\x00\x00\x18ftypmp42".ljust(FORM_FILE_BYTES, b"\x00")
    assert send(http, *form(film)).status == 201
    refused = send(http, *form(film + b"\x00"))
    assert_failed(refused, 400, "MediaTooLarge")
    assert "POST /v2/media/uploads" in refused.json["message"]


def test_a_form_with_two_files_is_refused_rather_than_one_of_them_lost(http: Http, ports: FakePorts) -> None:
    one = a_form(PICTURE)
    assert_failed(send(http, one[: one.rindex(b"--x--")] + one), 400, "InvalidRequest")
    assert ports.uploads.files == {}


def test_a_picture_that_is_not_taken_is_named(http: Http) -> None:
    refused = send(http, *form(b"\0\0\0\x18ftypheic".ljust(64, b"\0")))
    assert_failed(refused, 400, "InvalidMediaType")
    assert "a HEIC picture" in refused.json["error"]


def test_a_form_beyond_all_limits_is_not_even_read(http: Http) -> None:
    assert_failed(send(http, *form(b"\xff\xd8\xff".ljust(FORM_BODY_BYTES, b"\x00"))), 400, "InvalidRequest")


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", "multipart/form-data; boundary=x", "InvalidRequest"),
        (form(PICTURE)[0][:-20], "multipart/form-data; boundary=x", "InvalidRequest"),
        (form(PICTURE)[0], "multipart/form-data", "InvalidRequest"),
        (form(PICTURE)[0], "application/json", "InvalidRequest"),
        (form(PICTURE)[0], "multipart/form-data; boundary=y", "InvalidRequest"),
        (form(PICTURE, field="photo")[0], "multipart/form-data; boundary=x", "MissingParameter"),
        (form(b"just words")[0], "multipart/form-data; boundary=x", "InvalidMediaType"),
        (form(b"")[0], "multipart/form-data; boundary=x", "InvalidRequest"),
        (form(PICTURE, name="x" * 300 + ".jpg")[0], "multipart/form-data; boundary=x", "InvalidRequest"),
    ],
    ids=[
        "nothing",
        "cut",
        "no boundary",
        "no form",
        "another boundary",
        "another field",
        "words",
        "empty",
        "long name",
    ],
)
def test_what_is_no_media_in_a_form_is_refused_and_stored_nowhere(
    http: Http, ports: FakePorts, body: bytes, content_type: str, code: str
) -> None:
    assert_failed(send(http, body, content_type), 400, code)
    assert ports.uploads.files == {}


def test_published_posts_are_the_posts(http: Http, ports: FakePorts) -> None:
    assert http.get("/api/published-posts").json == http.get("/v2/posts").json == {"posts": [], "cursor": None}
    assert_failed(http.call("GET", "/api/published-posts", query={"limit": "0"}), 400, "InvalidRequest")
