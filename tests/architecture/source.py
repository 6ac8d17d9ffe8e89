"""The production code as the architecture tests see it: modules, their layers and what they import."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
SHARED = ROOT / "layers" / "shared"
USE_CASES = SHARED / "publisher" / "use_cases"


@dataclass(frozen=True)
class Module:
    """One file. `name` is what it is imported by, in Lambda as here."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def layer(self) -> str:
        """`domain`, `use_cases`, `web` … or `functions`; the package's own file is `publisher`."""
        parts = self.name.split(".")
        if parts[0] != "publisher":
            return "functions"
        return parts[1] if len(parts) > 1 else "publisher"

    @cached_property
    def imports(self) -> frozenset[str]:
        """Dotted names; `from publisher import ports` counts as publisher.ports."""
        return frozenset(_imports(self.tree))

    @property
    def own_imports(self) -> list["Module"]:
        return [module for module in production() if module.name in self.imports]

    @property
    def foreign_imports(self) -> set[str]:
        """Top-level names of third-party packages."""
        names = {name.partition(".")[0] for name in self.imports}
        return names - set(sys.stdlib_module_names) - {"publisher"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(package), names=names, level=0):
                modules = [f"{package}.{alias.name}" for alias in names if _is_own(f"{package}.{alias.name}")]
                yield from modules or [package]
            case ast.ImportFrom():
                raise AssertionError(f"line {node.lineno}: relative imports hide where a module is")


def _is_own(name: str) -> bool:
    path = SHARED / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


@cache
def production() -> tuple[Module, ...]:
    """Every module of functions/ and layers/shared."""
    found = [Module(_name(path, root), path) for root in (FUNCTIONS, SHARED) for path in sorted(root.rglob("*.py"))]
    assert found, "no source found"
    return tuple(found)


def _name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module(name: str) -> Module:
    return next(found for found in production() if found.name == name)


def reachable(start: Module) -> set[Module]:
    """The module and all of ours that it imports, however far away."""
    found, todo = {start}, [start]
    while todo:
        new = set(todo.pop().own_imports) - found
        found |= new
        todo += new
    return found


def function_folders() -> list[str]:
    return sorted(path.name for path in FUNCTIONS.iterdir() if path.is_dir() and path.name != "__pycache__")


def snake(name: str) -> str:
    """UploadChunks becomes upload_chunks."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


def camel(name: str) -> str:
    """upload_chunks becomes UploadChunks."""
    return "".join(part.capitalize() for part in name.split("_"))
