"""The port MediaProbes: its Lambda, as botocore sees it; tests/e2e/test_validate.py calls the function itself."""

import io
import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from publisher.aws.clients import client
from publisher.aws.media_probes import LambdaProbes
from publisher.domain.errors import InternalServerError, ServiceUnavailable
from publisher.ports import ProbedMedia

URLS = ["https://media.example/1.jpg", None]


@pytest.fixture
def stubbed(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = client("lambda")
    with Stubber(made) as stub:
        yield stub, LambdaProbes(made, "function")


def answer(body, **more):
    data = json.dumps(body).encode()
    return {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(data), len(data)), **more}


def test_what_the_function_saw_is_told_in_order(stubbed):
    stub, probes = stubbed
    request = {"workspaceId": "workspace-1", "mediaUrls": URLS, "seconds": 9.5}
    seen = [{"content_type": "image/jpeg", "size": 5}, {}]
    stub.add_response("invoke", answer({"media": seen}), {"FunctionName": "function", "Payload": json.dumps(request)})
    told = probes.probe("workspace-1", URLS, 9.5)
    assert told == [ProbedMedia(content_type="image/jpeg", size=5), ProbedMedia()]


def test_a_function_that_broke_or_ran_out_of_time_may_be_asked_again(stubbed):
    stub, probes = stubbed
    stub.add_response("invoke", answer({"errorMessage": "Task timed out"}, FunctionError="Unhandled"))
    with pytest.raises(ServiceUnavailable):
        probes.probe("workspace-1", URLS, 1)


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("TooManyRequestsException", 429, ServiceUnavailable),
        ("ServiceException", 500, ServiceUnavailable),
        ("AccessDeniedException", 403, InternalServerError),
    ],
)
def test_a_lambda_that_refuses_is_told_in_our_words(stubbed, code, status, error):
    stub, probes = stubbed
    stub.add_client_error("invoke", code, http_status_code=status)
    with pytest.raises(error) as refused:
        probes.probe("workspace-1", URLS, 1)
    assert "media.example" not in str(refused.value)
