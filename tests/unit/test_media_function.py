"""What TikTok fetches over HTTP: pictures at addresses of their own, and the ownership file."""

import pytest

from publisher.domain.errors import ServiceUnavailable
from publisher.ports import Hosted
from tests.builders import NOW
from tests.unit.conftest import assert_failed

PREFIX = "0123456789abcdef" * 2
TOKEN = "AbCdEf0123456789_-AbCdEf01234567"
PICTURES = {number: b"\xff\xd8\xff" + bytes([number]) for number in (1, 2, 3)}


@pytest.fixture(autouse=True)
def hosted(ports):
    """Three pictures at an open address, and a fourth that does not belong to it."""
    ports.media.objects |= {f"staging/folder/{number}.jpg": data for number, data in PICTURES.items()}
    ports.media.objects["staging/folder/4.jpg"] = b"somebody else's"
    ports.photo_host.host(PREFIX, Hosted(folder="staging/folder", count=3), NOW + 86400)


def pull(http, name="1.jpg", prefix=PREFIX, method="GET"):
    return http.call(method, f"/media/{prefix}/{name}", "", key=None)


# Pictures
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_picture_comes_to_the_byte_as_a_jpeg_that_nobody_keeps(http, number):
    answer = pull(http, f"{number}.jpg")
    assert (answer.status, answer.data) == (200, PICTURES[number])
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"] == f'inline; filename="{number}.jpg"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_asks_for_a_picture_has_pulled_it(http, ports, method):
    assert pull(http, method=method).status == 200
    assert not ports.photo_host.fence(PREFIX)


def test_a_fenced_address_gives_nothing(http, ports):
    assert ports.photo_host.fence(PREFIX)
    assert_failed(pull(http), 404, "NotFound")


def test_a_closed_address_gives_nothing_though_it_was_pulled_from(http, ports):
    pull(http)
    ports.photo_host.close(PREFIX)
    assert_failed(pull(http), 404, "NotFound")


def test_an_address_gives_nothing_after_a_day(http, ports):
    ports.clock.time = NOW + 86400
    assert_failed(pull(http), 404, "NotFound")


def test_a_pull_is_noted_before_the_picture_is_read(http, ports):
    ports.media.faults.before("get", ServiceUnavailable("S3 did not answer.", "Try again."))
    assert_failed(pull(http), 503, "ServiceUnavailable")
    assert not ports.photo_host.fence(PREFIX)


def test_nothing_is_given_away_while_the_pull_cannot_be_noted(http, ports):
    ports.photo_host.faults.before("pull", ServiceUnavailable("DynamoDB did not answer.", "Try again."))
    answer = pull(http)
    assert_failed(answer, 503, "ServiceUnavailable")


def test_a_picture_that_was_deleted_is_not_found(http, ports):
    del ports.media.objects["staging/folder/2.jpg"]
    assert_failed(pull(http, "2.jpg"), 404, "NotFound")


@pytest.mark.parametrize(
    "name",
    [
        *("4.jpg", "0.jpg", "01.jpg", "-1.jpg", "99.jpg", f"{'9' * 400}.jpg", "²0.jpg", "x.jpg"),
        *("1", "1.png", "1.jpg.jpg", "1.JPG", "1.jpg ", ".jpg", "..", "%2e%2e", "1%2ejpg"),
    ],
)
def test_a_name_that_is_none_of_the_pictures_is_not_found_and_notes_nothing(http, ports, name):
    assert_failed(pull(http, name), 404, "NotFound")
    assert ports.photo_host.fence(PREFIX)


@pytest.mark.parametrize(
    "prefix", ["f" * 32, PREFIX[:-1], PREFIX + "0", PREFIX.upper(), f" {PREFIX}", "..", "staging", "folder"]
)
def test_an_address_that_was_not_given_out_is_not_found(http, ports, prefix):
    assert_failed(pull(http, prefix=prefix), 404, "NotFound")
    assert ports.photo_host.fence(PREFIX)


@pytest.mark.parametrize("prefix", ["f" * 31, "F" * 32, "f" * 5000])
def test_what_cannot_be_an_address_is_not_looked_up(http, ports, prefix):
    ports.photo_host.faults.before("pull", ServiceUnavailable("DynamoDB takes no such key.", "Do not ask."))
    assert_failed(pull(http, prefix=prefix), 404, "NotFound")


def test_no_answer_names_where_the_pictures_are_kept(http, ports):
    ports.media.objects.clear()
    assert "staging" not in pull(http).body
    assert "staging" not in pull(http, "9.jpg").body


def test_there_is_no_list_of_pictures(http):
    for path in ("/media", "/media/", f"/media/{PREFIX}", f"/media/{PREFIX}/"):
        assert_failed(http.get(path, key=None), 404, "NotFound")


# The ownership file
@pytest.mark.parametrize("folder", ["", "/media"])
def test_the_ownership_file_is_right_to_the_byte_at_the_root_and_beside_the_pictures(http, ports, folder):
    ports.ownership_tokens = ("another", TOKEN)
    answer = http.get(f"{folder}/tiktok{TOKEN}.txt", key=None)
    assert (answer.status, answer.data) == (200, f"tiktok-developers-site-verification={TOKEN}".encode())
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("folder", ["", "/media"])
@pytest.mark.parametrize("name", ["tiktokunknown.txt", f"{TOKEN}.txt", f"tiktok{TOKEN}", "tiktok.txt", "favicon.ico"])
def test_no_other_file_is_there(http, ports, folder, name):
    ports.ownership_tokens = (TOKEN,)
    assert_failed(http.get(f"{folder}/{name}", key=None), 404, "NotFound")


def test_without_tokens_there_is_no_ownership_file(http):
    assert_failed(http.get("/tiktok.txt", key=None), 404, "NotFound")
