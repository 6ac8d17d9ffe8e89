"""`publisher mcp`, as a model's program uses it: the official SDK's client over stdin and stdout."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mcp
import pytest
from mcp.types import TextContent

from tests.clients.conftest import BadService, Program
from tests.clients.test_transport import KEY
from tests.e2e.client import Client

Task = Callable[[mcp.Client], Awaitable[Any]]


@pytest.fixture
def talk(program: Program, ready: dict[str, Any], film, tmp_path: Path) -> Callable[[Task], Any]:
    """A way to talk to the server, which may publish files of one folder."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "rabbit.mp4").write_bytes(film.path.read_bytes())
    (folder / "secrets.txt").write_text("secret")
    (folder / "link.mp4").symlink_to(tmp_path / "outside.mp4")
    (tmp_path / "outside.mp4").write_bytes(film.path.read_bytes())
    server = mcp.StdioServerParameters(
        command=str(program.path),
        args=["mcp", "--files", str(folder)],
        env=program.environment
        | {"PUBLISHER_URL": ready["api"], "PUBLISHER_KEY": ready["apiKey"], "PYTHONWARNINGS": "default"},
    )

    async def run(task: Task) -> Any:
        async with mcp.Client(server) as client:
            return await task(client)

    return lambda task: asyncio.run(run(task))


async def use(client: mcp.Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that works, and return what it says."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refusal(client: mcp.Client, tool: str, **arguments: Any) -> str:
    """Call a tool that does not work, and return why."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    return result.content[0].text


def name_of(account: dict[str, Any]) -> str:
    return f"@{account['tiktok_username']}"


@pytest.mark.parametrize("fault", ["401", "429 after 2400", "other 200"])
def test_a_post_that_was_accepted_is_no_error_when_its_outcome_cannot_be_seen(
    program: Program, service: BadService, fault: str
):
    server = mcp.StdioServerParameters(
        command=str(program.path),
        args=["mcp"],
        env=program.environment | {"PUBLISHER_URL": service.url, "PUBLISHER_KEY": KEY, "PYTHONWARNINGS": "default"},
    )
    service.scene.faults = ["none", "none", fault]

    async def task() -> dict[str, Any]:
        async with mcp.Client(server) as client:
            media = ["https://example.com/a.mp4"]
            return await use(client, "publish", media=media, text="hello", privacy_level="SELF_ONLY")

    told = asyncio.run(task())
    assert (told["postSubmissionId"], told["status"]) == ("post-1", "QUEUED")


def test_each_tool_says_what_it_may_do_and_privacy_has_no_default(talk):
    async def task(client: mcp.Client) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in talk(task)}
    assert set(tools) == {
        *("list_accounts", "connect_account", "get_creator_info", "get_limits", "check_post"),
        *(
            "publish",
            "schedule",
            "send_draft",
            "list_posts",
            "get_post",
            "edit_post",
            "cancel_post",
            "retry_post",
            "get_stats",
        ),
    }
    reading = {name for name, tool in tools.items() if tool.annotations.read_only_hint}
    assert reading == {
        "list_accounts",
        "get_creator_info",
        "get_limits",
        "list_posts",
        "get_post",
        "get_stats",
    }
    destructive = {name for name, tool in tools.items() if tool.annotations.destructive_hint}
    assert destructive == {"edit_post", "cancel_post", "retry_post"}
    for name in ("check_post", "publish", "schedule"):
        schema = tools[name].input_schema
        assert "privacy_level" in schema["required"]
        assert "default" not in schema["properties"]["privacy_level"]
        assert schema["properties"]["allow_comment"]["default"] is False
    assert all(tool.description for tool in tools.values())


def test_a_file_is_published_once_however_often_it_is_asked_for(talk, client: Client, account):
    once = str(uuid.uuid4())

    async def task(model: mcp.Client) -> Any:
        arguments = {"media": ["rabbit.mp4"], "text": "By a model", "privacy_level": "SELF_ONLY"}
        arguments |= {"account": name_of(account), "idempotency_key": once}
        first, second = [await use(model, "publish", **arguments) for _ in range(2)]
        shown = await use(model, "get_post", post_id=first["postSubmissionId"])
        listed = await use(model, "list_posts", account=name_of(account))
        figures = await use(model, "get_stats", account=name_of(account))
        return first, second, shown, listed, figures

    first, second, shown, listed, figures = talk(task)
    assert first["postSubmissionId"] == second["postSubmissionId"] == shown["postSubmissionId"]
    assert (first["status"], shown["text"], len(listed["posts"])) == ("PUBLISH_COMPLETE", "By a model", 1)
    assert figures["account_id"] == account["account_id"]
    assert len(client.posts_of(account)) == 1


def test_a_post_is_scheduled_changed_and_cancelled(talk, client: Client, account, film):
    async def task(model: mcp.Client) -> Any:
        time = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        arguments = {"media": [film.url], "text": "Later", "privacy_level": "SELF_ONLY", "time": time}
        made = await use(model, "schedule", account=name_of(account), **arguments)
        changed = await use(model, "edit_post", post_id=made["postSubmissionId"], text="Much later")
        return made, changed, await use(model, "cancel_post", post_id=made["postSubmissionId"])

    made, changed, cancelled = talk(task)
    assert (made["status"], changed["text"], cancelled["status"]) == ("SCHEDULED", "Much later", "CANCELLED")
    assert client.opened_for(account) == []


def test_a_check_says_what_is_wrong_and_makes_no_post(talk, client: Client, account):
    async def task(model: mcp.Client) -> Any:
        arguments = {"media": ["rabbit.mp4"], "account": name_of(account), "privacy_level": "SELF_ONLY"}
        good = await use(model, "check_post", text="hello", **arguments)
        return good, await use(model, "check_post", text="x" * 2201, time="2020-01-01T00:00:00Z", **arguments)

    good, bad = talk(task)
    assert (good["valid"], good["problems"]) == (True, [])
    assert {problem["field"] for problem in bad["problems"]} == {"post.content.text", "scheduledTime"}
    assert client.posts_of(account) == []


@pytest.mark.parametrize("name", ["secrets.txt", "../outside.mp4", "link.mp4", "/etc/hostname", "none.mp4"])
def test_only_media_of_the_allowed_folder_leaves_this_computer(talk, client: Client, account, name: str):
    async def task(model: mcp.Client) -> str:
        arguments = {"media": [name], "text": "", "privacy_level": "SELF_ONLY", "account": name_of(account)}
        return await refusal(model, "publish", **arguments)

    assert "no video or picture of the allowed folder" in talk(task)
    assert client.opened_for(account) == []


def test_what_fails_is_a_tools_error_that_says_what_to_do(talk, client: Client, account, media_server):
    async def task(model: mcp.Client) -> list[str]:
        common = {"text": "", "account": name_of(account)}
        gone = f"{media_server.url}/{uuid.uuid4()}.mp4"
        return [
            await refusal(model, "get_post", post_id="none"),
            await refusal(model, "publish", media=[gone], **common),
            await refusal(model, "publish", media=[gone], privacy_level="SELF_ONLY", **common),
            await refusal(model, "get_limits", account="@nobody_at_all"),
        ]

    unknown, no_privacy, failed, nobody = talk(task)
    assert "What to do:" in unknown
    assert "privacy_level" in no_privacy
    assert "MediaDownloadFailed" in failed
    assert "There is no account @nobody_at_all." in nobody
    assert client.headers["boring-api-key"] not in f"{unknown}{no_privacy}{failed}{nobody}"
