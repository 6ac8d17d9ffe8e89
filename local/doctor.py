"""python -m local.doctor: look whether the stack that runs here, or one in AWS, is set up."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import requests

from local.options import DEFAULT_STATE
from local.processes import LocalError, bypass_proxies
from local.state import running_address

_ANSWER_SECONDS = 35
_KEY = "PUBLISHER_KEY"


def main() -> int:
    """Print the findings; 0 when nothing failed, 1 when something did, 2 with one sentence when nobody answers."""
    parser = argparse.ArgumentParser(prog="make doctor", description=__doc__)
    parser.add_argument(
        "--url", help=f"root of an API in AWS, whose admin key is in {_KEY}; else the stack that runs here"
    )
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="of the stack that runs here")
    options = parser.parse_args()
    try:
        url, key = (options.url.rstrip("/"), _own_key()) if options.url else _running(options.state)
        checkup = _ask(url, key)
    except LocalError as error:
        print(error, file=sys.stderr)
        return 2
    for finding in checkup["findings"]:
        print(f"{finding['status']:<8} {finding['check']}: {finding['finding']}")
        if finding["advice"]:
            print(f"         → {finding['advice']}")
    return 0 if checkup["healthy"] else 1


def _own_key() -> str:
    key = os.environ.get(_KEY)
    if not key:
        raise LocalError(f"Put an admin key of the stack into the environment as {_KEY}; make key makes one.")
    return key


def _running(state: Path) -> tuple[str, str]:
    bypass_proxies()
    return running_address(state).api, (state / "api_key").read_text()


def _ask(url: str, key: str) -> dict[str, Any]:
    try:
        answer = requests.get(f"{url}/v2/doctor", headers={"boring-api-key": key}, timeout=_ANSWER_SECONDS)
        told = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise LocalError(f"{url} does not answer as this service does: {error}") from error
    if not answer.ok:
        raise LocalError(f"{url} answered {answer.status_code}: {told.get('error')} {told.get('message')}")
    return dict(told)


if __name__ == "__main__":
    sys.exit(main())
