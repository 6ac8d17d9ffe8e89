"""Tell which post of ours a video is."""

from publisher.ports import Ports


def post_of_video(ports: Ports, account_id: str, video_id: str) -> str | None:
    """Return the id of the account's post that TikTok shows as this video; None when it was made elsewhere."""
    post_id = ports.posts.of_video(video_id)
    post = None if post_id is None else ports.posts.get(post_id)
    return post.post_id if post and post.account_id == account_id and video_id in post.post_ids else None
