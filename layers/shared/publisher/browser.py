"""What the dashboard answers to browsers: its pages, their files, and its sessions."""

from aws_lambda_powertools.event_handler import Response

from publisher.api import SessionAnswer, SignedOutAnswer, SignInLinkAnswer, iso
from publisher.domain.errors import NotFound
from publisher.domain.limits import SESSION_SECONDS
from publisher.ports import Ports
from publisher.static_files import StaticFile, StaticFiles
from publisher.use_cases.sign_in import SignedIn, SignInLink
from publisher.web import SECURITY_HEADERS, SESSION, Answer, Call, File, json_answer, session_cookie

_PAGES = {"/": "index.html", "/docs": "docs.html"}
_FOR_EVER = "public, max-age=31536000, immutable"


def page_answer(call: Call, files: StaticFiles) -> File:
    """Answer the page of the request's path; what it may load and call is fixed here, whatever ends up in it."""
    return _file_answer(call, files.get(_PAGES[call.url_path]), _page_headers(call.ports))


def asset_answer(call: Call, files: StaticFiles) -> File:
    """Answer a file that a page loads; under the present version browsers may keep it for ever."""
    name = "/".join(part for part in (call.path.get("folder"), call.path["name"]) if part)
    keep = {"Cache-Control": _FOR_EVER} if call.path["version"] == files.version else {}
    return _file_answer(call, files.get(name), keep)


def contract_answer(call: Call, files: StaticFiles) -> File:
    """Answer the contract, which any page may read."""
    return _file_answer(call, files.get("openapi.json"), {"Access-Control-Allow-Origin": "*"})


def _file_answer(call: Call, file: StaticFile | None, headers: dict[str, str]) -> File:
    if file is None:
        raise NotFound("There is no such file.", "Load the dashboard again.")
    compress = "gzip" in (call.header("accept-encoding") or "")
    encoding = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if compress else {})}
    return Response(
        200,
        content_type=file.content_type,
        body=file.compressed if compress else file.content,
        headers={**SECURITY_HEADERS, **headers, **encoding},
    )


def _page_headers(ports: Ports) -> dict[str, str]:
    # A preview shows the media at the address that a person typed, and profiles have their pictures at TikTok's hosts,
    # so pictures and films may come from anywhere; scripts and calls may not.
    media = " ".join(("https:", *ports.trusted_media_origins, *ports.tiktok_origins))
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": f"'self' {ports.uploads.origin}",
        "img-src": f"'self' blob: {media}",
        "media-src": f"blob: {media}",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def session_answer(signed_in: SignedIn) -> Answer:
    """Show a session to its browser."""
    return json_answer(200, SessionAnswer.of(signed_in.key, signed_in.session, signed_in.token))


def signed_in_answer(call: Call, signed_in: SignedIn) -> Answer:
    """Show a new session to its browser, which keeps the token in a cookie."""
    shown = SessionAnswer.of(signed_in.key, signed_in.session, signed_in.token)
    cookie = session_cookie(SESSION, signed_in.token, call.base_url(), seconds=int(SESSION_SECONDS))
    return json_answer(201, shown, cookies=(cookie,))


def signed_out_answer(call: Call) -> Answer:
    """Tell that the session is over, and let the browser forget it."""
    over = session_cookie(SESSION, "", call.base_url(), seconds=0)
    return json_answer(200, SignedOutAnswer(), cookies=(over,))


def sign_in_link_answer(call: Call, link: SignInLink) -> Answer:
    """Answer a sign-in link; its ticket stands behind the #, which no server and no log sees."""
    url = f"{call.base_url()}/#/sign-in/{link.ticket}"
    return json_answer(201, SignInLinkAnswer(sign_in_url=url, expires_at=iso(link.expires_at)))
