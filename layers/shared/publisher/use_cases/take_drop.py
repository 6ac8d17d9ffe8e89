"""Make a post of a file that was dropped in S3."""

import json
from contextlib import suppress
from typing import NamedTuple

from publisher.api import DroppedPostRequest, FailureAnswer, read_body
from publisher.domain.accounts import Account
from publisher.domain.drops import Place, following_id, is_media, place_of, version_of
from publisher.domain.errors import (
    Busy,
    InvalidAccountId,
    InvalidRequest,
    MediaRequired,
    PostLimitReached,
    PublisherError,
    TryAgain,
)
from publisher.domain.limits import CHANGE_TRIES, DROP_GRACE_SECONDS, SIDECAR_BYTES
from publisher.domain.posts import Drop, Post, Status, cancel, noted, told
from publisher.domain.rules import is_id
from publisher.ports import DroppedFile, Ports
from publisher.use_cases.cancel_post import let_go
from publisher.use_cases.check_post import check_post
from publisher.use_cases.create_post import set_going, take_in
from publisher.use_cases.end_post import end_post
from publisher.use_cases.tell_result import tell_result

_TOO_LATE = "The post of this name had started before this was put, which makes no second post: use another name."
_AGAIN = (Status.FAILED, Status.CANCELLED)
"""After these the same name may make another post: of the one before certainly nothing was published."""


class Dropped(NamedTuple):
    """All that a post is made of, as it is in the bucket now: media in order, and what is said of it."""

    place: Place
    media: tuple[DroppedFile, ...]
    said: DroppedFile | None

    @property
    def version(self) -> str:
        """Another one when any of it is put again."""
        parts = [*self.media, *([self.said] if self.said else [])]
        return version_of((part.key, part.version) for part in parts)


def take_drop(ports: Ports, key: str, *, seconds_left: float, waited_long: bool = False) -> str | None:
    """Look at what belongs to an object that was put, and make the post if it is complete; return the post's id.

    What lies there now counts, and not what the event was about; so events that come twice, late or in another order
    change nothing. A post that has not started is replaced when its file or what is said of it is put again. One that
    has started stays the only one of this name, unless it failed or was cancelled. Why there is no post is written
    beside the file; that some of it is missing only when it `waited_long`. Safe to repeat; TryAgain when it has to be.
    """
    place = place_of(key)
    if place is None:
        return None
    for _ in range(CHANGE_TRIES):
        dropped = _find(ports, place)
        if dropped is None:
            return None
        try:
            return _take(ports, dropped, seconds_left=seconds_left)
        except MediaRequired as missing:
            if waited_long:
                _tell_refusal(ports, place, missing)
            return None
        except Busy:
            continue
        except PublisherError as error:
            if isinstance(error, TryAgain) and not isinstance(error, PostLimitReached):
                raise  # without a result it is looked at again
            if _find(ports, place) != dropped:
                continue  # what was refused lies there no more
            _tell_refusal(ports, place, error)
            return None
    raise Busy("Other events of this file are being looked at.", "It is looked at again.")


def _find(ports: Ports, place: Place) -> Dropped | None:
    """Return what is there of a file or a folder; None while its file, or its post.json, is missing."""
    main = ports.drops.find(place.key)
    if main is None:
        return None
    if not place.of_folder:
        return Dropped(place, (main,), ports.drops.find(place.sidecar_key))
    there = [file for file in ports.drops.list(place.folder) if is_media(file.key)]
    return Dropped(place, tuple(there), main)


def _take(ports: Ports, dropped: Dropped, *, seconds_left: float) -> str:
    account = _account(ports, dropped.place)
    said = _read(ports, dropped.said)
    if dropped.place.of_folder:
        dropped = dropped._replace(media=_chosen(dropped, said))
    post_id, latest = _latest(ports, dropped.place)
    if latest is not None and latest.drop is not None and latest.drop.version == dropped.version:
        return _as_before(ports, latest)
    if latest is not None and not (latest.waits or latest.status in _AGAIN):
        _note(ports, latest, _TOO_LATE)
        return latest.post_id
    post = _made(ports, dropped, account, said, seconds_left=seconds_left)
    if latest is not None and latest.waits:
        _replace(ports, latest)
    take_in(ports, post.model_copy(update={"post_id": post_id}))
    stored = ports.posts.get(post_id)
    if stored is None or stored.drop is None or stored.drop.version != dropped.version:
        raise Busy("Another event of this file was first.", "It is looked at again.")
    return _as_before(ports, stored)


def _account(ports: Ports, place: Place) -> Account:
    account = ports.accounts.get(place.account_id) if is_id(place.account_id) else None
    if account is None:
        raise InvalidAccountId(
            "The folder's name is not the id of a connected TikTok account.",
            "Put the file under autopublish/{account_id}/; GET /api/accounts lists the ids.",
        )
    return account


def _read(ports: Ports, said: DroppedFile | None) -> DroppedPostRequest:
    if said is None:
        return DroppedPostRequest()
    name = said.key.rpartition("/")[2]
    if said.size > SIDECAR_BYTES:
        raise InvalidRequest(f"{name} is larger than {SIDECAR_BYTES // 1024} KiB.", "Put what the post says there.")
    try:
        body = json.loads(ports.drops.read(said))
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidRequest(f"{name} is not valid JSON.", "Write a JSON object encoded as UTF-8.") from None
    if not isinstance(body, dict):
        raise InvalidRequest(f"{name} is not a JSON object.", 'Write {"text": "…", "privacyLevel": "…"}.')
    return read_body(DroppedPostRequest, body, "*Drop a file in S3*")


def _chosen(dropped: Dropped, said: DroppedPostRequest) -> tuple[DroppedFile, ...]:
    """Return a folder's media in order; MediaRequired while some of it is missing."""
    if said.files is None:
        if not dropped.media:
            raise MediaRequired("The folder has no files beside its post.json.", "Put them there.", field="files")
        return dropped.media
    if any("/" in name or not name for name in said.files):
        raise InvalidRequest("files names a file outside of the folder.", "Name files of the folder.", field="files")
    there = {file.key: file for file in dropped.media}
    missing = [name for name in said.files if f"{dropped.place.folder}{name}" not in there]
    if missing:
        raise MediaRequired(
            f"The post waits for files that are not in the folder: {', '.join(missing)[:500]}.",
            "Put them there, or put another post.json.",
            field="files",
        )
    return tuple(there[f"{dropped.place.folder}{name}"] for name in said.files)


def _latest(ports: Ports, place: Place) -> tuple[str, Post | None]:
    """Return the id for a new post of this name, and the latest post that there is."""
    post_id, latest = place.first_id, None
    while (post := ports.posts.get(post_id)) is not None:
        post_id, latest = following_id(post_id), post
    return post_id, latest


def _replace(ports: Ports, post: Post) -> None:
    """End a post that has not started, because another one is made of what lies there now."""
    now = ports.clock.now()
    # Told at once, so that the result of what replaces it is not written over.
    end_post(ports, told(cancel(post, now), Status.CANCELLED, now))
    let_go(ports, post)


def _made(ports: Ports, dropped: Dropped, account: Account, said: DroppedPostRequest, *, seconds_left: float) -> Post:
    """Check the post; one that nothing is said of, or whose files nobody counted, leaves time for more to come."""
    place = dropped.place
    request = said.request(account.account_id, [ports.drops.url(file) for file in dropped.media])
    post = check_post(ports, account.workspace_id, request, seconds_left=seconds_left, dropped=True)
    drop = Drop(key=place.key, version=dropped.version, result_key=place.result_key)
    post = post.model_copy(update={"patient": True, "drop": drop})
    complete = said.files is not None if place.of_folder else dropped.said is not None
    if complete or post.status is Status.SCHEDULED:
        return post
    at = ports.clock.now() + DROP_GRACE_SECONDS
    return post.model_copy(update={"status": Status.SCHEDULED, "scheduled_at": at, "watch_at": at})


def _as_before(ports: Ports, post: Post) -> str:
    """Do again what may be missing of a post that is stored: whoever stored it may have died then."""
    if post.waits or post.status is Status.QUEUED:
        set_going(ports, post)
    if post.untold:
        with suppress(Busy):  # it is being moved, and its end is told in any case
            tell_result(ports, post)
    return post.post_id


def _note(ports: Ports, post: Post, note: str) -> None:
    """Say something beside the file besides what becomes of its post, now and when the post ends."""
    if post.drop is not None and post.drop.note != note:
        post = ports.posts.save(noted(post, note, ports.clock.now()))
    if post.untold:
        tell_result(ports, post)


def _tell_refusal(ports: Ports, place: Place, error: PublisherError) -> None:
    """Say beside the file why there is no post, or, when there is one, why it stays as it was."""
    _, latest = _latest(ports, place)
    if latest is not None and latest.status not in _AGAIN:
        _note(ports, latest, f"What was put last cannot be used, so the post stays as it was. {error.error}")
        return
    refused = FailureAnswer.of(error.failure(), problems=getattr(error, "problems", ()))
    text = refused.model_dump_json(by_alias=True, exclude_none=True, indent=2)
    ports.drops.write(place.result_key, text + "\n")
