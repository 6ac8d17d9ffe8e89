"""The port Uploads."""

import base64
import hashlib
import json
import random

import pytest
import requests
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

from publisher.aws.clients import client
from publisher.aws.uploads import S3Uploads
from publisher.domain.errors import Busy, MediaDownloadFailed, MediaTooLarge, ServiceUnavailable
from publisher.domain.limits import MIB
from publisher.domain.uploads import Upload, UploadName, plan_parts
from tests.builders import NOW
from tests.fakes import sha256_of
from tests.integration.conftest import ACCOUNT

SIZE = 16 * MIB + 5
BYTES = random.Random(1).randbytes(SIZE)
ID = "7d0b5a52-6c1b-4c0e-9f9b-5f1c1a1f0b7e"
DAY = 86400


@pytest.fixture(autouse=True)
def told_checksums(monkeypatch):
    """Let moto tell of each part the checksum that S3 tells of it."""
    list_parts = S3Response.list_parts

    def with_checksums(self):
        status, headers, answer = list_parts(self)
        body = answer if isinstance(answer, str) else answer.decode()
        backend = s3_backends[ACCOUNT]["aws"]
        parts = backend.get_bucket(self.bucket_name).multiparts[self._get_param("uploadId")].parts
        for number, part in parts.items():
            told = f"<PartNumber>{number}</PartNumber>"
            assert told in body
            body = body.replace(told, f"{told}<ChecksumSHA256>{sha256_of(part.value)}</ChecksumSHA256>")
        return status, headers, body

    monkeypatch.setattr(S3Response, "list_parts", with_checksums)


def an_upload(**changes):
    usual = {"workspace_id": "workspace-1", "upload_id": ID, "file_name": "My film.mp4", "size": SIZE}
    return Upload.model_validate({**usual, "content_type": "video/mp4", "begun_at": NOW, **changes})


def put(ports, url, data):
    """Send a part, as its owner does."""
    if not hasattr(ports, "aws"):
        return ports.uploads.put_part(url, data, sha256_of(data))
    return requests.put(url, data=data, headers={"x-amz-checksum-sha256": sha256_of(data)}, timeout=20).ok


def bytes_of(part, data=BYTES):
    return data[part.first : part.first + part.size]


def bring(ports, upload, data=BYTES, numbers=None):
    for part in plan_parts(upload.size):
        if numbers is None or part.number in numbers:
            piece = bytes_of(part, data)
            assert put(ports, ports.uploads.part_url(upload, part, sha256_of(piece)), piece)


def whole(ports, data=BYTES, **changes):
    upload = ports.uploads.begin(an_upload(size=len(data), **changes))
    bring(ports, upload, data)
    ports.uploads.complete(upload, ports.uploads.received(upload))
    return upload


def read_all(ports, workspace_id, name, max_bytes=10**9):
    with ports.uploads.open(workspace_id, name, max_bytes=max_bytes) as source:
        data, buffer = bytearray(), memoryview(bytearray(1_000_000))
        while filled := source.readinto(buffer):
            data += buffer[:filled]
        assert source.size == len(data)
        assert source.head == data[: len(source.head)]
        return bytes(data)


# Every store
def test_a_whole_file_is_looked_at_here_and_there(ports):
    name = whole(ports).name
    with ports.uploads.look("workspace-1", name) as look:
        file = look.file()
        assert (look.size, look.head) == (SIZE, BYTES[: len(look.head)])
        for first in (SIZE - 10, 0, 9 * MIB):
            file.seek(first)
            assert file.read(1000) == BYTES[first : first + 1000]


def test_another_workspaces_file_is_not_looked_at(ports):
    name = whole(ports).name
    with pytest.raises(MediaDownloadFailed), ports.uploads.look("workspace-2", name):
        pass


def test_an_upload_is_found_as_it_was_begun(ports):
    upload = ports.uploads.begin(an_upload())
    assert upload.handle
    assert ports.uploads.find("workspace-1", ID) == upload
    assert list(ports.uploads.received(upload)) == []


def test_another_workspace_does_not_find_it(ports):
    ports.uploads.begin(an_upload())
    for other in ("workspace-2", "workspace-", "workspace-1/x", "*"):
        assert ports.uploads.find(other, ID) is None
    assert ports.uploads.find("workspace-1", ID.replace("7", "8")) is None


def test_parts_become_one_file_in_their_order(ports):
    upload = ports.uploads.begin(an_upload())
    bring(ports, upload, numbers=[3, 1])
    assert [part.number for part in ports.uploads.received(upload)] == [1, 3]
    bring(ports, upload, numbers=[2])
    received = ports.uploads.received(upload)
    assert [(part.size, part.sha256) for part in received] == [
        (part.size, sha256_of(bytes_of(part))) for part in plan_parts(SIZE)
    ]
    ports.uploads.complete(upload, received)
    assert ports.uploads.find("workspace-1", ID) == upload.model_copy(update={"complete": True})
    assert read_all(ports, "workspace-1", upload.name) == BYTES


def test_a_file_of_one_byte_is_one_too(ports):
    upload = whole(ports, b"x")
    assert read_all(ports, "workspace-1", upload.name) == b"x"


def test_completed_again_it_stays_as_it_is(ports):
    upload = ports.uploads.begin(an_upload(size=3))
    bring(ports, upload, b"abc")
    received = ports.uploads.received(upload)
    for _ in range(2):
        ports.uploads.complete(upload, received)
    assert list(ports.uploads.received(upload)) == []
    assert read_all(ports, "workspace-1", upload.name) == b"abc"


def test_a_part_that_was_replaced_meanwhile_is_not_completed(ports):
    upload = ports.uploads.begin(an_upload(size=3))
    bring(ports, upload, b"abc")
    received = ports.uploads.received(upload)
    bring(ports, upload, b"xyz")
    with pytest.raises(Busy):
        ports.uploads.complete(upload, received)
    ports.uploads.complete(upload, ports.uploads.received(upload))
    assert read_all(ports, "workspace-1", upload.name) == b"xyz"


def test_a_dropped_upload_is_known_as_dropped_and_nothing_of_it_is_left(ports):
    begun = ports.uploads.begin(an_upload(size=3))
    bring(ports, begun, b"abc")
    other = ID.replace("7", "8")
    complete = whole(ports, b"abc", upload_id=other)
    for upload in (begun, complete):
        for _ in range(2):
            ports.uploads.drop(upload)
        found = ports.uploads.find("workspace-1", upload.upload_id)
        assert found is not None
        assert (found.dropped, found.complete) == (True, False)
        with pytest.raises(MediaDownloadFailed):
            read_all(ports, "workspace-1", upload.name)


def test_an_upload_ends_after_two_days_and_a_whole_file_after_thirty(ports):
    whole(ports, b"abc")
    ports.uploads.begin(an_upload(upload_id=ID.replace("7", "8")))
    ports.clock.time = NOW + 2 * DAY - 1
    assert all(ports.uploads.find("workspace-1", one) for one in (ID, ID.replace("7", "8")))
    ports.clock.time = NOW + 2 * DAY
    assert ports.uploads.find("workspace-1", ID.replace("7", "8")) is None
    ports.clock.time = NOW + 30 * DAY - 1
    assert ports.uploads.find("workspace-1", ID)
    ports.clock.time = NOW + 30 * DAY
    assert ports.uploads.find("workspace-1", ID) is None


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(ports):
    upload = whole(ports, b"abc")
    assert read_all(ports, "workspace-1", upload.name, max_bytes=3) == b"abc"
    with pytest.raises(MediaTooLarge), ports.uploads.open("workspace-1", upload.name, max_bytes=2):
        pass


@pytest.mark.parametrize(
    ("workspace_id", "name"),
    [
        ("workspace-2", UploadName(ID, "My-film.mp4")),
        ("workspace-1", UploadName(ID, "other.mp4")),
        ("workspace-1", UploadName(ID.replace("7", "8"), "My-film.mp4")),
        ("workspace-1/..", UploadName(ID, "../workspace-1/My-film.mp4")),
    ],
)
def test_a_file_that_is_not_there_is_no_media(ports, workspace_id, name):
    whole(ports, b"abc")
    with pytest.raises(MediaDownloadFailed), ports.uploads.open(workspace_id, name, max_bytes=10):
        pass


def test_what_is_not_complete_is_no_media(ports):
    upload = ports.uploads.begin(an_upload(size=3))
    bring(ports, upload, b"abc")
    with pytest.raises(MediaDownloadFailed), ports.uploads.open("workspace-1", upload.name, max_bytes=10):
        pass


# S3
def test_an_address_names_the_region_and_signs_length_and_hash(aws_ports):
    upload = aws_ports.uploads.begin(an_upload())
    url = aws_ports.uploads.part_url(upload, plan_parts(SIZE)[0], sha256_of(b""))
    host = "https://media.s3.eu-central-1.amazonaws.com"
    assert url.startswith(f"{host}/uploads/workspace-1/{ID}/My-film.mp4?")
    assert aws_ports.uploads.origin == host
    for told in ("partNumber=1", "X-Amz-Expires=3600", "content-length%3Bhost%3Bx-amz-checksum-sha256"):
        assert told in url


def test_an_address_names_the_region_in_the_oldest_one_too(aws_ports, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    uploads = S3Uploads(client("s3"), "media", aws_ports.clock)
    url = uploads.part_url(an_upload(handle="handle"), plan_parts(SIZE)[0], sha256_of(b""))
    assert url.startswith(f"{uploads.origin}/uploads/")
    assert uploads.origin == "https://media.s3.us-east-1.amazonaws.com"
    assert "content-length%3Bhost%3Bx-amz-checksum-sha256" in url


def test_s3_is_told_which_hash_every_part_has_to_bring(aws_ports):
    sent = []
    aws_ports.aws.break_in("s3", "CreateMultipartUpload", lambda request, **_: sent.append(request.headers))
    aws_ports.uploads.begin(an_upload())
    assert sent[0]["x-amz-checksum-algorithm"] == b"SHA256"


def test_names_of_workspaces_stay_apart_whatever_they_hold(aws_ports):
    whole(aws_ports, b"abc", workspace_id="a/b")
    whole(aws_ports, b"xyz", workspace_id="a")
    keys = [one["Key"] for one in aws_ports.aws.clients["s3"].list_objects_v2(Bucket="media")["Contents"]]
    assert keys == [f"uploads/{one}/{ID}{rest}" for one in ("a%2Fb", "a") for rest in (".json", "/My-film.mp4")]


def test_what_is_stored_of_an_upload_holds_no_address(aws_ports):
    upload = aws_ports.uploads.begin(an_upload())
    key = f"uploads/workspace-1/{ID}.json"
    stored = aws_ports.aws.clients["s3"].get_object(Bucket="media", Key=key)["Body"].read()
    assert json.loads(stored)["handle"] == upload.handle
    assert b"http" not in stored


def test_each_part_is_completed_with_its_hash(aws_ports):
    upload = aws_ports.uploads.begin(an_upload(size=3))
    bring(aws_ports, upload, b"abc")
    received, sent = aws_ports.uploads.received(upload), []
    aws_ports.aws.break_in("s3", "CompleteMultipartUpload", lambda request, **_: sent.append(request.body))
    aws_ports.uploads.complete(upload, received)
    hashed = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    assert f"<ChecksumSHA256>{hashed}</ChecksumSHA256>".encode() in sent[0]


def test_a_completion_whose_answer_was_lost_is_one(aws_ports):
    upload = aws_ports.uploads.begin(an_upload(size=3))
    bring(aws_ports, upload, b"abc")
    received = aws_ports.uploads.received(upload)
    aws_ports.aws.lose_answer("s3", "CompleteMultipartUpload")
    aws_ports.uploads.complete(upload, received)
    assert read_all(aws_ports, "workspace-1", upload.name) == b"abc"


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("CreateMultipartUpload", lambda uploads, _: uploads.begin(an_upload())),
        ("PutObject", lambda uploads, _: uploads.begin(an_upload())),
        ("GetObject", lambda uploads, _: uploads.find("workspace-1", ID)),
        ("HeadObject", lambda uploads, _: uploads.find("workspace-1", ID)),
        ("ListParts", lambda uploads, upload: uploads.received(upload)),
        ("CompleteMultipartUpload", lambda uploads, upload: uploads.complete(upload, [])),
        ("AbortMultipartUpload", lambda uploads, upload: uploads.drop(upload)),
        ("DeleteObject", lambda uploads, upload: uploads.drop(upload)),
        ("GetObject", lambda uploads, upload: uploads.open("workspace-1", upload.name, max_bytes=1).__enter__()),
    ],
)
def test_an_s3_that_does_not_answer_well_is_tried_again_later(aws_ports, operation, act):
    upload = aws_ports.uploads.begin(an_upload(size=3))
    aws_ports.aws.answer("s3", operation, 503, "<Error><Code>SlowDown</Code></Error>")
    with pytest.raises(ServiceUnavailable):
        act(aws_ports.uploads, upload)


def test_a_completion_that_another_one_came_before_is_one(aws_ports):
    upload = whole(aws_ports, b"abc")
    aws_ports.aws.answer("s3", "CompleteMultipartUpload", 404, "<Error><Code>NoSuchUpload</Code></Error>")
    aws_ports.uploads.complete(upload, [])
    assert read_all(aws_ports, "workspace-1", upload.name) == b"abc"


@pytest.mark.parametrize("code", ["NoSuchUpload", "InvalidPart"])
def test_an_upload_that_was_ended_or_changed_meanwhile_is_not_completed(aws_ports, code):
    upload = aws_ports.uploads.begin(an_upload(size=3))
    aws_ports.aws.answer("s3", "CompleteMultipartUpload", 404, f"<Error><Code>{code}</Code></Error>")
    with pytest.raises(Busy):
        aws_ports.uploads.complete(upload, [])


def test_what_s3_does_not_show_is_not_there(aws_ports):
    whole(aws_ports, b"abc")
    aws_ports.aws.answer("s3", "HeadObject", 403, "")
    found = aws_ports.uploads.find("workspace-1", ID)
    assert found is not None
    assert not found.complete
    aws_ports.aws.answer("s3", "GetObject", 403, "<Error><Code>AccessDenied</Code></Error>")
    assert aws_ports.uploads.find("workspace-1", ID) is None


def test_a_small_file_that_is_put_is_whole_at_once(ports):
    upload = an_upload(size=5)
    assert ports.uploads.put(upload, b"bytes").complete
    assert ports.uploads.find("workspace-1", ID).complete
    with ports.uploads.open("workspace-1", upload.name, max_bytes=5) as source:
        buffer = bytearray(10)
        assert bytes(buffer[: source.readinto(memoryview(buffer))]) == b"bytes"


def test_what_was_put_is_dropped_like_any_other(ports):
    upload = ports.uploads.put(an_upload(size=5), b"bytes")
    ports.uploads.drop(upload)
    found = ports.uploads.find("workspace-1", ID)
    assert (found.complete, found.dropped) == (False, True)
