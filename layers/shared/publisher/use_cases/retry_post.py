"""Continue a post that failed, or whose outcome is unclear."""

from publisher.api import RetryRequest, read_body
from publisher.domain.errors import Busy, Failure, PublisherError, PublishingFailed, WrongStatus
from publisher.domain.limits import CHANGE_TRIES
from publisher.domain.posts import OUTCOMES, Post, Status, answered, learned, retried, wait_for_turn
from publisher.ports import Ports, PublishStatus
from publisher.use_cases.check_status import ask_status
from publisher.use_cases.create_post import set_going
from publisher.use_cases.end_post import end_post
from publisher.use_cases.get_post import get_post
from publisher.use_cases.take_turn import stand_in_line

_NOT_THERE = Failure(
    name="PublishingFailed",
    code="PublishingFailed",
    error="TikTok did not say what became of the post, and it is not on the account, as you told.",
    message="It is tried again.",
    retryable=True,
)


def retry_post(ports: Ports, workspace_id: str, post_id: str, body: object, *, seconds_left: float) -> Post:
    """Begin a failed post again under its id, or settle an unclear one; never makes a second post by itself.

    A post is FAILED only when certainly nothing of it was published. For an unclear one TikTok is asked again; when it
    still does not say, a person has looked at the account and tells in the body whether the post is there. If that
    person is wrong, and says no of a post that TikTok publishes later, it is there twice: nobody else can know. One
    that is under way is left alone, so this is safe to repeat. WrongStatus for any other, PostLimitReached when the
    account's limits do not let it go and it may not wait.
    """
    published = read_body(RetryRequest, body, "POST /v2/posts/{postSubmissionId}/retry").published
    for _ in range(CHANGE_TRIES):
        post = get_post(ports, workspace_id, post_id)
        try:
            if post.status is Status.REVIEW:
                post = _settled(ports, post, published, seconds_left=seconds_left)
                if post.status is not Status.FAILED or published:
                    return post
            elif published is not None:
                raise WrongStatus(
                    f"The post is {post.status}; only of one that is REVIEW you can tell whether it is there.",
                    "Leave published out.",
                    field="published",
                )
            if post.status is Status.FAILED:
                return _again(ports, post)
        except Busy:
            continue
        if post.terminal:
            raise WrongStatus(f"The post is {post.status}; there is nothing to try again.", "Make a new post.")
        return post
    raise Busy("The post is being changed by others.", "Look at the post, and try again in a moment.")


def _settled(ports: Ports, post: Post, published: bool | None, *, seconds_left: float) -> Post:
    """End the question about an unclear post by TikTok's word, or else by that of the person who looked."""
    try:
        said = _ask(ports, post, seconds_left=seconds_left)
    except PublisherError:
        if not published:
            raise
        said = None  # who saw it needs nobody's confirmation
    now = ports.clock.now()
    if said is not None and said.status in OUTCOMES:
        return _ended(ports, learned(post, said.status, said.post_ids, said.failure, now))
    if published is None:
        raise WrongStatus(
            "TikTok still does not say what became of the post.",
            'Look at the account: send {"published": true} when the post is there, and {"published": false} when it is '
            "not, which begins it again.",
        )
    if not published:
        if said is not None:
            raise WrongStatus(
                "TikTok is still working on the post, so it may yet appear.", "Look at the account again later."
            )
        if post.carousel is not None:
            ports.photo_host.close(post.carousel.prefix)
    return _ended(ports, answered(post, published=published, failure=None if published else _NOT_THERE, now=now))


def _ended(ports: Ports, post: Post) -> Post:
    """Store an outcome; one that is FAILED is tried again, and told only should that not come about."""
    return ports.posts.save(post) if post.status is Status.FAILED else end_post(ports, post)


def _ask(ports: Ports, post: Post, *, seconds_left: float) -> PublishStatus | None:
    """Ask TikTok about an unclear post; None when it does not know the post, or we do not know its id."""
    if post.publish_id is None:
        return None
    try:
        return ask_status(ports, post, post.publish_id, seconds_left=seconds_left)
    except PublishingFailed:
        return None


def _again(ports: Ports, post: Post) -> Post:
    """Begin a failed post again: its turn first, then the ledger, then what starts it."""
    if post.carousel is not None:
        ports.photo_host.close(post.carousel.prefix)
    now = ports.clock.now()
    again = retried(post, now).model_copy(update={"patient": True})
    line = stand_in_line(ports, again)
    if line.waits:
        again = wait_for_turn(again, line.turn_at, now)
    again = ports.posts.save(again)
    set_going(ports, again)
    return again
