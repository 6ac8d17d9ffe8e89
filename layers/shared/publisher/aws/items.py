"""How our models are stored in DynamoDB, and how they are read back.

A number is written with the digits that Python prints for it, at most 17, and DynamoDB keeps 38: every float comes
back as it was.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

Item = dict[str, dict[str, Any]]


def to_item(model: BaseModel, **attributes: object) -> Item:
    """Return a model's fields, and further attributes, as DynamoDB takes them; None is left out."""
    fields = {**model.model_dump(mode="json"), **attributes}
    return {name: encode(value) for name, value in fields.items() if value is not None}


def from_item[M: BaseModel](model: type[M], item: Mapping[str, dict[str, Any]]) -> M:
    """Read a model back: what is not stored was None, or has its default; what is no field is passed over."""
    fields = model.model_fields.items()
    stored = {name: decode(item[name]) for name, _ in fields if name in item}
    return model.model_validate({name: None for name, field in fields if field.is_required()} | stored)


def encode(value: object) -> dict[str, Any]:
    """Return a JSON value as a DynamoDB attribute."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": repr(value)}
        case str() | bytes():
            return {"S" if isinstance(value, str) else "B": value}
        case list() | tuple():
            return {"L": [encode(part) for part in value]}
        case dict():
            return {"M": {name: encode(part) for name, part in value.items()}}
    raise TypeError(f"DynamoDB cannot hold a {type(value).__name__}")


def decode(attribute: Mapping[str, Any]) -> object:
    """Return a DynamoDB attribute as a JSON value."""
    ((kind, value),) = attribute.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return json.loads(value)
        case "L":
            return [decode(part) for part in value]
        case "M":
            return {name: decode(part) for name, part in value.items()}
        case _:
            return value


def key(kind: str, *names: str) -> Item:
    """Return the primary key of an item, for example `key("post", post_id)`."""
    return {"pk": {"S": "#".join((kind, *names))}}


def request_key(workspace_id: str, idempotency_key: str) -> Item:
    """Return the primary key of a request; its Idempotency-Key may hold any character, so its hash stands for it."""
    return key("request", workspace_id, sha256(idempotency_key.encode()).hexdigest())


def created(at: float, name: str = "") -> str:
    """Return a text that sorts as time does, and by name within a microsecond; without a name it is a bound."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{stamp}#{name}" if name else stamp


def expires(at: float) -> int:
    """Return the whole epoch second after which DynamoDB may remove an item."""
    return math.ceil(at)
