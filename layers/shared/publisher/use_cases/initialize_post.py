"""Step InitializePost: open an upload at TikTok."""

from pydantic import SecretStr

from publisher.domain.chunks import plan_chunks
from publisher.domain.errors import PublishingFailed, RateLimitExceeded, TikTokRefused
from publisher.domain.media import check_video
from publisher.domain.posts import Post, Upload, attempt_refused, begin_attempt, upload_expired, upload_opened
from publisher.messages import StepInput, StepOutput
from publisher.ports import OpenedUpload, Ports, SecondsLeft
from publisher.use_cases.load_post import load_post
from publisher.use_cases.use_access_token import use_access_token


def initialize_post(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    """Open an upload and record it before its first byte.

    A post that has an open upload keeps it, and one whose last byte was offered never gets another. When TikTok's
    answer is lost, the next attempt opens another: nobody holds the first one's URL, so it publishes nothing.
    """
    post = load_post(ports, request.post_id)
    kept = post.upload is not None and not upload_expired(post, ports.clock.now())
    if not (post.terminal or post.last_offered or kept):
        _open(ports, post, seconds_left)
    return StepOutput(next="UploadChunks")


def _open(ports: Ports, post: Post, seconds_left: SecondsLeft) -> None:
    if post.media is None:
        raise PublishingFailed("The post has no media.", "Send the post again.")
    if not post.options.draft:
        _check_creator(ports, post, seconds_left())
    plan = plan_chunks(post.media.size)
    sealer = ports.vault.sealer(upload_context(post))  # before the call: after it only the write may be left to do

    def attempt(token: SecretStr) -> OpenedUpload:
        """Open one upload, counted before the call and no more once TikTok has certainly refused it."""
        nonlocal post
        post = ports.posts.save(begin_attempt(post, ports.clock.now()))
        try:
            return ports.tiktok.open_upload(token, text=post.text, options=post.options, plan=plan)
        except (RateLimitExceeded, TikTokRefused):
            post = ports.posts.save(attempt_refused(post, ports.clock.now()))
            raise

    opened = use_access_token(ports, post.account_id, attempt, seconds_left=seconds_left())
    upload = Upload(
        publish_id=opened.publish_id, sealed_url=sealer(opened.upload_url), plan=plan, opened_at=ports.clock.now()
    )
    ports.posts.save(upload_opened(post, upload, ports.clock.now()))


def upload_context(post: Post) -> dict[str, str]:
    """Return what a post's sealed upload URL is bound to."""
    return {"workspace": post.workspace_id, "account": post.account_id, "post": post.post_id, "field": "upload_url"}


def _check_creator(ports: Ports, post: Post, seconds_left: float) -> None:
    """Check the stored choices against the creator's options of this moment; a choice is never replaced."""
    creator = use_access_token(ports, post.account_id, ports.tiktok.creator, seconds_left=seconds_left)
    if post.options.privacy_level not in creator.privacy_level_options:
        raise PublishingFailed(
            f"The creator can no longer choose {post.options.privacy_level}.",
            f"Send the post again with one of {', '.join(creator.privacy_level_options)}.",
        )
    if post.media is not None:
        check_video(post.media.facts, longest_seconds=creator.max_video_post_duration_sec)
