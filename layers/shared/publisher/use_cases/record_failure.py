"""Step RecordFailure: write why the post ended."""

from publisher.domain.errors import Failure
from publisher.domain.posts import Post, Status, finish
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.load_post import load_post

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
        cause = request.error.failure() if request.error else None
        post = ports.posts.save(end(post, cause, ports.clock.now()))
    if post.media is not None:
        ports.media.delete(post.media.key)
    return StepOutput(next="RecordFailure")


def end(post: Post, cause: Failure | None, now: float) -> Post:
    """End a post that goes no further: as TikTok said, as unclear, or as failed for `cause`."""
    if post.confirmed is not None:
        return finish(post, post.confirmed, now, post.failure)
    if post.last_offered:
        return finish(post, Status.REVIEW, now, UNCLEAR)
    return finish(post, Status.FAILED, now, cause or UNKNOWN)
