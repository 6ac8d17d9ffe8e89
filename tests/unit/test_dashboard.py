"""The dashboard's files as browsers get them, and what its pages may load."""

import base64
import gzip
import re
from pathlib import Path

import pytest

from publisher.static_files import StaticFiles
from tests.architecture.source import ROOT
from tests.unit.conftest import Http, HttpAnswer, assert_failed

STATIC = ROOT / "functions" / "dashboard" / "static"
FILES = sorted(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.is_file())


def content(answer: HttpAnswer) -> bytes:
    data = base64.b64decode(answer.body) if answer.is_base64 else answer.body.encode()
    return gzip.decompress(data) if answer.headers.get("Content-Encoding") == "gzip" else data


def version_of(http: Http) -> str:
    found = re.search(rb"/assets/([0-9a-f]{16})/main\.js", content(http.get("/", key=None)))
    assert found
    return found[1].decode()


def policy_of(answer: HttpAnswer) -> dict[str, list[str]]:
    directives = (directive.split() for directive in answer.headers["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in directives}


# Files


def test_the_page_is_html_that_is_asked_for_each_time(http):
    answer = http.get("/", key=None)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"{version}" not in content(answer)


def test_every_file_is_served_as_it_is_and_kept_for_ever(http):
    version = version_of(http)
    for name in FILES:
        answer = http.get(f"/assets/{version}/{name}", key=None)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable"), name
        stored = (STATIC / name).read_bytes()
        assert content(answer) == (stored.replace(b"{version}", version.encode()) if name.endswith(".html") else stored)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_kind_of_file_has_the_type_that_browsers_want(http):
    types = {name.rpartition(".")[2]: http.get(f"/assets/v/{name}", key=None).headers["Content-Type"] for name in FILES}
    known = {
        "css": "text/css; charset=utf-8",
        "html": "text/html; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "json": "application/openapi+json",
        "svg": "image/svg+xml",
    }
    assert types == {ending: known[ending] for ending in types}
    assert {"css", "html", "js", "svg"} <= set(types)


def test_a_page_of_a_former_version_still_loads_but_keeps_nothing(http):
    answer = http.get("/assets/0123456789abcdef/main.js", key=None)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize("accepts", ["gzip, deflate, br", "gzip", "deflate, gzip;q=1.0"])
def test_files_are_compressed_for_who_can_read_it(http, accepts):
    plain = http.get("/assets/v/app.css", key=None)
    small = http.get("/assets/v/app.css", key=None, headers={"Accept-Encoding": accepts})
    assert "Content-Encoding" not in plain.headers
    assert small.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Vary"] == small.headers["Vary"] == "Accept-Encoding"
    assert content(small) == content(plain)
    assert len(small.body) < len(plain.body) / 2


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "../app.py", "%2e%2e", "..", ".", "app.css%00", "views", "views/..", "views/nothing.js", "APP.CSS"],
)
def test_there_is_nothing_but_the_files(http, name):
    assert_failed(http.get(f"/assets/{version_of(http)}/{name}", key=None), 404, "NotFound")


def test_the_version_changes_with_every_change_of_a_file_or_a_name(tmp_path: Path) -> None:
    def version(files: dict[str, str]) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return StaticFiles(folder).version

    same = {"index.html": "<p>{version}", "views/a.js": "1"}
    others = (
        {**same, "views/a.js": "2"},
        {"index.html": "<p>{version}", "views/b.js": "1"},
        {**same, "b.js": ""},
        {"index.html": "<p>{version}", "a.js": "1"},
    )
    assert version(same) == version(same)
    assert len({version(same), *map(version, others)}) == 1 + len(others)


def test_what_is_no_file_for_browsers_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "notes.py").write_text("secret")
    (tmp_path / ".env").write_text("secret")
    files = StaticFiles(tmp_path)
    assert files.get("index.html")
    assert [files.get(name) for name in ("notes.py", ".env", "../index.html", str(tmp_path / "index.html"))] == [
        None
    ] * 4


# What pages may do


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_runs_loads_and_calls_only_what_is_ours(http, path):
    policy = policy_of(http.get(path, key=None))
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", "https://uploads.example"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "http:"} & {
        source for part in policy.values() for source in part
    }


def test_pictures_and_films_are_shown_from_wherever_they_are(http, ports):
    ports.trusted_media_origins = ("http://127.0.0.1:9000",)
    ports.tiktok_origins = ("http://127.0.0.1:8081",)
    policy = policy_of(http.get("/", key=None))
    for kind in ("img-src", "media-src"):
        assert {"https:", "blob:", "http://127.0.0.1:9000", "http://127.0.0.1:8081"} <= set(policy[kind])


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_no_other_page_holds_ours_in_a_frame_or_a_window_of_its_own(http, path):
    headers = http.get(path, key=None).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "camera=()" in headers["Permissions-Policy"]


def test_no_page_has_script_style_or_handlers_of_its_own() -> None:
    """Which the policy would not run."""
    for name in FILES:
        if name.endswith(".html"):
            text = (STATIC / name).read_text()
            assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\son\w+=|\sstyle=|javascript:", text), name


def test_no_file_names_another_host() -> None:
    loaded = re.compile(r"""(?:src|href|url|import|from|fetch)\W{0,3}["'(]?https?://""")
    pages = [name for name in FILES if not name.endswith(".json")]
    assert [name for name in pages if loaded.search((STATIC / name).read_text())] == []
