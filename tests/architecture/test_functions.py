"""A function folder holds an entry point, and one word names a step everywhere."""

import ast
import json
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.architecture.source import FUNCTIONS, ROOT, USE_CASES, function_folders, module, snake

MACHINE = json.loads((ROOT / "statemachine" / "publish_post.asl.json").read_text())
RESOURCES: dict[str, Any] = yaml_parse((ROOT / "template.yaml").read_text())["Resources"]
TASKS = {name: state for name, state in MACHINE["States"].items() if state["Type"] == "Task"}
HANDLERS = {
    name: resource["Properties"]["Handler"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function"
}

every_folder = pytest.mark.parametrize("folder", function_folders())
every_task = pytest.mark.parametrize("state", TASKS)


@every_folder
def test_an_entry_point_fits_on_one_screen(folder: str) -> None:
    assert len(module(f"{folder}.app").text.splitlines()) <= 40


@every_folder
def test_an_entry_point_catches_nothing(folder: str) -> None:
    assert [node for node in ast.walk(module(f"{folder}.app").tree) if isinstance(node, ast.Try | ast.TryStar)] == []


@every_folder
def test_a_function_folder_is_a_package(folder: str) -> None:
    assert (FUNCTIONS / folder / "__init__.py").is_file()


def test_functions_is_an_import_root_and_no_package() -> None:
    assert [path.name for path in FUNCTIONS.iterdir() if path.is_file()] == []


@every_task
def test_a_step_has_one_word_everywhere(state: str) -> None:
    step = snake(state)
    entry = module(f"{step}.app")
    use_case = ast.parse((USE_CASES / f"{step}.py").read_text())
    assert TASKS[state]["Parameters"]["FunctionName"] == f"${{{state}FunctionArn}}"
    assert HANDLERS[f"{state}Function"] == f"{step}.app.handler"
    assert ast.unparse(entry.tree.body[-1]) == f"handler = step({step})"
    assert f"publisher.use_cases.{step}" in entry.imports
    assert step in {node.name for node in use_case.body if isinstance(node, ast.FunctionDef)}


def test_every_step_of_the_machine_and_no_other_function_is_made_by_step() -> None:
    steps = {folder for folder in function_folders() if "publisher.step" in module(f"{folder}.app").imports}
    assert steps == {snake(state) for state in TASKS}
