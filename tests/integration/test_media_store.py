"""The port MediaStore."""

import base64
import io
import random
import zlib

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from publisher.domain.errors import InternalServerError, MediaDownloadFailed, ServiceUnavailable
from tests.fakes import BytesSource

MIB = 1024 * 1024
PART = 5 * MIB
"""S3's smallest part, to be quick."""
BYTES = random.Random(1).randbytes(2 * PART + MIB + 1)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("publisher.aws.media_store.PART_BYTES", PART)


def film(size):
    return BYTES[:size]


def store(ports, data, key="staging/film", progress=lambda _: None, **source):
    return ports.media.store(key, BytesSource(data, **source), "video/mp4", progress)


def read_all(ports, media, first=0):
    with ports.media.read(media, first) as reader:
        data = memoryview(bytearray(media.size - first + 10))
        filled = reader.readinto(data)
        return bytes(data[:filled])


def keys(ports):
    if hasattr(ports, "aws"):
        return [item["Key"] for item in ports.aws.clients["s3"].list_objects_v2(Bucket="media").get("Contents", [])]
    return list(ports.media.objects)


# Every store
@pytest.mark.parametrize("size", [1, 100_000, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + MIB + 1])
def test_what_was_stored_reads_back(ports, size):
    media = store(ports, film(size))
    assert (media.key, media.size) == ("staging/film", size)
    assert read_all(ports, media) == film(size)


def test_media_of_unannounced_size_is_stored_whole(ports):
    source = BytesSource(film(PART + 5))
    source.size = None
    media = ports.media.store("staging/film", source, "video/mp4", lambda _: None)
    assert media.size == PART + 5


@pytest.mark.parametrize("size", [5, PART + 5])
def test_progress_grows_up_to_the_size(ports, size):
    told: list[int] = []
    store(ports, film(size), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == size


@pytest.mark.parametrize("first", [0, 1, PART, PART + MIB - 1])
def test_reading_begins_where_it_is_told(ports, first):
    media = store(ports, film(PART + MIB))
    assert read_all(ports, media, first) == film(PART + MIB)[first:]


def test_a_reader_goes_on_where_it_stopped_and_fills_every_buffer(ports):
    media = store(ports, film(PART))
    with ports.media.read(media, 7) as reader:
        buffer = memoryview(bytearray(3 * MIB))
        assert reader.readinto(buffer) == 3 * MIB
        assert buffer == film(PART)[7 : 7 + 3 * MIB]
        rest = PART - 7 - 3 * MIB
        assert reader.readinto(buffer) == rest
        assert buffer[:rest] == film(PART)[-rest:]
        assert reader.readinto(buffer) == 0


def test_a_reader_may_be_left_early(ports):
    media = store(ports, film(PART))
    with ports.media.read(media, 0) as reader:
        reader.readinto(memoryview(bytearray(10)))
    assert read_all(ports, media) == film(PART)


def test_a_seekable_file_reads_here_and_there(ports):
    data = film(3 * MIB + 11)
    media = store(ports, data)
    with ports.media.seekable(media) as file:
        assert file.read(8) == data[:8]
        assert file.seek(-5, io.SEEK_END) == len(data) - 5
        assert file.read(100) == data[-5:]
        assert file.read(1) == b""
        assert file.seek(2 * MIB) == 2 * MIB
        assert file.read(10) == data[2 * MIB : 2 * MIB + 10]
        assert file.seek(5, io.SEEK_CUR) == file.tell() == 2 * MIB + 15
        assert file.seek(0) == 0
        assert file.read() == data
        file.seek(len(data) + 100)
        assert file.read(1) == b""


def test_changed_bytes_are_never_read_as_the_old_ones(ports):
    media = store(ports, film(1000))
    store(ports, film(1000)[::-1])
    with pytest.raises(ServiceUnavailable), ports.media.read(media, 0) as reader:
        reader.readinto(memoryview(bytearray(10)))
    with pytest.raises(ServiceUnavailable), ports.media.seekable(media) as file:
        file.read(10)


def test_deleted_objects_are_gone_and_deleting_them_again_is_no_error(ports):
    for name in ("one", "two", "three"):
        store(ports, film(10), key=f"staging/{name}")
    ports.media.delete(["staging/one", "staging/three", "staging/never there"])
    ports.media.delete(["staging/one"])
    assert keys(ports) == ["staging/two"]


def test_deleting_nothing_is_no_error(ports):
    ports.media.delete([])


def test_a_small_file_is_stored_and_comes_back_as_bytes_and_as_file(ports, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(film(100_000))
    ports.media.put("staging/1.jpg", there, "image/jpeg")
    assert ports.media.get("staging/1.jpg") == film(100_000)
    ports.media.download("staging/1.jpg", back)
    assert back.read_bytes() == film(100_000)


def test_a_download_replaces_what_was_in_the_file(ports, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"something longer than the object")
    store(ports, film(3))
    ports.media.download("staging/film", file)
    assert file.read_bytes() == film(3)


def test_an_object_larger_than_a_piece_is_downloaded_whole(ports, tmp_path):
    store(ports, film(3 * MIB + 7))
    ports.media.download("staging/film", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == film(3 * MIB + 7)


def test_storing_again_replaces_the_object(ports, tmp_path):
    file = tmp_path / "file"
    for data in (b"first", b"second"):
        file.write_bytes(data)
        ports.media.put("staging/1.jpg", file, "image/jpeg")
    assert ports.media.get("staging/1.jpg") == b"second"


def test_what_is_not_there_is_none_and_cannot_be_downloaded(ports, tmp_path):
    assert ports.media.get("staging/nothing") is None
    with pytest.raises(ServiceUnavailable):
        ports.media.download("staging/nothing", tmp_path / "file")


@pytest.mark.parametrize("cut_at", [0, 10, PART - 1, PART + 1, 2 * PART])
def test_media_that_is_cut_leaves_nothing(ports, cut_at):
    with pytest.raises(MediaDownloadFailed):
        store(ports, film(2 * PART + MIB), cut_at=cut_at)
    assert keys(ports) == []
    assert unfinished(ports) == []


@pytest.mark.parametrize("size", [10, PART + 10])
def test_a_caller_that_gives_up_leaves_nothing(ports, size):
    def give_up(_):
        raise ServiceUnavailable("The ledger does not answer.", "Try again.")

    with pytest.raises(ServiceUnavailable, match="ledger"):
        store(ports, film(size), progress=give_up)
    assert keys(ports) == []
    assert unfinished(ports) == []


def unfinished(ports):
    if hasattr(ports, "aws"):
        return ports.aws.clients["s3"].list_multipart_uploads(Bucket="media").get("Uploads", [])
    return []


# S3
@pytest.mark.parametrize("size", [10, PART + 10])
def test_an_object_carries_its_content_type(aws_ports, size):
    store(aws_ports, film(size))
    told = aws_ports.aws.clients["s3"].head_object(Bucket="media", Key="staging/film")
    assert (told["ContentType"], told["ContentLength"]) == ("video/mp4", size)


@pytest.mark.parametrize(("operation", "size"), [("PutObject", 10), ("UploadPart", PART + 10)])
def test_s3_is_told_the_checksum_of_every_part(aws_ports, operation, size):
    told = []

    def watch(request, **_):
        told.append((request.headers["x-amz-checksum-crc32"], bytes(request.body)))

    aws_ports.aws.break_in("s3", operation, watch)
    store(aws_ports, film(size))
    assert b"".join(body for _, body in told) == film(size)
    assert all(int.from_bytes(base64.b64decode(checksum)) == zlib.crc32(body) for checksum, body in told)


def test_a_lost_part_is_sent_again(aws_ports):
    aws_ports.aws.lose_answer("s3", "UploadPart")
    media = store(aws_ports, film(PART + 10))
    assert read_all(aws_ports, media) == film(PART + 10)


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "CompleteMultipartUpload", "AbortMultipartUpload"])
def test_lost_answers_do_not_spoil_an_upload(aws_ports, operation):
    aws_ports.aws.lose_answer("s3", operation)
    media = store(aws_ports, film(PART + 10))
    assert read_all(aws_ports, media) == film(PART + 10)


NO_SUCH_UPLOAD = "<Error><Code>NoSuchUpload</Code></Error>"


def test_an_upload_that_was_completed_by_a_lost_try_is_complete(aws_ports):
    data = film(PART + 10)
    s3 = aws_ports.aws.clients["s3"]
    completed: list[AWSResponse | None] = []

    def complete_and_forget(request, event_name, **_):
        if not completed:
            completed.append(botocore_stubber(event_name, request))
        return AWSResponse(request.url, 404, HTTPHeaders(), MockRawResponse(NO_SUCH_UPLOAD))

    aws_ports.aws.break_in("s3", "CompleteMultipartUpload", complete_and_forget)
    media = store(aws_ports, data)
    assert media.etag == s3.head_object(Bucket="media", Key=media.key)["ETag"]
    assert read_all(aws_ports, media) == data


def test_an_upload_that_s3_has_lost_is_not_taken_for_complete(aws_ports):
    aws_ports.aws.answer("s3", "CompleteMultipartUpload", 404, NO_SUCH_UPLOAD)
    with pytest.raises(InternalServerError):
        store(aws_ports, film(PART + 10))
    assert keys(aws_ports) == []


def test_another_object_is_not_taken_for_the_completed_one(aws_ports):
    store(aws_ports, film(10))
    aws_ports.aws.answer("s3", "CompleteMultipartUpload", 404, NO_SUCH_UPLOAD)
    with pytest.raises(ServiceUnavailable):
        store(aws_ports, film(PART + 10))


@pytest.mark.parametrize(
    ("operation", "size"), [("PutObject", 10), ("UploadPart", PART + 10), ("CompleteMultipartUpload", PART + 10)]
)
def test_an_upload_that_s3_refuses_leaves_nothing(aws_ports, operation, size):
    aws_ports.aws.answer("s3", operation, 503, {})
    with pytest.raises(ServiceUnavailable):
        store(aws_ports, film(size))
    assert keys(aws_ports) == []
    assert unfinished(aws_ports) == []


def test_when_cleaning_up_fails_the_first_error_is_told_and_says_so(aws_ports):
    aws_ports.aws.answer("s3", "AbortMultipartUpload", 503, {})
    with pytest.raises(MediaDownloadFailed) as raised:
        store(aws_ports, film(2 * PART), cut_at=PART + 10)
    assert "lifecycle" in raised.value.__notes__[0]


def test_a_seekable_file_asks_for_a_window_at_a_time(aws_ports):
    media = store(aws_ports, film(4 * MIB))
    asked = []
    aws_ports.aws.break_in("s3", "GetObject", lambda request, **_: asked.append(request.headers["Range"]))
    with aws_ports.media.seekable(media) as file:
        for _ in range(100):
            file.read(1000)
        file.seek(-1000, io.SEEK_END)
        file.read(1000)
        file.seek(0)
        file.read()
    assert [asked_for.decode() if isinstance(asked_for, bytes) else asked_for for asked_for in asked] == [
        f"bytes=0-{MIB - 1}",
        f"bytes={4 * MIB - 1000}-{4 * MIB - 1}",
        f"bytes=0-{4 * MIB - 1}",
    ]


def test_a_reader_asks_once_however_much_it_reads(aws_ports):
    media = store(aws_ports, film(PART))
    asked = []
    aws_ports.aws.break_in("s3", "GetObject", lambda request, **_: asked.append(request))
    with aws_ports.media.read(media, 0) as reader:
        while reader.readinto(memoryview(bytearray(MIB))):
            pass
    assert len(asked) == 1


def test_an_object_that_is_gone_is_an_error_without_its_name(aws_ports):
    media = store(aws_ports, film(10))
    aws_ports.media.delete([media.key])
    with pytest.raises(InternalServerError) as raised:
        read_all(aws_ports, media)
    assert media.key not in f"{raised.value.error} {raised.value.message}"


ACCESS_DENIED = "<Error><Code>AccessDenied</Code></Error>"


def test_what_is_missing_is_none_also_for_one_who_may_not_list_the_bucket(aws_ports, tmp_path):
    aws_ports.aws.answer("s3", "GetObject", 403, ACCESS_DENIED)
    assert aws_ports.media.get("staging/nothing") is None
    with pytest.raises(ServiceUnavailable):
        aws_ports.media.download("staging/nothing", tmp_path / "file")


def test_an_s3_that_does_not_answer_is_no_missing_object(aws_ports, tmp_path):
    aws_ports.aws.answer("s3", "GetObject", 503, {})
    with pytest.raises(ServiceUnavailable, match="did not answer well"):
        aws_ports.media.get("staging/1.jpg")
    with pytest.raises(ServiceUnavailable, match="did not answer well"):
        aws_ports.media.download("staging/1.jpg", tmp_path / "file")


def test_a_small_file_carries_its_content_type(aws_ports, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"picture")
    aws_ports.media.put("staging/1.jpg", file, "image/jpeg")
    assert aws_ports.aws.clients["s3"].head_object(Bucket="media", Key="staging/1.jpg")["ContentType"] == "image/jpeg"


@pytest.mark.parametrize("operation", ["PutObject", "DeleteObjects", "GetObject"])
def test_small_objects_survive_lost_answers(aws_ports, tmp_path, operation):
    file = tmp_path / "file"
    file.write_bytes(b"picture")
    aws_ports.aws.lose_answer("s3", operation)
    aws_ports.media.put("staging/1.jpg", file, "image/jpeg")
    assert aws_ports.media.get("staging/1.jpg") == b"picture"
    aws_ports.media.delete(["staging/1.jpg"])
    assert keys(aws_ports) == []


def test_an_object_that_s3_does_not_delete_is_an_error_without_its_name(aws_ports):
    refused = "<DeleteResult><Error><Key>staging/two</Key><Code>InternalError</Code></Error></DeleteResult>"
    aws_ports.aws.answer("s3", "DeleteObjects", 200, refused)
    with pytest.raises(ServiceUnavailable) as raised:
        aws_ports.media.delete(["staging/one", "staging/two"])
    assert raised.value.error == "S3 did not delete 1 of 2 objects (InternalError)."


def test_several_objects_are_deleted_in_one_call(aws_ports):
    asked = []
    aws_ports.aws.break_in("s3", "DeleteObjects", lambda request, **_: asked.append(request))
    aws_ports.media.delete([f"staging/{number}" for number in range(35)])
    assert len(asked) == 1
