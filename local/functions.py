"""The functions: each is a process of AWS's own runtime client on the source tree, started by MiniStack when called."""

import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator import Emulator
from local.front import FunctionFailed, Unavailable
from local.processes import ROOT

# How long API Gateway waits for a function.
_INTEGRATION_SECONDS = 30

# The entry point of a custom runtime. It is the same for all: the shell fills in what function_environment gives.
_BOOTSTRAP = """#!/bin/sh
export PYTHONPATH="$LOCAL_FUNCTION_PATH"
exec "$LOCAL_FUNCTION_PYTHON" -m awslambdaric "$_HANDLER" >>"$LOCAL_FUNCTION_LOGS/${_HANDLER%%.*}.log" 2>&1
"""


def function_environment(root: Path, logs: Path) -> dict[str, str]:
    """Return what every function's process needs beside the environment that the template gives it.

    The import roots are the two of Lambda: the functions' folder and the shared layer. A function logs to
    `logs/<its folder>.log`.
    """
    roots = [root / "functions", root / "layers" / "shared"]
    if sys.platform != "linux":
        roots.append(ROOT / "local" / "runtime")
    return {
        "LOCAL_FUNCTION_LOGS": str(logs),
        "LOCAL_FUNCTION_PATH": os.pathsep.join(map(str, roots)),
        "LOCAL_FUNCTION_PYTHON": sys.executable,
    }


def bootstrap_archive() -> bytes:
    """Return the code of every function, zipped."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        file.writestr(entry, _BOOTSTRAP)
    return archive.getvalue()


class Functions:
    """Calls functions by their logical ids, as API Gateway does."""

    def __init__(self, emulator: Emulator, names: dict[str, str]) -> None:
        """`names` are the physical names by logical id."""
        self._names = names
        config = Config(read_timeout=_INTEGRATION_SECONDS, retries={"total_max_attempts": 1}, max_pool_connections=100)
        self._client = emulator.client("lambda", config)

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Return the function's result; Unavailable or FunctionFailed when there is none."""
        try:
            answer = self._client.invoke(FunctionName=self._names[function], Payload=json.dumps(event))
        except (ClientError, BotoCoreError) as error:
            raise Unavailable from error
        result = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise FunctionFailed
        return result
