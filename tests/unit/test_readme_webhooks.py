"""What README says of webhooks works as it stands there."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from publisher.domain.endpoints import TEST, TYPES, new_secret, signed
from tests.builders import a_delivery

README = Path(__file__).resolve().parents[2] / "README.md"
SECTION = README.read_text().partition("\n### Webhooks\n")[2].partition("\n### ")[0]


@pytest.fixture
def is_ours() -> Callable[..., bool]:
    (code,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    found: Callable[..., bool] = names["is_ours"]
    return found


def test_the_example_accepts_what_we_send_and_nothing_else(is_ours):
    secret, other, delivery, now = new_secret(), new_secret(), a_delivery(), time.time()
    text, body = secret.get_secret_value(), delivery.body.encode()
    assert is_ours(text, signed(delivery, [secret], now), body)
    assert is_ours(text, signed(delivery, [other, secret], now), body)
    assert not is_ours(text, signed(delivery, [other], now), body)
    assert not is_ours(text, signed(delivery, [secret], now), body + b" ")
    assert not is_ours(text, signed(delivery, [secret], now - 301), body)
    headers = signed(delivery, [secret], now)
    assert not is_ours(text, {**headers, "webhook-id": "msg_2"}, body)
    assert not is_ours(text, {**headers, "webhook-signature": "v1,é v2,x"}, body)
    for missing in headers:
        assert not is_ours(text, {name: value for name, value in headers.items() if name != missing}, body)


def test_every_event_is_explained():
    assert re.findall(r"^\| `([a-z_.]+)` \|", SECTION, re.MULTILINE) == [*TYPES, TEST]
