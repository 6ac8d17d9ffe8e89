"""Check a post as a whole, its media too, and do nothing."""

from collections.abc import Sequence

from publisher.api import CreatePostRequest, ValidationAnswer, read_create_post
from publisher.domain.errors import Failure, InvalidPost, PublisherError, RateLimitExceeded, RequestInvalid, TryAgain
from publisher.domain.limits import LOOK_SECONDS, PICTURES, VIDEO_SECONDS_MAX
from publisher.domain.media import advice, check_video
from publisher.domain.pictures import misplaced
from publisher.domain.posts import Post, PostType
from publisher.domain.rules import missing_privacy
from publisher.domain.sniffing import Kind
from publisher.ports import Ports, ProbedMedia, SecondsLeft
from publisher.use_cases.preview_post import preview_post

_MEDIA = "post.content.mediaUrls"


def validate_post(
    ports: Ports, workspace_id: str, body: object, *, request_id: str, seconds_left: SecondsLeft
) -> ValidationAnswer:
    """Tell all that POST /v2/posts would refuse a body for, and what its steps would find in the media.

    Of the media only the bytes that are needed are read, and what was not looked at is told as a warning.
    InvalidRequest for a body that is no post at all; ServiceUnavailable or Timeout when something cannot be asked now.
    """
    request, _ = read_create_post(body)
    post: Post | None = None
    problems: tuple[Failure, ...] = ()
    try:
        post = preview_post(ports, workspace_id, body, seconds_left=seconds_left(), creators={}, usages={})
    except InvalidPost as refusal:
        problems = refusal.problems
    except RateLimitExceeded as refusal:
        problems = (refusal.failure(),)
    except TryAgain:
        raise
    except PublisherError as refusal:
        problems = (refusal.failure(),)
    media = _look(ports, workspace_id, request, problems, seconds_left)
    found, warnings = _judged(post, media)
    return ValidationAnswer.of(
        request_id, (*problems, *found), (*(post.warnings if post else ()), *warnings), media, post
    )


def _look(
    ports: Ports,
    workspace_id: str,
    request: CreatePostRequest,
    problems: Sequence[Failure],
    seconds_left: SecondsLeft,
) -> Sequence[ProbedMedia]:
    """Look at the media of which nothing is known to be wrong; the others get an empty look."""
    urls = request.media_urls[:PICTURES]
    wrong = {problem.field for problem in problems}
    good = [number for number in range(len(urls)) if not wrong & {_MEDIA, f"{_MEDIA}[{number}]"}]
    looks = [ProbedMedia()] * len(urls)
    if good:
        asked = [url if number in good else None for number, url in enumerate(urls)]
        looks = list(ports.probes.probe(workspace_id, asked, min(float(LOOK_SECONDS), seconds_left() - 3)))
    return looks


def _judged(post: Post | None, media: Sequence[ProbedMedia]) -> tuple[list[Failure], list[str]]:
    """Return what is wrong with the media, and what would do better."""
    problems = [seen.failure for seen in media if seen.failure]
    warnings = [
        f"{_named(number, len(media))} was not looked at as a whole: {seen.unread}."
        for number, seen in enumerate(media, start=1)
        if seen.unread
    ]
    if len(media) == 1 and (video := media[0].video):
        longest = post.longest_seconds if post and not post.options.draft else VIDEO_SECONDS_MAX
        try:
            check_video(video, longest_seconds=int(longest))
        except RequestInvalid as problem:
            problems.append(problem.failure().model_copy(update={"field": _MEDIA}))
        if post and post.options.privacy_level is None and not post.options.draft:
            problems.append(missing_privacy(post.privacy_options).failure())
        warnings += advice(video)
    if len(media) == 1 and post and media[0].content_type:
        kind: PostType = "video" if Kind(media[0].content_type).is_video else "photo"
        warnings += misplaced(kind, post.options, post.text)
    return problems, warnings


def _named(number: int, count: int) -> str:
    return f"Picture {number} of {count}" if count > 1 else "The media"
