"""Chunk plans: which the server takes and how it words a refusal."""

import pytest

from local.tiktok.answers import RefusedError
from local.tiktok.settings import Settings
from local.tiktok.sources import check_plan

MIB = 1024 * 1024
SIZE, COUNT = "The chunk size is invalid", "The total chunk count is invalid"


def verdict(size, chunk, count, **settings):
    try:
        check_plan(size, chunk, count, Settings(**settings))
    except RefusedError as refusal:
        return refusal.message if (refusal.status, refusal.code) == (400, "invalid_params") else refusal
    return "ok"


def fixed(size):
    """10 MiB chunks for everything from 5 MiB up: as the brief had it."""
    return (size, 1) if size < 5 * MIB else (10 * MIB, size // (10 * MIB))


def plan_a(size):
    return (size, 1) if size < 20 * MIB else (10 * MIB, size // (10 * MIB))


def plan_b(size):
    if size <= 64_000_000:
        return size, 1
    count = -(-size // 64_000_000)
    return size // count, size // (size // count)


SIZES = [
    1,
    5_242_879,
    5_242_880,
    8_000_000,
    10_485_759,
    10_485_760,
    10_485_761,
    20_971_519,
    20_971_520,
    31_457_281,
    50_000_123,
    64_000_001,
    67_108_865,
    77_360_899,
    158_008_374,
    1_000_000_000,
    4_000_000_000,
]


@pytest.mark.parametrize("mb", ["binary", "decimal"])
@pytest.mark.parametrize("size", SIZES)
def test_both_safe_plans_are_taken_under_both_readings_of_a_megabyte(size, mb):
    assert verdict(size, *plan_a(size), mb=mb) == "ok"
    assert verdict(size, *plan_b(size), mb=mb) == "ok"


def test_four_gib_is_the_largest_file_and_four_gb_under_the_decimal_reading():
    assert verdict(4_294_967_296, *plan_a(4_294_967_296)) == "ok"
    assert verdict(4_294_967_297, *plan_a(4_294_967_297)) == "The video size is invalid"
    assert verdict(4_000_000_001, *plan_a(4_000_000_001), mb="decimal") == "The video size is invalid"


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (5_242_879, "ok"),
        (5_242_880, SIZE),
        (8_000_000, SIZE),
        (10_485_759, SIZE),
        (10_485_760, "ok"),
        (10_485_761, SIZE),
        (20_971_519, SIZE),
        (20_971_520, "ok"),
        (158_008_374, "ok"),
    ],
)
def test_the_fixed_plan_is_refused_where_its_chunk_is_larger_or_alone_but_smaller(size, expected):
    chunk, count = fixed(size)
    assert verdict(size, chunk, max(count, 1)) == expected


@pytest.mark.parametrize(
    ("size", "chunk", "count", "expected", "legacy"),
    [
        (83_690_000, 64_000_000, 1, SIZE, "ok"),
        (66_260_000, 64_000_000, 1, SIZE, "ok"),
        (121_000_000, 64 * MIB, 1, SIZE, "ok"),
        (126_000_000, 126_000_000, 1, SIZE, SIZE),
        (65_000_000, 60_000_000, 2, COUNT, COUNT),
        (65_000_000, 32_500_000, 2, "ok", "ok"),
        (158_008_374, 5_242_880, 30, "ok", "ok"),
        (10_485_761, 10_485_760, 1, SIZE, "ok"),
    ],
)
def test_the_reported_cases_before_and_since_august_2026(size, chunk, count, expected, legacy):
    assert verdict(size, chunk, count) == expected
    assert verdict(size, chunk, count, chunk_rules="legacy") == legacy


@pytest.mark.parametrize(
    ("size", "chunk", "count", "expected"),
    [
        (1000, 1001, 1, SIZE),
        (64 * MIB, 64 * MIB, 1, "ok"),
        (64 * MIB + 1, 64 * MIB + 1, 1, SIZE),
        (20 * MIB, 5 * MIB, 4, "ok"),
        (20 * MIB, 5 * MIB - 1, 4, SIZE),
        (20 * MIB, 10 * MIB, 1, COUNT),
        (20 * MIB, 10 * MIB, 3, COUNT),
        (1000 * 4_000_000, 4_000_000, 1000, SIZE),
    ],
)
def test_each_bound_holds_to_the_byte(size, chunk, count, expected):
    assert verdict(size, chunk, count) == expected


@pytest.mark.parametrize(("chunk", "binary", "decimal"), [(5_000_000, SIZE, "ok"), (64 * MIB, "ok", SIZE)])
def test_the_megabyte_can_be_decimal(chunk, binary, decimal):
    assert verdict(2 * chunk, chunk, 2) == binary
    assert verdict(2 * chunk, chunk, 2, mb="decimal") == decimal


def test_a_refused_plan_is_told_in_the_envelope(tiktok):
    plan = {"source": "FILE_UPLOAD", "video_size": 10_485_761, "chunk_size": 10_485_760, "total_chunk_count": 1}
    answer = tiktok.init(tiktok.token(), source_info=plan)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert answer.json() == {"error": {"code": "invalid_params", "message": SIZE, "log_id": error["log_id"]}}
    tiktok.settings(chunk_rules="legacy")
    assert tiktok.init(tiktok.token(), source_info=plan).status_code == 200
