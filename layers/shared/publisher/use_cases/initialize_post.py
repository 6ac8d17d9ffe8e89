"""Step InitializePost: open the post at TikTok."""

import secrets
from contextlib import suppress

from pydantic import SecretStr

from publisher.domain.chunks import plan_chunks
from publisher.domain.errors import (
    Busy,
    InternalServerError,
    Paced,
    PublisherError,
    PublishingFailed,
    RateLimitExceeded,
    TikTokRefused,
    TokenExpired,
    TryAgain,
)
from publisher.domain.limits import (
    ANSWER_WRITE_SECONDS,
    ANSWER_WRITE_TRIES,
    HOLD_SECONDS,
    PHOTO_HOST_SECONDS,
    TURN_WAIT_SECONDS,
)
from publisher.domain.media import check_video
from publisher.domain.posts import (
    Media,
    Pictures,
    Post,
    Upload,
    attempt_refused,
    begin_attempt,
    begin_carousel,
    carousel_taken,
    interactions_settled,
    poll_wait,
    upload_expired,
    upload_opened,
    wait_for_turn,
)
from publisher.domain.rules import settle_interactions
from publisher.domain.slots import TIKTOK_INIT, Hold, Turn, seconds_until
from publisher.messages import StepInput, StepOutput
from publisher.ports import Hosted, OpenedUpload, Ports, SecondsLeft
from publisher.use_cases.get_creator import ask_creator
from publisher.use_cases.hold_post import hold_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.settle_carousel import settle_carousel
from publisher.use_cases.take_turn import limit_reached, look_at_turn, note_refusal, step_back, take_slots
from publisher.use_cases.use_access_token import use_access_token


class NotYet(Exception):
    """It is not the post's turn."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self.turn = turn


def initialize_post(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    """Open an upload, or offer the pictures, once.

    A post that has an open upload keeps it, and one that TikTok may have never gets another. When TikTok's answer is
    lost, the next attempt opens another upload: nobody holds the first one's URL, so it publishes nothing. Pictures are
    offered again only when the address of the first offer is closed unused. A post that nobody waits for is held when
    the account has to be connected again. Its slots are taken just before, and given back only when TikTok certainly
    did nothing; until it is its turn the post waits, or fails when it may not.
    """
    try:
        return _initialize(request, ports, seconds_left)
    except Paced as problem:
        return StepOutput(next="WaitForTurn", wait_seconds=problem.retry_after or 1)
    except NotYet as problem:
        return _wait_for_turn(ports, request.post_id, problem.turn)
    except TokenExpired:
        if not hold_post(ports, request.post_id):
            raise
        return StepOutput(next="Held")
    except (RateLimitExceeded, TikTokRefused) as refusal:
        return _hold_line(ports, request, refusal)


def _initialize(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    post = settle_carousel(ports, load_post(ports, request.post_id))
    if post.pictures is not None:
        if not (post.terminal or post.last_offered):
            _offer_pictures(ports, post, post.pictures, seconds_left)
        return StepOutput(next="WaitForTikTok", wait_seconds=poll_wait(0))
    kept = post.upload is not None and not upload_expired(post, ports.clock.now())
    if not (post.terminal or post.last_offered or kept):
        if post.media is None:
            raise PublishingFailed("The post has no media.", "Send the post again.")
        _open_upload(ports, post, post.media, seconds_left)
    return StepOutput(next="UploadChunks")


def _wait_for_turn(ports: Ports, post_id: str, turn: Turn) -> StepOutput:
    """Wait in the machine for a turn that is near, and outside of it for any other; for TikTok's holds only so long."""
    post, now = load_post(ports, post_id), ports.clock.now()
    if turn.at - now <= TURN_WAIT_SECONDS:
        return StepOutput(next="WaitForTurn", wait_seconds=seconds_until(turn.at, now))
    waited_out = isinstance(turn.reason, Hold) and post.queued_at is not None and now >= post.queued_at + HOLD_SECONDS
    if waited_out or not (post.queues and post.untouched):
        raise limit_reached(turn.reason, turn.at, now)
    ports.posts.save(wait_for_turn(post, turn.at, now))
    with suppress(TryAgain):  # the sweep finds it too
        ports.schedules.put(post.post_id, turn.at)
    return StepOutput(next="Held")


def _hold_line(ports: Ports, request: StepInput, refusal: PublisherError) -> StepOutput:
    """Hold the account's line when that is what TikTok's refusal is about; the post waits in it if it may."""
    post = load_post(ports, request.post_id)
    until = note_refusal(ports, post.account_id, refusal.failure())
    if until is not None and isinstance(refusal, RateLimitExceeded):
        refusal.retry_after = seconds_until(until, ports.clock.now())  # as all are told from now on
    if until is None or not (post.queues and post.untouched):
        raise refusal
    turn = look_at_turn(ports, post)
    if turn.at <= ports.clock.now():
        raise refusal  # of another line
    return _wait_for_turn(ports, request.post_id, turn)


def _open_upload(ports: Ports, post: Post, media: Media, seconds_left: SecondsLeft) -> None:
    """Open an upload and record it before its first byte."""
    post = _check_creator(ports, post, seconds_left())
    plan = plan_chunks(media.size)
    sealer = ports.vault.sealer(upload_context(post))  # before the call: after it only the write may be left to do

    def attempt(token: SecretStr) -> OpenedUpload:
        """Open one upload, counted before the call and no more once TikTok has certainly refused it."""
        nonlocal post
        begin_attempt(post, ports.clock.now())  # it raises before a slot is taken
        turn = _take_slots(ports, post)
        post = ports.posts.save(begin_attempt(post, ports.clock.now()))
        try:
            return ports.tiktok.open_upload(token, text=post.text, options=post.options, plan=plan)
        except (RateLimitExceeded, TikTokRefused):
            post = _refused(ports, post, turn)
            raise

    opened = use_access_token(ports, post.account_id, attempt, seconds_left=seconds_left())
    upload = Upload(
        publish_id=opened.publish_id, sealed_url=sealer(opened.upload_url), plan=plan, opened_at=ports.clock.now()
    )
    ports.posts.save(upload_opened(post, upload, ports.clock.now()))


def _offer_pictures(ports: Ports, post: Post, pictures: Pictures, seconds_left: SecondsLeft) -> None:
    """Tell TikTok the pictures' addresses, which publishes them, and record its answer."""
    if ports.public_url is None:
        raise InternalServerError("The API's own address is not set.", "The operator sets PublicUrl.")
    address = f"{ports.public_url}/media"
    post = _check_creator(ports, post, seconds_left())
    hosted = Hosted(folder=pictures.folder, count=pictures.count)

    def attempt(token: SecretStr) -> str | None:
        """Make one offer under an address of its own; None when TikTok refused it and pulled all the same."""
        nonlocal post
        prefix = secrets.token_hex(16)
        begin_carousel(post, prefix, ports.clock.now())  # it raises before a slot is taken
        turn, now = _take_slots(ports, post), ports.clock.now()
        post = ports.posts.save(begin_carousel(post, prefix, now))
        ports.photo_host.host(prefix, hosted, now + PHOTO_HOST_SECONDS)
        urls = [f"{address}/{prefix}/{number}.jpg" for number in range(1, pictures.count + 1)]
        try:
            return ports.tiktok.open_carousel(token, text=post.text, options=post.options, picture_urls=urls)
        except (RateLimitExceeded, TikTokRefused):
            if not ports.photo_host.fence(prefix):
                return None
            post = _refused(ports, post, turn)
            raise

    publish_id = use_access_token(ports, post.account_id, attempt, seconds_left=seconds_left())
    _record_answer(ports, post, publish_id)


def _take_slots(ports: Ports, post: Post) -> Turn:
    """Take the post's slots and count the call, or raise what says when that is possible."""
    turn = take_slots(ports, post, TIKTOK_INIT)
    if not turn.taken:
        raise NotYet(turn)
    return turn


def _refused(ports: Ports, post: Post, turn: Turn) -> Post:
    """Take an attempt back that certainly opened nothing, and the slots it took."""
    post = ports.posts.save(attempt_refused(post, ports.clock.now()))
    if turn.fresh:
        with suppress(TryAgain):  # a slot that is not given back only costs time
            step_back(ports, post)
    return post


def _record_answer(ports: Ports, post: Post, publish_id: str | None) -> None:
    """Write that TikTok took the pictures, and its id if it told one.

    Also when another worker has meanwhile noted that they were pulled.
    Busy when he has closed their address instead: then this offer publishes nothing.
    """
    for tries_left in reversed(range(ANSWER_WRITE_TRIES)):
        try:
            ports.posts.save(carousel_taken(post, publish_id, ports.clock.now()))
        except TryAgain as problem:
            if not tries_left:
                raise
            if not isinstance(problem, Busy):
                ports.clock.sleep(ANSWER_WRITE_SECONDS)
            known = load_post(ports, post.post_id)
            if known.carousel is None or post.carousel is None or known.carousel.prefix != post.carousel.prefix:
                raise
            post = known
        else:
            return


def upload_context(post: Post) -> dict[str, str]:
    """Return what a post's sealed upload URL is bound to."""
    return {"workspace": post.workspace_id, "account": post.account_id, "post": post.post_id, "field": "upload_url"}


def _check_creator(ports: Ports, post: Post, seconds_left: float) -> Post:
    """Check a direct post whose turn it is against the creator's options of this moment; no choice is replaced.

    What the creator has switched off since the post came in is off, with a warning.
    """
    turn = look_at_turn(ports, post)
    if turn.at > ports.clock.now():
        raise NotYet(turn)
    if post.options.draft:
        return post
    creator = ask_creator(ports, post.account_id, seconds_left=seconds_left)
    if post.options.privacy_level not in creator.privacy_level_options:
        raise PublishingFailed(
            f"The creator can no longer choose {post.options.privacy_level}.",
            f"Send the post again with one of {', '.join(creator.privacy_level_options)}.",
        )
    if post.media is not None:
        check_video(post.media.facts, longest_seconds=creator.max_video_post_duration_sec)
    options, warnings = settle_interactions(post.options, creator)
    if options == post.options:
        return post
    return ports.posts.save(interactions_settled(post, options, warnings, ports.clock.now()))
