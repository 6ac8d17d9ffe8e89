"""The ledger's transitions by themselves: what each allows, and what it must never do."""

from itertools import pairwise

import pytest

from publisher.domain.errors import Busy, Failure, NotTaken
from publisher.domain.posts import (
    Carousel,
    Drop,
    Hint,
    Lease,
    Post,
    Status,
    acknowledged,
    answered,
    attempt_refused,
    begin,
    begin_attempt,
    begin_carousel,
    begin_conversion,
    begin_download,
    cancel,
    carousel_fenced,
    carousel_taken,
    confirm,
    converted,
    downloaded,
    edited,
    enter,
    execution_name,
    finish,
    found_post_ids,
    hint_followed,
    hinted,
    hold,
    learned,
    look_again,
    look_later,
    next_poll,
    notified,
    offer_last,
    pictures_downloaded,
    poll_wait,
    polled,
    redriven,
    retried,
    take_lease,
    told,
    unclear,
    upload_expired,
    wait_for_turn,
    withdrawn,
)
from tests.builders import NOW, a_carousel, a_post, an_upload, options, some_pictures, stored_video

FAILURE = Failure(name="PublishingFailed", code="PublishingFailed", error="e", message="m", retryable=False)
LATER = NOW + 60


def finished(post: Post, status: Status, now: float) -> Post:
    """A post that ended and whose workspace is told."""
    return notified(finish(post, status, now), now)


def test_a_transition_makes_a_new_post_and_keeps_the_old():
    post = a_post()
    assert begin_download(post, LATER) is not post
    assert post.status is Status.QUEUED


@pytest.mark.parametrize(
    "change",
    [
        lambda post: begin_download(post, LATER),
        lambda post: begin_conversion(post, LATER),
        lambda post: begin_attempt(post, LATER),
        lambda post: begin_carousel(post, "prefix", LATER),
        lambda post: carousel_taken(begin_carousel(post, "prefix", NOW), None, LATER),
        lambda post: carousel_fenced(begin_carousel(post, "prefix", NOW), LATER),
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


@pytest.mark.parametrize(
    "change",
    [
        lambda post: begin_download(post, LATER),
        lambda post: acknowledged(post, 4, LATER),
        lambda post: redriven(post, LATER),
        lambda post: polled(post, LATER),
        lambda post: finished(post, Status.REVIEW, LATER),
        lambda post: look_later(post, LATER),
    ],
)
def test_a_hint_is_looked_at_in_its_time_whatever_is_written_before(change):
    assert change(hinted(a_post(), Hint(at=NOW))).watch_at == NOW
    assert change(hinted(a_post(), Hint(at=NOW, publish_id="p"))).watch_at in (NOW + 120, LATER + 5)


def test_a_hint_changes_nothing_but_the_next_look():
    post = a_post(watch_at=NOW + 900)
    hint = Hint(at=LATER)
    assert hinted(post, hint) == post.model_copy(update={"hint": hint, "watch_at": LATER})


@pytest.mark.parametrize(
    "answer",
    [
        lambda post: confirm(post, Status.FAILED, (), FAILURE, LATER),
        lambda post: learned(post, "FAILED", (), FAILURE, LATER),
        lambda post: found_post_ids(post, ("1",)),
        lambda post: hint_followed(post, LATER),
        lambda post: withdrawn(post, LATER),
    ],
)
def test_tiktoks_answer_ends_a_hint(answer):
    assert answer(hinted(a_post(), Hint(at=NOW, withdrawn=True))).hint is None


def test_media_is_recorded_once():
    post = downloaded(a_post(), stored_video(), (), NOW)
    with pytest.raises(Busy):
        downloaded(post, stored_video(key="staging/other"), (), NOW)
    with pytest.raises(Busy):
        pictures_downloaded(post, some_pictures(), (), NOW)


def test_pictures_are_recorded_once_and_converted_once():
    post = pictures_downloaded(a_post(), some_pictures(), ("Fetched.",), NOW)
    with pytest.raises(Busy):
        pictures_downloaded(post, some_pictures(), (), NOW)
    with pytest.raises(Busy):
        downloaded(post, stored_video(), (), NOW)
    ready = converted(post, some_pictures(converted=True), ("Converted.",), NOW)
    assert ready.warnings == ("Fetched.", "Converted.")
    with pytest.raises(Busy):
        converted(ready, some_pictures(converted=True), (), NOW)


def test_a_post_without_pictures_has_none_to_convert():
    with pytest.raises(Busy):
        converted(a_post(), some_pictures(converted=True), (), NOW)


@pytest.mark.parametrize(
    ("chosen", "watched_by"),
    [
        (options(privacy_level=None), "PUBLIC_TO_EVERYONE"),
        (options(privacy_level="SELF_ONLY"), "SELF_ONLY"),
        (options(privacy_level=None, draft=True), None),
    ],
)
def test_pictures_are_public_unless_somebody_chose_or_the_creator_will(chosen, watched_by):
    post = pictures_downloaded(a_post(options=chosen), some_pictures(), (), NOW)
    assert (post.post_type, post.options.privacy_level) == ("photo", watched_by)


def test_pictures_keep_their_order_in_the_bucket():
    assert some_pictures(count=11).keys[::5] == ("staging/folder/1", "staging/folder/6", "staging/folder/11")
    assert some_pictures(converted=True).keys == (
        "staging/folder/1.jpg",
        "staging/folder/2.jpg",
        "staging/folder/3.jpg",
    )


def test_a_new_attempt_forgets_the_upload_before_it():
    post = begin_attempt(a_post(upload=an_upload(), next_byte=4, lease=Lease(owner="a", until=NOW), attempt=1), NOW)
    assert (post.upload, post.next_byte, post.lease, post.attempt, post.opened) == (None, 0, None, 2, 1)


def test_three_uploads_may_be_opened():
    post = a_post()
    for _ in range(3):
        post = begin_attempt(post, NOW)
    with pytest.raises(NotTaken):
        begin_attempt(post, NOW)
    assert begin_attempt(attempt_refused(post, NOW), NOW).opened == 3


def test_after_the_last_byte_no_attempt_begins():
    with pytest.raises(AssertionError):
        begin_attempt(offer_last(a_post(), NOW), NOW)
    with pytest.raises(AssertionError):
        begin_carousel(offer_last(a_post(), NOW), "prefix", NOW)


def test_pictures_in_doubt_are_not_offered_again():
    with pytest.raises(AssertionError):
        begin_carousel(begin_carousel(a_post(), "first", NOW), "second", NOW)


def test_a_fenced_or_refused_offer_may_be_followed_by_another_and_only_the_fenced_one_counts():
    offered = begin_carousel(a_post(), "first", NOW)
    fenced, refused = carousel_fenced(offered, NOW), attempt_refused(offered, NOW)
    assert [(post.carousel, post.in_doubt, post.opened) for post in (fenced, refused)] == [
        (None, False, 1),
        (None, False, 0),
    ]
    again = begin_carousel(fenced, "second", LATER)
    assert (again.carousel, again.attempt, again.opened) == (Carousel(prefix="second", opened_at=LATER), 2, 2)


def test_three_offers_of_pictures_may_be_made():
    post = a_post()
    for number in range(3):
        post = carousel_fenced(begin_carousel(post, f"prefix-{number}", NOW), NOW)
    with pytest.raises(NotTaken, match="3 attempts"):
        begin_carousel(post, "one too many", NOW)


def test_pictures_that_were_taken_are_past_the_point_of_no_return_with_or_without_an_id():
    unnamed = carousel_taken(begin_carousel(a_post(), "prefix", NOW), None, NOW)
    assert (unnamed.last_offered_at, unnamed.in_doubt, unnamed.publish_id) == (NOW, False, None)
    named = carousel_taken(unnamed, "p_pub_url~v2.1", LATER)
    assert (named.last_offered_at, named.in_doubt, named.publish_id) == (NOW, False, "p_pub_url~v2.1")
    assert carousel_taken(named, None, LATER).publish_id == "p_pub_url~v2.1"


def test_only_offered_pictures_can_be_taken():
    with pytest.raises(AssertionError):
        carousel_taken(a_post(), None, NOW)


def test_an_id_that_comes_after_the_end_is_asked_about():
    """A slow worker brings TikTok's answer when the post is a review already."""
    review = finished(carousel_taken(begin_carousel(a_post(), "prefix", NOW), None, NOW), Status.REVIEW, NOW)
    assert review.watch_at is None
    assert carousel_taken(review, "p_pub_url~v2.1", LATER).watch_at == LATER + 5


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
        (Status.PUBLISH_COMPLETE, options(draft=True, privacy_level=None), (), True),
        (Status.SEND_TO_USER_INBOX, options(draft=True, privacy_level=None), (), True),
        (Status.FAILED, options(), (), False),
        (Status.REVIEW, options(), (), True),
    ],
)
@pytest.mark.parametrize("opened", [{"upload": an_upload()}, {"carousel": a_carousel()}])
def test_an_ended_post_is_watched_only_while_something_is_open(status, chosen, post_ids, watched, opened):
    post = finished(a_post(options=chosen, post_ids=post_ids, watch_at=NOW + 9, **opened), status, NOW)
    assert (post.watch_at is not None) is watched


@pytest.mark.parametrize("opened", [{}, {"carousel": a_carousel(publish_id=None)}])
@pytest.mark.parametrize("status", [Status.REVIEW, Status.PUBLISH_COMPLETE])
def test_without_tiktoks_id_there_is_nothing_to_ask_about(status, opened):
    assert finished(a_post(watch_at=NOW + 9, **opened), status, NOW).watch_at is None


def looks(post: Post) -> list[float]:
    """Seconds after the end at which the sweeper looks at a post that never changes."""
    times = []
    while post.watch_at is not None:
        times.append(post.watch_at - NOW)
        post = look_again(post, post.watch_at)
    return times


def test_a_draft_is_looked_at_ever_more_rarely_for_a_week_and_twice_a_day_in_the_end():
    times = looks(finished(a_post(upload=an_upload()), Status.SEND_TO_USER_INBOX, NOW))
    gaps = [later - sooner for sooner, later in pairwise(times)]
    assert times[:4] == [5, 65, 130, 260]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 43_200
    assert 6.5 * 86_400 < times[-1] <= 7 * 86_400
    assert len(times) < 40


def test_a_missing_id_is_looked_for_for_a_day():
    times = looks(finished(a_post(upload=an_upload()), Status.PUBLISH_COMPLETE, NOW))
    assert times[:4] == [5, 65, 130, 260]
    assert 43_200 / 2 < times[-1] <= 86_400


def test_a_draft_that_was_published_is_asked_for_its_id_from_then_on():
    inbox = finished(a_post(upload=an_upload(), options=options(draft=True)), Status.SEND_TO_USER_INBOX, NOW)
    later = NOW + 5 * 86_400
    published = notified(learned(inbox, "PUBLISH_COMPLETE", (), None, later), later)
    assert (published.status, published.watch_at) == (Status.PUBLISH_COMPLETE, later + 5)
    assert notified(learned(inbox, "PUBLISH_COMPLETE", ("1",), None, LATER), LATER).watch_at is None


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


def test_the_public_address_of_photos_says_photo():
    assert a_post(post_type="photo", post_ids=("1",)).public_url == "https://www.tiktok.com/@a_creator/photo/1"


def test_a_post_knows_all_that_it_has_in_the_bucket():
    assert a_post().kept_keys == ()
    assert a_post(media=stored_video()).kept_keys == ("staging/video",)
    assert a_post(pictures=some_pictures(count=2)).kept_keys == ("staging/folder/1", "staging/folder/2")


# Times, turns, and a person at the controls


def scheduled(**changes: object) -> Post:
    return a_post(**{"status": Status.SCHEDULED, "scheduled_at": LATER, "watch_at": LATER, **changes})


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.SCHEDULED])
def test_only_a_scheduled_post_begins(status):
    with pytest.raises(AssertionError):
        begin(a_post(status=status), LATER)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FAILED])
def test_only_a_failed_post_is_tried_again(status):
    with pytest.raises(AssertionError):
        retried(a_post(status=status), LATER)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REVIEW])
def test_only_an_unclear_post_is_answered_about(status):
    with pytest.raises(AssertionError):
        answered(a_post(status=status), published=True, failure=None, now=LATER)


TOUCHED = [
    *({"status": status} for status in Status if a_post(status=status).terminal),
    {"status": Status.PROCESSING_UPLOAD, "last_offered_at": NOW},
    {"status": Status.PROCESSING_UPLOAD, "carousel": a_carousel(publish_id=None)},
]


@pytest.mark.parametrize("changes", TOUCHED)
def test_what_tiktok_may_have_or_has_ended_is_neither_cancelled_nor_made_to_wait(changes):
    post = a_post(patient=True, **changes)
    assert not post.untouched
    with pytest.raises(AssertionError):
        cancel(post, LATER)
    with pytest.raises(AssertionError):
        wait_for_turn(post, LATER, NOW)
    with pytest.raises(AssertionError):
        hold(post, NOW)


def test_a_cancelled_post_has_ended_and_nobody_looks_at_it_but_to_write_its_result():
    drop = Drop(key="k", version="1", result_key="k.result.json")
    for post, look in ((scheduled(), None), (scheduled(drop=drop), LATER)):
        ended = notified(cancel(post, LATER), LATER)
        assert (ended.status, ended.terminal, ended.waits, ended.watch_at) == (Status.CANCELLED, True, False, look)
    assert told(ended, Status.CANCELLED, LATER).watch_at is None


def test_a_post_that_has_an_upload_open_which_nobody_finished_can_be_cancelled():
    post = a_post(status=Status.PROCESSING_UPLOAD, upload=an_upload(), next_byte=5, lease=Lease(owner="w", until=LATER))
    ended = cancel(post, LATER)
    assert (ended.status, ended.lease) == (Status.CANCELLED, None)


def test_a_post_keeps_its_place_in_the_line_when_it_waits_again_and_gives_it_up_when_it_was_taken():
    first = wait_for_turn(a_post(), LATER, NOW)
    again = wait_for_turn(redriven(first, LATER), LATER + 60, LATER)
    assert (again.queued_at, again.not_before, again.held_since) == (NOW, LATER + 60, LATER)
    assert (again.waits, again.held_until, redriven(again, LATER).continuations) == (True, None, 0)
    assert carousel_taken(again.model_copy(update={"carousel": a_carousel()}), "p", LATER).queued_at is None


def test_a_post_that_waits_for_its_turn_lets_its_upload_go():
    waits = wait_for_turn(a_post(upload=an_upload(), lease=Lease(owner="w", until=LATER)), LATER, NOW)
    assert (waits.upload, waits.lease, waits.watch_at) == (None, None, LATER)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING_DOWNLOAD, Status.CANCELLED, Status.FAILED])
def test_a_post_that_does_not_wait_is_not_edited(status):
    with pytest.raises(AssertionError):
        edited(a_post(status=status), a_post(text="Other."), LATER)


def test_an_edit_takes_over_what_was_checked_and_nothing_else():
    post = scheduled(drop=Drop(key="k", version="1", result_key="r"), patient=True, queues=True)
    checked = scheduled(text="Other.", scheduled_at=LATER + 60, media_urls=("https://other.example/",), warnings=("w",))
    after = edited(post, checked, LATER)
    changed = {"text", "scheduled_at", "watch_at", "updated_at", "warnings"}
    assert {name for name in Post.model_fields if getattr(after, name) != getattr(post, name)} == changed
    assert (after.text, after.scheduled_at, after.watch_at) == ("Other.", LATER + 60, LATER + 60)


def test_a_post_that_is_tried_again_has_nothing_of_the_try_before_but_what_its_caller_said():
    post = a_post(
        status=Status.FAILED,
        failure=FAILURE,
        confirmed=Status.FAILED,
        last_offered_at=NOW,
        media=stored_video(),
        upload=an_upload(),
        next_byte=8_000_000,
        polls=7,
        opened=4,
        attempt=4,
        revision=3,
        holds=1,
        queued_at=NOW,
        warnings=("w",),
        scheduled_at=NOW,
    )
    again = retried(post, LATER)
    fresh = a_post(post_id=post.post_id)
    said = {"scheduled_at", "warnings"}
    kept = {"attempt", "revision", "holds", "timeline", "updated_at", "watch_at"}
    differs = {name for name in Post.model_fields if getattr(again, name) != getattr(fresh, name)}
    assert differs == said | kept
    assert (again.untouched, again.continuations, again.revision, again.attempt) == (True, 0, 4, 4)


@pytest.mark.parametrize(
    ("draft", "published", "status"),
    [
        (False, True, Status.PUBLISH_COMPLETE),
        (True, True, Status.SEND_TO_USER_INBOX),
        (False, False, Status.FAILED),
        (True, False, Status.FAILED),
    ],
)
def test_a_persons_answer_is_the_outcome(draft, published, status):
    post = a_post(status=Status.REVIEW, options=options(draft=draft), last_offered_at=NOW)
    ended = answered(post, published=published, failure=None if published else FAILURE, now=LATER)
    assert (ended.status, ended.confirmed, ended.timeline[-1].step) == (status, status, "Answered")
    assert (ended.failure is None) == published


# Telling the workspace
def test_an_outcome_is_to_be_told_at_once_and_until_it_is():
    post = finish(a_post(upload=an_upload()), Status.REVIEW, NOW)
    assert (post.unnoticed, post.watch_at) == (True, NOW)
    later = look_again(post, NOW + 40)
    assert later.watch_at == NOW + 100  # TikTok is asked sooner than telling is tried again
    assert look_again(finish(a_post(), Status.FAILED, NOW), NOW + 40).watch_at == NOW + 160
    assert found_post_ids(post, ("1",)).watch_at == NOW


def test_once_an_outcome_is_told_only_what_tiktok_may_still_say_is_looked_for_as_it_was_planned():
    review = look_again(finish(a_post(upload=an_upload()), Status.REVIEW, NOW), NOW + 300)
    assert notified(review, NOW + 300) == review.model_copy(update={"noticed": Status.REVIEW})
    failed = look_again(finish(a_post(), Status.FAILED, NOW), NOW + 300)
    assert notified(failed, NOW + 300).watch_at is None
    assert notified(finish(a_post(upload=an_upload()), Status.REVIEW, NOW), NOW).watch_at == NOW + 5


def test_a_new_outcome_is_told_and_a_post_under_way_has_none():
    review = notified(finish(a_post(upload=an_upload()), Status.REVIEW, NOW), NOW)
    assert learned(review, "FAILED", (), FAILURE, LATER).unnoticed
    failed = notified(finish(a_post(), Status.FAILED, NOW), NOW)
    assert not retried(failed, LATER).unnoticed
    assert finish(retried(failed, LATER), Status.FAILED, LATER).unnoticed
    with pytest.raises(AssertionError, match="has no outcome"):
        notified(a_post(), NOW)
