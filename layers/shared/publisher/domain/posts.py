"""A post and its ledger: pure transitions that decide what may happen next.

The guarantee rests here. An upload may be opened again until the last byte was offered to TikTok, because an upload
whose URL nobody holds publishes nothing. A carousel may be opened again only once the address of the one before is
fenced, because TikTok pulls the pictures by itself. From then on only TikTok's status decides, and nothing is opened.
Each transition returns a new post; storing it is conditional on the version it was made from, so of two workers that
start from the same version one wins and the other reads again.
"""

import math
import zlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from publisher.domain.chunks import ChunkPlan
from publisher.domain.errors import Busy, Failure, NotTaken
from publisher.domain.limits import (
    DRAFT_SECONDS,
    HELD_COPY_SECONDS,
    HOLD_LOOK_SECONDS,
    HOLD_SECONDS,
    POLL_SECONDS,
    POST_ID_SECONDS,
    PUBLISH_ATTEMPTS,
    REVIEW_SECONDS,
    STALLED_SECONDS,
    START_SECONDS,
    UPLOAD_LEASE_SECONDS,
    UPLOAD_URL_SECONDS,
)
from publisher.domain.media import VideoFacts, advice

WATCH_SHARDS = 8
"""Index partitions over which the posts to look after are spread."""


class Status(StrEnum):
    """Where a post stands, in the words of the API."""

    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    PROCESSING_DOWNLOAD = "PROCESSING_DOWNLOAD"
    PROCESSING_UPLOAD = "PROCESSING_UPLOAD"
    PUBLISH_COMPLETE = "PUBLISH_COMPLETE"
    SEND_TO_USER_INBOX = "SEND_TO_USER_INBOX"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    REVIEW = "REVIEW"


PUBLISHED = frozenset({Status.PUBLISH_COMPLETE, Status.SEND_TO_USER_INBOX})
OUTCOMES = PUBLISHED | {Status.FAILED}
"""What TikTok can say in the end."""
TERMINAL = OUTCOMES | {Status.REVIEW, Status.CANCELLED}

PostType = Literal["video", "photo"]
Privacy = Literal["PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"]
DEFAULT_OF_PHOTOS: Privacy = "PUBLIC_TO_EVERYONE"
"""Who may watch a photo post whose caller chose nobody: the documented API's first example."""


class Frozen(BaseModel):
    """A value that never changes; a change makes a new one."""

    model_config = ConfigDict(frozen=True)


class PostOptions(Frozen):
    """The caller's choices, in TikTok's sense: what is not allowed is off.

    `privacy_level` is None for drafts, and until a lone media URL has shown that it holds a photo, which has a default.
    """

    privacy_level: Privacy | None = None
    allow_comment: bool = False
    allow_duet: bool = False
    allow_stitch: bool = False
    brand_content: bool = False
    brand_organic: bool = False
    draft: bool = False
    is_ai_generated: bool = False
    video_cover_timestamp_ms: int | None = None
    photo_cover_index: int | None = None
    photo_title: str = ""
    auto_add_music: bool = False


class Media(Frozen):
    """The one copy of the post's media in the bucket; `etag` fixes its bytes."""

    key: str
    etag: str
    size: int
    content_type: str
    facts: VideoFacts


class Pictures(Frozen):
    """The post's pictures in the bucket, numbered from 1 as the caller ordered them. `size` is of all, in bytes.

    First as they were fetched, then `converted` to JPEGs that TikTok takes.
    """

    folder: str
    count: int
    size: int
    converted: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The pictures' keys in the bucket, in order."""
        return tuple(f"{self.folder}/{number}{self.ending}" for number in range(1, self.count + 1))

    @property
    def ending(self) -> str:
        """What a picture's name ends with."""
        return ".jpg" if self.converted else ""


class Carousel(Frozen):
    """One init of a photo post. Its pictures stand at addresses of their own, under `prefix`, which only TikTok knows.

    `publish_id` is None until TikTok's answer is recorded.
    """

    prefix: str
    opened_at: float
    publish_id: str | None = None


class Upload(Frozen):
    """An upload open at TikTok. `sealed_url` is encrypted, because the URL alone allows to upload."""

    publish_id: str
    sealed_url: str
    plan: ChunkPlan
    opened_at: float


class Lease(Frozen):
    """One worker's right to send chunks, until an epoch second."""

    owner: str
    until: float


class Hint(Frozen):
    """TikTok's event, taken in at an epoch second, that something happened to a post; what, only its status tells.

    `withdrawn` when the event said that the post is no longer public. `publish_id` when it may name pictures whose own
    id is not known.
    """

    at: float
    withdrawn: bool = False
    publish_id: str | None = None

    @property
    def due_at(self) -> float:
        """When to follow it: at once, but for a name, which may be that of a post whose id is just being written."""
        return self.at if self.publish_id is None else self.at + STALLED_SECONDS


class Drop(Frozen):
    """The file in the drop bucket that the post is made of, and its version; and where its result is written.

    `told` is the status that is written there, and `note` what else its owner should know.
    """

    key: str
    version: str
    result_key: str
    told: Status | None = None
    note: str | None = None


class Moment(Frozen):
    """A line of the timeline: which step began, at an epoch second."""

    step: str
    at: float


class Post(Frozen):
    """A post and its ledger. Times are epoch seconds, sizes bytes, ids of TikTok strings.

    Nobody waits for the outcome of a `patient` post, so it may wait itself: from `held_since` on, `holds` times in all.
    In its account's line it stands under its `ticket`, which a repeated request brings again, or else its id.
    One that `queues` waits for its turn, `not_before`, and has been standing in its account's line since `queued_at`.
    `noticed` is the outcome that the workspace's endpoints were told last.
    """

    post_id: str
    workspace_id: str
    account_id: str
    created_at: float
    updated_at: float
    post_type: PostType = "video"
    text: str = ""
    media_urls: tuple[str, ...]
    options: PostOptions
    warnings: tuple[str, ...] = ()
    creator_username: str = ""
    privacy_options: tuple[str, ...] = ()
    longest_seconds: int
    patient: bool = False
    queues: bool = False
    ticket: str | None = None
    scheduled_at: float | None = None
    drop: Drop | None = None

    status: Status = Status.QUEUED
    revision: int = 0
    held_since: float | None = None
    not_before: float | None = None
    queued_at: float | None = None
    holds: int = 0
    attempt: int = 0
    opened: int = 0
    announced_bytes: int | None = None
    downloaded_bytes: int = 0
    media: Media | None = None
    pictures: Pictures | None = None
    upload: Upload | None = None
    carousel: Carousel | None = None
    next_byte: int = 0
    last_offered_at: float | None = None
    lease: Lease | None = None
    polls: int = 0
    confirmed: Status | None = None
    post_ids: tuple[str, ...] = ()
    no_longer_public_at: float | None = None
    hint: Hint | None = None
    failure: Failure | None = None
    noticed: Status | None = None
    timeline: tuple[Moment, ...] = ()
    watch_at: float | None = None
    version: int = 0

    @property
    def terminal(self) -> bool:
        """True when nothing moves the post any more."""
        return self.status in TERMINAL

    @property
    def watch_shard(self) -> str:
        """The partition of the watch index that this post is in."""
        return str(zlib.crc32(self.post_id.encode()) % WATCH_SHARDS)

    @property
    def last_offered(self) -> bool:
        """True from the point of no return: just before the last byte is sent, or when TikTok took the pictures."""
        return self.last_offered_at is not None

    @property
    def owner(self) -> str:
        """What the post is called in its account's line and windows."""
        return self.ticket or self.post_id

    @property
    def untouched(self) -> bool:
        """True while TikTok certainly has nothing of the post that could be published."""
        return not (self.terminal or self.last_offered or self.in_doubt)

    @property
    def may_be_held(self) -> bool:
        """True while the post can wait: TikTok certainly has nothing of it, and neither has a caller who waits."""
        return self.patient and self.untouched

    @property
    def planned_at(self) -> float | None:
        """When a schedule is to start it: at its time, or when its turn may have come; None for all others."""
        return self.scheduled_at if self.status is Status.SCHEDULED else self.not_before

    @property
    def waits(self) -> bool:
        """True while nothing moves the post because its time, its turn or its creator has not come."""
        return self.status is Status.SCHEDULED or self.held_since is not None

    @property
    def held_until(self) -> float | None:
        """When a post that waits for its creator fails; None for every other."""
        waits_for_turn = self.held_since is None or self.not_before is not None
        return None if waits_for_turn else (self.held_since or 0.0) + HOLD_SECONDS

    @property
    def untold(self) -> bool:
        """True while the status of a dropped file's post is not written beside it."""
        return self.drop is not None and self.drop.told is not self.status

    @property
    def unnoticed(self) -> bool:
        """True while the outcome is not told to the workspace's endpoints."""
        return self.terminal and self.noticed is not self.status

    @property
    def continuations(self) -> int:
        """How often the post was continued because its execution died."""
        return self.revision - self.holds

    @property
    def in_doubt(self) -> bool:
        """True while TikTok may have taken pictures of an init whose answer is not recorded."""
        return self.carousel is not None and self.carousel.publish_id is None and not self.last_offered

    @property
    def publish_id(self) -> str | None:
        """TikTok's id of what was opened last."""
        opened = self.upload or self.carousel
        return opened.publish_id if opened else None

    @property
    def kept_keys(self) -> tuple[str, ...]:
        """Keys of all the post has in the bucket."""
        return (*((self.media.key,) if self.media else ()), *(self.pictures.keys if self.pictures else ()))

    @property
    def all_sent(self) -> bool:
        """True when TikTok has acknowledged every byte."""
        return self.media is not None and self.next_byte >= self.media.size

    @property
    def public_url(self) -> str | None:
        """Where everybody can watch the post, once TikTok has told its id and while it does."""
        if not self.post_ids or not self.creator_username or self.no_longer_public_at is not None:
            return None
        return f"https://www.tiktok.com/@{self.creator_username}/{self.post_type}/{self.post_ids[0]}"

    @property
    def lacks_id(self) -> bool:
        """True while pictures are offered, and perhaps taken, under an id of TikTok's that is not known."""
        return self.carousel is not None and self.carousel.publish_id is None

    @property
    def open_question(self) -> bool:
        """True for an ended post that TikTok may say more about: its public id, its outcome, a draft's publication."""
        if self.publish_id is None:
            return False
        if self.status is Status.PUBLISH_COMPLETE:
            # Who may watch a draft is the creator's choice, which nobody tells.
            may_be_public = self.options.draft or self.options.privacy_level == "PUBLIC_TO_EVERYONE"
            return may_be_public and not self.post_ids
        return self.status in (Status.REVIEW, Status.SEND_TO_USER_INBOX)


def _change(post: Post, now: float, **changes: object) -> Post:
    planned = {"updated_at": now, "watch_at": None if post.terminal else now + STALLED_SECONDS}
    planned |= {"held_since": None, "not_before": None}
    return _with_hint(post.model_copy(update={**planned, **changes}))


def _with_hint(post: Post) -> Post:
    """Plan the next look no later than the hint wants it."""
    if post.hint is None:
        return post
    return post.model_copy(update={"watch_at": min(post.hint.due_at, post.watch_at or math.inf)})


def enter(post: Post, step: str, now: float, **changes: object) -> Post:
    """Note in the timeline that a step begins; a step entered again keeps its first time."""
    if post.timeline and post.timeline[-1].step == step and not changes:
        return post
    if post.timeline and post.timeline[-1].step == step:
        return _change(post, now, **changes)
    return _change(post, now, timeline=(*post.timeline, Moment(step=step, at=now)), **changes)


def begin_download(post: Post, now: float) -> Post:
    """Begin to fetch the media."""
    return enter(post, "DownloadMedia", now, status=Status.PROCESSING_DOWNLOAD)


def downloading(post: Post, downloaded_bytes: int, announced_bytes: int | None, now: float) -> Post:
    """Note how far the download has come, and how long the media server said it is."""
    return _change(post, now, downloaded_bytes=downloaded_bytes, announced_bytes=announced_bytes)


def downloaded(post: Post, media: Media, warnings: Sequence[str], now: float) -> Post:
    """Record the one copy of the media that everything after works on."""
    _check_nothing_recorded(post)
    told = _told(post, (*warnings, *advice(media.facts)))
    return _change(post, now, post_type="video", media=media, downloaded_bytes=media.size, warnings=told)


def pictures_downloaded(post: Post, pictures: Pictures, warnings: Sequence[str], now: float) -> Post:
    """Record the one copy of the pictures. A photo post without a choice of who may watch it is public."""
    _check_nothing_recorded(post)
    options = post.options
    if options.privacy_level is None and not options.draft:
        options = options.model_copy(update={"privacy_level": DEFAULT_OF_PHOTOS})
    return _change(
        post,
        now,
        post_type="photo",
        options=options,
        pictures=pictures,
        downloaded_bytes=pictures.size,
        warnings=_told(post, warnings),
    )


def _told(post: Post, warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the post's warnings with further ones, each once: media that is fetched again has the same to tell."""
    return tuple(dict.fromkeys((*post.warnings, *warnings)))


def _check_nothing_recorded(post: Post) -> None:
    if post.media is not None or post.pictures is not None:
        raise Busy("Another worker has recorded the media.", "Nothing to do: the post goes on with that copy.")


def begin_conversion(post: Post, now: float) -> Post:
    """Begin to make JPEGs of the pictures."""
    return enter(post, "ConvertPhotos", now)


def converted(post: Post, pictures: Pictures, warnings: Sequence[str], now: float) -> Post:
    """Record the JPEGs that TikTok is to pull."""
    if post.pictures is None or post.pictures.converted:
        raise Busy("Another worker has converted the pictures.", "Nothing to do: the post goes on with those.")
    return _change(post, now, pictures=pictures, warnings=_told(post, warnings))


def interactions_settled(post: Post, options: PostOptions, warnings: Sequence[str], now: float) -> Post:
    """Record options without what the creator has switched off."""
    return _change(post, now, options=options, warnings=_told(post, warnings))


def begin_attempt(post: Post, now: float) -> Post:
    """Begin to open an upload; whatever an earlier attempt opened is dropped unused.

    NotTaken when too many were opened; AssertionError after the point of no return, because no caller may come
    here then.
    """
    return _attempt(post, now, upload=None, next_byte=0, lease=None)


def begin_carousel(post: Post, prefix: str, now: float) -> Post:
    """Begin to offer the pictures under a new address; fails as for an upload, and while an earlier one is in doubt."""
    if post.in_doubt:
        raise AssertionError("TikTok may have taken the pictures, so they may not be offered again")
    return _attempt(post, now, carousel=Carousel(prefix=prefix, opened_at=now))


def _attempt(post: Post, now: float, **changes: object) -> Post:
    if post.last_offered:
        raise AssertionError("TikTok may have the whole post, so nothing else may be opened")
    if post.opened >= PUBLISH_ATTEMPTS:
        raise NotTaken(
            f"TikTok did not take the post in {PUBLISH_ATTEMPTS} attempts.",
            "Nothing was published. Send the post again later.",
        )
    status = {"status": Status.PROCESSING_UPLOAD, "attempt": post.attempt + 1, "opened": post.opened + 1}
    return enter(post, "InitializePost", now, **status, **changes)


def attempt_refused(post: Post, now: float) -> Post:
    """Take an attempt back that certainly opened nothing, so that it does not count."""
    return _change(post, now, opened=post.opened - 1, carousel=None)


def carousel_taken(post: Post, publish_id: str | None, now: float) -> Post:
    """Cross the point of no return: TikTok took the pictures, under an id that None says is not known.

    An id that comes when the post has ended as unclear is asked about from then on.
    """
    if post.carousel is None:
        raise AssertionError("no carousel was opened")
    carousel = post.carousel.model_copy(update={"publish_id": publish_id or post.carousel.publish_id})
    taken = offer_last(_change(post, now, carousel=carousel, queued_at=None), now)
    return _ended(taken, now) if taken.terminal else taken


def carousel_fenced(post: Post, now: float) -> Post:
    """Forget an init that can never publish anything, because its address was closed unused; its attempt counts."""
    return _change(post, now, carousel=None)


def upload_opened(post: Post, upload: Upload, now: float) -> Post:
    """Record the upload of the running attempt, before its first byte is sent."""
    return _change(post, now, upload=upload, queued_at=None)


def take_lease(post: Post, owner: str, now: float) -> Post:
    """Take or renew the right to send chunks; Busy while another worker holds it."""
    if post.lease and post.lease.owner != owner and post.lease.until > now:
        raise Busy("Another worker is uploading this post.", "Nothing to do: it goes on by itself.")
    return enter(post, "UploadChunks", now, lease=Lease(owner=owner, until=now + UPLOAD_LEASE_SECONDS))


def offer_last(post: Post, now: float) -> Post:
    """Cross the point of no return: after this no other upload is opened."""
    return _change(post, now, last_offered_at=post.last_offered_at or now)


def acknowledged(post: Post, next_byte: int, now: float) -> Post:
    """Record how many bytes TikTok has, and keep the lease for the next chunk.

    Should TikTok say that it has all of them before the last was sent, that too is the point of no return.
    """
    lease = post.lease and Lease(owner=post.lease.owner, until=now + UPLOAD_LEASE_SECONDS)
    post = _change(post, now, next_byte=next_byte, lease=lease)
    return offer_last(post, now) if post.all_sent else post


def release(post: Post, now: float) -> Post:
    """Give the lease back."""
    return _change(post, now, lease=None)


def upload_closed(post: Post, now: float) -> Post:
    """Forget an upload that TikTok takes no more bytes for, so that another is opened; its attempt counts."""
    return _change(post, now, upload=None)


def upload_expired(post: Post, now: float) -> bool:
    """Tell whether the upload URL has outlived TikTok's limit."""
    return post.upload is not None and now >= post.upload.opened_at + UPLOAD_URL_SECONDS


def polled(post: Post, now: float) -> Post:
    """Count a status check that had no outcome."""
    return enter(
        post, "CheckStatus", now, polls=post.polls + 1, watch_at=now + poll_wait(post.polls + 1) + STALLED_SECONDS
    )


def poll_wait(polls: int) -> int:
    """Seconds to wait before the next status check when `polls` of them had no outcome."""
    return int(POLL_SECONDS[min(polls, len(POLL_SECONDS) - 1)])


def next_poll(post: Post, now: float) -> int:
    """Seconds until the next status check: no later than the moment when the outcome counts as unclear."""
    wait = poll_wait(post.polls)
    if post.last_offered_at is None:
        return wait
    return min(wait, max(1, math.ceil(post.last_offered_at + REVIEW_SECONDS - now)))


def unclear(post: Post, now: float) -> bool:
    """Tell whether TikTok has been silent for so long that a person should look."""
    return post.last_offered_at is not None and now >= post.last_offered_at + REVIEW_SECONDS


def confirm(post: Post, outcome: Status, post_ids: tuple[str, ...], failure: Failure | None, now: float) -> Post:
    """Keep what TikTok said, before it becomes the outcome; it answers a hint."""
    return _change(post, now, confirmed=outcome, post_ids=post_ids or post.post_ids, failure=failure, hint=None)


def finish(post: Post, status: Status, now: float, failure: Failure | None = None) -> Post:
    """Write the outcome; a post that has one keeps it."""
    if post.terminal:
        return post
    step = "RecordPublished" if status in PUBLISHED else "RecordFailure"
    return _ended(enter(post, step, now, status=status, failure=failure, lease=None), now)


def learned(post: Post, status: str, post_ids: tuple[str, ...], failure: Failure | None, now: float) -> Post:
    """Replace what is known of an ended post by what TikTok says of it now."""
    told = {"status": Status(status), "failure": failure, "post_ids": post_ids or post.post_ids}
    return _ended(enter(post, "CheckStatus", now, **told, hint=None), now)


def _ended(post: Post, now: float) -> Post:
    """Plan the first look at an ended post that TikTok may still say more about, or that somebody has to be told of."""
    look = now if post.untold or post.unnoticed else now + POLL_SECONDS[0] if post.open_question else None
    return _with_hint(post.model_copy(update={"watch_at": look}))


def look_again(post: Post, now: float) -> Post:
    """Plan the next look at an ended post: later each time, for a day at most; at a draft twice a day, for a week.

    A hint that TikTok has not answered yet is followed as long as a public id is, counted from the hint.
    """
    looks = []
    if post.open_question:
        draft = post.status is Status.SEND_TO_USER_INBOX
        longest = DRAFT_SECONDS if draft else POST_ID_SECONDS
        looks.append(_next_look(post.updated_at, now, longest, POST_ID_SECONDS / 2 if draft else math.inf))
    if post.hint is not None:
        looks.append(_next_look(post.hint.due_at, now, POST_ID_SECONDS, math.inf))
    if post.unnoticed:
        looks.append(now + STALLED_SECONDS)
    planned = min(looks, default=math.inf)
    return post.model_copy(update={"watch_at": None if planned == math.inf else planned})


def _next_look(since: float, now: float, longest: float, longest_wait: float) -> float:
    """Return when to look next at what began at `since`, or infinity when that is over."""
    following = now + min(max(float(POLL_SECONDS[-2]), now - since), longest_wait)
    return math.inf if following > since + longest else following


def found_post_ids(post: Post, post_ids: tuple[str, ...]) -> Post:
    """Record public ids that TikTok tells after the outcome: the post is public, perhaps again."""
    found = {"post_ids": post_ids, "no_longer_public_at": None, "hint": None}
    return post.model_copy(update={**found, "watch_at": post.watch_at if post.unnoticed else None})


def hinted(post: Post, hint: Hint) -> Post:
    """Have the post looked at because of an event of TikTok's; nothing else of it changes.

    An event that said more than this one and was not followed yet is not forgotten.
    """
    earlier = post.hint
    if earlier is not None and earlier.withdrawn:
        hint = hint.model_copy(update={"withdrawn": True})
    return _with_hint(post.model_copy(update={"hint": hint}))


def hint_followed(post: Post, now: float) -> Post:
    """Drop a hint that TikTok's status has answered without anything new, and look on as if it had not come."""
    post = post.model_copy(update={"hint": None})
    return look_again(post, now) if post.terminal else post.model_copy(update={"watch_at": now + STALLED_SECONDS})


def withdrawn(post: Post, now: float) -> Post:
    """Record that a public post is public no more; its ids stay, should it become so again."""
    since = post.no_longer_public_at or now
    return hint_followed(post.model_copy(update={"no_longer_public_at": since}), now)


def look_later(post: Post, now: float) -> Post:
    """Plan the next look at a post whose execution moves it."""
    return _with_hint(post.model_copy(update={"watch_at": now + STALLED_SECONDS}))


def hold(post: Post, now: float) -> Post:
    """Have a post wait for its creator to connect the account again; AssertionError when it may not wait."""
    if not post.may_be_held:
        raise AssertionError("this post may not wait")
    held = {"status": Status.QUEUED, "held_since": now, "holds": post.holds + 1, "upload": None, "lease": None}
    return enter(post, "Held", now, **held, watch_at=now + HOLD_LOOK_SECONDS)


def hold_on(post: Post, now: float) -> Post:
    """Plan the next look at a post that waits."""
    return post.model_copy(update={"watch_at": min(now + HOLD_LOOK_SECONDS, post.held_until or now)})


def begin(post: Post, now: float) -> Post:
    """Let a scheduled post's time come; AssertionError for any other, so that it begins once."""
    if post.status is not Status.SCHEDULED:
        raise AssertionError("only a scheduled post begins")
    return enter(post, "Due", now, status=Status.QUEUED, watch_at=now + START_SECONDS)


def wait_for_turn(post: Post, turn: float, now: float) -> Post:
    """Have a post wait until its account's limits let it go; AssertionError when it may not wait."""
    if not post.untouched:
        raise AssertionError("this post may not wait")
    held = {"status": Status.QUEUED, "held_since": now, "holds": post.holds + 1, "upload": None, "lease": None}
    turns = {"not_before": turn, "queued_at": post.queued_at or now}
    return enter(post, "Queued", now, **held, **turns, watch_at=turn)


def edited(post: Post, checked: Post, now: float) -> Post:
    """Take over what a freshly checked post says; AssertionError once the post has started."""
    if not post.waits:
        raise AssertionError("the post has started")
    names = ("text", "options", "warnings", "creator_username", "privacy_options", "longest_seconds", "scheduled_at")
    watch_at = checked.scheduled_at if post.status is Status.SCHEDULED else post.watch_at
    changes = {name: getattr(checked, name) for name in names}
    return post.model_copy(update={**changes, "updated_at": now, "watch_at": watch_at})


def cancel(post: Post, now: float) -> Post:
    """End a post that TikTok certainly has nothing of; AssertionError for any other."""
    if not post.untouched:
        raise AssertionError("TikTok may have the post")
    return _ended(enter(post, "Cancelled", now, status=Status.CANCELLED, lease=None), now)


def retried(post: Post, now: float) -> Post:
    """Begin again a post of which certainly nothing was published; it keeps its id, and fetches its media again."""
    if post.status is not Status.FAILED:
        raise AssertionError("only a failed post is tried again")
    again: dict[str, object] = {
        name: Post.model_fields[name].default
        for name in (
            *("media", "pictures", "upload", "carousel", "next_byte", "last_offered_at", "lease", "polls", "opened"),
            *("confirmed", "post_ids", "no_longer_public_at", "hint", "failure", "downloaded_bytes", "announced_bytes"),
            "noticed",
        )
    }
    revision = post.revision + 1
    # As many holds as revisions: continuations are counted anew.
    again |= {"status": Status.QUEUED, "revision": revision, "holds": revision, "queued_at": None}
    return enter(post, "Retried", now, **again, watch_at=now + START_SECONDS)


def answered(post: Post, *, published: bool, failure: Failure | None, now: float) -> Post:
    """End the question about an unclear post as the person who looked at the account says."""
    if post.status is not Status.REVIEW:
        raise AssertionError("only an unclear post is asked about")
    there = Status.SEND_TO_USER_INBOX if post.options.draft else Status.PUBLISH_COMPLETE
    status = there if published else Status.FAILED
    return _ended(enter(post, "Answered", now, status=status, failure=failure, confirmed=status), now)


def told(post: Post, status: Status, now: float) -> Post:
    """Record that a post's status is written beside its dropped file."""
    if post.drop is None:
        raise AssertionError("the post was not dropped")
    post = post.model_copy(update={"drop": post.drop.model_copy(update={"told": status})})
    return _ended(post, now) if post.terminal else post


def noted(post: Post, note: str, now: float) -> Post:
    """Have something told beside a dropped file besides its post's status, now and when the post ends."""
    if post.drop is None:
        raise AssertionError("the post was not dropped")
    post = post.model_copy(update={"drop": post.drop.model_copy(update={"note": note, "told": None})})
    return _ended(post, now) if post.terminal else post


def redriven(post: Post, now: float) -> Post:
    """Begin another execution of a post that nothing moves; one that waited for long fetches its media again."""
    copy = {}
    fetched_at = max((moment.at for moment in post.timeline if moment.step == "DownloadMedia"), default=now)
    if post.held_since is not None and now >= fetched_at + HELD_COPY_SECONDS:
        copy = {"media": None, "pictures": None, "downloaded_bytes": 0, "announced_bytes": None}
    return _change(post, now, revision=post.revision + 1, lease=None, **copy)


def execution_name(post: Post) -> str:
    """Name of the execution that moves this post; one per post and revision."""
    return f"{post.post_id}-{post.revision}"


def notified(post: Post, now: float) -> Post:
    """Record that the outcome is told to the workspace's endpoints, or that there is none to tell.

    A look that is planned at what TikTok may still say stays planned.
    """
    if not post.terminal:
        raise AssertionError("the post has no outcome")
    post = post.model_copy(update={"noticed": post.status})
    is_planned = post.watch_at is not None and post.watch_at > now
    return post if is_planned and (post.open_question or post.hint) else _ended(post, now)
