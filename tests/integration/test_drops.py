"""The port Drops."""

import json
import random

import pytest

from publisher.domain.errors import InternalServerError, MediaDownloadFailed, MediaTooLarge, ServiceUnavailable
from publisher.domain.limits import SNIFF_BYTES
from publisher.ports import DroppedFile

BYTES = random.Random(1).randbytes(3 * SNIFF_BYTES + 7)
KEY = "autopublish/account-1/film.mp4"
ODD = "autopublish/account-1/a b+c/ü#1?versionId=2&100%25%/“film”.mp4"


def drop(ports, key=KEY, data=BYTES):
    """Put a file into the bucket, as its owner does."""
    if not hasattr(ports, "aws"):
        return ports.drops.drop(key, data)
    put = ports.aws.clients["s3"].put_object(Bucket=ports.aws.drop_bucket, Key=key, Body=data)
    return DroppedFile(key=key, version=put["VersionId"], size=len(data))


def read_all(ports, url, piece=50_000, max_bytes=10**9):
    with ports.drops.open(url, max_bytes=max_bytes) as source:
        data, buffer = bytearray(), memoryview(bytearray(piece))
        while filled := source.readinto(buffer):
            data += buffer[:filled]
        return bytes(data)


# Every bucket
@pytest.mark.parametrize("key", [KEY, ODD])
def test_a_dropped_file_is_found_and_reads_back(ports, key):
    assert ports.drops.find(key) is None
    file = drop(ports, key)
    assert ports.drops.find(key) == file
    assert file.size == len(BYTES)
    assert ports.drops.read(file) == BYTES
    assert read_all(ports, ports.drops.url(file)) == BYTES


def test_a_file_that_is_dropped_again_is_found_as_it_is_and_read_as_it_was(ports):
    first = drop(ports, data=b"first")
    second = drop(ports, data=b"the second")
    assert ports.drops.find(KEY) == second
    assert list(ports.drops.list("autopublish/account-1/")) == [second]
    assert [ports.drops.read(file) for file in (first, second)] == [b"first", b"the second"]
    assert [read_all(ports, ports.drops.url(file)) for file in (first, second)] == [b"first", b"the second"]


def test_a_folder_lists_its_files_by_key(ports):
    files = [drop(ports, f"autopublish/account-1/album/{name}") for name in ("c.jpg", "a.jpg", "10.jpg", "b b.jpg")]
    drop(ports, "autopublish/account-1/album-2/a.jpg")
    listed = ports.drops.list("autopublish/account-1/album/")
    assert list(listed) == sorted(files, key=lambda file: file.key)
    assert list(ports.drops.list("autopublish/account-2/")) == []


@pytest.mark.parametrize("size", [0, 1, SNIFF_BYTES - 1, SNIFF_BYTES, SNIFF_BYTES + 1, len(BYTES)])
@pytest.mark.parametrize("piece", [1000, SNIFF_BYTES, 10**6])
def test_the_first_bytes_are_told_and_delivered_all_the_same(ports, size, piece):
    url = ports.drops.url(drop(ports, data=BYTES[:size]))
    with ports.drops.open(url, max_bytes=10**9) as source:
        assert source.size == size
        assert source.head == BYTES[: min(size, SNIFF_BYTES)]
    assert read_all(ports, url, piece) == BYTES[:size]


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(ports):
    url = ports.drops.url(drop(ports))
    assert read_all(ports, url, max_bytes=len(BYTES)) == BYTES
    with pytest.raises(MediaTooLarge), ports.drops.open(url, max_bytes=len(BYTES) - 1):
        pass


def test_a_version_that_is_not_there_is_no_media(ports):
    drop(ports)
    gone = ports.drops.url(DroppedFile(key=KEY, version="99", size=1))
    never = ports.drops.url(DroppedFile(key="autopublish/account-1/never.mp4", version="1", size=1))
    for url in (gone, never):
        with pytest.raises(MediaDownloadFailed), ports.drops.open(url, max_bytes=10**9):
            pass


# S3
def test_the_address_names_bucket_key_and_version(aws_ports):
    file = DroppedFile(key="autopublish/a b/ü.mp4", version="v/1+2", size=1)
    assert aws_ports.drops.url(file) == "s3://drops/autopublish/a%20b/%C3%BC.mp4?versionId=v%2F1%2B2"


def test_no_other_bucket_is_read_whatever_the_address_names(aws_ports):
    url = aws_ports.drops.url(drop(aws_ports))
    aws_ports.aws.clients["s3"].put_object(Bucket=aws_ports.aws.bucket, Key=KEY, Body=b"staged")
    assert read_all(aws_ports, url.replace("s3://drops/", "s3://media/")) == BYTES


def test_a_deleted_file_is_found_no_more_and_read_as_it_was(aws_ports):
    file, kept = drop(aws_ports), drop(aws_ports, ODD)
    aws_ports.aws.clients["s3"].delete_object(Bucket="drops", Key=KEY)
    assert aws_ports.drops.find(KEY) is None
    assert aws_ports.drops.list("autopublish/") == (kept,)
    assert read_all(aws_ports, aws_ports.drops.url(file)) == BYTES


def test_a_version_that_was_removed_is_gone(aws_ports):
    file = drop(aws_ports)
    aws_ports.aws.clients["s3"].delete_object(Bucket="drops", Key=KEY, VersionId=file.version)
    with pytest.raises(MediaDownloadFailed), aws_ports.drops.open(aws_ports.drops.url(file), max_bytes=10**9):
        pass
    with pytest.raises(ServiceUnavailable):
        aws_ports.drops.read(file)


@pytest.mark.parametrize("page", ["1", "2", "3", "1000"])
def test_a_list_goes_on_over_pages_that_former_versions_fill(aws_ports, monkeypatch, page):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", page)
    present = []
    for number in range(4):
        for _ in range(number):
            drop(aws_ports, f"autopublish/{number}", b"former")
        present.append(drop(aws_ports, f"autopublish/{number}", b"present"))
    assert aws_ports.drops.list("autopublish/") == tuple(present)


def test_a_list_ends_at_its_limit_and_asks_for_no_more_pages(aws_ports, monkeypatch):
    monkeypatch.setattr("publisher.aws.drops._MOST_FILES", 3)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    files = [drop(aws_ports, f"autopublish/{number}") for number in range(8)]
    pages = []
    aws_ports.aws.break_in("s3", "ListObjectVersions", lambda **request: pages.append(request))
    assert aws_ports.drops.list("autopublish/") == tuple(files[:3])
    assert len(pages) == 2


def test_what_is_written_is_there_as_json_in_utf_8(aws_ports):
    text = json.dumps({"error": "Größe"}, ensure_ascii=False)
    aws_ports.drops.write(f"{KEY}.result.json", "before")
    aws_ports.drops.write(f"{KEY}.result.json", text)
    written = aws_ports.aws.clients["s3"].get_object(Bucket="drops", Key=f"{KEY}.result.json")
    assert written["Body"].read().decode() == text
    assert written["ContentType"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("code", ["404", "403"])
def test_what_s3_does_not_show_is_not_there(aws_ports, code):
    drop(aws_ports)
    aws_ports.aws.answer("s3", "HeadObject", int(code), "")
    assert aws_ports.drops.find(KEY) is None


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("HeadObject", lambda drops, file: drops.find(file.key)),
        ("ListObjectVersions", lambda drops, _: drops.list("autopublish/")),
        ("GetObject", lambda drops, file: drops.read(file)),
        ("GetObject", lambda drops, file: drops.open(drops.url(file), max_bytes=10**9).__enter__()),
        ("PutObject", lambda drops, file: drops.write(file.key, "text")),
    ],
)
def test_an_s3_that_does_not_answer_well_is_tried_again_later(aws_ports, operation, act):
    file = drop(aws_ports)
    aws_ports.aws.answer("s3", operation, 503, "<Error><Code>SlowDown</Code></Error>")
    with pytest.raises(ServiceUnavailable):
        act(aws_ports.drops, file)


def test_a_list_that_is_not_allowed_says_so(aws_ports):
    aws_ports.aws.answer("s3", "ListObjectVersions", 403, "<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(InternalServerError, match=r"S3 .*AccessDenied"):
        aws_ports.drops.list("autopublish/")
