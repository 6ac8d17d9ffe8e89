"""Chunk plans that every reading of TikTok's rules accepts."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.domain.chunks import plan_chunks

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("size", "chunk_size", "count", "last"),
    [
        (1, 1, 1, 1),
        (5 * MIB - 1, 5 * MIB - 1, 1, 5 * MIB - 1),
        (5 * MIB, 5 * MIB, 1, 5 * MIB),
        (8_000_000, 8_000_000, 1, 8_000_000),
        (10 * MIB, 10 * MIB, 1, 10 * MIB),
        (10 * MIB + 1, 10 * MIB + 1, 1, 10 * MIB + 1),
        (20 * MIB - 1, 20 * MIB - 1, 1, 20 * MIB - 1),
        (20 * MIB, 10 * MIB, 2, 10 * MIB),
        (29_957_059, 10 * MIB, 2, 19_471_299),
        (64 * MIB + 1, 10 * MIB, 6, 14_680_065),
        (4 * GIB, 10 * MIB, 409, 16 * MIB),
    ],
)
def test_named_sizes_are_cut_as_the_product_says(size, chunk_size, count, last):
    plan = plan_chunks(size)
    assert (plan.video_size, plan.chunk_size, plan.total_chunk_count) == (size, chunk_size, count)
    assert plan.chunk_at((count - 1) * chunk_size).size == last


def test_the_documented_example_is_cut_at_the_documented_bytes():
    plan = plan_chunks(29_957_059)
    first, second = plan.chunk_at(0), plan.chunk_at(10_485_760)
    assert (first.first, first.last, second.first, second.last) == (0, 10_485_759, 10_485_760, 29_957_058)


@settings(max_examples=2000)
@given(st.integers(min_value=1, max_value=4 * GIB))
@example(7 * MIB)
def test_every_size_is_accepted_whether_a_megabyte_is_decimal_or_binary(size):
    plan = plan_chunks(size)
    for megabyte in (1_000_000, MIB):
        if plan.total_chunk_count == 1:
            assert plan.chunk_size == size <= 64 * megabyte
        else:
            assert 5 * megabyte <= plan.chunk_size <= 64 * megabyte
        last = size - (plan.total_chunk_count - 1) * plan.chunk_size
        assert 0 < last <= 128 * megabyte
    assert plan.total_chunk_count == size // plan.chunk_size
    assert 1 <= plan.total_chunk_count <= 1000


@settings(max_examples=300)
@given(st.integers(min_value=1, max_value=4 * GIB))
def test_chunks_cover_every_byte_once_and_in_order(size):
    plan, first, chunks = plan_chunks(size), 0, []
    while first < size:
        chunks.append(plan.chunk_at(first))
        first = chunks[-1].last + 1
    assert first == size
    assert len(chunks) == plan.total_chunk_count
    assert [chunk.is_last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


@settings(max_examples=300)
@given(st.integers(min_value=1, max_value=4 * GIB), st.data())
def test_a_count_that_is_off_by_one_leads_to_the_same_chunk(size, data):
    plan = plan_chunks(size)
    number = data.draw(st.integers(min_value=0, max_value=plan.total_chunk_count))
    boundary = size if number == plan.total_chunk_count else number * plan.chunk_size
    assert plan.boundary(boundary) == boundary
    assert plan.boundary(max(0, boundary - 1)) == boundary or boundary == size == 1


@pytest.mark.parametrize("size", [0, -1, 4 * GIB + 1])
def test_a_size_that_no_video_has_is_refused(size):
    with pytest.raises(ValueError, match="a video has"):
        plan_chunks(size)


@pytest.mark.parametrize("first", [1, 10 * MIB - 1, 20 * MIB, -10 * MIB])
def test_no_chunk_begins_between_boundaries(first):
    with pytest.raises(ValueError, match="no chunk begins"):
        plan_chunks(20 * MIB).chunk_at(first)
