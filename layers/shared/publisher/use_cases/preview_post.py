"""Find out what would become of a post, without storing anything."""

from publisher.api import read_create_post
from publisher.domain.accounts import Creator
from publisher.domain.posts import Post, Status, wait_for_turn
from publisher.domain.slots import Usage
from publisher.ports import Ports
from publisher.use_cases.check_post import check_post
from publisher.use_cases.take_turn import preview_line


def preview_post(
    ports: Ports,
    workspace_id: str,
    body: object,
    *,
    seconds_left: float,
    creators: dict[str, Creator],
    usages: dict[str, Usage],
) -> Post:
    """Return the post that a body of POST /v2/posts would make now, waiting for its turn if it would.

    Raises what `create_post` raises. `creators` and `usages` hold what was asked before for this request, and are
    added to.
    """
    read, problems = read_create_post(body)
    post = check_post(ports, workspace_id, read, problems, seconds_left=seconds_left, previewed=True, creators=creators)
    if post.status is Status.QUEUED:
        line = preview_line(ports, post, usages)
        if line.waits:
            post = wait_for_turn(post, line.turn_at, ports.clock.now())
    return post
