"""Read the post that a step is about."""

from publisher.domain.errors import NotFound
from publisher.domain.posts import Post
from publisher.ports import Ports


def load_post(ports: Ports, post_id: str) -> Post:
    """Return the post as it is at this moment; NotFound when there is none."""
    post = ports.posts.get(post_id)
    if post is None:
        raise NotFound("There is no such post.", "Check the postSubmissionId.")
    return post
