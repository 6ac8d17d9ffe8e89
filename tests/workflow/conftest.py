"""The machine, and a way to play scripts on it."""

from collections.abc import Callable, Iterator

import pytest

from tests.workflow.engine import Engine, Execution, engine
from tests.workflow.script import Script, play


@pytest.fixture(scope="module")
def machine() -> Iterator[Engine]:
    with engine() as running:
        yield running


@pytest.fixture(name="play")
def play_on(machine: Engine) -> Callable[[Script], Execution]:
    return lambda script: play(machine, script)
