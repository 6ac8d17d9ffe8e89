"""The contract that GET /openapi.json answers is the code's, whole, and every word of it is explained."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from local.contract.__main__ import FILE, text
from local.contract.operations import OPERATIONS
from publisher.domain import errors
from tests.architecture.test_identities import ROUTES

CONTRACT: dict[str, Any] = json.loads(FILE.read_text())
SCHEMAS: dict[str, Any] = CONTRACT["components"]["schemas"]
CALLS = [
    pytest.param(call, id=f"{method} {path}")
    for path, methods in CONTRACT["paths"].items()
    for method, call in methods.items()
]


def test_the_committed_contract_is_generated_from_the_code() -> None:
    assert FILE.read_text() == text(), "run `make contract`"


def test_it_is_openapi_3_1() -> None:
    validate(CONTRACT)
    assert CONTRACT["openapi"].startswith("3.1.")


def test_every_route_of_the_template_is_in_it_and_no_other_one() -> None:
    assert {(method, path) for _, method, path, _ in ROUTES} == set(OPERATIONS)


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_explained(call: dict[str, Any]) -> None:
    assert call["summary"]
    assert [one["name"] for one in call["parameters"] if not one["description"]] == []
    assert [status for status, answer in call["responses"].items() if not answer["description"]] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described(name: str) -> None:
    assert [field for field, schema in SCHEMAS[name].get("properties", {}).items() if not schema["description"]] == []


def test_every_error_that_an_answer_can_have_is_listed_with_its_code() -> None:
    told = " ".join(answer["description"] for call in _calls() for answer in call["responses"].values())
    # One is a family, of the other the first problem speaks.
    silent = {errors.RequestInvalid, errors.InvalidPost}
    codes = {kind.code for kind in _leaves(errors.PublisherError) if kind not in silent}
    assert {code for code in codes if f"`{code}`" not in told} == set()


def _leaves(kind: type[errors.PublisherError]) -> Iterator[type[errors.PublisherError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _leaves(child)


def _calls() -> Iterator[dict[str, Any]]:
    for methods in CONTRACT["paths"].values():
        yield from methods.values()


@pytest.mark.parametrize("call", CALLS)
def test_the_examples_are_what_their_schemas_say(call: dict[str, Any]) -> None:
    contents = [call["requestBody"]["content"]] if "requestBody" in call else []
    contents += [answer["content"] for answer in call["responses"].values() if "content" in answer]
    for content in contents:
        for described in content.values():
            examples = [described["example"]] if "example" in described else []
            examples += [one["value"] for one in described.get("examples", {}).values()]
            for example in examples:
                validator = Draft202012Validator({**described["schema"], "components": CONTRACT["components"]})
                assert [error.message for error in validator.iter_errors(example)] == []
