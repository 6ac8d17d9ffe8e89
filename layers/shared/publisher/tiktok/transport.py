"""HTTP to TikTok: one try a call, no proxies, no redirects, no cookies. The only importer of requests.

Whether a call is tried again is the state machine's decision, because only it knows what repeating would do.
"""

import logging
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple

import requests
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import HTTPError

from publisher.domain.errors import PublisherError, ServiceUnavailable, Timeout
from publisher.domain.limits import (
    ANSWER_BYTES,
    CHUNK_ANSWER_SECONDS,
    KIB,
    TIKTOK_ANSWER_SECONDS,
    TIKTOK_CONNECT_SECONDS,
)


class Answer(NamedTuple):
    """What TikTok answered; header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests to TikTok. Durations are seconds.

    ServiceUnavailable or Timeout when no whole answer comes: TikTok may or may not have acted then. Neither shows or
    holds anything of the request.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = TIKTOK_CONNECT_SECONDS,
        answer_seconds: float = TIKTOK_ANSWER_SECONDS,
        chunk_seconds: float = CHUNK_ANSWER_SECONDS,
    ) -> None:
        self._call_timeout = (connect_seconds, answer_seconds)
        # urllib3 sends under the connect timeout, so a chunk needs the long one twice.
        self._chunk_timeout = (chunk_seconds, chunk_seconds)
        self._uploads = _session()
        logging.getLogger("urllib3").setLevel(logging.ERROR)  # below that it writes URLs, and an upload URL is a secret

    def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Answer:
        """Call the API on a connection of its own: one kept from earlier may be dead, which shows only on sending."""
        with _session() as session:
            return _exchange(session, method, url, headers=headers, body=body, timeout=self._call_timeout)

    def upload(self, url: str, *, headers: Mapping[str, str], data: memoryview) -> Answer:
        """Send a chunk as it lies in memory; the chunks of an upload share a connection."""
        return _exchange(self._uploads, "PUT", url, headers=headers, body=data, timeout=self._chunk_timeout)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc, no other certificates than the pinned ones
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return session


def _exchange(
    session: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: Any,  # requests sends a memoryview as it is, though its types know none
    timeout: tuple[float, float],
) -> Answer:
    failed: PublisherError
    try:
        with session.request(
            method, url, headers=headers, data=body, timeout=timeout, allow_redirects=False, stream=True
        ) as response:
            return Answer(response.status_code, response.headers, _read(response))
    except requests.Timeout:
        failed = Timeout("TikTok did not answer in time.", "Try again in a minute.")
    except (OSError, ValueError, HTTPError):  # requests' own errors are OSErrors; some of urllib3's come through
        failed = ServiceUnavailable("TikTok could not be reached, or its answer was cut.", "Try again in a minute.")
    raise failed  # out here it has no context, which would hold the request's URL and headers


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(64 * KIB):
        body += piece
        if len(body) > ANSWER_BYTES:
            raise ValueError("too large")
    return bytes(body)
