"""Captions, privacy, interactions, labels and the consent statement."""

import pytest

from publisher.domain.rules import (
    consent,
    draft_warnings,
    is_id,
    label,
    media_problems,
    privacy_problems,
    settle_interactions,
    text_advice,
    text_problems,
)
from tests.builders import a_creator, options

OFFERED = ("PUBLIC_TO_EVERYONE", "SELF_ONLY")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("", True),
        ("a" * 2200, True),
        ("a" * 2201, False),
        ("🐇" * 1100, True),
        ("🐇" * 1100 + "a", False),
        ("é" * 2200, True),
        ("e\u0301" * 1101, False),
        ("👩‍👩‍👧‍👦" * 200, True),
        ("👩‍👩‍👧‍👦" * 201, False),
    ],
)
def test_a_caption_is_counted_in_utf16_units(text, fits):
    assert (text_problems(text) == []) is fits


def test_a_caption_too_long_says_by_how_much():
    (problem,) = text_problems("🐇" * 1101)
    assert (problem.code, problem.field) == ("TextTooLong", "post.content.text")
    assert "2202 UTF-16 units" in problem.error
    assert "by 2;" in problem.message


@pytest.mark.parametrize(
    ("urls", "code"),
    [
        ((), "MediaRequired"),
        (("https://media.example/a.mp4", "https://media.example/b.mp4"), "InvalidRequest"),
        (("ftp://media.example/a.mp4",), "InvalidMediaUrl"),
        (("http://192.168.0.1/a.mp4",), "InvalidMediaUrl"),
        (("http://169.254.169.254/latest/meta-data",), "InvalidMediaUrl"),
        (("",), "InvalidMediaUrl"),
    ],
)
def test_media_that_can_never_be_published_is_refused(urls, code):
    (problem,) = media_problems(urls, ())
    assert (problem.code, problem.field) == (code, "post.content.mediaUrls")


def test_media_of_a_trusted_origin_is_taken():
    assert media_problems(("http://127.0.0.1:9000/film.mp4",), ("http://127.0.0.1:9000",)) == []


@pytest.mark.parametrize(
    ("given", "branded", "code", "words"),
    [
        ("PUBLIC_TO_EVERYONE", False, None, ""),
        ("PUBLIC_TO_EVERYONE", True, None, ""),
        ("SELF_ONLY", False, None, ""),
        (None, False, "MissingParameter", "privacyLevel is missing"),
        ("public", False, "InvalidRequest", "not one of TikTok's"),
        ("MUTUAL_FOLLOW_FRIENDS", False, "InvalidRequest", "cannot choose MUTUAL_FOLLOW_FRIENDS"),
        ("SELF_ONLY", True, "InvalidRequest", "Branded content visibility cannot be set to private"),
    ],
)
def test_who_may_watch_is_chosen_from_the_live_options(given, branded, code, words):
    problems = privacy_problems(options(privacy_level=None, brand_content=branded), given, OFFERED)
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(words in problem.error and problem.field == "post.tiktokOptions.privacyLevel" for problem in problems)


@pytest.mark.parametrize("given", [None, "MUTUAL_FOLLOW_FRIENDS", "public"])
def test_a_refused_choice_names_the_live_options(given):
    (problem,) = privacy_problems(options(), given, OFFERED)
    assert "PUBLIC_TO_EVERYONE, SELF_ONLY" in problem.message
    assert "FOLLOWER_OF_CREATOR" not in problem.message


def test_the_branded_refusal_is_literal():
    (problem,) = privacy_problems(options(brand_content=True), "SELF_ONLY", OFFERED)
    assert problem.error == "Branded content visibility cannot be set to private"


def test_a_draft_needs_no_privacy_level():
    assert privacy_problems(options(draft=True, privacy_level=None), None, None) == []


@pytest.mark.parametrize(
    ("post_options", "text", "warned"),
    [
        (options(draft=True, privacy_level=None), "", 0),
        (options(draft=True, privacy_level=None), "caption", 1),
        (options(draft=True), "", 1),
        (options(draft=True, privacy_level=None, allow_duet=True), "", 1),
        (options(), "caption", 0),
    ],
)
def test_a_draft_says_what_it_cannot_take_along(post_options, text, warned):
    assert len(draft_warnings(post_options, text)) == warned


def test_what_the_creator_has_switched_off_goes_out_off_with_a_warning():
    wanted = options(allow_comment=True, allow_duet=True, allow_stitch=True)
    settled, warnings = settle_interactions(wanted, a_creator(comment_disabled=True, stitch_disabled=True))
    assert (settled.allow_comment, settled.allow_duet, settled.allow_stitch) == (False, True, False)
    assert ["comment" in warnings[0], "stitch" in warnings[1], len(warnings)] == [True, True, 2]


def test_what_nobody_wanted_is_off_without_a_warning():
    creator = a_creator(comment_disabled=True, duet_disabled=True, stitch_disabled=True)
    assert settle_interactions(options(), creator) == (options(), [])


@pytest.mark.parametrize(("tags", "warned"), [(0, 1), (2, 1), (3, 0), (5, 0), (6, 1)])
def test_other_than_three_to_five_hashtags_are_advised_against(tags, warned):
    assert len(text_advice(" ".join(f"#tag{number}" for number in range(tags)))) == warned


MUSIC, BRANDED = "Music Usage Confirmation", "Branded Content Policy"


@pytest.mark.parametrize(
    ("brand_content", "brand_organic", "said", "documents"),
    [
        (False, False, None, [MUSIC]),
        (False, True, "Promotional content", [MUSIC]),
        (True, False, "Paid partnership", [BRANDED, MUSIC]),
        (True, True, "Paid partnership", [BRANDED, MUSIC]),
    ],
)
def test_label_and_consent_follow_the_two_brand_choices(brand_content, brand_organic, said, documents):
    chosen = options(brand_content=brand_content, brand_organic=brand_organic)
    assert label(chosen) == said
    assert [link.title for link in consent(chosen).links] == documents
    assert all(document in consent(chosen).statement for document in documents)
    assert all(link.url.startswith("https://www.tiktok.com/") for link in consent(chosen).links)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11", True),
        ("9E1F9C1C-58E8-4B0C-9D0B-6A1F8C9F1F11", False),
        ("9e1f9c1c58e84b0c9d0b6a1f8c9f1f11", False),
        ("9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11\n", False),
        ("", False),
        ("x" * 5000, False),
    ],
)
def test_only_a_uuid_is_an_id(text, form):
    assert is_id(text) is form
