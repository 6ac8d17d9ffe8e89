"""PUT of chunks to the upload URL."""

import hashlib
import socket
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests

MIB = 1024 * 1024
CHUNK = 5 * MIB
TOTAL = 2 * CHUNK + 7


@pytest.fixture
def opened(tiktok):
    """An upload of two chunks: 5 MiB and 5 MiB + 7."""
    token = tiktok.token()
    plan = {"source": "FILE_UPLOAD", "video_size": TOTAL, "chunk_size": CHUNK, "total_chunk_count": 2}
    data = tiktok.init(token, source_info=plan).json()["data"]
    return {"token": token, **data}


def test_chunks_answer_206_then_201_and_arrive_as_sent(tiktok, opened):
    content = bytes(range(256)) * (TOTAL // 256) + bytes(TOTAL % 256)
    first = tiktok.put(opened["upload_url"], content[:CHUNK], TOTAL)
    assert (first.status_code, first.headers["Content-Range"], first.content) == (206, f"bytes 0-{CHUNK}/{TOTAL}", b"")
    assert tiktok.state(opened["token"], opened["publish_id"]) == {
        "status": "PROCESSING_UPLOAD",
        "uploaded_bytes": CHUNK,
    }
    second = tiktok.put(opened["upload_url"], content[CHUNK:], TOTAL, CHUNK)
    assert (second.status_code, second.headers["Content-Range"]) == (201, f"bytes 0-{TOTAL}/{TOTAL}")
    logged = tiktok.log()["publishes"][0]
    assert (logged["received"], logged["sha256"]) == (TOTAL, hashlib.sha256(content).hexdigest())


def test_the_progress_can_be_told_as_the_last_index(tiktok, opened):
    tiktok.settings(upload_content_range="last_index")
    answer = tiktok.put(opened["upload_url"], bytes(CHUNK), TOTAL)
    assert answer.headers["Content-Range"] == f"bytes 0-{CHUNK - 1}/{TOTAL}"


@pytest.mark.parametrize("path", ["/upload", "/upload/", "/video/"])
def test_the_upload_url_has_one_of_three_paths_and_all_work(tiktok, clip, path):
    tiktok.settings(upload_path=path)
    token = tiktok.token()
    url = tiktok.init(token).json()["data"]["upload_url"]
    assert urlsplit(url).path == path
    assert len(url) <= 256
    assert tiktok.put(url, bytes(1000)).status_code == 201


def test_a_repeated_or_skipped_chunk_answers_416_with_the_progress(tiktok, opened):
    url = opened["upload_url"]
    early = tiktok.put(url, bytes(TOTAL - CHUNK), TOTAL, CHUNK)
    assert (early.status_code, early.headers["Content-Range"]) == (416, f"bytes 0-0/{TOTAL}")
    assert tiktok.put(url, bytes(CHUNK), TOTAL).status_code == 206
    again = tiktok.put(url, bytes(CHUNK), TOTAL)
    assert (again.status_code, again.headers["Content-Range"]) == (416, f"bytes 0-{CHUNK}/{TOTAL}")
    assert tiktok.put(url, bytes(TOTAL - CHUNK), TOTAL, CHUNK).status_code == 201
    late = tiktok.put(url, bytes(TOTAL - CHUNK), TOTAL, CHUNK)
    assert (late.status_code, late.headers["Content-Range"]) == (416, f"bytes 0-{TOTAL}/{TOTAL}")


def test_a_chunk_of_another_size_than_planned_is_refused(tiktok, opened):
    assert tiktok.put(opened["upload_url"], bytes(CHUNK - 1), TOTAL).status_code == 400
    assert tiktok.put(opened["upload_url"], bytes(TOTAL), TOTAL).status_code == 400
    assert "uploaded_bytes" not in tiktok.state(opened["token"], opened["publish_id"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Range": ""},
        {"Content_Range": "bytes 0-999"},
        {"Content_Range": "bytes=0-999/1000"},
        {"Content_Range": "bytes 0-999/1001"},
        {"Content_Range": "bytes 0-998/1000"},
        {"Content_Range": "bytes 0-1000/1000"},
        {"Content_Range": "bytes 999-0/1000"},
        {"Content_Type": "application/octet-stream"},
        {"Content_Type": ""},
        {"Content_Type": "multipart/form-data"},
    ],
)
def test_wrong_headers_answer_400_and_count_for_nothing(tiktok, headers):
    token = tiktok.token()
    data = tiktok.init(token).json()["data"]
    assert tiktok.put(data["upload_url"], bytes(1000), **headers).status_code == 400
    assert tiktok.put(data["upload_url"], bytes(1000)).status_code == 201


def test_a_body_in_http_chunks_is_no_upload(tiktok):
    url = tiktok.init(tiktok.token()).json()["data"]["upload_url"]
    headers = {"Content-Type": "video/mp4", "Content-Range": "bytes 0-999/1000"}
    assert tiktok.session.put(url, data=iter([bytes(1000)]), headers=headers).status_code == 400


@pytest.mark.parametrize("content_type", ["video/mp4", "video/quicktime", "video/webm", "Video/MP4; codecs=avc1"])
def test_the_three_film_types_are_taken(tiktok, content_type):
    url = tiktok.init(tiktok.token()).json()["data"]["upload_url"]
    assert tiktok.put(url, bytes(1000), Content_Type=content_type).status_code == 201


def test_an_unknown_upload_is_404(tiktok):
    url = tiktok.init(tiktok.token()).json()["data"]["upload_url"]
    assert tiktok.put(url.rpartition("=")[0] + f"={uuid4()}", bytes(1000)).status_code == 404
    assert tiktok.put(url.replace("upload_id=7", "upload_id=6"), bytes(1000)).status_code == 404
    assert tiktok.put(f"{tiktok.url}/upload", bytes(1000)).status_code == 404


def test_an_upload_url_lives_an_hour(tiktok, opened):
    tiktok.advance(3_599)
    assert tiktok.put(opened["upload_url"], bytes(CHUNK), TOTAL).status_code == 206
    tiktok.advance(1)
    assert tiktok.put(opened["upload_url"], bytes(TOTAL - CHUNK), TOTAL, CHUNK).status_code == 403


def test_an_abandoned_upload_stays_in_processing_or_fails(tiktok, opened):
    tiktok.advance(100_000)
    token = tiktok.token()
    assert tiktok.state(token, opened["publish_id"])["status"] == "PROCESSING_UPLOAD"
    tiktok.settings(abandoned_upload="failed")
    assert tiktok.state(token, opened["publish_id"]) == {"status": "FAILED", "fail_reason": "internal"}


def send_short(url, content, announced):
    parts = urlsplit(url)
    head = (
        f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: video/mp4\r\n"
        f"Content-Length: {announced}\r\nContent-Range: bytes 0-{announced - 1}/{announced}\r\n\r\n"
    )
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.sendall(head.encode() + content)
    return connection


def test_a_short_body_answers_502_and_leaves_nothing_behind(tiktok, clip):
    token = tiktok.token()
    plan = {"source": "FILE_UPLOAD", "video_size": len(clip), "chunk_size": len(clip), "total_chunk_count": 1}
    data = tiktok.init(token, source_info=plan).json()["data"]
    with send_short(data["upload_url"], bytes(len(clip) - 1), len(clip)) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 502 ")
    assert "uploaded_bytes" not in tiktok.state(token, data["publish_id"])
    assert tiktok.put(data["upload_url"], clip).status_code == 201
    assert tiktok.log()["publishes"][0]["sha256"] == hashlib.sha256(clip).hexdigest()


def test_a_body_that_stops_coming_is_short_too(tiktok):
    data = tiktok.init(tiktok.token()).json()["data"]
    tiktok.settings(body_idle_seconds=0.05)
    with send_short(data["upload_url"], bytes(999), 1000) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 502 ")


def test_of_racing_puts_of_one_chunk_exactly_one_counts(tiktok, opened):
    content = bytes(CHUNK)
    headers = {"Content-Type": "video/mp4", "Content-Range": f"bytes 0-{CHUNK - 1}/{TOTAL}"}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda _: requests.put(opened["upload_url"], data=content, headers=headers).status_code, range(4))
        )
    assert sorted(answers) == [206, 416, 416, 416]


def test_the_sandbox_does_not_hold_a_film_in_memory(tiktok, opened, served):
    """The bytes of an upload are in its file as soon as their chunk is answered."""
    tiktok.put(opened["upload_url"], bytes(CHUNK), TOTAL)
    [file] = (served.folder / "media").iterdir()
    assert file.stat().st_size == CHUNK


def test_a_connection_serves_many_calls_even_after_a_body_that_was_refused_unread(tiktok):
    parts = urlsplit(tiktok.init(tiktok.token()).json()["data"]["upload_url"])
    connection = HTTPConnection(parts.netloc)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request("PUT", f"{parts.path}?upload_id=1", body=bytes(200_000))
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (404, b"")
        assert connection.sock.getsockname()[1] == port
    connection.close()
