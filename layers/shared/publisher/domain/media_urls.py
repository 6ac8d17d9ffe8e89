"""What can be told from a media URL alone: whether it may ever be fetched."""

import base64
import re
import string
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple, NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from publisher.domain.errors import InvalidMediaUrl
from publisher.domain.limits import MEDIA_URL_CHARACTERS

_PORTS = {"https": 443, "http": 80}
# Labels joined by dots, the last one not a number in any notation: so no form of an address passes.
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Old and new rules of international names send these to different domains.
_AMBIGUOUS = frozenset("ßς\u200c\u200d")


class MediaUrl(NamedTuple):
    """A URL that may be fetched, in the parts a request needs.

    `host` is ASCII and lower-case, `target` is path and query in ASCII. A trusted URL is of an origin that the operator
    named, so its address, port and scheme are his choice.
    """

    text: str
    scheme: str
    host: str
    port: int
    target: str
    trusted: bool

    @property
    def authority(self) -> str:
        """Host, with the port unless it is the scheme's own: what the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def check_media_url(url: str, trusted_origins: Collection[str]) -> MediaUrl:
    """Take a media URL apart; InvalidMediaUrl when it may never be fetched, whatever stands behind it.

    http and https on their own ports, and a DNS name: addresses in any notation, user names and control characters are
    refused. `trusted_origins` are like http://127.0.0.1:9000; one matches by scheme, host and port, all exact.
    """
    if len(url) > MEDIA_URL_CHARACTERS:
        _refuse(f"The media URL has {len(url)} characters; {MEDIA_URL_CHARACTERS} are the most.", "Give a shorter URL.")
    if not url.isprintable() or " " in url or "\\" in url:
        _refuse("The media URL holds a space, a backslash or a control character.", "Percent-encode such characters.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse("The media URL cannot be read.", "Give it as https://host/path.")
    if parts.scheme not in _PORTS:
        _refuse("The media URL is neither https nor http.", "Give a URL that begins with https://.")
    if "@" in parts.netloc:
        _refuse("The media URL holds a user name.", "Give a URL that works without signing in.")
    port = _PORTS[parts.scheme] if port is None else port
    target = quote(parts.path or "/", safe=string.punctuation)
    if parts.query:
        target += "?" + quote(parts.query, safe=string.punctuation)
    if _origin(parts, port) in {_origin(urlsplit(trusted)) for trusted in trusted_origins}:
        return MediaUrl(url, parts.scheme, parts.hostname or "", port, target, trusted=True)
    if port != _PORTS[parts.scheme]:
        _refuse(f"The media URL names port {port}.", f"Media is fetched from port {_PORTS[parts.scheme]} only.")
    return MediaUrl(url, parts.scheme, _host_name(parts), port, target, trusted=False)


def expires_at(url: str) -> float | None:
    """Return the epoch second at which a presigned URL stops to work; None for a URL that does not say.

    Amazon's and Google's signatures of version 4 (a date and its seconds), CloudFront's (`Expires` or a `Policy`), the
    older ones (`Expires`), and Azure's (`se`).
    """
    query = dict(parse_qsl(urlsplit(url).query))
    for prefix in ("X-Amz-", "X-Goog-"):
        begin, seconds = query.get(f"{prefix}Date", ""), query.get(f"{prefix}Expires", "")
        if begin and _DIGITS.fullmatch(seconds):
            begun = _moment(begin, "%Y%m%dT%H%M%SZ")
            return None if begun is None else begun + int(seconds)
    if "Signature" in query and _DIGITS.fullmatch(query.get("Expires", "")):
        return float(query["Expires"])
    if "Signature" in query and "Policy" in query:
        return _end_of_policy(query["Policy"])
    if "sig" in query:
        return _moment(query.get("se", ""), "%Y-%m-%dT%H:%M:%SZ") or _moment(query.get("se", ""), "%Y-%m-%d")
    return None


_DIGITS = re.compile(r"[0-9]{1,10}")


_END = re.compile(rb'"DateLessThan"\s*:\s*{\s*"AWS:EpochTime"\s*:\s*([0-9]{1,10})\s*}')


def _end_of_policy(policy: str) -> float | None:
    """Return when a policy of CloudFront ends: JSON in base64, with other letters for those that a URL takes apart."""
    try:
        end = _END.search(base64.b64decode(policy.replace("_", "=").translate(_POLICY_LETTERS)))
    except ValueError:
        return None
    return float(end[1]) if end else None


_POLICY_LETTERS = str.maketrans("-~", "+/")


def _moment(text: str, form: str) -> float | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _origin(parts: SplitResult, port: int | None = None) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, port or parts.port or _PORTS.get(parts.scheme)


def _host_name(parts: SplitResult) -> str:
    """Return the DNS name in ASCII."""
    host = (parts.hostname or "").removesuffix(".")
    if not host:
        _refuse("The media URL has no host.", "Give it as https://host/path.")
    if not host.isascii():
        try:
            if not _AMBIGUOUS.isdisjoint(host):
                raise UnicodeError  # noqa: TRY301 - one sentence for both
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            _refuse("The media URL's host has no clear ASCII form.", "Write the host in its xn-- form.")
    if not _NAME.fullmatch(host):
        _refuse(
            "The media URL's host is not a full DNS name.", "Addresses are not fetched: give a name like a.example."
        )
    return host


def _refuse(error: str, message: str) -> NoReturn:
    raise InvalidMediaUrl(error, message) from None
