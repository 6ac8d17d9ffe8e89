"""Captions, privacy, interactions, labels and the consent statement."""

import pytest

from publisher.domain.errors import MediaUnavailable, RateLimitExceeded
from publisher.domain.rules import (
    consent,
    is_id,
    label,
    media_problems,
    of_item,
    photo_problems,
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
        (("ftp://media.example/a.mp4",), "InvalidMediaUrl"),
        (("http://192.168.0.1/a.mp4",), "InvalidMediaUrl"),
        (("http://169.254.169.254/latest/meta-data",), "InvalidMediaUrl"),
        (("",), "InvalidMediaUrl"),
    ],
)
def test_media_that_can_never_be_published_is_refused(urls, code):
    (problem,) = media_problems(urls, ())
    assert (problem.code, problem.field) == (code, "post.content.mediaUrls")


@pytest.mark.parametrize(("count", "code"), [(1, None), (2, None), (35, None), (36, "InvalidRequest")])
def test_one_to_thirty_five_media_are_a_post(count, code):
    problems = media_problems([f"https://media.example/{number}.jpg" for number in range(count)], ())
    assert [(problem.code, problem.field) for problem in problems] == (
        [(code, "post.content.mediaUrls")] if code else []
    )
    assert all("36 items" in problem.error and "Leave 1 out" in problem.message for problem in problems)


def test_every_url_that_can_never_be_fetched_is_named_by_its_place():
    urls = ["https://media.example/1.jpg", "ftp://media.example/2.jpg", "https://media.example/3.jpg", ""]
    problems = media_problems(urls, ())
    assert [(problem.code, problem.field) for problem in problems] == [
        ("InvalidMediaUrl", "post.content.mediaUrls[1]"),
        ("InvalidMediaUrl", "post.content.mediaUrls[3]"),
    ]
    assert [problem.error.partition(":")[0] for problem in problems] == ["Picture 2 of 4", "Picture 4 of 4"]


def test_a_problem_with_one_of_several_keeps_its_kind_and_all_that_it_says():
    problem = RateLimitExceeded("Too many.", "Wait.", tiktok_code="c", tiktok_log_id="log-1", retry_after=7)
    named = of_item(problem, 2, 3)
    expected = problem.failure().model_copy(
        update={"error": "Picture 2 of 3: Too many.", "field": "post.content.mediaUrls[1]"}
    )
    assert (type(named), named.failure()) == (RateLimitExceeded, expected)


def test_a_problem_with_the_only_one_needs_no_number():
    assert of_item(MediaUnavailable("It is away.", "Wait."), 1, 1).failure() == (
        MediaUnavailable("It is away.", "Wait.", field="post.content.mediaUrls").failure()
    )


@pytest.mark.parametrize(
    ("title", "fits"), [("a" * 90, True), ("a" * 91, False), ("🐇" * 45, True), ("🐇" * 45 + "a", False)]
)
def test_a_photo_title_is_counted_in_utf16_units(title, fits):
    assert (photo_problems(options(photo_title=title), 3) == []) is fits


def test_a_photo_title_too_long_says_by_how_much():
    (problem,) = photo_problems(options(photo_title="🐇" * 46), 3)
    assert (problem.code, problem.field) == ("TextTooLong", "post.tiktokOptions.photoTitle")
    assert "92 UTF-16 units" in problem.error
    assert "by 2;" in problem.message


@pytest.mark.parametrize(("cover", "pictures", "fits"), [(None, 3, True), (0, 1, True), (2, 3, True), (0, 0, True)])
def test_the_cover_is_one_of_the_pictures(cover, pictures, fits):
    assert (photo_problems(options(photo_cover_index=cover), pictures) == []) is fits


@pytest.mark.parametrize(
    ("cover", "pictures", "says", "advises"),
    [(3, 3, "has 3 items", "give 0 to 2."), (1, 1, "has 1 item.", "give 0.")],
)
def test_a_cover_beyond_the_last_picture_is_refused(cover, pictures, says, advises):
    (problem,) = photo_problems(options(photo_cover_index=cover), pictures)
    assert (problem.code, problem.field) == ("InvalidRequest", "post.tiktokOptions.photoCoverIndex")
    assert says in problem.error
    assert advises in problem.message


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
    chosen = options(privacy_level=None, brand_content=branded)
    problems = privacy_problems(chosen, given, OFFERED, has_default=False)
    assert [problem.code for problem in problems] == ([code] if code else [])
    assert all(words in problem.error and problem.field == "post.tiktokOptions.privacyLevel" for problem in problems)


@pytest.mark.parametrize("given", [None, "MUTUAL_FOLLOW_FRIENDS", "public"])
def test_a_refused_choice_names_the_live_options(given):
    (problem,) = privacy_problems(options(), given, OFFERED, has_default=False)
    assert "PUBLIC_TO_EVERYONE, SELF_ONLY" in problem.message
    assert "FOLLOWER_OF_CREATOR" not in problem.message


@pytest.mark.parametrize(
    ("offered", "refused"), [(OFFERED, False), (None, False), (("FOLLOWER_OF_CREATOR", "SELF_ONLY"), True)]
)
def test_what_may_be_photos_has_a_default_that_the_creator_must_have(offered, refused):
    problems = privacy_problems(options(privacy_level=None), None, offered, has_default=True)
    assert [problem.code for problem in problems] == (["MissingParameter"] if refused else [])
    assert all("FOLLOWER_OF_CREATOR, SELF_ONLY" in problem.message for problem in problems)


@pytest.mark.parametrize("given", ["MUTUAL_FOLLOW_FRIENDS", "public"])
def test_a_default_does_not_stand_in_for_a_wrong_choice(given):
    (problem,) = privacy_problems(options(), given, OFFERED, has_default=True)
    assert problem.code == "InvalidRequest"


def test_the_branded_refusal_is_literal():
    (problem,) = privacy_problems(options(brand_content=True), "SELF_ONLY", OFFERED, has_default=False)
    assert problem.error == "Branded content visibility cannot be set to private"


def test_a_draft_needs_no_privacy_level():
    assert privacy_problems(options(draft=True, privacy_level=None), None, None, has_default=False) == []


def test_what_the_creator_has_switched_off_goes_out_off_with_a_warning():
    wanted = options(allow_comment=True, allow_duet=True, allow_stitch=True)
    settled, warnings = settle_interactions(wanted, a_creator(comment_disabled=True, stitch_disabled=True))
    assert (settled.allow_comment, settled.allow_duet, settled.allow_stitch) == (False, True, False)
    assert ["comment" in warnings[0], "stitch" in warnings[1], len(warnings)] == [True, True, 2]


def test_what_nobody_wanted_is_off_without_a_warning():
    creator = a_creator(comment_disabled=True, duet_disabled=True, stitch_disabled=True)
    assert settle_interactions(options(), creator) == (options(), [])


@pytest.mark.parametrize(
    ("tags", "told"),
    [(0, "no hashtags"), (1, "1 hashtag;"), (2, "2 hashtags"), (3, None), (5, None), (6, "6 hashtags")],
)
def test_other_than_three_to_five_hashtags_are_advised_against(tags, told):
    warnings = text_advice(" ".join(f"#tag{number}" for number in range(tags)))
    assert [told in warning for warning in warnings] == ([True] if told else [])


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
