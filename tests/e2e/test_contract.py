"""The running API answers what its contract says: whatever is sent, no fault, no status and no body beside it."""

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.contract.operations import OPERATIONS
from tests.conftest import Film
from tests.e2e.client import Client, a_video

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ANSWER_SECONDS, EXAMPLES = 40, 6


@pytest.fixture(scope="module")
def contract(ready: dict[str, Any]) -> Any:
    return schemathesis.openapi.from_url(f"{ready['api']}/openapi.json")


@pytest.fixture(scope="module")
def names(client: Client, film: Film) -> dict[str, str]:
    """What there is in the workspace; what is generated instead is not there."""
    account = client.new_account()
    post = client.publish_and_wait(a_video(account, film.url)).post
    upload = requests.post(
        f"{client.api}/v2/media/uploads", json={"fileName": "a.mp4", "size": 1000}, headers=client.headers, timeout=40
    ).json()
    key = requests.post(f"{client.api}/v2/keys", json={"name": "spare"}, headers=client.headers, timeout=40).json()
    webhooks = f"{client.api}/v2/webhooks"
    hook = {"url": "https://hooks.invalid/"}
    webhook = requests.post(webhooks, json=hook, headers=client.headers, timeout=40).json()
    delivery = requests.post(f"{webhooks}/{webhook['webhookId']}/test", headers=client.headers, timeout=40).json()
    version = requests.get(client.api, timeout=40).text.partition("/assets/")[2].partition("/")[0]
    return {
        "account_id": account["account_id"],
        "postSubmissionId": post["postSubmissionId"],
        "uploadId": upload["uploadId"],
        "keyId": key["keyId"],
        "webhookId": webhook["webhookId"],
        "deliveryId": delivery["deliveryId"],
        "video_id": next(iter(post["postIds"]), "1"),
        "version": version,
        "folder": "views",
    }


@pytest.mark.parametrize(("method", "path"), [pytest.param(*route, id=" ".join(route)) for route in OPERATIONS])
def test_an_answer_is_one_of_those_that_the_contract_names(
    contract: Any, names: dict[str, str], client: Client, method: str, path: str
) -> None:
    headers = {**client.headers, "Prefer": "respond-async"}

    @settings(max_examples=EXAMPLES, derandomize=True, database=None)
    @given(case=contract[path][method].as_strategy(), real=booleans())
    def ask(case: Any, real: bool) -> None:
        # Every second question is about something that exists; random ids alone would only ever find nothing.
        if real:
            case.path_parameters.update({name: names[name] for name in case.path_parameters if name in names})
            case.query.update({name: names[name] for name in ("account_id",) if name in case.query})
        response = case.call(headers=headers, timeout=ANSWER_SECONDS, allow_redirects=False)
        case.validate_response(response, checks=CHECKS)

    ask()
