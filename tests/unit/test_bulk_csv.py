"""Tables of posts: what a cell means, and tables that cannot be read."""

import csv
import io
from typing import Any

import pytest

from publisher.domain.csv_rows import COLUMNS, read_rows
from publisher.domain.errors import InvalidRequest


def body(cells: dict[str, str]) -> dict[str, Any]:
    (read,) = read_rows(f"{','.join(cells)}\n{','.join(cells.values())}\n".encode())
    return read


def test_a_row_becomes_the_body_of_a_post() -> None:
    assert body(
        {
            "accountId": " a ",
            "text": "Hello",
            "mediaUrls": "https://m.example/1.jpg https://m.example/2.jpg",
            "privacyLevel": "SELF_ONLY",
            "allowComment": "TRUE",
            "draft": "no",
            "photoCoverIndex": "1",
            "photoTitle": "Mornings",
            "scheduledTime": "2026-12-24T18:00:00",
            "timezone": "Europe/Berlin",
            "queueIfLimited": "1",
        }
    ) == {
        "post": {
            "accountId": "a",
            "content": {
                "platform": "tiktok",
                "text": "Hello",
                "mediaUrls": ["https://m.example/1.jpg", "https://m.example/2.jpg"],
            },
            "tiktokOptions": {
                "privacyLevel": "SELF_ONLY",
                "allowComment": True,
                "draft": False,
                "photoCoverIndex": 1,
                "photoTitle": "Mornings",
            },
        },
        "scheduledTime": "2026-12-24T18:00:00",
        "timezone": "Europe/Berlin",
        "queueIfLimited": True,
    }


def test_an_empty_cell_is_left_out_and_an_empty_line_is_no_row() -> None:
    assert read_rows(b"accountId,text,draft\n\na,,\n , ,\n") == [
        {"post": {"accountId": "a", "content": {"platform": "tiktok"}}}
    ]


def test_a_row_may_be_shorter_than_the_columns() -> None:
    assert body({"accountId": "a"}) == {"post": {"accountId": "a", "content": {"platform": "tiktok"}}}
    (read,) = read_rows(b"accountId,text\na\n")
    assert read["post"]["accountId"] == "a"


def test_what_is_no_boolean_and_no_number_stays_for_the_check_to_refuse() -> None:
    options = body({"draft": "perhaps", "photoCoverIndex": "one", "videoCoverTimestampMs": "9" * 5000})
    assert options["post"]["tiktokOptions"] == {
        "draft": "perhaps",
        "photoCoverIndex": "one",
        "videoCoverTimestampMs": "9" * 5000,
    }


def test_every_option_has_a_column() -> None:
    from publisher.api import CreatePostRequest, OptionsRequest

    options = {field.alias or name for name, field in OptionsRequest.model_fields.items()}
    top = {field.alias or name for name, field in CreatePostRequest.model_fields.items()} - {"post", "tiktokOptions"}
    assert set(COLUMNS) == options | top | {"accountId", "text", "mediaUrls", "platform"}


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (b"", "empty"),
        (b"\xff\xfea", "UTF-8"),
        (b"accountId;text\na;b\n", "semicolons"),
        (b"accountId,colour\na,b\n", "colour"),
        (b"accountId,accountId\na,b\n", "twice"),
        (b"accountId,text\na,b,c\n", "Row 1"),
        (b'text\n"open\n', "line"),
        (b'text\n"a"b\n', "line"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(table: bytes, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word) as refused:
        read_rows(table)
    assert refused.value.message


def written(*lines: list[str]) -> str:
    """The table as programs write it."""
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue()


@pytest.mark.parametrize("text", ['She said "hop", and hopped', "two\nlines", "two\r\nlines", "🐇🥕", "=1+1", " a "])
def test_a_caption_comes_through_to_the_letter(text):
    table = written(["accountId", "text", "mediaUrls"], ["account-1", text, "https://m.example/1.jpg"])
    assert read_rows(table.encode())[0]["post"]["content"]["text"] == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_both_line_endings_and_a_byte_order_mark_are_read(encoding, ending):
    table = ending.join(
        ["accountId,mediaUrls", "account-1,https://m.example/1.jpg", "", "account-2,https://m.example/1.jpg", ",", ""]
    )
    assert [row["post"]["accountId"] for row in read_rows(table.encode(encoding))] == ["account-1", "account-2"]


@pytest.mark.parametrize("cell", ["a b", "a|b", " a | b ", "a\nb"])
def test_several_media_urls_stand_in_one_cell(cell):
    assert read_rows(written(["mediaUrls"], [cell]).encode())[0]["post"]["content"]["mediaUrls"] == ["a", "b"]
