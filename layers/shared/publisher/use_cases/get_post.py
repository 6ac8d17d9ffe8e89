"""Show one post."""

from publisher.domain.errors import NotFound
from publisher.domain.posts import Post
from publisher.domain.rules import is_id
from publisher.ports import Ports


def get_post(ports: Ports, workspace_id: str, post_id: str) -> Post:
    """Return a post of the workspace; NotFound for another workspace's as for none."""
    post = ports.posts.get(post_id) if is_id(post_id) else None
    if post is None or post.workspace_id != workspace_id:
        raise NotFound("There is no such post in this workspace.", "Check the postSubmissionId.")
    return post
