"""Downloading what a customer's URL holds, without being turned against ourselves or kept busy for ever.

The customer chooses where we connect and what comes back, so neither is trusted. A name is resolved once, every answer
must be public, and the address that was checked is the one that is dialed; the certificate is checked on the name.
Redirects and resumed downloads go through the same checks. Every wait has an end, and memory does not grow with what
is sent. Addresses never reach an error's sentences: a name that resolves to a private address and one that does not
answer read alike; the cause of the error, which only the log shows, tells them apart.
"""

import http.client
import io
import re
import socket
import ssl
import string
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import BinaryIO, NamedTuple, Protocol
from urllib.parse import quote, urljoin

from publisher.domain.addresses import is_public
from publisher.domain.errors import (
    InvalidMediaType,
    InvalidMediaUrl,
    MediaDownloadFailed,
    MediaTooLarge,
    MediaUnavailable,
)
from publisher.domain.limits import (
    FETCH_ADDRESSES,
    FETCH_BYTES_PER_SECOND,
    FETCH_CONNECT_SECONDS,
    FETCH_GRACE_SECONDS,
    FETCH_HEADER_BYTES,
    FETCH_HEADER_SECONDS,
    FETCH_IDLE_SECONDS,
    FETCH_REDIRECTS,
    FETCH_RESUMES,
    FETCH_SECONDS,
    SNIFF_BYTES,
)
from publisher.domain.media_urls import MediaUrl, check_media_url
from publisher.domain.sniffing import Kind, is_page, other_name, sniff
from publisher.ports import TooMuchToRead
from publisher.ranges import RANGE_BYTES, seekable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUFFER_BYTES = 64 * 1024
_LENGTH = re.compile(r"[0-9]{1,19}")
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
_OPEN_IT = "Check that the URL opens in a private browser window, without signing in."
_TRY_LATER = "Try again later, or host the media elsewhere."

type Resolve = Callable[[str, int], Sequence[str]]
"""Host name and port to IP addresses in text; OSError when there are none."""


class Dial(Protocol):
    """Connects to an IP address and port, like socket.create_connection."""

    def __call__(self, address: tuple[str, int], timeout: float) -> socket.socket:
        """Return a connected socket; OSError when none comes about in `timeout` seconds."""


@dataclass(frozen=True)
class Pace:
    """How long a media server may take, in seconds, and the bytes a second that it has to send."""

    connect: float = FETCH_CONNECT_SECONDS
    headers: float = FETCH_HEADER_SECONDS
    idle: float = FETCH_IDLE_SECONDS
    grace: float = FETCH_GRACE_SECONDS
    total: float = FETCH_SECONDS
    bytes_per_second: float = FETCH_BYTES_PER_SECOND


def resolve_name(host: str, port: int) -> list[str]:
    """Return all addresses of a name, in the system's order."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class Caller:
    """Connects to addresses that customers chose. Holds no connection, so that one serves a whole process.

    `ca_certs` is a file of certificate authorities instead of the system's.
    """

    def __init__(
        self,
        trusted_origins: Collection[str] = (),
        *,
        resolve: Resolve = resolve_name,
        dial: Dial = socket.create_connection,
        pace: Pace = Pace(),
        ca_certs: str | None = None,
    ) -> None:
        self._trusted_origins = trusted_origins
        self._resolve = resolve
        self._dial = dial
        self._pace = pace
        self._ca_certs = ca_certs

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_certs)
        context.set_alpn_protocols(["http/1.1"])
        return context

    def until(self, seconds: float) -> "_Deadline":
        """Return when so many seconds from now are over."""
        return _Deadline(seconds, time.monotonic() + seconds)

    def exchange(
        self, place: MediaUrl, method: str, headers: Mapping[str, str], body: bytes | None, deadline: "_Deadline"
    ) -> "_Answer":
        """Send one request and read the answer's headers; whoever asked closes the answer.

        Unreachable when there is nobody to send it to; SSLCertVerificationError, another OSError or an HTTPException
        when no complete answer came in time.
        """
        headers_by = min(deadline.at, time.monotonic() + self._pace.headers)
        sock = self._connect(place, headers_by)
        try:
            if place.scheme == "https":
                sock.settimeout(_left(headers_by))
                # A TLS stream that ends without a farewell may have been cut by anybody.
                sock = self._tls.wrap_socket(sock, server_hostname=place.host, suppress_ragged_eofs=False)
            wire = _Wire(sock, self._pace, headers_by, deadline)
            connection = http.client.HTTPConnection(place.host, place.port)
            connection.sock = wire
            usual = {"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
            connection.request(method, place.target, body, {"Host": place.authority, **headers, **usual})
            answer = _Answer(place.host, wire, connection.getresponse())
        except (OSError, http.client.HTTPException):
            sock.close()
            raise
        wire.begin_body()
        return answer

    def _connect(self, place: MediaUrl, by: float) -> socket.socket:
        """Connect to one of the name's addresses, all of which have been checked; Unreachable when none answers."""
        failure: OSError | None = None
        try:
            addresses = self._resolve(place.host, place.port)
            if not place.trusted and not all(is_public(address) for address in addresses):
                raise _NotPublic(place.host, addresses)
            for address in addresses[:FETCH_ADDRESSES]:
                try:
                    return self._connect_address(place, address, by)
                except OSError as error:
                    failure = error
        except OSError as error:
            failure = error
        raise Unreachable(place.host) from failure

    def _connect_address(self, place: MediaUrl, address: str, by: float) -> socket.socket:
        sock = self._dial((address, place.port), timeout=min(self._pace.connect, _left(by)))
        try:
            peer = sock.getpeername()[0]
            if not place.trusted and not is_public(peer):
                raise _NotPublic(place.host, [peer])
        except OSError:
            sock.close()
            raise
        return sock


class Fetcher(Caller):
    """Opens media URLs."""

    @contextmanager
    def open(self, url: str, *, max_bytes: int) -> Iterator["Source"]:
        """Begin to download; the source is of a kind that we know, and its connection closes with the block.

        InvalidMediaUrl, MediaDownloadFailed, MediaTooLarge when more than `max_bytes` are declared, InvalidMediaType.
        """
        with closing(Source(self._getter(url, self._pace.total), max_bytes)) as source:
            source.begin()
            yield source

    @contextmanager
    def look(self, url: str, *, max_bytes: int, most: int, seconds: float) -> Iterator["RemoteFile"]:
        """Begin to look at media of which at most `most` bytes are asked for, for at most so many seconds.

        Raises what `open` raises.
        """
        with closing(RemoteFile(self._getter(url, seconds), max_bytes, most)) as file:
            file.begin()
            yield file

    def _getter(self, url: str, seconds: float) -> "_Get":
        """Return what asks for a part of the media, or for all of it, for so many seconds."""
        place = check_media_url(url, self._trusted_origins)
        deadline = self.until(seconds)
        return lambda part: self._get(place, part, deadline)

    def _get(self, place: MediaUrl, part: "_Part | None", deadline: "_Deadline") -> "_Answer":
        """Ask for the media, or for what is left of it, following redirects."""
        for _ in range(FETCH_REDIRECTS + 1):
            answer = self._ask(place, part, deadline)
            if answer.status not in _REDIRECTS:
                return answer
            with closing(answer):
                place = self._redirected(place, answer.header("Location"))
        raise MediaDownloadFailed(f"The media URL redirects more than {FETCH_REDIRECTS} times.", "Give the last URL.")

    def _redirected(self, place: MediaUrl, location: str | None) -> MediaUrl:
        # The header's bytes stand for themselves, whatever their encoding was.
        target = urljoin(place.text, quote(location or "", safe=string.punctuation, encoding="latin-1"))
        try:
            following = check_media_url(target, self._trusted_origins)
        except InvalidMediaUrl as error:
            raise _redirect_refused(place) from error
        if not location or (place.scheme == "https" and following.scheme == "http" and not following.trusted):
            raise _redirect_refused(place)
        return following

    def _ask(self, place: MediaUrl, part: "_Part | None", deadline: "_Deadline") -> "_Answer":
        """Ask for the media, or for a part of it."""
        if time.monotonic() >= deadline.at:
            raise MediaDownloadFailed(
                f"The download from {place.host} took over {deadline.seconds:g} seconds.", _TRY_LATER
            )
        headers = {"User-Agent": "publisher-media-fetch"}
        if part:
            headers["Range"] = f"bytes={part.first}-{'' if part.last is None else part.last}"
        if part and part.etag:
            headers["If-Range"] = part.etag
        try:
            return self.exchange(place, "GET", headers, None, deadline)
        except Unreachable as error:
            told = f"The media server {place.host} could not be reached."
            raise MediaUnavailable(told, _OPEN_IT) from error.__cause__
        except ssl.SSLCertVerificationError as error:
            raise MediaDownloadFailed(
                f"The media server {place.host} has no valid certificate for its name.", "Have its certificate renewed."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise MediaUnavailable(
                f"The media server {place.host} gave no complete answer.",
                f"It has to answer within {self._pace.headers:g} seconds. {_TRY_LATER}",
            ) from error


class Source:
    """Media being downloaded.

    `size` is the declared number of bytes, `etag` fixes the bytes if the server says so, `kind` is told by the first
    bytes, which are `head` and are delivered by `readinto` all the same.
    """

    size: int | None
    head: bytes
    etag: str | None
    kind: Kind

    def __init__(self, get: "_Get", max_bytes: int) -> None:
        self._get = get
        self._max_bytes = max_bytes
        self._resumes_left = int(FETCH_RESUMES)
        self._received = 0
        self._head_left = memoryview(b"")
        self._answer = get(None)

    def begin(self) -> None:
        """Check the answer's headers and read the head."""
        self._answer.check(HTTPStatus.OK)
        self.size, self.etag = self._answer.length(), self._answer.strong_etag()
        if self.size is not None and self.size > self._max_bytes:
            raise _too_large(self._answer.host, self._max_bytes)
        head = bytearray(SNIFF_BYTES)
        self.head = bytes(head[: self._fill(memoryview(head))])
        self._head_left = memoryview(self.head)
        self.kind = _kind(self._answer.host, self.head)

    def readinto(self, buffer: memoryview) -> int:
        """Fill the whole buffer unless the media ends before; return the bytes written, 0 at the end.

        MediaDownloadFailed when the media is cut or slow, MediaTooLarge when it goes on beyond the limit.
        """
        first = min(len(buffer), len(self._head_left))
        buffer[:first] = self._head_left[:first]
        self._head_left = self._head_left[first:]
        return first + self._fill(buffer[first:])

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()

    def _fill(self, buffer: memoryview) -> int:
        filled = 0
        # One byte beyond the limit is asked for, to see whether there is one.
        end = self._max_bytes + 1 if self.size is None else self.size
        while filled < len(buffer) and self._received < end:
            received = self._answer.readinto(buffer[filled : filled + end - self._received])
            filled += received
            self._received += received
            if self._received > self._max_bytes:
                raise _too_large(self._answer.host, self._max_bytes)
            if not received and self._is_cut():
                self._resume()
            elif not received:
                break
        return filled

    def _is_cut(self) -> bool:
        return self.size is not None or self._answer.cut is not None

    def _resume(self) -> None:
        """Go on from the byte that is missing, if the server can vouch for the rest being of the same media."""
        broken, self._resumes_left = self._answer, self._resumes_left - 1
        if self.size is None or self.etag is None or self._resumes_left < 0:
            at = "early" if self.size is None else f"at byte {self._received:,} of {self.size:,}"
            raise MediaUnavailable(
                f"The download from {broken.host} ended {at}: the server {broken.reason()}.",
                _TRY_LATER,
            ) from broken.cut
        broken.close()
        answer = self._answer = self._get(_Part(self._received, None, self.etag))
        content_range = f"bytes {self._received}-{self.size - 1}/{self.size}"
        told = (answer.status, answer.strong_etag(), answer.header("Content-Range"))
        if told != (HTTPStatus.PARTIAL_CONTENT, self.etag, content_range):
            raise MediaDownloadFailed(
                f"The media at {answer.host} changed or went away while it was downloaded.", "Publish again."
            )
        answer.check(HTTPStatus.PARTIAL_CONTENT)


class RemoteFile:
    """Media that is looked at here and there, by requests for parts of it if its server sends such.

    `size` is its number of bytes once it is known, `kind` is told by the first bytes, which are `head`.
    """

    size: int | None
    head: bytes
    kind: Kind

    def __init__(self, get: "_Get", max_bytes: int, most: int) -> None:
        self._get = get
        self._max_bytes = max_bytes
        self._left = most
        self._begun = bytearray()
        self._answer = get(_Part(0, RANGE_BYTES - 1, None))
        self._in_parts = self._answer.status == HTTPStatus.PARTIAL_CONTENT

    def begin(self) -> None:
        """Check the answer's headers and read the head."""
        answer = self._answer
        if answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _empty(answer.host)
        answer.check(HTTPStatus.PARTIAL_CONTENT if self._in_parts else HTTPStatus.OK)
        self.size, self._etag = answer.length(), answer.strong_etag()
        if self._in_parts:
            told = _FIRST_PART.fullmatch(answer.header("Content-Range") or "")
            if told is None:
                raise MediaDownloadFailed(f"{answer.host} does not say clearly which part it sends.", _TRY_LATER)
            self.size = int(told[1])
        if self.size is not None and self.size > self._max_bytes:
            raise _too_large(answer.host, self._max_bytes)
        self._read_on(SNIFF_BYTES if self.size is None else min(SNIFF_BYTES, self.size))
        self.head = bytes(self._begun[:SNIFF_BYTES])
        self.kind = _kind(answer.host, self.head)

    def file(self) -> BinaryIO:
        """Return the media as a file that can seek; TooMuchToRead, also of its reads, when that takes too much."""
        if self.size is None:
            self._read_on(None)
        return seekable(self.size or 0, self._read_at)

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()

    def _read_at(self, first: int, buffer: memoryview) -> int:
        end = first + len(buffer)
        if self._in_parts and end > RANGE_BYTES:
            return self._read_part(first, buffer)
        self._read_on(end)
        buffer[:] = self._begun[first:end]
        return len(buffer)

    def _read_on(self, end: int | None) -> None:
        """Read the answer that is open until there are so many bytes of it, or to its end."""
        while end is None or len(self._begun) < end:
            piece = memoryview(bytearray(_BUFFER_BYTES if end is None else end - len(self._begun)))
            self._spend(len(piece))
            received = self._answer.readinto(piece)
            self._left += len(piece) - received
            self._begun += piece[:received]
            if not received:
                if self._answer.cut or self.size is not None:
                    raise _ended_early(self._answer)
                self.size = len(self._begun)
                return

    def _read_part(self, first: int, buffer: memoryview) -> int:
        self._spend(len(buffer))
        last = first + len(buffer) - 1
        with closing(self._get(_Part(first, last, self._etag))) as answer:
            told = (answer.status, answer.strong_etag(), answer.header("Content-Range"))
            if told != (HTTPStatus.PARTIAL_CONTENT, self._etag, f"bytes {first}-{last}/{self.size}"):
                raise MediaDownloadFailed(f"The media at {answer.host} changed while it was looked at.", _TRY_LATER)
            answer.check(HTTPStatus.PARTIAL_CONTENT)
            filled = 0
            while filled < len(buffer):
                received = answer.readinto(buffer[filled:])
                if not received:
                    raise _ended_early(answer)
                filled += received
        return filled

    def _spend(self, count: int) -> None:
        if count > self._left:
            raise TooMuchToRead
        self._left -= count


_FIRST_PART = re.compile(r"bytes 0-[0-9]{1,19}/([0-9]{1,19})")


def _kind(host: str, head: bytes) -> Kind:
    """Tell the kind of media that begins with `head`."""
    if not head:
        raise _empty(host)
    kind = sniff(head)
    if kind is None:
        if other := other_name(head):
            raise InvalidMediaType(f"{host} sent {other}.", "Save it as JPEG, or a film as MP4.")
        what = "a web page" if is_page(head) else "something that is neither video nor picture"
        raise InvalidMediaType(f"{host} sent {what}.", "Give the URL of the media file itself.")
    return kind


def _empty(host: str) -> MediaDownloadFailed:
    return MediaDownloadFailed(f"{host} sent an empty file.", _OPEN_IT)


def _too_large(host: str, max_bytes: int) -> MediaTooLarge:
    return MediaTooLarge(f"The media at {host} has more than {max_bytes:,} bytes.", "Compress or shorten it.")


def _ended_early(answer: "_Answer") -> MediaUnavailable:
    return MediaUnavailable(f"The media server {answer.host} {answer.reason()}.", _TRY_LATER)


class _Deadline(NamedTuple):
    """The seconds that all of a download may take, and the moment on the monotonic clock when they are over."""

    seconds: float
    at: float


class _Part(NamedTuple):
    """A part of the media: from byte `first` to byte `last` or the end, if the ETag is still this."""

    first: int
    last: int | None
    etag: str | None


type _Get = Callable[[_Part | None], "_Answer"]


class _Answer:
    """A media server's answer whose headers have been read. `cut` is set when the body broke off."""

    def __init__(self, host: str, wire: "_Wire", response: http.client.HTTPResponse) -> None:
        self.host = host
        self._wire = wire
        self._response = response
        self._unreadable: http.client.HTTPException | None = None

    @property
    def status(self) -> int:
        """HTTP status."""
        return self._response.status

    @property
    def cut(self) -> Exception | None:
        """Why the body broke off."""
        return self._wire.cut or self._unreadable

    def header(self, name: str) -> str | None:
        """Return a header's first value."""
        return self._response.headers.get(name)

    def strong_etag(self) -> str | None:
        """Return the ETag if it fixes every byte."""
        etag = self.header("ETag")
        return etag if etag and _STRONG_ETAG.fullmatch(etag) else None

    def length(self) -> int | None:
        """Return the declared length of the body."""
        length = self.header("Content-Length")
        return None if length is None else int(length)

    def check(self, wanted: HTTPStatus) -> None:
        """MediaDownloadFailed unless status and framing leave no doubt about what the body is."""
        if self.status != wanted:
            said = f"{self.host} answered {self.status} instead of {wanted.value}."
            if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise MediaUnavailable(said, _TRY_LATER)
            raise MediaDownloadFailed(said, _OPEN_IT)
        if any(coding != "identity" for coding in self._values("Content-Encoding")):
            raise MediaDownloadFailed(
                f"{self.host} sends the media compressed, though it was asked not to.",
                "Serve the file as it is, without Content-Encoding.",
            )
        lengths, codings = self._values("Content-Length"), self._values("Transfer-Encoding")
        is_clear = all(_LENGTH.fullmatch(length) for length in lengths) and codings in ([], ["chunked"])
        if not is_clear or len(set(lengths)) > 1 or (lengths and codings):
            raise MediaDownloadFailed(f"{self.host} does not say clearly where the media ends.", _TRY_LATER)

    def _values(self, name: str) -> list[str]:
        return [value.strip().lower() for value in self._response.headers.get_all(name, [])]

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the body ends or breaks off before."""
        try:
            return self._response.readinto(buffer)
        except http.client.HTTPException as error:
            self._unreadable = error
            return 0

    def reason(self) -> str:
        """Say in a few words why the body broke off."""
        return str(self.cut) if isinstance(self.cut, _TooSlow) else "cut the connection"

    def close(self) -> None:
        """Close the connection."""
        self._wire.release()


class _Wire(io.RawIOBase):
    """A connected socket as http.client wants it, on which every wait has an end.

    A socket's own timeout starts again with every byte, so a server that drips never meets it. Here each read gets what
    is left: of the header deadline, and then of the server's patience allowance, which every byte fills up and every
    second of waiting uses up. Waiting for us does not count.
    """

    def __init__(self, sock: socket.socket, pace: Pace, headers_by: float, deadline: "_Deadline") -> None:
        self.cut: Exception | None = None
        self._sock = sock
        self._pace = pace
        self._headers_by = headers_by
        self._deadline = deadline
        self._header_bytes_left = int(FETCH_HEADER_BYTES)
        self._allowance = pace.grace
        self._in_body = False

    def begin_body(self) -> None:
        """Apply the rules for the body from now on."""
        self._sock.settimeout(self._pace.idle)
        self._in_body = True

    def sendall(self, data: bytes) -> None:
        """Send a request."""
        self._sock.settimeout(_left(self._headers_by))
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the reader that http.client parses."""
        return io.BufferedReader(self, _BUFFER_BYTES)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader gives a memoryview
        return self._read_body(buffer) if self._in_body else self._read_headers(buffer)

    def _read_headers(self, buffer: memoryview) -> int:
        self._sock.settimeout(_left(self._headers_by))
        received = self._sock.recv_into(buffer)
        self._header_bytes_left -= received
        if self._header_bytes_left < 0:
            raise http.client.HTTPException(f"over {FETCH_HEADER_BYTES} bytes of headers")
        return received

    def _read_body(self, buffer: memoryview) -> int:
        """Read; when the body breaks off say so in `cut` and end, so that the bytes before are not lost."""
        if self.cut:
            return 0
        started = time.monotonic()
        try:
            if started + self._pace.idle > self._deadline.at:
                self._sock.settimeout(_left(self._deadline.at))
            received = self._sock.recv_into(buffer)
        except TimeoutError:
            is_late = time.monotonic() >= self._deadline.at
            limit = (
                f"took over {self._deadline.seconds:g} seconds"
                if is_late
                else f"was silent for {self._pace.idle:g} seconds"
            )
            self.cut = _TooSlow(limit)
            return 0
        except OSError as error:
            self.cut = error
            return 0
        earned = received / self._pace.bytes_per_second
        self._allowance = min(self._pace.idle, self._allowance + earned) - (time.monotonic() - started)
        if self._allowance < 0:
            self.cut = _TooSlow(f"sent less than {self._pace.bytes_per_second:,g} bytes a second")
        return received

    def close(self) -> None:
        """Do nothing: http.client closes as soon as it has the headers, but the body is still to come."""

    def release(self) -> None:
        """Close the socket."""
        self._sock.close()


class _TooSlow(Exception):
    """The server broke a rule of Pace; the text says which."""


class Unreachable(OSError):
    """No address of a name could be connected to; the cause, which only the log shows, tells why."""


class _NotPublic(OSError):
    """A name leads to addresses that are not public. Only for the log."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        super().__init__(f"{host} is at {', '.join(addresses)}, not all public")


def _redirect_refused(place: MediaUrl) -> MediaDownloadFailed:
    return MediaDownloadFailed(
        f"{place.host} redirects to a place that may not be fetched.", "Give the URL of the media file itself."
    )


def _left(by: float) -> float:
    """Return the seconds left; TimeoutError when there are none."""
    left = by - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
