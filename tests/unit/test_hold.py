"""Posts that nobody waits for wait themselves while their creator has to connect the account again."""

import pytest

from publisher.api import PostDetail
from publisher.domain.errors import Busy, ServiceUnavailable, TokenExpired
from publisher.domain.posts import Post, Status, begin_attempt, hold, redriven
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.create_post import create_post
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.look_after_each import LookedAfter
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, a_carousel, a_post, an_account, options, some_pictures, stored_video
from tests.fakes import FakePorts
from tests.unit.test_connecting import connect
from tests.unit.work import FILM, PHOTOS, URL, Work, picture

HOUR = 3600


@pytest.fixture
def work(ports):
    ports.fetcher.media[URL] = FILM
    for number, url in enumerate(PHOTOS, start=1):
        ports.fetcher.media[url] = picture(number)
    return Work(ports)


@pytest.fixture
def held(work):
    """A post that waits for its creator, who has removed the app."""
    work.accept(patient=True)
    work.ports.tiktok.remove_app(work.account.open_id)
    assert work.go_on() == ["DownloadMedia", "InitializePost", "Held"]
    return work


def reconnect(work: Work) -> None:
    account = connect(work.ports, work.account.workspace_id, open_id=work.account.open_id)
    assert account.account_id == work.account.account_id


def swept(ports: FakePorts) -> LookedAfter:
    return sweep(ports, seconds_left=lambda: 100)


def let_pass(work: Work, hours: float) -> None:
    """Let time pass, with a sweep every quarter of an hour."""
    for _ in range(round(hours * 4)):
        work.ports.clock.time += 900
        assert swept(work.ports).errors == {}


def publish(work: Work) -> Post:
    work.go_on()
    assert len(work.ports.tiktok.public_posts) == 1
    return work.post


# Holding


def test_a_post_that_nobody_waits_for_is_held_when_the_account_has_to_be_connected_again(held):
    post = held.post
    assert (post.status, post.held_since, post.failure) == (Status.QUEUED, held.ports.clock.time, None)
    assert post.timeline[-1].step == "Held"
    assert held.uploads == []


def test_a_held_post_says_until_when_it_waits_and_what_to_do(held):
    held.ports.clock.time = 0
    shown = PostDetail.of(held.post)
    assert (shown.status, shown.success) == (Status.QUEUED, True)
    assert shown.message == (
        "The creator has to connect the TikTok account again (GET /oauth/tiktok/start); "
        "the post waits for it until 2026-09-24T14:13:20.000Z"
    )


def test_a_post_whose_caller_waits_fails_at_once(work):
    work.accept()
    work.ports.tiktok.remove_app(work.account.open_id)
    assert work.go_on() == ["DownloadMedia", "InitializePost", "Reconcile", "RecordFailure"]
    assert (work.post.status, work.post.failure.code) == (Status.FAILED, "TokenExpired")


@pytest.mark.parametrize("urls", [(URL,), PHOTOS])
@pytest.mark.parametrize("draft", [False, True])
def test_every_kind_of_post_is_held_and_published_once_afterwards(work, urls, draft):
    ports = work.ports
    chosen = options(draft=True, privacy_level=None) if draft else options()
    work.accept(patient=True, media_urls=urls, options=chosen)
    ports.tiktok.remove_app(work.account.open_id)
    assert work.go_on()[-1] == "Held"
    reconnect(work)
    swept(ports)

    def pull() -> None:
        for carousel in ports.tiktok.carousels.values():
            if not carousel.pulled:
                ports.tiktok.pull(carousel.publish_id, ports.photo_host)

    work.go_on(pull)
    assert work.post.status is (Status.SEND_TO_USER_INBOX if draft else Status.PUBLISH_COMPLETE)
    assert len(ports.tiktok.uploads) + len(ports.tiktok.carousels) == 1


def test_a_post_of_a_disconnected_account_is_not_held(work):
    work.accept(patient=True)
    disconnect(work.ports, work.account.workspace_id, work.account.account_id, seconds_left=100)
    assert work.go_on()[-1] == "RecordFailure"
    assert work.post.status is Status.FAILED


def test_a_token_that_works_again_by_then_does_not_hold_the_post(work):
    """TikTok refused the token, and meanwhile the creator has connected the account again."""
    work.accept(patient=True)
    ports, creator = work.ports, work.ports.tiktok.creator

    def refuse(_token):
        raise TokenExpired("TikTok takes the token for invalid.", "Connect again.")

    work.run("DownloadMedia")
    ports.tiktok.creator = refuse
    save = ports.accounts.save

    def reconnected_first(account):
        saved = save(account)
        if account.reauthorize_since is not None:
            ports.accounts.save = save
            reconnect(work)
        return saved

    ports.accounts.save = reconnected_first
    with pytest.raises(TokenExpired):
        work.run("InitializePost")
    ports.tiktok.creator = creator
    assert work.post.held_since is None


@pytest.mark.parametrize(
    "changes",
    [
        {"patient": False},
        {"last_offered_at": NOW},
        {"status": Status.FAILED},
        {"carousel": a_carousel(publish_id=None)},
    ],
)
def test_what_tiktok_may_have_or_somebody_waits_for_is_never_held(changes):
    post = a_post(**{"patient": True, **changes})
    assert not post.may_be_held
    with pytest.raises(AssertionError):
        hold(post, NOW)


def test_the_caller_who_does_not_wait_makes_the_post_patient(ports):
    account = ports.connect(account_id="9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11")
    body = {
        "post": {
            "accountId": account.account_id,
            "content": {"mediaUrls": URL, "platform": "tiktok"},
            "tiktokOptions": {"privacyLevel": "SELF_ONLY"},
        }
    }
    for patient in (False, True):
        accepted = create_post(
            ports, account.workspace_id, body, idempotency_key=None, seconds_left=100, patient=patient
        )
        assert ports.posts.get(accepted.post.post_id).patient is patient


@pytest.mark.parametrize(
    ("prefer", "patient"), [("", False), ("wait=5", False), ("respond-async", True), ("wait=0", True)]
)
def test_over_http_the_header_prefer_tells_who_waits(http, ports, prefer, patient):
    account = ports.connect()
    content = {"text": "A rabbit", "mediaUrls": URL, "platform": "tiktok"}
    post = {"accountId": account.account_id, "content": content, "tiktokOptions": {"privacyLevel": "SELF_ONLY"}}
    answer = http.post({"post": post}, headers={"Prefer": prefer} if prefer else {})
    assert ports.posts.get(answer.json["postSubmissionId"]).patient is patient


def test_an_account_that_waits_for_its_creator_takes_no_new_posts(http, ports):
    account = ports.connect(reauthorize_since=NOW, reauthorize_reason="TikTok refuses the account's token.")
    content = {"text": "A rabbit", "mediaUrls": URL, "platform": "tiktok"}
    post = {"accountId": account.account_id, "content": content, "tiktokOptions": {"privacyLevel": "SELF_ONLY"}}
    answer = http.post({"post": post}, headers={"Prefer": "respond-async"})
    assert (answer.status, answer.json["code"]) == (401, "TokenExpired")


# Going on


def test_after_the_account_is_connected_again_the_next_sweep_lets_the_post_go_on(held):
    held.ports.clock.time += HOUR
    reconnect(held)
    swept(held.ports)
    post = held.post
    assert (post.held_since, post.revision) == (None, 1)
    assert list(held.ports.executions.started) == [f"{post.post_id}-1"]
    assert publish(held).status is Status.PUBLISH_COMPLETE


def test_all_posts_of_the_account_go_on_and_nobody_elses(held, monkeypatch):
    monkeypatch.setattr("publisher.use_cases.hold_post.PAGE_POSTS", 2)
    ports = held.ports
    mine = [held.post_id]
    for _ in range(6):
        mine.append(held.accept(patient=True).post_id)
        assert held.go_on()[-1] == "Held"
    other = a_post(account_id=an_account().account_id, patient=True, held_since=NOW)
    queued = a_post(account_id=held.account.account_id, patient=True)
    for post in (other, queued):
        ports.posts.accept(post, None)
    reconnect(held)
    swept(ports)
    assert sorted(ports.executions.started) == sorted(f"{post_id}-1" for post_id in mine)


def test_a_post_that_is_held_while_the_creator_connects_the_account_goes_on_within_a_quarter_of_an_hour(held):
    reconnect(held)
    swept(held.ports)
    held.change(held_since=held.ports.clock.time, watch_at=held.ports.clock.time + 900, status=Status.QUEUED)
    let_pass(held, 0.25)
    assert held.post.held_since is None


def test_a_start_that_fails_is_made_up_for(held):
    reconnect(held)
    held.ports.executions.faults.before("start", ServiceUnavailable("Throttled.", "Try again."))
    assert list(swept(held.ports).errors) == [held.account.account_id]
    held.ports.clock.time += 121
    swept(held.ports)
    assert list(held.ports.executions.started) == [f"{held.post_id}-1"]
    assert publish(held).status is Status.PUBLISH_COMPLETE


def test_a_worker_killed_after_the_start_starts_nothing_twice(held):
    reconnect(held)
    held.ports.posts.faults.before("save", Busy("Another worker has changed the post.", "Try again."))
    swept(held.ports)
    publish(held)
    let_pass(held, 1)
    assert len(held.uploads) == 1


def test_holding_uses_up_no_continuation(held):
    for number in range(1, 20):
        reconnect(held)
        swept(held.ports)
        assert held.post.revision == number
        held.ports.tiktok.remove_app(held.account.open_id)
        assert held.go_on()[-1] == "Held"
        held.ports.clock.time += HOUR
    reconnect(held)
    swept(held.ports)
    for _ in range(5):
        assert not held.post.terminal
        continue_post(held.ports, held.post_id)
    continue_post(held.ports, held.post_id)
    assert held.post.status is Status.FAILED


def test_media_that_may_be_gone_is_fetched_again_and_younger_media_is_kept(held):
    copy = held.post.media
    reconnect(held)
    swept(held.ports)
    assert held.post.media == copy
    held.ports.tiktok.remove_app(held.account.open_id)
    held.go_on()
    let_pass(held, 30)
    held.ports.media.objects.clear()
    reconnect(held)
    swept(held.ports)
    assert held.post.media is None
    post = publish(held)
    assert post.status is Status.PUBLISH_COMPLETE
    assert len(post.warnings) == len(set(post.warnings))


def test_pictures_that_may_be_gone_are_fetched_again():
    post = a_post(pictures=some_pictures(converted=True), held_since=NOW, holds=1, patient=True)
    fetched = begin_attempt(a_post(), NOW).timeline[0].model_copy(update={"step": "DownloadMedia"})
    old = post.model_copy(update={"timeline": (fetched,)})
    assert redriven(old, NOW + 12 * HOUR - 1).pictures is not None
    assert redriven(old, NOW + 12 * HOUR).pictures is None
    not_held = a_post(media=stored_video(), timeline=(fetched,))
    assert redriven(not_held, NOW + 12 * HOUR).media is not None


# The end of waiting


def test_after_72_hours_the_post_fails_with_the_reason(held):
    let_pass(held, 71.75)
    assert held.post.status is Status.QUEUED
    let_pass(held, 0.5)
    failure = held.post.failure
    assert (held.post.status, failure.code) == (Status.FAILED, "TokenExpired")
    assert failure.error == "The creator did not connect the account again in 72 hours."
    reconnect(held)
    let_pass(held, 1)
    assert held.ports.executions.started == {}


def test_a_post_whose_account_is_disconnected_fails(held):
    disconnect(held.ports, held.account.workspace_id, held.account.account_id, seconds_left=100)
    let_pass(held, 0.25)
    assert (held.post.status, held.post.failure.code) == (Status.FAILED, "AccountDisabled")


def test_a_held_post_is_looked_at_four_times_an_hour_and_exactly_at_its_end(held):
    began, times = held.ports.clock.time, []
    while not held.post.terminal:
        watch_at = held.post.watch_at
        assert watch_at is not None
        held.ports.clock.time = watch_at
        times.append(watch_at - began)
        swept(held.ports)
    assert times == [900 * number for number in range(1, 289)]
