"""Take a post in: check everything, store it once, start it, and wait for its outcome if the caller does."""

import hashlib
import json
from contextlib import suppress

from publisher.api import read_create_post
from publisher.domain.accounts import Creator
from publisher.domain.errors import (
    IdempotencyKeyReused,
    InvalidRequest,
    RequestInFlight,
    TryAgain,
)
from publisher.domain.limits import IDEMPOTENCY_KEY_CHARACTERS, IN_FLIGHT_SECONDS
from publisher.domain.posts import Post, Status, wait_for_turn
from publisher.ports import IdempotentRequest, Ports, Value
from publisher.use_cases.check_post import check_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.take_turn import leave_line, stand_in_line


class Accepted(Value):
    """The post, and the stored answer when this request was answered before."""

    post: Post
    request: IdempotentRequest | None
    replay: str | None = None


def create_post(
    ports: Ports,
    workspace_id: str,
    body: object,
    *,
    idempotency_key: str | None,
    seconds_left: float,
    patient: bool = False,
) -> Accepted:
    """Accept a post and start it; `patient` tells that the caller does not wait for its outcome.

    InvalidPost with all problems at once; nothing is stored then. With an Idempotency-Key that is known the post of
    the first request is returned; IdempotencyKeyReused when the body differs, RequestInFlight while the first request
    is still being answered.
    """
    key = checked_key(idempotency_key)
    return accept_post(ports, workspace_id, body, key=key, seconds_left=seconds_left, patient=patient)


def accept_post(
    ports: Ports,
    workspace_id: str,
    body: object,
    *,
    key: str | None,
    seconds_left: float,
    patient: bool,
    creators: dict[str, Creator] | None = None,
) -> Accepted:
    """Accept a post as `create_post` does, under a key of any form; `creators` are those asked about just now."""
    body_hash = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if key is not None:
        known = ports.posts.request(workspace_id, key)
        if known is not None:
            return _again(ports, known, body_hash)
    read, problems = read_create_post(body)
    try:
        post = check_post(ports, workspace_id, read, problems, seconds_left=seconds_left, creators=creators)
    except TryAgain:
        # Of many that bring one key the first may be taken in while the others use up what TikTok answers a minute.
        known = None if key is None else ports.posts.request(workspace_id, key)
        if known is None:
            raise
        return _again(ports, known, body_hash)
    ticket = None if key is None else hashlib.sha256(f"{workspace_id}\n{key}\n{body_hash}".encode()).hexdigest()[:32]
    post = post.model_copy(update={"patient": patient or post.patient, "ticket": ticket})
    request = key and IdempotentRequest(
        workspace_id=workspace_id,
        key=key,
        body_hash=body_hash,
        post_id=post.post_id,
        in_flight_until=ports.clock.now() + IN_FLIGHT_SECONDS,
    )
    taken = take_in(ports, post, request or None)
    if taken is None:
        known = ports.posts.request(workspace_id, key or "")
        if known is None:
            raise RequestInFlight("The same request is being answered.", "Try again in a second.", retry_after=1)
        return _again(ports, known, body_hash)
    return Accepted(post=taken, request=request or None)


def take_in(ports: Ports, post: Post, request: IdempotentRequest | None = None) -> Post | None:
    """Give a checked post its place in the account's line, store it and set it going; None when its request is known.

    PostLimitReached when it would have to wait and may not. A scheduled post stands in line when its time has come.
    """
    if post.status is Status.QUEUED:
        line = stand_in_line(ports, post)
        if line.waits:
            post = wait_for_turn(post, line.turn_at, ports.clock.now())
    try:
        stored = ports.posts.accept(post, request)
    except TryAgain:
        if post.ticket is None and post.status is Status.QUEUED:  # with a ticket, the same request takes its place up
            with suppress(TryAgain):
                leave_line(ports, post)
        raise
    if not stored:
        return None
    set_going(ports, post)
    return post


def set_going(ports: Ports, post: Post) -> None:
    """Start a stored post, or plan its start; when that fails for now the sweep makes up for it, as nothing is lost."""
    planned = post.planned_at
    if planned is None:
        start(ports, post)
        return
    with suppress(TryAgain):
        ports.schedules.put(post.post_id, planned)


def start(ports: Ports, post: Post) -> None:
    """Start the post's execution; when that fails for now the sweeper does it within minutes, as nothing is lost."""
    try:
        ports.executions.start(post)
    except TryAgain:
        return


def wait_for_outcome(ports: Ports, post: Post, *, seconds: float) -> Post:
    """Return the post when it has ended, waits for its time or its turn, or the seconds are over."""
    until = ports.clock.now() + seconds
    pause = 0.3
    while not (post.terminal or post.waits) and ports.clock.now() < until:
        ports.clock.sleep(min(pause, max(0.0, until - ports.clock.now())))
        pause = min(pause * 1.5, 2.0)
        try:
            post = load_post(ports, post.post_id)
        except TryAgain:
            continue  # the post is accepted, so a look that fails must not read as a refusal
    return post


def checked_key(key: str | None) -> str | None:
    """Return a caller's Idempotency-Key; InvalidRequest when it can be none."""
    if key is not None and not (1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS and key.isprintable()):
        raise InvalidRequest(
            f"The Idempotency-Key is not 1 to {IDEMPOTENCY_KEY_CHARACTERS} printable characters.",
            "A UUID is a good key.",
            field="Idempotency-Key",
        )
    return key


def _again(ports: Ports, known: IdempotentRequest, body_hash: str) -> Accepted:
    if known.body_hash != body_hash:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another body.",
            "Use a new key for a new post, or the same body to get the first answer.",
            field="Idempotency-Key",
        )
    post = load_post(ports, known.post_id)
    if known.answer is not None:
        return Accepted(post=post, request=known, replay=known.answer)
    now = ports.clock.now()
    if not ports.posts.take_over(known, now, now + IN_FLIGHT_SECONDS):
        raise RequestInFlight(
            "The first request with this Idempotency-Key is still being answered.",
            "Try again with the same key; the post is not made twice.",
            retry_after=max(1, int(known.in_flight_until - now) + 1),
        )
    if not post.terminal:
        set_going(ports, post)
    return Accepted(post=post, request=known)
