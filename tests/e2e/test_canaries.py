"""Eight kinds of secrets are nowhere but where they belong, after a run in which everything has failed once.

The secrets' texts are known: the app's secret, TikTok's access and refresh tokens, upload URLs, media URLs with a
signature in their query, API keys, the dashboard's sessions and sign-in links, and what webhooks are signed with.
TikTok stands in this process, so that its tokens can be read, and its faults echo the secrets that it was sent. Then
all that the service writes is searched.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from local.emulator import client_of
from local.tiktok.server import Sandbox
from tests.conftest import FILM, ROOT, free_port
from tests.e2e.client import Client, a_video, decide, photos
from tests.e2e.pictures import picture
from tests.e2e.test_local_runtime import descendants

PATIENCE_SECONDS = 120
APP_KEY, APP_SECRET = "canary-app", f"canary{secrets.token_hex(16)}"
_OURS = ("media URL", "API key", "session", "webhook secret")
"""The kinds of secrets that TikTok is never sent."""

SLOW_SECONDS = 6.0
"""How long the slow media server keeps a step busy that is to be killed."""


class SignedMedia(ThreadingHTTPServer):
    """A media server whose URLs carry a signature in their query, as presigned ones do."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SignedMediaHandler)
        self.signatures: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def sign(self, path: str, origin: str = "") -> str:
        self.signatures.append(secrets.token_hex(32))
        return f"{origin or self.url}{path}?X-Amz-Expires=600&X-Amz-Signature={self.signatures[-1]}"


class SignedMediaHandler(BaseHTTPRequestHandler):
    server: SignedMedia

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/film.mp4":
                self._answer(200, "video/mp4", FILM.read_bytes())
            case "/slow.mp4":
                film = FILM.read_bytes()
                self._answer(200, "video/mp4", film[:400_000], length=len(film))
                time.sleep(SLOW_SECONDS)
                self.wfile.write(film[400_000:])
            case "/1.jpg" | "/2.png":
                self._answer(200, "image/jpeg", picture(800, 600, "JPEG" if path == "/1.jpg" else "PNG"))
            case "/page":
                self._answer(200, "text/html", f"<!doctype html><title>{self.path}</title>".encode())
            case "/cut.mp4":
                self._answer(200, "video/mp4", FILM.read_bytes()[:100_000], length=1_055_736)
            case "/broken":
                self._answer(500, "text/plain", self.path.encode())
            case "/away":
                self._answer(302, "text/plain", b"", location=f"http://10.0.0.1/film.mp4?{query}")
            case _:
                self._answer(403, "application/xml", f"<Error><Resource>{self.path}</Resource></Error>".encode())

    def _answer(self, status: int, kind: str, body: bytes, *, length: int | None = None, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Run:
    """A stack of its own, its TikTok, and all that was answered."""

    client: Client
    sandbox: Sandbox
    media: SignedMedia
    state: Path
    stack: subprocess.Popen[str]
    answers: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    """Tokens of sessions and of sign-in links."""
    webhooks: list[str] = field(default_factory=list)
    signing: list[str] = field(default_factory=list)
    """Secrets of webhooks, present and former ones."""
    posts: list[str] = field(default_factory=list)
    echoes: list[str] = field(default_factory=list)
    """Tokens that TikTok was made to answer, and upload URLs' tokens."""

    def canaries(self) -> dict[str, set[str]]:
        """Every secret there is now, by its kind."""
        with self.sandbox._store.change() as world:
            access, refresh = set(world.access_tokens), set(world.refresh_tokens)
            uploads = {publish.upload_token for publish in world.publishes.values() if publish.upload_token}
        return {
            "client secret": {APP_SECRET},
            "access token": access,
            "refresh token": refresh,
            "upload URL": {*uploads, *self.echoes},
            "media URL": set(self.media.signatures),
            "API key": {key[len("tkp_live_12345678_") :] for key in self.keys},
            "session": set(self.sessions),
            "webhook secret": {secret.removeprefix("whsec_") for secret in self.signing},
        }

    def fault(self, endpoint: str, do: Any, **more: Any) -> None:
        self.client.sandbox("POST", "faults", {"endpoint": endpoint, "do": do, **more})

    def echo(self) -> str:
        """All secrets that TikTok can know now, as a careless server repeats them in its answer."""
        known = self.canaries()
        return " ".join(text for kind, texts in known.items() if kind not in _OURS for text in texts)

    def publish(self, body: dict[str, Any], **headers: str) -> str:
        answer = self.client.publish(body, Prefer="respond-async", **headers)
        if answer.status_code != 202:
            return ""
        self.posts.append(str(answer.json()["postSubmissionId"]))
        return self.posts[-1]

    def wait(self, *post_ids: str) -> list[str]:
        return [self.client.wait(post_id, seconds=PATIENCE_SECONDS)["status"] for post_id in post_ids if post_id]

    def processes(self, handler: str) -> list[int]:
        """The processes of a function; this stack started them."""
        return [pid for pid in descendants(self.stack.pid) if handler in shown(pid, "args=")]

    def kill(self, step: str, handler: str, post_id: str) -> None:
        """Kill a post's step while it works; it works for seconds."""
        until(lambda: self._step(post_id) == step, f"{step} works")
        working = self.processes(handler)
        assert working
        for pid in working:
            os.kill(pid, signal.SIGKILL)

    def _step(self, post_id: str) -> str:
        return str(self.client.get(f"/v2/posts/{post_id}").json()["timeline"][-1]["step"])


def shown(pid: int, field: str, *options: str) -> str:
    """What ps tells of a process; nothing when it is gone."""
    command = ["ps", *options, "-ww", "-o", field, "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@contextmanager
def recorded(run: Run) -> Iterator[None]:
    """Keep every answer of the API but the one that shows a new key: its head and its body."""
    send = requests.Session.send

    def keep(session: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        answer = send(session, request, **more)
        is_api = urlsplit(str(request.url)).port == urlsplit(run.client.api).port
        if is_api and (request.method, answer.status_code) != ("POST", 201):
            run.answers.append(f"{request.method} {answer.status_code} {dict(answer.headers)}\n{answer.text}")
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", keep)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    state = tmp_path_factory.mktemp("canaries")
    media, port = SignedMedia(), free_port()
    command = [sys.executable, "-m", "local", "--port", str(port), "--state", str(state)]
    secret = {"TIKTOK_CLIENT_KEY": APP_KEY, "TIKTOK_CLIENT_SECRET": APP_SECRET}
    with Sandbox() as sandbox, (state / "stderr").open("w") as stderr:
        stack = subprocess.Popen(
            [*command, "--tiktok-url", sandbox.url, "--trust-media-origin", media.url],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env=os.environ | secret,
        )
        assert stack.stdout is not None
        try:
            line = stack.stdout.readline()
            assert line, (state / "stderr").read_text()
            ready = json.loads(line)
            client = Client(ready["api"], ready["apiKey"], sandbox.url)
            client.sandbox("PATCH", "settings", {"pull_local_urls": True, "processing_seconds": 0, "hold_seconds": 5})
            app = {"client_key": APP_KEY, "client_secret": APP_SECRET, "verified_properties": [f"{ready['api']}/"]}
            client.sandbox("POST", "apps", app)
            made = Run(client, sandbox, media, state, stack, keys=[ready["apiKey"]])
            with recorded(made):
                fail_everywhere(made)
                look_at_everything(made)
                yield made
        finally:
            stack.terminate()
            stack.wait(120)
            stack.stdout.close()
            media.shutdown()
            media.server_close()


# The run
def fail_everywhere(run: Run) -> None:
    """Let everything fail once: TikTok at every endpoint, media in every way, functions in the middle of their work."""
    wrong_keys(run)
    sessions_that_end(run)
    webhooks_that_fail(run)
    connecting_that_fails(run)
    accounts = [run.client.new_account() for _ in range(4)]
    failing = media_that_fails(run)
    endpoints_that_fail(run, accounts)
    functions_that_die(run, accounts[1])
    tokens_that_die(run, accounts[2])
    assert run.wait(*failing) == ["FAILED"] * len(failing)
    run.client.sandbox("PATCH", "settings", {"stick_publishes": True})  # what is stuck keeps its media and upload URL
    stuck = run.publish(a_video(accounts[1], run.media.sign("/film.mp4")))
    until(lambda: run.client.get(f"/v2/posts/{stuck}").json()["publish_id"], "an upload is open")
    left = run.client.sandbox("GET", "faults")
    assert [fault["endpoint"] for fault in left["faults"]] == [], "these faults have met no call"


def wrong_keys(run: Run) -> None:
    made = requests.post(
        run.client.api + "/v2/keys", json={"name": "canary", "scopes": ["posts:read"]}, headers=run.client.headers
    )
    robot = made.json()["key"]
    run.keys.append(robot)
    api = run.client.api
    for key in (robot[:-1] + "x", robot + "0", robot.replace("live", "test")):
        assert requests.get(api + "/v2/posts", headers={"boring-api-key": key}).status_code == 401
    assert requests.get(api + "/v2/keys", headers={"x-api-key": robot}).status_code == 403
    assert requests.get(api + "/v2/posts", headers={"authorization": f"Bearer {robot}"}).status_code == 200
    assert requests.get(f"{api}/v2/posts/{robot}?key={robot}", headers={"x-api-key": robot}).status_code == 404
    assert requests.get(f"{api}/v2/posts?status={robot}", headers={"x-api-key": robot}).status_code == 400
    assert requests.get(f"{api}/{robot}").status_code == 404
    assert requests.post(api + "/v2/posts", data=f"key={robot}", headers=run.client.headers).status_code == 400


def sessions_that_end(run: Run) -> None:
    """Sign-in links, used, used again and left lying; sessions, ended and open; both where they do not belong."""
    api, key = run.client.api, run.client.headers
    links = [requests.post(f"{api}/v2/session/links", headers=key).json()["signInUrl"] for _ in range(3)]
    tickets = [str(link).rpartition("/")[2] for link in links]
    browsers = [requests.Session(), requests.Session()]
    for browser, ticket in zip(browsers, tickets, strict=False):
        answer = browser.post(f"{api}/v2/session", json={"ticket": ticket})
        assert answer.status_code == 201, answer.text
        run.sessions += [ticket, browser.cookies["session"]]
        assert requests.post(f"{api}/v2/session", json={"ticket": ticket}).status_code == 401
    run.sessions.append(tickets[2])
    ended, stays = browsers
    assert stays.get(f"{api}/v2/session").status_code == 200
    assert stays.post(f"{api}/v2/posts", json={}).status_code == 403
    assert requests.post(f"{api}/v2/session", json={"ticket": stays.cookies["session"]}).status_code == 401
    assert requests.get(f"{api}/v2/posts?status={run.sessions[1]}", headers=key).status_code == 400
    assert ended.delete(f"{api}/v2/session").status_code == 200
    assert requests.get(f"{api}/v2/posts", cookies={"session": run.sessions[1]}).status_code == 401


def webhooks_that_fail(run: Run) -> None:
    """A webhook that is told everything from now on and takes nothing, and one at which nobody is."""
    webhooks, key = f"{run.client.api}/v2/webhooks", run.client.headers
    for url in (f"{run.media.url}/hook", "https://nowhere.invalid/hook"):
        made = requests.post(webhooks, json={"url": url}, headers=key).json()
        hook = f"{webhooks}/{made['webhookId']}"
        rotated = requests.post(f"{hook}/rotate-secret", headers=key).json()
        run.webhooks.append(made["webhookId"])
        run.signing += [made["secret"], rotated["secret"]]
        began = requests.post(f"{hook}/test", headers=key).json()
        _until_tried(run, made["webhookId"])
        again = requests.post(f"{hook}/deliveries/{began['deliveryId']}/redeliver", headers=key)
        assert again.status_code == 202, again.text
    assert requests.post(webhooks, json={"url": run.signing[0]}, headers=key).status_code == 400


def _until_tried(run: Run, webhook_id: str) -> None:
    path = f"/v2/webhooks/{webhook_id}/deliveries"
    until(lambda: run.client.get(path).json()["deliveries"][0]["tries"], "a notice was sent")


def connecting_that_fails(run: Run) -> None:
    """Connections that TikTok breaks, with answers that repeat what it was sent."""
    oauth = {"error": "invalid_request", "error_description": f"{APP_SECRET} is wrong", "log_id": "log"}
    run.echoes += [f"rft.{secrets.token_hex(16)}", f"act.{secrets.token_hex(16)}"]
    wrong_shape = {"access_token": [run.echoes[-1]], "refresh_token": {"is": run.echoes[-2]}, "open_id": 5}
    for endpoint, do in (
        ("token", {"status": 400, "body": oauth}),
        ("token", {"status": 500, "body": APP_SECRET}),
        ("token", {"status": 200, "body": wrong_shape}),
        ("token", "cut_json"),
        ("user_info", {"status": 500, "body": APP_SECRET}),
        ("user_info", "reset"),
    ):
        run.fault(endpoint, do)
        browser = requests.Session()
        answer = decide(browser, run.client.start(browser), run.client.new_creator(), accept="application/json")
        assert answer.status_code >= 400, (endpoint, do, answer.text)


def media_that_fails(run: Run) -> list[str]:
    """Media that cannot be had in any way; returns the posts that are going to fail.

    Two accounts, as there are more than an account may publish in an hour.
    """
    other, account = run.client.new_account(), run.client.new_account()
    paths = ("/gone.mp4", "/page", "/cut.mp4", "/broken", "/away")
    posts = [run.publish(a_video(other, run.media.sign(path))) for path in paths]
    posts.append(run.publish(a_video(account, run.media.sign("/film.mp4", "http://nowhere.invalid"))))
    posts.append(run.publish(photos(account, [run.media.sign("/1.jpg"), run.media.sign("/page")])))
    for origin in ("http://10.0.0.1", "ftp://media.example", "http://user:pass@media.example"):
        assert run.client.publish(a_video(account, run.media.sign("/film.mp4", origin))).status_code == 400
    return posts


def endpoints_that_fail(run: Run, accounts: list[dict[str, Any]]) -> None:
    """Each call on a post's way fails several times, one with an answer that repeats all the secrets."""
    told = {"error": {"code": "internal_error", "message": run.echo(), "log_id": "log"}}
    run.echoes.append(secrets.token_hex(16))
    wrong_shape = {"data": {"publish_id": 5, "upload_url": [f"http://x/?t={run.echoes[-1]}"]}, "error": {"code": "ok"}}
    spoilt: list[tuple[str, Any, dict[str, Any]]] = [
        ("video/init", {"status": 500, "body": told}, {}),
        ("video/init", {"status": 200, "body": wrong_shape}, {"skip": 1}),
        ("video/init", "cut_json", {"when": "after"}),
        ("upload", {"status": 500, "body": run.echo()}, {}),
        ("upload", "drop", {"when": "after"}),
        ("status", {"status": 500, "body": told}, {}),
        ("status", "html", {}),
        ("inbox/video/init", {"code": "internal_error", "message": run.echo()}, {}),
        ("content/init", {"status": 500, "body": told}, {}),
        ("pull", "reset", {}),
    ]
    for endpoint, do, more in spoilt:
        run.fault(endpoint, do, **more)
    posts = [run.publish(a_video(accounts[0], run.media.sign("/film.mp4"))) for _ in range(3)]
    posts += [run.publish(a_video(accounts[1], run.media.sign("/film.mp4"), options={"draft": True}))]
    posts += [run.publish(photos(accounts[2], [run.media.sign("/1.jpg"), run.media.sign("/2.png")])) for _ in range(2)]
    run.wait(*posts)
    for do in ({"code": "internal_error", "message": run.echo()}, {"status": 500, "body": told}, "timeout", "html"):
        run.fault("creator_info", do)
        assert run.client.publish(a_video(accounts[0], run.media.sign("/film.mp4"))).status_code >= 400
    run.fault("revoke", {"status": 500, "body": run.echo()})
    requests.delete(f"{run.client.api}/api/accounts/{accounts[3]['account_id']}", headers=run.client.headers)


def functions_that_die(run: Run, account: dict[str, Any]) -> None:
    """Functions are killed while they hold a media URL, and an upload URL."""
    slow = run.publish(a_video(account, run.media.sign("/slow.mp4")))
    run.kill("DownloadMedia", "download_media.app.handler", slow)
    run.wait(slow)
    run.fault("upload", "timeout")
    offered = run.publish(a_video(account, run.media.sign("/film.mp4")))
    run.kill("UploadChunks", "upload_chunks.app.handler", offered)
    # Nobody waits for it, as nobody can know what became of it: its last byte was offered.


def tokens_that_die(run: Run, account: dict[str, Any]) -> None:
    """The access token dies, its refresh fails once with an answer that repeats it, and then works."""
    run.canaries()
    run.client.sandbox("POST", "clock", {"advance": 90_000})
    # The others get their new tokens first, so that nobody else meets the failure.
    for other in run.client.get("/api/accounts").json()["accounts"]:
        if other["account_id"] != account["account_id"]:
            run.client.get(f"/v2/accounts/{other['account_id']}/creator-info")
    run.fault("token", {"status": 500, "body": run.echo()})
    assert run.client.publish(a_video(account, run.media.sign("/film.mp4"))).status_code >= 400
    run.wait(run.publish(a_video(account, run.media.sign("/film.mp4"))))


def look_at_everything(run: Run) -> None:
    """Ask every GET route that needs a key, of every post, account and upload there is."""
    accounts = [account["account_id"] for account in run.client.get("/api/accounts").json()["accounts"]]
    file = {"fileName": "film.mp4", "size": 1}
    begun = requests.post(f"{run.client.api}/v2/media/uploads", json=file, headers=run.client.headers)
    uploads = [begun.json()["uploadId"]]
    objects = {"posts": run.posts, "accounts": accounts, "keys": [key[9:17] for key in run.keys], "uploads": uploads}
    objects["webhooks"] = run.webhooks
    template = yaml_parse((ROOT / "template.yaml").read_text())
    for function in template["Resources"].values():
        for event in function.get("Properties", {}).get("Events", {}).values():
            path = event["Properties"].get("Path", "")
            if (
                event["Type"] == "HttpApi"
                and event["Properties"]["Method"] == "GET"
                and path.startswith(("/v2", "/api"))
            ):
                before, _, after = path.partition("{")
                ids = objects[before.rstrip("/").rpartition("/")[2]] if after else [""]
                for one in ids:
                    run.client.get(before + one + after.partition("}")[2])


def until(look: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.2)


# The places
class Aws:
    """What the emulated AWS holds, as texts."""

    def __init__(self, run: Run) -> None:
        self.address = json.loads((run.state / "running.json").read_text())["endpoint"]

    def client(self, service: str) -> Any:
        return client_of(self.address, service)

    def histories(self) -> str:
        steps = self.client("stepfunctions")
        texts = []
        for machine in steps.list_state_machines()["stateMachines"]:
            pages = steps.get_paginator("list_executions").paginate(stateMachineArn=machine["stateMachineArn"])
            for execution in (one for page in pages for one in page["executions"]):
                arn = execution["executionArn"]
                texts.append(json.dumps(steps.describe_execution(executionArn=arn), default=str))
                pages = steps.get_paginator("get_execution_history").paginate(executionArn=arn)
                texts += [json.dumps(page["events"], default=str) for page in pages]
        return "\n".join(texts)

    def queues(self) -> str:
        queues = self.client("sqs")
        texts = []
        for url in queues.list_queues().get("QueueUrls", []):
            texts.append(url)
            while messages := queues.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
            ).get("Messages"):
                texts.append(json.dumps(messages))
        return "\n".join(texts)

    def objects(self) -> str:
        """Everything about the objects of the bucket but their bytes."""
        storage = self.client("s3")
        texts = []
        for bucket in [one["Name"] for one in storage.list_buckets()["Buckets"] if "media" in one["Name"]]:
            for item in storage.list_objects_v2(Bucket=bucket).get("Contents", []):
                head = storage.head_object(Bucket=bucket, Key=item["Key"])
                tags = storage.get_object_tagging(Bucket=bucket, Key=item["Key"])["TagSet"]
                texts.append(json.dumps([item["Key"], head, tags], default=str))
        return "\n".join(texts)

    def metrics(self) -> str:
        return json.dumps(self.client("cloudwatch").list_metrics()["Metrics"])

    def environments(self) -> str:
        functions = self.client("lambda").list_functions(MaxItems=100)["Functions"]
        return json.dumps([function.get("Environment") for function in functions])

    def tables(self) -> dict[str, str]:
        """The items of every table."""
        database = self.client("dynamodb")
        found = {}
        for name in database.list_tables()["TableNames"]:
            pages = database.get_paginator("scan").paginate(TableName=name)
            found[name] = json.dumps([item for page in pages for item in page["Items"]], default=str)
        return found

    def logs(self) -> str:
        """Logs that were given to CloudWatch."""
        service = self.client("logs")
        texts = []
        for group in service.describe_log_groups()["logGroups"]:
            name = group["logGroupName"]
            for stream in service.describe_log_streams(logGroupName=name)["logStreams"]:
                events = service.get_log_events(logGroupName=name, logStreamName=stream["logStreamName"])["events"]
                texts += [str(event["message"]) for event in events]
        return "\n".join(texts)


def found(run: Run, text: str, *, but: tuple[str, ...] = ()) -> list[str]:
    """The kinds of secrets that a text holds, as they are or as they stand in a URL."""
    kinds = {kind: texts for kind, texts in run.canaries().items() if kind not in but}
    assert all(kinds.values()), "a kind of secret that never was cannot be looked for"
    return [kind for kind, texts in kinds.items() if any(one in text or quote(one, safe="") in text for one in texts)]


def test_the_search_finds_what_is_there(run: Run) -> None:
    for kind, texts in run.canaries().items():
        for text in texts:
            assert found(run, f"so it is: {text}.") == [kind]
    assert found(run, Aws(run).client("secretsmanager").get_secret_value(SecretId=_secret_id(run))["SecretString"]) == [
        "client secret"
    ]


def _secret_id(run: Run) -> str:
    return str(Aws(run).client("secretsmanager").list_secrets()["SecretList"][0]["ARN"])


def test_no_log_holds_a_secret(run: Run) -> None:
    files = {path.name: path.read_text(errors="replace") for path in (run.state / "logs").iterdir()}
    files |= {"stderr": (run.state / "stderr").read_text(), "CloudWatch": Aws(run).logs()}
    assert {name: kinds for name, text in files.items() if (kinds := found(run, text))} == {}
    for name in ("http", "download_media", "initialize_post", "upload_chunks", "check_status", "deliver"):
        assert files[f"{name}.log"], name
    assert run.posts[0] in files["download_media.log"]
    assert "GET /v2/posts/{postSubmissionId} 200" in files["http.log"]


def test_no_execution_holds_a_secret(run: Run) -> None:
    histories = Aws(run).histories()
    assert found(run, histories) == []
    assert all(post_id in histories for post_id in run.posts)


def test_no_answer_holds_a_secret(run: Run) -> None:
    assert [answer for answer in run.answers if found(run, answer)] == []
    statuses = {answer.split(" ")[1] for answer in run.answers}
    assert {"200", "202", "400", "401", "403", "404"} <= statuses
    assert any("MediaDownloadFailed" in answer for answer in run.answers)


def test_no_message_of_a_queue_holds_a_secret(run: Run) -> None:
    queues = Aws(run).queues()
    assert found(run, queues) == []
    assert "DeadLetterQueue" in queues


def test_nothing_about_a_stored_object_holds_a_secret(run: Run) -> None:
    objects = Aws(run).objects()
    assert found(run, objects) == []
    assert "staging/" in objects


def test_no_metric_holds_a_secret(run: Run) -> None:
    try:
        metrics = Aws(run).metrics()
    except ClientError:
        pytest.skip("the emulator keeps no metrics")
    assert found(run, metrics) == []


def test_no_environment_holds_a_secret(run: Run) -> None:
    configured = Aws(run).environments()
    assert found(run, configured) == []
    assert "TIKTOK_SECRET_ID" in configured
    everything = [shown(pid, "args=", "e") for pid in run.processes("app.handler")]  # environments too
    running = [text for text in everything if "TIKTOK_SECRET_ID" in text]  # an idle one that ends shows no environment
    assert running
    assert [kinds for text in running if (kinds := found(run, text))] == []


def test_no_table_holds_a_secret_in_plain_text_but_media_urls_for_the_fetch(run: Run) -> None:
    tables = Aws(run).tables()
    assert len(tables) >= 4
    posts = next(text for name, text in tables.items() if "PostsTable" in name)
    assert run.posts[0] in posts
    assert found(run, posts) == ["media URL"]
    assert {name: kinds for name, text in tables.items() if (kinds := found(run, text, but=("media URL",)))} == {}
    assert [name for name, text in tables.items() if text is not posts and found(run, text)] == []
