"""Posts as a table: rows of CSV become bodies of POST /v2/posts."""

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any

from publisher.domain.errors import InvalidRequest

_REPLACED = "\ufffd"
"""What API Gateway puts in the place of bytes that are not UTF-8."""
_DIGITS = 18
"""A longer number is left a text, which the check of the row refuses."""
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


def _text(cell: str) -> object:
    return cell


def truth(cell: str) -> object:
    """Read a boolean; any other word stays a text, which the check of a row then refuses by name."""
    word = cell.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else cell


def _number(cell: str) -> object:
    word = cell.strip()
    return int(word) if word.isascii() and word.isdecimal() and len(word) <= _DIGITS else cell


def _urls(cell: str) -> object:
    return cell.replace("|", " ").split()


_OPTIONS: Mapping[str, Callable[[str], object]] = {
    "privacyLevel": str.strip,
    "allowComment": truth,
    "allowDuet": truth,
    "allowStitch": truth,
    "brandContentToggle": truth,
    "brandOrganicToggle": truth,
    "draft": truth,
    "isAiGenerated": truth,
    "videoCoverTimestampMs": _number,
    "photoCoverIndex": _number,
    "photoTitle": _text,
    "autoAddMusic": truth,
}
_CONTENT: Mapping[str, Callable[[str], object]] = {"text": _text, "mediaUrls": _urls, "platform": str.strip}
_TOP: Mapping[str, Callable[[str], object]] = {
    "scheduledTime": str.strip,
    "timezone": str.strip,
    "queueIfLimited": truth,
}
COLUMNS = ("accountId", *_CONTENT, *_OPTIONS, *_TOP)
"""The columns that a table may have."""


def read_rows(data: bytes) -> list[dict[str, Any]]:
    """Return the body that each row stands for; an empty cell is left out.

    InvalidRequest when the table as a whole cannot be read: not UTF-8, no header, an unknown or doubled column, a row
    with more cells than columns.
    """
    try:
        text = data.decode("utf-8-sig")
    except ValueError:
        text = _REPLACED
    if _REPLACED in text:
        raise InvalidRequest("The CSV is not UTF-8.", "Save it as UTF-8.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        problem = f"The CSV cannot be read at line {reader.line_num}: {error}."
        raise InvalidRequest(problem, "Quote cells that hold commas, quotes or line breaks.") from None
    columns = [column.strip() for column in rows[0]] if rows else []
    _check_columns(columns)
    for number, row in enumerate(rows[1:], start=1):
        if len(row) > len(columns):
            raise InvalidRequest(
                f"Row {number} of the CSV has {len(row)} cells, and there are {len(columns)} columns.",
                "Quote cells that hold commas.",
            )
    return [_body(dict(zip(columns, row, strict=False))) for row in rows[1:]]


def _check_columns(columns: list[str]) -> None:
    if not columns:
        raise InvalidRequest("The CSV is empty.", f"Its first line names columns: {', '.join(COLUMNS)}.")
    if len(columns) == 1 and ";" in columns[0]:
        raise InvalidRequest("The CSV's columns are separated by semicolons.", "Separate them by commas.")
    for column in columns:
        if column not in COLUMNS:
            raise InvalidRequest(
                f"The CSV has an unknown column, {column[:50]!r}.", f"Columns are: {', '.join(COLUMNS)}.", field=column
            )
        if columns.count(column) > 1:
            raise InvalidRequest(f"The CSV has the column {column} twice.", "Keep one of them.", field=column)


def _body(cells: Mapping[str, str]) -> dict[str, Any]:
    filled = {column: cell for column, cell in cells.items() if cell.strip()}
    content: dict[str, Any] = {"platform": "tiktok", **_read(filled, _CONTENT)}
    post: dict[str, Any] = {"content": content}
    if "accountId" in filled:
        post["accountId"] = filled["accountId"].strip()
    options = _read(filled, _OPTIONS)
    if options:
        post["tiktokOptions"] = options
    return {"post": post, **_read(filled, _TOP)}


def _read(cells: Mapping[str, str], columns: Mapping[str, Callable[[str], object]]) -> dict[str, Any]:
    return {column: read(cells[column]) for column, read in columns.items() if column in cells}
