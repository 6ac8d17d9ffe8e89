"""What the use cases need from outside: adapters in aws/ and tiktok/ do it for real, fakes in the tests in memory.

Every adapter raises the errors of domain/errors.py. Each docstring says whether the call is safe to repeat when its
answer is lost.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from publisher.domain.accounts import Account, Creator
from publisher.domain.chunks import Chunk, ChunkPlan
from publisher.domain.endpoints import Delivery, Endpoint
from publisher.domain.errors import Failure
from publisher.domain.history import Collected, Day
from publisher.domain.keys import ApiKey
from publisher.domain.limits import PROBE_SECONDS
from publisher.domain.media import VideoFacts
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.domain.pictures import PictureFacts
from publisher.domain.posts import Post, PostOptions, Status
from publisher.domain.sessions import Session, SignInTicket
from publisher.domain.slots import Usage
from publisher.domain.uploads import Part, Upload, UploadName


class Value(BaseModel):
    """A value that crosses a port."""

    model_config = ConfigDict(frozen=True)


type SecondsLeft = Callable[[], float]
"""Seconds of function time that a worker has left."""


class Clock(Protocol):
    """The time, and waiting."""

    def now(self) -> float:
        """Return the epoch second."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class IdempotentRequest(Value):
    """A request that came with an Idempotency-Key. `answer` is the JSON that was answered, once it was."""

    workspace_id: str
    key: str
    body_hash: str
    post_id: str
    in_flight_until: float
    answer: str | None = None


class PostQuery(Value):
    """Which posts to list; times are epoch seconds."""

    workspace_id: str
    status: Status | None = None
    account_id: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 20
    cursor: str | None = None


class PostPage(Value):
    """Posts, newest first, and the cursor of the page that follows, if one does."""

    posts: tuple[Post, ...]
    cursor: str | None


class Posts(Protocol):
    """The ledger."""

    def accept(self, post: Post, request: IdempotentRequest | None) -> bool:
        """Store a new post, and the request it came with, both or neither.

        False when the request's key is known: then nothing was stored. Safe to repeat.
        """

    def get(self, post_id: str) -> Post | None:
        """Return the post as it is at this moment."""

    def save(self, post: Post) -> Post:
        """Store a changed post if nobody has changed it since it was read; return it with its new version.

        Busy when somebody has. Safe to repeat: a write whose answer was lost recognizes itself.
        """

    def find(self, query: PostQuery) -> PostPage:
        """List posts of a workspace; InvalidRequest for a cursor that is not from here."""

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` posts whose watch time has come."""

    def of_publish(self, publish_id: str) -> str | None:
        """Return the id of the post that TikTok knows by this id; one just written may not be found yet."""

    def of_video(self, video_id: str) -> str | None:
        """Return the id of the post whose first public id this is; one just written may not be found yet."""

    def request(self, workspace_id: str, key: str) -> IdempotentRequest | None:
        """Return the request that came with this key in the last days."""

    def take_over(self, request: IdempotentRequest, now: float, until: float) -> bool:
        """Begin to answer a request whose first worker is past its time; False when another one has begun."""

    def answer(self, request: IdempotentRequest, answer: str) -> None:
        """Keep what was answered. Safe to repeat: the first answer stays."""


class Accounts(Protocol):
    """Connected accounts, and connections that are under way."""

    def get(self, account_id: str) -> Account | None:
        """Return the account as it is at this moment."""

    def find_open_id(self, open_id: str) -> Account | None:
        """Return the account that holds this TikTok user, in whatever workspace."""

    def of_workspace(self, workspace_id: str) -> Sequence[Account]:
        """List a workspace's accounts, oldest first."""

    def add(self, account: Account) -> None:
        """Store a new account; Busy when its TikTok user is held by another one. Safe to repeat."""

    def move(self, former: Account, account: Account) -> None:
        """Store a new account that takes the TikTok user of `former`, and `former` as it is changed; both or neither.

        Busy when somebody else has changed `former` since it was read. Safe to repeat.
        """

    def save(self, account: Account) -> Account:
        """Store a changed account as `Posts.save` does; Busy when somebody else has changed it. Safe to repeat."""

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` accounts whose watch time has come."""

    def begin_connecting(self, pending: "PendingConnection") -> None:
        """Remember a connection under way until it expires."""

    def finish_connecting(self, token_hash: str) -> "PendingConnection | None":
        """Return and forget a connection under way: of several callers one gets it. Not safe to repeat."""


class Slots(Protocol):
    """What accounts, and the app, have used of their limits."""

    def get(self, usage_id: str) -> Usage:
        """Return the usage as it is at this moment; an empty one when nothing was used."""

    def save(self, usage: Usage) -> None:
        """Store a usage if nobody has stored one since it was read; Busy when somebody has.

        Safe to repeat: a write whose answer was lost recognizes itself.
        """


class Answered(Value):
    """An answer about figures, as JSON, got at an epoch second and good until another."""

    text: str
    at: float
    until: float


class Metrics(Protocol):
    """Figures of accounts and their videos: the latest, those of each day, and answers that are good for a while."""

    def get(self, account_id: str) -> Collected:
        """Return what was collected last; an empty one when nothing was."""

    def save(self, collected: Collected, next_at: float) -> None:
        """Store what was collected, and when to collect next; Busy when another worker has since it was read.

        Safe to repeat: a write whose answer was lost recognizes itself.
        """

    def plan(self, account_id: str, at: float) -> None:
        """Have an account collected at an epoch second, unless it is planned sooner. Safe to repeat."""

    def put_off(self, account_id: str, at: float | None) -> None:
        """Have an account collected at an epoch second and no sooner, or never. Safe to repeat."""

    def due(self, now: float, most: int) -> Sequence[str]:
        """Return the ids of at most `most` accounts that are due, the longest overdue first."""

    def record(self, account_id: str, day: Day) -> None:
        """Store a day's record in place of one of that date. Safe to repeat."""

    def days(self, account_id: str, first: str, last: str) -> Sequence[Day]:
        """Return the records from one date to another, both included, oldest first."""

    def answered(self, account_id: str, question: str) -> Answered | None:
        """Return the answer to a question while it is good."""

    def lease(self, account_id: str, question: str, until: float) -> bool:
        """Take the right to find an answer until an epoch second; False while another one has it, or has found one."""

    def answer(self, account_id: str, question: str, answer: Answered | None) -> None:
        """Keep an answer, or none when it was not found, and give the right to find it back. Safe to repeat."""


class Schedules(Protocol):
    """What starts posts at a time."""

    def put(self, post_id: str, at: float) -> None:
        """Have a post started at an epoch second, rounded up to a whole one. Safe to repeat."""

    def remove(self, post_id: str, at: float) -> None:
        """Take that back; no error when it has fired. Safe to repeat."""


class PendingConnection(Value):
    """A connect link that was handed out, or a state that was sent to TikTok; known by a hash, gone at `expires_at`."""

    kind: Literal["link", "state"]
    token_hash: str
    workspace_id: str
    redirect_uri: str
    session_hash: str = ""
    expires_at: float


class Keys(Protocol):
    """API keys."""

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key."""

    def of_workspace(self, workspace_id: str) -> Sequence[ApiKey]:
        """List a workspace's keys, oldest first; one just added may not be there yet."""

    def add(self, key: ApiKey) -> None:
        """Store a new key."""

    def revoke(self, key_id: str, now: float) -> None:
        """Let a key count no more. Safe to repeat: the first moment stays."""

    def used(self, key_id: str, now: float) -> None:
        """Note when a key was last used."""


class Sessions(Protocol):
    """Sessions of the dashboard, and the links that begin one. A token is known by its hash."""

    def get(self, token_hash: str) -> Session | None:
        """Return a session as it is at this moment."""

    def add(self, session: Session) -> None:
        """Store a new session."""

    def seen(self, token_hash: str, now: float) -> None:
        """Note when a session was used; one that is gone stays gone."""

    def end(self, token_hash: str) -> None:
        """Forget a session. Safe to repeat."""

    def add_ticket(self, ticket: SignInTicket) -> None:
        """Store a sign-in link's ticket until it expires."""

    def take_ticket(self, token_hash: str) -> SignInTicket | None:
        """Return and forget a ticket: of several callers one gets it."""


class DeliveryKey(Value):
    """What a delivery is known by."""

    endpoint_id: str
    notice_id: str


class DeliveryPage(Value):
    """Deliveries, newest first, and the cursor of the page that follows, if one does."""

    deliveries: tuple[Delivery, ...]
    cursor: str | None


class Endpoints(Protocol):
    """Customers' endpoints, and what is delivered to them."""

    def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint as it is at this moment."""

    def of_workspace(self, workspace_id: str) -> Sequence[Endpoint]:
        """List a workspace's endpoints, oldest first; one just added may not be there yet."""

    def add(self, endpoint: Endpoint) -> None:
        """Store a new endpoint. Safe to repeat."""

    def save(self, endpoint: Endpoint) -> Endpoint:
        """Store a changed endpoint as `Posts.save` does; Busy when somebody else has changed or removed it."""

    def remove(self, endpoint_id: str) -> None:
        """Forget an endpoint. Safe to repeat."""

    def begin(self, delivery: Delivery) -> None:
        """Store a new delivery for some weeks. Safe to repeat: one that is known stays as it is."""

    def delivery(self, key: DeliveryKey) -> Delivery | None:
        """Return a delivery as it is at this moment."""

    def move(self, delivery: Delivery) -> Delivery:
        """Store a changed delivery as `Posts.save` does; Busy when somebody else has changed it."""

    def deliveries(self, endpoint_id: str, limit: int, cursor: str | None) -> DeliveryPage:
        """List deliveries to an endpoint; InvalidRequest for a cursor that is not from here."""

    def due(self, now: float, most: int) -> Sequence[DeliveryKey]:
        """Return at most `most` deliveries whose watch time has come."""


class Courier(Protocol):
    """What sends deliveries."""

    def nudge(self, keys: Sequence[DeliveryKey]) -> None:
        """Have these sent now, by somebody else. Safe to repeat; each is found without it too, within a minute."""


class Reply(Value):
    """What an endpoint answered: a status of HTTP, or why there is none; never what stood in it."""

    status: int | None
    error: str | None = None


class Sender(Protocol):
    """Sends requests to addresses that customers chose."""

    def send(self, url: str, headers: Mapping[str, str], body: str) -> Reply:
        """POST a JSON text; whatever comes of it is in the reply. Not followed anywhere else."""


class Vault(Protocol):
    """Seals small secrets; what was sealed in one context opens in no other."""

    def sealer(self, context: dict[str, str]) -> Callable[[SecretStr], str]:
        """Return a function that encrypts without calling anybody, so that it cannot fail between two other calls."""

    def unseal(self, sealed: str, context: dict[str, str]) -> SecretStr:
        """Decrypt; InternalServerError when the text was sealed in another context or changed."""


class EventTimes(Value):
    """When TikTok's events came last, to the minute, in epoch seconds: one well signed, and one badly."""

    last_good_at: float | None = None
    last_bad_at: float | None = None


class Events(Protocol):
    """TikTok's events that were taken in, known by the hash of their bytes."""

    def known(self, digest: str) -> bool:
        """Tell whether an event was taken in before and is still remembered."""

    def remember(self, digest: str, until: float) -> None:
        """Remember an event until an epoch second. Safe to repeat."""

    def note(self, *, good: bool, now: float) -> None:
        """Note that an event came, well signed or badly, at most once a minute. Safe to repeat."""

    def times(self) -> EventTimes:
        """Return when events came last."""


class TikTokApp(Value):
    """The operator's app at TikTok; the previous secret still signs events while a new one is introduced."""

    client_key: str
    client_secret: SecretStr
    previous_client_secret: SecretStr | None = None

    @property
    def secrets(self) -> tuple[SecretStr, ...]:
        """The secrets that may have signed an event."""
        return (self.client_secret, *((self.previous_client_secret,) if self.previous_client_secret else ()))


class AppSecret(Protocol):
    """Where the operator stored the TikTok app."""

    def app(self) -> TikTokApp:
        """Return the app; ServiceUnavailable, saying what to do, when none is stored."""


class Source(Protocol):
    """Media being downloaded."""

    size: int | None
    head: bytes

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the media ends before; 0 at the end; MediaDownloadFailed when it is cut."""


class TooMuchToRead(Exception):
    """To go on, more of a file would have to be read than whoever looks at it wants."""


class RemoteFile(Protocol):
    """Media that is looked at where it lies: its first bytes, and its size in bytes if that is known."""

    @property
    def size(self) -> int | None:
        """Return its number of bytes, once that is known."""

    @property
    def head(self) -> bytes:
        """Return its first bytes, by which its kind is told."""

    def file(self) -> BinaryIO:
        """Return the media as a file that can seek; TooMuchToRead, also of its reads."""


class Fetcher(Protocol):
    """Downloads from addresses that customers chose."""

    def open(self, url: str, *, max_bytes: int) -> AbstractContextManager[Source]:
        """Begin to download."""

    def look(self, url: str, *, max_bytes: int, most: int, seconds: float) -> AbstractContextManager[RemoteFile]:
        """Begin to look at media, asking for at most `most` of its bytes, for at most so many seconds."""


class Prober(Protocol):
    """Reads what a container says of itself."""

    def video(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> VideoFacts:
        """Return the facts of a video of `size` bytes; InvalidMediaType when it is none, or it takes longer."""

    def picture(self, file: BinaryIO, size: int, seconds: float = PROBE_SECONDS) -> PictureFacts:
        """Return the facts of a picture of `size` bytes; InvalidMediaType when it is none, or it takes longer."""


class ConvertedPicture(Value):
    """A JPEG as TikTok takes it: sides in pixels, size in bytes; `frames_dropped` is what an animation lost."""

    width: int
    height: int
    size: int
    frames_dropped: int


type Convert = Callable[[Path, Path], ConvertedPicture]
"""Makes of the picture in one file the JPEG in another; InvalidMediaType or MediaTooLarge when it cannot be done."""


class Converter(Protocol):
    """Makes pictures that TikTok takes."""

    def converting(self) -> AbstractContextManager[Convert]:
        """Convert any number of pictures until the block ends. Safe to repeat."""


class StoredMedia(Value):
    """An object of the bucket; `etag` fixes its bytes."""

    key: str
    etag: str
    size: int


class Reader(Protocol):
    """Bytes of a stored object, in order."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer unless the object ends before."""


class MediaStore(Protocol):
    """The media bucket."""

    def store(self, key: str, source: Source, content_type: str, progress: Callable[[int], None]) -> StoredMedia:
        """Stream a source into one object, telling the bytes stored so far; nothing stays when it fails.

        Safe to repeat under another key.
        """

    def read(self, media: StoredMedia, first: int) -> AbstractContextManager[Reader]:
        """Read an object from byte `first` on, in one request; ServiceUnavailable when its bytes have changed."""

    def seekable(self, media: StoredMedia) -> AbstractContextManager[BinaryIO]:
        """Open an object for reading here and there."""

    def put(self, key: str, file: Path, content_type: str) -> None:
        """Store a small file as one object. Safe to repeat."""

    def download(self, key: str, file: Path) -> None:
        """Copy an object into a file; ServiceUnavailable when there is none. Safe to repeat."""

    def get(self, key: str) -> bytes | None:
        """Return a small object; None when there is none."""

    def delete(self, keys: Collection[str]) -> None:
        """Remove at most a thousand objects; no error for those that are not there. Safe to repeat."""


class DroppedFile(Value):
    """A version of an object in the drop bucket, of `size` bytes."""

    key: str
    version: str
    size: int


class Drops(Protocol):
    """The bucket in which files are dropped."""

    def find(self, key: str) -> DroppedFile | None:
        """Return the present version of an object; None when there is none."""

    def list(self, prefix: str) -> Sequence[DroppedFile]:
        """Return the present versions of at most a thousand objects whose keys begin so, by key."""

    def walk(self) -> Iterable[tuple[str, float]]:
        """Return every object's key and the epoch second at which its present version was put."""

    def read(self, file: DroppedFile) -> bytes:
        """Return a small object; ServiceUnavailable when this version is gone."""

    def url(self, file: DroppedFile) -> str:
        """Return the address of this version, which only `open` understands."""

    def open(self, url: str, *, max_bytes: int) -> AbstractContextManager[Source]:
        """Begin to read a version; MediaDownloadFailed when it is gone, MediaTooLarge when it is too large."""

    def write(self, key: str, text: str) -> None:
        """Store a text. Safe to repeat."""


class ReceivedPart(Value):
    """A part of an uploaded file that is there; `sha256` is base64, `etag` the store's own mark of its bytes."""

    number: int
    size: int
    sha256: str
    etag: str


class Uploads(Protocol):
    """Files that customers upload, in parts that they bring to the store themselves."""

    @property
    def origin(self) -> str:
        """Return scheme, host and port of the addresses of parts."""

    def begin(self, upload: Upload) -> Upload:
        """Open a new upload and return it with its handle. One that was begun twice is two, of which one is used."""

    def find(self, workspace_id: str, upload_id: str) -> Upload | None:
        """Return an upload of a workspace as it stands, also a dropped one; None when there is none, or it expired."""

    def put(self, upload: Upload, data: bytes) -> Upload:
        """Store a small file whole, and return the upload as it is then."""

    def received(self, upload: Upload) -> Sequence[ReceivedPart]:
        """Return the parts that are there, by number; none when the upload is no longer under way."""

    def part_url(self, upload: Upload, part: Part, sha256: str) -> str:
        """Return an address that takes the bytes of a part of this SHA-256 for an hour, and no others.

        They are PUT with the header x-amz-checksum-sha256. Whoever has the address may do it.
        """

    def complete(self, upload: Upload, parts: Sequence[ReceivedPart]) -> None:
        """Make one file of all parts. Safe to repeat; Busy when the parts were replaced meanwhile."""

    def drop(self, upload: Upload) -> None:
        """Remove what is there of an upload; that it was dropped stays known. Safe to repeat."""

    def open(self, workspace_id: str, name: UploadName, *, max_bytes: int) -> AbstractContextManager[Source]:
        """Begin to read a whole file of a workspace; MediaDownloadFailed when it is gone, MediaTooLarge when it is."""

    def look(self, workspace_id: str, name: UploadName) -> AbstractContextManager[RemoteFile]:
        """Begin to look at a whole file of a workspace; MediaDownloadFailed when it is gone."""


class ProbedMedia(Value):
    """What was seen of one of a post's media: facts, what is wrong with it, or why it was not looked at as a whole."""

    content_type: str | None = None
    size: int | None = None
    video: VideoFacts | None = None
    picture: PictureFacts | None = None
    failure: Failure | None = None
    unread: str | None = None


class MediaProbes(Protocol):
    """Looks at media where it lies, in a place that has no secrets."""

    def probe(self, workspace_id: str, media_urls: Sequence[str | None], seconds: float) -> Sequence[ProbedMedia]:
        """Look at each but None, reading only what is needed, for at most so many seconds. Safe to repeat."""


class Hosted(Value):
    """Where the pictures of an address are in the bucket, and how many there are."""

    folder: str
    count: int


class PhotoHost(Protocol):
    """The addresses from which TikTok pulls pictures; each is good for one init.

    Pulled or fenced: one write decides between the two, and it is never undone. So a carousel whose init got no answer
    either was accepted, or never can be.
    """

    def host(self, prefix: str, hosted: Hosted, until: float) -> None:
        """Open an address until an epoch second; Busy when it was fenced before. Safe to repeat."""

    def pull(self, prefix: str, number: int, now: float) -> Hosted | None:
        """Note that TikTok asks for picture `number`, from 1, and return where it is.

        None when the address is fenced, over or unknown, or has no such picture; then nothing is noted. Safe to repeat.
        """

    def fence(self, prefix: str) -> bool:
        """Close an address for good unless it was pulled from; False then. Safe to repeat."""

    def close(self, prefix: str) -> None:
        """Close an address for good, whether it was pulled from or not. Safe to repeat."""


class Executions(Protocol):
    """Runs of the state machine."""

    def start(self, post: Post) -> None:
        """Start the execution of this post and revision, under its name and with a StepInput as input.

        One that was started before is left alone, so this is safe to repeat.
        """

    def running(self, post: Post) -> bool:
        """Tell whether the execution of this post and revision is under way."""


class Grant(Value):
    """TikTok's answer when an account is connected or its tokens are refreshed; durations are seconds."""

    open_id: str
    access_token: SecretStr
    refresh_token: SecretStr
    expires_in: int
    refresh_expires_in: int
    scopes: tuple[str, ...]


class Profile(Value):
    """A TikTok user, as far as the granted scopes show."""

    open_id: str
    username: str = ""
    display_name: str = ""
    avatar_url: str = ""


class OpenedUpload(Value):
    """An upload just opened; whoever holds the URL may upload."""

    publish_id: str
    upload_url: SecretStr


class ChunkAnswer(Value):
    """TikTok's answer to a chunk: go on, all in, `received` bytes so far, or no such upload any more."""

    kind: Literal["more", "complete", "out_of_order", "gone"]
    received: int | None = None


class PublishStatus(Value):
    """What TikTok says of a post. `post_ids` are public ids, as strings; `failure` says why it FAILED."""

    status: str
    post_ids: tuple[str, ...] = ()
    uploaded_bytes: int | None = None
    failure: Failure | None = None


class VideoPage(Value):
    """Public videos, newest first. `cursor` is where the page that follows begins, if `has_more`."""

    videos: tuple[VideoFigures, ...]
    cursor: int | None
    has_more: bool


class TikTok(Protocol):
    """TikTok's API.

    TokenExpired when TikTok takes the access token for invalid, InvalidToken when a scope is missing, RateLimitExceeded
    and TikTokRefused when it certainly did nothing, ServiceUnavailable or Timeout when it may or may not have acted.
    """

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str, scopes: Collection[str]) -> str:
        """Return the address of the consent page; `challenge` is TikTok's hex form of PKCE."""

    def exchange_code(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        """Trade a code for tokens; ConnectionRefused when TikTok does not take it. A code works once."""

    def refresh(self, refresh_token: SecretStr) -> Grant:
        """Trade a refresh token for new ones; TokenExpired when it is dead. Not safe to repeat: the old one may die."""

    def revoke(self, access_token: SecretStr) -> None:
        """Take the app's access to the account back; TokenExpired when the token is dead. Safe to repeat."""

    def check_app(self) -> float | None:
        """Try the app's key and secret; return TikTok's epoch second, if it tells it. Safe to repeat.

        ServiceUnavailable, with TikTok's code, when TikTok does not accept them.
        """

    def profile(self, access_token: SecretStr, scopes: Collection[str]) -> Profile:
        """Return the user, asking only for what the scopes allow. Safe to repeat."""

    def creator(self, access_token: SecretStr) -> Creator:
        """Return the creator's live posting options; AccountDisabled or RateLimitExceeded when he cannot post now."""

    def open_upload(self, access_token: SecretStr, *, text: str, options: PostOptions, plan: ChunkPlan) -> OpenedUpload:
        """Open an upload for a direct post or a draft.

        Repeating opens another; one that gets no bytes publishes nothing.
        """

    def open_carousel(
        self, access_token: SecretStr, *, text: str, options: PostOptions, picture_urls: Sequence[str]
    ) -> str:
        """Publish pictures, or send them as a draft, and return the publish_id; TikTok pulls them afterwards.

        Not safe to repeat: one whose answer was lost may be published, unless its addresses are fenced.
        """

    def put_chunk(
        self, upload_url: SecretStr, *, chunk: Chunk, total: int, content_type: str, data: memoryview
    ) -> ChunkAnswer:
        """Send a chunk. Safe to repeat on the same URL: TikTok answers what it already has."""

    def status(self, access_token: SecretStr, publish_id: str) -> PublishStatus:
        """Ask what became of a post. Safe to repeat."""

    def figures(self, access_token: SecretStr, scopes: Collection[str]) -> AccountFigures:
        """Return the account's figures, asking only for what the scopes allow. Safe to repeat."""

    def videos(self, access_token: SecretStr, *, cursor: int | None, count: int) -> VideoPage:
        """List at most `count` public videos that are older than the cursor (epoch ms), newest first. Safe to repeat.

        ValueError for a count that TikTok does not take.
        """

    def find_videos(self, access_token: SecretStr, ids: Sequence[str]) -> tuple[VideoFigures, ...]:
        """Return those of the videos that are the account's own and public. Safe to repeat.

        ValueError for more ids than TikTok takes at once.
        """


class Ports(Protocol):
    """All of them; each is made when it is first asked for."""

    @property
    def clock(self) -> Clock: ...
    @property
    def posts(self) -> Posts: ...
    @property
    def slots(self) -> Slots: ...
    @property
    def metrics(self) -> Metrics: ...
    @property
    def schedules(self) -> Schedules: ...
    @property
    def drops(self) -> Drops: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def events(self) -> Events: ...
    @property
    def accounts(self) -> Accounts: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def endpoints(self) -> Endpoints: ...
    @property
    def courier(self) -> Courier: ...
    @property
    def sender(self) -> Sender: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def app_secret(self) -> AppSecret: ...
    @property
    def fetcher(self) -> Fetcher: ...
    @property
    def prober(self) -> Prober: ...
    @property
    def probes(self) -> MediaProbes: ...
    @property
    def converter(self) -> Converter: ...
    @property
    def media(self) -> MediaStore: ...
    @property
    def photo_host(self) -> PhotoHost: ...
    @property
    def executions(self) -> Executions: ...
    @property
    def tiktok(self) -> TikTok: ...
    @property
    def tiktok_origins(self) -> tuple[str, ...]: ...
    @property
    def trusted_media_origins(self) -> tuple[str, ...]: ...
    @property
    def public_url(self) -> str | None: ...
    @property
    def ownership_tokens(self) -> tuple[str, ...]: ...
