"""Continue a post that nothing moves any more."""

from publisher.domain.limits import REDRIVES
from publisher.domain.posts import execution_name, redriven
from publisher.ports import Ports
from publisher.use_cases.record_failure import end


def continue_post(ports: Ports, post_id: str, ended_execution: str | None = None) -> None:
    """Start another execution, which goes on where the ledger stands; after a few the post ends instead.

    `ended_execution` names the execution that is known to have died; one that the post has left behind means nothing.
    """
    post = ports.posts.get(post_id)
    if post is None or post.terminal:
        return
    if ended_execution is not None and ended_execution != execution_name(post):
        return
    now = ports.clock.now()
    if post.continuations >= REDRIVES:
        end(ports, post, None)
        return
    following = redriven(post, now)
    ports.executions.start(following)  # first: a start that fails must not use up a continuation
    ports.posts.save(following)
