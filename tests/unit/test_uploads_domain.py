"""Names, parts and addresses of uploaded files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.limits import FILE_NAME_CHARACTERS, GIB, MIB, UPLOAD_PART_BYTES, UPLOAD_PARTS, VIDEO_BYTES
from publisher.domain.uploads import Upload, UploadName, is_sha256, part_size, plan_parts, safe_name, upload_named
from tests.fakes import sha256_of

ID = "7d0b5a52-6c1b-4c0e-9f9b-5f1c1a1f0b7e"


def an_upload(**changes: object) -> Upload:
    usual = {"workspace_id": "w", "upload_id": ID, "file_name": "film.mp4", "size": 10, "content_type": "video/mp4"}
    return Upload.model_validate({**usual, "begun_at": 1000.0, **changes})


@given(st.integers(1, VIDEO_BYTES))
def test_parts_cover_the_file_without_gap_and_keep_s3s_rules(size):
    parts = plan_parts(size)
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert [part.first for part in parts] == [sum(part.size for part in parts[:at]) for at in range(len(parts))]
    assert sum(part.size for part in parts) == size
    assert len(parts) <= UPLOAD_PARTS <= 10_000
    assert {part.size for part in parts[:-1]} <= {part_size(size)}
    assert 5 * MIB <= part_size(size) <= 5 * GIB
    assert 1 <= parts[-1].size <= part_size(size)


@pytest.mark.parametrize(
    ("size", "step", "count"),
    [
        (1, UPLOAD_PART_BYTES, 1),
        (UPLOAD_PART_BYTES, UPLOAD_PART_BYTES, 1),
        (UPLOAD_PART_BYTES + 1, UPLOAD_PART_BYTES, 2),
        (800 * MIB, 8 * MIB, 100),
        (800 * MIB + 1, 9 * MIB, 89),
        (4 * GIB, 41 * MIB, 100),
    ],
)
def test_parts_are_small_until_they_would_be_too_many(size, step, count):
    assert (part_size(size), len(plan_parts(size))) == (step, count)


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("film.mp4", "film.mp4"),
        ("My holiday (final).MP4", "My-holiday-final.MP4"),
        ("größe 東京.mov", "größe-東京.mov"),
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\films\\a.mp4", "C-films-a.mp4"),
        (".mp4", "mp4"),
        ("???", "file"),
        ("a%2Fb?c#d.webm", "a-2Fb-c-d.webm"),
    ],
)
def test_a_files_name_becomes_one_that_an_address_can_carry(given_name, safe):
    assert safe_name(given_name) == safe


@given(st.text())
def test_any_name_is_made_safe_once_and_for_all_and_read_back_from_its_address(text):
    name = safe_name(text)
    assert 1 <= len(name) <= FILE_NAME_CHARACTERS
    assert safe_name(name) == name
    assert upload_named(an_upload(file_name=text).media_url("https://api.example")) == UploadName(ID, name)


def test_a_long_name_keeps_its_ending():
    assert safe_name("a" * 500 + ".jpeg") == "a" * (FILE_NAME_CHARACTERS - 5) + ".jpeg"
    assert safe_name("a" * (FILE_NAME_CHARACTERS - 1) + "." + "b" * 50) == "a" * (FILE_NAME_CHARACTERS - 1)


@pytest.mark.parametrize("base", ["https://publish.example", "http://127.0.0.1:41000", "https://other.example:8443"])
def test_an_upload_is_known_by_its_address_whatever_the_host(base):
    assert upload_named(f"{base}/v2/media/uploads/{ID}/film.mp4") == UploadName(ID, "film.mp4")


@pytest.mark.parametrize(
    "url",
    [
        f"https://a.example/v2/media/uploads/{ID}",
        f"https://a.example/v2/media/uploads/{ID}/",
        f"https://a.example/v2/media/uploads/{ID}/a/b",
        f"https://a.example/x/v2/media/uploads/{ID}/a.mp4",
        "https://a.example/v2/media/uploads/none/a.mp4",
        f"https://a.example/v2/media/uploads/{ID.upper()}/a.mp4",
        f"s3://media/v2/media/uploads/{ID}/a.mp4",
        f"https://[/v2/media/uploads/{ID}/a.mp4",
        "https://a.example/film.mp4",
    ],
)
def test_any_other_address_is_no_upload(url):
    assert upload_named(url) is None


def test_an_upload_is_kept_longer_when_it_is_whole():
    assert an_upload().expires_at == 1000 + 2 * 86400
    assert an_upload(complete=True).expires_at == 1000 + 30 * 86400


def test_only_the_usual_base64_of_32_bytes_is_a_sha256():
    good = sha256_of(b"film")
    assert is_sha256(good)
    unused_bits = good[:-2] + chr(ord(good[-2]) + 1) + "="
    for text in ("", "abc", good[:-1], good + "=", f" {good}", "0" * 64, unused_bits, "ß" * 44):
        assert not is_sha256(text)
