"""What `make build` makes: everything a function imports, with bytecode, for Lambda's processor."""

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.processes import ROOT

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
MACHINE = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
AARCH64 = 183

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wheels that Lambda takes load on Linux only")

IMPORT = """
import importlib, json, sys
built, name = sys.argv[1:]
standard = [path for path in sys.path if path]
sys.path[:] = [*standard, *json.loads(built)]
app = importlib.import_module(f"{name}.app")
assert callable(app.handler)
files = [(getattr(module, "__file__", None) or "", module) for module in sys.modules.values()]
ours = [module.__spec__ for file, module in files if file.startswith(tuple(json.loads(built)))]
print(json.dumps([spec.cached for spec in ours if spec.origin.endswith(".py")]))
"""

IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path += json.loads(sys.argv[1])
import publisher
for module in pkgutil.walk_packages(publisher.__path__, "publisher."):
    importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build for this machine, so that its native code loads here."""
    return build(MACHINE, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def deployed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build that is deployed."""
    return built if MACHINE == "arm64" else build("arm64", tmp_path_factory.mktemp("deployed"))


def build(architecture: str, folder: Path) -> Path:
    made = subprocess.run(
        [ROOT / "local" / "build", architecture, folder], capture_output=True, text=True, timeout=600, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / "build"


def roots(build: Path, name: str) -> list[str]:
    """Return what Lambda puts on a function's path."""
    function = "".join(word.capitalize() for word in name.split("_")) + "Function"
    return [str(build / part) for part in (function, "DependenciesLayer/python", "SharedLayer/python")]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_imports_with_nothing_else_on_the_path(built: Path, name: str) -> None:
    """Every module it loads comes with bytecode that is never compared with its source."""
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT, json.dumps(roots(built, name)), name]
    imported = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert imported.returncode == 0, imported.stderr
    bytecode = [Path(path) for path in json.loads(imported.stdout)]
    assert len(bytecode) > 5
    assert [path for path in bytecode if not path.is_file()] == []
    assert {path.read_bytes()[4:8] for path in bytecode} == {b"\x01\x00\x00\x00"}


def test_modules_that_are_imported_late_find_everything_too(built: Path) -> None:
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_ALL, json.dumps(roots(built, "posts"))]
    imported = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert imported.returncode == 0, imported.stderr


def test_every_source_file_ships_with_its_bytecode(deployed: Path) -> None:
    sources = list(deployed.rglob("*.py"))
    missing = [path for path in sources if not (path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc").is_file()]
    assert len(sources) > 500
    assert missing == []


def test_native_code_is_for_the_processor_of_the_functions(deployed: Path) -> None:
    libraries = [path for path in deployed.rglob("*") if ".so" in path.suffixes and path.is_file()]
    assert libraries
    assert {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries} == {AARCH64}


def test_what_is_deployed_is_what_was_imported(built: Path, deployed: Path) -> None:
    assert {path.relative_to(built) for path in built.rglob("*.py")} == {
        path.relative_to(deployed) for path in deployed.rglob("*.py")
    }


@pytest.mark.parametrize("which", ["built", "deployed"])
def test_everything_that_sam_would_upload_is_there(which: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(which)
    resources = yaml_parse((folder / "template.yaml").read_text())["Resources"]
    named = [
        resource["Properties"][uri]
        for resource in resources.values()
        for uri in ("CodeUri", "ContentUri", "DefinitionUri")
        if uri in resource.get("Properties", {})
    ]
    assert len(named) == len(FUNCTIONS) + 3
    assert [path for path in named if not (folder / path).exists()] == []


def test_layers_stay_within_what_lambda_unpacks(deployed: Path) -> None:
    size = sum(path.stat().st_size for path in deployed.glob("*Layer/**/*") if path.is_file())
    assert size < 250 * 1024 * 1024
