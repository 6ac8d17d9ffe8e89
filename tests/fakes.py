"""In-memory adapters for every port. They pass the same cases as the real ones (tests/integration)."""

import base64
import hashlib
import io
import json
import math
import threading
import zlib
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit
from uuid import uuid4

from pydantic import SecretStr

from publisher.domain.accounts import SCOPES, Account, Creator
from publisher.domain.chunks import Chunk, ChunkPlan
from publisher.domain.endpoints import Delivery, Endpoint
from publisher.domain.errors import (
    Busy,
    ConnectionRefused,
    Failure,
    InternalServerError,
    InvalidRequest,
    InvalidToken,
    MediaDownloadFailed,
    MediaTooLarge,
    PublisherError,
    PublishingFailed,
    ServiceUnavailable,
    TokenExpired,
)
from publisher.domain.history import Collected, Day
from publisher.domain.keys import ApiKey
from publisher.domain.limits import (
    DELIVERY_DAYS,
    EVENT_NOTE_SECONDS,
    IDEMPOTENCY_DAYS,
    PROBE_SECONDS,
    SNIFF_BYTES,
    VIDEOS_PER_CALL,
)
from publisher.domain.media import VideoFacts
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.domain.pictures import PictureFacts
from publisher.domain.posts import Post, PostOptions, execution_name
from publisher.domain.sessions import Session, SignInTicket
from publisher.domain.slots import Usage
from publisher.domain.uploads import Part, Upload, UploadName
from publisher.ports import (
    Answered,
    ChunkAnswer,
    Convert,
    ConvertedPicture,
    DeliveryKey,
    DeliveryPage,
    DroppedFile,
    EventTimes,
    Grant,
    Hosted,
    IdempotentRequest,
    OpenedUpload,
    PendingConnection,
    PhotoHost,
    PostPage,
    PostQuery,
    ProbedMedia,
    Profile,
    PublishStatus,
    Reader,
    ReceivedPart,
    RemoteFile,
    Reply,
    Source,
    StoredMedia,
    TikTokApp,
    TooMuchToRead,
    VideoPage,
)
from publisher.tiktok.failures import failure_of
from publisher.use_cases.probe_media import probe_media
from publisher.use_cases.use_access_token import seal_tokens, tokens_context
from tests.builders import NOW, a_creator, an_account, picture_facts, video_facts


class Killed(BaseException):
    """The worker is gone in the middle of its work."""


class Faults:
    """Errors that a fake's next calls meet: before their effect, or after it, as when an answer is lost."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[tuple[bool, BaseException | None]]] = defaultdict(deque)

    def before(self, call: str, error: BaseException) -> None:
        self._planned[call].append((False, error))

    def after(self, call: str, error: BaseException) -> None:
        self._planned[call].append((True, error))

    def spare(self, call: str) -> None:
        """Let the next call be; what is planned after this meets the one that follows."""
        self._planned[call].append((False, None))

    @contextmanager
    def around(self, call: str) -> Iterator[None]:
        late, error = self._planned[call].popleft() if self._planned[call] else (False, None)
        if error and not late:
            raise error
        yield
        if error:
            raise error


class FakeClock:
    """A clock that stands until it is set; sleeping moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class FakePosts:
    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self._clock = clock
        self._lock = threading.RLock()
        self._posts: dict[str, Post] = {}
        self._requests: dict[tuple[str, str], tuple[float, IdempotentRequest]] = {}

    def accept(self, post: Post, request: IdempotentRequest | None) -> bool:
        with self._lock, self.faults.around("accept"):
            known = request and self._known(request.workspace_id, request.key)
            if known:
                return known.post_id == post.post_id
            self._posts.setdefault(post.post_id, post)
            if request:
                expires = self._clock.now() + IDEMPOTENCY_DAYS * 86400
                self._requests[request.workspace_id, request.key] = (expires, request)
            return True

    def get(self, post_id: str) -> Post | None:
        with self.faults.around("get"):
            return self._posts.get(post_id)

    def save(self, post: Post) -> Post:
        with self._lock, self.faults.around("save"):
            known = self._posts.get(post.post_id)
            if known is None or known.version != post.version:
                raise Busy("Another worker has changed the post.", "Try again.")
            self._posts[post.post_id] = post.model_copy(update={"version": post.version + 1})
            return self._posts[post.post_id]

    def find(self, query: PostQuery) -> PostPage:
        with self.faults.around("find"):
            mine = [post for post in self._posts.values() if post.workspace_id == query.workspace_id]
            mine.sort(key=lambda post: (post.created_at, post.post_id), reverse=True)
            if query.cursor is not None:
                cursors = [f"after {post.post_id}" for post in mine]
                if query.cursor not in cursors:
                    raise InvalidRequest("The cursor is not valid.", "List again without it.", field="cursor")
                mine = mine[cursors.index(query.cursor) + 1 :]
            found = [post for post in mine if _matches(post, query)]
            page = tuple(found[: query.limit])
            return PostPage(posts=page, cursor=f"after {page[-1].post_id}" if len(found) > len(page) else None)

    def due(self, now: float, most: int) -> Sequence[str]:
        with self.faults.around("due"):
            watched = [(post.watch_at, post.post_id) for post in self._posts.values() if post.watch_at is not None]
            return [post_id for watch_at, post_id in sorted(watched) if watch_at <= now][:most]

    def of_publish(self, publish_id: str) -> str | None:
        with self.faults.around("of_publish"):
            return next((post.post_id for post in self._posts.values() if post.publish_id == publish_id), None)

    def of_video(self, video_id: str) -> str | None:
        with self.faults.around("of_video"):
            return next((post.post_id for post in self._posts.values() if post.post_ids[:1] == (video_id,)), None)

    def request(self, workspace_id: str, key: str) -> IdempotentRequest | None:
        with self.faults.around("request"):
            return self._known(workspace_id, key)

    def take_over(self, request: IdempotentRequest, now: float, until: float) -> bool:
        with self._lock, self.faults.around("take_over"):
            known = self._known(request.workspace_id, request.key)
            if not known or known.answer is not None or known.in_flight_until > now:
                return False
            self._change_request(known, in_flight_until=until)
            return True

    def answer(self, request: IdempotentRequest, answer: str) -> None:
        with self._lock, self.faults.around("answer"):
            known = self._known(request.workspace_id, request.key)
            if known and known.answer is None:
                self._change_request(known, answer=answer)

    def _known(self, workspace_id: str, key: str) -> IdempotentRequest | None:
        expires, request = self._requests.get((workspace_id, key), (0.0, None))
        return request if expires > self._clock.now() else None

    def _change_request(self, request: IdempotentRequest, **changes: object) -> None:
        at = request.workspace_id, request.key
        self._requests[at] = (self._requests[at][0], request.model_copy(update=changes))


def _matches(post: Post, query: PostQuery) -> bool:
    return (
        query.status in (None, post.status)
        and query.account_id in (None, post.account_id)
        and (query.since is None or post.created_at >= query.since)
        and (query.until is None or post.created_at < query.until)
    )


class FakeEvents:
    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self._clock = clock
        self._until: dict[str, float] = {}
        self._times = EventTimes()

    def known(self, digest: str) -> bool:
        with self.faults.around("known"):
            return self._until.get(digest, 0) > self._clock.now()

    def remember(self, digest: str, until: float) -> None:
        with self.faults.around("remember"):
            self._until[digest] = until

    def note(self, *, good: bool, now: float) -> None:
        with self.faults.around("note"):
            name = "last_good_at" if good else "last_bad_at"
            last = getattr(self._times, name)
            if last is None or last <= now - EVENT_NOTE_SECONDS:
                self._times = self._times.model_copy(update={name: now})

    def times(self) -> EventTimes:
        with self.faults.around("times"):
            return self._times


class FakeAccounts:
    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self._clock = clock
        self._lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        self._holders: dict[str, str] = {}
        self._pending: dict[str, PendingConnection] = {}

    def get(self, account_id: str) -> Account | None:
        with self.faults.around("get"):
            return self._accounts.get(account_id)

    def find_open_id(self, open_id: str) -> Account | None:
        with self.faults.around("find_open_id"):
            return self._accounts.get(self._holders.get(open_id, ""))

    def of_workspace(self, workspace_id: str) -> Sequence[Account]:
        with self.faults.around("of_workspace"):
            mine = [account for account in self._accounts.values() if account.workspace_id == workspace_id]
            return sorted(mine, key=lambda account: (account.created_at, account.account_id))

    def add(self, account: Account) -> None:
        with self._lock, self.faults.around("add"):
            if self._holders.setdefault(account.open_id, account.account_id) != account.account_id:
                raise Busy("Another account holds this TikTok user.", "Read it again.")
            self._accounts.setdefault(account.account_id, account)

    def save(self, account: Account) -> Account:
        with self._lock, self.faults.around("save"):
            known = self._accounts.get(account.account_id)
            if known is None or known.version != account.version:
                raise Busy("Another worker has changed the account.", "Try again.")
            self._accounts[account.account_id] = account.model_copy(update={"version": account.version + 1})
            return self._accounts[account.account_id]

    def move(self, former: Account, account: Account) -> None:
        with self._lock, self.faults.around("move"):
            if self._holders.get(account.open_id) == account.account_id:
                return
            known = self._accounts.get(former.account_id)
            if known is None or known.version != former.version or self._holders[account.open_id] != former.account_id:
                raise Busy("Another worker has changed the account.", "Try again.")
            self._accounts[former.account_id] = former.model_copy(update={"version": former.version + 1})
            self._accounts[account.account_id] = account
            self._holders[account.open_id] = account.account_id

    def due(self, now: float, most: int) -> Sequence[str]:
        with self.faults.around("due"):
            watched = [(one.watch_at, one.account_id) for one in self._accounts.values() if one.watch_at is not None]
            return [account_id for watch_at, account_id in sorted(watched) if watch_at <= now][:most]

    def begin_connecting(self, pending: PendingConnection) -> None:
        with self.faults.around("begin_connecting"):
            self._pending[pending.token_hash] = pending

    def finish_connecting(self, token_hash: str) -> PendingConnection | None:
        with self._lock, self.faults.around("finish_connecting"):
            pending = self._pending.pop(token_hash, None)
            return pending if pending and pending.expires_at > self._clock.now() else None


class FakeSlots:
    def __init__(self) -> None:
        self.faults = Faults()
        self._lock = threading.RLock()
        self._usages: dict[str, Usage] = {}

    def get(self, usage_id: str) -> Usage:
        with self.faults.around("get"):
            return self._usages.get(usage_id, Usage(usage_id))

    def save(self, usage: Usage) -> None:
        with self._lock, self.faults.around("save"):
            if self._usages.get(usage.usage_id, Usage(usage.usage_id)).version != usage.version:
                raise Busy("Another worker has used the account's limits.", "Try again.")
            self._usages[usage.usage_id] = usage._replace(version=usage.version + 1)


class FakeMetrics:
    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self._clock = clock
        self._lock = threading.RLock()
        self._collected: dict[str, Collected] = {}
        self._planned: dict[str, float] = {}
        self._days: dict[str, dict[str, Day]] = defaultdict(dict)
        self._answers: dict[tuple[str, str], Answered] = {}
        self._leases: dict[tuple[str, str], float] = {}

    def get(self, account_id: str) -> Collected:
        with self.faults.around("get"):
            return self._collected.get(account_id, Collected(account_id=account_id))

    def save(self, collected: Collected, next_at: float) -> None:
        with self._lock, self.faults.around("save"):
            account_id = collected.account_id
            if self._collected.get(account_id, Collected(account_id=account_id)).version != collected.version:
                raise Busy("Another worker has collected the account.", "Try again.")
            self._collected[account_id] = collected.model_copy(update={"version": collected.version + 1})
            self._planned[account_id] = next_at

    def plan(self, account_id: str, at: float) -> None:
        with self._lock, self.faults.around("plan"):
            self._planned[account_id] = min(at, self._planned.get(account_id, at))

    def put_off(self, account_id: str, at: float | None) -> None:
        with self._lock, self.faults.around("put_off"):
            self._planned.pop(account_id, None)
            if at is not None:
                self._planned[account_id] = at

    def due(self, now: float, most: int) -> Sequence[str]:
        with self.faults.around("due"):
            due = sorted((at, account_id) for account_id, at in self._planned.items() if at <= now)
            return [account_id for _, account_id in due[:most]]

    def record(self, account_id: str, day: Day) -> None:
        with self.faults.around("record"):
            self._days[account_id][day.date] = day

    def days(self, account_id: str, first: str, last: str) -> Sequence[Day]:
        with self.faults.around("days"):
            return [day for date, day in sorted(self._days[account_id].items()) if first <= date <= last]

    def answered(self, account_id: str, question: str) -> Answered | None:
        with self.faults.around("answered"):
            known = self._answers.get((account_id, question))
            return known if known and known.until > self._clock.now() else None

    def lease(self, account_id: str, question: str, until: float) -> bool:
        with self._lock, self.faults.around("lease"):
            known, now = self._answers.get((account_id, question)), self._clock.now()
            if self._leases.get((account_id, question), 0.0) > now or (known and known.until > now):
                return False
            self._leases[account_id, question] = until
            return True

    def answer(self, account_id: str, question: str, answer: Answered | None) -> None:
        with self._lock, self.faults.around("answer"):
            self._leases.pop((account_id, question), None)
            if answer is not None:
                self._answers[account_id, question] = answer


class FakeSchedules:
    """`planned` holds the moments at which posts are to be started, in whole epoch seconds."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.planned: set[tuple[str, int]] = set()

    def put(self, post_id: str, at: float) -> None:
        with self.faults.around("put"):
            self.planned.add((post_id, math.ceil(at)))

    def remove(self, post_id: str, at: float) -> None:
        with self.faults.around("remove"):
            self.planned.discard((post_id, math.ceil(at)))


class FakeDrops:
    """The drop bucket: `drop` puts a file in, as its owner does; `written` holds what we wrote."""

    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self.written: dict[str, str] = {}
        self._clock = clock
        self._put_at: dict[str, float] = {}
        self._versions: dict[str, list[bytes]] = defaultdict(list)

    def drop(self, key: str, data: bytes) -> DroppedFile:
        self._versions[key].append(data)
        self._put_at[key] = self._clock.now()
        return self._file(key)

    def walk(self) -> Iterable[tuple[str, float]]:
        with self.faults.around("walk"):
            return sorted(self._put_at.items())

    def find(self, key: str) -> DroppedFile | None:
        with self.faults.around("find"):
            return self._file(key) if key in self._versions else None

    def list(self, prefix: str) -> Sequence[DroppedFile]:
        with self.faults.around("list"):
            return [self._file(key) for key in sorted(self._versions) if key.startswith(prefix)]

    def read(self, file: DroppedFile) -> bytes:
        with self.faults.around("read"):
            return self._versions[file.key][int(file.version) - 1]

    def url(self, file: DroppedFile) -> str:
        return f"s3://drops/{quote(file.key)}?versionId={file.version}"

    @contextmanager
    def open(self, url: str, *, max_bytes: int) -> Iterator[Source]:
        parts = urlsplit(url)
        versions = self._versions.get(unquote(parts.path[1:]), [])
        number = int(parts.query.removeprefix("versionId="))
        if number > len(versions):
            raise MediaDownloadFailed("The dropped file is gone.", "Drop it again.")
        if len(versions[number - 1]) > max_bytes:
            raise MediaTooLarge("The media is too large.", "Drop a smaller one.")
        yield BytesSource(versions[number - 1])

    def write(self, key: str, text: str) -> None:
        with self.faults.around("write"):
            self.written[key] = text
            self._put_at[key] = self._clock.now()

    def _file(self, key: str) -> DroppedFile:
        versions = self._versions[key]
        return DroppedFile(key=key, version=str(len(versions)), size=len(versions[-1]))


class FakeUploads:
    """Uploaded files: `put_part` is what a customer does with the address of a part."""

    origin = "https://uploads.example"

    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self.files: dict[tuple[str, UploadName], bytes] = {}
        self._clock = clock
        self._uploads: dict[str, Upload] = {}
        self._under_way: dict[str, dict[int, bytes]] = {}

    def begin(self, upload: Upload) -> Upload:
        with self.faults.around("begin"):
            upload = upload.model_copy(update={"handle": f"handle-{len(self._uploads) + 1}"})
            self._uploads[upload.upload_id] = upload
            self._under_way[upload.handle] = {}
            return upload

    def find(self, workspace_id: str, upload_id: str) -> Upload | None:
        with self.faults.around("find"):
            upload = self._uploads.get(upload_id)
            if upload is None or upload.workspace_id != workspace_id:
                return None
            upload = upload.model_copy(update={"complete": (workspace_id, upload.name) in self.files})
            return upload if self._clock.now() < upload.expires_at else None

    def received(self, upload: Upload) -> Sequence[ReceivedPart]:
        with self.faults.around("received"):
            parts = self._under_way.get(upload.handle, {})
            return [
                ReceivedPart(number=number, size=len(data), sha256=sha256_of(data), etag=_etag(data))
                for number, data in sorted(parts.items())
            ]

    def part_url(self, upload: Upload, part: Part, sha256: str) -> str:
        return f"{self.origin}/{upload.handle}/{part.number}/{part.size}?{sha256}"

    def put(self, upload: Upload, data: bytes) -> Upload:
        with self.faults.around("put"):
            self._uploads[upload.upload_id] = upload
            self.files[upload.workspace_id, upload.name] = data
            return upload.model_copy(update={"complete": True})

    def put_part(self, url: str, data: bytes, sha256: str) -> bool:
        place, _, signed = url.removeprefix(f"{self.origin}/").partition("?")
        handle, number, size = place.split("/")
        good = signed == sha256 == sha256_of(data) and int(size) == len(data) and handle in self._under_way
        if good:
            self._under_way[handle][int(number)] = data
        return good

    def replace_part(self, upload_id: str, number: int, data: bytes) -> None:
        """Put other bytes in a part's place than its address takes, as one from before a change of plan would be."""
        self._under_way[self._uploads[upload_id].handle][number] = data

    def complete(self, upload: Upload, parts: Sequence[ReceivedPart]) -> None:
        with self.faults.around("complete"):
            there = self._under_way.get(upload.handle)
            if there is None:
                if (upload.workspace_id, upload.name) not in self.files:
                    raise Busy("The upload was changed meanwhile.", "Look at it again.")
            elif any(_etag(there.get(part.number, b"")) != part.etag for part in parts):
                raise Busy("The upload was changed meanwhile.", "Look at it again.")
            else:
                self.files[upload.workspace_id, upload.name] = b"".join(there[part.number] for part in parts)
                del self._under_way[upload.handle]

    def drop(self, upload: Upload) -> None:
        with self.faults.around("drop"):
            self._uploads[upload.upload_id] = upload.model_copy(update={"dropped": True})
            self._under_way.pop(upload.handle, None)
            self.files.pop((upload.workspace_id, upload.name), None)

    @contextmanager
    def open(self, workspace_id: str, name: UploadName, *, max_bytes: int) -> Iterator[Source]:
        data = self.files.get((workspace_id, name))
        if data is None:
            raise MediaDownloadFailed("The uploaded file is gone.", "Upload it again.")
        if len(data) > max_bytes:
            raise MediaTooLarge("The media is too large.", "Upload a smaller one.")
        yield BytesSource(data)

    @contextmanager
    def look(self, workspace_id: str, name: UploadName) -> Iterator[RemoteFile]:
        with self.open(workspace_id, name, max_bytes=2**63) as source:
            yield BytesLook(source.size, source.head, self.files[workspace_id, name])


def sha256_of(data: bytes) -> str:
    """The base64 of a SHA-256, as S3 writes it."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class FakeKeys:
    def __init__(self) -> None:
        self.faults = Faults()
        self._keys: dict[str, ApiKey] = {}

    def get(self, key_id: str) -> ApiKey | None:
        with self.faults.around("get"):
            return self._keys.get(key_id)

    def of_workspace(self, workspace_id: str) -> Sequence[ApiKey]:
        with self.faults.around("of_workspace"):
            mine = [key for key in self._keys.values() if key.workspace_id == workspace_id]
            return sorted(mine, key=lambda key: key.created_at)

    def add(self, key: ApiKey) -> None:
        with self.faults.around("add"):
            if self._keys.setdefault(key.key_id, key).secret_hash != key.secret_hash:
                raise Busy("Another key has this id.", "Make another key.")

    def revoke(self, key_id: str, now: float) -> None:
        with self.faults.around("revoke"):
            if key_id in self._keys and self._keys[key_id].revoked_at is None:
                self._keys[key_id] = self._keys[key_id].model_copy(update={"revoked_at": now})

    def used(self, key_id: str, now: float) -> None:
        with self.faults.around("used"):
            if key_id in self._keys:
                self._keys[key_id] = self._keys[key_id].model_copy(update={"last_used_at": now})


class FakeSessions:
    def __init__(self) -> None:
        self.faults = Faults()
        self._lock = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._tickets: dict[str, SignInTicket] = {}

    def get(self, token_hash: str) -> Session | None:
        with self.faults.around("get"):
            return self._sessions.get(token_hash)

    def add(self, session: Session) -> None:
        with self.faults.around("add"):
            self._sessions[session.token_hash] = session

    def seen(self, token_hash: str, now: float) -> None:
        with self.faults.around("seen"):
            if token_hash in self._sessions:
                self._sessions[token_hash] = self._sessions[token_hash].model_copy(update={"seen_at": now})

    def end(self, token_hash: str) -> None:
        with self.faults.around("end"):
            self._sessions.pop(token_hash, None)

    def add_ticket(self, ticket: SignInTicket) -> None:
        with self.faults.around("add_ticket"):
            self._tickets[ticket.token_hash] = ticket

    def take_ticket(self, token_hash: str) -> SignInTicket | None:
        with self._lock, self.faults.around("take_ticket"):
            return self._tickets.pop(token_hash, None)


class FakeEndpoints:
    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self._clock = clock
        self._lock = threading.RLock()
        self._endpoints: dict[str, Endpoint] = {}
        self._deliveries: dict[tuple[str, str], Delivery] = {}

    def get(self, endpoint_id: str) -> Endpoint | None:
        with self.faults.around("get"):
            return self._endpoints.get(endpoint_id)

    def of_workspace(self, workspace_id: str) -> Sequence[Endpoint]:
        with self.faults.around("of_workspace"):
            mine = [one for one in self._endpoints.values() if one.workspace_id == workspace_id]
            return sorted(mine, key=lambda one: (one.created_at, one.endpoint_id))

    def add(self, endpoint: Endpoint) -> None:
        with self._lock, self.faults.around("add"):
            self._endpoints.setdefault(endpoint.endpoint_id, endpoint)

    def save(self, endpoint: Endpoint) -> Endpoint:
        with self._lock, self.faults.around("save"):
            known = self._endpoints.get(endpoint.endpoint_id)
            if known is None or known.version != endpoint.version:
                raise Busy("Another worker has changed the webhook.", "Try again.")
            self._endpoints[endpoint.endpoint_id] = endpoint.model_copy(update={"version": endpoint.version + 1})
            return self._endpoints[endpoint.endpoint_id]

    def remove(self, endpoint_id: str) -> None:
        with self._lock, self.faults.around("remove"):
            self._endpoints.pop(endpoint_id, None)

    def begin(self, delivery: Delivery) -> None:
        with self._lock, self.faults.around("begin"):
            known = self._kept(delivery.endpoint_id, delivery.notice_id)
            self._deliveries[delivery.endpoint_id, delivery.notice_id] = known or delivery

    def delivery(self, key: DeliveryKey) -> Delivery | None:
        with self.faults.around("delivery"):
            return self._kept(key.endpoint_id, key.notice_id)

    def move(self, delivery: Delivery) -> Delivery:
        with self._lock, self.faults.around("move"):
            known = self._deliveries.get((delivery.endpoint_id, delivery.notice_id))
            if known is None or known.version != delivery.version:
                raise Busy("Another worker has changed the delivery.", "Try again.")
            moved = delivery.model_copy(update={"version": delivery.version + 1})
            self._deliveries[delivery.endpoint_id, delivery.notice_id] = moved
            return moved

    def deliveries(self, endpoint_id: str, limit: int, cursor: str | None) -> DeliveryPage:
        with self.faults.around("deliveries"):
            mine = [one for one in self._deliveries.values() if one.endpoint_id == endpoint_id]
            mine.sort(key=lambda one: (one.created_at, one.notice_id), reverse=True)
            cursors = [f"after {endpoint_id} {one.notice_id}" for one in mine]
            if cursor is not None:
                if cursor not in cursors:
                    raise InvalidRequest("The cursor is not valid.", "List again without it.", field="cursor")
                mine = mine[cursors.index(cursor) + 1 :]
            page = tuple(mine[:limit])
            goes_on = len(mine) > limit
            return DeliveryPage(
                deliveries=page, cursor=f"after {endpoint_id} {page[-1].notice_id}" if goes_on else None
            )

    def due(self, now: float, most: int) -> Sequence[DeliveryKey]:
        with self.faults.around("due"):
            due = [(one.watch_at, key) for key, one in self._deliveries.items() if one.watch_at is not None]
            return [
                DeliveryKey(endpoint_id=endpoint_id, notice_id=notice_id)
                for at, (endpoint_id, notice_id) in sorted(due)
                if at <= now
            ][:most]

    def _kept(self, endpoint_id: str, notice_id: str) -> Delivery | None:
        delivery = self._deliveries.get((endpoint_id, notice_id))
        forgotten = delivery is None or delivery.created_at + DELIVERY_DAYS * 86400 <= self._clock.now()
        return None if forgotten else delivery


class FakeCourier:
    """`nudged` holds what was asked for to be sent."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.nudged: list[DeliveryKey] = []

    def nudge(self, keys: Sequence[DeliveryKey]) -> None:
        with self.faults.around("nudge"):
            self.nudged += keys


@dataclass(frozen=True)
class SentNotice:
    """A request that an endpoint got."""

    url: str
    headers: dict[str, str]
    body: str


class FakeSender:
    """Endpoints: `sent` are the requests they got, `replies` what they answer next; of further ones it is `usual`."""

    def __init__(self, clock: FakeClock) -> None:
        self.faults = Faults()
        self.sent: list[SentNotice] = []
        self.replies: deque[Reply] = deque()
        self.usual = Reply(status=204)
        self.seconds = 0.25
        """How long an answer takes."""
        self._clock = clock

    def send(self, url: str, headers: Mapping[str, str], body: str) -> Reply:
        with self.faults.around("send"):
            self.sent.append(SentNotice(url, dict(headers), body))
            self._clock.time += self.seconds
            return self.replies.popleft() if self.replies else self.usual


class FakeVault:
    """Hides nothing: what it seals can be read by whoever knows the context."""

    def __init__(self) -> None:
        self.faults = Faults()

    def sealer(self, context: dict[str, str]) -> Callable[[SecretStr], str]:
        with self.faults.around("sealer"):
            return lambda secret: json.dumps([context, secret.get_secret_value()], sort_keys=True).encode().hex()

    def unseal(self, sealed: str, context: dict[str, str]) -> SecretStr:
        with self.faults.around("unseal"):
            try:
                sealed_in, secret = json.loads(bytes.fromhex(sealed))
            except ValueError:
                sealed_in, secret = None, ""
            if sealed_in != context:
                raise InternalServerError("A stored secret cannot be opened.", "Tell the operator.")
            return SecretStr(secret)


class FakeAppSecret:
    def __init__(self, app: TikTokApp | None) -> None:
        self.stored = app

    def app(self) -> TikTokApp:
        if self.stored is None:
            raise ServiceUnavailable("No TikTok app is stored.", "Store its key and secret.")
        return self.stored


class BytesSource:
    """Media that is all there, or is cut after `cut_at` bytes."""

    def __init__(self, data: bytes, *, cut_at: int | None = None, size: int | None = None) -> None:
        self.size: int | None = len(data) if size is None else size
        self.head = data[:SNIFF_BYTES]
        self._data, self._cut_at, self._at = data, cut_at, 0

    def readinto(self, buffer: memoryview) -> int:
        if self._cut_at is not None and self._at + len(buffer) > self._cut_at:
            raise MediaDownloadFailed("The media was cut.", "Check that the URL gives the whole file.")
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


class BytesLook(NamedTuple):
    """Media that is looked at."""

    size: int | None
    head: bytes
    data: bytes

    def file(self) -> BinaryIO:
        if self.size is None:
            raise TooMuchToRead
        return io.BytesIO(self.data)


class FakeFetcher:
    """The internet: bytes, a source, or an error by URL."""

    def __init__(self) -> None:
        self.media: dict[str, bytes | Source | PublisherError] = {}

    @contextmanager
    def open(self, url: str, *, max_bytes: int) -> Iterator[Source]:
        there = self.media.get(url, MediaDownloadFailed("The media server answered 404.", "Check the URL."))
        if isinstance(there, PublisherError):
            raise there
        source: Source = BytesSource(there) if isinstance(there, bytes) else there
        if (source.size or 0) > max_bytes:
            raise MediaTooLarge("The media is too large.", "Send a smaller one.")
        yield source

    @contextmanager
    def look(self, url: str, *, max_bytes: int, most: int, seconds: float) -> Iterator[RemoteFile]:
        with self.open(url, max_bytes=max_bytes) as source:
            yield BytesLook(source.size, source.head, source.head)


class FakeProber:
    """Says of every file what it was told to say, with the file's true size."""

    def __init__(self) -> None:
        self.facts: VideoFacts | PublisherError = video_facts()
        self.picture_facts: PictureFacts | PublisherError = picture_facts()

    def video(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> VideoFacts:
        if isinstance(self.facts, PublisherError):
            raise self.facts
        return self.facts.model_copy(update={"size": size})

    def picture(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> PictureFacts:
        if isinstance(self.picture_facts, PublisherError):
            raise self.picture_facts
        return self.picture_facts.model_copy(update={"size": size})


class FakeProbes:
    """Looks at media in this process."""

    def __init__(self, ports: "FakePorts") -> None:
        self.faults = Faults()
        self._ports = ports

    def probe(self, workspace_id: str, media_urls: Sequence[str | None], seconds: float) -> Sequence[ProbedMedia]:
        with self.faults.around("probe"):
            event = {"workspaceId": workspace_id, "mediaUrls": list(media_urls), "seconds": seconds}
            answer = json.loads(json.dumps(probe_media(event, self._ports, lambda: seconds)))
            return [ProbedMedia.model_validate(media) for media in answer["media"]]


class FakeConverter:
    """Says of every picture what it was told to say, and leaves bytes that name the picture they come from."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.pictures: deque[ConvertedPicture | PublisherError] = deque()
        """What is said of the next pictures; of further ones it is `usual`."""
        self.usual = ConvertedPicture(width=1080, height=1350, size=0, frames_dropped=0)

    @contextmanager
    def converting(self) -> Iterator[Convert]:
        yield self._convert

    def _convert(self, source: Path, target: Path) -> ConvertedPicture:
        with self.faults.around("convert"):
            said = self.pictures.popleft() if self.pictures else self.usual
            if isinstance(said, PublisherError):
                raise said
            size = target.write_bytes(b"JPEG of " + source.read_bytes())
            return said.model_copy(update={"size": size})


class FakeMediaStore:
    def __init__(self) -> None:
        self.faults = Faults()
        self.objects: dict[str, bytes] = {}

    def store(self, key: str, source: Source, content_type: str, progress: Callable[[int], None]) -> StoredMedia:
        with self.faults.around("store"):
            data, piece = bytearray(), bytearray(1 << 20)
            while got := source.readinto(memoryview(piece)):
                data += piece[:got]
                progress(len(data))
            self.objects[key] = bytes(data)
            return StoredMedia(key=key, etag=_etag(data), size=len(data))

    @contextmanager
    def read(self, media: StoredMedia, first: int) -> Iterator[Reader]:
        with self.faults.around("read"):
            file = self._unchanged(media)
            file.seek(first)
            yield file

    @contextmanager
    def seekable(self, media: StoredMedia) -> Iterator[BinaryIO]:
        with self.faults.around("seekable"):
            yield self._unchanged(media)

    def put(self, key: str, file: Path, content_type: str) -> None:
        with self.faults.around("put"):
            self.objects[key] = file.read_bytes()

    def download(self, key: str, file: Path) -> None:
        with self.faults.around("download"):
            if key not in self.objects:
                raise ServiceUnavailable("The stored media is gone.", "Try again.")
            file.write_bytes(self.objects[key])

    def get(self, key: str) -> bytes | None:
        with self.faults.around("get"):
            return self.objects.get(key)

    def delete(self, keys: Collection[str]) -> None:
        with self.faults.around("delete"):
            for key in keys:
                self.objects.pop(key, None)

    def _unchanged(self, media: StoredMedia) -> io.BytesIO:
        data = self.objects.get(media.key, b"")
        if _etag(data) != media.etag:
            raise ServiceUnavailable("The stored media has changed.", "Try again.")
        return io.BytesIO(data)


def _etag(data: bytes | bytearray) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


@dataclass
class _Address:
    hosted: Hosted | None = None
    until: float = 0
    pulled: bool = False
    closed: bool = False


class FakePhotoHost:
    def __init__(self) -> None:
        self.faults = Faults()
        self._lock = threading.RLock()
        self._addresses: dict[str, _Address] = defaultdict(_Address)

    def host(self, prefix: str, hosted: Hosted, until: float) -> None:
        with self._lock, self.faults.around("host"):
            address = self._addresses[prefix]
            if address.closed or address.hosted not in (None, hosted):
                raise Busy("The address is closed.", "Take another one.")
            address.hosted, address.until = hosted, until

    def pull(self, prefix: str, number: int, now: float) -> Hosted | None:
        with self._lock, self.faults.around("pull"):
            address = self._addresses.get(prefix, _Address())
            if address.hosted is None or address.closed or address.until <= now:
                return None
            if not 1 <= number <= address.hosted.count:
                return None
            address.pulled = True
            return address.hosted

    def fence(self, prefix: str) -> bool:
        with self._lock, self.faults.around("fence"):
            address = self._addresses[prefix]
            address.closed = address.closed or not address.pulled
            return not address.pulled

    def close(self, prefix: str) -> None:
        with self._lock, self.faults.around("close"):
            self._addresses[prefix].closed = True


class FakeExecutions:
    """`started` holds every execution's name and post in order; `end` ends one."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.started: dict[str, Post] = {}
        self._ended: set[str] = set()

    def start(self, post: Post) -> None:
        with self.faults.around("start"):
            self.started.setdefault(execution_name(post), post)

    def running(self, post: Post) -> bool:
        with self.faults.around("running"):
            return execution_name(post) in self.started and execution_name(post) not in self._ended

    def end(self, post: Post) -> None:
        self._ended.add(execution_name(post))


class TikTokPost:
    """What an init has begun, as TikTok sees it. `text` is a video's; its creator has published a `finished` draft."""

    publish_id: str
    options: PostOptions
    failure: Failure | None
    text: str = ""
    polls: int = 0
    finished: bool = False

    @property
    def complete(self) -> bool:
        """True when TikTok has all it waits for."""
        raise NotImplementedError

    @property
    def public(self) -> bool:
        return self.complete and not self.failure and (self.finished or not self.options.draft)


@dataclass
class TikTokUpload(TikTokPost):
    """One upload. `checksum` is the CRC-32 of the bytes so far."""

    publish_id: str
    plan: ChunkPlan
    options: PostOptions
    opened_at: float
    failure: Failure | None
    received: int = 0
    checksum: int = 0
    open_id: str = ""
    text: str = ""

    @property
    def complete(self) -> bool:
        return self.received == self.plan.video_size


@dataclass
class TikTokCarousel(TikTokPost):
    """Pictures at addresses that TikTok pulls when the test says so."""

    publish_id: str
    title: str
    description: str
    options: PostOptions
    picture_urls: tuple[str, ...]
    failure: Failure | None
    pulled: bool = False

    @property
    def complete(self) -> bool:
        return self.pulled


@dataclass
class TikTokGrant:
    open_id: str
    scopes: tuple[str, ...]
    expires_at: float


@dataclass
class FakeTikTok:
    """TikTok with one creator's answers.

    `uploads` and `carousels` are the truth: they hold all that was opened, by upload URL and by publish_id.
    """

    clock: FakeClock
    lifetime: int = 86400
    """Seconds that an access token works."""
    processing_polls: int = 1
    """Status checks between the last byte and the outcome."""
    post_id_polls: int = 0
    """Status checks between the outcome and the public id."""
    received_shift: int = 0
    """-1 makes the byte counts in answers last indexes instead of counts."""
    clock_ahead: float = 0
    """Seconds that TikTok's clock is ahead."""
    follower_count: int = 1204
    """Followers of every creator."""
    app_refused: bool = False
    """TikTok does not accept the app's key and secret."""
    creator_answer: Creator | PublisherError = field(default_factory=a_creator)
    faults: Faults = field(default_factory=Faults)
    uploads: dict[str, TikTokUpload] = field(default_factory=dict)
    carousels: dict[str, TikTokCarousel] = field(default_factory=dict)
    refreshes: int = 0
    _access: dict[str, TikTokGrant] = field(default_factory=dict)
    _refresh: dict[str, TikTokGrant] = field(default_factory=dict)
    _codes: dict[str, tuple[str, str, TikTokGrant]] = field(default_factory=dict)
    _failures: deque[Failure] = field(default_factory=deque)
    _films: dict[str, tuple[str, VideoFigures]] = field(default_factory=dict)
    _figures: dict[str, dict[str, int]] = field(default_factory=dict)
    _hidden: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # What a test does to TikTok
    def consent(self, challenge: str, redirect_uri: str, open_id: str = "", scopes: tuple[str, ...] = SCOPES) -> str:
        """A creator agrees; the code comes back with him."""
        code = f"code-{uuid4().hex}*!1"
        self._codes[code] = (challenge, redirect_uri, TikTokGrant(open_id or f"open-{uuid4()}", scopes, 0))
        return code

    def grant(self, open_id: str = "", scopes: tuple[str, ...] = SCOPES) -> Grant:
        """A creator's tokens, without the way there."""
        return self._issue(TikTokGrant(open_id or f"open-{uuid4()}", scopes, 0))

    def expire_access_tokens(self) -> None:
        self._access.clear()

    def remove_app(self, open_id: str) -> None:
        """The creator removes the app."""
        for tokens in (self._access, self._refresh):
            for token in [token for token, grant in tokens.items() if grant.open_id == open_id]:
                del tokens[token]

    def fail_next_post(self, failure: Failure) -> None:
        """The next post that is opened ends FAILED once TikTok has all of it."""
        self._failures.append(failure)

    def pull(self, which: str | int, host: PhotoHost) -> None:
        """TikTok pulls the pictures of a carousel, named by its publish_id or its place in the order of opening.

        One that the host does not give fails the post.
        """
        with self._lock:
            carousel = self.carousels[which] if isinstance(which, str) else list(self.carousels.values())[which]
            addresses = [urlsplit(url).path.removesuffix(".jpg").split("/")[-2:] for url in carousel.picture_urls]
            carousel.pulled = True
            if any(host.pull(prefix, int(number), self.clock.now()) is None for prefix, number in addresses):
                carousel.failure = failure_of("photo_pull_failed", "").failure()

    def finish_draft(self, publish_id: str) -> None:
        """The creator publishes a draft from the inbox."""
        self._post(publish_id).finished = True

    def add_videos(self, open_id: str, count: int, days: int = 30) -> list[str]:
        """A creator has made videos in the app, evenly over the last days; returns their ids, oldest first."""
        first = 7_400_000_000_000_000_000 + len(self._films)
        for number in range(count):
            video_id = str(first + number)
            created_at = int(self.clock.now() - days * 86400 * (count - number) / count)
            film = VideoFigures(
                video_id=video_id, created_at=created_at, description=f"Made in the app {number + 1}", duration=30
            )
            self._films[video_id] = open_id, film
        return [str(first + number) for number in range(count)]

    def set_figures(self, video_id: str, **figures: int) -> None:
        """A video fares so from now on, whoever's it is; without this it has nothing."""
        self._figures[video_id] = figures

    def hide(self, video_id: str) -> None:
        """The creator lets nobody see a video any more."""
        self._hidden.add(video_id)

    @property
    def public_posts(self) -> list[TikTokPost]:
        """What the world can see."""
        return [post for post in (*self.uploads.values(), *self.carousels.values()) if post.public]

    # What the service calls
    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str, scopes: Collection[str]) -> str:
        query = {"state": state, "code_challenge": challenge, "redirect_uri": redirect_uri, "scope": ",".join(scopes)}
        return f"https://tiktok.example/v2/auth/authorize/?{urlencode(query)}"

    def exchange_code(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        with self._lock, self.faults.around("exchange_code"):
            challenge, agreed_uri, grant = self._codes.pop(code, ("", "", None))
            right_verifier = hashlib.sha256(verifier.encode()).hexdigest() == challenge
            if grant is None or not right_verifier or redirect_uri != agreed_uri:
                raise ConnectionRefused("TikTok does not take the code.", "Start connecting again.")
            return self._issue(grant)

    def refresh(self, refresh_token: SecretStr) -> Grant:
        with self._lock, self.faults.around("refresh"):
            grant = self._refresh.pop(refresh_token.get_secret_value(), None)
            if grant is None:
                raise TokenExpired("TikTok does not take the refresh token.", "Connect the account again.")
            self.refreshes += 1
            return self._issue(grant)

    def revoke(self, access_token: SecretStr) -> None:
        with self._lock, self.faults.around("revoke"):
            self.remove_app(self._granted(access_token, None).open_id)

    def check_app(self) -> float | None:
        with self.faults.around("check_app"):
            if self.app_refused:
                refusal = "TikTok does not accept the app's key or secret."
                raise ServiceUnavailable(refusal, "The operator stores the right ones.", tiktok_code="invalid_client")
            return self.clock.now() + self.clock_ahead

    def profile(self, access_token: SecretStr, scopes: Collection[str]) -> Profile:
        with self.faults.around("profile"):
            grant = self._granted(access_token, "user.info.basic")
            username = self._creator().username if "user.info.profile" in scopes else ""
            return Profile(open_id=grant.open_id, username=username, display_name=self._creator().nickname)

    def creator(self, access_token: SecretStr) -> Creator:
        with self.faults.around("creator"):
            self._granted(access_token, "video.publish")
            return self._creator()

    def open_upload(self, access_token: SecretStr, *, text: str, options: PostOptions, plan: ChunkPlan) -> OpenedUpload:
        with self._lock, self.faults.around("open_upload"):
            grant = self._granted(access_token, "video.upload" if options.draft else "video.publish")
            if not options.draft and options.privacy_level not in self._creator().privacy_level_options:
                raise PublishingFailed("TikTok does not offer this privacy level.", "Choose another one.")
            if not _plan_allowed(plan.video_size, plan.chunk_size, plan.total_chunk_count):
                raise PublishingFailed("The chunk size is invalid.", "Tell the operator.")
            publish_id = f"v_{'inbox' if options.draft else 'pub'}_file~v2-1.{self._next_id()}"
            failure = self._failures.popleft() if self._failures else None
            url = f"https://upload.tiktok.example/upload?upload_id={len(self.uploads) + 1}&upload_token={uuid4()}"
            self.uploads[url] = TikTokUpload(
                publish_id, plan, options, self.clock.now(), failure, open_id=grant.open_id, text=text
            )
            return OpenedUpload(publish_id=publish_id, upload_url=SecretStr(url))

    def open_carousel(
        self, access_token: SecretStr, *, text: str, options: PostOptions, picture_urls: Sequence[str]
    ) -> str:
        with self._lock, self.faults.around("open_carousel"):
            self._granted(access_token, "video.upload" if options.draft else "video.publish")
            if len(options.photo_title) > 90 or len(text) > 4000:
                raise PublishingFailed("The post info is incorrect.", "Shorten the texts.")
            if not 1 <= len(picture_urls) <= 35 or not 0 <= (options.photo_cover_index or 0) < len(picture_urls):
                raise PublishingFailed("The source info is incorrect.", "Tell the operator.")
            if not options.draft and options.privacy_level not in self._creator().privacy_level_options:
                raise PublishingFailed("TikTok does not offer this privacy level.", "Choose another one.")
            publish_id = f"p_pub_url~v2.{self._next_id()}"
            failure = self._failures.popleft() if self._failures else None
            self.carousels[publish_id] = TikTokCarousel(
                publish_id, options.photo_title, text, options, tuple(picture_urls), failure
            )
            return publish_id

    def put_chunk(
        self, upload_url: SecretStr, *, chunk: Chunk, total: int, content_type: str, data: memoryview
    ) -> ChunkAnswer:
        with self._lock, self.faults.around("put_chunk"):
            upload = self.uploads.get(upload_url.get_secret_value())
            if upload is None or self.clock.now() >= upload.opened_at + 3600:
                return ChunkAnswer(kind="gone")
            if len(data) != chunk.size or total != upload.plan.video_size:
                raise PublishingFailed("The length is not what was announced.", "Tell the operator.")
            if chunk.first != upload.received or chunk.size != _next_chunk(upload):
                return ChunkAnswer(kind="out_of_order", received=upload.received + self.received_shift)
            upload.received += chunk.size
            upload.checksum = zlib.crc32(data, upload.checksum)
            return ChunkAnswer(kind="complete" if upload.complete else "more")

    def status(self, access_token: SecretStr, publish_id: str) -> PublishStatus:
        with self._lock, self.faults.around("status"):
            self._granted(access_token, "video.upload")
            post = self._post(publish_id)
            post.polls += post.complete
            if isinstance(post, TikTokUpload):
                processing, received = "PROCESSING_UPLOAD", post.received + self.received_shift if post.received else 0
            else:
                processing, received = "PROCESSING_DOWNLOAD", None
            if not post.complete or post.polls <= self.processing_polls:
                return PublishStatus(status=processing, uploaded_bytes=received)
            if post.failure:
                return PublishStatus(status="FAILED", uploaded_bytes=received, failure=post.failure)
            if not post.public:
                return PublishStatus(status="SEND_TO_USER_INBOX", uploaded_bytes=received)
            number = publish_id.rpartition(".")[2]
            return PublishStatus(
                status="PUBLISH_COMPLETE", uploaded_bytes=received, post_ids=(number,) if self._shown(post) else ()
            )

    def figures(self, access_token: SecretStr, scopes: Collection[str]) -> AccountFigures:
        with self._lock, self.faults.around("figures"):
            if "user.info.stats" not in scopes:
                return AccountFigures()
            videos = self._videos_of(self._granted(access_token, "user.info.stats").open_id)
            return AccountFigures(
                follower_count=self.follower_count,
                following_count=0,
                likes_count=sum(video.like_count for _, video in videos),
                video_count=len(videos),
            )

    def videos(self, access_token: SecretStr, *, cursor: int | None, count: int) -> VideoPage:
        if not 1 <= count <= VIDEOS_PER_CALL:
            raise ValueError(f"{count} videos")
        with self._lock, self.faults.around("videos"):
            videos = self._videos_of(self._granted(access_token, "video.list").open_id)
            older = [(moment, video) for moment, video in videos if cursor is None or moment < cursor]
            page = older[:count]
            return VideoPage(
                videos=tuple(video for _, video in page),
                cursor=page[-1][0] if page else cursor or int(self.clock.now() * 1000),
                has_more=len(older) > len(page),
            )

    def find_videos(self, access_token: SecretStr, ids: Sequence[str]) -> tuple[VideoFigures, ...]:
        if len(ids) > VIDEOS_PER_CALL:
            raise ValueError(f"{len(ids)} ids")
        if not ids:
            return ()
        with self._lock, self.faults.around("find_videos"):
            videos = self._videos_of(self._granted(access_token, "video.list").open_id)
            return tuple(video for _, video in videos if video.video_id in ids)

    def _videos_of(self, open_id: str) -> list[tuple[int, VideoFigures]]:
        """Public videos and their places (epoch ms, no two alike), newest first."""
        films = [film for owner, film in self._films.values() if owner == open_id]
        for upload in self.uploads.values():
            if upload.open_id == open_id and upload.public and self._shown(upload):
                number, created_at = upload.publish_id.rpartition(".")[2], int(upload.opened_at)
                films.append(VideoFigures(video_id=number, created_at=created_at, description=upload.text[:150]))
        placed: list[tuple[int, VideoFigures]] = []
        for film in sorted(films, key=lambda film: (film.created_at, film.video_id)):
            moment = max(film.created_at * 1000, placed[-1][0] + 1 if placed else 0)
            placed.append((moment, film.model_copy(update=self._figures.get(film.video_id))))
        return [(moment, film) for moment, film in placed[::-1] if film.video_id not in self._hidden]

    def _shown(self, post: TikTokPost) -> bool:
        """Whether the public sees a post, and its id is told."""
        told = post.polls > self.processing_polls + self.post_id_polls
        return told and (post.finished or post.options.privacy_level == "PUBLIC_TO_EVERYONE")

    def _next_id(self) -> int:
        return 7_500_000_000_000_000_001 + len(self.uploads) + len(self.carousels)

    def _post(self, publish_id: str) -> TikTokPost:
        for post in (*self.uploads.values(), *self.carousels.values()):
            if post.publish_id == publish_id:
                return post
        raise PublishingFailed("TikTok does not know the publish id.", "Tell the operator.")

    def _creator(self) -> Creator:
        if isinstance(self.creator_answer, PublisherError):
            raise self.creator_answer
        return self.creator_answer

    def _issue(self, grant: TikTokGrant) -> Grant:
        access_token, refresh_token = f"act.{uuid4().hex}", f"rft.{uuid4().hex}"
        grant = TikTokGrant(grant.open_id, grant.scopes, self.clock.now() + self.lifetime)
        self._access[access_token] = self._refresh[refresh_token] = grant
        return Grant(
            open_id=grant.open_id,
            access_token=SecretStr(access_token),
            refresh_token=SecretStr(refresh_token),
            expires_in=self.lifetime,
            refresh_expires_in=365 * 86400,
            scopes=grant.scopes,
        )

    def _granted(self, access_token: SecretStr, scope: str | None) -> TikTokGrant:
        grant = self._access.get(access_token.get_secret_value())
        if grant is None or grant.expires_at <= self.clock.now():
            raise TokenExpired("TikTok takes the access token for invalid.", "Connect the account again.")
        if scope is not None and scope not in grant.scopes:
            raise InvalidToken(f"The scope {scope} was not granted.", "Connect the account again and grant it.")
        return grant


def _plan_allowed(size: int, chunk: int, count: int) -> bool:
    """TikTok's rules since August 2026; 5 and 64 MB are read in the stricter way."""
    if count == 1:
        return 0 < size == chunk <= 64_000_000
    return 5 * 2**20 <= chunk <= 64_000_000 and 1 < count <= 1000 and count == size // chunk


def _next_chunk(upload: TikTokUpload) -> int:
    left = upload.plan.video_size - upload.received
    return left if left < 2 * upload.plan.chunk_size else upload.plan.chunk_size


@dataclass
class FakePorts:
    """Every port, in memory."""

    clock: FakeClock = field(default_factory=FakeClock)
    slots: FakeSlots = field(default_factory=FakeSlots)
    schedules: FakeSchedules = field(default_factory=FakeSchedules)
    keys: FakeKeys = field(default_factory=FakeKeys)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    vault: FakeVault = field(default_factory=FakeVault)
    courier: FakeCourier = field(default_factory=FakeCourier)
    fetcher: FakeFetcher = field(default_factory=FakeFetcher)
    prober: FakeProber = field(default_factory=FakeProber)
    converter: FakeConverter = field(default_factory=FakeConverter)
    media: FakeMediaStore = field(default_factory=FakeMediaStore)
    photo_host: FakePhotoHost = field(default_factory=FakePhotoHost)
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    tiktok_origins: tuple[str, ...] = ("https://open.tiktokapis.com",)
    trusted_media_origins: tuple[str, ...] = ()
    public_url: str | None = "https://publish.example"
    ownership_tokens: tuple[str, ...] = ()
    app_secret: FakeAppSecret = field(
        default_factory=lambda: FakeAppSecret(TikTokApp(client_key="key", client_secret=SecretStr("secret")))
    )
    probes: FakeProbes = field(init=False)
    posts: FakePosts = field(init=False)
    drops: FakeDrops = field(init=False)
    uploads: FakeUploads = field(init=False)
    events: FakeEvents = field(init=False)
    metrics: FakeMetrics = field(init=False)
    accounts: FakeAccounts = field(init=False)
    endpoints: FakeEndpoints = field(init=False)
    sender: FakeSender = field(init=False)
    tiktok: FakeTikTok = field(init=False)

    def __post_init__(self) -> None:
        self.probes = FakeProbes(self)
        self.posts = FakePosts(self.clock)
        self.drops = FakeDrops(self.clock)
        self.uploads = FakeUploads(self.clock)
        self.events = FakeEvents(self.clock)
        self.metrics = FakeMetrics(self.clock)
        self.accounts = FakeAccounts(self.clock)
        self.endpoints = FakeEndpoints(self.clock)
        self.sender = FakeSender(self.clock)
        self.tiktok = FakeTikTok(self.clock)

    def connect(self, **changes: object) -> Account:
        """An account whose tokens work at the fake TikTok."""
        account = an_account(**{"tokens": None, **changes})
        grant = self.tiktok.grant(account.open_id, account.scopes)
        tokens = seal_tokens(self.vault.sealer(tokens_context(account)), grant, 1, self.clock.now())
        account = account.model_copy(update={"tokens": tokens})
        self.accounts.add(account)
        return account
