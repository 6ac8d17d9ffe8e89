"""Check a post as a whole: what it says, whose account it is for, and what its creator may choose now."""

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from publisher.api import CreatePostRequest
from publisher.domain.accounts import Account, AccountState, Creator
from publisher.domain.errors import (
    AccountDisabled,
    InvalidAccountId,
    InvalidPost,
    InvalidToken,
    MediaRequired,
    MissingParameter,
    Paced,
    PublisherError,
    RateLimitExceeded,
    RequestInvalid,
    TikTokRefused,
    TokenExpired,
)
from publisher.domain.limits import CREATOR_INFO_KEPT, START_SECONDS, VIDEO_SECONDS_MAX
from publisher.domain.pictures import claimed_type, misplaced
from publisher.domain.posts import DEFAULT_OF_PHOTOS, Moment, Post, PostOptions, Status
from publisher.domain.rules import (
    dying_urls,
    is_id,
    media_problems,
    photo_problems,
    privacy_problems,
    settle_interactions,
    text_advice,
    text_problems,
)
from publisher.domain.schedules import Due, read_due
from publisher.domain.slots import POSTS
from publisher.ports import Ports
from publisher.use_cases.check_uploads import upload_problems
from publisher.use_cases.get_creator import ask_creator
from publisher.use_cases.take_turn import hold_of, limit_reached, note_refusal
from publisher.use_cases.use_access_token import RECONNECT

NOT_ASKED = "TikTok did not tell yet what the creator allows; it is asked again before the post goes out."


def check_post(
    ports: Ports,
    workspace_id: str,
    request: CreatePostRequest,
    problems: Sequence[RequestInvalid] = (),
    *,
    seconds_left: float,
    dropped: bool = False,
    previewed: bool = False,
    creators: dict[str, Creator] | None = None,
) -> Post:
    """Return the post that a request makes, scheduled or to go at once; nothing is stored.

    The media of a post that was `dropped` is ours to address, and who may watch it has to be chosen. One that is only
    `previewed` leaves some questions about the creator to posts, and goes without an answer then. `creators` holds by
    account what TikTok answered about its creator for this request already, and is added to.

    InvalidPost with all that is wrong with it, and `problems`, which were found when it was read. A post that may wait
    is taken although TikTok cannot be asked about its creator just now, or says that nothing of his can be posted for
    some time, because it is asked again before it goes; any other is told so.
    """
    problems = list(problems)
    now = ports.clock.now()
    due = read_due(request.scheduled_time, request.timezone, now, problems)
    queues = request.queue_if_limited if request.queue_if_limited is not None else due is not None
    text = request.post.content.text
    problems += text_problems(text)
    if not dropped:
        problems += media_problems(request.media_urls, ports.trusted_media_origins)
        problems += upload_problems(ports, workspace_id, request.media_urls, due.at if due else now)
    account = _account(ports, workspace_id, request, problems)
    options = request.options((account and account.defaults) or PostOptions())
    problems += photo_problems(options, len(request.media_urls))
    warnings = [] if options.draft else text_advice(text)
    try:
        ask = partial(_ask, ports, seconds_left=seconds_left, kept=int(CREATOR_INFO_KEPT) if previewed else 0)
        creator = _creator(account, options, problems, {} if creators is None else creators, now, ask)
    except _Later as later:
        if not (queues or (previewed and isinstance(later.error, Paced))):
            raise later.error from None
        creator = None
        warnings.append(NOT_ASKED)
    offered = creator.privacy_level_options if creator else None
    claimed = claimed_type(request.media_urls)
    given = request.chosen_options.privacy_level
    chosen = options.privacy_level if given is None else given
    problems += privacy_problems(options, chosen, offered, has_default=claimed != "video" and not dropped)
    if problems or account is None:
        raise InvalidPost(_without_echoes(problems))
    if creator is not None:
        options, switched_off = settle_interactions(options, creator)
        warnings += switched_off
    if len(request.media_urls) > 1:
        warnings += misplaced("photo", options, text)  # after the options are settled, so that none is told twice
        if chosen is None and not options.draft:
            options = options.model_copy(update={"privacy_level": DEFAULT_OF_PHOTOS})
    warnings += due.warnings if due else ()
    warnings += dying_urls(request.media_urls, due.at) if due else ()
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
        patient=queues or due is not None,
        queues=queues,
        timeline=(Moment(step="Accepted", at=now),),
        **_start(due, now),
    )


class _Later(Exception):
    """TikTok can say only later what a creator may choose; `error` tells a caller who does not wait."""

    def __init__(self, error: PublisherError) -> None:
        super().__init__()
        self.error = error


def _start(due: Due | None, now: float) -> dict[str, Any]:
    """Return when a post begins, and when the sweep looks whether it has."""
    if due is None:
        return {"status": Status.QUEUED, "watch_at": now + START_SECONDS}
    return {"status": Status.SCHEDULED, "scheduled_at": due.at, "watch_at": due.at}


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


def _creator(  # noqa: PLR0917 - what a check knows so far
    account: Account | None,
    options: PostOptions,
    problems: list[RequestInvalid],
    known: dict[str, Creator],
    now: float,
    ask: Callable[[str], Creator],
) -> Creator | None:
    """Ask TikTok what the creator may choose now; a draft needs no choice. Other problems are told first."""
    if account is None:
        return None
    try:
        _check_account(account, options, now)
        if options.draft:
            return None
        if account.account_id not in known:
            known[account.account_id] = ask(account.account_id)
        return known[account.account_id]
    except (PublisherError, _Later):
        if problems:
            return None
        raise


def _ask(ports: Ports, account_id: str, *, seconds_left: float, kept: int) -> Creator:
    """Ask TikTok about a creator, but not while its refusal holds his posts; one that comes now holds them."""
    hold, now = hold_of(ports, account_id, POSTS), ports.clock.now()
    if hold is not None:
        raise _Later(limit_reached(hold, hold.until, now))
    try:
        return ask_creator(ports, account_id, seconds_left=seconds_left, kept=kept)
    except Paced as problem:
        raise _Later(problem) from None
    except (RateLimitExceeded, TikTokRefused) as refusal:
        if note_refusal(ports, account_id, refusal.failure()) is None and not isinstance(refusal, RateLimitExceeded):
            raise
        raise _Later(refusal) from None


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
