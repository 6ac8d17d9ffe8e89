"""Follow an event of TikTok's about a post: only TikTok's status says what happened."""

from publisher.domain.errors import PublishingFailed
from publisher.domain.limits import EVENT_DAYS, PAGE_POSTS
from publisher.domain.posts import (
    OUTCOMES,
    PUBLISHED,
    Hint,
    Post,
    Status,
    carousel_taken,
    confirm,
    finish,
    hint_followed,
    hinted,
)
from publisher.ports import Ports, PostQuery
from publisher.use_cases.check_status import ask_status
from publisher.use_cases.end_post import end_post

_OF_PICTURES = "p_"
"""What the publish_id of a photo post begins with (observed); that of an upload whose answer was lost does not."""


def follow_hint(ports: Ports, post: Post, *, seconds_left: float) -> Post:
    """Ask TikTok about a post under way before its machine does; an outcome is written at once, so that callers see it.

    The machine then finds the post ended. Before the point of no return there is nothing to ask: no outcome is due.
    """
    post = name_pictures(ports, post, seconds_left=seconds_left)
    if post.hint is None or post.lacks_id:
        return post
    if post.publish_id is None or not post.last_offered:
        return ports.posts.save(hint_followed(post, ports.clock.now()))
    said = ask_status(ports, post, post.publish_id, seconds_left=seconds_left)
    now = ports.clock.now()
    if said.status not in OUTCOMES:
        return ports.posts.save(hint_followed(post, now))
    outcome = Status(said.status)
    return end_post(ports, finish(confirm(post, outcome, said.post_ids, said.failure, now), outcome, now, said.failure))


def name_pictures(ports: Ports, post: Post, *, seconds_left: float) -> Post:
    """Give pictures that TikTok took without our hearing its answer the id of an event, if it can be theirs alone.

    TikTok has to know the id for this account, no other post may have it or be waiting for one, and of several offers
    only a publication counts, because one that was fenced before fails under an id of its own.
    """
    now = ports.clock.now()
    if post.hint is None or post.hint.publish_id is None or post.hint.due_at > now:
        return post
    publish_id, plain = post.hint.publish_id, post.model_copy(update={"hint": None})
    only = nameless(ports, post.workspace_id, post.account_id)
    if only is None or only.post_id != post.post_id or ports.posts.of_publish(publish_id) is not None:
        return ports.posts.save(hint_followed(post, now))
    try:
        said = ask_status(ports, post, publish_id, seconds_left=seconds_left)
    except PublishingFailed:  # TikTok does not know it, or it is another account's
        return ports.posts.save(hint_followed(post, now))
    if said.status not in PUBLISHED and post.opened > 1:
        return ports.posts.save(hint_followed(post, now))
    named = carousel_taken(plain, publish_id, ports.clock.now())
    return ports.posts.save(hinted(named, Hint(at=post.hint.at, withdrawn=post.hint.withdrawn)))


def may_name_pictures(publish_id: str) -> bool:
    """Tell whether TikTok gives such ids to photo posts."""
    return publish_id.startswith(_OF_PICTURES)


def nameless(ports: Ports, workspace_id: str, account_id: str) -> Post | None:
    """Return the account's post whose pictures TikTok took under an id that is not known.

    None when there is none, or when several offers wait for their id, since nobody can tell which one is meant.
    """
    since = ports.clock.now() - EVENT_DAYS * 86400
    waiting: list[Post] = []
    for status in (Status.PROCESSING_UPLOAD, Status.REVIEW):
        query = PostQuery(
            workspace_id=workspace_id, account_id=account_id, status=status, since=since, limit=int(PAGE_POSTS)
        )
        waiting += [post for post in ports.posts.find(query).posts if post.lacks_id]
    return waiting[0] if len(waiting) == 1 and waiting[0].last_offered else None
