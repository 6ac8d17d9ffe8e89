"""The operator's check of a running stack, over HTTP and as `make doctor` runs it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.e2e.client import Client


def _doctor(state: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local.doctor", "--state", str(state)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_a_wrong_secret_is_found_and_the_right_one_is_accepted(client: Client, state: Path) -> None:
    app = "apps/sandbox-client-key"
    told = client.get("/v2/doctor").json()
    checks: dict[str, Any] = {finding["check"]: finding["status"] for finding in told["findings"]}
    assert checks["app credentials"] == checks["clock"] == "ok"
    client.sandbox("PATCH", app, {"client_secret": "another secret"})
    try:
        found = [finding for finding in client.get("/v2/doctor").json()["findings"] if finding["status"] == "failed"]
        assert "app credentials" in {finding["check"] for finding in found}
        doctor = _doctor(state)
        assert doctor.returncode == 1, doctor.stderr
        assert "failed   app credentials: " in doctor.stdout
        assert "→ The operator stores the right key and secret of the app." in doctor.stdout
    finally:
        client.sandbox("PATCH", app, {"client_secret": "sandbox-client-secret"})
    assert "ok       app credentials: " in _doctor(state).stdout


def test_where_no_stack_runs_the_doctor_says_so(tmp_path: Path) -> None:
    doctor = _doctor(tmp_path)
    assert (doctor.returncode, doctor.stdout) == (2, "")
    assert "make local" in doctor.stderr
