"""The operator's check of a running stack, over HTTP and as `make doctor` runs it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.client import Client, decide, photos
from tests.e2e.conftest import ROOT
from tests.e2e.test_local_runtime import run
from tests.pictures import picture

APP = "apps/sandbox-client-key"


def _doctor(*arguments: str, key: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "local.doctor", *arguments]
    environment = os.environ | {"PUBLISHER_KEY": key}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def _findings(operator: Client) -> list[dict[str, Any]]:
    """Return what is found, but of webhooks: events are the whole stack's, and other tests send bad ones."""
    findings: list[dict[str, Any]] = operator.get("/v2/doctor").json()["findings"]
    return [finding for finding in findings if finding["check"] != "webhook"]


def _failed(operator: Client) -> set[str]:
    return {finding["check"] for finding in _findings(operator) if finding["status"] == "failed"}


@pytest.fixture
def operator(client: Client, state: Path) -> Client:
    """An admin of a workspace without a past: the doctor also reads what became of earlier posts."""
    made = run("local.key", "--state", str(state), "--name", "operator")
    assert made.returncode == 0, made.stderr
    return Client(client.api, made.stdout.strip(), client.tiktok)


def test_a_stack_that_works_has_no_failed_finding(operator: Client) -> None:
    operator.new_account()
    status = {finding["check"]: finding["status"] for finding in _findings(operator)}
    assert "failed" not in status.values()
    assert {check for check, how in status.items() if how == "ok"} == {"app credentials", "clock", "accounts", "quotas"}


def test_a_wrong_secret_is_found_and_make_doctor_says_what_to_do(operator: Client, state: Path) -> None:
    there = ("--url", operator.api)
    key = operator.headers["boring-api-key"]
    operator.sandbox("PATCH", APP, {"client_secret": "another secret"})
    try:
        assert _failed(operator) == {"app credentials"}
        for doctor in (_doctor("--state", str(state)), _doctor(*there, key=key)):
            assert doctor.returncode == 1, doctor.stderr
            assert "failed   app credentials: " in doctor.stdout
            assert "→ The operator stores the right key and secret of the app." in doctor.stdout
            assert "sandbox-client-secret" not in doctor.stdout
    finally:
        operator.sandbox("PATCH", APP, {"client_secret": "sandbox-client-secret"})
    assert _failed(operator) == set()
    assert "ok       app credentials: " in _doctor(*there, key=key).stdout


def test_a_scope_that_a_creator_did_not_grant_is_named(operator: Client) -> None:
    browser = requests.Session()
    granted = ("user.info.basic", "video.upload")
    answer = decide(browser, operator.start(browser), operator.new_creator(), scopes=granted)
    (finding,) = [finding for finding in _findings(operator) if finding["check"] == "scopes"]
    assert answer.json()["account"]["account_id"] in finding["finding"]
    assert "video.publish" in finding["finding"]
    assert "video.upload" not in finding["finding"]
    assert "connects it again" in finding["advice"]


def test_an_address_that_tiktok_has_not_verified_is_found_once_photos_failed_for_it(
    operator: Client, media_server
) -> None:
    url = media_server.put("doctor.jpg", picture(600, 700, "JPEG"))
    account = operator.new_account()
    assert "address" not in {finding["check"] for finding in _findings(operator)}
    operator.sandbox("PATCH", APP, {"verified_properties": []})
    try:
        assert operator.publish_and_wait(photos(account, [url])).post["status"] == "FAILED"
    finally:
        operator.sandbox("POST", f"{APP}/properties/verify", {"url_prefix": f"{operator.api}/"})
    assert _failed(operator) == {"address"}


def test_an_account_that_has_to_be_connected_again_is_found(operator: Client) -> None:
    account = operator.new_account()
    operator.sandbox("POST", "actions", {"action": "revoke", "username": account["tiktok_username"]})
    operator.get(f"/v2/accounts/{account['account_id']}/creator-info")  # by which the service learns of it
    (finding,) = [finding for finding in _findings(operator) if finding["status"] == "failed"]
    assert finding["check"] == "accounts"
    assert f"{account['account_id']} is reauthorize" in finding["finding"]
    assert "connects it again" in finding["advice"]


def test_where_no_stack_runs_the_doctor_says_so(tmp_path: Path) -> None:
    doctor = _doctor("--state", str(tmp_path))
    assert (doctor.returncode, doctor.stdout) == (2, "")
    assert "make local" in doctor.stderr


def test_an_api_elsewhere_is_only_asked_with_a_key(operator: Client) -> None:
    doctor = _doctor("--url", operator.api)
    assert (doctor.returncode, doctor.stdout) == (2, "")
    assert "PUBLISHER_KEY" in doctor.stderr
