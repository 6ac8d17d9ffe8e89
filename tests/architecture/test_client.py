"""The client is a package of its own: it knows the service by its API alone."""

from tests.architecture.source import FUNCTIONS, ROOT, Module

OURS = {"publisher", "local", "tests", *(path.name for path in FUNCTIONS.iterdir())}
MAY_USE = {
    "mcp_server": {"mcp", "pydantic"},
    "models": {"pydantic"},
    "transport": {"requests", "urllib3"},
    "words": {"pydantic"},
}
"""What its modules may import of others, besides the standard library."""

MODULES = [Module(path.stem, path) for path in sorted((ROOT / "clients/python/src/publisher_client").glob("*.py"))]


def test_it_imports_nothing_of_the_service():
    assert MODULES
    assert [module.name for module in MODULES if {name.partition(".")[0] for name in module.imports} & OURS] == []


def test_its_modules_use_only_the_packages_that_they_own():
    used = {module.name: module.foreign_imports - {"publisher_client"} for module in MODULES}
    assert {name: names for name, names in used.items() if not names <= MAY_USE.get(name, set())} == {}
