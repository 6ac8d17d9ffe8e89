"""The ledger's transitions by themselves: what each allows, and what it must never do."""

import pytest

from publisher.domain.errors import Busy, Failure, PublishingFailed
from publisher.domain.posts import (
    Lease,
    Post,
    Status,
    acknowledged,
    attempt_refused,
    begin_attempt,
    begin_download,
    confirm,
    downloaded,
    enter,
    execution_name,
    finish,
    next_poll,
    offer_last,
    poll_wait,
    polled,
    redriven,
    take_lease,
    unclear,
    upload_expired,
)
from tests.builders import NOW, a_post, an_upload, options, stored_video

FAILURE = Failure(name="PublishingFailed", code="PublishingFailed", error="e", message="m", retryable=False)
LATER = NOW + 60


def test_a_transition_makes_a_new_post_and_keeps_the_old():
    post = a_post()
    assert begin_download(post, LATER) is not post
    assert post.status is Status.QUEUED


@pytest.mark.parametrize(
    "change",
    [
        lambda post: begin_download(post, LATER),
        lambda post: begin_attempt(post, LATER),
        lambda post: take_lease(post, "worker", LATER),
        lambda post: offer_last(post, LATER),
        lambda post: acknowledged(post, 4, LATER),
        lambda post: confirm(post, Status.PUBLISH_COMPLETE, (), None, LATER),
        lambda post: redriven(post, LATER),
        lambda post: polled(post, LATER),
    ],
)
def test_a_post_under_way_is_always_looked_after_within_reach(change):
    post = change(a_post())
    assert post.updated_at == LATER
    assert LATER < post.watch_at <= LATER + 300 + 900


def test_media_is_recorded_once():
    post = downloaded(a_post(), stored_video(), NOW)
    with pytest.raises(Busy):
        downloaded(post, stored_video(key="staging/other"), NOW)


def test_a_new_attempt_forgets_the_upload_before_it():
    post = begin_attempt(a_post(upload=an_upload(), next_byte=4, lease=Lease(owner="a", until=NOW), attempt=1), NOW)
    assert (post.upload, post.next_byte, post.lease, post.attempt, post.uploads_opened) == (None, 0, None, 2, 1)


def test_three_uploads_may_be_opened():
    post = a_post()
    for _ in range(3):
        post = begin_attempt(post, NOW)
    with pytest.raises(PublishingFailed):
        begin_attempt(post, NOW)
    assert begin_attempt(attempt_refused(post, NOW), NOW).uploads_opened == 3


def test_after_the_last_byte_no_attempt_begins():
    with pytest.raises(AssertionError):
        begin_attempt(offer_last(a_post(), NOW), NOW)


def test_the_last_byte_is_offered_at_its_first_time():
    assert offer_last(offer_last(a_post(), NOW), LATER).last_offered_at == NOW


def test_the_lease_is_one_workers_and_is_renewed_with_each_chunk():
    post = take_lease(a_post(media=stored_video()), "first", NOW)
    with pytest.raises(Busy):
        take_lease(post, "second", NOW + 119)
    assert take_lease(post, "first", NOW + 119).lease == Lease(owner="first", until=NOW + 239)
    assert take_lease(post, "second", NOW + 120).lease == Lease(owner="second", until=NOW + 240)
    assert acknowledged(post, 4, LATER).lease == Lease(owner="first", until=LATER + 120)


def test_all_bytes_in_are_past_the_point_of_no_return():
    post = a_post(media=stored_video(10))
    assert not acknowledged(post, 9, LATER).last_offered
    assert acknowledged(post, 10, LATER).last_offered_at == LATER


@pytest.mark.parametrize(("seconds", "expired"), [(3599, False), (3600, True)])
def test_an_upload_url_lives_an_hour(seconds, expired):
    assert upload_expired(a_post(upload=an_upload()), NOW + seconds) is expired
    assert not upload_expired(a_post(), NOW + seconds)


def test_waits_grow_to_five_minutes():
    assert [poll_wait(polls) for polls in range(9)] == [5, 5, 10, 20, 40, 60, 300, 300, 300]


@pytest.mark.parametrize(
    ("since_offered", "polls", "wait"),
    [(0, 0, 5), (140, 6, 300), (1500, 9, 300), (1501, 9, 299), (1799.5, 9, 1), (1900, 9, 1)],
)
def test_no_wait_reaches_past_the_moment_of_review(since_offered, polls, wait):
    assert next_poll(a_post(last_offered_at=NOW, polls=polls), NOW + since_offered) == wait


@pytest.mark.parametrize(("seconds", "is_unclear"), [(1799, False), (1800, True)])
def test_silence_is_unclear_after_half_an_hour(seconds, is_unclear):
    assert unclear(a_post(last_offered_at=NOW), NOW + seconds) is is_unclear
    assert not unclear(a_post(), NOW + 10**6)


@pytest.mark.parametrize("status", [Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX, Status.FAILED, Status.REVIEW])
def test_an_outcome_is_written_once(status):
    post = finish(a_post(lease=Lease(owner="a", until=NOW + 9)), status, NOW, FAILURE)
    assert (post.status, post.failure, post.terminal, post.lease) == (status, FAILURE, True, None)
    for other in (Status.PUBLISH_COMPLETE, Status.FAILED, Status.REVIEW):
        assert finish(post, other, LATER) == post


@pytest.mark.parametrize(
    ("status", "chosen", "post_ids", "watched"),
    [
        (Status.PUBLISH_COMPLETE, options(), (), True),
        (Status.PUBLISH_COMPLETE, options(), ("1",), False),
        (Status.PUBLISH_COMPLETE, options(privacy_level="SELF_ONLY"), (), False),
        (Status.SEND_TO_USER_INBOX, options(draft=True), (), False),
        (Status.FAILED, options(), (), False),
        (Status.REVIEW, options(), (), True),
    ],
)
def test_an_ended_post_is_watched_only_while_something_is_open(status, chosen, post_ids, watched):
    post = finish(a_post(options=chosen, post_ids=post_ids, watch_at=NOW + 9), status, NOW)
    assert (post.watch_at is not None) is watched


def test_confirming_keeps_ids_that_are_known():
    post = confirm(a_post(post_ids=("1",)), Status.PUBLISH_COMPLETE, (), None, NOW)
    assert post.post_ids == ("1",)


def test_the_timeline_names_each_step_when_it_began():
    post: Post = a_post()
    for at, step in (
        (1, "DownloadMedia"),
        (2, "UploadChunks"),
        (3, "UploadChunks"),
        (4, "CheckStatus"),
        (5, "UploadChunks"),
    ):
        post = enter(post, step, NOW + at)
    assert [(moment.step, moment.at - NOW) for moment in post.timeline] == [
        ("DownloadMedia", 1),
        ("UploadChunks", 2),
        ("CheckStatus", 4),
        ("UploadChunks", 5),
    ]


def test_an_execution_is_named_after_post_and_revision():
    post = a_post()
    assert execution_name(post) == f"{post.post_id}-0"
    assert execution_name(redriven(post, NOW)) == f"{post.post_id}-1"
    assert len(execution_name(redriven(post, NOW))) <= 80


@pytest.mark.parametrize(
    ("post_ids", "username", "url"),
    [
        ((), "a_creator", None),
        (("1",), "", None),
        (("7577571164748499000", "2"), "a_creator", "https://www.tiktok.com/@a_creator/video/7577571164748499000"),
    ],
)
def test_the_public_address_needs_id_and_name(post_ids, username, url):
    assert a_post(post_ids=post_ids, creator_username=username).public_url == url
