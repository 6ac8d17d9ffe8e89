"""How a post is coming along: a bar on a terminal, plain lines elsewhere."""

from typing import Any, Protocol, Self

_WIDTH = 30
_STEP_WIDTH = 16


class Output(Protocol):
    """A text stream."""

    def isatty(self) -> bool:
        """Tell whether a person watches."""

    def write(self, text: str, /) -> int:
        """Write text and return its length."""

    def flush(self) -> None:
        """Show what was written."""


class Progress:
    """Shows the timeline of a post as it grows."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._terminal = out.isatty()
        self._shown: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal and self._shown:
            self._out.write("\n")
            self._out.flush()

    def show(self, post: dict[str, Any]) -> None:
        """Show what is new: a step that began, bytes that moved."""
        lines = [_line(moment, bar=self._terminal) for moment in post["timeline"]]
        for number, line in enumerate(lines):
            if number < len(self._shown) and self._shown[number] == line:
                continue
            if not self._terminal:
                self._out.write(f"{line}\n")
                continue
            # The last line is open: it is drawn over, and left when the next step begins.
            if number >= len(self._shown) and number > 0:
                self._out.write("\n")
            if number >= len(self._shown) - 1:
                self._out.write(f"\r\x1b[K{line}")
        self._shown = lines
        self._out.flush()


def _line(moment: dict[str, Any], *, bar: bool) -> str:
    step, done, total = f"{moment['step']:<{_STEP_WIDTH}}", moment.get("bytes"), moment.get("totalBytes")
    if done is None:
        return f"  {step}".rstrip()
    figures = f"{done:,} of {total:,} bytes" if total else f"{done:,} bytes"
    if not bar or not total:
        return f"  {step} {figures}"
    full = round(_WIDTH * done / total)
    return f"  {step} {'█' * full}{'░' * (_WIDTH - full)} {figures}"
