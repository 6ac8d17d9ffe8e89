"""The local stack takes everything from template.yaml, and says in one sentence what is wrong with it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from local.processes import ROOT, LocalError
from local.template import Route, read_template

Change = Callable[[Path], object]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the template and of the files that it names."""
    shutil.copy(ROOT / "template.yaml", tmp_path)
    shutil.copytree(ROOT / "statemachine", tmp_path / "statemachine")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions", tmp_path / "functions", ignore=ignored)
    return tmp_path / "template.yaml"


def replaced(old: str, new: str) -> Change:
    def change(template: Path) -> None:
        text = template.read_text()
        assert old in text
        template.write_text(text.replace(old, new))

    return change


def written(file: str, text: str) -> Change:
    return lambda template: (template.parent / file).write_text(text)


def test_routes_come_from_the_template(copy: Path) -> None:
    routes = read_template(copy).routes
    assert Route("POST", "/v2/posts", "PostsFunction") in routes
    assert Route("GET", "/v2/posts/{postSubmissionId}", "PostsFunction") in routes


def test_functions_keep_name_timeout_memory_and_environment(copy: Path) -> None:
    function = read_template(copy).cloudformation["Resources"]["DownloadMediaFunction"]["Properties"]
    assert (function["Handler"], function["Timeout"]) == ("download_media.app.handler", 900)
    assert function["Environment"]["Variables"]["TIKTOK_API_URL"] == {"Ref": "TikTokApiUrl"}


def test_the_machine_comes_from_its_file(copy: Path) -> None:
    file = copy.parent / "statemachine" / "publish_post.asl.json"
    before = json.dumps(read_template(copy).cloudformation)
    file.write_text(file.read_text().replace("TikTok takes seconds to hours", "TikTok takes its time"))
    after = json.dumps(read_template(copy).cloudformation)
    assert ("TikTok takes its time" in before, "TikTok takes its time" in after) == (False, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda template: template.unlink(), "cannot be read: No such file or directory."),
        (replaced("  PostsFunction:", "  PostsFunction: ["), "template.yaml is not valid YAML, line "),
        (written("template.yaml", "Resources: 7"), "template.yaml has no Resources."),
        (replaced("posts.app.handler", "postz.app.handler"), "needs .*postz/app.py, which does not exist."),
        (replaced("posts.app.handler", "posts.app.handel"), "posts/app.py defines no handel."),
        (written("functions/posts/app.py", "def handler(:"), "posts/app.py, line 1: "),
        (replaced("publish_post.asl", "other.asl"), "the definition of PublishPost, .*other.asl.json, cannot be read."),
        (written("statemachine/publish_post.asl.json", "{"), "publish_post.asl.json is not valid JSON: "),
        (replaced('Path: "/health"', 'Way: "/health"'), "template.yaml is not a valid SAM template: .*Health"),
        (replaced("!GetAtt KeysTable.Arn", "!GetAtt KeyTable.Arn"), "refers to KeyTable, which it does not define."),
    ],
)
def test_a_broken_template_is_one_sentence(copy: Path, change: Change, sentence: str) -> None:
    change(copy)
    with pytest.raises(LocalError, match=sentence) as raised:
        read_template(copy)
    assert "\n" not in str(raised.value)
