"""Processor time of importing each handler, beside `import boto3` and one client: what a cold start pays at least."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from publisher.settings import Settings
from tests.bench.report import Row

ROOT = Path(__file__).parents[2]
ROUNDS = 9
MOST = 1.6
"""How many times the baseline a handler that answers HTTP may take."""
BASELINE = 'import boto3; boto3.client("dynamodb")'
CLIENT = "from publisher.wiring import wired; wired().posts"
"""What the first request with a key does beside: read the settings and make one client."""
MEASURE = "import time; began = time.process_time(); exec({code!r}); print(time.process_time() - began)"


def run(rounds: int = ROUNDS) -> list[Row]:
    """Import each handler in a process of its own, in turn with the baseline; medians."""
    handlers = {path.parent.name: path.read_text() for path in sorted((ROOT / "functions").glob("*/app.py"))}
    codes = {"baseline": BASELINE, **{f"import {folder}": f"import {folder}.app" for folder in handlers}}
    codes |= {
        f"import {folder}, make a client": f"import {folder}.app; {CLIENT}"
        for folder, text in handlers.items()
        if "api.route(" in text
    }
    for code in codes.values():
        _seconds(code)  # writes the bytecode, which is there in Lambda too
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            seconds[name].append(_seconds(code))
    taken = {name: 1000 * median(values) for name, values in seconds.items()}
    baseline = taken.pop("baseline")
    promised = {f"import {folder}" for folder, text in handlers.items() if "Api()" in text}
    return [
        Row(name, ours, baseline, "ms CPU", f"at most {MOST} times", ours <= MOST * baseline)
        if name in promised
        else Row(name, ours, baseline, "ms CPU")
        for name, ours in sorted(taken.items())
    ]


def _seconds(code: str) -> float:
    required = [name for name, field in Settings.model_fields.items() if field.is_required()]
    template = {name.upper(): "https://example.com" for name in required}
    environment = {
        **template,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT / "functions"), str(ROOT / "layers" / "shared")]),
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    command = [sys.executable, "-c", MEASURE.format(code=code)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)
