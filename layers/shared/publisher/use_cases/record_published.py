"""Step RecordPublished: write that the post is there."""

from contextlib import suppress

from publisher.domain.errors import InternalServerError, TryAgain
from publisher.domain.history import AGES
from publisher.domain.posts import PUBLISHED, Status, finish
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.end_post import end_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.record_failure import let_media_go


def record_published(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Write the outcome that TikTok confirmed, once, and let the media go."""
    post = load_post(ports, request.post_id)
    if not post.terminal:
        if post.confirmed not in PUBLISHED:
            raise InternalServerError("TikTok has not confirmed this post.", "The machine asks TikTok first.")
        post = end_post(ports, finish(post, post.confirmed, ports.clock.now()))
    if post.status is Status.PUBLISH_COMPLETE:
        with suppress(TryAgain):  # the post is there; its figures are collected once a day at least
            ports.metrics.plan(post.account_id, ports.clock.now() + min(AGES.values()))
    let_media_go(ports, post)
    return StepOutput(next="RecordPublished")
