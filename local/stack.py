"""The whole stack on this machine: MiniStack with what template.yaml describes, the TikTok sandbox, the HTTP API."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.deployment import deploy
from local.emulator import Emulator, running_emulator
from local.front import Front
from local.functions import Functions, function_environment
from local.key import first_key, open_keys
from local.options import Options
from local.processes import Child, LocalError, bypass_proxies, child, free_port
from local.state import Address, State
from local.template import read_template

_CHECK_SECONDS = 0.5
_OPERATE_SECONDS = 60
_SANDBOX_APP = {"client_key": "sandbox-client-key", "client_secret": "sandbox-client-secret"}
_APP = f"apps/{_SANDBOX_APP['client_key']}"
_PROPERTIES = f"{_APP}/properties"


@dataclass(frozen=True)
class Stack:
    """A running stack. `api` is the root of the HTTP API, `api_key` has all scopes; files are dropped in S3."""

    api: str
    api_key: str
    tiktok: str
    s3: str
    drop_bucket: str
    logs: Path
    children: tuple[Child, ...]

    def ready_line(self) -> dict[str, Any]:
        """Return what a program that started the stack needs to know."""
        return {
            "ready": True,
            "api": self.api,
            "apiKey": self.api_key,
            "dashboard": f"{self.api}/",
            "tiktok": self.tiktok,
            "s3": self.s3,
            "dropBucket": self.drop_bucket,
        }

    def wait(self) -> None:
        """Wait for ever; raise LocalError when a part of the stack ends."""
        while True:
            for process in self.children:
                process.check()
            time.sleep(_CHECK_SECONDS)


@contextmanager
def running_stack(options: Options) -> Iterator[Stack]:
    """Run the stack until the block ends. Raises LocalError with one sentence when it cannot."""
    bypass_proxies()
    with ExitStack() as parts:
        state = parts.enter_context(State(options.state))
        front = parts.enter_context(Front(options.port, state.logs / "http.log"))
        environment = function_environment(options.template.resolve().parent, state.logs)
        # Both next to the API's port, so that they are the same after a restart: addresses given out stay good.
        port = front.port + 2
        emulator = parts.enter_context(running_emulator(state.path / "aws", state.logs, environment, port=port))
        children = [emulator.process]
        tiktok, tokens = options.tiktok_url, options.ownership_tokens
        if tiktok is None:
            port = free_port(front.port + 1)
            command = [sys.executable, "-m", "local.tiktok", "--port", str(port), "--state", str(state.path / "tiktok")]
            children.append(parts.enter_context(child("The sandbox", command, log=state.logs / "tiktok.log")))
            tiktok = str(children[-1].report["url"])
            tokens = (_claim(tiktok, front.url),)
        template = read_template(options.template)
        parameters = {
            "PublicUrl": front.url,
            "TikTokApiUrl": tiktok,
            "TikTokAuthUrl": tiktok,
            "TrustedMediaOrigins": ",".join(options.trusted_media_origins),
            "OwnershipTokens": ",".join(tokens),
        }
        names = deploy(emulator, template, parameters)
        _store_app(emulator, names["TikTokSecret"], own=options.tiktok_url is not None)
        front.serve(template.routes, Functions(emulator, names).invoke)
        keys = open_keys(emulator.client("dynamodb"), names["KeysTable"])
        api_key = first_key(keys, state.path / "api_key")
        _check_health(front.url, state.logs)
        if options.tiktok_url is None:
            _operate(tiktok, _PROPERTIES + "/verify", {"url_prefix": f"{front.url}/"})
            _subscribe(tiktok, front.url)
        emulator.keep()
        drop_bucket = names["DropBucket"]
        with state.announced(Address(emulator.url, names["KeysTable"], drop_bucket, front.url)):
            yield Stack(front.url, api_key, tiktok, emulator.url, drop_bucket, state.logs, tuple(children))


def _store_app(emulator: Emulator, secret: str, *, own: bool) -> None:
    """Store the TikTok app: the sandbox's, or with another TikTok the one that the environment names."""
    app = _SANDBOX_APP
    if own and "TIKTOK_CLIENT_KEY" in os.environ and "TIKTOK_CLIENT_SECRET" in os.environ:
        app = {"client_key": os.environ["TIKTOK_CLIENT_KEY"], "client_secret": os.environ["TIKTOK_CLIENT_SECRET"]}
    emulator.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(app))


def _claim(tiktok: str, api: str) -> str:
    """Name the API's address at the sandbox, as an operator does in TikTok's portal; return the token of its file."""
    _operate(tiktok, "settings", {"pull_local_urls": True}, method="PATCH")
    claimed = _operate(tiktok, _PROPERTIES, {"url_prefix": f"{api}/"})
    return str(claimed["file"]).removeprefix("tiktok").removesuffix(".txt")


def _subscribe(tiktok: str, api: str) -> None:
    """Set the app's webhook at the sandbox; the functions know no other time than the machine's."""
    _operate(tiktok, "settings", {"webhook_timestamp": "real"}, method="PATCH")
    _operate(tiktok, _APP, {"webhook_url": f"{api}/webhooks/tiktok"}, method="PATCH")


def _operate(tiktok: str, path: str, body: dict[str, Any], *, method: str = "POST") -> dict[str, Any]:
    """Make an operator's call of the sandbox."""
    request = urllib.request.Request(
        f"{tiktok}/_sandbox/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=_OPERATE_SECONDS) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            raise LocalError(f"The sandbox refused {path}: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise LocalError(f"The sandbox did not answer {path}: {error}.") from error


def _check_health(api: str, logs: Path) -> None:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=60) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise LocalError(f"GET /health failed: {error}; see {logs / 'dashboard.log'}.") from error
