"""Step RecordFailure: write why the post ended."""

from contextlib import suppress

from publisher.api import iso
from publisher.domain.errors import Failure, TryAgain
from publisher.domain.posts import Post, Status, finish
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.end_post import end_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.settle_carousel import settle_carousel
from publisher.use_cases.take_turn import leave_line

UNCLEAR = Failure(
    name="PublishingFailed",
    code="PublishingFailed",
    error="TikTok has not said what became of the post.",
    message="Look at the account: the post may be there. It is not sent again by itself.",
    retryable=False,
)
UNKNOWN = Failure(
    name="InternalServerError",
    code="InternalServerError",
    error="The publication did not finish.",
    message="Try again; if it happens again, tell the operator the postSubmissionId.",
    retryable=True,
)


def record_failure(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Write FAILED when it is certain that nothing was published, REVIEW when TikTok may have it."""
    post = load_post(ports, request.post_id)
    if not post.terminal:
        post = end(ports, post, request.error.failure() if request.error else None)
    let_media_go(ports, post)
    return StepOutput(next="RecordFailure")


def end(ports: Ports, post: Post, cause: Failure | None) -> Post:
    """End a post that goes no further: as TikTok said, as unclear, or as failed for `cause`."""
    post = settle_carousel(ports, post)
    now = ports.clock.now()
    if post.confirmed is not None:
        return end_post(ports, finish(post, post.confirmed, now, post.failure))
    if post.last_offered:
        return end_post(ports, finish(post, Status.REVIEW, now, UNCLEAR))
    post = end_post(ports, finish(post, Status.FAILED, now, _with_time(cause or UNKNOWN, now)))
    with suppress(TryAgain):  # a place that is not given up lapses
        leave_line(ports, post)
    return post


def _with_time(failure: Failure, now: float) -> Failure:
    """Say when it may work again, because who reads it later cannot count from now."""
    if failure.retry_after is None:
        return failure
    message = f"{failure.message} It is free again at {iso(now + failure.retry_after)} at the latest."
    return failure.model_copy(update={"message": message})


def let_media_go(ports: Ports, post: Post) -> None:
    """Remove an ended post's media, and the addresses of its pictures, which TikTok may still want under REVIEW."""
    if post.status is Status.REVIEW and post.pictures is not None:
        return
    if post.carousel is not None:
        ports.photo_host.close(post.carousel.prefix)
    if post.kept_keys:
        ports.media.delete(post.kept_keys)
