"""Cancel a post that TikTok cannot have."""

from contextlib import suppress

from publisher.domain.errors import Busy, TryAgain, WrongStatus
from publisher.domain.limits import CHANGE_TRIES
from publisher.domain.posts import Post, Status, cancel
from publisher.ports import Ports
from publisher.use_cases.end_post import end_post
from publisher.use_cases.get_post import get_post
from publisher.use_cases.settle_carousel import settle_carousel
from publisher.use_cases.take_turn import leave_line

_TOO_LATE = {
    Status.PUBLISH_COMPLETE: ("The post is published.", "Delete it in the TikTok app."),
    Status.SEND_TO_USER_INBOX: ("The draft is in the creator's inbox.", "The creator discards it in the TikTok app."),
    Status.FAILED: ("The post has failed; nothing was published.", "Nothing to do."),
    Status.REVIEW: (
        "TikTok may have the post, and has not said what became of it.",
        "Look at the account, and tell what you saw with POST /v2/posts/{postSubmissionId}/retry.",
    ),
}
_TAKEN = (
    "TikTok has the whole post, so it can no longer be cancelled.",
    "Look at the post again; when it is published, delete it in the TikTok app.",
)


def cancel_post(ports: Ports, workspace_id: str, post_id: str) -> Post:
    """Cancel a post, for good; one that is cancelled already stays so. Safe to repeat.

    WrongStatus from the point of no return on, saying what is so. Whatever moves the post at this moment either comes
    before, and then counts, or finds it cancelled: both write to the same version of the ledger. An offer of pictures
    whose answer is not known is closed unused, or TikTok has pulled from it and the post can no longer be cancelled.
    """
    for _ in range(CHANGE_TRIES):
        post = get_post(ports, workspace_id, post_id)
        if post.status is Status.CANCELLED:
            return post
        if post.terminal:
            raise WrongStatus(*_TOO_LATE[post.status])
        try:
            post = settle_carousel(ports, post)
            if not post.untouched:
                raise WrongStatus(*_TAKEN)
            cancelled = end_post(ports, cancel(post, ports.clock.now()))
        except Busy:
            continue
        let_go(ports, post)
        return cancelled
    raise Busy("The post is being moved by its execution.", "Try again in a moment, or look at the post.")


def let_go(ports: Ports, post: Post) -> None:
    """Take back what would start a post, as it was before it ended; what is left finds it ended, or lapses."""
    planned = post.planned_at
    with suppress(TryAgain):
        if planned is not None:
            ports.schedules.remove(post.post_id, planned)
    with suppress(TryAgain):
        leave_line(ports, post)
