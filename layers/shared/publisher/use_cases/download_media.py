"""Step DownloadMedia: copy the customer's media to S3 and look at it, before anything is opened at TikTok."""

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import AbstractContextManager

from publisher.domain.errors import Busy, PublisherError
from publisher.domain.limits import PICTURE_BYTES, PICTURES_AT_ONCE, VIDEO_BYTES, VIDEO_SECONDS_MAX
from publisher.domain.media import check_video, known_kind
from publisher.domain.pictures import misplaced, picture_too_large, video_among_pictures
from publisher.domain.posts import Media, Pictures, Post, begin_download, downloaded, downloading, pictures_downloaded
from publisher.domain.rules import missing_privacy, of_item
from publisher.domain.sniffing import Kind
from publisher.domain.uploads import upload_named
from publisher.messages import StepInput, StepOutput
from publisher.ports import Ports, SecondsLeft, Source, StoredMedia
from publisher.use_cases.load_post import load_post


def download_media(request: StepInput, ports: Ports, _seconds_left: SecondsLeft) -> StepOutput:
    """Record one copy of the media, whose bytes decide what kind of post it is; a post that has one keeps it.

    MediaDownloadFailed, MediaTooLarge and InvalidMediaType end the post, and MissingParameter does when a video came
    without a choice of who may watch it. A copy that is certainly not recorded is deleted; one that may be is left to
    the bucket's lifecycle.
    """
    post = load_post(ports, request.post_id)
    if not post.terminal and post.media is None and post.pictures is None:
        post = ports.posts.save(begin_download(post, ports.clock.now()))
        post = _record_one(ports, post) if len(post.media_urls) == 1 else _record_several(ports, post)
    return StepOutput(next="ConvertPhotos" if post.pictures else "InitializePost")


def _record_one(ports: Ports, post: Post) -> Post:
    """Fetch the one URL of a post: a video, or a picture."""
    # A folder of their own keeps two workers from writing the same object.
    folder = _new_folder(post)
    key = f"{folder}/1"
    with _open(ports, post, post.media_urls[0]) as source:
        kind = known_kind(source.head)
        if not kind.is_video:
            stored = _store_picture(ports, source, kind, key)
            return _record(ports, _with_pictures(ports, post, folder, [stored]), [key])
        if post.options.privacy_level is None and not post.options.draft:
            raise missing_privacy(post.privacy_options)

        def progress(stored_bytes: int) -> None:
            nonlocal post
            post = ports.posts.save(downloading(post, stored_bytes, source.size, ports.clock.now()))

        stored = ports.media.store(key, source, kind, progress)
    try:
        with ports.media.seekable(stored) as file:
            facts = ports.prober.video(file, stored.size)
        longest = VIDEO_SECONDS_MAX if post.options.draft else post.longest_seconds
        check_video(facts, longest_seconds=int(longest))
    except Exception:
        ports.media.delete([key])
        raise
    media = Media(key=key, etag=stored.etag, size=stored.size, content_type=kind, facts=facts)
    warnings = misplaced("video", post.options, post.text)
    return _record(ports, downloaded(post, media, warnings, ports.clock.now()), [key])


def _record_several(ports: Ports, post: Post) -> Post:
    """Fetch several pictures, a few at a time; of those that cannot be had the first speaks for the post."""
    folder, count = _new_folder(post), len(post.media_urls)
    keys = [f"{folder}/{number}" for number in range(1, count + 1)]
    with ThreadPoolExecutor(max_workers=int(PICTURES_AT_ONCE)) as fetchers:
        coming = [
            fetchers.submit(_fetch, ports, post, url, key) for url, key in zip(post.media_urls, keys, strict=True)
        ]
        fetched = 0
        try:
            for done in as_completed(coming):
                fetched += done.result().size
                post = ports.posts.save(downloading(post, fetched, None, ports.clock.now()))
        except Exception:
            for picture in coming:
                picture.cancel()
            wait(coming)
            ports.media.delete(keys)
            if problem := _first_problem(coming):
                raise problem from None
            raise
    stored = [picture.result() for picture in coming]
    return _record(ports, _with_pictures(ports, post, folder, stored), keys)


def _first_problem(coming: Sequence[Future[StoredMedia]]) -> PublisherError | None:
    """Return the error of the first picture that could not be had, saying which one it is."""
    for number, picture in enumerate(coming, start=1):
        problem = None if picture.cancelled() else picture.exception()
        if isinstance(problem, PublisherError):
            return of_item(problem, number, len(coming))
    return None


def _fetch(ports: Ports, post: Post, url: str, key: str) -> StoredMedia:
    with _open(ports, post, url) as source:
        kind = known_kind(source.head)
        if kind.is_video:
            raise video_among_pictures()
        return _store_picture(ports, source, kind, key)


def _open(ports: Ports, post: Post, url: str) -> AbstractContextManager[Source]:
    """Begin to read media where it lies.

    That is in the drop bucket, which no caller can name; among the uploads of the post's own workspace, whatever host
    the address has; or at a caller's address.
    """
    most = int(VIDEO_BYTES)
    if url.startswith("s3://"):
        return ports.drops.open(url, max_bytes=most)
    upload = upload_named(url)
    if upload is not None:
        return ports.uploads.open(post.workspace_id, upload, max_bytes=most)
    return ports.fetcher.open(url, max_bytes=most)


def _store_picture(ports: Ports, source: Source, kind: Kind, key: str) -> StoredMedia:
    return ports.media.store(key, _Picture(source), kind, _ignore)


def _ignore(_stored_bytes: int) -> None:
    """Pictures are counted one by one, when they are stored."""


class _Picture:
    """A source that ends with an error where a picture would be too large to be converted."""

    def __init__(self, source: Source) -> None:
        self.size, self.head = source.size, source.head
        self._source = source
        self._left = int(PICTURE_BYTES)
        if self.size is not None:
            self._check(self.size)

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the picture ends before."""
        filled = self._source.readinto(buffer)
        self._check(filled)
        self._left -= filled
        return filled

    def _check(self, coming: int) -> None:
        if coming > self._left:
            raise picture_too_large()


def _new_folder(post: Post) -> str:
    return f"staging/{post.post_id}/{uuid.uuid4().hex}"


def _with_pictures(ports: Ports, post: Post, folder: str, stored: Sequence[StoredMedia]) -> Post:
    pictures = Pictures(folder=folder, count=len(stored), size=sum(picture.size for picture in stored))
    # Of several the kind was known when the post came in, and its warnings were given then.
    warnings = misplaced("photo", post.options, post.text) if len(post.media_urls) == 1 else []
    return pictures_downloaded(post, pictures, warnings, ports.clock.now())


def _record(ports: Ports, post: Post, keys: Sequence[str]) -> Post:
    try:
        return ports.posts.save(post)
    except Busy:  # after any other error the write may have been done, and the ledger may name this copy
        ports.media.delete(keys)
        raise
