"""Where the command line keeps the address and key of a service, and the uploads that it has begun."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from publisher_client.client import Client
from publisher_client.errors import NotSignedIn
from publisher_client.uploads import OnBytes

URL, KEY = "PUBLISHER_URL", "PUBLISHER_KEY"
KEPT_SECONDS = 24 * 3600
"""How long a begun upload is gone on with: the service keeps an incomplete one for two days."""


class Login(NamedTuple):
    """A service and a key of it."""

    url: str
    key: str


class Home:
    """The user's folder of this program, for nobody else to read. `environment` is os.environ."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        if "APPDATA" in environment:
            base = Path(environment["APPDATA"])
        else:
            base = Path(
                environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".config"
            )
        self.folder = base / "tiktok-publisher"

    def login(self) -> Login:
        """Return the login of the environment, or else the stored one; NotSignedIn when there is none."""
        url, key = self._environment.get(URL), self._environment.get(KEY)
        if url and key:
            return Login(url, key)
        stored = self._read("login.json")
        if key or (url and url.rstrip("/") != stored.get("url")):
            # A stored key must not go to another address, nor another key to the stored one.
            raise NotSignedIn(f"{URL} and {KEY} belong together.", "Set both, or none and run: publisher login")
        if "url" not in stored or "key" not in stored:
            raise NotSignedIn("You are not signed in.", f"Run: publisher login (or set {URL} and {KEY})")
        return Login(stored["url"], stored["key"])

    def keep_login(self, login: Login) -> Path:
        """Store a login, and return where."""
        return self._write("login.json", login._asdict())

    def forget_login(self) -> None:
        """Remove the stored login, if there is one."""
        (self.folder / "login.json").unlink(missing_ok=True)

    def bring(self, client: Client, file: Path, on_bytes: OnBytes) -> str:
        """Bring a file, or what is missing of it, and return what stands for it in posts.

        The same file is brought once a day, so that the same post looks the same when it is sent again.
        """
        name = json.dumps([client.url, str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns])
        begun = self._begun()
        upload = client.find_upload(begun[name]["upload"]) if name in begun else None
        if upload is None:
            upload = client.begin_upload(file)
            self._write("uploads.json", begun | {name: {"upload": upload.upload_id, "at": time.time()}})
        return client.bring(file, upload, on_bytes).media_url

    def _begun(self) -> dict[str, Any]:
        since = time.time() - KEPT_SECONDS
        return {name: one for name, one in self._read("uploads.json").items() if one["at"] > since}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            told = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _write(self, name: str, told: object) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self.folder / name
        fresh = file.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(told, out)
        fresh.replace(file)
        return file
