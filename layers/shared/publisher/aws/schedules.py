"""What starts posts at a time: EventBridge Scheduler, one schedule for each post and second, gone when it has fired."""

import json
import math
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from publisher.aws.calls import aws_call
from publisher.domain.limits import SCHEDULE_RETRY_SECONDS

_SERVICE = "EventBridge Scheduler"


class EventBridgeSchedules:
    """The port Schedules. `client` is a boto3 client of EventBridge Scheduler, `group` the group of the schedules.

    `target`, `role` and `dead_letter` are the ARNs of the function that is called with the post's id, of the role that
    may call it, and of the queue for what could not be delivered.
    """

    def __init__(self, client: Any, group: str, target: str, role: str, dead_letter: str) -> None:
        self._client = client
        self._group = group
        self._target = target
        self._role = role
        self._dead_letter = dead_letter

    def put(self, post_id: str, at: float) -> None:
        """Have a post started at an epoch second, rounded up to a whole one; EventBridge is late by up to a minute."""
        moment = datetime.fromtimestamp(math.ceil(at), UTC)
        try:
            with aws_call(_SERVICE, "ConflictException"):
                self._client.create_schedule(
                    GroupName=self._group,
                    Name=_name(post_id, at),
                    ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})",
                    ScheduleExpressionTimezone="UTC",
                    FlexibleTimeWindow={"Mode": "OFF"},
                    ActionAfterCompletion="DELETE",
                    Target={
                        "Arn": self._target,
                        "RoleArn": self._role,
                        "Input": json.dumps({"postId": post_id}),
                        "RetryPolicy": {"MaximumEventAgeInSeconds": int(SCHEDULE_RETRY_SECONDS)},
                        "DeadLetterConfig": {"Arn": self._dead_letter},
                    },
                )
        except ClientError:
            return  # it is there already: the name stands for one post and second

    def remove(self, post_id: str, at: float) -> None:
        """Take that back; no error when it has fired."""
        try:
            with aws_call(_SERVICE, "ResourceNotFoundException"):
                self._client.delete_schedule(GroupName=self._group, Name=_name(post_id, at))
        except ClientError:
            return  # it has fired, or was taken back before


def _name(post_id: str, at: float) -> str:
    return f"{post_id}-{math.ceil(at)}"
