"""The steps of a post of pictures: fetched in order, converted once, offered under an address of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from publisher.api import PostDetail
from publisher.domain.errors import (
    Busy,
    InternalServerError,
    InvalidMediaType,
    MediaDownloadFailed,
    MediaTooLarge,
    MediaUnavailable,
    PublishingFailed,
    ServiceUnavailable,
)
from publisher.domain.limits import PICTURE_BYTES
from publisher.domain.posts import Status
from publisher.ports import ConvertedPicture, Hosted, Source
from publisher.tiktok.failures import CODES, failure_of
from tests.builders import MIB, NOW, a_creator, options
from tests.fakes import BytesSource, FakePorts, Killed
from tests.unit.work import FILM, LOST, PHOTOS, Interruptions, Work, caught_by_machine, picture, points

DRAFT = options(draft=True, privacy_level=None)


@pytest.fixture
def work(ports: FakePorts) -> Work:
    for number, url in enumerate(PHOTOS, start=1):
        ports.fetcher.media[url] = picture(number)
    return Work(ports)


@pytest.fixture
def accepted(work: Work) -> Work:
    work.accept(media_urls=PHOTOS, post_type="photo")
    return work


@pytest.fixture
def downloaded(accepted: Work) -> Work:
    """A post whose three pictures are in the bucket, as they were fetched."""
    accepted.run("DownloadMedia")
    return accepted


@pytest.fixture
def converted(downloaded: Work) -> Work:
    """A post whose three JPEGs are in the bucket."""
    downloaded.run("ConvertPhotos")
    return downloaded


def kept(work: Work) -> list[bytes]:
    """The pictures that the ledger names, in their order."""
    assert work.post.pictures is not None
    return [work.ports.media.objects[key] for key in work.post.pictures.keys]


FETCHED = [picture(number) for number in (1, 2, 3)]
JPEGS = [b"JPEG of " + data for data in FETCHED]


# DownloadMedia


def test_pictures_are_copied_in_the_callers_order(accepted):
    assert accepted.run("DownloadMedia").next == "ConvertPhotos"
    pictures = accepted.post.pictures
    assert kept(accepted) == FETCHED
    assert len(accepted.ports.media.objects) == 3
    assert pictures.folder.startswith(f"staging/{accepted.post_id}/")
    assert (pictures.count, pictures.size, pictures.converted) == (3, sum(map(len, FETCHED)), False)
    assert (accepted.post.status, accepted.post.downloaded_bytes) == (Status.PROCESSING_DOWNLOAD, pictures.size)
    assert [moment.step for moment in accepted.post.timeline] == ["DownloadMedia"]


def test_thirty_five_pictures_keep_their_order(work):
    urls = tuple(f"https://media.example/media/{number}" for number in range(35))
    work.ports.fetcher.media |= {url: picture(number) for number, url in enumerate(urls)}
    work.accept(media_urls=urls)
    work.run("DownloadMedia")
    assert kept(work) == [picture(number) for number in range(35)]


def test_the_same_picture_may_come_twice(work):
    work.accept(media_urls=(PHOTOS[1], PHOTOS[0], PHOTOS[1]))
    work.run("DownloadMedia")
    assert kept(work) == [picture(2), picture(1), picture(2)]


class CountingFetcher:
    """Holds each download until four are under way and no fifth comes, and counts them. `bad` are of no use."""

    def __init__(self, *bad: str) -> None:
        self.under_way = self.most = 0
        self._bad = bad
        self._lock, self._fifth = threading.Lock(), threading.Event()
        self._four = threading.Barrier(4, self._wait_for_a_fifth, timeout=20)

    def _wait_for_a_fifth(self) -> None:
        self._fifth.wait(0.1)

    @contextmanager
    def open(self, url: str, *, max_bytes: int) -> Iterator[Source]:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            if self.under_way > 4:
                self._fifth.set()
        self._four.wait()
        yield BytesSource(FILM if url in self._bad else picture(1))
        with self._lock:
            self.under_way -= 1


def test_four_pictures_are_fetched_at_once_and_no_more(work):
    work.ports.fetcher = CountingFetcher()
    work.accept(media_urls=tuple(f"https://media.example/{number}.jpg" for number in range(12)))
    work.run("DownloadMedia")
    assert (work.ports.fetcher.most, len(kept(work))) == (4, 12)


def test_progress_is_seen_picture_by_picture(accepted):
    seen, save = set(), accepted.ports.posts.save

    def watching(post):
        seen.add(post.downloaded_bytes)
        return save(post)

    accepted.ports.posts.save = watching
    accepted.run("DownloadMedia")
    assert len(seen) == 4
    assert (min(seen), max(seen)) == (0, sum(map(len, FETCHED)))


@pytest.mark.parametrize("url", ["https://media.example/film.mp4", "https://media.example/1"])
@pytest.mark.parametrize(
    "data", [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8 ", b"GIF89a", b"II*\0"]
)
def test_one_url_is_a_photo_when_its_bytes_say_so(work, url, data):
    work.ports.fetcher.media[url] = data + bytes(100)
    work.accept(media_urls=(url,))
    assert work.run("DownloadMedia").next == "ConvertPhotos"
    assert (work.post.post_type, kept(work), work.post.media) == ("photo", [data + bytes(100)], None)


@pytest.mark.parametrize(
    ("chosen", "public"), [(None, "PUBLIC_TO_EVERYONE"), ("SELF_ONLY", "SELF_ONLY")], ids=["default", "chosen"]
)
def test_one_photo_is_public_unless_somebody_chose(work, chosen, public):
    work.accept(media_urls=PHOTOS[:1], options=options(privacy_level=chosen))
    work.run("DownloadMedia")
    assert work.post.options.privacy_level == public


def test_what_one_photo_does_not_take_along_is_told_when_its_bytes_are_known(work):
    work.accept(media_urls=PHOTOS[:1], options=options(allow_stitch=True, video_cover_timestamp_ms=0))
    work.run("DownloadMedia")
    assert work.post.warnings == (
        "TikTok takes no allowStitch, videoCoverTimestampMs with a photo, so the post goes out without.",
    )


def test_what_several_photos_do_not_take_along_is_not_told_again(work):
    work.accept(media_urls=PHOTOS, options=options(allow_stitch=True), warnings=("Told when it came in.",))
    work.run("DownloadMedia")
    assert work.post.warnings == ("Told when it came in.",)


class Endless:
    """A picture of unknown size that does not end while anybody would still read it."""

    size = None
    head = picture(1)

    def __init__(self) -> None:
        self._left = 2 * PICTURE_BYTES

    def readinto(self, buffer: memoryview) -> int:
        self._left -= len(buffer)
        return len(buffer) if self._left > 0 else 0


BAD = [
    (FILM, InvalidMediaType, "holds a video"),
    (b"<!doctype html><html>", InvalidMediaType, "neither a video nor a picture"),
    (b"", InvalidMediaType, "neither a video nor a picture"),
    (BytesSource(picture(2), size=int(PICTURE_BYTES) + 1), MediaTooLarge, "more than 64 MiB"),
    (Endless(), MediaTooLarge, "more than 64 MiB"),
    (BytesSource(picture(2), cut_at=10), MediaDownloadFailed, "was cut"),
    (MediaDownloadFailed("The media server answered 404.", "Check the URL."), MediaDownloadFailed, "404"),
    (MediaUnavailable("The media server answered 503.", "Try again."), MediaUnavailable, "503"),
]


@pytest.mark.parametrize(("there", "error", "words"), BAD)
def test_a_bad_picture_is_named_by_its_place_and_leaves_nothing_behind(accepted, there, error, words):
    accepted.ports.fetcher.media[PHOTOS[1]] = there
    with pytest.raises(error) as caught:
        accepted.run("DownloadMedia")
    assert type(caught.value) is error, "the machine knows it by its class"
    assert caught.value.error.startswith("Picture 2 of 3: ")
    assert words in caught.value.error
    assert caught.value.field == "post.content.mediaUrls[1]"
    assert (accepted.ports.media.objects, accepted.post.pictures) == ({}, None)
    accepted.run("RecordFailure", error=caught_by_machine(caught.value))
    assert (accepted.post.status, accepted.post.failure.field) == (Status.FAILED, "post.content.mediaUrls[1]")
    assert accepted.ports.tiktok.carousels == {}


@pytest.mark.parametrize(
    ("there", "error"), [(BytesSource(picture(1), size=64 * MIB + 1), MediaTooLarge), (Endless(), MediaTooLarge)]
)
def test_one_picture_that_is_too_large_leaves_nothing_behind(work, there, error):
    work.ports.fetcher.media[PHOTOS[0]] = there
    work.accept(media_urls=PHOTOS[:1])
    with pytest.raises(error):
        work.run("DownloadMedia")
    assert (work.ports.media.objects, work.post.pictures) == ({}, None)


def test_of_several_bad_pictures_the_first_speaks(work):
    urls = tuple(f"https://media.example/{number}.jpg" for number in range(4))
    work.ports.fetcher = CountingFetcher(urls[3], urls[1])
    work.accept(media_urls=urls)
    with pytest.raises(InvalidMediaType, match="Picture 2 of 4"):
        work.run("DownloadMedia")
    assert work.ports.media.objects == {}


def test_a_fault_of_ours_in_one_picture_leaves_nothing_behind(accepted):
    class Broken:
        size, head = 10, picture(1)

        def readinto(self, _buffer: memoryview) -> int:
            raise RuntimeError("broken")

    accepted.ports.fetcher.media[PHOTOS[2]] = Broken()
    with pytest.raises(RuntimeError):
        accepted.run("DownloadMedia")
    assert accepted.ports.media.objects == {}


# ConvertPhotos


def test_jpegs_take_the_place_of_what_was_fetched(downloaded):
    assert downloaded.run("ConvertPhotos").next == "InitializePost"
    pictures = downloaded.post.pictures
    assert kept(downloaded) == JPEGS
    assert (pictures.converted, pictures.count, pictures.size) == (True, 3, sum(map(len, JPEGS)))
    assert len(downloaded.ports.media.objects) == 3
    assert [moment.step for moment in downloaded.post.timeline] == ["DownloadMedia", "ConvertPhotos"]


def test_the_download_shows_the_bytes_that_were_fetched_also_when_they_are_converted(converted):
    moment = PostDetail.of(converted.post).timeline[0]
    assert (moment.step, moment.bytes, moment.total_bytes) == ("DownloadMedia", sum(map(len, FETCHED)), moment.bytes)


@pytest.mark.parametrize("step", ["DownloadMedia", "ConvertPhotos"])
def test_a_second_delivery_keeps_the_pictures(converted, step):
    before, objects = converted.post, dict(converted.ports.media.objects)
    converted.ports.fetcher.media.clear()
    converted.run(step)
    assert (converted.post, converted.ports.media.objects) == (before, objects)


def test_a_picture_that_cannot_be_converted_is_named_by_its_place(downloaded):
    converter = downloaded.ports.converter
    converter.pictures += [converter.usual, InvalidMediaType("The picture is broken.", "Save it anew.")]
    with pytest.raises(InvalidMediaType) as caught:
        downloaded.run("ConvertPhotos")
    assert (caught.value.error, caught.value.field) == (
        "Picture 2 of 3: The picture is broken.",
        "post.content.mediaUrls[1]",
    )
    assert kept(downloaded) == FETCHED
    assert len(downloaded.ports.media.objects) == 3
    downloaded.run("RecordFailure", error=caught_by_machine(caught.value))
    assert (downloaded.post.status, downloaded.ports.media.objects) == (Status.FAILED, {})


def test_the_only_picture_that_cannot_be_converted_needs_no_number(work):
    work.accept(media_urls=PHOTOS[:1])
    work.run("DownloadMedia")
    work.ports.converter.pictures.append(InvalidMediaType("The picture is broken.", "Save it anew."))
    with pytest.raises(InvalidMediaType, match=r"^The picture is broken\.$"):
        work.run("ConvertPhotos")


def animation(frames: int) -> ConvertedPicture:
    return ConvertedPicture(width=100, height=100, size=0, frames_dropped=frames)


def test_what_an_animation_loses_is_told(downloaded):
    downloaded.ports.converter.pictures += [animation(7), animation(0), animation(1)]
    downloaded.run("ConvertPhotos")
    assert downloaded.post.warnings == (
        "Picture 1 of 3 is an animation; TikTok gets its first frame (frames_dropped: 7).",
        "Picture 3 of 3 is an animation; TikTok gets its first frame (frames_dropped: 1).",
    )


def test_what_the_only_animation_loses_is_told(work):
    work.accept(media_urls=PHOTOS[:1])
    work.run("DownloadMedia")
    work.ports.converter.pictures.append(animation(2))
    work.run("ConvertPhotos")
    assert work.post.warnings == ("The picture is an animation; TikTok gets its first frame (frames_dropped: 2).",)


# Interrupted anywhere

STEPS_BEFORE_TIKTOK = ["DownloadMedia", "ConvertPhotos"]


def an_album(step: str) -> tuple[Work, Interruptions]:
    """A post of pictures for which this step is next."""
    ports = FakePorts()
    for number, url in enumerate(PHOTOS, start=1):
        ports.fetcher.media[url] = picture(number)
    work = Work(ports)
    work.accept(media_urls=PHOTOS, post_type="photo")
    if step == "ConvertPhotos":
        work.run("DownloadMedia")
    return work, Interruptions(ports)


def calls_of(step: str) -> int:
    work, interruptions = an_album(step)
    work.run(step)
    return len(interruptions.seen)


def assert_kept_once(work: Work, step: str) -> None:
    assert kept(work) == (JPEGS if step == "ConvertPhotos" else FETCHED)
    assert work.post.pictures is not None
    assert work.post.pictures.converted is (step == "ConvertPhotos")


@pytest.mark.parametrize("step", STEPS_BEFORE_TIKTOK)
@pytest.mark.parametrize("error", [*LOST, Killed()], ids=["unavailable", "timeout", "killed"])
def test_a_step_that_breaks_off_anywhere_is_made_up_for_and_loses_no_picture(step, error):
    def break_off() -> None:
        raise error

    for point in points(calls_of(step)):
        work, interruptions = an_album(step)
        interruptions.at({point: break_off})
        with pytest.raises(type(error)):
            work.run(step)
        work.run(step)
        assert_kept_once(work, step)
        work.go_on(pull_the_last(work))
        assert (work.post.status, len(work.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 1)


@pytest.mark.parametrize("step", STEPS_BEFORE_TIKTOK)
def test_of_two_workers_at_any_moment_one_set_of_pictures_is_kept_and_no_other(step):
    for point in points(calls_of(step)):
        work, interruptions = an_album(step)
        interruptions.at({point: partial(work.run, step)})
        try:
            work.run(step)
        except (Busy, ServiceUnavailable):
            work.run(step)
        assert_kept_once(work, step)
        assert set(work.ports.media.objects) == set(work.post.kept_keys), point


@pytest.mark.parametrize("step", STEPS_BEFORE_TIKTOK)
@pytest.mark.parametrize("error", LOST)
def test_pictures_that_the_ledger_may_name_are_not_deleted(step, error):
    work, _ = an_album(step)
    save = work.ports.posts.save

    def lose_the_answer(post):
        saved = save(post)
        if post.pictures is not None and post.pictures.converted is (step == "ConvertPhotos"):
            raise error
        return saved

    work.ports.posts.save = lose_the_answer  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        work.run(step)
    assert_kept_once(work, step)


# InitializePost


def test_pictures_are_offered_under_an_address_that_nobody_can_guess(converted):
    output = converted.run("InitializePost")
    (carousel,) = converted.ports.tiktok.carousels.values()
    post = converted.post
    assert (output.next, output.wait_seconds) == ("WaitForTikTok", 5)
    prefix = post.carousel.prefix
    assert (len(prefix), set(prefix) <= set("0123456789abcdef")) == (32, True)
    assert carousel.picture_urls == tuple(f"https://publish.example/media/{prefix}/{n}.jpg" for n in (1, 2, 3))
    assert (post.status, post.attempt, post.opened) == (Status.PROCESSING_UPLOAD, 1, 1)
    assert (post.publish_id, post.last_offered_at, post.in_doubt) == (carousel.publish_id, NOW, False)
    hosted = Hosted(folder=post.pictures.folder, count=3)
    assert converted.ports.photo_host.pull(prefix, 3, NOW + 86_399) == hosted
    assert converted.ports.photo_host.pull(prefix, 3, NOW + 86_400) is None


def test_the_address_is_shown_to_nobody_but_tiktok(converted):
    converted.run("InitializePost")
    assert converted.post.carousel.prefix not in PostDetail.of(converted.post).model_dump_json()


def test_the_address_is_open_and_in_the_ledger_before_tiktok_hears_of_it(converted):
    known, open_carousel = [], converted.ports.tiktok.open_carousel

    def watching(token, *, picture_urls, **more):
        prefix = picture_urls[0].split("/")[-2]
        known.append((converted.post.carousel.prefix == prefix, converted.post.in_doubt, converted.post.opened))
        return open_carousel(token, picture_urls=picture_urls, **more)

    converted.ports.tiktok.open_carousel = watching
    converted.run("InitializePost")
    assert known == [(True, True, 1)]


def test_caption_title_and_cover_go_along(work):
    chosen = options(photo_title="A title", photo_cover_index=2, auto_add_music=True)
    work.accept(media_urls=PHOTOS, text="A caption.", options=chosen)
    for step in ("DownloadMedia", "ConvertPhotos", "InitializePost"):
        work.run(step)
    (carousel,) = work.ports.tiktok.carousels.values()
    assert (carousel.title, carousel.description, carousel.options) == ("A title", "A caption.", chosen)


def test_without_an_address_of_our_own_nothing_is_offered(converted):
    converted.ports.public_url = None
    with pytest.raises(InternalServerError, match="own address") as caught:
        converted.run("InitializePost")
    assert "PublicUrl" in caught.value.message
    assert (converted.ports.tiktok.carousels, converted.post.opened) == ({}, 0)


def test_a_default_that_the_creator_no_longer_has_fails_and_is_never_replaced(work):
    work.accept(media_urls=PHOTOS[:1], options=options(privacy_level=None))
    work.ports.tiktok.creator_answer = a_creator(privacy_level_options=("FOLLOWER_OF_CREATOR", "SELF_ONLY"))
    work.go_on()
    assert (work.post.status, work.post.failure.code) == (Status.FAILED, "PublishingFailed")
    assert "PUBLIC_TO_EVERYONE" in work.post.failure.error
    assert work.ports.tiktok.carousels == {}


def test_a_photo_may_be_longer_than_any_video(converted):
    """The creator's limit of seconds is none of pictures."""
    converted.ports.tiktok.creator_answer = a_creator(max_video_post_duration_sec=0)
    converted.run("InitializePost")
    assert len(converted.ports.tiktok.carousels) == 1


# The whole way


def pull_the_last(work: Work) -> Callable[[], None]:
    """TikTok pulls what it was offered last."""
    return lambda: work.ports.tiktok.pull(-1, work.ports.photo_host)


@pytest.mark.parametrize("count", [1, 3])
def test_photos_go_all_the_way(work, count):
    work.accept(media_urls=PHOTOS[:count])
    ran = work.go_on(pull_the_last(work))
    assert list(dict.fromkeys(ran)) == [
        "DownloadMedia",
        "ConvertPhotos",
        "InitializePost",
        "CheckStatus",
        "RecordPublished",
    ]
    post = work.post
    assert [moment.step for moment in post.timeline] == list(dict.fromkeys(ran))
    assert (post.status, post.watch_at, len(work.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, None, 1)
    assert post.public_url == f"https://www.tiktok.com/@a_creator/photo/{post.post_ids[0]}"


def test_a_photo_draft_ends_in_the_inbox_and_asks_nothing_of_the_creator(work):
    work.ports.tiktok.creator_answer = PublishingFailed("Not for drafts.", "Do not ask.")
    work.accept(media_urls=PHOTOS, options=DRAFT)
    work.go_on(pull_the_last(work))
    (carousel,) = work.ports.tiktok.carousels.values()
    assert (work.post.status, carousel.options.draft) == (Status.SEND_TO_USER_INBOX, True)
    assert work.ports.tiktok.public_posts == []
    assert work.post.watch_at is not None


@pytest.mark.parametrize("draft", [False, True])
def test_an_ended_posts_pictures_are_gone_from_the_bucket_and_from_their_address(work, draft):
    work.accept(media_urls=PHOTOS, options=DRAFT if draft else options())
    work.go_on(pull_the_last(work))
    assert work.ports.media.objects == {}
    assert work.ports.photo_host.pull(work.post.carousel.prefix, 1, work.ports.clock.now()) is None


def test_pictures_that_tiktok_refused_are_gone_and_the_post_says_why(work):
    failure = failure_of("picture_size_check_failed", "").failure()
    work.ports.tiktok.fail_next_post(failure)
    work.accept(media_urls=PHOTOS)
    work.go_on(pull_the_last(work))
    assert (work.post.status, work.post.failure) == (Status.FAILED, failure)
    assert work.ports.media.objects == {}
    assert work.ports.photo_host.pull(work.post.carousel.prefix, 1, work.ports.clock.now()) is None


def test_pictures_under_review_stay_where_tiktok_may_still_want_them(work):
    work.accept(media_urls=PHOTOS)
    work.go_on()
    assert work.post.status is Status.REVIEW
    assert kept(work) == JPEGS
    assert work.ports.photo_host.pull(work.post.carousel.prefix, 1, work.ports.clock.now()) is not None


@pytest.mark.parametrize("kind", ["video", "photo"])
def test_five_pending_drafts_are_a_failure_that_names_the_time(work, kind):
    work.ports.fetcher.media["https://media.example/film.mp4"] = FILM
    call = "open_upload" if kind == "video" else "open_carousel"
    meant = CODES["spam_risk_too_many_pending_share"]
    work.ports.tiktok.faults.before(call, meant.error(meant.sentence, meant.advice, retry_after=meant.retry_after))
    work.accept(options=DRAFT, media_urls=("https://media.example/film.mp4",) if kind == "video" else PHOTOS)
    work.go_on()
    failure = work.post.failure
    assert (work.post.status, failure.code, failure.retry_after) == (Status.FAILED, "RateLimitExceeded", 86_400)
    assert "It is free again at 2026-09-22T14:13:2" in failure.message
    assert (work.ports.tiktok.uploads, work.ports.tiktok.carousels) == ({}, {})
