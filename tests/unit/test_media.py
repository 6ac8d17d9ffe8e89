"""Telling media by its bytes, what TikTok takes of a video, and what it advises."""

import pytest

from publisher.domain.errors import InvalidMediaType, MediaTooLarge
from publisher.domain.limits import GIB, VIDEO_SECONDS_MAX
from publisher.domain.media import VideoFacts, advice, check_video
from publisher.domain.sniffing import Kind, is_page, other_name, sniff

GOOD = VideoFacts(
    content_type="video/mp4",
    size=10_000_000,
    duration_seconds=30,
    width=1080,
    height=1920,
    frames_per_second=30,
    codec="H.264",
)


def but(**changes: object) -> VideoFacts:
    return VideoFacts.model_validate(GOOD.model_dump() | changes)


def problem(facts: VideoFacts, longest_seconds: int = 180) -> str:
    with pytest.raises(InvalidMediaType) as refused:
        check_video(facts, longest_seconds=longest_seconds)
    assert refused.value.message
    return refused.value.error


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content_type": "video/quicktime"},
        {"content_type": "video/webm", "codec": "VP8"},
        {"codec": "VP9"},
        {"codec": "H.265"},
        {"width": 360, "height": 4096},
        {"width": 4096, "height": 360},
        {"frames_per_second": 23},
        {"frames_per_second": 23.976},
        {"frames_per_second": 29.97},
        {"frames_per_second": 59.94},
        {"frames_per_second": 60.02},
        {"duration_seconds": 180},
        {"size": 4 * GIB},
    ],
)
def test_a_video_within_every_limit_is_taken(changes):
    check_video(but(**changes), longest_seconds=180)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"content_type": "video/x-matroska"}, "video/x-matroska"),
        ({"codec": "AV1"}, "AV1"),
        ({"width": 359}, "359 x 1920"),
        ({"height": 4097}, "1080 x 4097"),
        ({"frames_per_second": 22.8}, "22.80 frames"),
        ({"frames_per_second": 60.2}, "60.20 frames"),
        ({"frames_per_second": 120}, "120.00 frames"),
        ({"duration_seconds": 180.1}, "180.1 seconds"),
    ],
)
def test_what_is_wrong_is_told_with_the_number(changes, told):
    assert told in problem(but(**changes))


def test_every_problem_is_told_at_once_and_each_remedy_once():
    facts = but(codec="AV1", width=200, height=300, frames_per_second=10, duration_seconds=700)

    with pytest.raises(InvalidMediaType) as refused:
        check_video(facts, longest_seconds=60)

    assert all(told in refused.value.error for told in ("AV1", "200 x 300", "10.00 frames", "700.0 seconds"))
    assert refused.value.message.count("Export the video") == 3


def test_a_video_is_too_long_for_tiktok_or_only_for_this_creator():
    assert "TikTok takes 600" in problem(but(duration_seconds=601), longest_seconds=3600)
    assert "this creator may post 60" in problem(but(duration_seconds=61), longest_seconds=60)


def test_a_draft_may_be_as_long_as_tiktok_takes():
    check_video(but(duration_seconds=600), longest_seconds=int(VIDEO_SECONDS_MAX))


def test_one_byte_over_the_limit_is_too_large():
    with pytest.raises(MediaTooLarge):
        check_video(but(size=4 * GIB + 1), longest_seconds=180)


def test_a_video_as_advised_has_no_warnings():
    assert advice(GOOD) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size": 100_000_001}, "over 100 MB"),
        ({"content_type": "video/quicktime"}, "not an MP4"),
        ({"width": 1078}, "under 1080p"),
        ({"width": 1920, "height": 1078}, "under 1080p"),
        ({"duration_seconds": 14.9}, "14.9 seconds"),
        ({"duration_seconds": 60.1}, "60.1 seconds"),
    ],
)
def test_each_best_practice_has_its_warning(changes, told):
    warnings = advice(but(**changes))

    assert len(warnings) == 1
    assert told in warnings[0]


def box(name: bytes, content: bytes = bytes(16)) -> bytes:
    return (8 + len(content)).to_bytes(4) + name + content


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (box(b"ftyp", b"isom" + bytes(12)), Kind.MP4),
        (box(b"ftyp", b"mp42" + bytes(12)), Kind.MP4),
        (box(b"ftyp", b"qt  " + bytes(12)), Kind.QUICKTIME),
        (box(b"wide", b"") + box(b"mdat"), Kind.QUICKTIME),
        (box(b"moov"), Kind.QUICKTIME),
        (b"\0\0\0\x01mdat" + bytes(16), Kind.QUICKTIME),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", Kind.WEBM),
        (b"\xff\xd8\xff\xe0", Kind.JPEG),
        (b"\x89PNG\r\n\x1a\n", Kind.PNG),
        (b"RIFF\0\0\0\0WEBPVP8 ", Kind.WEBP),
        (b"GIF89a", Kind.GIF),
        (b"GIF87a", Kind.GIF),
        (b"BM" + bytes(12) + b"\x28\0\0\0", Kind.BMP),
        (b"II*\0", Kind.TIFF),
        (b"MM\0*", Kind.TIFF),
    ],
)
def test_media_is_told_by_its_first_bytes(head, kind):
    assert sniff(head) == kind
    assert kind.is_video == kind.value.startswith("video/")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0",
        b"<html>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"BM, they said, is a poor magic number",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"RIFF\0\0\0\0AVI LIST",
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska",
        b"\x1a\x45\xdf\xa3",
        b"\xff\xfb\x90\0",
        b"ID3\x04",
        b"\0\0\0\x04ftyp",
        b"\0\0\0\x05moov",
        box(b"free")[:4] + b"<svg",
        *(box(b"ftyp", brand + bytes(12)) for brand in (b"heic", b"avif", b"mif1", b"M4A ", b"3gp5")),
    ],
)
def test_anything_else_is_no_media(head):
    assert sniff(head) is None


@pytest.mark.parametrize(
    ("head", "page"),
    [
        (b"<!doctype html>", True),
        (b"\xef\xbb\xbf\r\n <HTML lang=en>", True),
        (b"<!-- hello -->\n<html>", True),
        (b'{"error": 1}', False),
        (b"", False),
    ],
)
def test_a_web_page_is_recognized(head, page):
    assert is_page(head) == page


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF picture"),
        (b"<?xml version='1.0'?><svg xmlns='x'>", "an SVG drawing"),
        (b"%PDF-1.7", "a PDF"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0", None),
        (b"hello", None),
    ],
)
def test_what_is_often_taken_for_a_picture_is_named(head, name):
    assert sniff(head) is None
    assert other_name(head) == name
