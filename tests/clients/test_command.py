"""`publisher`, installed and run as its users do, against the local stack over HTTP."""

import hashlib
import json
import os
import pty
import re
import stat
import subprocess
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import requests

from tests.clients.conftest import BadService, Program
from tests.e2e.client import Client, decide
from tests.e2e.test_local_runtime import run

COMMANDS = [
    "login",
    "logout",
    "accounts",
    "creator",
    "limits",
    "publish",
    "schedule",
    "posts",
    "post",
    "edit",
    "cancel",
]
COMMANDS += ["retry", "stats", "doctor", "mcp"]


@pytest.fixture
def user(program: Program, ready: dict[str, Any]) -> Program:
    """A user who has signed in by the environment."""
    program.environment |= {"PUBLISHER_URL": ready["api"], "PUBLISHER_KEY": ready["apiKey"]}
    return program


@pytest.fixture
def at(account: dict[str, Any]) -> list[str]:
    """The option that names the account."""
    return ["--account", f"@{account['tiktok_username']}"]


def same_times(told: Any) -> Any:
    """Return JSON with each moment in one spelling."""
    if isinstance(told, dict):
        return {name: same_times(one) for name, one in told.items()}
    if isinstance(told, list):
        return [same_times(one) for one in told]
    if isinstance(told, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", told):
        return datetime.fromisoformat(told)
    return told


def later(**ahead: int) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat(timespec="seconds")


def post_id_of(text: str) -> str:
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
    assert found, text
    return found[0]


def test_who_signs_in_is_signed_in_until_signing_out(program: Program, ready):
    assert program.run("accounts").returncode == 3
    done = program.run("login", "--url", ready["api"] + "/", told=ready["apiKey"] + "\n")
    assert done.returncode == 0, done.stderr
    assert ready["apiKey"] not in done.stdout + done.stderr
    file = Path(program.environment["HOME"]) / ".config/tiktok-publisher/login.json"
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert program.run("accounts").returncode == 0
    assert program.run("logout").returncode == 0
    assert not file.exists()
    assert program.run("accounts").returncode == 3


def test_a_wrong_key_is_not_kept(program: Program, ready):
    refused = program.run("login", "--url", ready["api"], told="tkp_live_" + "x" * 40)
    assert (refused.returncode, program.run("accounts").returncode) == (3, 3)
    assert "What to do:" in refused.stderr
    assert "x" * 40 not in refused.stderr


def test_a_stored_key_goes_to_its_own_address_only(program: Program, ready, service: BadService):
    assert program.run("login", "--url", ready["api"], told=ready["apiKey"]).returncode == 0
    assert program.run("accounts", PUBLISHER_URL=service.url).returncode == 3
    assert program.run("accounts", PUBLISHER_KEY="tkp_live_other").returncode == 3
    assert service.scene.heard == []
    assert program.run("accounts", PUBLISHER_URL=ready["api"]).returncode == 0


def test_a_film_of_this_computer_is_published_byte_for_byte(user: Program, client: Client, at, large_film):
    done = user.run("publish", str(large_film.path), *at, "--text", "A rabbit #film", "--privacy", "SELF_ONLY")
    assert done.returncode == 0, done.stderr
    size = large_film.path.stat().st_size
    assert f"large.mp4: uploaded, {size} bytes" in done.stderr
    assert "PUBLISH_COMPLETE" in done.stdout
    post = user.json("post", post_id_of(done.stdout))
    assert (post["status"], post["text"]) == ("PUBLISH_COMPLETE", "A rabbit #film")
    assert client.upload_of(post["publish_id"])["sha256"] == hashlib.sha256(large_film.path.read_bytes()).hexdigest()
    for moment in post["timeline"]:
        assert moment["step"] in done.stderr


def test_the_same_command_with_the_same_key_makes_one_post(user: Program, client: Client, account, at, film):
    key = str(uuid.uuid4())
    command = ["publish", str(film.path), *at, "--privacy", "SELF_ONLY", "--idempotency-key", key]
    first, second = user.run(*command), user.run(*command)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert post_id_of(first.stdout) == post_id_of(second.stdout)
    assert len(client.posts_of(account)) == 1


def test_a_url_is_published_and_json_is_all_of_stdout(user: Program, client: Client, account, at, film):
    post = user.json("publish", film.url, *at, "--privacy", "PUBLIC_TO_EVERYONE", "--allow-comment")
    assert (post["status"], post["options"]["allowComment"], post["options"]["allowDuet"]) == (
        "PUBLISH_COMPLETE",
        True,
        False,
    )
    assert len(client.posts_of(account)) == 1
    listed = user.json("posts", *at)["posts"]
    assert [one["postSubmissionId"] for one in listed] == [post["postSubmissionId"]]
    shown = client.wait_for_address(post["postSubmissionId"])  # nothing is found out about it afterwards
    assert same_times(user.json("post", post["postSubmissionId"])) == same_times({**shown, "requestId": ANY})


def test_a_post_is_checked_and_not_published(user: Program, client: Client, account, at, film):
    good = user.run("publish", str(film.path), *at, "--privacy", "SELF_ONLY", "--check")
    assert (good.returncode, "nothing was published" in good.stdout) == (0, True), good.stderr
    page = film.url.replace("film.mp4", "page")
    wrong = ("publish", page, *at, "--privacy", "SELF_ONLY", "--text", "x" * 3000, "--check")
    refused = user.run(*wrong)
    assert refused.returncode == 2
    assert "2200" in refused.stdout.replace(",", "")
    assert "a web page" in refused.stdout
    told = json.loads(user.run(*wrong, "--json").stdout)
    assert [problem["code"] for problem in told["problems"]] == ["TextTooLong", "InvalidMediaType"]
    assert client.opened_for(account) == []


def test_a_draft_needs_no_privacy_and_ends_in_the_inbox(user: Program, at, film):
    done = user.run("publish", film.url, *at, "--draft")
    assert (done.returncode, "SEND_TO_USER_INBOX" in done.stdout) == (0, True), done.stderr


def test_privacy_is_never_guessed(user: Program, client: Client, account, at, film):
    refused = user.run("publish", film.url, *at)
    assert refused.returncode == 2
    assert "--privacy with one of PUBLIC_TO_EVERYONE" in refused.stderr
    assert client.opened_for(account) == []


def test_at_a_terminal_it_asks_who_may_see_it_and_draws_a_bar(user: Program, at, large_film):
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [str(user.path), "publish", str(large_film.path), *at],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=user.environment,
        text=True,
    )
    os.close(theirs)
    shown = b""
    while b"Number: " not in shown:
        shown += os.read(ours, 1000)
    choice = re.search(rb"(\d) SELF_ONLY", shown)
    assert choice, shown
    os.write(ours, choice[1] + b"\n")
    try:
        while more := os.read(ours, 10000):
            shown += more
    except OSError:  # the other end of a terminal is closed
        pass
    out, _ = running.communicate(timeout=60)
    os.close(ours)
    assert running.returncode == 0, shown
    assert "PUBLISH_COMPLETE" in out
    # Of the file alone: a look at the post may show another bar, of the service's upload to TikTok.
    bars = re.findall(r"large\.mp4 [█░]{30} +(\d+)%", shown.decode())
    assert len(bars) > 2
    assert bars == sorted(bars, key=int)
    assert bars[-1] == "100"


def test_a_scheduled_post_is_listed_changed_and_cancelled(user: Program, client: Client, account, at, film):
    made = user.json("publish", film.url, *at, "--privacy", "SELF_ONLY", "--text", "Later", "--at", later(days=2))
    assert made["status"] == "SCHEDULED"
    post = made["postSubmissionId"]
    moved = user.json("edit", post, "--text", "Much later", "--at", later(days=3))
    assert moved["text"] == "Much later"
    listed = user.run("schedule", *at)
    assert (post in listed.stdout, "Much later" in listed.stdout) == (True, True)
    assert user.run("cancel", post).returncode == 0
    assert user.json("schedule", *at) == {"posts": []}
    assert user.run("post", post, "--wait").returncode == 1
    assert client.opened_for(account) == []


def test_a_local_time_without_a_zone_is_refused(user: Program, at, film):
    refused = user.run("publish", film.url, *at, "--privacy", "SELF_ONLY", "--at", "2027-01-01T10:00:00")
    assert refused.returncode == 2
    assert "timezone" in refused.stderr


def test_a_failed_post_says_why_and_can_be_tried_again(user: Program, at, media_server):
    film = f"{media_server.url}/{uuid.uuid4()}.mp4"
    failed = user.run("publish", film, *at, "--privacy", "SELF_ONLY")
    assert failed.returncode == 1
    assert "MediaDownloadFailed" in failed.stdout
    media_server.put(film.rpartition("/")[2], (media_server.folder / "film.mp4").read_bytes())
    again = user.run("retry", post_id_of(failed.stdout))
    assert (again.returncode, "PUBLISH_COMPLETE" in again.stdout) == (0, True), again.stderr


def test_an_account_is_connected_by_the_link_that_is_printed(user: Program, client: Client, creator: str):
    running = subprocess.Popen(
        [str(user.path), "accounts", "connect"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=user.environment,
        text=True,
    )
    assert running.stdout is not None
    browser = requests.Session()
    page = browser.get(running.stdout.readline().strip(), timeout=40)
    assert decide(browser, page, creator).status_code == 200
    out, told = running.communicate(timeout=60)
    assert (running.returncode, f"Connected @{creator}" in out) == (0, True), told
    assert any(one["tiktok_username"] == creator for one in user.json("accounts")["accounts"])


def test_creator_limits_and_stats_are_shown(user: Program, account, at, film):
    assert user.run("publish", film.url, *at, "--privacy", "PUBLIC_TO_EVERYONE").returncode == 0
    name = f"@{account['tiktok_username']}"
    assert "SELF_ONLY" in user.run("creator", name).stdout
    assert user.json("limits", name)["limits"]
    assert user.json("stats", name)["account_id"] == account["account_id"]
    assert "followers" in user.run("stats", name).stdout
    assert user.run("stats", name, "--history").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["publish"], "required"),
        (["publish", "none.mp4", "--privacy", "SELF_ONLY"], "There is no file none.mp4"),
        (["publish", "https://e.example/a.mp4", "--privacy", "EVERYBODY"], "PUBLIC_TO_EVERYONE"),
        (["publish", "https://e.example/a.mp4", "--privacy", "SELF_ONLY", "--account", "@nobody_at_all"], "no account"),
        (["post", "none"], "What to do:"),
    ],
    ids=str,
)
def test_what_is_wrong_ends_with_2_and_says_so(user: Program, account, arguments: list[str], says: str):
    done = user.run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_key_without_the_scope_ends_with_3(user: Program, account, at, film, state):
    made = run("local.key", "--state", str(state), "--name", "reader", "--scope", "accounts:read")
    assert made.returncode == 0, made.stderr
    done = user.run("posts", "--json", PUBLISHER_KEY=made.stdout.strip())
    assert done.returncode == 3
    assert json.loads(done.stdout)["code"] == "InsufficientScope"


def test_limits_end_with_4_and_say_when_to_come_back(user: Program, service: BadService):
    service.scene.faults = ["429 after 2400"]
    done = user.run("accounts", PUBLISHER_URL=service.url)
    assert (done.returncode, "try again in seconds 2400" in done.stderr) == (4, True)


def test_an_outcome_that_nobody_knows_ends_with_5(user: Program, service: BadService):
    service.scene.faults = ["cut-after"]
    done = user.run("retry", "post-1", PUBLISHER_URL=service.url)
    assert (done.returncode, "look before you try again" in done.stderr) == (5, True)


@pytest.mark.parametrize("fault", ["401", "404", "429 after 2400", "other 200"])
def test_once_a_post_is_accepted_whatever_fails_ends_with_5_and_names_the_post(
    user: Program, service: BadService, fault: str
):
    service.scene.faults = ["none", fault]
    done = user.run("retry", "post-1", PUBLISHER_URL=service.url)
    assert (done.returncode, "publisher post post-1 --wait" in done.stderr) == (5, True)


def test_a_disk_that_is_full_does_not_make_an_accepted_post_look_as_if_it_were_none(user: Program, service: BadService):
    with Path("/dev/full").open("w") as full:
        done = user.run("retry", "post-1", "--no-wait", "--json", PUBLISHER_URL=service.url, stdout=full)
        asked = user.run("accounts", "--json", PUBLISHER_URL=service.url, stdout=full)
    assert (done.returncode, "publisher post post-1 --wait" in done.stderr) == (5, True)
    assert (asked.returncode, "No space left" in asked.stderr) == (4, True)


def test_a_reader_that_has_gone_ends_the_command_quietly_with_the_code_of_what_happened(
    user: Program, service: BadService
):
    for arguments in (["accounts", "--json"], ["retry", "post-1", "--no-wait"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = user.run(*arguments, PUBLISHER_URL=service.url, stdout=writer)
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_post_is_made_although_nobody_listens_to_what_is_said_of_it(user: Program, service: BadService):
    reader, writer = os.pipe()
    os.close(reader)
    service.scene.faults = ["none", "404"]
    done = user.run("retry", "post-1", PUBLISHER_URL=service.url, stdout=writer, stderr=writer)
    os.close(writer)
    assert done.returncode == 5
    assert ("POST", "/v2/posts/post-1/retry") in service.scene.heard


def test_help_teaches_every_command_with_examples_and_exit_codes(program: Program):
    told = program.run("--help").stdout
    assert re.findall(r"^  ([0-5])  |   (3)  ", told, re.MULTILINE)
    for command in COMMANDS:
        assert re.search(rf"^    {command} ", told, re.MULTILINE), command
        assert program.run(command, "--help").returncode == 0
    assert "examples:" in program.run("publish", "--help").stdout


def test_a_strangers_text_steers_no_terminal(user: Program, at, film):
    text = "\x1b]0;owned\x07\x1b[2J hello"
    made = user.json("publish", film.url, *at, "--privacy", "SELF_ONLY", "--text", text, "--at", later(days=2))
    shown = user.run("posts", *at).stdout
    assert made["postSubmissionId"] in shown
    assert "\x1b" not in shown
    assert user.run("cancel", made["postSubmissionId"]).returncode == 0


def test_a_cut_off_upload_is_gone_on_with(user: Program, client: Client, at, large_film, tmp_path: Path):
    film = tmp_path / "cut.mp4"
    film.write_bytes(large_film.path.read_bytes())
    command = [str(user.path), "publish", str(film), *at, "--privacy", "SELF_ONLY"]
    running = subprocess.Popen(command, env=user.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    kept = Path(user.environment["HOME"]) / ".config/tiktok-publisher/uploads.json"
    until = time.monotonic() + 30
    while not kept.exists() or not _received(client, upload := _upload_of(kept)):
        assert time.monotonic() < until
        time.sleep(0.02)
    running.kill()
    running.communicate()
    done = user.run(*command[1:])
    assert done.returncode == 0, done.stderr
    assert _upload_of(kept) == upload
    post = user.json("post", post_id_of(done.stdout))
    assert client.upload_of(post["publish_id"])["sha256"] == hashlib.sha256(film.read_bytes()).hexdigest()


def _upload_of(kept: Path) -> str:
    (one,) = json.loads(kept.read_text()).values()
    return str(one["upload"])


def _received(client: Client, upload: str) -> bool:
    parts = client.get(f"/v2/media/uploads/{upload}").json()["parts"]
    return any(part["received"] for part in parts)
