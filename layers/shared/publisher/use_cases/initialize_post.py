"""Step InitializePost: open the post at TikTok."""

import secrets

from pydantic import SecretStr

from publisher.domain.chunks import plan_chunks
from publisher.domain.errors import (
    Busy,
    InternalServerError,
    PublishingFailed,
    RateLimitExceeded,
    TikTokRefused,
    TokenExpired,
    TryAgain,
)
from publisher.domain.limits import ANSWER_WRITE_SECONDS, ANSWER_WRITE_TRIES, PHOTO_HOST_SECONDS
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
    poll_wait,
    upload_expired,
    upload_opened,
)
from publisher.messages import StepInput, StepOutput
from publisher.ports import Hosted, OpenedUpload, Ports, SecondsLeft
from publisher.use_cases.hold_post import hold_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.settle_carousel import settle_carousel
from publisher.use_cases.use_access_token import use_access_token


def initialize_post(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    """Open an upload, or offer the pictures, once.

    A post that has an open upload keeps it, and one that TikTok may have never gets another. When TikTok's answer is
    lost, the next attempt opens another upload: nobody holds the first one's URL, so it publishes nothing. Pictures are
    offered again only when the address of the first offer is closed unused. A post that nobody waits for is held when
    the account has to be connected again.
    """
    try:
        return _initialize(request, ports, seconds_left)
    except TokenExpired:
        if not hold_post(ports, request.post_id):
            raise
        return StepOutput(next="Held")


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


def _open_upload(ports: Ports, post: Post, media: Media, seconds_left: SecondsLeft) -> None:
    """Open an upload and record it before its first byte."""
    _check_creator(ports, post, seconds_left())
    plan = plan_chunks(media.size)
    sealer = ports.vault.sealer(upload_context(post))  # before the call: after it only the write may be left to do

    def attempt(token: SecretStr) -> OpenedUpload:
        """Open one upload, counted before the call and no more once TikTok has certainly refused it."""
        nonlocal post
        post = ports.posts.save(begin_attempt(post, ports.clock.now()))
        try:
            return ports.tiktok.open_upload(token, text=post.text, options=post.options, plan=plan)
        except (RateLimitExceeded, TikTokRefused):
            post = ports.posts.save(attempt_refused(post, ports.clock.now()))
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
    _check_creator(ports, post, seconds_left())
    hosted = Hosted(folder=pictures.folder, count=pictures.count)

    def attempt(token: SecretStr) -> str | None:
        """Make one offer under an address of its own; None when TikTok refused it and pulled all the same."""
        nonlocal post
        prefix, now = secrets.token_hex(16), ports.clock.now()
        post = ports.posts.save(begin_carousel(post, prefix, now))
        ports.photo_host.host(prefix, hosted, now + PHOTO_HOST_SECONDS)
        urls = [f"{address}/{prefix}/{number}.jpg" for number in range(1, pictures.count + 1)]
        try:
            return ports.tiktok.open_carousel(token, text=post.text, options=post.options, picture_urls=urls)
        except (RateLimitExceeded, TikTokRefused):
            if not ports.photo_host.fence(prefix):
                return None
            post = ports.posts.save(attempt_refused(post, ports.clock.now()))
            raise

    publish_id = use_access_token(ports, post.account_id, attempt, seconds_left=seconds_left())
    _record_answer(ports, post, publish_id)


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


def _check_creator(ports: Ports, post: Post, seconds_left: float) -> None:
    """Check a direct post against the creator's options of this moment; a choice is never replaced."""
    if post.options.draft:
        return
    creator = use_access_token(ports, post.account_id, ports.tiktok.creator, seconds_left=seconds_left)
    if post.options.privacy_level not in creator.privacy_level_options:
        raise PublishingFailed(
            f"The creator can no longer choose {post.options.privacy_level}.",
            f"Send the post again with one of {', '.join(creator.privacy_level_options)}.",
        )
    if post.media is not None:
        check_video(post.media.facts, longest_seconds=creator.max_video_post_duration_sec)
