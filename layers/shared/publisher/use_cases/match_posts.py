"""Find out which of an account's videos are posts of ours that TikTok gave no public id for."""

from collections.abc import Iterable

from publisher.domain.accounts import Account
from publisher.domain.errors import TryAgain
from publisher.domain.limits import DESCRIPTION_CHARACTERS, MATCH_SECONDS, PAGE_POSTS, POST_ID_SECONDS
from publisher.domain.metrics import VideoFigures
from publisher.domain.posts import Post, Status, found_post_ids
from publisher.ports import Ports, PostQuery


def match_posts(ports: Ports, account: Account, videos: Iterable[VideoFigures]) -> None:
    """Give a published post without an id that of the one video which has its caption and came at its time.

    When several posts or several videos could be meant, none is.
    """
    posts = _latest(ports, account)
    taken = {video_id for post in posts for video_id in post.post_ids}
    videos = [video for video in videos if video.video_id not in taken]
    lacking = [post for post in posts if not post.post_ids and post.post_type == "video" and not post.options.draft]
    for post in lacking:
        own = [video for video in videos if _may_be(post, video)]
        if len(own) == 1 and sum(_may_be(other, own[0]) for other in lacking) == 1:
            try:
                ports.posts.save(found_post_ids(post, (own[0].video_id,)))
            except TryAgain:
                continue  # the next collection finds it again


def _latest(ports: Ports, account: Account) -> list[Post]:
    query = PostQuery(
        workspace_id=account.workspace_id,
        account_id=account.account_id,
        status=Status.PUBLISH_COMPLETE,
        since=ports.clock.now() - 2 * POST_ID_SECONDS,
        limit=int(PAGE_POSTS),
    )
    posts: list[Post] = []
    while True:
        page = ports.posts.find(query)
        posts += page.posts
        if page.cursor is None:
            return posts
        query = query.model_copy(update={"cursor": page.cursor})


def _may_be(post: Post, video: VideoFigures) -> bool:
    sent_at = post.last_offered_at or post.created_at
    in_time = sent_at - MATCH_SECONDS <= video.created_at <= post.updated_at + MATCH_SECONDS
    return in_time and video.description.strip() == post.text[:DESCRIPTION_CHARACTERS].strip()
