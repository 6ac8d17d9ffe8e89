"""The API of a stack as its operator calls it: of the one that runs here, or of one in AWS."""

import argparse
import os
from pathlib import Path
from typing import Any

import requests

from local.options import DEFAULT_STATE
from local.processes import LocalError, bypass_proxies
from local.state import running_address

_ANSWER_SECONDS = 35
_KEY = "PUBLISHER_KEY"


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a program take from its command line whose API it calls."""
    parser.add_argument(
        "--url", help=f"root of an API in AWS, whose admin key is in {_KEY}; else the stack that runs here"
    )
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="of the stack that runs here")


def chosen_service(options: argparse.Namespace) -> tuple[str, str]:
    """Return the API's root and an admin key; LocalError when no stack runs here, or the key is missing."""
    if options.url:
        key = os.environ.get(_KEY)
        if not key:
            raise LocalError(f"Put an admin key of the stack into the environment as {_KEY}; make key makes one.")
        return options.url.rstrip("/"), key
    bypass_proxies()
    return running_address(options.state).api, (options.state / "api_key").read_text()


def call_service(url: str, key: str, method: str, path: str) -> dict[str, Any]:
    """Return what the API answers; LocalError when that is an error, or nobody answers."""
    try:
        answer = requests.request(method, url + path, headers={"boring-api-key": key}, timeout=_ANSWER_SECONDS)
        told = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise LocalError(f"{url} does not answer as this service does: {error}") from error
    if not answer.ok:
        raise LocalError(f"{url} answered {answer.status_code}: {told.get('error')} {told.get('message')}")
    return dict(told)
