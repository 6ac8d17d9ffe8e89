"""Reading posts: newest first, page by page, and never another workspace's."""

import json

import pytest

from publisher.api import PostDetail
from publisher.domain.errors import InvalidRequest, NotFound
from publisher.domain.posts import Status
from publisher.use_cases.get_post import get_post
from publisher.use_cases.list_posts import list_posts
from tests.builders import NOW, a_carousel, a_post, options, some_pictures

MINE, THEIRS = "workspace-1", "workspace-2"


@pytest.fixture
def stored(ports):
    """Five posts a second apart, the newest last."""
    posts = [
        a_post(
            created_at=NOW + number,
            account_id=f"account-{number % 2}",
            status=Status.FAILED if number == 3 else Status.QUEUED,
        )
        for number in range(5)
    ]
    for post in posts:
        ports.posts.accept(post, None)
    ports.posts.accept(a_post(workspace_id=THEIRS, created_at=NOW + 2), None)
    return posts


def found(ports, stored, **query: str) -> list[int]:
    return [stored.index(post) for post in list_posts(ports, MINE, query).posts]


def test_posts_are_listed_newest_first_and_only_the_workspaces(ports, stored):
    assert found(ports, stored) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"status": "FAILED"}, [3]),
        ({"status": "REVIEW"}, []),
        ({"accountId": "account-0"}, [4, 2, 0]),
        ({"accountId": "account-7"}, []),
        ({"accountId": "account-1", "status": "QUEUED"}, [1]),
        ({"since": "2026-09-21T14:13:22Z"}, [4, 3, 2]),
        ({"until": "2026-09-21T14:13:22Z"}, [1, 0]),
        ({"since": "2026-09-21T16:13:21+02:00", "until": "2026-09-21T16:13:23+02:00"}, [2, 1]),
        ({"limit": "2"}, [4, 3]),
    ],
)
def test_a_list_keeps_to_its_filters(ports, stored, query, numbers):
    assert found(ports, stored, **query) == numbers


@pytest.mark.parametrize("limit", ["1", "2", "3", "5", "100"])
def test_cursors_lead_through_all_posts_once(ports, stored, limit):
    seen, query = [], {"limit": limit}
    while True:
        page = list_posts(ports, MINE, query)
        seen += [stored.index(post) for post in page.posts]
        if page.cursor is None:
            break
        query["cursor"] = page.cursor
    assert seen == [4, 3, 2, 1, 0]


def test_a_page_holds_twenty_posts_unless_it_is_told_otherwise(ports):
    for number in range(25):
        ports.posts.accept(a_post(created_at=NOW + number), None)
    assert len(list_posts(ports, MINE, {}).posts) == 20


def test_another_workspaces_cursor_is_refused(ports, stored):
    ports.posts.accept(a_post(workspace_id=THEIRS, created_at=NOW + 9), None)
    cursor = list_posts(ports, THEIRS, {"limit": "1"}).cursor
    assert cursor is not None
    with pytest.raises(InvalidRequest) as caught:
        list_posts(ports, MINE, {"cursor": cursor})
    assert caught.value.field == "cursor"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "1.0"),
        ("limit", "٣"),
        ("limit", "9" * 5000),
        ("limit", ""),
        ("status", "DONE"),
        ("status", "queued"),
        ("status", "QUEUED,FAILED"),
        ("since", "yesterday"),
        ("since", "2026-09-21T14:13:22"),
        ("since", "9999-12-31T23:59:59-12:00"),
        ("until", "2026-13-01T00:00:00Z"),
        ("until", ""),
        ("cursor", "elsewhere"),
        ("offset", "1"),
        ("account_id", "account-1"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(ports, stored, name, text):
    with pytest.raises(InvalidRequest) as caught:
        list_posts(ports, MINE, {name: text})
    assert caught.value.field == name


def test_a_post_is_shown_to_its_workspace(ports, stored):
    assert get_post(ports, MINE, stored[2].post_id) == stored[2]


def test_a_photo_post_is_shown_with_all_that_was_chosen_and_without_where_its_pictures_are(ports):
    chosen = options(photo_title="A title", photo_cover_index=0, auto_add_music=True)
    post = a_post(
        post_type="photo",
        options=chosen,
        status=Status.PUBLISH_COMPLETE,
        pictures=some_pictures(converted=True),
        carousel=a_carousel(prefix="f" * 32),
        post_ids=("7500000000000000001",),
    )
    ports.posts.accept(post, None)
    text = PostDetail.of(get_post(ports, MINE, post.post_id)).model_dump_json(by_alias=True)
    shown = json.loads(text)
    assert (shown["post_type"], shown["publish_id"]) == ("photo", "p_pub_url~v2.1")
    assert shown["publicUrl"] == "https://www.tiktok.com/@a_creator/photo/7500000000000000001"
    assert shown["options"]["photoTitle"] == "A title"
    assert (shown["options"]["photoCoverIndex"], shown["options"]["autoAddMusic"]) == (0, True)
    assert "staging" not in text
    assert "f" * 32 not in text


def test_another_workspaces_post_looks_like_none(ports, stored):
    said = []
    for post_id in (stored[2].post_id, "9e1f9c1c-58e8-4b0c-9d0b-6a1f8c9f1f11", "", "x" * 5000, "../posts"):
        with pytest.raises(NotFound) as caught:
            get_post(ports, THEIRS, post_id)
        said.append(caught.value.failure())
    assert said == [said[0]] * 5
