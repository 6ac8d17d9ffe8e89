"""The rules about the template miss what is taken out of it."""

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, NamedTuple

from tests.architecture import test_template
from tests.architecture.cloudformation import Template, translate

RULES: list[Callable[[Template], None]] = [
    rule
    for name, rule in vars(test_template).items()
    if name.startswith("test_") and list(signature(rule).parameters) == ["template"]
]
HARMLESS = {"Description", "Tags", "Sid", "PolicyName", "LayerName", "info", "responses", "openapi"}
"""Keys that protect nothing."""


class Deletion(NamedTuple):
    """A place in the template, without which it is worse."""

    path: str
    apply: Callable[[], object]
    undo: Callable[[], object]


def test_what_is_deleted_from_the_template_is_missed() -> None:
    """Each property, list item and resource in turn: of 100 deletions at least 95 break a rule."""
    template = translate()
    assert not _is_missed(template)
    unnoticed, tried = [], 0
    for deletion in _deletions(template["Resources"], "Resources"):
        deletion.apply()
        tried += 1
        if not _is_missed(template):
            unnoticed.append(deletion.path)
        deletion.undo()
    assert not _is_missed(template)
    assert tried > 500
    assert len(unnoticed) <= 0.05 * tried, "\n".join([f"{len(unnoticed)} of {tried} are not missed:", *unnoticed])


def _is_missed(template: Template) -> bool:
    for place, rule in enumerate(RULES):
        try:
            rule(template)
        except Exception:  # noqa: BLE001 (a rule may break in any way)
            RULES.insert(0, RULES.pop(place))  # what missed one deletion likely misses its neighbour too
            return True
    return False


def _deletions(part: Any, path: str) -> Iterator[Deletion]:
    match part:
        case dict():
            for key in [key for key in part if key not in HARMLESS]:
                yield from _deletion_of(part, key, f"{path}.{key}")
        case list():
            for number in range(len(part)):
                yield from _deletion_of(part, number, f"{path}[{number}]")


def _deletion_of(part: Any, key: Any, path: str) -> Iterator[Deletion]:
    value = part[key]
    undo = (lambda: part.insert(key, value)) if isinstance(part, list) else (lambda: part.update({key: value}))
    yield Deletion(path, lambda: part.pop(key), undo)
    yield from _deletions(value, path)
