"""The steps of the machine, each delivered twice, killed anywhere and continued: at most one public post."""

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from publisher.domain.chunks import ChunkPlan
from publisher.domain.errors import (
    AccountDisabled,
    Busy,
    InternalServerError,
    InvalidMediaType,
    MediaDownloadFailed,
    MediaTooLarge,
    NotFound,
    NotTaken,
    PublishingFailed,
    RateLimitExceeded,
    ServiceUnavailable,
    UploadExpired,
    VideoProcessingFailed,
)
from publisher.domain.posts import Status, finish
from publisher.messages import StepError
from publisher.ports import ChunkAnswer
from publisher.use_cases.initialize_post import upload_context
from tests.builders import MIB, NOW, a_creator, an_upload, options, stored_video, video_facts
from tests.fakes import BytesSource, Killed, TikTokUpload
from tests.unit.work import FILM, LOST, STEPS, URL, Work, caught_by_machine


@pytest.fixture
def work(ports):
    ports.fetcher.media[URL] = FILM
    return Work(ports)


@pytest.fixture
def downloaded(work):
    """A post whose media is in the bucket."""
    work.accept()
    work.run("DownloadMedia")
    return work


DATA = bytes(range(14))
PLAN = ChunkPlan(video_size=14, chunk_size=4, total_chunk_count=3)
"""Three chunks of 4, 4 and 6 bytes."""


@pytest.fixture
def opened(work):
    """A post whose upload of three chunks is open."""
    post = work.accept()
    ports, url = work.ports, "https://upload.tiktok.example/1"
    publish_id = "v_pub_file~v2-1.7500000000000000001"
    ports.tiktok.uploads[url] = TikTokUpload(
        publish_id=publish_id, plan=PLAN, options=post.options, opened_at=NOW, failure=None
    )
    stored = ports.media.store("staging/film", BytesSource(DATA), "video/mp4", lambda _: None)
    sealed = ports.vault.sealer(upload_context(post))(SecretStr(url))
    work.change(
        media=stored_video(14, key=stored.key, etag=stored.etag),
        upload=an_upload(publish_id=publish_id, sealed_url=sealed, plan=PLAN),
        status=Status.PROCESSING_UPLOAD,
        opened=1,
        attempt=1,
    )
    return work


def assert_arrived_once(work: Work) -> None:
    """TikTok holds one whole copy of the very bytes, and the ledger knows it."""
    (upload,) = work.uploads
    assert (upload.complete, upload.checksum) == (True, zlib.crc32(DATA))
    assert (work.post.next_byte, work.post.all_sent, work.post.last_offered) == (14, True, True)


# DownloadMedia


def test_the_media_is_copied_and_its_facts_are_kept(work):
    work.accept()
    assert work.run("DownloadMedia").next == "InitializePost"
    media = work.post.media
    assert work.ports.media.objects == {media.key: FILM}
    assert media.key.startswith(f"staging/{work.post_id}/")
    assert (media.size, media.content_type, media.facts.codec) == (len(FILM), "video/mp4", "H.264")
    assert (work.post.status, work.post.downloaded_bytes) == (Status.PROCESSING_DOWNLOAD, len(FILM))
    assert [moment.step for moment in work.post.timeline] == ["DownloadMedia"]


def test_progress_is_seen_while_the_media_is_copied(work):
    work.ports.fetcher.media[URL] = FILM + bytes(3 * MIB)
    work.accept()
    seen, save = [], work.ports.posts.save

    def watching(post):
        seen.append(post.downloaded_bytes)
        return save(post)

    work.ports.posts.save = watching
    work.run("DownloadMedia")
    assert seen == [0, MIB, 2 * MIB, 3 * MIB, 3 * MIB + len(FILM), 3 * MIB + len(FILM)]


def test_advice_about_the_media_becomes_warnings(work):
    work.ports.prober.facts = video_facts(duration_seconds=5, width=720, height=1280)
    work.accept(warnings=("First.",))
    work.run("DownloadMedia")
    assert [work.post.warnings[0], len(work.post.warnings)] == ["First.", 3]


@pytest.mark.parametrize(
    ("there", "facts", "error"),
    [
        (MediaDownloadFailed("The media server answered 404.", "Check it."), None, MediaDownloadFailed),
        (b"<!doctype html><html><body>Sign in</body></html>", None, InvalidMediaType),
        (b"not a video at all", None, InvalidMediaType),
        (b"", None, InvalidMediaType),
        (BytesSource(FILM, cut_at=100), None, MediaDownloadFailed),
        (BytesSource(FILM, size=4 * 1024 * MIB + 1), None, MediaTooLarge),
        (FILM, InvalidMediaType("The file is no video.", "Check it."), InvalidMediaType),
        (FILM, video_facts(duration_seconds=601), InvalidMediaType),
        (FILM, video_facts(duration_seconds=61), InvalidMediaType),
        (FILM, video_facts(codec="MPEG-2"), InvalidMediaType),
        (FILM, video_facts(frames_per_second=15), InvalidMediaType),
        (FILM, video_facts(width=320, height=240), InvalidMediaType),
    ],
)
def test_bad_media_ends_before_tiktok_hears_of_it_and_leaves_nothing_behind(work, there, facts, error):
    work.ports.fetcher.media[URL] = there
    work.ports.prober.facts = facts or video_facts()
    work.accept(longest_seconds=60)
    with pytest.raises(error) as caught:
        work.run("DownloadMedia")
    assert (work.ports.media.objects, work.uploads, work.post.media) == ({}, [], None)
    work.run("RecordFailure", error=caught_by_machine(caught.value))
    assert (work.post.status, work.post.failure.code) == (Status.FAILED, error.__name__)


def test_a_draft_may_be_longer_than_the_creators_limit(work):
    work.ports.prober.facts = video_facts(duration_seconds=599)
    work.accept(longest_seconds=60, options=options(draft=True, privacy_level=None))
    work.run("DownloadMedia")
    assert work.post.media is not None


@pytest.mark.parametrize("options_of_the_creator", [("PUBLIC_TO_EVERYONE", "SELF_ONLY"), ("SELF_ONLY",)])
def test_a_video_for_which_nobody_chose_who_may_watch_fails_and_names_the_live_options(work, options_of_the_creator):
    work.accept(options=options(privacy_level=None), privacy_options=options_of_the_creator)
    work.go_on()
    assert (work.post.status, work.post.failure.code) == (Status.FAILED, "MissingParameter")
    assert ", ".join(options_of_the_creator) in work.post.failure.message
    assert (work.post.failure.field, work.post.failure.retryable) == ("post.tiktokOptions.privacyLevel", False)
    assert (work.uploads, work.ports.media.objects) == ([], {})


def test_a_draft_video_needs_nobodys_choice(work):
    work.accept(options=options(privacy_level=None, draft=True))
    work.run("DownloadMedia")
    assert work.post.media is not None


def test_what_a_video_does_not_take_along_is_told_when_its_bytes_are_known(work):
    work.accept(options=options(photo_cover_index=0, photo_title="A title", allow_duet=True), post_type="photo")
    work.run("DownloadMedia")
    assert work.post.post_type == "video"
    assert work.post.warnings == (
        "TikTok takes no photoCoverIndex, photoTitle with a video, so the post goes out without.",
    )


def test_what_a_draft_video_does_not_take_along_is_told_when_its_bytes_are_known(work):
    work.accept(options=options(privacy_level=None, draft=True))
    work.run("DownloadMedia")
    assert len(work.post.warnings) == 1
    assert "no caption or options with a draft video" in work.post.warnings[0]


def test_a_second_delivery_keeps_the_first_copy(downloaded):
    before = downloaded.post
    del downloaded.ports.fetcher.media[URL]
    downloaded.run("DownloadMedia")
    assert downloaded.post == before


def test_of_two_workers_one_copy_is_recorded_and_the_other_deleted(work):
    work.accept()
    probe, facts = work.ports.prober.video, video_facts()

    def probe_after_the_other(file, size):
        work.ports.prober.video = probe
        work.run("DownloadMedia")
        return facts

    work.ports.prober.video = probe_after_the_other
    with pytest.raises(Busy):
        work.run("DownloadMedia")
    assert list(work.ports.media.objects) == [work.post.media.key]


@pytest.mark.parametrize("error", LOST)
def test_a_copy_that_the_ledger_may_name_is_not_deleted(work, error):
    work.accept()
    save = work.ports.posts.save

    def lose_the_answer(post):
        saved = save(post)
        if post.media is not None:
            raise error
        return saved

    work.ports.posts.save = lose_the_answer
    with pytest.raises(type(error)):
        work.run("DownloadMedia")
    assert list(work.ports.media.objects) == [work.post.media.key]


def test_a_copy_is_deleted_when_looking_at_it_breaks(work):
    work.accept()

    def broken(_file, _size):
        raise RuntimeError("broken")

    work.ports.prober.video = broken
    with pytest.raises(RuntimeError):
        work.run("DownloadMedia")
    assert work.ports.media.objects == {}


# InitializePost


def test_an_upload_is_opened_and_recorded_sealed_before_its_first_byte(downloaded):
    assert downloaded.run("InitializePost").next == "UploadChunks"
    ((url, upload),) = downloaded.ports.tiktok.uploads.items()
    post = downloaded.post
    assert (upload.received, upload.plan.video_size) == (0, len(FILM))
    assert (post.upload.publish_id, post.upload.plan, post.upload.opened_at) == (upload.publish_id, upload.plan, NOW)
    assert (post.status, post.attempt, post.opened) == (Status.PROCESSING_UPLOAD, 1, 1)
    assert url not in json.dumps(post.model_dump(mode="json"))
    assert downloaded.ports.vault.unseal(post.upload.sealed_url, upload_context(post)).get_secret_value() == url


def test_a_second_delivery_keeps_the_open_upload(downloaded):
    downloaded.run("InitializePost")
    before = downloaded.post
    downloaded.run("InitializePost")
    assert (downloaded.post, len(downloaded.uploads)) == (before, 1)


@pytest.mark.parametrize("error", LOST)
def test_an_answer_that_was_lost_opens_another_upload_twice_and_no_more(downloaded, error):
    for _ in range(3):
        downloaded.ports.tiktok.faults.after("open_upload", error)
        with pytest.raises(type(error)):
            downloaded.run("InitializePost")
    with pytest.raises(NotTaken, match="3 attempts") as caught:
        downloaded.run("InitializePost")
    assert "Nothing was published" in caught.value.message
    assert (len(downloaded.uploads), downloaded.ports.tiktok.public_posts) == (3, [])


def test_killed_between_tiktoks_answer_and_our_write_makes_one_post(downloaded):
    downloaded.ports.tiktok.faults.after("open_upload", Killed())
    with pytest.raises(Killed):
        downloaded.run("InitializePost")
    downloaded.go_on()
    assert (len(downloaded.uploads), len(downloaded.ports.tiktok.public_posts)) == (2, 1)
    assert downloaded.post.status is Status.PUBLISH_COMPLETE


@pytest.mark.parametrize(
    "error",
    [
        RateLimitExceeded("Too many calls.", "Wait.", retry_after=60),
        PublishingFailed("TikTok refused.", "Change it."),
        AccountDisabled("TikTok does not let him post.", "Look."),
    ],
)
def test_what_tiktok_certainly_refused_does_not_count_as_opened(downloaded, error):
    for _ in range(5):
        downloaded.ports.tiktok.faults.before("open_upload", error)
        with pytest.raises(type(error)):
            downloaded.run("InitializePost")
    assert (downloaded.post.opened, downloaded.uploads) == (0, [])
    downloaded.run("InitializePost")
    assert len(downloaded.uploads) == 1


def test_waiting_for_a_token_does_not_count_as_opened(work):
    work.accept(options=options(draft=True, privacy_level=None))
    work.run("DownloadMedia")
    work.ports.clock.time += 86400
    for _ in range(5):
        with pytest.raises(ServiceUnavailable):
            work.run("InitializePost", left=lambda: 10.0)
    assert work.post.opened == 0


def test_a_token_that_dies_is_refreshed_and_one_upload_opened(downloaded):
    downloaded.ports.tiktok.expire_access_tokens()
    downloaded.run("InitializePost")
    assert (len(downloaded.uploads), downloaded.post.opened, downloaded.ports.tiktok.refreshes) == (1, 1, 1)


def test_an_upload_url_that_died_unused_is_replaced(downloaded):
    downloaded.run("InitializePost")
    downloaded.ports.clock.time += 3600
    downloaded.run("InitializePost")
    assert len(downloaded.uploads) == 2
    assert downloaded.post.upload.publish_id == downloaded.uploads[1].publish_id


def test_after_the_last_byte_was_offered_no_other_upload_is_opened(downloaded):
    downloaded.run("InitializePost")
    downloaded.change(last_offered_at=NOW)
    downloaded.ports.clock.time += 3600
    before = downloaded.post
    downloaded.run("InitializePost")
    assert (downloaded.post, len(downloaded.uploads)) == (before, 1)


def test_a_choice_that_the_creator_no_longer_has_fails_and_is_never_replaced(downloaded):
    downloaded.ports.tiktok.creator_answer = a_creator(privacy_level_options=("FOLLOWER_OF_CREATOR", "SELF_ONLY"))
    with pytest.raises(PublishingFailed, match="PUBLIC_TO_EVERYONE") as caught:
        downloaded.run("InitializePost")
    assert "FOLLOWER_OF_CREATOR, SELF_ONLY" in caught.value.message
    assert downloaded.uploads == []


def test_a_video_that_is_too_long_by_now_fails_before_it_is_uploaded(downloaded):
    downloaded.ports.tiktok.creator_answer = a_creator(max_video_post_duration_sec=15)
    with pytest.raises(InvalidMediaType, match="this creator may post 15"):
        downloaded.run("InitializePost")
    assert downloaded.uploads == []


def test_a_draft_needs_nothing_of_the_creators_options(work):
    work.accept(options=options(draft=True, privacy_level=None))
    work.run("DownloadMedia")
    work.ports.tiktok.faults.before("creator", AccountDisabled("TikTok does not let him post.", "Look."))
    work.run("InitializePost")
    assert [upload.options.draft for upload in work.uploads] == [True]


def test_a_post_without_media_is_not_opened(work):
    work.accept()
    with pytest.raises(PublishingFailed, match="no media"):
        work.run("InitializePost")
    assert work.uploads == []


# UploadChunks


class Killer:
    """Kills the worker at its n-th call to TikTok or the ledger, before or after its effect; dead it calls nobody."""

    def __init__(self, work: Work, at: int, late: bool) -> None:
        self.at, self.late, self.calls, self.dead, self.puts = at, late, 0, False, 0
        self.put_chunk, self.save = work.ports.tiktok.put_chunk, work.ports.posts.save
        work.ports.tiktok.put_chunk = self.counted(self.put_chunk, 1)  # type: ignore[method-assign]
        work.ports.posts.save = self.counted(self.save, 0)  # type: ignore[method-assign]

    def counted(self, call: Callable[..., Any], puts: int) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            if self.dead:
                raise Killed
            self.calls += 1
            self.dead = self.calls == self.at
            if self.dead and not self.late:
                raise Killed
            self.puts += puts
            answer = call(*given, **named)
            if self.dead:
                raise Killed
            return answer

        return run


def test_every_chunk_arrives_in_order_and_once(opened):
    output = opened.run("UploadChunks")
    assert (output.next, output.wait_seconds) == ("WaitForTikTok", 5)
    assert_arrived_once(opened)
    assert opened.post.lease is None


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("at", range(1, 10))
def test_killed_at_any_moment_it_goes_on_and_sends_one_chunk_twice_at_most(opened, at, late):
    killer = Killer(opened, at, late)
    with pytest.raises(Killed):
        opened.run("UploadChunks")
    killer.dead = False
    opened.ports.clock.time += 120
    assert opened.run("UploadChunks").next == "WaitForTikTok"
    assert_arrived_once(opened)
    assert killer.puts <= 4


def test_the_point_of_no_return_is_stored_before_the_last_chunk_and_not_sooner(opened):
    known, put_chunk = [], opened.ports.tiktok.put_chunk

    def watching(url, *, chunk, **named):
        known.append((chunk.is_last, opened.post.last_offered))
        return put_chunk(url, chunk=chunk, **named)

    opened.ports.tiktok.put_chunk = watching
    opened.run("UploadChunks")
    assert known == [(False, False), (False, False), (True, True)]


def test_while_one_worker_uploads_another_stays_away(opened):
    put_chunk, refused = opened.ports.tiktok.put_chunk, []

    def with_another(*given, **named):
        with pytest.raises(Busy):
            opened.run("UploadChunks")
        refused.append(1)
        return put_chunk(*given, **named)

    opened.ports.tiktok.put_chunk = with_another
    opened.run("UploadChunks")
    assert len(refused) == 3
    assert_arrived_once(opened)


def test_a_worker_that_slept_past_its_lease_writes_nothing_over_the_one_that_took_over(opened):
    put_chunk = opened.ports.tiktok.put_chunk

    def slept(*given, **named):
        opened.ports.tiktok.put_chunk = put_chunk
        opened.ports.clock.time += 121
        opened.run("UploadChunks")
        return put_chunk(*given, **named)

    opened.ports.tiktok.put_chunk = slept
    with pytest.raises(Busy):
        opened.run("UploadChunks")
    assert_arrived_once(opened)
    assert opened.run("UploadChunks").next == "WaitForTikTok"


@pytest.mark.parametrize("error", LOST)
@pytest.mark.parametrize("shift", [0, -1])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_chunk_whose_answer_was_lost_is_not_taken_twice_whatever_tiktok_counts(opened, error, shift, number):
    """TikTok's count is of bytes, or of the last byte's index."""
    opened.ports.tiktok.received_shift = shift
    put_chunk, calls = opened.ports.tiktok.put_chunk, []

    def lose_an_answer(*given, **named):
        answer = put_chunk(*given, **named)
        calls.append(named["chunk"].first)
        if len(calls) == number + 1:
            raise error
        return answer

    opened.ports.tiktok.put_chunk = lose_an_answer
    with pytest.raises(type(error)):
        opened.run("UploadChunks")
    assert opened.run("UploadChunks").next == "WaitForTikTok", "the lease was given back"
    assert_arrived_once(opened)
    assert len(calls) == 4


def test_tiktok_may_be_behind_the_ledger(opened):
    opened.change(next_byte=8)
    opened.run("UploadChunks")
    assert_arrived_once(opened)


@pytest.mark.parametrize("answer", [ChunkAnswer(kind="out_of_order"), ChunkAnswer(kind="out_of_order", received=0)])
def test_an_answer_that_leads_nowhere_is_tried_again_later(opened, answer):
    put_chunk = opened.ports.tiktok.put_chunk
    opened.ports.tiktok.put_chunk = lambda *_, **__: answer
    with pytest.raises(ServiceUnavailable):
        opened.run("UploadChunks")
    opened.ports.tiktok.put_chunk = put_chunk
    opened.run("UploadChunks")
    assert_arrived_once(opened)


def test_an_upload_that_died_before_its_last_byte_may_be_replaced(opened):
    opened.ports.tiktok.uploads.clear()
    with pytest.raises(UploadExpired):
        opened.run("UploadChunks")
    assert (opened.post.last_offered, opened.post.lease) == (False, None)


def test_an_upload_past_its_hour_is_not_even_tried(opened):
    opened.ports.clock.time += 3600
    with pytest.raises(UploadExpired):
        opened.run("UploadChunks")
    assert opened.uploads[0].received == 0
    assert not opened.post.last_offered


def test_an_upload_that_died_after_its_last_byte_was_offered_is_left_to_tiktoks_status(opened):
    """The last chunk arrived, its answer was lost, and the URL is gone."""
    opened.ports.tiktok.faults.before("put_chunk", ServiceUnavailable("Lost.", "Try again."))
    opened.change(next_byte=8, last_offered_at=NOW)
    opened.ports.tiktok.uploads["elsewhere"] = opened.ports.tiktok.uploads.pop("https://upload.tiktok.example/1")
    with pytest.raises(ServiceUnavailable):
        opened.run("UploadChunks")
    assert opened.run("UploadChunks").next == "WaitForTikTok"
    opened.ports.clock.time += 3600
    assert opened.run("UploadChunks").next == "WaitForTikTok"
    assert opened.run("InitializePost").next == "UploadChunks"
    assert len(opened.uploads) == 1


def falling(*seconds: float) -> Callable[[], float]:
    """Function time as it is read again and again."""
    left: Iterator[float] = iter(seconds)
    return lambda: next(left)


def test_with_a_minute_left_it_yields_and_is_entered_again(opened):
    assert opened.run("UploadChunks", left=falling(300, 60, 59.9)).next == "UploadChunks"
    assert (opened.post.next_byte, opened.post.lease, opened.post.last_offered) == (8, None, False)
    assert opened.run("UploadChunks", left=falling(900)).next == "WaitForTikTok"
    assert_arrived_once(opened)


def test_media_that_has_changed_is_not_sent(opened):
    opened.ports.media.objects["staging/film"] = DATA[::-1]
    with pytest.raises(ServiceUnavailable):
        opened.run("UploadChunks")
    assert (opened.uploads[0].received, opened.post.last_offered) == (0, False)


def test_media_that_ends_early_is_not_sent_short(opened):
    class Short:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def readinto(self, buffer):
            return len(buffer) - 1

    opened.ports.media.read = lambda _media, _first: Short()
    with pytest.raises(ServiceUnavailable, match="ended early"):
        opened.run("UploadChunks")
    assert opened.uploads[0].received == 0


def test_when_tiktok_has_all_bytes_sooner_than_we_think_there_is_no_way_back(opened):
    sent = []

    def take_all(*_given, **named):
        sent.append(named["chunk"].first)
        return ChunkAnswer(kind="complete")

    opened.ports.tiktok.put_chunk = take_all
    assert opened.run("UploadChunks").next == "WaitForTikTok"
    assert sent == [0]
    assert (opened.post.all_sent, opened.post.last_offered) == (True, True)


def test_when_tiktok_wants_more_bytes_than_there_are_the_step_fails(opened):
    opened.ports.tiktok.put_chunk = lambda *_, **__: ChunkAnswer(kind="more")
    with pytest.raises(PublishingFailed, match="more bytes"):
        opened.run("UploadChunks")
    assert opened.run("Reconcile").next == "WaitForTikTok"


def test_a_second_delivery_after_all_bytes_sends_nothing(opened):
    opened.run("UploadChunks")
    before = opened.post
    opened.ports.tiktok.uploads.clear()
    assert opened.run("UploadChunks").next == "WaitForTikTok"
    assert opened.post == before


def test_the_chunks_of_a_real_plan_are_the_films_own_bytes(work):
    film = FILM + bytes(range(250)) * (22 * MIB // 250)
    work.ports.fetcher.media[URL] = film
    work.accept()
    for step in ("DownloadMedia", "InitializePost", "UploadChunks"):
        work.run(step)
    (upload,) = work.uploads
    assert (upload.plan.total_chunk_count, upload.checksum) == (2, zlib.crc32(film))


# CheckStatus and Reconcile


@pytest.fixture
def sent(opened):
    """A post whose last byte has arrived."""
    opened.run("UploadChunks")
    return opened


def test_the_outcome_is_kept_as_tiktok_says_it(sent):
    sent.ports.tiktok.processing_polls = 0
    assert sent.run("CheckStatus").next == "RecordPublished"
    assert (sent.post.confirmed, sent.post.post_ids) == (Status.PUBLISH_COMPLETE, ("7500000000000000001",))
    assert sent.run("RecordPublished").next == "RecordPublished"
    assert sent.post.status is Status.PUBLISH_COMPLETE
    assert sent.post.public_url == "https://www.tiktok.com/@a_creator/video/7500000000000000001"


def test_without_an_outcome_it_waits_longer_each_time(sent):
    sent.ports.tiktok.processing_polls = 1000
    waits = [sent.run("CheckStatus").wait_seconds for _ in range(9)]
    assert waits == [5, 10, 20, 40, 60, 300, 300, 300, 300]


@pytest.mark.parametrize("step", ["CheckStatus", "Reconcile"])
def test_what_stays_unclear_is_shown_as_review_after_thirty_minutes_and_not_later(sent, step):
    sent.ports.tiktok.processing_polls = 1000
    output, polls = sent.run(step), 1
    while output.next == "WaitForTikTok":
        assert sent.ports.clock.now() < NOW + 1800
        sent.ports.clock.time += output.wait_seconds
        output, polls = sent.run(step), polls + 1
    assert (output.next, sent.ports.clock.now()) == ("RecordFailure", NOW + 1800)
    assert polls < 20
    sent.run("RecordFailure")
    assert sent.post.status is Status.REVIEW
    assert "may be there" in sent.post.failure.message


def test_a_post_that_tiktok_refused_fails_with_tiktoks_reason(opened):
    failure = VideoProcessingFailed("Its length.", "Export it anew.", tiktok_log_id="log-1").failure()
    opened.uploads[0].failure = failure
    opened.ports.tiktok.processing_polls = 0
    opened.run("UploadChunks")
    assert opened.run("CheckStatus").next == "RecordFailure"
    stale = caught_by_machine(UploadExpired("An earlier upload died.", "Nothing to do."))
    opened.run("RecordFailure", error=stale)
    assert (opened.post.status, opened.post.failure) == (Status.FAILED, failure)


def test_a_draft_ends_in_the_inbox(opened):
    opened.uploads[0].options = options(draft=True, privacy_level=None)
    opened.ports.tiktok.processing_polls = 0
    opened.run("UploadChunks")
    opened.run("CheckStatus")
    opened.run("RecordPublished")
    assert opened.post.status is Status.SEND_TO_USER_INBOX


def test_a_token_that_dies_while_polling_is_refreshed_and_nothing_is_sent_again(sent):
    sent.ports.tiktok.processing_polls = 0
    sent.ports.tiktok.expire_access_tokens()
    publish_id = sent.post.upload.publish_id
    assert sent.run("CheckStatus").next == "RecordPublished"
    assert (sent.post.upload.publish_id, len(sent.uploads), sent.ports.tiktok.refreshes) == (publish_id, 1, 1)


def test_what_was_confirmed_is_not_asked_again(sent):
    sent.ports.tiktok.processing_polls = 0
    sent.run("CheckStatus")
    before = sent.post
    sent.ports.tiktok.uploads.clear()
    assert sent.run("CheckStatus").next == "RecordPublished"
    assert sent.post == before


@pytest.mark.parametrize("error", LOST)
def test_a_status_that_cannot_be_had_changes_nothing(sent, error):
    before = sent.post
    sent.ports.tiktok.faults.before("status", error)
    with pytest.raises(type(error)):
        sent.run("CheckStatus")
    assert sent.post == before


def test_a_failed_step_before_the_last_byte_fails_the_post(opened):
    assert opened.run("Reconcile").next == "RecordFailure"


def test_a_failed_step_after_the_last_byte_asks_tiktok_on(opened):
    opened.change(last_offered_at=NOW)
    output = opened.run("Reconcile")
    assert (output.next, output.wait_seconds) == ("WaitForTikTok", 5)


# RecordPublished and RecordFailure


def test_an_outcome_is_written_once_and_the_media_let_go(sent):
    sent.ports.tiktok.processing_polls = 0
    sent.run("CheckStatus")
    sent.run("RecordPublished")
    before = sent.post
    assert sent.ports.media.objects == {}
    for step in ("RecordPublished", "RecordFailure", "CheckStatus", "UploadChunks", "InitializePost", "DownloadMedia"):
        sent.run(step)
    assert sent.post == before
    assert len(sent.uploads) == 1


@pytest.mark.parametrize("confirmed", [None, Status.FAILED])
def test_what_tiktok_has_not_confirmed_is_never_written_as_published(sent, confirmed):
    sent.change(confirmed=confirmed)
    with pytest.raises(InternalServerError):
        sent.run("RecordPublished")
    assert not sent.post.terminal


def test_a_post_that_failed_lets_its_media_go(downloaded):
    downloaded.run("RecordFailure")
    assert (downloaded.post.status, downloaded.ports.media.objects) == (Status.FAILED, {})


def test_an_error_that_time_mends_says_when(work):
    """Whoever reads the failure later cannot count from now."""
    work.accept()
    limit = RateLimitExceeded("Five drafts wait in the inbox.", "Wait for one.", retry_after=86400)
    work.run("RecordFailure", error=caught_by_machine(limit))
    assert work.post.failure.message == "Wait for one. It is free again at 2026-09-22T14:13:20.000Z at the latest."
    assert (work.post.failure.code, work.post.failure.retry_after) == ("RateLimitExceeded", 86400)


def test_an_error_of_a_step_is_the_posts_failure(work):
    work.accept()
    error = MediaDownloadFailed("The media server answered 404.", "Check the URL.")
    work.run("RecordFailure", error=caught_by_machine(error))
    assert (work.post.status, work.post.failure) == (Status.FAILED, error.failure())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            StepError.model_validate({"Error": "States.Timeout", "Cause": ""}),
            "A step of the publication did not finish.",
        ),
        (None, "The publication did not finish."),
    ],
)
def test_a_death_without_words_says_what_to_do(work, error, words):
    work.accept()
    work.run("RecordFailure", error=error)
    failure = work.post.failure
    assert (work.post.status, failure.error, failure.retryable) == (Status.FAILED, words, True)
    assert "postSubmissionId" in failure.message


def test_a_death_after_the_last_byte_is_a_review_whatever_the_error_says(sent):
    sent.run("RecordFailure", error=caught_by_machine(PublishingFailed("TikTok refused.", "Change it.")))
    assert sent.post.status is Status.REVIEW
    assert (sent.post.failure.code, sent.post.failure.retryable) == ("PublishingFailed", False)
    assert "Look at the account" in sent.post.failure.message


def test_a_death_after_tiktoks_word_keeps_the_word(sent):
    sent.ports.tiktok.processing_polls = 0
    sent.run("CheckStatus")
    sent.run("RecordFailure", error=caught_by_machine(ServiceUnavailable("DynamoDB is down.", "Try again.")))
    assert (sent.post.status, sent.post.failure) == (Status.PUBLISH_COMPLETE, None)


def test_an_ended_post_keeps_its_end(work):
    work.accept()
    work.ports.posts.save(finish(work.post, Status.REVIEW, NOW))
    work.run("RecordFailure", error=caught_by_machine(PublishingFailed("TikTok refused.", "Change it.")))
    assert (work.post.status, work.post.failure) == (Status.REVIEW, None)


@pytest.mark.parametrize("step", STEPS)
def test_a_post_that_does_not_exist_is_not_found(work, step):
    work.post_id = "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11"
    with pytest.raises(NotFound):
        work.run(step)


# The whole way


def test_a_post_goes_all_the_way(work):
    work.accept()
    work.go_on()
    assert work.post.status is Status.PUBLISH_COMPLETE
    assert [moment.step for moment in work.post.timeline] == [
        "DownloadMedia",
        "InitializePost",
        "UploadChunks",
        "CheckStatus",
        "RecordPublished",
    ]
    assert len(work.ports.tiktok.public_posts) == 1
    assert (work.ports.media.objects, work.post.watch_at) == ({}, None)


def test_a_token_that_dies_between_the_last_chunk_and_the_status_makes_no_second_post(work):
    work.accept()
    for step in ("DownloadMedia", "InitializePost", "UploadChunks"):
        work.run(step)
    work.ports.tiktok.expire_access_tokens()
    work.ports.clock.time += 86400
    work.ports.tiktok.processing_polls = 0
    assert work.run("CheckStatus").next == "RecordPublished"
    work.run("RecordPublished")
    assert (work.post.status, len(work.uploads)) == (Status.PUBLISH_COMPLETE, 1)


def test_a_dead_upload_is_replaced_and_published_once(work):
    work.accept()
    work.run("DownloadMedia")
    work.run("InitializePost")
    work.ports.clock.time += 3700
    with pytest.raises(UploadExpired):
        work.run("UploadChunks")
    work.go_on()
    assert (work.post.status, len(work.uploads), len(work.ports.tiktok.public_posts)) == (Status.PUBLISH_COMPLETE, 2, 1)
