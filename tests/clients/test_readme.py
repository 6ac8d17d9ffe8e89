"""What README says of the client works as it stands there."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.clients.conftest import Program

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """Return the code of README's section on the client."""
    section = README.read_text().partition("\n## From Python and the command line\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


def made_true(text: str, ready: dict[str, Any], account: dict[str, Any]) -> str:
    """Put the test's own address, account and time in the place of README's."""
    text = text.replace("http://127.0.0.1:8080", ready["api"]).replace("@rabbit", f"@{account['tiktok_username']}")
    coming = datetime.now(UTC) + timedelta(days=20)
    return text.replace("2026-12-24", f"{coming:%Y-%m-%d}").replace("tkp_live_…", ready["apiKey"])


def test_its_commands_work_one_after_the_other(program: Program, ready, account, film):
    shutil.copy(film.path, program.cwd / "rabbit.mp4")
    commands = [line for block in blocks("") for line in block.splitlines() if line.startswith("publisher ")]
    assert len(commands) == 9
    shown = []
    for command in commands:
        arguments = shlex.split(made_true(command, ready, account))[1:]
        done = program.run(*arguments, told=ready["apiKey"])
        assert done.returncode == 0, (command, done.stderr)
        shown.append(done.stdout)
    assert [one["status"] for one in json.loads(shown[-2])["posts"]] == ["SCHEDULED", "PUBLISH_COMPLETE"]


def test_its_python_works(program: Program, ready, account, film):
    shutil.copy(film.path, program.cwd / "rabbit.mp4")
    (code,) = blocks("python")
    command = [sys.executable, "-c", made_true(code, ready, account)]
    done = subprocess.run(
        command, env=program.environment, cwd=program.cwd, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("PUBLISH_COMPLETE")


def test_its_configuration_for_models_is_json_that_runs_our_command(program: Program):
    (server,) = json.loads(blocks("json")[0])["mcpServers"].values()
    assert (server["command"], server["args"][0]) == ("publisher", "mcp")
    assert {"PUBLISHER_URL", "PUBLISHER_KEY"} == set(server["env"])
    assert server["args"][1] in program.run("mcp", "--help").stdout
