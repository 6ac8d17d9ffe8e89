"""Having deliveries sent, by a function of its own, in Lambda."""

import json
from collections.abc import Sequence
from typing import Any

from publisher.aws.calls import aws_call
from publisher.ports import DeliveryKey


class LambdaCourier:
    """The port Courier. `client` is a boto3 client of Lambda; `function` is the ARN of what sends."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def nudge(self, keys: Sequence[DeliveryKey]) -> None:
        """Have these sent now; nobody waits for it."""
        event = {"deliveries": [key.model_dump() for key in keys]}
        with aws_call("Lambda"):
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event))
