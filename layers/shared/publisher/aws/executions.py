"""Runs of the state machine, in Step Functions."""

import json
from typing import Any

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.domain.posts import Post, execution_name

_UNDER_WAY = ("RUNNING", "PENDING_REDRIVE")


class StepFunctions:
    """The port Executions. `client` is a boto3 client of Step Functions; `machine` is the machine's ARN."""

    def __init__(self, client: Any, machine: str) -> None:
        self._client = client
        self._machine = machine

    def start(self, post: Post) -> None:
        """Start the execution of this post and revision; one that was started before is left alone."""
        name = execution_name(post)
        ids = {"postId": post.post_id, "accountId": post.account_id, "execution": name}
        try:
            with aws_call("Step Functions", "ExecutionAlreadyExists"):
                self._client.start_execution(stateMachineArn=self._machine, name=name, input=json.dumps(ids))
        except ClientError:
            return  # it was started before: the name stands for one post and revision

    def running(self, post: Post) -> bool:
        """Tell whether the execution of this post and revision is under way."""
        executions = self._machine.replace(":stateMachine:", ":execution:")
        try:
            with aws_call("Step Functions", "ExecutionDoesNotExist"):
                answer = self._client.describe_execution(executionArn=f"{executions}:{execution_name(post)}")
        except ClientError:
            return False
        return answer["status"] in _UNDER_WAY
