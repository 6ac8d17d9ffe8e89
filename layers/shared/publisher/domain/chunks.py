"""How a video is cut for upload, so that every reading of TikTok's chunk rules accepts it."""

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import CHUNK_BYTES, VIDEO_BYTES, WHOLE_BELOW_BYTES


class Chunk(BaseModel):
    """One PUT: bytes `first` to `last`, both included and counted from 0."""

    model_config = ConfigDict(frozen=True)

    first: int
    last: int
    is_last: bool

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.last - self.first + 1


class ChunkPlan(BaseModel):
    """What TikTok is told when an upload is opened; the field names are TikTok's."""

    model_config = ConfigDict(frozen=True)

    video_size: int
    chunk_size: int
    total_chunk_count: int

    def chunk_at(self, first: int) -> Chunk:
        """Return the chunk that begins at byte `first`; ValueError when none begins there."""
        number, rest = divmod(first, self.chunk_size)
        if rest or not 0 <= number < self.total_chunk_count:
            raise ValueError(f"no chunk begins at byte {first}")
        is_last = number == self.total_chunk_count - 1
        last = self.video_size - 1 if is_last else first + self.chunk_size - 1
        return Chunk(first=first, last=last, is_last=is_last)

    def boundary(self, received: int) -> int:
        """Return where to go on when TikTok holds `received` bytes: the start of a chunk, or the size when all are in.

        TikTok's counts may be off by one (unconfirmed), so a count one short of a boundary means that boundary.
        """
        if received >= max(1, self.video_size - 1):
            return self.video_size
        number = min((received + 1) // self.chunk_size, self.total_chunk_count - 1)
        return number * self.chunk_size


def plan_chunks(video_size: int) -> ChunkPlan:
    """Cut a video of `video_size` bytes; ValueError outside 1 byte to 4 GiB.

    Below 20 MiB the video is one chunk of its own size: floor(size / 10 MiB) gives no chunk below 10 MiB, and from
    10 to 20 MiB one chunk whose size is not the video's, which TikTok refuses since August 2026 (observed).
    """
    if not 1 <= video_size <= VIDEO_BYTES:
        raise ValueError(f"a video has 1 to {VIDEO_BYTES} bytes, not {video_size}")
    if video_size < WHOLE_BELOW_BYTES:
        return ChunkPlan(video_size=video_size, chunk_size=video_size, total_chunk_count=1)
    return ChunkPlan(
        video_size=video_size, chunk_size=int(CHUNK_BYTES), total_chunk_count=video_size // int(CHUNK_BYTES)
    )
