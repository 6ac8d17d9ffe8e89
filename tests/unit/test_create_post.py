"""Taking a post in: all problems at once and nothing stored, or one post stored, started and answered."""

import threading
from collections import Counter

import pytest

from publisher.domain.errors import (
    AccountDisabled,
    Busy,
    IdempotencyKeyReused,
    InvalidPost,
    InvalidRequest,
    InvalidToken,
    PublisherError,
    RateLimitExceeded,
    RequestInFlight,
    ServiceUnavailable,
    Timeout,
    TokenExpired,
)
from publisher.domain.posts import Status, finish
from publisher.ports import PostQuery
from publisher.use_cases.create_post import create_post, wait_for_outcome
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_creator, a_post
from tests.fakes import FakePorts, Killed

WORKSPACE = "workspace-1"
FILM = "https://media.example/film.mp4"
PHOTOS = [f"https://media.example/{number}.jpg" for number in (1, 2, 3)]


def a_body(account_id, *, text="A rabbit. #a #b #c", urls=FILM, platform="tiktok", **tiktok_options):
    return {
        "post": {
            "accountId": account_id,
            "content": {"text": text, "mediaUrls": urls, "platform": platform},
            "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE", **tiktok_options},
        }
    }


def accept(ports, body, key=None):
    return create_post(ports, WORKSPACE, body, idempotency_key=key, seconds_left=29)


def posts_of(ports: FakePorts, workspace_id: str = WORKSPACE):
    return ports.posts.find(PostQuery(workspace_id=workspace_id, limit=100)).posts


def assert_untouched(ports: FakePorts) -> None:
    """No post was stored, none was started, and TikTok holds nothing."""
    assert (posts_of(ports), ports.executions.started, ports.tiktok.uploads) == ((), {}, {})


def test_an_accepted_post_is_stored_started_and_watched(ports):
    account = ports.connect()
    post = accept(ports, a_body(account.account_id, allowDuet=True)).post
    assert posts_of(ports) == (post,)
    assert ports.executions.started == {f"{post.post_id}-0": post}
    assert (post.status, post.account_id, post.media_urls) == (Status.QUEUED, account.account_id, (FILM,))
    assert (post.options.privacy_level, post.options.allow_duet) == ("PUBLIC_TO_EVERYONE", True)
    assert (post.creator_username, post.longest_seconds, post.warnings) == ("a_creator", 600, ())
    assert post.watch_at == NOW + 60


def test_every_problem_comes_in_one_answer(ports):
    account = ports.connect()
    body = a_body(
        account.account_id,
        text="🐇" * 1101,
        urls=["ftp://media.example/film.mp4"],
        platform="instagram",
        privacyLevel="SELF_ONLY",
        brandContentToggle=True,
        colour="red",
    )
    with pytest.raises(InvalidPost) as caught:
        accept(ports, body)
    assert Counter((problem.code, problem.field) for problem in caught.value.problems) == Counter(
        {
            ("InvalidRequest", "post.tiktokOptions.colour"): 1,
            ("InvalidPlatform", "post.content.platform"): 1,
            ("TextTooLong", "post.content.text"): 1,
            ("InvalidMediaUrl", "post.content.mediaUrls"): 1,
            ("InvalidRequest", "post.tiktokOptions.privacyLevel"): 1,
        }
    )
    assert_untouched(ports)


def test_what_cannot_be_read_is_not_told_as_missing_too(ports):
    body = a_body(5, urls=7, privacyLevel=1)
    with pytest.raises(InvalidPost) as caught:
        accept(ports, body)
    assert Counter((problem.code, problem.field) for problem in caught.value.problems) == Counter(
        {
            ("InvalidRequest", "post.accountId"): 1,
            ("InvalidRequest", "post.content.mediaUrls"): 1,
            ("InvalidRequest", "post.tiktokOptions.privacyLevel"): 1,
        }
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"urls": []}, "MediaRequired"),
        ({"urls": None}, "MediaRequired"),
        ({"urls": [f"https://media.example/{number}.jpg" for number in range(36)]}, "InvalidRequest"),
        ({"urls": PHOTOS, "photoTitle": "🐇" * 46}, "TextTooLong"),
        ({"urls": PHOTOS, "photoCoverIndex": 3}, "InvalidRequest"),
        ({"urls": PHOTOS, "photoCoverIndex": 35}, "InvalidRequest"),
        ({"urls": PHOTOS, "privacyLevel": "FOLLOWER_OF_CREATOR"}, "InvalidRequest"),
        ({"platform": "instagram"}, "InvalidPlatform"),
        ({"platform": None}, "MissingParameter"),
        ({"privacyLevel": None}, "MissingParameter"),
        ({"privacyLevel": "FOLLOWER_OF_CREATOR"}, "InvalidRequest"),
        ({"privacyLevel": "SELF_ONLY", "brandContentToggle": True}, "InvalidRequest"),
        ({"text": "a" * 2201}, "TextTooLong"),
        ({"text": "🐇" * 1101}, "TextTooLong"),
        ({"urls": "https://10.0.0.1/film.mp4"}, "InvalidMediaUrl"),
        ({"urls": "https://[::1]/film.mp4"}, "InvalidMediaUrl"),
        ({"urls": "http://2130706433/film.mp4"}, "InvalidMediaUrl"),
        ({"urls": "ftp://media.example/film.mp4"}, "InvalidMediaUrl"),
        ({"urls": "file:///etc/passwd"}, "InvalidMediaUrl"),
    ],
)
def test_bad_input_gets_its_documented_code_and_nothing_happens(ports, changes, code):
    account = ports.connect()
    with pytest.raises(InvalidPost) as caught:
        accept(ports, a_body(account.account_id, **changes), key="key-1")
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.failure().code == code
    assert_untouched(ports)
    assert ports.posts.request(WORKSPACE, "key-1") is None


PRIVATE = ("FOLLOWER_OF_CREATOR", "SELF_ONLY")
"""What a creator with a private account may choose."""


@pytest.mark.parametrize("name", ["film.mp4", "film.MOV", "film.webm", "film.m4v"])
def test_a_video_without_a_privacy_level_is_refused_at_once_and_named_the_live_options(ports, name):
    ports.tiktok.creator_answer = a_creator(privacy_level_options=PRIVATE)
    body = a_body(ports.connect().account_id, urls=f"https://media.example/{name}", privacyLevel=None)
    with pytest.raises(InvalidPost) as caught:
        accept(ports, body)
    assert [problem.code for problem in caught.value.problems] == ["MissingParameter"]
    assert "FOLLOWER_OF_CREATOR, SELF_ONLY" in caught.value.message
    assert "PUBLIC_TO_EVERYONE" not in caught.value.message
    assert_untouched(ports)


@pytest.mark.parametrize("urls", [PHOTOS, PHOTOS[:1], "https://media.example/media/1234"])
def test_what_may_be_photos_needs_no_privacy_level_when_the_creator_may_post_in_public(ports, urls):
    post = accept(ports, a_body(ports.connect().account_id, urls=urls, privacyLevel=None)).post
    assert post.options.privacy_level == ("PUBLIC_TO_EVERYONE" if urls is PHOTOS else None)
    assert post.privacy_options == ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY")


@pytest.mark.parametrize("urls", [PHOTOS, PHOTOS[:1], "https://media.example/media/1234"])
def test_photos_are_never_private_by_default(ports, urls):
    ports.tiktok.creator_answer = a_creator(privacy_level_options=PRIVATE)
    with pytest.raises(InvalidPost) as caught:
        accept(ports, a_body(ports.connect().account_id, urls=urls, privacyLevel=None))
    assert [problem.code for problem in caught.value.problems] == ["MissingParameter"]
    assert "FOLLOWER_OF_CREATOR, SELF_ONLY" in caught.value.message
    assert_untouched(ports)


@pytest.mark.parametrize("urls", [PHOTOS, PHOTOS[:1], FILM])
def test_a_choice_of_who_may_watch_is_kept(ports, urls):
    post = accept(ports, a_body(ports.connect().account_id, urls=urls, privacyLevel="SELF_ONLY")).post
    assert post.options.privacy_level == "SELF_ONLY"


@pytest.mark.parametrize("count", [2, 35])
def test_up_to_thirty_five_urls_are_photos_in_the_callers_order(ports, count):
    urls = [f"https://media.example/{number}.jpg" for number in reversed(range(count))]
    post = accept(ports, a_body(ports.connect().account_id, urls=urls)).post
    assert (post.post_type, post.media_urls) == ("photo", tuple(urls))


def test_every_bad_url_of_several_is_named_by_its_place(ports):
    urls = [PHOTOS[0], "http://10.0.0.1/2.jpg", PHOTOS[2], "file:///etc/passwd"]
    with pytest.raises(InvalidPost) as caught:
        accept(ports, a_body(ports.connect().account_id, urls=urls))
    assert [(problem.code, problem.field) for problem in caught.value.problems] == [
        ("InvalidMediaUrl", "post.content.mediaUrls[1]"),
        ("InvalidMediaUrl", "post.content.mediaUrls[3]"),
    ]
    assert_untouched(ports)


def test_the_options_of_photos_are_kept(ports):
    body = a_body(ports.connect().account_id, urls=PHOTOS, photoTitle="🐇" * 45, photoCoverIndex=0, autoAddMusic=True)
    post = accept(ports, body).post
    assert (post.options.photo_title, post.options.photo_cover_index) == ("🐇" * 45, 0)
    assert (post.options.auto_add_music, post.warnings) == (True, ())


def test_what_photos_do_not_take_along_is_told_once_when_they_come_in(ports):
    body = a_body(ports.connect().account_id, urls=PHOTOS, allowDuet=True, allowComment=True, isAiGenerated=True)
    assert accept(ports, body).post.warnings == (
        "TikTok takes no allowDuet, isAiGenerated with a photo, so the post goes out without.",
    )


def test_a_duet_with_photos_is_warned_of_once_even_when_the_creator_has_switched_it_off(ports):
    ports.tiktok.creator_answer = a_creator(duet_disabled=True)
    post = accept(ports, a_body(ports.connect().account_id, urls=PHOTOS, allowDuet=True)).post
    assert (len(post.warnings), "uet" in post.warnings[0]) == (1, True)


def test_what_one_medium_does_not_take_along_waits_for_its_bytes(ports):
    """Whether it is a video or a photo is not known before, and a warning must not be wrong."""
    account_id = ports.connect().account_id
    for url in (FILM, PHOTOS[0]):
        assert accept(ports, a_body(account_id, urls=url, autoAddMusic=True, allowStitch=True)).post.warnings == ()


def test_another_workspaces_account_looks_like_none(ports):
    theirs = ports.connect(workspace_id="workspace-2")
    said = []
    for account_id in (theirs.account_id, "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11", "", "x" * 5000, "account#1"):
        with pytest.raises(InvalidPost) as caught:
            accept(ports, a_body(account_id))
        said.append((caught.value.failure(), caught.value.problems))
    assert said == [said[0]] * 5
    assert (said[0][0].code, said[0][0].error) == ("InvalidAccountId", "Account is not a TikTok account")
    assert_untouched(ports)


def test_a_switched_off_interaction_goes_out_off_with_a_warning(ports):
    ports.tiktok.creator_answer = a_creator(duet_disabled=True)
    post = accept(ports, a_body(ports.connect().account_id, allowDuet=True, allowComment=True)).post
    assert (post.options.allow_duet, post.options.allow_comment) == (False, True)
    assert len(post.warnings) == 1
    assert "duet" in post.warnings[0]


@pytest.mark.parametrize("urls", [FILM, PHOTOS[0], PHOTOS, "https://media.example/media/1234"])
def test_a_draft_needs_no_privacy(ports, urls):
    body = a_body(ports.connect().account_id, text="No hashtags.", urls=urls, privacyLevel=None, draft=True)
    post = accept(ports, body).post
    assert (post.options.draft, post.options.privacy_level, post.warnings) == (True, None, ())


def test_a_photo_draft_says_what_it_leaves_behind(ports):
    body = a_body(
        ports.connect().account_id, urls=PHOTOS, draft=True, photoTitle="A title", photoCoverIndex=1, autoAddMusic=True
    )
    assert accept(ports, body).post.warnings == (
        "TikTok takes no privacyLevel, autoAddMusic with a draft; the creator chooses in the app.",
    )


@pytest.mark.parametrize(
    ("scopes", "draft", "missing"),
    [
        (("video.upload",), False, "video.publish"),
        (("video.publish",), True, "video.upload"),
        (("user.info.basic",), False, "video.publish"),
    ],
)
def test_a_scope_that_the_creator_withheld_is_named(ports, scopes, draft, missing):
    account = ports.connect(scopes=scopes)
    with pytest.raises(InvalidToken, match=missing) as caught:
        accept(ports, a_body(account.account_id, draft=draft))
    assert missing in caught.value.message
    assert ("as a draft" in caught.value.message) is ("video.upload" in scopes)
    assert_untouched(ports)


def test_a_draft_asks_for_the_draft_scope_alone(ports):
    account = ports.connect(scopes=("video.upload",))
    assert accept(ports, a_body(account.account_id, draft=True, privacyLevel=None)).post.options.draft


def test_an_account_that_needs_reconnecting_says_why(ports):
    account = ports.connect()
    ports.accounts.save(
        account.model_copy(update={"reauthorize_since": NOW, "reauthorize_reason": "TikTok refuses the token."})
    )
    with pytest.raises(TokenExpired, match="TikTok refuses the token") as caught:
        accept(ports, a_body(account.account_id))
    assert "connect the account again" in caught.value.message
    assert_untouched(ports)


def test_an_account_whose_refresh_token_has_run_out_needs_reconnecting(ports):
    account = ports.connect()
    ports.clock.time += 366 * 86400
    with pytest.raises(TokenExpired):
        accept(ports, a_body(account.account_id))
    assert_untouched(ports)


@pytest.mark.parametrize(
    "error",
    [
        ServiceUnavailable("TikTok has an internal problem.", "Try again."),
        Timeout("TikTok did not answer.", "Try again."),
        RateLimitExceeded("TikTok takes no more calls.", "Try again.", retry_after=60),
        AccountDisabled("TikTok does not let this creator post.", "Look in the app."),
    ],
)
def test_when_tiktok_cannot_answer_the_error_is_told_and_nothing_is_stored(ports, error):
    account = ports.connect()
    ports.tiktok.faults.before("creator", error)
    with pytest.raises(type(error)):
        accept(ports, a_body(account.account_id), key="key-1")
    assert_untouched(ports)
    assert accept(ports, a_body(account.account_id), key="key-1").post.status is Status.QUEUED


def test_the_callers_own_mistakes_are_told_before_tiktoks_trouble(ports):
    account = ports.connect()
    ports.tiktok.faults.before("creator", ServiceUnavailable("TikTok is down.", "Try again."))
    with pytest.raises(InvalidPost) as caught:
        accept(ports, a_body(account.account_id, text="a" * 2201))
    assert [problem.code for problem in caught.value.problems] == ["TextTooLong"]


# Idempotency-Key


def test_the_same_key_and_body_find_the_first_post(ports):
    body = a_body(ports.connect().account_id)
    first = accept(ports, body, key="key-1")
    ports.posts.answer(first.request, '{"kept":1}')
    reordered = dict(reversed(body["post"].items()))
    second = accept(ports, {"post": reordered}, key="key-1")
    assert (second.post.post_id, second.replay) == (first.post.post_id, '{"kept":1}')
    assert len(posts_of(ports)) == len(ports.executions.started) == 1


def test_the_same_key_with_another_body_is_refused(ports):
    account_id = ports.connect().account_id
    accept(ports, a_body(account_id), key="key-1")
    with pytest.raises(IdempotencyKeyReused):
        accept(ports, a_body(account_id, text="Another one."), key="key-1")
    assert len(posts_of(ports)) == 1


@pytest.mark.parametrize("key", ["k", "k" * 255, "Schlüssel 1"])
def test_a_key_of_1_to_255_printable_characters_is_kept(ports, key):
    body = a_body(ports.connect().account_id)
    accept(ports, body, key=key)
    with pytest.raises(RequestInFlight):
        accept(ports, body, key=key)


def test_a_known_key_needs_nothing_of_tiktok(ports):
    body = a_body(ports.connect().account_id)
    first = accept(ports, body, key="key-1")
    ports.posts.answer(first.request, "{}")
    ports.tiktok.creator_answer = ServiceUnavailable("TikTok is down.", "Try again.")
    assert accept(ports, body, key="key-1").replay == "{}"


@pytest.mark.parametrize(
    ("text", "error"), [("Another.", IdempotencyKeyReused), ("A rabbit. #a #b #c", RequestInFlight)]
)
def test_of_two_requests_that_arrive_together_the_second_is_told_what_it_met(ports, text, error):
    account_id = ports.connect().account_id
    creator = ports.tiktok.creator

    def creator_after_the_other(token):
        ports.tiktok.creator = creator
        accept(ports, a_body(account_id, text=text), key="key-1")
        return creator(token)

    ports.tiktok.creator = creator_after_the_other
    with pytest.raises(error):
        accept(ports, a_body(account_id), key="key-1")
    assert len(posts_of(ports)) == 1


def test_a_key_counts_in_its_own_workspace(ports):
    mine, theirs = ports.connect(), ports.connect(workspace_id="workspace-2")
    accept(ports, a_body(mine.account_id), key="key-1")
    create_post(ports, "workspace-2", a_body(theirs.account_id), idempotency_key="key-1", seconds_left=29)
    assert (len(posts_of(ports)), len(posts_of(ports, "workspace-2"))) == (1, 1)


def test_a_request_in_flight_is_told_when_to_come_back(ports):
    body = a_body(ports.connect().account_id)
    accept(ports, body, key="key-1")
    ports.clock.time += 12
    with pytest.raises(RequestInFlight) as caught:
        accept(ports, body, key="key-1")
    assert caught.value.retry_after == 19
    ports.clock.time += 19
    assert accept(ports, body, key="key-1").replay is None
    with pytest.raises(RequestInFlight):
        accept(ports, body, key="key-1")


def test_a_worker_killed_after_accepting_is_continued_with_the_same_post(ports):
    body = a_body(ports.connect().account_id)
    ports.executions.faults.before("start", Killed())
    with pytest.raises(Killed):
        accept(ports, body, key="key-1")
    (post,) = posts_of(ports)
    ports.clock.time += 31
    assert accept(ports, body, key="key-1").post.post_id == post.post_id
    assert list(ports.executions.started) == [f"{post.post_id}-0"]
    assert len(posts_of(ports)) == 1


def test_an_accepting_write_whose_answer_was_lost_makes_one_post(ports):
    body = a_body(ports.connect().account_id)
    ports.posts.faults.after("accept", ServiceUnavailable("The answer was lost.", "Try again."))
    with pytest.raises(ServiceUnavailable):
        accept(ports, body, key="key-1")
    ports.clock.time += 31
    accept(ports, body, key="key-1")
    assert len(posts_of(ports)) == 1


def test_twenty_requests_with_one_key_at_once_make_one_post(ports):
    body = a_body(ports.connect().account_id)
    together, outcomes = threading.Barrier(20), []

    def run() -> None:
        together.wait()
        try:
            outcomes.append(accept(ports, body, key="key-1").post.post_id)
        except PublisherError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (post,) = posts_of(ports)
    assert Counter(outcomes) == Counter({post.post_id: 1, RequestInFlight: 19})
    assert list(ports.executions.started) == [f"{post.post_id}-0"]


def test_a_refused_body_leaves_its_key_free(ports):
    account_id = ports.connect().account_id
    with pytest.raises(InvalidPost):
        accept(ports, a_body(account_id, text="a" * 2201), key="key-1")
    assert accept(ports, a_body(account_id), key="key-1").post


def test_a_key_is_forgotten_after_seven_days(ports):
    body = a_body(ports.connect().account_id)
    first = accept(ports, body, key="key-1").post
    ports.clock.time += 7 * 86400
    assert accept(ports, body, key="key-1").post.post_id != first.post_id


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb"])
def test_a_key_that_cannot_be_kept_is_refused(ports, key):
    with pytest.raises(InvalidRequest) as caught:
        accept(ports, a_body(ports.connect().account_id), key=key)
    assert caught.value.field == "Idempotency-Key"
    assert_untouched(ports)


def test_without_a_key_the_same_body_is_two_posts(ports):
    body = a_body(ports.connect().account_id)
    assert accept(ports, body).post.post_id != accept(ports, body).post.post_id


# Starting and waiting


@pytest.mark.parametrize("error", [ServiceUnavailable("Throttled.", "Try again."), Busy("Busy.", "Try again.")])
def test_a_post_that_cannot_be_started_is_accepted_and_started_by_the_sweeper(ports, error):
    account = ports.connect()
    ports.executions.faults.before("start", error)
    post = accept(ports, a_body(account.account_id)).post
    assert ports.executions.started == {}
    ports.clock.time += 60
    sweep(ports, seconds_left=lambda: 100)
    (started,) = ports.executions.started.values()
    assert started.post_id == post.post_id


def test_waiting_ends_with_the_post(ports):
    post = a_post()
    ports.posts.accept(post, None)
    slept = []

    def sleep(seconds: float) -> None:
        ports.clock.time += seconds
        slept.append(seconds)
        if len(slept) == 3:
            ports.posts.save(finish(ports.posts.get(post.post_id), Status.PUBLISH_COMPLETE, ports.clock.time))

    ports.clock.sleep = sleep
    assert wait_for_outcome(ports, post, seconds=25).status is Status.PUBLISH_COMPLETE
    assert len(slept) == 3


@pytest.mark.parametrize("seconds", [0, 1, 25])
def test_waiting_ends_with_the_time(ports, seconds):
    post = a_post()
    ports.posts.accept(post, None)
    assert wait_for_outcome(ports, post, seconds=seconds).status is Status.QUEUED
    assert ports.clock.now() == pytest.approx(NOW + seconds)


def test_a_look_that_fails_while_waiting_is_no_refusal(ports):
    post = a_post()
    ports.posts.accept(post, None)
    ports.posts.faults.before("get", ServiceUnavailable("DynamoDB did not answer.", "Try again."))
    assert wait_for_outcome(ports, post, seconds=3).post_id == post.post_id


@pytest.mark.parametrize("empty", ["", " ", "public_to_everyone"])
def test_a_privacy_level_that_is_none_is_no_missing_one_that_would_make_photos_public(ports, empty):
    account = ports.connect()
    with pytest.raises(InvalidPost) as refused:
        accept(ports, a_body(account.account_id, urls=PHOTOS, privacyLevel=empty))
    assert refused.value.failure().field == "post.tiktokOptions.privacyLevel"
    assert_untouched(ports)
