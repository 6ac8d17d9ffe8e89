"""Take in an event of TikTok's webhook: it makes us look, and only what is seen then counts."""

import hashlib
from collections.abc import Callable

from publisher.domain.accounts import Removal
from publisher.domain.errors import Busy, InvalidSignature
from publisher.domain.limits import EVENT_AHEAD_SECONDS, EVENT_DAYS, HINT_WRITE_TRIES
from publisher.domain.posts import Hint, hinted
from publisher.domain.webhooks import Event, check_signature, read_event
from publisher.ports import Ports
from publisher.use_cases.follow_hint import may_name_pictures, nameless


def take_event(ports: Ports, body: bytes, signature: str | None) -> None:
    """Note what an event is about, once; one that is about nothing of ours is nothing to do.

    InvalidSignature when it is not TikTok's, or for another app. Busy when other workers were writing all the time:
    then TikTok repeats it. An event is remembered last, so that one whose worker died counts when it comes again.
    """
    now = ports.clock.now()
    try:
        event = _authentic(ports, body, signature, now)
    except InvalidSignature:
        ports.events.note(good=False, now=now)
        raise
    digest = hashlib.sha256(body).hexdigest()
    if ports.events.known(digest):
        return
    if event.about_a_post:
        _hint_at_post(ports, event, now)
    elif event.removed:
        _doubt_account(ports, event, now)
    ports.events.remember(digest, now + EVENT_DAYS * 86400)
    ports.events.note(good=True, now=now)


def _authentic(ports: Ports, body: bytes, signature: str | None, now: float) -> Event:
    app = ports.app_secret.app()
    check_signature(signature, body, app.secrets, now)
    event = read_event(body)
    if event.client_key != app.client_key:
        raise InvalidSignature("The event is for another app.", "The operator checks the stored client_key.")
    return event


def _hint_at_post(ports: Ports, event: Event, now: float) -> None:
    hint, post_id = Hint(at=now, withdrawn=event.withdrawn), ports.posts.of_publish(event.publish_id)
    if post_id is None:
        post_id = _of_unknown_id(ports, event)
        hint = hint.model_copy(update={"publish_id": event.publish_id})

    def write() -> None:
        post = ports.posts.get(post_id) if post_id else None
        # It may have moved on meanwhile: to another upload, or to an id of its own.
        if post is not None and (post.lacks_id if hint.publish_id else post.publish_id == event.publish_id):
            ports.posts.save(hinted(post, hint))

    _until_written(write)


def _doubt_account(ports: Ports, event: Event, now: float) -> None:
    removal = Removal(reason=event.reason, at=min(event.created_at or now, now))

    def write() -> None:
        account = ports.accounts.find_open_id(event.open_id)
        if account is not None and account.connected:
            ports.accounts.save(account.model_copy(update={"removal": removal, "watch_at": now}))

    _until_written(write)


def _until_written(write: Callable[[], None]) -> None:
    """Read and write again when another worker was faster; Busy when that stays so."""
    for _ in range(HINT_WRITE_TRIES - 1):
        try:
            return write()
        except Busy:
            continue
    return write()


def _of_unknown_id(ports: Ports, event: Event) -> str | None:
    """Return the post that an id nobody knows may belong to: pictures that were taken while the answer was lost."""
    account = ports.accounts.find_open_id(event.open_id) if may_name_pictures(event.publish_id) else None
    post = nameless(ports, account.workspace_id, account.account_id) if account else None
    if post is None or post.carousel is None or event.created_at < post.carousel.opened_at - EVENT_AHEAD_SECONDS:
        return None
    return post.post_id
