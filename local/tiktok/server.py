"""The sandbox as a whole: routes, faults, the log, and a server to start and stop."""

import shutil
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Literal, Self

from local.tiktok import admin, answers, oauth, posting, pull, uploads, users, videos, webhooks
from local.tiktok.answers import RefusedError
from local.tiktok.calls import Call, Route
from local.tiktok.faults import Code, Fault, Status, take
from local.tiktok.settings import Settings
from local.tiktok.store import Store
from local.tiktok.web import Broken, Request, Response, Server, ShortBodyError, json_response

ROUTES = [
    Route("GET", "/v2/auth/authorize/", "authorize", oauth.authorize, answers.oauth_refused),
    Route("POST", "/v2/auth/authorize/", "authorize", oauth.authorize, answers.oauth_refused),
    # Clients that leave out the slash of the consent page get to it all the same (observed).
    Route("GET", "/v2/auth/authorize", "authorize", oauth.authorize, answers.oauth_refused),
    Route("POST", "/v2/auth/authorize", "authorize", oauth.authorize, answers.oauth_refused),
    Route("POST", "/v2/oauth/token/", "token", oauth.token, answers.oauth_refused),
    Route("POST", "/v2/oauth/revoke/", "revoke", oauth.revoke, answers.oauth_refused),
    Route("GET", "/v2/user/info/", "user_info", users.user_info, answers.refused),
    Route("POST", "/v2/video/list/", "video/list", videos.video_list, answers.refused),
    Route("POST", "/v2/video/query/", "video/query", videos.video_query, answers.refused),
    Route(
        "POST", "/v2/post/publish/creator_info/query/", "creator_info", posting.creator_info, answers.creator_refused
    ),
    Route("POST", "/v2/post/publish/video/init/", "video/init", posting.video_init, answers.refused),
    Route("POST", "/v2/post/publish/inbox/video/init/", "inbox/video/init", posting.inbox_video_init, answers.refused),
    Route("POST", "/v2/post/publish/content/init/", "content/init", posting.content_init, answers.refused),
    Route("POST", "/v2/post/publish/status/fetch/", "status", posting.status, answers.refused),
    Route("POST", "/v2/post/publish/cancel/", "cancel", posting.cancel, answers.refused),
    Route("PUT", "/upload", "upload", uploads.upload, answers.upload_refused),
    Route("PUT", "/upload/", "upload", uploads.upload, answers.upload_refused),
    Route("PUT", "/video/", "upload", uploads.upload, answers.upload_refused),
    Route("GET", videos.AVATAR_PATH, "avatar", videos.avatar, answers.upload_refused),
    Route("GET", videos.COVER_PATH, "cover", videos.cover, answers.upload_refused),
]
_PATHS = {route.path for route in ROUTES}
_BY_METHOD_AND_PATH = {(route.method, route.path): route for route in ROUTES}
_GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


class Sandbox:
    """A TikTok of one's own: `with Sandbox() as sandbox: ... sandbox.url`.

    `state` is a folder that keeps everything over restarts; without it a temporary one is used and removed.
    `profile` chooses the lifetimes of tokens; None keeps what `state` has, or 24h. Port 0 takes a free one.
    Raises OSError when the port is taken or the folder cannot be used, ValueError when it holds something else.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        state: Path | None = None,
        profile: Literal["24h", "2h"] | None = None,
    ) -> None:
        self._server = Server(host, port, self._answer)
        self.folder = state or Path(tempfile.mkdtemp(prefix="tiktok-sandbox-"))
        self._is_temporary = state is None
        try:
            self._store = Store(self.folder, profile, keep=not self._is_temporary)
        except (OSError, ValueError):
            self._server.server_close()
            raise
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="tiktok-sandbox")
        self.url = f"http://{host}:{self._server.server_port}"

    def start(self) -> Self:
        """Serve on a thread of its own; downloads and events that a stop has cut short begin anew."""
        pull.resume(self._store)
        webhooks.start(self._store)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End every connection and wait until the last call is done."""
        self._server.stop()
        self._thread.join()
        self._store.close()
        if self._is_temporary:
            shutil.rmtree(self.folder, ignore_errors=True)  # a download may still be writing

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, request: Request) -> Response | Broken:
        if request.path.startswith(admin.PREFIX):
            response = admin.answer(self._store, request)
            with self._store.change() as world:
                self._server.body_idle_seconds = world.settings.body_idle_seconds
            return response
        route = _BY_METHOD_AND_PATH.get((request.method, request.path))
        with self._store.change() as world:
            now, settings = world.clock.now(), world.settings
            fault = take(world.faults, route.endpoint) if route else None
        call = Call(request, self._store, answers.new_log_id(now))
        if route is None:
            outcome: Response | Broken = _no_route(request, call)
        elif fault is None:
            outcome = _serve(call, route, settings)
        else:
            real = _serve(call, route, settings) if fault.when == "after" else None
            outcome = _spoil(fault, call, route, settings, real)
        self._store.log_call(
            {
                "time": now,
                "endpoint": route.endpoint if route else None,
                "method": request.method,
                "path": request.path,
                "status": outcome.status if isinstance(outcome, Response) else None,
                "log_id": call.log_id,
                "fault": fault.label() if fault else None,
                **call.notes,
            }
        )
        return outcome


def _no_route(request: Request, call: Call) -> Response:
    # The gateway's words (observed); nothing behind it has seen the call.
    status = 405 if request.path in _PATHS else 404
    return Response(status, b"Unsupported path(Janus)", {"Content-Type": "text/plain", "x-tt-logid": call.log_id})


def _serve(call: Call, route: Route, settings: Settings) -> Response:
    try:
        return route.serve(call)
    except RefusedError as refusal:
        call.notes["error"] = refusal.code
        return route.refuse(settings, call.log_id, refusal)
    except ShortBodyError:
        call.notes["error"] = "the body is shorter than announced"
        return Response(400, headers={"x-tt-logid": call.log_id})
    except Exception:  # noqa: BLE001  # one broken call must not end the connection's thread
        traceback.print_exc()
        call.notes["error"] = "internal_error"
        return route.refuse(settings, call.log_id, RefusedError("internal_error"))


def _spoil(fault: Fault, call: Call, route: Route, settings: Settings, real: Response | None) -> Response | Broken:
    match fault.do:
        case "reset" | "drop" | "timeout" as how:
            return Broken("reset" if how == "reset" else "close", settings.hold_seconds if how == "timeout" else 0)
        case "html":
            return Response(502, _GATEWAY_PAGE, {"Content-Type": "text/html"})
        case "cut_json":
            whole = real or route.refuse(settings, call.log_id, RefusedError("internal_error"))
            return replace(whole, body=whole.body[: len(whole.body) // 2])
        case "unknown_code":
            return route.refuse(settings, call.log_id, RefusedError("code_nobody_has_documented"))
        case Code(code=code, message=message):
            return route.refuse(settings, call.log_id, RefusedError(code, message))
        case Status(status=status, body=body, headers=headers):
            answer = Response(status, body.encode()) if isinstance(body, str) else json_response(status, body)
            return replace(answer, headers={**answer.headers, **headers})
