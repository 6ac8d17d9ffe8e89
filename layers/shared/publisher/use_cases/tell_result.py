"""Write what became of a dropped file beside it."""

import json

from publisher.api import PostDetail
from publisher.domain.posts import Post, told
from publisher.ports import Ports


def tell_result(ports: Ports, post: Post) -> Post:
    """Write a post's answer beside its file and record that. Safe to repeat: the same is written again."""
    if post.drop is None:
        raise AssertionError("the post was not dropped")
    result = PostDetail.of(post).model_dump(mode="json", by_alias=True)
    if post.drop.note is not None:
        result["note"] = post.drop.note
    ports.drops.write(post.drop.result_key, json.dumps(result, indent=2) + "\n")
    return ports.posts.save(told(post, post.status, ports.clock.now()))
