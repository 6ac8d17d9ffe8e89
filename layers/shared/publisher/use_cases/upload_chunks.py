"""Step UploadChunks: send the media in TikTok's order, remembering every chunk."""

import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from publisher.domain.chunks import Chunk, ChunkPlan
from publisher.domain.errors import PublishingFailed, ServiceUnavailable, TryAgain, UploadExpired
from publisher.domain.limits import YIELD_SECONDS
from publisher.domain.posts import (
    PUBLISHED,
    Media,
    Post,
    Upload,
    acknowledged,
    offer_last,
    poll_wait,
    release,
    take_lease,
    upload_closed,
    upload_expired,
)
from publisher.messages import StepInput, StepOutput
from publisher.ports import ChunkAnswer, Ports, Reader, SecondsLeft, StoredMedia
from publisher.use_cases.initialize_post import upload_context
from publisher.use_cases.load_post import load_post


def upload_chunks(request: StepInput, ports: Ports, seconds_left: SecondsLeft) -> StepOutput:
    """Send chunks until all are in or the function's time is nearly up; then it is entered again.

    UploadExpired when TikTok closed the upload before the last byte was offered: then a new upload is safe. After
    that only TikTok's status decides, so the machine goes on to ask.
    """
    post = load_post(ports, request.post_id)
    if post.terminal:
        return StepOutput(next="RecordPublished" if post.status in PUBLISHED else "RecordFailure")
    if post.all_sent:
        return _ask_tiktok()
    upload, media = post.upload, post.media
    if upload is None or media is None or (upload_expired(post, ports.clock.now()) and not post.last_offered):
        raise _expired()
    post = ports.posts.save(take_lease(post, uuid.uuid4().hex, ports.clock.now()))
    sender = _Sender(ports, post, upload, media)
    try:
        finished = sender.run(seconds_left)
    finally:
        sender.release()
    return _ask_tiktok() if finished else StepOutput(next="UploadChunks")


def _ask_tiktok() -> StepOutput:
    return StepOutput(next="WaitForTikTok", wait_seconds=poll_wait(0))


def _expired() -> UploadExpired:
    return UploadExpired("TikTok closed the upload before its last byte.", "Nothing to do: another is opened.")


class _Sender:
    """Sends one post's chunks; `post` is always as last stored."""

    def __init__(self, ports: Ports, post: Post, upload: Upload, media: Media) -> None:
        self.ports, self.post, self.upload, self.media = ports, post, upload, media
        self.url: SecretStr = ports.vault.unseal(upload.sealed_url, upload_context(post))

    def run(self, seconds_left: SecondsLeft) -> bool:
        """Send from the next byte on; True when nothing is left to send, False when the time is nearly up."""
        while self.post.next_byte < self.media.size:
            first = self.post.next_byte
            stored = StoredMedia(key=self.media.key, etag=self.media.etag, size=self.media.size)
            with self.ports.media.read(stored, first) as reader, _ReadAhead(reader, self.upload.plan, first) as chunks:
                # Ends early when TikTok wants another byte than ours: then the stream is opened again from there.
                while self.post.next_byte < self.media.size:
                    if seconds_left() < YIELD_SECONDS:
                        return False
                    chunk, data = chunks.take()
                    answer = self._send(chunk, data)
                    if answer.kind == "gone":
                        if self.post.last_offered:
                            return True
                        self.post = self.ports.posts.save(upload_closed(self.post, self.ports.clock.now()))
                        raise _expired()
                    if not self._advance(chunk, answer):
                        break
        return True

    def release(self) -> None:
        """Give the lease back; should that fail, it runs out by itself."""
        try:
            self.post = self.ports.posts.save(release(self.post, self.ports.clock.now()))
        except TryAgain:
            return

    def _send(self, chunk: Chunk, data: memoryview) -> ChunkAnswer:
        if chunk.is_last and not self.post.last_offered:
            self.post = self.ports.posts.save(offer_last(self.post, self.ports.clock.now()))
        return self.ports.tiktok.put_chunk(
            self.url, chunk=chunk, total=self.media.size, content_type=self.media.content_type, data=data
        )

    def _advance(self, chunk: Chunk, answer: ChunkAnswer) -> bool:
        """Store how far TikTok is; True when the next chunk in the stream is the one it wants."""
        following = chunk.last + 1
        if answer.kind == "out_of_order":
            if answer.received is None:
                raise ServiceUnavailable("TikTok did not say which bytes it has.", "It is asked again.")
            next_byte = self.upload.plan.boundary(answer.received)
            if next_byte == chunk.first:
                raise ServiceUnavailable("TikTok refused the very bytes it asks for.", "They are sent again.")
        elif answer.kind == "complete":
            next_byte = self.media.size
        else:
            next_byte = following
        if answer.kind == "more" and following == self.media.size:
            raise PublishingFailed("TikTok wants more bytes than the video has.", "Send the post again later.")
        self.post = self.ports.posts.save(acknowledged(self.post, next_byte, self.ports.clock.now()))
        return next_byte == following


class _ReadAhead:
    """Reads the following chunk while the present one is sent; two buffers, however large the media."""

    def __init__(self, reader: Reader, plan: ChunkPlan, first: int) -> None:
        self.reader, self.plan = reader, plan
        self.pool = ThreadPoolExecutor(max_workers=1)
        largest = plan.video_size - (plan.total_chunk_count - 1) * plan.chunk_size
        self.buffers = [bytearray(largest), bytearray(largest if plan.total_chunk_count > 1 else 0)]
        self.coming: Future[tuple[Chunk, memoryview]] | None = self.pool.submit(self._read, first)

    def take(self) -> tuple[Chunk, memoryview]:
        """Return the next chunk and its bytes, which stay as they are until the next call."""
        if self.coming is None:
            raise AssertionError("there is no chunk after the last")
        chunk, data = self.coming.result()
        self.buffers.reverse()
        self.coming = None if chunk.is_last else self.pool.submit(self._read, chunk.last + 1)
        return chunk, data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pool.shutdown(cancel_futures=True)

    def _read(self, first: int) -> tuple[Chunk, memoryview]:
        chunk = self.plan.chunk_at(first)
        data = memoryview(self.buffers[0])[: chunk.size]
        filled = self.reader.readinto(data)
        if filled != chunk.size:
            raise ServiceUnavailable("The stored media ended early.", "It is read again.")
        return chunk, data
