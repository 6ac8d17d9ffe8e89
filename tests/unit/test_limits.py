"""Every number says what it counts, what it is for, and who says so."""

import re

import pytest

from publisher.domain import limits
from publisher.domain.limits import GIB, MIB, Limit

PLAIN = {"KIB", "MIB", "GIB"}
NAMED = {
    name: value
    for name, value in vars(limits).items()
    if name.isupper() and not name.startswith("_") and name not in PLAIN
}
ALL = [limit for value in NAMED.values() for limit in (value if isinstance(value, tuple) else (value,))]


def test_every_number_is_a_limit():
    assert NAMED
    assert [value for value in ALL if not isinstance(value, Limit)] == []


@pytest.mark.parametrize("name", NAMED)
def test_a_number_has_unit_meaning_and_source(name):
    for limit in NAMED[name] if isinstance(NAMED[name], tuple) else (NAMED[name],):
        assert limit > 0
        assert all(text.strip() and text == text.strip() for text in (limit.unit, limit.meaning, limit.source))
        assert limit.source.startswith(("TikTok", "AWS", "product", "the documented API"))


@pytest.mark.parametrize("name", NAMED)
def test_a_number_of_tiktoks_says_how_sure_it_is(name):
    for limit in NAMED[name] if isinstance(NAMED[name], tuple) else (NAMED[name],):
        sure = re.search(r"documented|observed|inferred", limit.source)
        assert sure or not limit.source.startswith("TikTok")


def test_a_limit_is_a_number_everywhere():
    assert (limits.CHUNK_BYTES, limits.VIDEO_BYTES, limits.CHUNK_BYTES * 2) == (10 * MIB, 4 * GIB, 20 * MIB)
    assert f"{limits.CAPTION_UNITS:,}" == "2,200"


def test_the_products_numbers_are_the_products():
    assert (limits.WAIT_SECONDS, limits.CAPTION_UNITS, limits.REVIEW_SECONDS, limits.IDEMPOTENCY_DAYS) == (
        25,
        2200,
        1800,
        7,
    )
    assert limits.POLL_SECONDS == (5, 5, 10, 20, 40, 60, 300)


def test_times_fit_into_each_other():
    """A lease outlives the call it covers, and a request is in flight no shorter than its function lives."""
    call = limits.TIKTOK_CONNECT_SECONDS + limits.TIKTOK_ANSWER_SECONDS
    assert call < limits.REFRESH_LEASE_SECONDS
    assert call < limits.REFRESH_MIN_FUNCTION_SECONDS
    assert limits.IN_FLIGHT_SECONDS > limits.WAIT_SECONDS
    assert limits.UPLOAD_LEASE_SECONDS > limits.CHUNK_ANSWER_SECONDS
    assert limits.YIELD_SECONDS >= limits.CHUNK_ANSWER_SECONDS


def test_pictures_stay_where_tiktok_pulls_them_for_as_long_as_it_may():
    assert limits.REVIEW_SECONDS < limits.PHOTO_HOST_SECONDS <= limits.MEDIA_DAYS * 86_400


def test_tiktoks_numbers_of_photos_and_drafts_are_tiktoks():
    assert (limits.PICTURES, limits.PHOTO_TITLE_UNITS, limits.POST_WINDOW_SECONDS) == (35, 90, 86_400)
    assert limits.DRAFT_SECONDS == 7 * 86_400
