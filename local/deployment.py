"""Put a template into MiniStack, or bring what is there up to date."""

import json
import time
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from local.emulator import Emulator
from local.functions import bootstrap_archive
from local.processes import LocalError
from local.template import BOOTSTRAP_BUCKET, BOOTSTRAP_KEY, Template

_STACK = "publisher"
_TEMPLATE_KEY = "template.json"
_POLL_SECONDS = 0.05


def deploy(emulator: Emulator, template: Template, parameters: dict[str, str]) -> dict[str, str]:
    """Create or update the stack and return the physical names of its resources by their logical ids.

    Data, keys and schedules of a stack that is there stay. Raises LocalError with CloudFormation's reason.
    """
    storage = emulator.client("s3")
    with suppress(storage.exceptions.BucketAlreadyOwnedByYou):
        storage.create_bucket(Bucket=BOOTSTRAP_BUCKET)
    storage.put_object(Bucket=BOOTSTRAP_BUCKET, Key=BOOTSTRAP_KEY, Body=bootstrap_archive())
    storage.put_object(Bucket=BOOTSTRAP_BUCKET, Key=_TEMPLATE_KEY, Body=json.dumps(template.cloudformation))
    request = {
        "StackName": _STACK,
        "TemplateURL": f"{emulator.url}/{BOOTSTRAP_BUCKET}/{_TEMPLATE_KEY}",
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    cloudformation = emulator.client("cloudformation")
    action = "UPDATE" if _exists(cloudformation) else "CREATE"
    if _begin(cloudformation, action, request):
        _await(cloudformation, action)
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=_STACK)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}


def _exists(cloudformation: Any) -> bool:
    try:
        cloudformation.describe_stacks(StackName=_STACK)
    except ClientError:
        return False
    return True


def _begin(cloudformation: Any, action: str, request: dict[str, Any]) -> bool:
    """Start to create or update the stack; return False when it is already as it should be."""
    try:
        if action == "CREATE":
            cloudformation.create_stack(**request)
        else:
            cloudformation.update_stack(**request)
    except ClientError as error:
        reason = error.response["Error"]["Message"]
        if reason.startswith("No updates"):
            return False
        raise LocalError(f"template.yaml cannot be deployed: {reason}") from error
    return True


def _await(cloudformation: Any, action: str) -> None:
    while (status := _status(cloudformation)).endswith("_IN_PROGRESS"):
        time.sleep(_POLL_SECONDS)
    if status != f"{action}_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=_STACK)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        # Newest first: the oldest is the cause of the others.
        cause = failed[-1]
        reason = cause.get("ResourceStatusReason", "no reason given")
        raise LocalError(f"template.yaml cannot be deployed: {cause['LogicalResourceId']}: {reason}")


def _status(cloudformation: Any) -> str:
    return str(cloudformation.describe_stacks(StackName=_STACK)["Stacks"][0]["StackStatus"])
