"""What a post's URLs claim to hold, and what each kind of post takes along."""

import pytest

from publisher.domain.pictures import claimed_type, misplaced
from publisher.domain.posts import PostOptions

ALL = PostOptions(
    privacy_level="PUBLIC_TO_EVERYONE",
    allow_comment=True,
    allow_duet=True,
    allow_stitch=True,
    brand_content=True,
    brand_organic=True,
    is_ai_generated=True,
    video_cover_timestamp_ms=0,
    photo_cover_index=0,
    photo_title="A title",
    auto_add_music=True,
)
"""Every option chosen; a cover of 0 is a choice."""
DRAFT = ALL.model_copy(update={"draft": True})


@pytest.mark.parametrize(
    ("urls", "claimed"),
    [
        (["https://media.example/film.mp4"], "video"),
        (["https://media.example/film.MOV"], "video"),
        (["https://media.example/film.webm?name=a.jpg"], "video"),
        (["https://media.example/film.m4v#a.jpg"], "video"),
        (["https://media.example/a.jpg"], "photo"),
        (["https://media.example/a.JPEG"], "photo"),
        (["https://media.example/a.png"], "photo"),
        (["https://media.example/a.webp"], "photo"),
        (["https://media.example/a.gif"], "photo"),
        (["https://media.example/a.bmp"], "photo"),
        (["https://media.example/a.tif"], "photo"),
        (["https://media.example/a.tiff"], "photo"),
        (["https://media.example/media/1234"], None),
        (["https://media.example/film.mp4/"], "video"),
        (["https://media.example/"], None),
        (["https://media.example/a.avi"], None),
        (["https://media.example/1.mp4", "https://media.example/2"], "photo"),
    ],
)
def test_several_urls_claim_photos_and_one_claims_what_its_name_says(urls, claimed):
    assert claimed_type(urls) == claimed


@pytest.mark.parametrize(
    ("post_type", "options", "left_out"),
    [
        ("photo", ALL, "allowDuet, allowStitch, isAiGenerated, videoCoverTimestampMs"),
        ("video", ALL, "photoCoverIndex, photoTitle, autoAddMusic"),
        (
            "photo",
            DRAFT,
            (
                "privacyLevel, allowComment, allowDuet, allowStitch, brandContentToggle, brandOrganicToggle, "
                "isAiGenerated, videoCoverTimestampMs, autoAddMusic"
            ),
        ),
        ("video", DRAFT, "caption or options"),
    ],
)
def test_each_kind_of_post_names_what_it_does_not_take_along_once(post_type, options, left_out):
    (warning,) = misplaced(post_type, options, "A caption.")
    assert warning.startswith(f"TikTok takes no {left_out} with a ")


@pytest.mark.parametrize("post_type", ["photo", "video"])
@pytest.mark.parametrize("draft", [False, True])
def test_whoever_chose_nothing_is_told_nothing(post_type, draft):
    assert misplaced(post_type, PostOptions(draft=draft), "") == []


def test_a_photo_draft_takes_caption_title_and_cover_along():
    chosen = PostOptions(draft=True, photo_title="A title", photo_cover_index=2)
    assert misplaced("photo", chosen, "A caption.") == []


@pytest.mark.parametrize(
    ("text", "chosen"), [("A caption.", {}), ("", {"allow_duet": True}), ("", {"photo_cover_index": 0})]
)
def test_a_draft_video_takes_neither_caption_nor_options_along(text, chosen):
    assert len(misplaced("video", PostOptions.model_validate({"draft": True, **chosen}), text)) == 1


@pytest.mark.parametrize("option", ["privacy_level", "allow_comment", "brand_content", "brand_organic"])
@pytest.mark.parametrize("post_type", ["photo", "video"])
def test_what_both_kinds_take_is_no_reason_to_warn(post_type, option):
    chosen = PostOptions.model_validate({option: getattr(ALL, option)})
    assert misplaced(post_type, chosen, "A caption.") == []
