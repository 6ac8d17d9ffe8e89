"""The examples do what they say on a workspace that is as empty as a newcomer's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.emulator import client_of
from local.key import make_key, open_keys
from local.state import running_address
from tests.conftest import ROOT, Film, MediaServer
from tests.e2e.client import Client, decide
from tests.pictures import plain

EXAMPLES = ROOT / "examples"
COMMANDS = {
    "publish.py": [sys.executable, str(EXAMPLES / "publish.py")],
    "publish.mjs": ["node", str(EXAMPLES / "publish.mjs")],
    "publish.sh": ["bash", str(EXAMPLES / "publish.sh")],
}
ENDED = [
    "Photo carousel: PUBLISH_COMPLETE",
    "Photo draft: SEND_TO_USER_INBOX",
    "Public video: PUBLISH_COMPLETE",
    "Video for friends: PUBLISH_COMPLETE",
    "Branded content: PUBLISH_COMPLETE",
    "Your brand: PUBLISH_COMPLETE",
]
PATIENCE_SECONDS = 240


class Newcomer:
    """Who runs an example with a workspace of their own, and opens the link that it prints."""

    def __init__(self, name: str, key: str, client: Client, film: Film, media_server: MediaServer) -> None:
        photos = [media_server.put(f"{name}-{number}.jpg", plain("JPEG", size=(600, 800))) for number in (1, 2)]
        environment = {
            **os.environ,
            "PUBLISHER_URL": client.api,
            "PUBLISHER_KEY": key,
            "VIDEO_URL": film.url,
            "PHOTO_URLS": " ".join(photos),
        }
        self._example = subprocess.Popen(
            COMMANDS[name], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._example.stdout is not None
        link = self._example.stdout.readline().strip()
        with requests.Session() as browser:
            decide(browser, browser.get(link.rpartition(" ")[2], timeout=40), client.new_creator())

    def ended(self) -> tuple[int, str]:
        """Return the exit code, and all that was printed after the link."""
        told, _ = self._example.communicate(timeout=PATIENCE_SECONDS)
        return self._example.returncode, told


@pytest.fixture(scope="module")
def newcomers(state: Path, client: Client, film: Film, media_server: MediaServer) -> dict[str, Newcomer]:
    """All of them at once, since each mostly waits."""
    address = running_address(state)
    keys = open_keys(client_of(address.endpoint, "dynamodb"), address.keys_table)
    return {name: Newcomer(name, make_key(keys, "example")[0], client, film, media_server) for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_connects_publishes_all_six_kinds_and_reads_the_figures(
    name: str, newcomers: dict[str, Newcomer]
) -> None:
    code, told = newcomers[name].ended()
    assert code == 0, told
    lines = told.splitlines()
    assert [next(line for line in lines if line.startswith(ended)) for ended in ENDED], told
    assert "As expected, refused: " in told
    assert "Followers: " in told


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_that_is_refused_says_why_in_a_sentence(client: Client, name: str) -> None:
    environment = {"PUBLISHER_URL": client.api, "PUBLISHER_KEY": "wrong", "VIDEO_URL": "x", "PHOTO_URLS": "x"}
    done = subprocess.run(
        COMMANDS[name], env=os.environ | environment, capture_output=True, text=True, check=False, timeout=40
    )
    assert done.returncode != 0
    assert "Invalid or missing API key" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "    at " not in done.stderr
