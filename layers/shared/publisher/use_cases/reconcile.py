"""Step Reconcile: decide what a failed step means."""

from publisher.domain.posts import next_poll, polled, unclear
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.load_post import load_post
from publisher.use_cases.settle_carousel import settle_carousel


def reconcile(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Let a post fail that TikTok certainly has not; ask TikTok on about any other until it counts as unclear."""
    post = settle_carousel(ports, load_post(ports, request.post_id))
    now = ports.clock.now()
    if post.terminal or not post.last_offered or unclear(post, now):
        return StepOutput(next="RecordFailure")
    post = ports.posts.save(polled(post, now))
    return StepOutput(next="WaitForTikTok", wait_seconds=next_poll(post, now))
