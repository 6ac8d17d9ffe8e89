"""Show one post."""

from contextlib import suppress

from publisher.domain.errors import NotFound, TryAgain
from publisher.domain.history import Look
from publisher.domain.posts import Post
from publisher.domain.rules import is_id
from publisher.ports import Ports


def get_post(ports: Ports, workspace_id: str, post_id: str) -> Post:
    """Return a post of the workspace; NotFound for another workspace's as for none."""
    post = ports.posts.get(post_id) if is_id(post_id) else None
    if post is None or post.workspace_id != workspace_id:
        raise NotFound("There is no such post in this workspace.", "Check the postSubmissionId.")
    return post


def last_look(ports: Ports, post: Post) -> Look | None:
    """Return the figures of a post's video as they were looked at last; None when nobody has, or they cannot be read.

    A post is shown without them rather than not at all.
    """
    if post.post_ids:
        with suppress(TryAgain):
            tracks = ports.metrics.get(post.account_id).tracks
            return next((tracks[video_id].last for video_id in post.post_ids if video_id in tracks), None)
    return None
