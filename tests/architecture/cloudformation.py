"""template.yaml as CloudFormation: what SAM makes of it, and short ways to read it."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.architecture.source import ROOT, snake

Template = dict[str, Any]
Resource = dict[str, Any]


def read_template() -> Template:
    """Return the template as it is written."""
    template: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def translate() -> Template:
    """Return the CloudFormation that SAM makes of the template; where the code is stored does not matter."""
    sam = read_template()
    sam["Globals"]["Function"]["CodeUri"] = "s3://bucket/code"
    for resource in sam["Resources"].values():
        for place in {"ContentUri", "DefinitionUri"} & set(resource["Properties"]):
            resource["Properties"][place] = "s3://bucket/code"
    session = boto3.Session(region_name="eu-central-1")
    translated: Template = Translator({}, Parser(), boto_session=session).translate(sam, parameter_values={})
    return translated


def of_type(template: Template, kind: str) -> dict[str, Resource]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def functions_of(template: Template) -> dict[str, Resource]:
    """Properties by folder."""
    found = of_type(template, "AWS::Lambda::Function")
    return {snake(name.removesuffix("Function")): function["Properties"] for name, function in found.items()}


def permissions_of(role: Resource) -> list[tuple[str, str]]:
    """Action and resource of each permission; a resource is the text of its reference."""
    permissions = []
    for policy in role["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            permissions += [(action, reference(statement["Resource"])) for action in actions]
    return permissions


def reference(value: Any) -> str:
    """`Name.Arn`, `Name`, the text of a substitution with what it is made from, or `Condition ? this : that`."""
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Ref": name}:
            return str(name)
        case {"Fn::Sub": [text, names]}:
            return re.sub(r"\$\{(__\w+__|functionName)\}", lambda found: reference(names[found[1]]), text)
        case {"Fn::Sub": text}:
            return str(text)
        case {"Fn::If": [condition, then, otherwise]}:
            return f"{condition} ? {reference(then)} : {reference(otherwise)}"
        case str():
            return value
    raise AssertionError(f"{value} is no reference")


def texts(value: Any) -> Iterator[str]:
    """Every key and every text."""
    match value:
        case dict():
            for name, part in value.items():
                yield from (str(name), *texts(part))
        case list():
            for part in value:
                yield from texts(part)
        case str():
            yield value


def conditions_in(value: Any) -> Iterator[str]:
    """Every condition that something depends on."""
    match value:
        case dict():
            for name, part in value.items():
                if name == "Condition" and isinstance(part, str):
                    yield part
                if name == "Fn::If":
                    yield str(part[0])
                yield from conditions_in(part)
        case list():
            for part in value:
                yield from conditions_in(part)


def named(value: Any) -> Iterator[str]:
    """Every name that something refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text))
        case {"Fn::Sub": [str(text), dict(names)]}:
            yield from (name for name in re.findall(r"\$\{([\w:]+)[^}]*\}", text) if name not in names)
            yield from named(names)
        case dict():
            for part in value.values():
                yield from named(part)
        case list():
            for part in value:
                yield from named(part)
