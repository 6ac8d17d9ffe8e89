"""What is wrong with a body's form: every field that cannot be read is named, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.api import read_create_post
from publisher.domain.errors import InvalidRequest
from publisher.domain.posts import PostOptions

GOOD = {
    "post": {
        "accountId": "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11",
        "content": {"text": "A rabbit.", "mediaUrls": ["https://media.example/film.mp4"], "platform": "tiktok"},
        "tiktokOptions": {"privacyLevel": "PUBLIC_TO_EVERYONE"},
    }
}


def changed(path: str, value: object) -> dict:
    def change(body: dict, names: list[str]) -> dict:
        inner = value if len(names) == 1 else change(body.get(names[0], {}), names[1:])
        return {**body, names[0]: inner}

    return change(GOOD, path.split("."))


def told(body: object) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in read_create_post(body)[1]]


def test_a_good_body_has_no_problem():
    assert told(GOOD) == []


def test_media_urls_keep_their_order_and_may_repeat():
    urls = [f"https://media.example/{number}.jpg" for number in (3, 1, 2, 1)]
    request, problems = read_create_post(changed("post.content.mediaUrls", urls))
    assert (request.media_urls, problems) == (tuple(urls), [])


@pytest.mark.parametrize("index", [0, 34])
def test_a_photo_cover_may_be_any_picture_and_the_first_is_a_choice(index):
    request, problems = read_create_post(changed("post.tiktokOptions.photoCoverIndex", index))
    assert (request.options(PostOptions()).photo_cover_index, problems) == (index, [])
    assert read_create_post(GOOD)[0].options(PostOptions()).photo_cover_index is None


@pytest.mark.parametrize("urls", ["https://media.example/film.mp4", ["https://media.example/film.mp4"]])
def test_media_urls_are_a_list_or_one_string(urls):
    request, problems = read_create_post(changed("post.content.mediaUrls", urls))
    assert (request.media_urls, problems) == (("https://media.example/film.mp4",), [])


@pytest.mark.parametrize(
    "field",
    [
        "scheduled_time",
        "queue",
        "post.title",
        "post.account_id",
        "post.content.photos",
        "post.target.id",
        "str",
        "a[b",
        "post.str",
    ],
)
def test_a_field_that_does_not_exist_is_named(field):
    request, problems = read_create_post(changed(field, "2026-12-24T18:00:00+01:00"))
    assert [(problem.code, problem.field) for problem in problems] == [("InvalidRequest", field)]
    assert problems[0].error == f"{field} is not a field of this request."
    assert request.post.content.text == "A rabbit."


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("post.accountId", 5),
        ("post.content.text", None),
        ("post.content.text", ["a"]),
        ("post.content.platform", True),
        ("post.content.mediaUrls", 5),
        ("post.content.mediaUrls", {"url": 1}),
        ("post.content.mediaUrls", ["https://media.example/film.mp4", 5]),
        ("post.tiktokOptions.privacyLevel", 1),
        ("post.tiktokOptions.allowComment", "true"),
        ("post.tiktokOptions.allowDuet", 1),
        ("post.tiktokOptions.draft", None),
        ("post.tiktokOptions.videoCoverTimestampMs", -1),
        ("post.tiktokOptions.videoCoverTimestampMs", 2**31),
        ("post.tiktokOptions.videoCoverTimestampMs", 1.5),
        ("post.tiktokOptions.photoCoverIndex", -1),
        ("post.tiktokOptions.photoCoverIndex", 35),
        ("post.tiktokOptions.photoCoverIndex", True),
        ("post.tiktokOptions.photoCoverIndex", "0"),
        ("post.tiktokOptions.photoTitle", 5),
        ("post.tiktokOptions.photoTitle", None),
        ("post.tiktokOptions.autoAddMusic", "yes"),
        ("scheduledTime", 1_790_000_000),
        ("timezone", 2),
        ("queueIfLimited", "true"),
        ("post.content", "text"),
        ("post.tiktokOptions", []),
        ("post", None),
        ("post", []),
    ],
)
def test_a_value_of_the_wrong_type_is_named_once(field, value):
    fields = [
        problem.field for problem in read_create_post(changed(field, value))[1] if problem.code != "MissingParameter"
    ]
    assert fields == [field]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("post", [], "post: Input should be a JSON object."),
        ("post.accountId", 5, "post.accountId: Input should be a valid string."),
    ],
)
def test_a_wrong_type_is_told_in_words_of_json(field, value, sentence):
    assert read_create_post(changed(field, value))[1][0].error == sentence


@pytest.mark.parametrize("milliseconds", [0, 2**31 - 1])
def test_a_cover_may_be_any_moment_that_tiktok_can_count(milliseconds):
    request, problems = read_create_post(changed("post.tiktokOptions.videoCoverTimestampMs", milliseconds))
    assert (request.options(PostOptions()).video_cover_timestamp_ms, problems) == (milliseconds, [])


def test_all_wrong_fields_are_told_at_once():
    body = {
        "timezone": 1,
        "post": {
            "content": {"text": 5, "platform": "instagram", "mediaUrls": 7},
            "target": {"targetType": "tiktok"},
            "tiktokOptions": {"draft": "yes", "colour": "red"},
        },
    }
    assert sorted(told(body), key=str) == [
        ("InvalidPlatform", "post.content.platform"),
        ("InvalidRequest", "post.content.mediaUrls"),
        ("InvalidRequest", "post.content.text"),
        ("InvalidRequest", "post.target.targetType"),
        ("InvalidRequest", "post.tiktokOptions.colour"),
        ("InvalidRequest", "post.tiktokOptions.draft"),
        ("InvalidRequest", "timezone"),
        ("MissingParameter", "post.accountId"),
    ]


def test_an_empty_body_misses_what_has_no_default():
    assert told({}) == [("MissingParameter", "post.accountId"), ("MissingParameter", "post.content.platform")]


@pytest.mark.parametrize("body", [None, [], "post", 5, True])
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(InvalidRequest, match="not a JSON object"):
        read_create_post(body)


@pytest.mark.parametrize("platform", ["instagram", "TikTok", ""])
def test_another_platform_is_refused(platform):
    assert told(changed("post.content.platform", platform)) == [("InvalidPlatform", "post.content.platform")]


@pytest.mark.parametrize(
    ("target", "problems"), [({}, 0), ({"targetType": "tiktok"}, 0), ({"targetType": "youtube"}, 1)]
)
def test_a_target_agrees_with_the_platform(target, problems):
    assert told(changed("post.target", target)) == [("InvalidRequest", "post.target.targetType")] * problems


def test_options_may_stand_beside_the_post():
    post = {name: value for name, value in GOOD["post"].items() if name != "tiktokOptions"}
    request, problems = read_create_post({"post": post, "tiktokOptions": {"draft": True}})
    assert (request.options(PostOptions()).draft, problems) == (True, [])


def test_options_in_both_places_are_refused():
    assert told({**GOOD, "tiktokOptions": {}}) == [("InvalidRequest", "tiktokOptions")]


def test_what_is_left_out_is_off():
    options = read_create_post(GOOD)[0].options(PostOptions())
    assert options.model_dump(exclude={"privacy_level", "video_cover_timestamp_ms", "photo_cover_index"}) == {
        "allow_comment": False,
        "allow_duet": False,
        "allow_stitch": False,
        "brand_content": False,
        "brand_organic": False,
        "draft": False,
        "is_ai_generated": False,
        "photo_title": "",
        "auto_add_music": False,
    }


def test_every_option_arrives_under_its_own_name():
    given = {
        "privacyLevel": "SELF_ONLY",
        "allowComment": True,
        "allowDuet": True,
        "allowStitch": True,
        "brandContentToggle": True,
        "brandOrganicToggle": True,
        "draft": True,
        "isAiGenerated": True,
        "videoCoverTimestampMs": 1500,
        "photoCoverIndex": 3,
        "photoTitle": "A title",
        "autoAddMusic": True,
    }
    for name, value in given.items():
        options = read_create_post(changed("post.tiktokOptions", {name: value}))[0].options(PostOptions())
        assert list(options.model_dump(exclude_defaults=True).values()) == [value], name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["post", "content", "mediaUrls", "tiktokOptions", "text", "target", "str"])
            | st.text(st.characters(codec="utf-8"), max_size=6),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=500)
@given(JSON)
def test_any_json_at_all_is_read_or_refused(body):
    if isinstance(body, dict):
        request, problems = read_create_post(body)
        assert request.options(PostOptions()) is not None
        assert all(problem.error and problem.message and problem.field is not None for problem in problems)
    else:
        with pytest.raises(InvalidRequest):
            read_create_post(body)
