"""State transitions of a publication by the size of its video: the real steps, the real machine, and a fake clock."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from publisher.domain.chunks import plan_chunks
from publisher.domain.posts import Status
from publisher.ports import ChunkAnswer, Reader, Source, StoredMedia
from tests.bench.report import Row
from tests.builders import MIB
from tests.fakes import FakeMediaStore, FakePorts
from tests.workflow.engine import Engine, engine
from tests.workflow.real_steps import FILM, URL, Publication

SIZES = {"10 MiB": 10 * MIB, "4 GiB": 4096 * MIB}
MOST = 14
BYTES_A_SECOND = 20 * 10**6
"""How fast the network is to storage and to TikTok; the clock moves with it."""


class Zeros:
    """A film that is zeros after its head; costs no memory."""

    head = FILM

    def __init__(self, size: int) -> None:
        self.size: int | None = size
        self._left = size

    def readinto(self, buffer: memoryview) -> int:
        got = min(len(buffer), self._left)
        self._left -= got
        return got


class ZeroStore(FakeMediaStore):
    """A bucket that remembers sizes alone."""

    def store(self, key: str, source: Source, content_type: str, progress: Callable[[int], None]) -> StoredMedia:
        size, piece = 0, memoryview(bytearray(64 * MIB))
        while got := source.readinto(piece):
            size += got
            progress(size)
        return StoredMedia(key=key, etag="zeros", size=size)

    @contextmanager
    def read(self, media: StoredMedia, first: int) -> Iterator[Reader]:
        yield Zeros(media.size - first)

    @contextmanager
    def seekable(self, media: StoredMedia) -> Iterator[BinaryIO]:
        yield io.BytesIO(FILM)


def run() -> list[Row]:
    """Publish each size; the baseline is a machine that enters a task and a choice for every chunk."""
    logging.disable(logging.INFO)
    try:
        with engine() as machine:
            taken = {name: _transitions(machine, size) for name, size in SIZES.items()}
    finally:
        logging.disable(logging.NOTSET)
    equal = len(set(taken.values())) == 1
    floor = f"at most {MOST}, the same for each size"
    return [
        Row(f"transitions, {name}", count, _one_a_chunk(count, SIZES[name]), "states", floor, equal and count <= MOST)
        for name, count in taken.items()
    ]


def _transitions(machine: Engine, size: int) -> int:
    ports = FakePorts(media=ZeroStore())
    ports.fetcher.media[URL] = Zeros(size)
    put_chunk = ports.tiktok.put_chunk

    def put_at_speed(*arguments: object, **chunk: memoryview) -> ChunkAnswer:
        ports.clock.sleep(len(chunk["data"]) / BYTES_A_SECOND)
        return put_chunk(*arguments, **chunk)  # type: ignore[arg-type]

    ports.tiktok.put_chunk = put_at_speed  # type: ignore[assignment]
    publication = Publication(machine, ports)
    execution = publication.run()
    if publication.post.status is not Status.PUBLISH_COMPLETE:
        raise RuntimeError(f"the post became {publication.post.status}: {publication.post.failure}")
    return execution.transitions


def _one_a_chunk(ours: int, size: int) -> int:
    return ours + 2 * (plan_chunks(size).total_chunk_count - 1)
