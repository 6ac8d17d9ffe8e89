"""What a benchmark says: one row a figure, and the table of them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure of ours beside its baseline, both in `unit`. `floor` says what was promised; empty for nothing."""

    name: str
    ours: float
    baseline: float | None
    unit: str
    floor: str = ""
    passed: bool = True


HEAD = ("what", "ours", "baseline", "ratio", "unit", "promised", "")


def table(rows: Sequence[Row]) -> str:
    """Write the rows under each other; a promise that is not kept says MISSED."""
    lines = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join("  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Names and words to the left, numbers to the right."""
    numbers = range(1, 4)
    return [
        cell.rjust(width) if column in numbers else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cells(row: Row) -> tuple[str, ...]:
    ratio = f"{row.ours / row.baseline:.2f}" if row.baseline else ""
    verdict = "" if not row.floor else "kept" if row.passed else "MISSED"
    return row.name, _number(row.ours), _number(row.baseline), ratio, row.unit, row.floor, verdict


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
