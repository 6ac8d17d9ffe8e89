"""The real steps on the real machine: what becomes of a post, and that nothing secret travels."""

from itertools import count

import pytest

from publisher.domain.errors import (
    Failure,
    PostLimitReached,
    PublishingFailed,
    ServiceUnavailable,
    Timeout,
    TokenExpired,
)
from publisher.domain.limits import PUBLISH_ATTEMPTS, REVIEW_SECONDS
from publisher.domain.posts import Status
from publisher.ports import ChunkAnswer
from publisher.use_cases.sweep import sweep
from tests.builders import MIB, options
from tests.fakes import FakePorts
from tests.unit.test_connecting import connect
from tests.workflow.engine import Engine
from tests.workflow.real_steps import FILM, PHOTO, PHOTOS, URL, Publication
from tests.workflow.script import assert_only_ids_travel

GOOD_WAY = [
    "DownloadMedia",
    "WhatNext",
    "InitializePost",
    "WhatNext",
    "UploadChunks",
    "WhatNext",
    "WaitForTikTok",
    "CheckStatus",
    "WhatNext",
    "WaitForTikTok",
    "CheckStatus",
    "WhatNext",
    "RecordPublished",
]


@pytest.fixture
def ports() -> FakePorts:
    ports = FakePorts()
    ports.fetcher.media[URL] = FILM.ljust(MIB, b"\0")
    return ports


@pytest.fixture
def publication(machine: Engine, ports: FakePorts) -> Publication:
    return Publication(machine, ports)


def test_a_video_is_published_once(publication: Publication) -> None:
    execution = publication.run()
    assert (execution.status, execution.states) == ("SUCCEEDED", GOOD_WAY)
    assert publication.post.status is Status.PUBLISH_COMPLETE
    assert len(publication.ports.tiktok.public_posts) == 1
    assert [moment.step for moment in publication.post.timeline] == [
        "DownloadMedia",
        "InitializePost",
        "UploadChunks",
        "CheckStatus",
        "RecordPublished",
    ]


def test_an_execution_started_again_finds_the_outcome_and_publishes_nothing(publication: Publication) -> None:
    publication.run()
    assert publication.run().status == "SUCCEEDED"
    assert publication.post.status is Status.PUBLISH_COMPLETE
    assert len(publication.ports.tiktok.uploads) == 1


def test_media_that_is_not_there_fails_the_post_before_tiktok_is_asked(publication: Publication) -> None:
    del publication.ports.fetcher.media[URL]
    execution = publication.run()
    assert (execution.status, execution.states) == ("SUCCEEDED", ["DownloadMedia", "RecordFailure"])
    assert publication.post.status is Status.FAILED
    assert publication.post.failure is not None
    assert publication.post.failure.code == "MediaDownloadFailed"
    assert publication.ports.tiktok.uploads == {}


def test_a_refusal_of_tiktok_is_what_the_post_says(publication: Publication) -> None:
    refusal = PublishingFailed("TikTok wants no more.", "Wait a day.", tiktok_code="spam_risk", tiktok_log_id="log-1")
    publication.ports.tiktok.faults.before("open_upload", refusal)
    execution = publication.run()
    assert execution.states == [*GOOD_WAY[:3], "Reconcile", "WhatNext", "RecordFailure"]
    assert publication.post.failure == refusal.failure()


def test_a_limit_of_the_day_is_told_at_once_and_not_waited_out(publication: Publication) -> None:
    limit = PostLimitReached("The creator has posted enough today.", "Wait a day.", retry_after=86400)
    publication.ports.tiktok.faults.before("open_upload", limit)
    execution = publication.run()
    assert execution.states == [*GOOD_WAY[:3], "Reconcile", "WhatNext", "RecordFailure"]
    assert execution.retry_waits == []
    told = "Wait a day. It is free again at 2026-09-22T14:13:20.000Z at the latest."
    assert publication.post.status is Status.FAILED
    assert publication.post.failure == limit.failure().model_copy(update={"message": told})


def test_tiktoks_verdict_on_the_bytes_is_what_the_post_says(publication: Publication) -> None:
    failure = Failure(
        name="VideoProcessingFailed", code="VideoProcessingFailed", error="e", message="m", retryable=False
    )
    publication.ports.tiktok.fail_next_post(failure)
    execution = publication.run()
    assert execution.states[-3:] == ["CheckStatus", "WhatNext", "RecordFailure"]
    assert (publication.post.status, publication.post.failure) == (Status.FAILED, failure)


@pytest.mark.parametrize("lost", [Timeout("No answer.", "Again."), ServiceUnavailable("No answer.", "Again.")])
@pytest.mark.parametrize("call", ["creator", "open_upload", "put_chunk", "status"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_makes_no_second_post(publication: Publication, call: str, when: str, lost: Exception) -> None:
    getattr(publication.ports.tiktok.faults, when)(call, lost)
    execution = publication.run()
    assert (execution.status, len(execution.retry_waits)) == ("SUCCEEDED", 1)
    assert publication.post.status is Status.PUBLISH_COMPLETE
    assert len(publication.ports.tiktok.public_posts) == 1


PHOTO_WAY = [
    "DownloadMedia",
    "WhatNext",
    "ConvertPhotos",
    "InitializePost",
    "WhatNext",
    "WaitForTikTok",
    "CheckStatus",
    "WhatNext",
    "WaitForTikTok",
    "CheckStatus",
    "WhatNext",
    "RecordPublished",
]


@pytest.fixture
def album(machine: Engine, ports: FakePorts) -> Publication:
    ports.fetcher.media |= dict.fromkeys(PHOTOS, PHOTO)
    return Publication(machine, ports, media_urls=PHOTOS, post_type="photo")


def test_photos_are_published_once(album: Publication) -> None:
    execution = album.run(album.tiktok_pulls)
    assert (execution.status, execution.states) == ("SUCCEEDED", PHOTO_WAY)
    assert album.post.status is Status.PUBLISH_COMPLETE
    assert album.post.public_url == f"https://www.tiktok.com/@a_creator/photo/{album.post.post_ids[0]}"
    assert len(album.ports.tiktok.public_posts) == 1
    assert album.ports.media.objects == {}


def test_a_draft_of_photos_ends_in_the_inbox(machine: Engine, ports: FakePorts) -> None:
    ports.fetcher.media |= dict.fromkeys(PHOTOS, PHOTO)
    draft = Publication(machine, ports, media_urls=PHOTOS, options=options(draft=True, privacy_level=None))
    execution = draft.run(draft.tiktok_pulls)
    assert (execution.status, execution.states) == ("SUCCEEDED", PHOTO_WAY)
    assert draft.post.status is Status.SEND_TO_USER_INBOX
    assert (len(ports.tiktok.carousels), ports.tiktok.public_posts) == (1, [])


def test_a_draft_of_a_video_ends_in_the_inbox(machine: Engine, ports: FakePorts) -> None:
    draft = Publication(machine, ports, options=options(draft=True, privacy_level=None))
    assert draft.run().states == GOOD_WAY
    assert draft.post.status is Status.SEND_TO_USER_INBOX


def test_a_picture_that_is_none_is_named_and_fails_the_post(album: Publication) -> None:
    album.ports.fetcher.media[PHOTOS[1]] = FILM.ljust(MIB, b"\0")
    execution = album.run()
    assert execution.states == ["DownloadMedia", "RecordFailure"]
    failure = album.post.failure
    assert failure is not None
    assert (failure.code, failure.error) == ("InvalidMediaType", "Picture 2 of 3: The media URL holds a video.")
    assert album.ports.media.objects == {}


@pytest.mark.parametrize("lost", [Timeout("No answer.", "Again."), ServiceUnavailable("No answer.", "Again.")])
@pytest.mark.parametrize("pulled", [False, True])
def test_a_lost_answer_to_an_offer_makes_no_second_public_post(
    album: Publication, lost: Exception, *, pulled: bool
) -> None:
    """Pulled before the retry, the offer stands and its id is not known; else it is closed, and one more is made."""
    ports = album.ports
    ports.tiktok.faults.after("open_carousel", lost)
    execution = album.run(lambda: album.tiktok_pulls() if pulled or len(ports.tiktok.carousels) == 2 else None)
    assert execution.status == "SUCCEEDED"
    assert album.post.status is (Status.REVIEW if pulled else Status.PUBLISH_COMPLETE)
    album.tiktok_pulls()
    assert (len(ports.tiktok.carousels), len(ports.tiktok.public_posts)) == (1 if pulled else 2, 1)


def test_pictures_that_tiktok_never_pulls_are_a_review_within_half_an_hour(album: Publication) -> None:
    album.run()
    post = album.post
    assert (post.status, len(album.ports.tiktok.carousels)) == (Status.REVIEW, 1)
    assert REVIEW_SECONDS <= post.updated_at - (post.last_offered_at or 0) <= REVIEW_SECONDS + 300


def test_no_address_of_a_picture_travels_through_the_machine(album: Publication) -> None:
    album.ports.tiktok.faults.after("open_carousel", Timeout("No answer.", "Again."))
    execution = album.run(lambda: album.tiktok_pulls() if len(album.ports.tiktok.carousels) == 2 else None)
    told = [url for carousel in album.ports.tiktok.carousels.values() for url in carousel.picture_urls]
    prefixes = [url.split("/")[-2] for url in told]
    assert album.post.status is Status.PUBLISH_COMPLETE
    assert [secret for secret in [*told, *prefixes, *PHOTOS] if secret in execution.history] == []
    assert_only_ids_travel(execution, album.given)


@pytest.fixture
def two_chunks(machine: Engine, ports: FakePorts) -> Publication:
    ports.fetcher.media[URL] = FILM.ljust(21 * MIB, b"\0")
    return Publication(machine, ports)


def _upload_is_gone_at(number: int, ports: FakePorts, monkeypatch: pytest.MonkeyPatch) -> None:
    put_chunk, calls, gone = ports.tiktok.put_chunk, count(1), ChunkAnswer(kind="gone")
    monkeypatch.setattr(
        ports.tiktok, "put_chunk", lambda url, **chunk: gone if next(calls) == number else put_chunk(url, **chunk)
    )


def test_an_upload_that_is_gone_before_its_last_byte_is_replaced(
    two_chunks: Publication, ports: FakePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload_is_gone_at(1, ports, monkeypatch)
    execution = two_chunks.run()
    assert execution.states[:8] == [*GOOD_WAY[:5], "InitializePost", "WhatNext", "UploadChunks"]
    assert two_chunks.post.status is Status.PUBLISH_COMPLETE
    assert (len(ports.tiktok.uploads), len(ports.tiktok.public_posts)) == (2, 1)


def test_a_tiktok_that_closes_every_upload_at_once_fails_the_post(
    two_chunks: Publication, ports: FakePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports.tiktok, "put_chunk", lambda *_, **__: ChunkAnswer(kind="gone"))
    two_chunks.run()
    assert two_chunks.post.status is Status.FAILED
    assert len(ports.tiktok.uploads) == PUBLISH_ATTEMPTS


def test_an_upload_that_is_gone_at_its_last_byte_is_a_review_and_opens_no_other(
    two_chunks: Publication, ports: FakePorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload_is_gone_at(2, ports, monkeypatch)
    two_chunks.run()
    assert two_chunks.post.status is Status.REVIEW
    assert (len(ports.tiktok.uploads), len(ports.tiktok.public_posts)) == (1, 0)


def test_when_every_answer_to_the_last_chunk_is_lost_tiktoks_status_decides(publication: Publication) -> None:
    for _ in range(9):
        publication.ports.tiktok.faults.after("put_chunk", Timeout("No answer.", "Again."))
    execution = publication.run()
    assert execution.states[4:8] == ["UploadChunks", "Reconcile", "WhatNext", "WaitForTikTok"]
    assert publication.post.status is Status.PUBLISH_COMPLETE
    assert len(publication.ports.tiktok.uploads) == 1


def test_a_tiktok_that_stays_silent_becomes_a_review_within_half_an_hour(publication: Publication) -> None:
    ports = publication.ports
    ports.tiktok.processing_polls = 10_000
    execution = publication.run()
    since = ports.clock.now() - (publication.post.last_offered_at or 0)
    assert publication.post.status is Status.REVIEW
    assert execution.waits[:7] == [5, 5, 10, 20, 40, 60, 300]
    assert REVIEW_SECONDS <= since <= REVIEW_SECONDS + 300


def test_a_connection_that_ends_after_the_last_byte_becomes_a_review_and_no_second_post(
    publication: Publication,
) -> None:
    for _ in range(100):
        publication.ports.tiktok.faults.before("status", TokenExpired("It is over.", "Connect again."))
    execution = publication.run()
    assert "Reconcile" in execution.states
    assert publication.post.status is Status.REVIEW
    assert len(publication.ports.tiktok.uploads) == 1


def test_nothing_that_is_secret_or_the_customers_travels_through_the_machine(
    publication: Publication, ports: FakePorts
) -> None:
    ports.tiktok.faults.after("open_upload", Timeout("No answer.", "Again."))
    ports.tiktok.faults.before("put_chunk", ServiceUnavailable("No answer.", "Again."))
    execution = publication.run()
    account = ports.accounts.get(publication.post.account_id)
    secrets = [*ports.tiktok.uploads, *ports.tiktok._access, *ports.tiktok._refresh, URL, publication.post.text]
    assert account is not None
    assert account.tokens is not None
    assert [secret for secret in [*secrets, account.tokens.sealed] if secret in execution.history] == []
    assert_only_ids_travel(execution, publication.given)


@pytest.mark.parametrize("size", [1 * MIB, 21 * MIB, 64 * MIB + 1])
def test_transitions_do_not_depend_on_the_size(machine: Engine, ports: FakePorts, size: int) -> None:
    ports.fetcher.media[URL] = FILM.ljust(size, b"\0")
    assert Publication(machine, ports).run().transitions == len(GOOD_WAY) <= 14


def test_a_post_that_nobody_waits_for_ends_its_execution_held_and_goes_on_in_another(
    machine: Engine, ports: FakePorts
) -> None:
    publication = Publication(machine, ports, patient=True)
    account = ports.accounts.get(publication.post.account_id)
    assert account is not None
    ports.tiktok.remove_app(account.open_id)
    execution = publication.run()
    assert (execution.status, execution.states) == ("SUCCEEDED", [*GOOD_WAY[:4], "Held"])
    held = publication.post
    assert (held.status, held.held_since) == (Status.QUEUED, ports.clock.now())
    connect(ports, account.workspace_id, open_id=account.open_id)
    sweep(ports, seconds_left=lambda: 100)
    assert publication.run().states == GOOD_WAY
    assert publication.post.status is Status.PUBLISH_COMPLETE
    assert len(ports.tiktok.public_posts) == 1
