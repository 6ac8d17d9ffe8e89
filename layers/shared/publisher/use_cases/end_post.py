"""Store a post's outcome, and tell it to those who listen."""

from contextlib import suppress

from publisher.domain.errors import TryAgain
from publisher.domain.posts import Post, notified
from publisher.ports import Ports
from publisher.use_cases.tell_endpoints import tell_of_post


def end_post(ports: Ports, post: Post) -> Post:
    """Store a post that has ended, and begin to tell the workspace's endpoints; return it as it is stored.

    That they are to be told is written with the outcome, so the sweep makes up for whoever dies before they are. The
    outcome is stored whatever is wrong with telling it. A workspace without endpoints costs one question.
    """
    if _nobody_listens(ports, post.workspace_id):
        return ports.posts.save(notified(post, ports.clock.now()))
    post = ports.posts.save(post)
    with suppress(TryAgain):
        return tell_of_post(ports, post)
    return post


def _nobody_listens(ports: Ports, workspace_id: str) -> bool:
    """Tell whether the workspace certainly has no endpoint."""
    with suppress(TryAgain):
        return not ports.endpoints.of_workspace(workspace_id)
    return False
