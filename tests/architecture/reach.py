"""What a function's code reaches: definitions, methods of ports, and through the adapters calls to AWS.

Read from the source. A name that a definition mentions counts as used, so the answer may be too large and is never too
small, as long as each use of a port names its method; except for the ports Keys and Sessions: only routes that need a
key ask for them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from tests.architecture.source import Module, module

WIRING = "publisher.wiring"


@dataclass(frozen=True)
class Definition:
    """A function or class at the top of a module."""

    module: Module
    name: str

    @property
    def node(self) -> ast.stmt:
        return _definitions(self.module)[self.name]


@dataclass(frozen=True)
class AwsCall:
    """A call to AWS that a port makes. `setting` is the field of Settings that names its resource.

    `index` is that of a table.
    """

    port: str
    service: str
    operation: str
    setting: str
    index: str | None = None


@dataclass(frozen=True)
class _Adapter:
    kind: Definition
    setting: str
    service: str


@cache
def _definitions(of: Module) -> dict[str, ast.stmt]:
    return {node.name: node for node in of.tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


@cache
def _known_names(of: Module) -> dict[str, Definition]:
    """Names that stand for definitions of ours: the module's own and imported ones."""
    known = {name: Definition(of, name) for name in _definitions(of)}
    for node in ast.walk(of.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("publisher."):
            source = module(str(node.module))
            known |= {
                alias.asname or alias.name: Definition(source, alias.name)
                for alias in node.names
                if alias.name in _definitions(source) and source.name != WIRING
            }
    return known


def definitions_behind(start: Module) -> set[Definition]:
    """Every definition that the module's code may come to, not through ports."""
    found: set[Definition] = set()
    todo = _named(start.tree, start)
    while todo:
        new = todo.pop()
        if new not in found:
            found.add(new)
            todo |= _named(new.node, new.module)
    return found


def _named(node: ast.AST, of: Module) -> set[Definition]:
    known = _known_names(of)
    return {known[name.id] for name in ast.walk(node) if isinstance(name, ast.Name) and name.id in known}


@cache
def port_methods(start: Module) -> frozenset[tuple[str, str]]:
    """Ports and their methods, such as ("posts", "save")."""
    nodes = [start.tree, *(definition.node for definition in definitions_behind(start))]
    return frozenset(use for node in nodes for use in _port_uses(node))


def _port_uses(node: ast.AST) -> Iterator[tuple[str, str]]:
    for found in ast.walk(node):
        match found:
            case ast.Attribute(value=ast.Attribute(value=ports, attr=port), attr=method) if _is_ports(ports):
                yield port, method


def unnamed_uses(of: Module) -> list[str]:
    """Where code takes a port without naming the method that it calls, which nobody could then follow."""
    called = {id(node.value) for node in ast.walk(of.tree) if isinstance(node, ast.Attribute)}
    return [
        f"{of.name}, line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(of.tree)
        if isinstance(node, ast.Attribute)
        and _is_ports(node.value)
        and node.attr in _adapters()
        and id(node) not in called
    ]


def _is_ports(node: ast.AST) -> bool:
    """`ports`, `self.ports`, `call.ports`."""
    return (isinstance(node, ast.Name) and node.id == "ports") or (
        isinstance(node, ast.Attribute) and node.attr == "ports"
    )


def aws_calls(uses: Iterable[tuple[str, str]]) -> set[AwsCall]:
    """What the adapters call at AWS when these methods of ports are used."""
    calls: set[AwsCall] = set()
    for port, method in uses:
        adapter = _adapters().get(port)
        if adapter:
            parts = set(_parts(adapter.kind, method))
            calls |= {AwsCall(port, adapter.service, *call) for part in parts for call in _calls(part, adapter.setting)}
            if any(_mentions(part, "_app") for part in parts):
                calls |= aws_calls([("app_secret", "app")])
    return calls


def adapters_of(ports: Iterable[str]) -> set[Module]:
    """The modules of the adapters that stand behind these ports."""
    return {_adapters()[port].kind.module for port in ports if port in _adapters()}


@cache
def _adapters() -> dict[str, _Adapter]:
    """By port, read from the wiring: `return Kind(self._client("service"), self.settings.name, …)`."""
    wiring = module(WIRING)
    (properties,) = (node.body for node in wiring.tree.body if isinstance(node, ast.ClassDef) and node.name == "Wiring")
    known = _known_names(wiring)
    adapters = {}
    for node in properties:
        if isinstance(node, ast.FunctionDef) and isinstance(node.body[-1], ast.Return):
            kinds = [name.id for name in ast.walk(node.body[-1]) if isinstance(name, ast.Name) and name.id in known]
            settings = [
                part.attr
                for part in ast.walk(node.body[-1])
                if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self.settings"
            ]
            services = [part.value for part in ast.walk(node.body[-1]) if isinstance(part, ast.Constant)]
            if kinds and settings:
                adapters[node.name] = _Adapter(known[kinds[0]], settings[0], str(services[0]) if services else "")
    return adapters


def _parts(kind: Definition, method: str) -> Iterator[ast.AST]:
    """The code of an adapter's method and of all that it comes to in its package."""
    found: set[tuple[Definition, str]] = set()
    todo = {(kind, method)}
    while todo:
        owner, name = todo.pop()
        if (owner, name) in found:
            continue
        found.add((owner, name))
        node = _method(owner, name) if isinstance(owner.node, ast.ClassDef) and name else owner.node
        yield node
        for used in _named(node, owner.module):
            if used.module.layer in ("aws", "tiktok"):
                todo.add((used, ""))
        for attribute in ast.walk(node):
            match attribute:
                case ast.Attribute(value=ast.Name(id="self"), attr=other) if _has_method(owner, other):
                    todo.add((owner, other))
                case ast.Attribute(value=ast.Attribute(value=ast.Name(id="self"), attr="_table"), attr=other):
                    todo.add((Definition(module("publisher.aws.table"), "Table"), other))


def _method(owner: Definition, name: str) -> ast.FunctionDef:
    return next(node for node in ast.walk(owner.node) if isinstance(node, ast.FunctionDef) and node.name == name)


def _has_method(owner: Definition, name: str) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in ast.walk(owner.node))


def _calls(part: ast.AST, setting: str) -> Iterator[tuple[str, str, str | None]]:
    """Operations of the client, their setting and index; a query is counted where its index is named."""
    for node in ast.walk(part):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=operation), args=arguments):
                called_on = ast.unparse(owner)
                if called_on == "self._client" and operation == "generate_presigned_url":
                    yield ast.literal_eval(arguments[0]), setting, None  # whoever has the address acts as its signer
                elif called_on == "self._client" and operation != "query":
                    yield operation, setting, None
                if called_on == "self._table" and operation == "query":
                    yield operation, setting, ast.literal_eval(arguments[0])


def _mentions(part: ast.AST, attribute: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == attribute for node in ast.walk(part))
