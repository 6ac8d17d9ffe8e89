"""Step CheckStatus: ask TikTok what became of the post."""

from pydantic import SecretStr

from publisher.domain.errors import Paced
from publisher.domain.posts import OUTCOMES, PUBLISHED, Post, Status, confirm, next_poll, polled, unclear
from publisher.domain.slots import TIKTOK_STATUS
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, PublishStatus, SecondsLeft
from publisher.use_cases.load_post import load_post
from publisher.use_cases.take_turn import count_call, note_refusal
from publisher.use_cases.use_access_token import use_access_token


def check_status(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    """Keep TikTok's word when it has one; else wait longer each time, until the outcome counts as unclear."""
    post = load_post(ports, request.post_id)
    if post.terminal or post.confirmed in OUTCOMES:
        there = (post.confirmed or post.status) in PUBLISHED
        return StepOutput(next="RecordPublished" if there else "RecordFailure")
    # Pictures may be taken without TikTok's answer having come: then nobody can ask yet, and perhaps never.
    try:
        said = ask_status(ports, post, post.publish_id, seconds_left=seconds_left()) if post.publish_id else None
    except Paced as problem:
        return StepOutput(next="WaitForTikTok", wait_seconds=problem.retry_after or 1)
    now = ports.clock.now()
    if said is not None and said.status in OUTCOMES:
        outcome = Status(said.status)
        ports.posts.save(confirm(post, outcome, said.post_ids, said.failure, now))
        return StepOutput(next="RecordFailure" if outcome is Status.FAILED else "RecordPublished")
    if unclear(post, now):
        return StepOutput(next="RecordFailure")
    post = ports.posts.save(polled(post, now))
    return StepOutput(next="WaitForTikTok", wait_seconds=next_poll(post, now))


def ask_status(ports: Ports, post: Post, publish_id: str, *, seconds_left: float) -> PublishStatus:
    """Ask TikTok about what was opened for the post; Paced when it would refuse to answer.

    A reason to fail that is not the post's own holds the account's line.
    """

    def ask(token: SecretStr) -> PublishStatus:
        count_call(ports, post.account_id, TIKTOK_STATUS, post.post_id)
        return ports.tiktok.status(token, publish_id)

    said = use_access_token(ports, post.account_id, ask, seconds_left=seconds_left)
    if said.failure is not None:
        note_refusal(ports, post.account_id, said.failure)
    return said
