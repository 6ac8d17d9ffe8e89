"""The port Courier: its Lambda, as botocore sees it; tests/e2e/test_notices.py has the function called."""

import json

import pytest
from botocore.stub import Stubber

from publisher.aws.clients import client
from publisher.aws.courier import LambdaCourier
from publisher.domain.errors import InternalServerError, ServiceUnavailable
from publisher.ports import DeliveryKey

KEYS = [DeliveryKey(endpoint_id="endpoint-1", notice_id="msg_1"), DeliveryKey(endpoint_id="e", notice_id="msg_2")]


@pytest.fixture
def stubbed(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = client("lambda")
    with Stubber(made) as stub:
        yield stub, LambdaCourier(made, "deliver")


def test_the_sender_is_called_with_the_deliveries_and_nobody_waits_for_it(stubbed):
    stub, courier = stubbed
    event = {
        "deliveries": [
            {"endpoint_id": "endpoint-1", "notice_id": "msg_1"},
            {"endpoint_id": "e", "notice_id": "msg_2"},
        ]
    }
    request = {"FunctionName": "deliver", "InvocationType": "Event", "Payload": json.dumps(event)}
    stub.add_response("invoke", {"StatusCode": 202}, request)
    courier.nudge(KEYS)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("AccessDeniedException", 403, InternalServerError),
        ("TooManyRequestsException", 429, ServiceUnavailable),
        ("ServiceException", 500, ServiceUnavailable),
    ],
)
def test_a_sender_that_cannot_be_called_is_told_of(stubbed, code, status, error):
    stub, courier = stubbed
    stub.add_client_error("invoke", code, http_status_code=status)
    with pytest.raises(error):
        courier.nudge(KEYS)
