"""The sandbox's own calls of what others host: no redirects, no proxy, a plain name."""

import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO, Any, override

IDLE_SECONDS = 30
ANSWER_SECONDS = 10  # of a webhook; ours, unconfirmed
USER_AGENT = "tiktok-sandbox"

FetchError = (OSError, ValueError, HTTPException)
"""What a call can end with; an HTTPError, which is an OSError, knows the status."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        # Every redirect is a failure: the answer 3xx becomes an HTTPError.
        return None


def get(url: str) -> Any:
    """Open `url` for reading, as `urlopen` does. Raises one of FetchError unless the answer is a success."""
    return _opener().open(url, timeout=IDLE_SECONDS)


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Any:
    """Send `body` to `url`, as `get` reads from one."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")
    return _opener().open(request, timeout=ANSWER_SECONDS)


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    opener.addheaders = [("User-Agent", USER_AGENT)]
    return opener


def media_type(headers: Message) -> str:
    """Tell the Content-Type without its parameters, in small letters; empty if there is none."""
    return str(headers.get("Content-Type", "")).partition(";")[0].strip().lower()
