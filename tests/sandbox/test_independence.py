"""The sandbox judges the service, so it takes nothing from it."""

import ast
from pathlib import Path

SOURCES = sorted((Path(__file__).parents[2] / "local/tiktok").glob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_sandbox_imports_nothing_of_the_service():
    roots = {name.split(".")[0] for path in SOURCES for name in imported(path)}
    assert "local" in roots
    assert not roots & {"publisher", "functions", "boto3"}


def test_the_sandbox_imports_nothing_else_of_local():
    names = {name for path in SOURCES for name in imported(path) if name.startswith("local")}
    assert all(name.startswith("local.tiktok") for name in names)
