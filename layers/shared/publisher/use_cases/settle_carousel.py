"""Find out whether pictures were taken whose init got no answer."""

from publisher.domain.posts import Post, carousel_fenced, carousel_taken
from publisher.ports import Ports


def settle_carousel(ports: Ports, post: Post) -> Post:
    """Close the address of an init in doubt, so that it can never publish, unless TikTok has pulled from it.

    Then it counts as taken, and only TikTok's word decides; a post that is not in doubt stays as it is.
    """
    if post.carousel is None or not post.in_doubt:
        return post
    fenced = ports.photo_host.fence(post.carousel.prefix)
    now = ports.clock.now()
    return ports.posts.save(carousel_fenced(post, now) if fenced else carousel_taken(post, None, now))
