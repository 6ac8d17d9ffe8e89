"""What the sandbox knows: its entities, and the world that holds them all."""

import hashlib
import uuid
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local.tiktok import rules
from local.tiktok.clock import Clock
from local.tiktok.faults import Fault
from local.tiktok.rules import FailReason
from local.tiktok.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1")
PrivacyLevel = Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]
MediaType = Literal["VIDEO", "PHOTO"]
ProcessingStatus = Literal["PROCESSING_UPLOAD", "PROCESSING_DOWNLOAD"]
Status = Literal[ProcessingStatus, "SEND_TO_USER_INBOX", "PUBLISH_COMPLETE", "FAILED"]


class Entity(BaseModel):
    """Strict about its fields, so that a typing error in an admin call is told."""

    model_config = ConfigDict(extra="forbid")


class App(Entity):
    """A client of the developer portal.

    A redirect URI is exact; its port may be `*` on a loopback host, and then a missing path stands for every path.
    A verified property is a domain (`media.example.com`) or a URL prefix (`https://example.com/media/`).
    """

    client_key: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[str, Field(min_length=1)]
    name: str = "Sandbox App"
    mode: Literal["production", "sandbox"] = "production"
    audited: bool = True
    redirect_uris: Annotated[list[str], Field(max_length=rules.REDIRECT_URIS)] = [
        "http://127.0.0.1:*",
        "http://localhost:*",
    ]
    verified_properties: list[str] = []
    webhook_url: str | None = None
    scopes: list[str] = list(rules.SCOPES)
    active_user_cap: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse what the portal would not register."""
        for uri in self.redirect_uris:
            parts = urlsplit(uri.replace(":*", ":1"))
            if not _is_secure(parts) or parts.query or parts.fragment or len(uri) > rules.REDIRECT_URI_LENGTH:
                raise ValueError(f"{uri} cannot be a redirect URI: https (http on loopback), no query, no fragment")
        if self.webhook_url is not None and not _is_secure(urlsplit(self.webhook_url)):
            raise ValueError(f"{self.webhook_url} cannot be a webhook: https (http on loopback)")
        unknown = set(self.scopes) - set(rules.SCOPES)
        if unknown:
            raise ValueError(f"unknown scopes: {', '.join(sorted(unknown))}")
        return self

    @property
    def is_limited(self) -> bool:
        """Whether the rules for unaudited apps hold; sandbox mode has no public posting either."""
        return not self.audited or self.mode == "sandbox"

    def accepts_redirect(self, uri: str) -> bool:
        """Whether `uri` is registered."""
        return any(_matches(registered, uri) for registered in self.redirect_uris)


def _is_secure(parts: SplitResult) -> bool:
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def _matches(registered: str, uri: str) -> bool:
    if registered == uri:
        return True
    scheme_and_host, star, path = registered.partition(":*")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return (
        bool(star)
        and port is not None
        and f"{parts.scheme}://{parts.hostname}" == scheme_and_host
        and not parts.query
        and not parts.fragment
        and (not path or parts.path == path)
    )


class User(Entity):
    """A creator. Durations in seconds; `privacy_level_options` None means what the account type gives.

    `follower_count` and `likes_count` are those that do not come from the videos the sandbox knows.
    """

    username: Annotated[str, Field(min_length=1)]
    nickname: str
    is_private: bool = False
    privacy_level_options: list[PrivacyLevel] | None = None
    comment_disabled: bool = False
    duet_disabled: bool = False
    stitch_disabled: bool = False
    max_video_post_duration_sec: Annotated[int, Field(ge=1)] = rules.DURATION_MAX_SECONDS
    daily_post_cap: Annotated[int, Field(ge=0)] = rules.POSTS_PER_DAY
    banned: bool = False
    target_user: bool = True
    avatar_url: str = ""  # without one the sandbox has a picture of its own
    bio_description: str = ""
    is_verified: bool = False
    follower_count: int = 0
    following_count: int = 0
    likes_count: int = 0

    @property
    def privacy_options(self) -> list[str]:
        """The live privacy options, as creator_info lists them."""
        if self.privacy_level_options is not None:
            return list(self.privacy_level_options)
        return list(rules.PRIVATE_ACCOUNT_OPTIONS if self.is_private else rules.PUBLIC_ACCOUNT_OPTIONS)

    @property
    def union_id(self) -> str:
        """The same for all apps of one developer."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"tiktok-sandbox/{self.username}"))

    def open_id(self, client_key: str) -> str:
        """Derive the user's id for one app."""
        digest = hashlib.sha256(f"{client_key}/{self.username}".encode()).hexdigest()
        return f"-000{digest[:32]}"


class Code(Entity):
    """An authorization code, waiting for its exchange."""

    code: str
    client_key: str
    username: str
    redirect_uri: str
    scopes: list[str]
    code_challenge: str | None
    expires_at: float


class Grant(Entity):
    """A user's consent to an app; ended by revoking."""

    grant_id: str
    client_key: str
    username: str
    open_id: str
    scopes: list[str]
    created_at: float
    revoked_at: float | None = None


class AccessToken(Entity):
    """An `act.` token of a grant."""

    grant_id: str
    expires_at: float


class RefreshToken(Entity):
    """An `rft.` token of a grant; `superseded_at` says when a rotation replaced it."""

    grant_id: str
    expires_at: float
    superseded_at: float | None = None


class Media(Entity):
    """What a probe found in a file. Pixels, frames per second, seconds."""

    container: str
    codec: str
    width: int
    height: int
    frame_rate: float
    duration: float


class Pull(Entity):
    """One GET of a media URL, told without its query; `status` is None when there was no answer."""

    url: str
    at: float
    status: int | None = None
    fault: str | None = None


class Picture(Entity):
    """A pulled picture. Bytes and pixels; `kind` is None, and there are no pixels, if it is none that TikTok takes."""

    sha256: str
    size: int
    pulled_at: float
    kind: Literal["jpeg", "webp"] | None = None
    width: int = 0
    height: int = 0
    fault: FailReason | None = None


class Publish(Entity):
    """One publish_id and everything that happened to it. Sizes in bytes, times in Unix seconds."""

    publish_id: str
    media_type: MediaType = "VIDEO"
    kind: Literal["direct", "draft"]
    source: Literal["FILE_UPLOAD", "PULL_FROM_URL"]
    client_key: str
    username: str
    open_id: str
    grant_id: str
    created_at: float
    post_info: dict[str, Any]
    video_url: str | None = None
    video_size: int | None = None
    chunk_size: int | None = None
    total_chunk_count: int | None = None
    photo_images: list[str] = []
    photo_cover_index: int | None = None
    pull_due_at: float = 0
    pulls: list[Pull] = []
    pictures: list[Picture] = []
    upload_id: str
    upload_token: str | None = None
    upload_expires_at: float | None = None
    received: int = 0
    accepted_at: float | None = None
    due_at: float | None = None
    sha256: str | None = None
    media: Media | None = None
    media_fault: FailReason | None = None
    stuck: bool = False
    status: Status
    fail_reason: FailReason | None = None
    timeline: list[tuple[float, str]]
    post_ids: list[int] = []

    @property
    def is_processing(self) -> bool:
        """Whether the outcome is still open."""
        return self.status in ("PROCESSING_UPLOAD", "PROCESSING_DOWNLOAD")

    def enter(self, status: Status, at: float) -> None:
        """Move to `status`, remembering when."""
        self.status = status
        self.timeline.append((at, status))


class Post(Entity):
    """A post on TikTok, visible to those its privacy level names: the ground truth of a publication."""

    post_id: int
    publish_id: str
    media_type: MediaType = "VIDEO"
    kind: Literal["direct", "draft"]
    client_key: str
    username: str
    open_id: str
    title: str
    description: str = ""
    privacy_level: PrivacyLevel
    comments: bool
    duets: bool
    stitches: bool
    branded_content: bool
    own_brand: bool
    ai_generated: bool
    cover_timestamp_ms: int
    auto_add_music: bool = False
    photo_count: int = 0
    photo_cover_index: int | None = None
    photo_sha256: list[str] = []
    sha256: str | None
    size: int
    created_at: float
    publicly_available_at: float | None
    announced: bool = False
    withdrawn_at: float | None = None

    def is_available(self, now: float) -> bool:
        """Whether the post is public, has passed moderation, and was not withdrawn since."""
        moderated = self.publicly_available_at is not None and self.publicly_available_at <= now
        return moderated and self.withdrawn_at is None


class Video(Entity):
    """A public video that the creator has made in TikTok's app. Seconds and pixels, times in Unix seconds."""

    video_id: int
    username: str
    title: str
    duration: int
    width: int
    height: int
    created_at: float
    withdrawn_at: float | None = None

    def is_available(self, now: float) -> bool:
        """Whether the video is there already, and was not withdrawn since."""
        return self.created_at <= now and self.withdrawn_at is None


class Figures(Entity):
    """A video's figures. Those that are None grow by themselves."""

    view_count: Annotated[int, Field(ge=0)] | None = None
    like_count: Annotated[int, Field(ge=0)] | None = None
    comment_count: Annotated[int, Field(ge=0)] | None = None
    share_count: Annotated[int, Field(ge=0)] | None = None


class Attempt(Entity):
    """One sending of an event, by the sandbox's clock and the machine's; `status` is None without an answer."""

    at: float
    real_at: float
    signature: str | None
    status: int | None = None


class Event(Entity):
    """What an app's webhook is told, to the byte. A `replay` and a `forged` one are sent once, with `signature`."""

    number: int
    client_key: str
    origin: Literal["tiktok", "replay", "forged"]
    body: str
    state: Literal["waiting", "held", "lost", "delivered", "dropped"]
    due_at: float
    signature: str | None = None
    attempts: list[Attempt] = []


class World(Entity):
    """The whole state; one JSON file when kept."""

    settings: Settings = Settings()
    clock: Clock = Clock()
    last_id: int = 0
    apps: dict[str, App] = {}
    users: dict[str, User] = {}
    codes: dict[str, Code] = {}
    grants: dict[str, Grant] = {}
    access_tokens: dict[str, AccessToken] = {}
    refresh_tokens: dict[str, RefreshToken] = {}
    publishes: dict[str, Publish] = {}
    posts: list[Post] = []
    videos: dict[str, Video] = {}
    figures: dict[str, Figures] = {}
    events: list[Event] = []
    faults: list[Fault] = []

    def next_id(self) -> int:
        """Make an id of 19 digits: seconds in the high half, as TikTok's ids have them, and never one twice."""
        self.last_id = max(self.last_id, int(self.clock.now()) << 32) + 1
        return self.last_id

    def past_id(self, moment: float) -> int:
        """Make an id for a video of an earlier time; the upper half of the low bits keeps it apart from `next_id`."""
        number = int(moment) << 32 | 1 << 31
        while str(number) in self.videos:
            number += 1
        return number

    def publish_by_upload(self, upload_id: str) -> Publish | None:
        """Find the publish an upload URL belongs to."""
        return next((publish for publish in self.publishes.values() if publish.upload_id == upload_id), None)


def new_world(profile: Literal["24h", "2h"], last_id: int = 0) -> World:
    """Make a world with one audited app and four creators."""
    app = App(client_key="sandbox-client-key", client_secret="sandbox-client-secret")
    users = [
        User(username="emu_creator", nickname="Emu Creator", follower_count=1204),
        User(username="emu_private", nickname="Emu Private", is_private=True),
        User(
            username="emu_quiet",
            nickname="Emu Quiet",
            comment_disabled=True,
            duet_disabled=True,
            stitch_disabled=True,
            max_video_post_duration_sec=180,
        ),
        User(username="emu_banned", nickname="Emu Banned", banned=True),
    ]
    return World(
        settings=Settings(token_profile=profile),
        last_id=last_id,
        apps={app.client_key: app},
        users={user.username: user for user in users},
    )
