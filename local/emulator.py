"""The emulated AWS: MiniStack as a child process, and clients for it."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.processes import ROOT, Child, LocalError, child

REGION = "us-east-1"
ACCOUNT = "000000000000"
_PYTHON = ROOT / ".tools" / "ministack" / "bin" / "python"
_SECRET = "local"


class Emulator:
    """A running MiniStack."""

    def __init__(self, process: Child) -> None:
        self.process = process
        self.url: str = process.report["url"]

    def client(self, service: str, config: Config | None = None) -> Any:
        """Make a boto3 client that talks to it."""
        return client_of(self.url, service, config)

    def keep(self) -> None:
        """Let the state outlive the process from now on."""
        self.process.send_signal(signal.SIGUSR1)


def client_of(url: str, service: str, config: Config | None = None) -> Any:
    """Make a boto3 client that talks to the MiniStack at `url`."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=_SECRET,
        config=config,
    )


@contextmanager
def running_emulator(state: Path, logs: Path, function_environment: dict[str, str], *, port: int) -> Iterator[Emulator]:
    """Run MiniStack with its data in `state`, on `port` if that is free; functions find `function_environment`.

    Of our environment it gets only what a program needs to run at all, as in Lambda.
    """
    if not _PYTHON.exists():
        raise LocalError("MiniStack is not installed: run `make setup`.")
    services, temporary = state / "services", state / "tmp"
    # Objects are stored at once and all else at the end: without it they are what an unfinished start has left.
    shutil.rmtree(temporary if services.exists() else state, ignore_errors=True)
    temporary.mkdir(parents=True)
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    environment |= {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "IOT_MTLS_ENABLED": "0",
        "LAMBDA_WARM_TTL_SECONDS": "60",
        "MINISTACK_REGION": REGION,
        "PERSIST_STATE": "1",
        "PYTHONUNBUFFERED": "1",
        "S3_DATA_DIR": str(state / "s3"),
        "S3_PERSIST": "1",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(services),
        "TMPDIR": str(temporary),
    }
    environment |= function_environment
    # -P: the folder of the script is this package, not a place to import from.
    command: list[str | Path] = [_PYTHON, "-P", ROOT / "local" / "emulator_server.py", str(port)]
    with child("MiniStack", command, log=logs / "ministack.log", environment=environment) as process:
        yield Emulator(process)
