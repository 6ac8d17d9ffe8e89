"""The sandbox's own GET of what others host: no redirects, no proxy, a plain name."""

import urllib.request
from email.message import Message
from http.client import HTTPException
from typing import IO, Any, override

IDLE_SECONDS = 30
USER_AGENT = "tiktok-sandbox"

FetchError = (OSError, ValueError, HTTPException)
"""What a GET can end with; an HTTPError, which is an OSError, knows the status."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        # Every redirect is a failure: the answer 3xx becomes an HTTPError.
        return None


def get(url: str) -> Any:
    """Open `url` for reading, as `urlopen` does. Raises one of FetchError unless the answer is a success."""
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
    opener.addheaders = [("User-Agent", USER_AGENT)]
    return opener.open(url, timeout=IDLE_SECONDS)


def media_type(headers: Message) -> str:
    """Tell the Content-Type without its parameters, in small letters; empty if there is none."""
    return str(headers.get("Content-Type", "")).partition(";")[0].strip().lower()
