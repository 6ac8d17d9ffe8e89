"""Looking at media elsewhere, by a function of its own, in Lambda."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from publisher.aws.calls import aws_call
from publisher.domain.errors import ServiceUnavailable
from publisher.ports import ProbedMedia

_MEDIA = TypeAdapter(list[ProbedMedia])


class LambdaProbes:
    """The port MediaProbes. `client` is a boto3 client of Lambda; `function` is the ARN of what looks."""

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def probe(self, workspace_id: str, media_urls: Sequence[str | None], seconds: float) -> Sequence[ProbedMedia]:
        """Look at each; ServiceUnavailable when the function does not answer."""
        request = {"workspaceId": workspace_id, "mediaUrls": list(media_urls), "seconds": seconds}
        with aws_call("Lambda"):
            answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(request))
            told = answer["Payload"].read()
        if "FunctionError" in answer:
            raise ServiceUnavailable("Looking at the media did not work.", "Try again in a moment.")
        return _MEDIA.validate_python(json.loads(told)["media"])
