"""Imports point one way, and importing does nothing."""

import ast
import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.architecture.source import FUNCTIONS, ROOT, SHARED, Module, production

MAY_IMPORT: dict[str, set[str]] = {
    "functions": {
        "browser",
        "forms",
        "static_files",
        "web",
        "step",
        "event",
        "use_cases",
        "api",
        "stats",
        "endpoints",
        "ports",
    },
    "browser": {"web", "static_files", "use_cases", "api", "ports", "domain"},
    "static_files": set(),
    "forms": {"web", "domain"},
    "web": {"wiring", "use_cases", "api", "ports", "domain", "observability"},
    "event": {"wiring", "step", "ports", "observability"},
    "step": {"wiring", "messages", "ports", "domain", "observability"},
    "wiring": {"aws", "tiktok", "fetching", "sending", "probing", "converting", "ports", "settings"},
    "stats": {"use_cases", "api", "domain"},
    "use_cases": {"endpoints", "api", "messages", "ports", "domain"},
    "aws": {"ports", "domain", "ranges"},
    "tiktok": {"ports", "domain"},
    "fetching": {"ranges", "ports", "domain"},
    "sending": {"fetching", "ports", "domain"},
    "ranges": set(),
    "probing": {"converting", "ports", "domain"},
    "mediainfo": {"parent"},
    "converting": {"ports", "domain"},
    "imaging": {"parent", "domain"},
    "parent": set(),
    "endpoints": {"api", "ports", "domain"},
    "api": {"ports", "domain"},
    "messages": {"ports", "domain"},
    "ports": {"domain"},
    "domain": set(),
    "settings": set(),
    "observability": set(),
    "publisher": set(),
}
"""What each layer may import of ours, besides itself."""

MAY_USE: dict[str, set[str]] = {
    "browser": {"aws_lambda_powertools"},
    "forms": {"multipart"},
    "web": {"aws_lambda_powertools", "pydantic"},
    "stats": {"pydantic"},
    "use_cases": {"pydantic"},
    "aws": {"boto3", "botocore", "cryptography", "pydantic"},
    "tiktok": {"requests", "urllib3", "pydantic"},
    "fetching": {"urllib3"},
    "mediainfo": {"pymediainfo"},
    "imaging": {"PIL"},
    "endpoints": {"pydantic"},
    "api": {"pydantic"},
    "messages": {"pydantic"},
    "ports": {"pydantic"},
    "domain": {"pydantic"},
    "settings": {"pydantic"},
    "observability": {"aws_lambda_powertools"},
}
"""What each layer may import of others, besides the standard library."""

LOCAL_WORDS = re.compile(r"localhost|ministack|localstack|\bmoto\b|seaweed", re.IGNORECASE)
LOCAL_NAMES = {"local", "sandbox", "emulator", "emulated", "development", "testing"}

every_module = pytest.mark.parametrize("module", production(), ids=lambda module: module.name)


def test_the_layers_have_an_order() -> None:
    TopologicalSorter(MAY_IMPORT).prepare()  # CycleError when they have none


@every_module
def test_a_module_imports_only_layers_below_its_own(module: Module) -> None:
    assert {used.layer for used in module.own_imports} <= MAY_IMPORT[module.layer] | {module.layer}


@every_module
def test_a_module_uses_only_the_packages_that_its_layer_owns(module: Module) -> None:
    assert module.foreign_imports <= MAY_USE.get(module.layer, set())


def test_every_own_import_leads_to_a_module() -> None:
    names = {module.name for module in production()}
    named = {name for module in production() for name in module.imports if name.partition(".")[0] == "publisher"}
    assert named <= names


def test_functions_do_not_import_each_other() -> None:
    assert [
        module.name for module in production() if any(used.layer == "functions" for used in module.own_imports)
    ] == []


def test_only_settings_reads_the_environment() -> None:
    readers = {module.name for module in production() if _reads_environment(module.tree)}
    assert readers == {"publisher.settings"}


def _reads_environment(tree: ast.AST) -> bool:
    words = {"environ", "environb", "getenv", "getenvb"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in words) or (isinstance(node, ast.alias) and node.name in words)
        for node in ast.walk(tree)
    )


@every_module
def test_production_code_does_not_know_where_it_runs(module: Module) -> None:
    assert LOCAL_WORDS.findall(module.text) == []
    assert {name for name in _names(module.tree) if LOCAL_NAMES & set(name.lower().split("_"))} == set()


def _names(tree: ast.AST) -> set[str]:
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg | ast.keyword) and node.arg}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.alias)}
    return named | attributes | arguments | defined


def test_the_sandbox_knows_nothing_of_the_service() -> None:
    files = sorted((ROOT / "local" / "tiktok").rglob("*.py"))
    modules = [Module(path.stem, path) for path in files]
    assert modules
    own = {module.path.name: {name for name in module.imports if name.startswith("local.")} for module in modules}
    assert [module.path.name for module in modules if any(_is_ours(name) for name in module.imports)] == []
    assert {
        file: names for file, names in own.items() if not all(name.startswith("local.tiktok") for name in names)
    } == {}


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in {"publisher", *(path.name for path in FUNCTIONS.iterdir())}


def test_local_takes_no_rule_from_the_service() -> None:
    files = sorted((ROOT / "local").rglob("*.py"))
    readers = [path.name for path in files if "publisher.domain.limits" in Module(path.stem, path).imports]
    # They write the limits into the contract and README.md, and try the service's own rules.
    assert readers == ["operations.py", "words.py", "readme.py", "simulate.py"]


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {module.name: [used.name for used in module.own_imports] for module in production()}
    TopologicalSorter(graph).prepare()  # CycleError when one does


IMPORT_ALL = """
import importlib, json, sys
roots, foreign, modules = json.loads(sys.argv[1])
sys.path[:0] = roots
for name in foreign:
    importlib.import_module(name)  # what others do when they are imported is not ours to say
ACTS = ("socket.", "subprocess.", "os.", "shutil.", "tempfile.", "_thread.start_new_thread", "signal.", "urllib.")
HARMLESS = ("os.listdir", "os.scandir")  # the import system looks for files
def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or (event.startswith(ACTS) and event not in HARMLESS):
        raise RuntimeError(f"importing {name}: {event} {arguments}")
sys.addaudithook(watch)
for name in modules:
    importlib.import_module(name)
"""
"""Imports each module where whatever reaches outside of the process raises."""


def test_importing_any_module_does_nothing() -> None:
    names = [module.name for module in production()]
    foreign = {name for module in production() for name in module.imports if not _is_ours(name)}
    argument = json.dumps([[str(FUNCTIONS), str(SHARED)], sorted(foreign), names])
    command = [sys.executable, "-B", "-I", "-c", IMPORT_ALL, argument]
    run = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
