"""A sandbox over real HTTP, its clock stopped at a known moment, tiny films and pictures of every kind, and a host."""

import hashlib
import io
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit

import av
import pytest
import requests
from PIL import Image

from local.tiktok.server import Sandbox

NOON = 1_795_348_800
REDIRECT = "http://127.0.0.1:8123/oauth/tiktok/callback"
APP = {"client_key": "sandbox-client-key", "client_secret": "sandbox-client-secret"}
VERIFIER = "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"
PUBLISH = "/v2/post/publish/"


class Tiktok:
    """A client that a test steers by hand; every method returns the raw answer unless it says otherwise."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session

    def admin(self, method: str, path: str, json: Any = None) -> Any:
        answer = self.session.request(method, f"{self.url}/_sandbox/{path}", json=json)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def settings(self, **settings: Any) -> None:
        self.admin("PATCH", "settings", settings)

    def user(self, username: str = "emu_creator", **change: Any) -> None:
        self.admin("PATCH", f"users/{username}", change)

    def app(self, **change: Any) -> None:
        self.admin("PATCH", "apps/sandbox-client-key", change)

    def advance(self, seconds: float) -> None:
        self.admin("POST", "clock", {"advance": seconds})

    def fault(self, endpoint: str, do: Any, **more: Any) -> None:
        self.admin("POST", "faults", [{"endpoint": endpoint, "do": do, **more}])

    def log(self) -> Any:
        return self.admin("GET", "log")

    def grant(self, username: str = "emu_creator", *scopes: str) -> Any:
        """Tokens of a fresh grant; all scopes unless some are named."""
        return self.admin("POST", "grants", {"username": username, "scopes": list(scopes) or None})

    def token(self, username: str = "emu_creator", *scopes: str) -> str:
        return str(self.grant(username, *scopes)["access_token"])

    def authorize(self, **change: Any) -> requests.Response:
        parameters = {
            "client_key": APP["client_key"],
            "response_type": "code",
            "scope": "user.info.basic,video.publish,video.upload",
            "redirect_uri": REDIRECT,
            "state": "a state/with ünicode",
            "code_challenge": hashlib.sha256(VERIFIER.encode()).hexdigest(),
            "code_challenge_method": "S256",
            **change,
        }
        wanted = {name: value for name, value in parameters.items() if value is not None}
        return self.session.get(f"{self.url}/v2/auth/authorize/", params=wanted, allow_redirects=False)

    def decide(self, page: requests.Response, **form: Any) -> requests.Response:
        fields = {
            "username": "emu_creator",
            "scope": ["user.info.basic", "video.publish", "video.upload"],
            "decision": "allow",
            **form,
        }
        return self.session.post(page.url, data=fields, allow_redirects=False)

    def code(self, *, form: dict[str, Any] | None = None, **change: Any) -> str:
        """An authorization code, through the consent page."""
        return sent_back(self.decide(self.authorize(**change), **(form or {})))["code"]

    def oauth(self, **form: Any) -> requests.Response:
        fields = {name: value for name, value in {**APP, **form}.items() if value is not None}
        return self.session.post(f"{self.url}/v2/oauth/token/", data=fields)

    def exchange(self, code: str, /, **change: Any) -> requests.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.oauth(**{**form, **change})

    def refresh(self, refresh_token: str, **change: Any) -> requests.Response:
        return self.oauth(grant_type="refresh_token", refresh_token=refresh_token, **change)

    def revoke(self, token: str, **change: Any) -> requests.Response:
        return self.session.post(f"{self.url}/v2/oauth/revoke/", data={**APP, "token": token, **change})

    def post(self, path: str, token: str, body: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.session.post(f"{self.url}{path}", headers=headers, json=body, **more)

    def user_info(self, token: str, fields: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return self.session.get(f"{self.url}/v2/user/info/", params={"fields": fields}, headers=headers)

    def video_list(self, token: str, fields: str = "id", body: Any = None) -> requests.Response:
        return self.post("/v2/video/list/", token, body, params={"fields": fields})

    def video_query(self, token: str, ids: Any, fields: str = "id") -> requests.Response:
        return self.post("/v2/video/query/", token, {"filters": {"video_ids": ids}}, params={"fields": fields})

    def add_videos(self, username: str = "emu_creator", **more: Any) -> Any:
        """Videos of the creator's own making, oldest first."""
        return self.admin("POST", "videos", {"username": username, **more})["videos"]

    def creator_info(self, token: str) -> requests.Response:
        return self.post(f"{PUBLISH}creator_info/query/", token)

    def init(self, token: str, *, post_info: Any = None, source_info: Any = None, **more: Any) -> requests.Response:
        body = {"post_info": post_info_of() | (post_info or {}), "source_info": source_info or whole(1000)}
        return self.post(f"{PUBLISH}video/init/", token, {**body, **more})

    def init_draft(self, token: str, source_info: Any = None) -> requests.Response:
        return self.post(f"{PUBLISH}inbox/video/init/", token, {"source_info": source_info or whole(1000)})

    def init_photos(
        self, token: str, urls: Any, *, mode: str = "DIRECT_POST", post_info: Any = None, **source_info: Any
    ) -> requests.Response:
        body = {
            "media_type": "PHOTO",
            "post_mode": mode,
            "post_info": post_info_of() | (post_info or {}),
            "source_info": {"source": "PULL_FROM_URL", "photo_images": urls, "photo_cover_index": 0, **source_info},
        }
        return self.post(f"{PUBLISH}content/init/", token, body)

    def put(
        self, upload_url: str, content: bytes, total: int | None = None, first: int = 0, **headers: str
    ) -> requests.Response:
        """PUT one chunk; `Content_Type=...` replaces a header."""
        last = first + len(content) - 1
        sent = {
            "Content-Type": "video/mp4",
            "Content-Range": f"bytes {first}-{last}/{total or len(content)}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.session.put(upload_url, data=content, headers=sent)

    def status(self, token: str, publish_id: Any) -> requests.Response:
        return self.post(f"{PUBLISH}status/fetch/", token, {"publish_id": publish_id})

    def state(self, token: str, publish_id: str) -> Any:
        """The `data` of status/fetch."""
        return self.status(token, publish_id).json()["data"]

    def cancel(self, token: str, publish_id: str) -> requests.Response:
        return self.post(f"{PUBLISH}cancel/", token, {"publish_id": publish_id})

    def pulled(self, publish_id: str) -> Any:
        """The publish of the log, as soon as its pull has ended well or badly."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            publish = next(publish for publish in self.log()["publishes"] if publish["publish_id"] == publish_id)
            if publish["accepted_at"] is not None or publish["status"] != "PROCESSING_DOWNLOAD":
                return publish
        raise AssertionError(publish)

    def publish(self, token: str, film: bytes, **post_info: Any) -> str:
        """The publish_id of a direct post whose bytes are all in."""
        opened = self.init(token, post_info=post_info, source_info=whole(len(film))).json()["data"]
        assert self.put(opened["upload_url"], film).status_code == 201
        return str(opened["publish_id"])

    def draft(self, token: str, film: bytes) -> str:
        """The publish_id of a draft whose bytes are all in."""
        opened = self.init_draft(token, whole(len(film))).json()["data"]
        assert self.put(opened["upload_url"], film).status_code == 201
        return str(opened["publish_id"])


def post_info_of() -> dict[str, Any]:
    return {"privacy_level": "PUBLIC_TO_EVERYONE", "title": "a caption #emu"}


def whole(size: int) -> dict[str, Any]:
    return {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": size, "total_chunk_count": 1}


def sent_back(answer: requests.Response) -> dict[str, str]:
    """The query parameters with which the app's redirect URI is called."""
    assert answer.status_code == 302, answer.text
    location = answer.headers["Location"]
    assert location.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture(name="sent_back")
def sent_back_fixture():
    return sent_back


@pytest.fixture(scope="session")
def served():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def tiktok(served):
    """A new world, its clock stopped at noon."""
    with requests.Session() as session:
        client = Tiktok(served.url, session)
        client.admin("POST", "reset")
        client.admin("POST", "clock", {"frozen": True, "set": NOON})
        yield client


@pytest.fixture
def connect():
    """Clients of other sandboxes than the shared one."""
    sessions = []

    def make(url: str) -> Tiktok:
        sessions.append(requests.Session())
        return Tiktok(url, sessions[-1])

    yield make
    for session in sessions:
        session.close()


class Film(NamedTuple):
    """What a film is like: pixels, frames per second, seconds, FFmpeg's encoder, file name's end."""

    width: int = 360
    height: int = 360
    rate: int = 30
    seconds: float = 0.2
    codec: str = "libx264"
    suffix: str = "mp4"

    def encode(self, path: Path) -> bytes:
        """The bytes of such a film, all black."""
        with av.open(str(path), "w") as container:
            stream = cast("av.VideoStream", container.add_stream(self.codec, rate=self.rate))
            stream.width, stream.height, stream.pix_fmt = self.width, self.height, "yuv420p"
            frame = av.VideoFrame(self.width, self.height, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            for number in range(round(self.rate * self.seconds)):
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path.read_bytes()


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """Make a film; the same one is made once."""
    folder = tmp_path_factory.mktemp("films")
    made: dict[Film, bytes] = {}

    def make(**kind: Any) -> bytes:
        wanted = Film(**kind)
        if wanted not in made:
            made[wanted] = wanted.encode(folder / f"{len(made)}.{wanted.suffix}")
        return made[wanted]

    return make


@pytest.fixture(scope="session")
def clip(film):
    """A film that TikTok takes."""
    return film()


@pytest.fixture(scope="session")
def picture():
    """Make a picture with Pillow; every colour gives another one."""

    def make(width: int = 360, height: int = 480, kind: str = "JPEG", colour: str = "teal", **options: Any) -> bytes:
        file = io.BytesIO()
        with Image.new("RGB", (width, height), colour) as image:
            image.save(file, kind, **options)
        return file.getvalue()

    return make


class Served(NamedTuple):
    """One file of a host: `missing` bytes are announced but not sent; a `held` one waits until it is released."""

    body: bytes
    content_type: str | None = "image/jpeg"
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012  # nobody changes it
    missing: int = 0
    held: bool = False


class Host(ThreadingHTTPServer):
    """Serves `files` by their paths, and remembers who asked for what."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HostHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.files: dict[str, Served] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.released = Event()
        self.before_answer: Callable[[], None] = lambda: None

    def serve(self, path: str, body: bytes, **how: Any) -> str:
        """The URL below which `body` can be had from now on."""
        self.files[path] = Served(body, **how)
        return self.url + path


class HostHandler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        served = self.server.files.get(urlsplit(self.path).path.removeprefix("/"), Served(b"", status=404))
        self.server.before_answer()
        if served.held:
            self.server.released.wait(20)
        self.send_response(served.status)
        for name, value in served.headers.items():
            self.send_header(name, value)
        if served.content_type is not None:
            self.send_header("Content-Type", served.content_type)
        self.send_header("Content-Length", str(len(served.body) + served.missing))
        with suppress(ConnectionError):  # a sandbox that wants no more has hung up
            self.end_headers()
            self.wfile.write(served.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def host():
    """A web server of the app's owner."""
    server = Host()
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()
