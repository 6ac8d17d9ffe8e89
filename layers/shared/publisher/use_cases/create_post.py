"""Take a post in: check everything, store it once, start it, and wait for its outcome if the caller does."""

import hashlib
import json
import uuid

from publisher.api import CreatePostRequest, read_create_post
from publisher.domain.accounts import Account, AccountState, Creator
from publisher.domain.errors import (
    AccountDisabled,
    IdempotencyKeyReused,
    InvalidAccountId,
    InvalidPost,
    InvalidRequest,
    InvalidToken,
    MediaRequired,
    MissingParameter,
    PublisherError,
    RequestInFlight,
    RequestInvalid,
    TokenExpired,
    TryAgain,
)
from publisher.domain.limits import (
    IDEMPOTENCY_KEY_CHARACTERS,
    IN_FLIGHT_SECONDS,
    START_SECONDS,
    VIDEO_SECONDS_MAX,
)
from publisher.domain.pictures import claimed_type, misplaced
from publisher.domain.posts import DEFAULT_OF_PHOTOS, Moment, Post, PostOptions
from publisher.domain.rules import (
    is_id,
    media_problems,
    photo_problems,
    privacy_problems,
    settle_interactions,
    text_advice,
    text_problems,
)
from publisher.ports import IdempotentRequest, Ports, Value
from publisher.use_cases.load_post import load_post
from publisher.use_cases.use_access_token import RECONNECT, use_access_token


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
    key = _checked_key(idempotency_key)
    body_hash = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    if key is not None:
        known = ports.posts.request(workspace_id, key)
        if known is not None:
            return _again(ports, known, body_hash)
    post = _checked_post(ports, workspace_id, body, seconds_left=seconds_left)
    post = post.model_copy(update={"patient": patient})
    request = key and IdempotentRequest(
        workspace_id=workspace_id,
        key=key,
        body_hash=body_hash,
        post_id=post.post_id,
        in_flight_until=ports.clock.now() + IN_FLIGHT_SECONDS,
    )
    if not ports.posts.accept(post, request or None):
        known = ports.posts.request(workspace_id, key or "")
        if known is None:
            raise RequestInFlight("The same request is being answered.", "Try again in a second.", retry_after=1)
        return _again(ports, known, body_hash)
    start(ports, post)
    return Accepted(post=post, request=request or None)


def start(ports: Ports, post: Post) -> None:
    """Start the post's execution; when that fails for now the sweeper does it within minutes, as nothing is lost."""
    try:
        ports.executions.start(post)
    except TryAgain:
        return


def wait_for_outcome(ports: Ports, post: Post, *, seconds: float) -> Post:
    """Return the post when it has ended or the seconds are over."""
    until = ports.clock.now() + seconds
    pause = 0.3
    while not post.terminal and ports.clock.now() < until:
        ports.clock.sleep(min(pause, max(0.0, until - ports.clock.now())))
        pause = min(pause * 1.5, 2.0)
        try:
            post = load_post(ports, post.post_id)
        except TryAgain:
            continue  # the post is accepted, so a look that fails must not read as a refusal
    return post


def _checked_key(key: str | None) -> str | None:
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
        start(ports, post)
    return Accepted(post=post, request=known)


def _checked_post(ports: Ports, workspace_id: str, body: object, *, seconds_left: float) -> Post:
    request, problems = read_create_post(body)
    text = request.post.content.text
    problems += text_problems(text)
    problems += media_problems(request.media_urls, ports.trusted_media_origins)
    account = _account(ports, workspace_id, request, problems)
    options = request.options((account and account.defaults) or PostOptions())
    problems += photo_problems(options, len(request.media_urls))
    creator = _creator(ports, account, options, problems, seconds_left=seconds_left)
    offered = creator.privacy_level_options if creator else None
    claimed = claimed_type(request.media_urls)
    given = request.chosen_options.privacy_level
    chosen = options.privacy_level if given is None else given
    problems += privacy_problems(options, chosen, offered, has_default=claimed != "video")
    if problems or account is None:
        raise InvalidPost(_without_echoes(problems))
    warnings = [] if options.draft else text_advice(text)
    if creator is not None:
        options, switched_off = settle_interactions(options, creator)
        warnings += switched_off
    if len(request.media_urls) > 1:
        warnings += misplaced("photo", options, text)  # after the options are settled, so that none is told twice
        if chosen is None and not options.draft:
            options = options.model_copy(update={"privacy_level": DEFAULT_OF_PHOTOS})
    now = ports.clock.now()
    return Post(
        post_id=str(uuid.uuid4()),
        workspace_id=workspace_id,
        account_id=account.account_id,
        created_at=now,
        updated_at=now,
        post_type=claimed or "video",
        text=text,
        media_urls=request.media_urls,
        options=options,
        warnings=tuple(warnings),
        creator_username=creator.username if creator else account.username,
        privacy_options=creator.privacy_level_options if creator else (),
        longest_seconds=creator.max_video_post_duration_sec if creator else int(VIDEO_SECONDS_MAX),
        timeline=(Moment(step="Accepted", at=now),),
        watch_at=now + START_SECONDS,
    )


def _without_echoes(problems: list[RequestInvalid]) -> list[RequestInvalid]:
    """Leave out that a field is missing when it is there and cannot be read."""
    missing = (MissingParameter, MediaRequired)
    wrong = {problem.field for problem in problems if not isinstance(problem, missing)}
    return [problem for problem in problems if problem.field not in wrong or not isinstance(problem, missing)]


def _account(
    ports: Ports, workspace_id: str, request: CreatePostRequest, problems: list[RequestInvalid]
) -> Account | None:
    account_id = request.post.account_id
    if account_id is None:
        return None
    account = ports.accounts.get(account_id) if is_id(account_id) else None
    if account is None or account.workspace_id != workspace_id:
        problems.append(
            InvalidAccountId(
                "Account is not a TikTok account",
                "Use the account_id of a connected TikTok account; GET /api/accounts lists them.",
                field="post.accountId",
            )
        )
        return None
    return account


def _creator(
    ports: Ports,
    account: Account | None,
    options: PostOptions,
    problems: list[RequestInvalid],
    *,
    seconds_left: float,
) -> Creator | None:
    """Ask TikTok what the creator may choose now; a draft needs no choice. Other problems are told first."""
    if account is None:
        return None
    try:
        _check_account(account, options, ports.clock.now())
        if options.draft:
            return None
        return use_access_token(ports, account.account_id, ports.tiktok.creator, seconds_left=seconds_left)
    except PublisherError:
        if problems:
            return None
        raise


def _check_account(account: Account, options: PostOptions, now: float) -> None:
    standing = account.standing(now)
    if standing.state is AccountState.DISCONNECTED:
        raise AccountDisabled("The TikTok account is disconnected.", RECONNECT)
    if standing.state is AccountState.REAUTHORIZE:
        raise TokenExpired(standing.reason or "", RECONNECT)
    scope = "video.upload" if options.draft else "video.publish"
    if scope not in account.scopes:
        raise InvalidToken(
            f"The creator has not granted {scope}, which this post needs.",
            f"Connect the account again and allow {scope}"
            + ("." if options.draft or "video.upload" not in account.scopes else ", or send the post as a draft."),
        )
