"""Generate the contract from routes, models and errors."""

import importlib
from collections import defaultdict
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from local.contract.examples import ANSWERED, BULK_CSV, FAILED, POSTS
from local.contract.operations import CSV, OPENAPI, OPERATIONS, PAGE, REDIRECT, TEXT, Operation
from local.contract.words import FIELDS, HEADERS, NEVER_NULL, PARAMETERS, REQUIRED, TAGS, VALUES
from publisher.api import FailureAnswer, PostAnswer
from publisher.domain import errors
from publisher.web import STATUS, Api

ROOT = Path(__file__).resolve().parents[2]

type Json = dict[str, Any]
type Models = dict[Any, str]

_EVERY: tuple[type[errors.PublisherError], ...] = (errors.InternalServerError, errors.ServiceUnavailable)
_WITH_KEY: tuple[type[errors.PublisherError], ...] = (
    errors.InvalidApiKey,
    errors.InsufficientScope,
    *([errors.ForgedRequest] if hasattr(errors, "ForgedRequest") else []),
)
_WITH_BODY: tuple[type[errors.PublisherError], ...] = (errors.InvalidRequest,)
_FORM: Json = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary", "description": "The file."}},
            }
        }
    },
}
_NULL: Json = {"type": "null"}
_KEYS = ("boring-api-key", "x-api-key")


def generate() -> Json:
    """Return the contract; an error names a route without an operation or a field without words."""
    names, schemas = _schemas()
    paths: dict[str, Json] = defaultdict(dict)
    routes = _routes()
    for method, path in sorted(routes, key=list(OPERATIONS).index):
        scope, summary = routes[method, path]
        paths[path][method.lower()] = _operation(method, path, names, scope=scope, summary=summary)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TikTok publisher",
            "version": "2",
            "summary": "Publishes videos, photo carousels and drafts to connected TikTok accounts.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                **{name: {"type": "apiKey", "in": "header", "name": name} for name in _KEYS},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _routes() -> dict[tuple[str, str], tuple[str | None, str]]:
    """Return the scope and the summary of each route of all functions."""
    found: dict[tuple[str, str], tuple[str | None, str]] = {}
    for file in sorted((ROOT / "functions").glob("*/app.py")):
        api = getattr(importlib.import_module(f"{file.parent.name}.app"), "api", None)
        if isinstance(api, Api):
            found |= {route: (scope, api.summaries[route]) for route, scope in api.routes.items()}
    return found


def _schemas() -> tuple[Models, Json]:
    """Return the models' names, and their schemas with words for every field."""
    asked: dict[tuple[type[BaseModel], str], None] = {(FailureAnswer, "serialization"): None}
    for operation in OPERATIONS.values():
        if operation.body:
            asked[operation.body, "validation"] = None
        for answer in operation.answers.values():
            if not isinstance(answer, str):
                asked[answer, "serialization"] = None
    references, definitions = models_json_schema(
        list(asked),  # type: ignore[arg-type]  # the modes are literals
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    schemas: Json = definitions["$defs"]
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            described.pop("title", None)
            _narrow(name, field, described)
            described["description"] = words_of(name, field)
        schema.pop("title", None)
        if name in REQUIRED:
            schema["required"] = list(REQUIRED[name])
    names: Models = {model: reference["$ref"].rpartition("/")[2] for model, reference in references.items()}
    return names, dict(sorted(schemas.items()))


def _narrow(model: str, field: str, described: Json) -> None:
    """Write what a field may hold where its model takes more than the code behind it."""
    never_null = field in REQUIRED.get(model, ()) or field in NEVER_NULL.get(model, ())
    if values := VALUES.get(f"{model}.{field}"):
        nullable = _NULL in described.pop("anyOf", ()) and not never_null
        described |= {"anyOf": [values, _NULL]} if nullable else values
    if never_null:
        described.pop("default", None)


def words_of(model: str, field: str) -> str:
    """Return what a field means; KeyError when nobody has said it."""
    name = to_camel(field)
    return FIELDS.get(f"{model}.{name}") or FIELDS[name]


def _operation(method: str, path: str, names: Models, *, scope: str | None, summary: str) -> Json:
    operation = OPERATIONS[method, path]
    described: Json = {
        "operationId": _id_of(method, path),
        "tags": [operation.tag],
        "summary": summary,
        "parameters": [*_path_parameters(path), *_query(operation), *_headers(operation)],
        "responses": _answers(path, operation, names) | _failures(path, scope, operation),
        "security": [{name: []} for name in (*_KEYS, "bearer")] if scope else [],
    }
    if scope:
        described["description"] = f"Needs a key with the scope `{scope}`."
    if operation.body:
        described["requestBody"] = _body(path, operation, names)
    if operation.file_body:
        described["requestBody"] = _FORM
    return described


def _id_of(method: str, path: str) -> str:
    words = [part.strip("{}") for part in path.split("/") if part] or ["front"]
    return to_camel("_".join([method.lower(), *(word.replace("-", "_") for word in words)]))


def _path_parameters(path: str) -> list[Json]:
    names = [part[1:-1].rstrip("+") for part in path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "description": PARAMETERS[name], "schema": {"type": "string"}}
        for name in names
    ]


def _query(operation: Operation) -> list[Json]:
    return [
        {
            "name": query.name,
            "in": "query",
            "required": query.required,
            "description": query.means,
            "schema": query.values,
        }
        for query in operation.query
    ]


def _headers(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "header", "required": False, "description": HEADERS[name], "schema": {"type": "string"}}
        for name in operation.headers
    ]


def _body(path: str, operation: Operation, names: Models) -> Json:
    assert operation.body is not None
    content: Json = {"application/json": {"schema": _reference(operation.body, "validation", names)}}
    if path == "/v2/posts":
        content["application/json"]["examples"] = POSTS
    if operation.csv_body:
        content[CSV] = {"schema": {"type": "string"}, "example": BULK_CSV}
    return {"required": not operation.body_optional, "content": content}


def _reference(model: type[BaseModel], mode: str, names: Models) -> Json:
    return {"$ref": f"#/components/schemas/{names[model, mode]}"}


def _answers(path: str, operation: Operation, names: Models) -> Json:
    answers: Json = {}
    for status, answer in operation.answers.items():
        described: Json = {"description": HTTPStatus(status).phrase}
        if answer == REDIRECT:
            described["headers"] = {"Location": {"description": "Where to go on.", "schema": {"type": "string"}}}
            described["content"] = {TEXT: {"schema": {"type": "string"}}}
        elif isinstance(answer, str):
            described["content"] = {answer: {"schema": {"type": "object" if answer == OPENAPI else "string"}}}
        else:
            described["content"] = {"application/json": {"schema": _reference(answer, "serialization", names)}}
            if answer is PostAnswer and status == HTTPStatus.OK:
                described["content"]["application/json"]["example"] = ANSWERED
        answers[str(status)] = described
    if "/oauth/" in path and "200" in answers:
        answers["200"]["content"][PAGE] = {"schema": {"type": "string"}}
    if path.endswith("/history"):
        answers["200"]["content"][CSV] = {"schema": {"type": "string"}}
    return answers


def _failures(path: str, scope: str | None, operation: Operation) -> Json:
    kinds = {*operation.errors, *_EVERY, *(_WITH_KEY if scope else ()), *(_WITH_BODY if operation.body else ())}
    if "{" in path:
        kinds.add(errors.NotFound)  # also when what stands there can be no name
    by_status: dict[int, set[str]] = defaultdict(set)
    for kind in kinds:
        by_status[_status_of(kind)].add(f"`{kind.code}`: {_sentence(kind)}")
    failures = {str(status): _failure(path, sorted(lines)) for status, lines in sorted(by_status.items())}
    if "429" in failures:
        failures["429"]["headers"] = {
            name: {"description": HEADERS[name], "schema": {"type": "string"}}
            for name in ("Retry-After", "RateLimit", "RateLimit-Policy")
        }
    return failures


def _failure(path: str, lines: Iterable[str]) -> Json:
    content: Json = {
        "application/json": {"schema": {"$ref": "#/components/schemas/FailureAnswer"}, "example": FAILED},
    }
    if "/oauth/" in path:
        content[PAGE] = {"schema": {"type": "string"}}
    return {"description": "\n\n".join(lines), "content": content}


def _status_of(kind: type[errors.PublisherError]) -> int:
    return next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS)


def _sentence(kind: type[errors.PublisherError]) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())
