"""The entry of an HTTP function: who calls, what with, and errors as answers."""

import base64
import hashlib
import hmac
import html
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from pydantic import BaseModel

from publisher.api import (
    AccountAnswer,
    BulkRequest,
    ConnectedAnswer,
    ConnectLinkAnswer,
    DroppedUploadAnswer,
    FailureAnswer,
    PostAnswer,
    UploadAnswer,
    iso,
    read_body,
)
from publisher.domain import errors
from publisher.domain.accounts import Account
from publisher.domain.csv_rows import read_rows, truth
from publisher.domain.keys import ApiKey
from publisher.domain.limits import BODY_BYTES, BULK_BODY_BYTES, GATEWAY_SECONDS, STATE_SECONDS, WAIT_SECONDS
from publisher.domain.posts import Post, Status
from publisher.domain.sessions import csrf_token
from publisher.domain.slots import WINDOWS
from publisher.domain.uploads import Upload, UploadState
from publisher.observability import logger
from publisher.ports import Ports
from publisher.use_cases.authenticate import authenticate, authenticate_session
from publisher.use_cases.create_post import Accepted
from publisher.use_cases.finish_connecting import Callback
from publisher.use_cases.start_connecting import ConnectLink, ConsentVisit
from publisher.wiring import wired

STATUS: Mapping[type[errors.PublisherError], int] = {
    errors.InvalidApiKey: 401,
    errors.InvalidSignature: 401,
    errors.InsufficientScope: 403,
    errors.ForgedRequest: 403,
    errors.NotFound: 404,
    errors.IdempotencyKeyReused: 422,
    errors.WrongStatus: 409,
    errors.RequestInvalid: 400,
    errors.TokenExpired: 401,
    errors.InvalidToken: 401,
    errors.AccountDisabled: 400,
    errors.ConnectionRefused: 400,
    errors.TikTokRefused: 422,
    errors.RateLimitExceeded: 429,
    errors.RequestInFlight: 409,
    errors.Timeout: 504,
    errors.InternalServerError: 500,
    errors.TryAgain: 503,
    errors.PublisherError: 500,
}
"""The answer's status by error; a class that is not listed answers as its parent."""

CONNECTING = "connecting"
"""Name of the cookie that binds a connection under way to its browser."""

SESSION = "session"
"""Name of the cookie that a browser signed in to the dashboard keeps."""

CALLBACK = "/oauth/tiktok/callback"
"""Where TikTok sends the creator's browser back to."""

_TO_DASHBOARD = ".dashboard"
"""Ends the cookie of a connection that was begun in the dashboard, and that therefore leads back there."""

_SAFE_METHODS = ("GET", "HEAD")

_BROWSER_PATHS = "/oauth/"
"""A person's browser comes here, so errors are pages; programs get JSON everywhere."""

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}

_DASHBOARD_LINK = '<p><a href="/">Open the dashboard</a></p>'

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1rem}"
)
"""Of small pages, which load nothing."""


class KeptAnswer(BaseModel):
    """An answer as it is kept for an Idempotency-Key."""

    status: int
    body: str
    headers: dict[str, str]


type Answer = Response[str]
type File = Response[bytes]
type Route = Callable[["Call"], Answer | File]


class Call:
    """One request, as a route sees it."""

    def __init__(self, resolver: APIGatewayHttpResolver, ports: Ports, path: Mapping[str, str]) -> None:
        self.ports = ports
        self.path = path
        self._event = resolver.current_event
        self._context = resolver.lambda_context
        self.key: ApiKey | None = resolver.context.get("key")

    @property
    def caller(self) -> ApiKey:
        """The caller's key; only routes that need one have it."""
        if self.key is None:
            raise errors.InvalidApiKey("Invalid or missing API key", "Send a key of your workspace.")
        return self.key

    @property
    def workspace_id(self) -> str:
        """The caller's workspace; only routes that need a key have one."""
        return self.caller.workspace_id

    @property
    def request_id(self) -> str:
        """API Gateway's id of this request."""
        return str(self._event.request_context.request_id)

    @property
    def query(self) -> Mapping[str, str]:
        """Query parameters."""
        return self._event.query_string_parameters or {}

    def header(self, name: str) -> str | None:
        """Return a header, whatever its letters' case."""
        return self._event.headers.get(name.lower())

    @property
    def url_path(self) -> str:
        """The path that was asked for."""
        return str(self._event.path)

    def wants_page(self) -> bool:
        """Tell whether a browser asks, rather than a program."""
        return "text/html" in (self.header("accept") or "")

    def wants_json(self) -> bool:
        """Tell whether the caller asks for JSON by name."""
        return "application/json" in (self.header("accept") or "")

    def cookie(self, name: str) -> str | None:
        """Return one of our cookies."""
        return _cookies(self._event.raw_event).get(cookie_name(name, self.base_url()))

    @property
    def leads_to_dashboard(self) -> bool:
        """Whether the connection under way was begun in this browser's dashboard."""
        return _to_dashboard(_cookies(self._event.raw_event))

    @property
    def session_token(self) -> str | None:
        """The token of the dashboard's session that the browser has."""
        return self.cookie(SESSION)

    def check_own_page(self) -> None:
        """Raise ForgedRequest when a browser says that a page of another site sends this."""
        site, origin = self.header("sec-fetch-site"), self.header("origin")
        hosts = (urlsplit(self.base_url()).netloc, self.header("host"))
        if site not in (None, "same-origin") or (origin is not None and urlsplit(origin).netloc not in hosts):
            raise _forged()

    def check_csrf_token(self, *, needed: bool = False) -> None:
        """Raise ForgedRequest for a token of another session than the browser's, or for none where one is `needed`.

        A page sends it with all it asks, so that one that was opened in another session notices.
        """
        given, token = self.header("x-csrf-token"), self.session_token
        if given is None and not needed:
            return
        if token is None or not hmac.compare_digest((given or "").encode(), csrf_token(token).encode()):
            raise _forged()

    def check_leaving_page(self) -> None:
        """Raise ForgedRequest when a page of another site has sent the browser here to act for its session."""
        if self.in_dashboard and self.header("sec-fetch-site") in ("cross-site", "same-site"):
            raise _forged()

    @property
    def in_dashboard(self) -> bool:
        """Whether the caller's key was found through a session."""
        return self.key is not None and not self._key_text

    @property
    def _key_text(self) -> str:
        bearer = self.header("authorization") or ""
        text = self.header("boring-api-key") or self.header("x-api-key")
        return (text or (bearer[7:] if bearer[:7].lower() == "bearer " else "")).strip()

    def authenticated(self) -> ApiKey:
        """Return the key that the request carries, or the one behind its session; a key in a header goes first.

        With a session, a request that changes something has to come from a page of ours, and none from a page of
        another session (ForgedRequest).
        """
        text, token = self._key_text, self.session_token
        if text or token is None:
            return authenticate(self.ports, text)
        key, _ = authenticate_session(self.ports, token)
        changes = self._event.http_method not in _SAFE_METHODS
        if changes:
            self.check_own_page()
        self.check_csrf_token(needed=changes)
        return key

    def seconds_left(self) -> float:
        """Return the seconds left until the function ends, or API Gateway, which counts a cold start too, gives up."""
        gone = self.ports.clock.now() - self._event.request_context.time_epoch / 1000
        return min(self._context.get_remaining_time_in_millis() / 1000, GATEWAY_SECONDS - max(0.0, gone))

    def base_url(self) -> str:
        """Return the root of the API as the browser reaches it."""
        return self.ports.public_url or f"https://{self._event.request_context.domain_name}"

    def body(self, most: int = BODY_BYTES) -> bytes:
        """Return the body to the byte; InvalidRequest when it has more than `most` or cannot be bytes."""
        raw = self._event.raw_event.get("body") or ""
        if len(raw) > most * 2:
            raise _too_large(most)
        try:
            body = base64.b64decode(raw) if self._event.raw_event.get("isBase64Encoded") else raw.encode()
        except ValueError:
            raise errors.InvalidRequest("The body cannot be read.", "Send bytes or UTF-8.") from None
        if len(body) > most:
            raise _too_large(most)
        return bytes(body)

    def json(self, most: int = BODY_BYTES) -> object:
        """Return the body; InvalidRequest when it has more than `most` bytes or is no JSON."""
        try:
            read: object = json.loads(self.body(most))
            json.dumps(read, ensure_ascii=False).encode()  # half a surrogate pair is JSON, but can be stored nowhere
        except (ValueError, RecursionError):
            raise errors.InvalidRequest("The body is not valid JSON.", "Send a JSON object encoded as UTF-8.") from None
        return read


class Api:
    """Routes of one function. Every route needs a key with its scope, unless it says that it is public."""

    def __init__(self, ports: Callable[[], Ports] = wired) -> None:
        self.ports = ports
        self.resolver = APIGatewayHttpResolver()
        self.routes: dict[tuple[str, str], str | None] = {}
        self.summaries: dict[tuple[str, str], str] = {}
        self.resolver.exception_handler(Exception)(self._failed)
        self.resolver.not_found(lambda _: self._failed(errors.NotFound("There is no such path.", "See the README.")))

    def route(self, method: str, path: str, *, scope: str) -> Callable[[Route], Route]:
        """Answer a path to callers whose key has the scope."""
        return self._add(method, path, scope)

    def public(self, method: str, path: str) -> Callable[[Route], Route]:
        """Answer a path to everybody."""
        return self._add(method, path, None)

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer an event of API Gateway."""
        logger().append_keys(request_id=event.get("requestContext", {}).get("requestId"))
        return self.resolver.resolve(event, context)

    def _add(self, method: str, path: str, scope: str | None) -> Callable[[Route], Route]:
        def add(route: Route) -> Route:
            self.routes[method, path] = scope
            self.summaries[method, path] = (route.__doc__ or "").partition("\n")[0]

            def answer(**parameters: str) -> Answer | File:
                return route(Call(self.resolver, self.ports(), parameters))

            placeholder = path.replace("{", "<").replace("}", ">")
            middlewares = [] if scope is None else [self._authenticated(scope)]
            self.resolver.route(placeholder, method=method, middlewares=middlewares)(answer)
            return route

        return add

    def _authenticated(self, scope: str) -> Callable[[APIGatewayHttpResolver, NextMiddleware], Any]:
        def check(resolver: APIGatewayHttpResolver, following: NextMiddleware) -> Any:
            key = Call(resolver, self.ports(), {}).authenticated()
            if not key.allows(scope):
                raise errors.InsufficientScope(f"The key lacks the scope {scope}.", "Use a key that has it.")
            resolver.context["key"] = key
            return following(resolver)

        return check

    def _failed(self, error: Exception) -> Answer:
        if not isinstance(error, errors.PublisherError):
            logger().exception("request broke")
            error = errors.InternalServerError("The service has a fault.", "Try again; name the requestId if it stays.")
        event, failure = self.resolver.current_event, error.failure()
        request_id = str(event.request_context.request_id)
        if event.path.startswith(_BROWSER_PATHS) and "text/html" in event.headers.get("accept", ""):
            cookies = _cookies(event.raw_event)
            if event.path == CALLBACK and _to_dashboard(cookies):
                why = quote(failure.tiktok_code or failure.name, safe="")
                return redirect(f"/#/accounts?refused={why}&request={request_id}")
            title, request = "The account was not connected", f"Request {request_id}"
            link = _DASHBOARD_LINK if _value(cookies, SESSION) else ""
            return page(status_of(failure), title, failure.error, failure.message, request, link=link)
        return failure_answer(failure, request_id, problems=getattr(error, "problems", ()))


def _cookies(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the request's cookies; of several with one name the first, as it belongs to the longest path."""
    parts = [cookie.partition("=") for cookie in reversed(event.get("cookies") or [])]
    return {name: value for name, _, value in parts}


def _value(cookies: Mapping[str, str], name: str) -> str:
    """Return a cookie by either of its names: where a person is led to must not depend on what else is wrong."""
    return cookies.get(f"__Host-{name}") or cookies.get(name) or ""


def _to_dashboard(cookies: Mapping[str, str]) -> bool:
    """Tell whether a connection was begun by the dashboard of a browser that still has a session there."""
    return _value(cookies, CONNECTING).endswith(_TO_DASHBOARD) and _value(cookies, SESSION) != ""


def failure_answer(
    failure: errors.Failure,
    request_id: str,
    *,
    post_id: str | None = None,
    problems: tuple[errors.Failure, ...] = (),
) -> Answer:
    """Answer an error in the documented shape."""
    body = FailureAnswer.of(failure, request_id, post_id=post_id, problems=problems)
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after), **_rate_limit(failure)}
    return json_answer(status_of(failure), body, headers=headers)


def _rate_limit(failure: errors.Failure) -> dict[str, str]:
    """Tell which limit is used up, in the fields of draft-ietf-httpapi-ratelimit-headers."""
    for window in WINDOWS:
        if window.name == failure.limit:
            return {
                "RateLimit-Policy": f'"{window.name}";q={window.most};w={window.seconds}',
                "RateLimit": f'"{window.name}";r=0;t={failure.retry_after}',
            }
    return {}


def status_of(failure: errors.Failure) -> int:
    """Return the HTTP status of an error by its class's name."""
    kind = getattr(errors, failure.name, errors.InternalServerError)
    return next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS)


def json_answer(
    status: int,
    body: BaseModel | str,
    *,
    headers: Mapping[str, str] | None = None,
    cookies: tuple[str, ...] = (),
) -> Answer:
    """Answer JSON: a model, whose absent keys are left out only in errors, or a text that is JSON already."""
    if isinstance(body, BaseModel):
        body = body.model_dump_json(by_alias=True, exclude_none=isinstance(body, FailureAnswer))
    return _answer(status, "application/json", body, headers or {}, cookies)


def post_answer(call: Call, accepted: Accepted, post: Post) -> Answer:
    """Answer POST /v2/posts: what became of the post, or that it is under way; kept for the same Idempotency-Key."""
    if accepted.replay is not None:
        kept = KeptAnswer.model_validate_json(accepted.replay)
        return _answer(kept.status, "application/json", kept.body, {**kept.headers, "Idempotent-Replayed": "true"}, ())
    if post.status is Status.FAILED and post.failure is not None:
        answer = failure_answer(post.failure, call.request_id, post_id=post.post_id)
    else:
        shown = PostAnswer.of(post, call.request_id)
        answer = json_answer(200 if post.terminal else 202, shown)
    if accepted.request is not None:
        headers = {name: str(value) for name, value in answer.headers.items() if name == "Retry-After"}
        kept = KeptAnswer(status=answer.status_code, body=answer.body or "", headers=headers)
        try:
            call.ports.posts.answer(accepted.request, kept.model_dump_json())
        except errors.TryAgain:
            logger().exception("answer not kept")  # the post stands, and a repeated request finds it all the same
    return answer


_WAIT = re.compile(r"wait\s*=\s*(?P<seconds>[0-9]{1,9})")


def wanted_wait(prefer: str | None) -> float:
    """Return how many seconds a caller waits: all that are possible, unless its Prefer header says otherwise."""
    preferences = [part.strip().lower() for part in (prefer or "").split(",")]
    waits = [found for found in map(_WAIT.fullmatch, preferences) if found]
    if "respond-async" in preferences and not waits:
        return 0
    return min(int(waits[0]["seconds"]), WAIT_SECONDS) if waits else WAIT_SECONDS


def bulk_rows(call: Call) -> BulkRequest:
    """Read the rows of a bulk request: JSON, or CSV when the content type says so; `?dryRun=true` counts for both."""
    asked = truth(call.query.get("dryRun", "false"))
    if not isinstance(asked, bool):
        raise errors.InvalidRequest("dryRun is neither true nor false.", "Write true, or leave it out.")
    if (call.header("content-type") or "").partition(";")[0].strip().lower() == "text/csv":
        return BulkRequest(posts=read_rows(call.body(BULK_BODY_BYTES)), dry_run=asked)
    request = read_body(BulkRequest, call.json(BULK_BODY_BYTES), "POST /v2/posts/bulk")
    return request.model_copy(update={"dry_run": request.dry_run or asked})


def link_answer(call: Call, link: ConnectLink) -> Answer:
    """Answer a link that may be opened in any browser."""
    url = f"{call.base_url()}/oauth/tiktok/connect/{link.ticket}"
    return json_answer(200, ConnectLinkAnswer(connect_url=url, expires_at=iso(link.expires_at)))


def consent_answer(call: Call, visit: ConsentVisit) -> Answer:
    """Send the browser to TikTok with the session that it has to bring back."""
    value = visit.session + (_TO_DASHBOARD if call.in_dashboard else "")
    cookie = session_cookie(CONNECTING, value, call.base_url(), seconds=int(STATE_SECONDS))
    return redirect(visit.url, cookies=(cookie,))


def read_callback(call: Call) -> Callback:
    """Read what TikTok sent back through the browser."""
    query, session = call.query, call.cookie(CONNECTING)
    return Callback(
        state=query.get("state"),
        code=query.get("code"),
        error=query.get("error"),
        error_type=query.get("error_type"),
        session=session and session.removesuffix(_TO_DASHBOARD),
    )


def connected_answer(call: Call, account: Account) -> Answer:
    """Tell a person, or a program, that the account is connected and what it did not allow."""
    over = session_cookie(CONNECTING, "", call.base_url(), seconds=0)
    missing = list(account.missing_scopes)
    if not call.wants_page():
        shown = AccountAnswer.of(account, call.ports.clock.now())
        return json_answer(200, ConnectedAnswer(account=shown, missing_scopes=missing), cookies=(over,))
    if call.leads_to_dashboard:
        lacking = f"&missing={','.join(missing)}" if missing else ""
        return redirect(f"/#/accounts?connected={account.account_id}{lacking}", cookies=(over,))
    lacking = f"Not allowed, and so not possible: {', '.join(missing)}. Connect again to allow them." if missing else ""
    name = account.display_name or account.username or "The account"
    link = _DASHBOARD_LINK if call.session_token else ""
    said = f"{name} is connected. You can close this page."
    return page(200, "Account connected", said, lacking, link=link, cookies=(over,))


def upload_answer(call: Call, state: UploadState, status: int = 200) -> Answer:
    """Answer how far an upload has come."""
    return json_answer(status, UploadAnswer.of(state, call.base_url()))


def dropped_upload_answer(upload: Upload) -> Answer:
    """Answer that an upload is no more."""
    return json_answer(200, DroppedUploadAnswer(upload_id=upload.upload_id))


def redirect(url: str, *, cookies: tuple[str, ...] = ()) -> Answer:
    """Send the browser elsewhere."""
    return _answer(302, "text/plain; charset=utf-8", "", {"Location": url}, cookies)


def page(status: int, title: str, *sentences: str, link: str = "", cookies: tuple[str, ...] = ()) -> Answer:
    """Answer a small page for a person; `link` is HTML of ours."""
    text = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences if sentence)
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{html.escape(title)}</h1>{text}{link}</main></body></html>"
    )
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"{SECURITY_HEADERS['Content-Security-Policy']}; style-src 'sha256-{style}'"
    return _answer(status, "text/html; charset=utf-8", body, {"Content-Security-Policy": policy}, cookies)


def text_answer(text: str) -> Answer:
    """Answer a text to the byte, for programs that compare it."""
    return _answer(200, "text/plain", text, {}, ())


def csv_answer(text: str, name: str) -> Answer:
    """Answer a table that a browser saves under a name."""
    return _answer(200, "text/csv; charset=utf-8", text, {"Content-Disposition": f'attachment; filename="{name}"'}, ())


def picture_answer(data: bytes, name: str) -> File:
    """Answer a JPEG."""
    headers = {**SECURITY_HEADERS, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(200, content_type="image/jpeg", body=data, headers=headers)


def session_cookie(name: str, value: str, base_url: str, *, seconds: int) -> str:
    """Write a cookie that scripts cannot read; over https it is bound to this host alone."""
    secure = base_url.startswith("https://")
    return (
        f"{cookie_name(name, base_url)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        f"{'; Secure' if secure else ''}"
    )


def cookie_name(name: str, base_url: str) -> str:
    """Return the cookie's name: browsers take the strict prefix only over https."""
    return f"__Host-{name}" if base_url.startswith("https://") else name


def _answer(status: int, kind: str, body: str, headers: Mapping[str, str], cookies: tuple[str, ...]) -> Answer:
    return Response(
        status_code=status,
        content_type=kind,
        body=body,
        headers={**SECURITY_HEADERS, **headers},
        cookies=list(cookies),  # type: ignore[arg-type]  # written whole by session_cookie, as text
    )


def _forged() -> errors.ForgedRequest:
    return errors.ForgedRequest(
        "This request does not come from a page of the dashboard.", "Load the dashboard again, or send an API key."
    )


def _too_large(most: int) -> errors.InvalidRequest:
    return errors.InvalidRequest(
        f"The body is larger than {most // 1024} KiB.", "Give media by URL; nothing else is that long."
    )
