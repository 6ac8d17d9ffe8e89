"""From template.yaml to CloudFormation that MiniStack can run, and the routes of its HTTP API."""

import ast
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import yaml
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.emulator import REGION
from local.processes import LocalError

BOOTSTRAP_BUCKET, BOOTSTRAP_KEY = "local-bootstrap", "bootstrap.zip"


class Route(NamedTuple):
    """One route of the HTTP API: `method` may be ANY, `path` as in the template, `function` its logical id."""

    method: str
    path: str
    function: str


class Template(NamedTuple):
    """A template ready to be deployed: CloudFormation, and what MiniStack does not make of it."""

    cloudformation: dict[str, Any]
    routes: list[Route]


def read_template(path: Path) -> Template:
    """Read a SAM template whose paths are relative to its folder.

    Functions become custom runtimes (see stack.py) and run from the source tree, so layers are left out. Raises
    LocalError with one sentence when the template, or a file it names, cannot be used.
    """
    try:
        sam = yaml_parse(path.read_text())
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise LocalError(f"{path.name} is not valid YAML{_place(error)}.") from error
    if not isinstance(sam, dict) or not isinstance(sam.get("Resources"), dict):
        raise LocalError(f"{path.name} has no Resources.")
    shared = sam.get("Globals", {}).get("Function", {})
    shared.pop("Layers", None)
    for name, resource in list(sam["Resources"].items()):
        match resource.get("Type"):
            case "AWS::Serverless::LayerVersion":
                del sam["Resources"][name]
            case "AWS::Serverless::Function":
                _run_from_source(path, name, resource["Properties"], shared)
            case "AWS::Serverless::StateMachine":
                _inline_definition(path, name, resource["Properties"])
    # The map is of AWS's managed policies: our functions name their permissions themselves.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    try:
        cloudformation = translator.translate(sam, parameter_values={})
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise LocalError(f"{path.name} is not a valid SAM template: {_one_line(causes)}") from error
    finally:
        translator.metrics.publish()  # else it complains on stderr in the end
    missing = _references(cloudformation) - set(cloudformation["Resources"]) - set(cloudformation.get("Parameters", {}))
    if missing:
        raise LocalError(f"{path.name} refers to {', '.join(sorted(missing))}, which it does not define.")
    return Template(cloudformation, _routes(cloudformation))


def _run_from_source(template: Path, name: str, function: dict[str, Any], shared: dict[str, Any]) -> None:
    source = template.parent / function.get("CodeUri", shared.get("CodeUri", ""))
    handler = str(function.get("Handler"))
    module, _, attribute = handler.rpartition(".")
    file = source / (module.replace(".", "/") + ".py")
    if not file.is_file():
        raise LocalError(f"{template.name}: the handler {handler} of {name} needs {file}, which does not exist.")
    try:
        statements = ast.parse(file.read_text()).body
    except SyntaxError as error:
        raise LocalError(f"{file}, line {error.lineno}: {error.msg}.") from error
    if not any(attribute in _names_defined(statement) for statement in statements):
        raise LocalError(f"{template.name}: the handler {handler} of {name}: {file} defines no {attribute}.")
    function |= {
        "CodeUri": f"s3://{BOOTSTRAP_BUCKET}/{BOOTSTRAP_KEY}",
        "Runtime": "provided.al2023",
        "Architectures": ["x86_64"],  # not looked at
    }
    function.pop("Layers", None)


def _names_defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _inline_definition(template: Path, name: str, machine: dict[str, Any]) -> None:
    """Put the machine's definition into the template, so that a changed file is a changed template."""
    file = template.parent / machine.pop("DefinitionUri", "")
    try:
        machine["Definition"] = json.loads(file.read_text())
    except OSError as error:
        raise LocalError(f"{template.name}: the definition of {name}, {file}, cannot be read.") from error
    except json.JSONDecodeError as error:
        raise LocalError(f"{file} is not valid JSON: {error}.") from error


def _references(part: Any) -> set[str]:
    """Return the names that a template refers to; CloudFormation refuses unknown ones, MiniStack does not look."""
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(_references, part.values()))
    match part:
        case {"Ref": str(name)} if not name.startswith("AWS::"):
            found.add(name)
        case {"Fn::GetAtt": [str(name), *_]}:
            found.add(name)
        case {"Fn::Sub": str(text)}:
            found |= set(re.findall(r"\$\{(\w+)(?:\.\w+)?}", text))
    return found


def _routes(cloudformation: dict[str, Any]) -> list[Route]:
    routes = []
    for resource in cloudformation["Resources"].values():
        if resource["Type"] != "AWS::ApiGatewayV2::Api":
            continue
        for path, methods in resource["Properties"]["Body"]["paths"].items():
            for method, operation in methods.items():
                target = re.search(r"\$\{(\w+)\.Arn}", json.dumps(operation["x-amazon-apigateway-integration"]["uri"]))
                assert target is not None  # the translator writes it so
                verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
                routes.append(Route(verb, path, target.group(1)))
    return routes


def _place(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f", line {mark.line + 1}: {problem}" if mark and problem else f": {_one_line(error)}"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
