"""Start a post whose time or turn has come."""

from publisher.domain.errors import Busy
from publisher.domain.limits import CHANGE_TRIES, SCHEDULE_EARLY_SECONDS
from publisher.domain.posts import Post, Status, begin
from publisher.ports import Ports
from publisher.use_cases.hold_post import look_after_held


def start_due(ports: Ports, post_id: str) -> None:
    """Start a post once, however often its schedule fires; Busy when others were always faster.

    A schedule that fires for a post that was cancelled, moved to a later time or started means nothing. TryAgain when
    the execution could not be started: the schedule's event is then run again, and the sweep is the last to make up.
    """
    for _ in range(CHANGE_TRIES):
        post = ports.posts.get(post_id)
        now = ports.clock.now()
        if post is None or post.terminal or _early(post, now):
            return
        try:
            if post.status is Status.SCHEDULED:
                ports.executions.start(ports.posts.save(begin(post, now)))
            elif post.held_since is not None:
                look_after_held(ports, post)
            elif post.status is Status.QUEUED:
                ports.executions.start(post)  # whoever began it may have died before this
        except Busy:
            continue
        return
    raise Busy("Other workers are changing the post.", "It is started within a minute.")


def _early(post: Post, now: float) -> bool:
    planned = post.planned_at
    return planned is not None and planned - now > SCHEDULE_EARLY_SECONDS
