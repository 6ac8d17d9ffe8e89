"""At most one public carousel: an offer whose answer was lost was either taken by TikTok, or can never be.

TikTok pulls pictures by itself, so an offer that nobody has an answer to may still be published. Before anything else
happens to the post the offer's address is closed; TikTok has pulled from it, and then the offer stands, or never can.
TikTok's own list of carousels is the judge.
"""

import itertools
from collections.abc import Callable, Iterable

import pytest

from publisher.api import PostDetail
from publisher.domain.errors import (
    AccountDisabled,
    Busy,
    PublisherError,
    PublishingFailed,
    RateLimitExceeded,
    ServiceUnavailable,
)
from publisher.domain.limits import REDRIVES, REVIEW_SECONDS
from publisher.domain.posts import Status
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.sweep import sweep
from tests.builders import NOW, some_pictures
from tests.fakes import FakePorts, Killed, TikTokCarousel
from tests.unit.work import LOST, PHOTOS, Act, Interruptions, Point, Work, points


def an_album() -> Work:
    """A post whose pictures are ready to be offered."""
    work = Work(FakePorts())
    work.accept(media_urls=PHOTOS, post_type="photo", pictures=some_pictures(converted=True), watch_at=NOW + 60)
    return work


@pytest.fixture(name="album")
def album_of_three() -> Work:
    return an_album()


def carousels(work: Work) -> list[TikTokCarousel]:
    return list(work.ports.tiktok.carousels.values())


def pull(work: Work, number: int = -1) -> None:
    """TikTok pulls what was offered last, or in this place; what it has, it does not pull again."""
    offered = carousels(work)
    if offered and not offered[number].pulled:
        work.ports.tiktok.pull(offered[number].publish_id, work.ports.photo_host)


def pull_all(work: Work) -> None:
    for number in range(len(carousels(work))):
        pull(work, number)


def is_served(work: Work, number: int) -> bool:
    """Tell whether TikTok would get a picture of the offer in this place."""
    prefix = carousels(work)[number].picture_urls[0].split("/")[-2]
    return work.ports.photo_host.pull(prefix, 1, work.ports.clock.now()) is not None


def during_the_offer(work: Work, act: Act) -> None:
    """TikTok has the next offer and has not answered yet: then this happens."""
    open_carousel = work.ports.tiktok.open_carousel

    def slow(*given, **named):
        work.ports.tiktok.open_carousel = open_carousel  # type: ignore[method-assign]
        answer = open_carousel(*given, **named)
        act()
        return answer

    work.ports.tiktok.open_carousel = slow  # type: ignore[method-assign]


def lose_the_answer(work: Work, error: BaseException) -> None:
    work.ports.tiktok.faults.after("open_carousel", error)
    with pytest.raises(type(error)):
        work.run("InitializePost")
    assert work.post.in_doubt


NO_ANSWER = [*LOST, Killed()]
every_lost_answer = pytest.mark.parametrize("error", NO_ANSWER, ids=["unavailable", "timeout", "killed"])


# The answer was lost, and TikTok has pulled


@every_lost_answer
def test_pictures_that_tiktok_pulled_are_never_offered_again(album, error):
    lose_the_answer(album, error)
    pull(album)
    before = album.post
    assert album.run("InitializePost").next == "WaitForTikTok"
    assert (album.post.last_offered, album.post.in_doubt, album.post.carousel) == (True, False, before.carousel)
    album.go_on()
    assert (len(carousels(album)), len(album.ports.tiktok.public_posts)) == (1, 1)


@every_lost_answer
def test_pictures_whose_id_nobody_knows_are_a_review_half_an_hour_later(album, error):
    lose_the_answer(album, error)
    pull(album)
    album.go_on()
    post = album.post
    assert (post.status, post.publish_id) == (Status.REVIEW, None)
    assert post.updated_at - post.last_offered_at == pytest.approx(1800, abs=1)
    assert "may be there" in post.failure.message
    assert post.watch_at is None


@pytest.mark.parametrize("step", ["InitializePost", "Reconcile"])
def test_the_id_that_a_slow_worker_brings_is_kept_and_names_the_public_post(album, step):
    def other() -> None:
        pull(album)
        assert album.run(step).next == "WaitForTikTok"
        assert album.post.publish_id is None

    during_the_offer(album, other)
    assert album.run("InitializePost").next == "WaitForTikTok"
    (carousel,) = carousels(album)
    assert album.post.publish_id == carousel.publish_id
    album.go_on()
    assert album.post.status is Status.PUBLISH_COMPLETE
    assert (carousels(album), album.ports.tiktok.public_posts) == ([carousel], [carousel])


def test_an_id_that_comes_when_the_post_is_under_review_leads_to_its_outcome(album):
    def give_up() -> None:
        pull(album)
        album.run("RecordFailure")
        assert album.post.status is Status.REVIEW

    album.ports.tiktok.processing_polls = 0
    during_the_offer(album, give_up)
    album.run("InitializePost")
    assert album.post.status is Status.REVIEW
    album.ports.clock.time = album.post.watch_at
    sweep(album.ports, seconds_left=lambda: 100)
    assert (album.post.status, len(carousels(album))) == (Status.PUBLISH_COMPLETE, 1)


# The answer was lost, and TikTok has not pulled


@every_lost_answer
def test_an_offer_that_was_never_pulled_is_closed_and_made_once_more(album, error):
    lose_the_answer(album, error)
    first = album.post.carousel.prefix
    album.run("InitializePost")
    assert len(carousels(album)) == 2
    assert album.post.publish_id == carousels(album)[1].publish_id
    assert album.post.carousel.prefix != first
    assert [is_served(album, number) for number in (0, 1)] == [False, True]
    assert (album.post.opened, album.post.attempt) == (2, 2)
    pull_all(album)
    album.go_on()
    assert album.post.status is Status.PUBLISH_COMPLETE
    assert album.ports.tiktok.public_posts == [carousels(album)[1]]


def test_an_offer_that_tiktok_pulls_right_after_it_was_closed_is_not_published(album):
    lose_the_answer(album, LOST[0])
    fence = album.ports.photo_host.fence

    def fence_then_pull(prefix):
        closed = fence(prefix)
        pull(album, 0)
        return closed

    album.ports.photo_host.fence = fence_then_pull
    album.run("InitializePost")
    assert carousels(album)[0].failure is not None
    pull_all(album)
    album.go_on()
    assert album.ports.tiktok.public_posts == [carousels(album)[1]]


def test_an_offer_that_tiktok_pulls_right_before_it_is_closed_stands(album):
    lose_the_answer(album, LOST[0])
    fence = album.ports.photo_host.fence

    def pull_then_fence(prefix):
        pull(album, 0)
        return fence(prefix)

    album.ports.photo_host.fence = pull_then_fence
    album.go_on()
    assert (album.post.status, len(carousels(album))) == (Status.REVIEW, 1)
    assert album.ports.tiktok.public_posts == carousels(album)


def test_after_three_answers_that_were_lost_the_post_fails_and_nothing_of_it_can_appear(album):
    for _ in range(3):
        lose_the_answer(album, LOST[1])
    album.go_on()
    failure = album.post.failure
    assert (album.post.status, failure.code, failure.retryable) == (Status.FAILED, "ServiceUnavailable", True)
    assert "3 attempts" in album.post.failure.error
    assert len(carousels(album)) == 3
    pull_all(album)
    assert album.ports.tiktok.public_posts == []


def test_a_slow_worker_offers_nothing_at_an_address_that_was_closed_meanwhile(album):
    host = album.ports.photo_host.host

    def slow(*given) -> None:
        album.ports.photo_host.host = host
        album.run("InitializePost")
        host(*given)

    album.ports.photo_host.host = slow
    with pytest.raises(Busy):
        album.run("InitializePost")
    assert len(carousels(album)) == 1
    assert album.post.publish_id == carousels(album)[0].publish_id


@pytest.mark.parametrize("step", ["InitializePost", "Reconcile", "RecordFailure"])
def test_an_answer_that_comes_when_the_offer_was_closed_changes_nothing(album, step):
    seen = []

    def other() -> None:
        album.run(step)
        seen.append(album.post)

    during_the_offer(album, other)
    with pytest.raises(Busy):
        album.run("InitializePost")
    assert album.post == seen[0]
    assert not is_served(album, 0)


# Settled before anything is said


@pytest.mark.parametrize("pulled", [False, True])
@pytest.mark.parametrize("last", [False, True], ids=["RecordFailure", "the last continuation"])
def test_a_post_in_doubt_is_settled_before_it_ends(album, pulled, last):
    lose_the_answer(album, Killed())
    if pulled:
        pull(album)
    if last:
        album.change(revision=int(REDRIVES))
        continue_post(album.ports, album.post_id)
    else:
        album.run("RecordFailure")
    assert album.post.status is (Status.REVIEW if pulled else Status.FAILED)
    pull_all(album)
    assert len(album.ports.tiktok.public_posts) == pulled


@pytest.mark.parametrize(("pulled", "following"), [(False, "RecordFailure"), (True, "WaitForTikTok")])
def test_reconciling_a_post_in_doubt_settles_it(album, pulled, following):
    lose_the_answer(album, LOST[0])
    if pulled:
        pull(album)
    assert album.run("Reconcile").next == following
    assert (album.post.in_doubt, album.post.last_offered) == (False, pulled)


# Refused for certain


@pytest.mark.parametrize(
    "error",
    [
        RateLimitExceeded("Too many calls.", "Wait.", retry_after=60),
        PublishingFailed("TikTok refused.", "Change it."),
        AccountDisabled("TikTok does not let him post.", "Look."),
    ],
)
def test_what_tiktok_refused_is_closed_and_does_not_count(album, error):
    refused = album.ports.tiktok.open_carousel
    for _ in range(5):
        album.ports.tiktok.open_carousel = _raising(error)
        with pytest.raises(type(error)):
            album.run("InitializePost")
        assert (album.post.in_doubt, album.post.opened) == (False, 0)
    album.ports.tiktok.open_carousel = refused
    album.run("InitializePost")
    assert (len(carousels(album)), album.post.opened, is_served(album, 0)) == (1, 1, True)


def test_what_tiktok_refused_after_it_had_pulled_counts_as_taken_and_is_never_offered_again(album):
    take = album.ports.tiktok.open_carousel

    def refuse_what_was_pulled(*given, **named) -> str:
        take(*given, **named)
        pull_all(album)
        raise PublishingFailed("TikTok refused.", "Change it.")

    album.ports.tiktok.open_carousel = refuse_what_was_pulled
    album.run("InitializePost")
    album.ports.tiktok.open_carousel = take
    album.run("InitializePost")
    assert (album.post.last_offered, album.post.publish_id, len(carousels(album))) == (True, None, 1)
    assert "do not send them again" in PostDetail.of(album.post).message
    assert len(album.ports.tiktok.public_posts) <= 1
    album.ports.clock.time += REVIEW_SECONDS
    album.run("CheckStatus")
    album.run("RecordFailure")
    assert album.post.status is Status.REVIEW


def test_a_refused_offer_is_pulled_by_nobody(album):
    take = album.ports.tiktok.open_carousel

    def refuse_what_was_taken(*given, **named) -> str:
        take(*given, **named)
        raise PublishingFailed("TikTok refused.", "Change it.")

    album.ports.tiktok.open_carousel = refuse_what_was_taken
    with pytest.raises(PublishingFailed):
        album.run("InitializePost")
    pull_all(album)
    assert album.ports.tiktok.public_posts == []


def _raising(error: PublisherError) -> Callable[..., str]:
    def refuse(*_given, **_named) -> str:
        raise error

    return refuse


def test_a_token_that_dies_is_refreshed_and_the_pictures_are_offered_once(album):
    album.ports.tiktok.expire_access_tokens()
    album.run("InitializePost")
    assert (len(carousels(album)), album.post.opened, album.ports.tiktok.refreshes) == (1, 1, 1)


def test_a_refusal_that_could_not_be_written_down_is_settled_as_any_doubt(album):
    album.ports.tiktok.faults.before("open_carousel", PublishingFailed("TikTok refused.", "Change it."))
    save, saved = album.ports.posts.save, []

    def fail_at_the_second(post):
        saved.append(post)
        if len(saved) == 2:
            raise ServiceUnavailable("DynamoDB did not answer.", "Try again.")
        return save(post)

    album.ports.posts.save = fail_at_the_second
    with pytest.raises(ServiceUnavailable):
        album.run("InitializePost")
    assert album.post.in_doubt
    album.run("InitializePost")
    assert (len(carousels(album)), album.post.opened) == (1, 2)


# TikTok's answer is worth several tries to write it


@pytest.mark.parametrize(("failures", "kept"), [(4, True), (5, False)])
@pytest.mark.parametrize("pulled", [False, True])
def test_tiktoks_answer_is_written_in_five_tries(album, failures, kept, pulled):
    def stop_the_ledger() -> None:
        if pulled:
            pull(album)
        for _ in range(failures):
            album.ports.posts.faults.before("save", ServiceUnavailable("DynamoDB did not answer.", "Try again."))

    during_the_offer(album, stop_the_ledger)
    if kept:
        album.run("InitializePost")
        assert album.post.publish_id == carousels(album)[0].publish_id
    else:
        with pytest.raises(ServiceUnavailable):
            album.run("InitializePost")
        assert album.post.in_doubt
    album.go_on(lambda: pull_all(album))
    assert len(album.ports.tiktok.public_posts) == 1


def test_an_answer_that_was_written_although_the_write_failed_is_kept(album):
    album.ports.posts.faults.before("save", ServiceUnavailable("Not yet.", "Try again."))
    with pytest.raises(ServiceUnavailable):
        album.run("InitializePost")
    during_the_offer(album, lambda: album.ports.posts.faults.after("save", ServiceUnavailable("Lost.", "Try again.")))
    album.run("InitializePost")
    assert album.post.publish_id == carousels(album)[0].publish_id
    assert len(carousels(album)) == 1


# Anything at any moment

type Scene = Callable[[Work], object]


def lost(_work: Work) -> None:
    raise ServiceUnavailable("The answer was lost.", "Try again.")


def killed(_work: Work) -> None:
    raise Killed


def another(step: str) -> Scene:
    """A worker runs a whole step; whether he succeeds is his affair."""

    def run(work: Work) -> None:
        try:
            work.run(step)
        except (PublisherError, Killed):
            return

    return run


def last_continuation(work: Work) -> None:
    """The sweeper has continued the post five times, and gives it up."""
    try:
        work.change(revision=int(REDRIVES))
        continue_post(work.ports, work.post_id)
    except PublisherError:
        return


SCENES: dict[str, Scene] = {
    "lost": lost,
    "killed": killed,
    "pulled": pull_all,
    "another InitializePost": another("InitializePost"),
    "another Reconcile": another("Reconcile"),
    "another RecordFailure": another("RecordFailure"),
    "the last continuation": last_continuation,
}


def play(step: str, plan: dict[Point, str], *, in_doubt: bool, prompt: bool) -> Work:
    """Run a step while things happen, lead the post to its end, and let TikTok pull all that it was ever offered.

    `prompt` says that TikTok also pulls whenever the machine waits for it.
    """
    work = an_album()
    if in_doubt:
        lose_the_answer(work, Killed())
    interruptions = Interruptions(work.ports)
    interruptions.at({point: _scene(SCENES[name], work) for point, name in plan.items()})
    another(step)(work)
    interruptions.at({})
    work.go_on((lambda: pull_all(work)) if prompt else (lambda: None))
    pull_all(work)
    _sweep_up(work)
    return work


def _scene(scene: Scene, work: Work) -> Act:
    return lambda: scene(work)


def _sweep_up(work: Work) -> None:
    """Look at an ended post as long as there is something to ask."""
    for _ in range(30):
        if work.post.watch_at is None:
            return
        work.ports.clock.time = work.post.watch_at
        sweep(work.ports, seconds_left=lambda: 100)


def judge(work: Work, story: object) -> Status:
    """Compare what the post says with what TikTok shows the world."""
    public = [post.publish_id for post in work.ports.tiktok.public_posts]
    post = work.post
    assert len(public) <= 1, f"TikTok has two posts: {story}"
    assert post.terminal, story
    if post.status is Status.PUBLISH_COMPLETE:
        assert public == [post.publish_id], story
    elif post.status is Status.FAILED:
        assert public == [], f"a post that failed is public: {story}"
    else:
        assert (post.status, post.publish_id) == (Status.REVIEW, None), story
    assert len(carousels(work)) <= 3, story
    return post.status


def calls_of(step: str, *, in_doubt: bool) -> int:
    work = an_album()
    if in_doubt:
        lose_the_answer(work, Killed())
    interruptions = Interruptions(work.ports)
    work.run(step)
    return len(interruptions.seen)


@pytest.mark.parametrize("prompt", [True, False], ids=["prompt", "late"])
@pytest.mark.parametrize(
    ("step", "in_doubt"),
    [("InitializePost", False), ("InitializePost", True), ("Reconcile", True), ("RecordFailure", True)],
)
def test_whatever_happens_at_any_moment_there_is_at_most_one_public_post_and_an_end(step, in_doubt, prompt):
    for point, scene in itertools.product(points(calls_of(step, in_doubt=in_doubt)), SCENES):
        judge(play(step, {point: scene}, in_doubt=in_doubt, prompt=prompt), (point, scene))


FIRST = ("killed", "pulled", "another InitializePost", "another RecordFailure")
SECOND = ("killed", "pulled", "another InitializePost")


def two_things() -> Iterable[dict[Point, str]]:
    """Two things that happen one after the other, the second perhaps to whoever the first has let in."""
    moments = points(calls_of("InitializePost", in_doubt=True) + 4)
    for (number, first), (later, second) in itertools.product(
        itertools.product(moments, FIRST), itertools.product(moments, SECOND)
    ):
        if number < later:
            yield {number: first, later: second}


def test_whatever_two_things_happen_there_is_at_most_one_public_post_and_an_end():
    seen = {judge(play("InitializePost", plan, in_doubt=True, prompt=True), plan) for plan in two_things()}
    assert seen == {Status.PUBLISH_COMPLETE, Status.FAILED, Status.REVIEW}


def test_without_the_fence_there_would_be_two_public_posts(monkeypatch):
    """The judge is not blind: an address that stays open lets TikTok publish what was offered twice."""
    monkeypatch.setattr("tests.fakes.FakePhotoHost.fence", lambda _self, _prefix: True)
    plans = [{point: "lost"} for point in points(calls_of("InitializePost", in_doubt=False))]
    public = [
        len(play("InitializePost", plan, in_doubt=False, prompt=True).ports.tiktok.public_posts) for plan in plans
    ]
    assert (min(public), max(public)) == (1, 2)
