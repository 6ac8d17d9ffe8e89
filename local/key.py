"""python -m local.key: make an API key of the stack that runs here, or of one in AWS."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator import client_of
from local.options import DEFAULT_STATE
from local.processes import ROOT, LocalError, bypass_proxies
from local.state import running_address

if TYPE_CHECKING:
    from publisher.ports import Keys


def main() -> int:
    """Print the key's text on stdout, what else there is to know on stderr; 2 with one sentence when there is none."""
    parser = argparse.ArgumentParser(prog="make key", description=__doc__)
    parser.add_argument("--stack", help="the name of a stack in AWS; without it, the one that runs here")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="of the stack that runs here")
    parser.add_argument("--name", default="operator", help="what the key is for")
    parser.add_argument("--workspace", metavar="ID", help="without it the key opens a new workspace")
    parser.add_argument("--scope", action="append", metavar="SCOPE", help="may be repeated; without it, all")
    options = parser.parse_args()
    try:
        if options.stack:
            keys = open_keys(boto3.client("dynamodb"), _keys_table(options.stack))
        else:
            bypass_proxies()
            address = running_address(options.state)
            keys = open_keys(client_of(address.endpoint, "dynamodb"), address.keys_table)
        text, workspace_id = make_key(keys, options.name, options.workspace, options.scope)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"This key opens workspace {workspace_id} and is shown only now:", file=sys.stderr)
    print(text)
    return 0


def open_keys(dynamodb: Any, table: str) -> "Keys":
    """Return the keys in a table, through the service's own adapter."""
    shared = str(ROOT / "layers" / "shared")
    if shared not in sys.path:
        sys.path.append(shared)
    from publisher.aws.keys import DynamoKeys  # noqa: PLC0415 - the line above makes it importable
    from publisher.wiring import SystemClock  # noqa: PLC0415

    return DynamoKeys(dynamodb, table, SystemClock())


def make_key(
    keys: "Keys", name: str, workspace_id: str | None = None, scopes: list[str] | None = None
) -> tuple[str, str]:
    """Store a new key, and return its text and the id of its workspace."""
    from publisher.domain.errors import PublisherError  # noqa: PLC0415 - importable since open_keys
    from publisher.domain.keys import SCOPES  # noqa: PLC0415
    from publisher.use_cases.create_key import create_key  # noqa: PLC0415
    from publisher.wiring import SystemClock  # noqa: PLC0415

    try:
        key, text = create_key(
            keys, SystemClock(), name=name, workspace_id=workspace_id, scopes=tuple(scopes or SCOPES)
        )
    except PublisherError as error:
        raise LocalError(str(error)) from error
    return text.get_secret_value(), key.workspace_id


def first_key(keys: "Keys", file: Path) -> str:
    """Return the key kept in a file that only its owner may read; make one when there is none that opens the stack."""
    from publisher.domain.keys import split_key  # noqa: PLC0415 - importable since open_keys

    if file.exists():
        text = file.read_text()
        parts = split_key(text)
        if parts is not None and keys.get(parts[0]) is not None:
            return text
        file.unlink()
    text, _ = make_key(keys, "first key")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as private:
        private.write(text)
    return text


def _keys_table(stack: str) -> str:
    try:
        described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise LocalError(f"The stack {stack} cannot be read: {error}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    if "KeysTableName" not in outputs:
        raise LocalError(f"The stack {stack} has no output KeysTableName: is it this service?")
    return str(outputs["KeysTableName"])


if __name__ == "__main__":
    sys.exit(main())
