"""HTTP to the service, and the one place that decides what is sent again."""

import ipaddress
import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from publisher_client.errors import NotSignedIn, PublisherApiError, Unreachable

ATTEMPTS = 7
"""Calls in all; the pauses between them are 13 to 26 s together, and longer where the service says so."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
"""Seconds of the first pause, which doubles, and of the longest."""
LONGEST_RETRY_AFTER = 40
"""Seconds that a Retry-After may ask of us: more than the 30 for which a lost request counts as under way. What frees
later is the caller's to wait for."""
CONNECT_SECONDS, ANSWER_SECONDS = 10, 40
"""The service answers within 29 s or not at all."""


class Transport:
    """Sends requests with a key to one service, and to nobody else: redirects are not followed.

    `pause` is called with seconds between two attempts.
    """

    def __init__(self, url: str, key: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.url = checked_url(url)
        self._pause = pause
        self._session = requests.Session()
        self._session.auth = _as_it_is
        self._headers = {"x-api-key": checked_key(key), "Accept": "application/json"}

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> dict[str, Any]:
        """Return what the service answers; PublisherApiError or Unreachable otherwise.

        `repeat` tells that the same call may be sent again, as it then does no more than once.
        """
        arrived = False
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not repeat
            try:
                answer = self._session.request(
                    method,
                    self.url + path,
                    params={name: str(value) for name, value in (query or {}).items() if value is not None},
                    json=body,
                    headers={**self._headers, **(headers or {})},
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                arrived = arrived or not _never_connected(error)
                if last:
                    raise _unreachable(self.url, error, outcome_unknown=arrived and method != "GET") from error
                self._pause(pause_before(attempt + 1))
                continue
            arrived = True
            told = _told(answer)
            if answer.status_code < HTTPStatus.MULTIPLE_CHOICES and told is not None:
                return told
            failure = PublisherApiError(answer.status_code, told or {}, _retry_after(answer))
            if last or not worth_repeating(failure):
                raise failure
            self._pause(max(pause_before(attempt + 1), failure.retry_after or 0))
        raise AssertionError("the last attempt returns or raises")

    def put_part(self, url: str, data: bytes, sha256: str) -> bool:
        """Send bytes to S3; False when their address is not good any more. Unreachable when it does not work."""
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS
            try:
                answer = self._session.put(
                    url,
                    data=data,
                    headers={"x-amz-checksum-sha256": sha256},
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                if last:
                    raise _not_stored(type(error).__name__) from error
            else:
                if answer.status_code == HTTPStatus.OK:
                    return True
                if answer.status_code == HTTPStatus.FORBIDDEN:
                    return False
                if last:
                    raise _not_stored(str(answer.status_code))
            self._pause(pause_before(attempt + 1))
        raise AssertionError("the last attempt returns or raises")


def worth_repeating(failure: PublisherApiError) -> bool:
    """Tell whether the same call may end better a moment later."""
    if failure.post_id is not None:
        return False  # it is the outcome of a post, and would be told again
    if failure.retry_after is not None and failure.retry_after > LONGEST_RETRY_AFTER:
        return False
    if failure.status == HTTPStatus.CONFLICT:
        return failure.retryable  # the first request with this Idempotency-Key is still being answered
    return failure.status == HTTPStatus.TOO_MANY_REQUESTS or failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def pause_before(attempt: int) -> float:
    """Return how many seconds to wait; half of them by chance, so that many callers do not come back together."""
    longest = min(FIRST_PAUSE * 2.0 ** (attempt - 2), LONGEST_PAUSE)
    return longest / 2 + random.uniform(0, longest / 2)  # noqa: S311 - no secret


def checked_url(url: str) -> str:
    """Return an API's root; NotSignedIn when a key must not be sent there."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise NotSignedIn("That is no address of a service.", "Give the API's root, such as https://api.example.com.")
    if parts.scheme == "http" and not _is_this_machine(parts.hostname):
        raise NotSignedIn("A key is not sent over plain http.", "Give the address with https.")
    return url.strip().rstrip("/")


def checked_key(key: str) -> str:
    """Return a key; NotSignedIn when it can be none."""
    key = key.strip()
    if not key.startswith("tkp_") or not key.isascii() or not key.isprintable() or " " in key:
        raise NotSignedIn("That is no API key.", "A key begins with tkp_; the dashboard's page Keys makes one.")
    return key


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding a password of ~/.netrc, which S3 would refuse."""
    return request


def _told(answer: requests.Response) -> dict[str, Any] | None:
    try:
        told = answer.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _retry_after(answer: requests.Response) -> int | None:
    value = answer.headers.get("Retry-After", "")
    return int(value) if value.isdecimal() else None


def _never_connected(error: requests.RequestException) -> bool:
    """Tell whether a request cannot have been heard."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(cause, NewConnectionError)


def _unreachable(url: str, error: requests.RequestException, *, outcome_unknown: bool) -> Unreachable:
    return Unreachable(
        f"{url} does not answer ({type(error).__name__}).",
        "What was asked may have happened all the same: look before you try again."
        if outcome_unknown
        else "Look whether the address is right and the network works, and try again.",
        outcome_unknown=outcome_unknown,
    )


def _not_stored(reason: str) -> Unreachable:
    return Unreachable(
        f"The file's store did not take a part ({reason}).",
        "Try again; the upload goes on where it is.",
        outcome_unknown=False,
    )
