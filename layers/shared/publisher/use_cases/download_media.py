"""Step DownloadMedia: copy the customer's media to S3 and look at it, before anything is opened at TikTok."""

import uuid

from publisher.domain.errors import Busy, InvalidMediaType
from publisher.domain.limits import VIDEO_BYTES, VIDEO_SECONDS_MAX
from publisher.domain.media import check_video
from publisher.domain.posts import Media, Post, begin_download, downloaded, downloading
from publisher.domain.sniffing import sniff
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft, StoredMedia
from publisher.use_cases.load_post import load_post


def download_media(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Record one copy of the media; a post that has one keeps it.

    MediaDownloadFailed, MediaTooLarge and InvalidMediaType end the post. A copy that is certainly not recorded is
    deleted; one that may be is left to the bucket's lifecycle.
    """
    post = load_post(ports, request.post_id)
    if not post.terminal and post.media is None:
        post = ports.posts.save(begin_download(post, ports.clock.now()))
        _record(ports, post)
    return StepOutput(next="UploadChunks")


def _record(ports: Ports, post: Post) -> None:
    stored, content_type, post = _store(ports, post)
    try:
        with ports.media.seekable(stored) as file:
            facts = ports.prober(file, stored.size)
        longest = VIDEO_SECONDS_MAX if post.options.draft else post.longest_seconds
        check_video(facts, longest_seconds=int(longest))
    except Exception:
        ports.media.delete(stored.key)
        raise
    media = Media(key=stored.key, etag=stored.etag, size=stored.size, content_type=content_type, facts=facts)
    try:
        ports.posts.save(downloaded(post, media, ports.clock.now()))
    except Busy:  # after any other error the write may have been done, and the ledger may name this copy
        ports.media.delete(stored.key)
        raise


def _store(ports: Ports, post: Post) -> tuple[StoredMedia, str, Post]:
    """Stream the URL into an object of its own, so that two workers never write the same one."""
    key = f"staging/{post.post_id}/{uuid.uuid4().hex}"

    with ports.fetcher.open(post.media_urls[0], max_bytes=int(VIDEO_BYTES)) as source:

        def progress(stored_bytes: int) -> None:
            nonlocal post
            post = ports.posts.save(downloading(post, stored_bytes, source.size, ports.clock.now()))

        kind = sniff(source.head)
        if kind is None or not kind.is_video:
            raise InvalidMediaType(
                f"The media URL does not hold a video{f' but {kind}' if kind else ''}.",
                "Give the URL of an MP4, MOV or WebM file itself, not of a page that shows it.",
                field="post.content.mediaUrls",
            )
        return ports.media.store(key, source, kind, progress), kind, post
