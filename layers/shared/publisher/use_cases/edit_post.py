"""Change a post that has not started."""

from contextlib import suppress

from publisher.api import EditPostRequest, iso, read_body
from publisher.domain.errors import Busy, InvalidRequest, TryAgain, WrongStatus
from publisher.domain.limits import CHANGE_TRIES
from publisher.domain.posts import Post, Status, edited
from publisher.ports import Ports
from publisher.use_cases.check_post import check_post
from publisher.use_cases.get_post import get_post
from publisher.use_cases.take_turn import lane_of, leave_line


def edit_post(ports: Ports, workspace_id: str, post_id: str, body: object, *, seconds_left: float) -> Post:
    """Change caption, options or time, checked as for a new post; what is left out stays.

    WrongStatus once the post has started, and for the time of one whose time has come already.
    """
    request = read_body(EditPostRequest, body, "PATCH /v2/posts/{postSubmissionId}")
    if request.post.tiktok_options is not None and request.tiktok_options is not None:
        raise InvalidRequest("tiktokOptions is given twice.", "Keep the one inside post.", field="tiktokOptions")
    for _ in range(CHANGE_TRIES):
        former = get_post(ports, workspace_id, post_id)
        _check_editable(former, request)
        checked = check_post(
            ports,
            workspace_id,
            request.applied_to(former),
            seconds_left=seconds_left,
            dropped=former.drop is not None,
        )
        if request.scheduled_time is None:
            checked = checked.model_copy(update={"scheduled_at": former.scheduled_at})
        try:
            post = ports.posts.save(edited(former, checked, ports.clock.now()))
        except Busy:
            continue
        _follow(ports, former, post)
        return post
    raise Busy("The post is being changed by others.", "Look at the post, and try again in a moment.")


def _check_editable(post: Post, request: EditPostRequest) -> None:
    if not post.waits:
        begun = "" if post.terminal else "has started and "
        raise WrongStatus(
            f"The post {begun}is {post.status}, so it can no longer be changed.",
            "Make a new post." if post.terminal else "Cancel it while TikTok cannot have it, and make a new post.",
        )
    if request.scheduled_time is not None and post.status is not Status.SCHEDULED:
        until = f", not before {iso(post.not_before)}" if post.not_before is not None else ""
        raise WrongStatus(
            f"The post's time has come; it waits for its turn{until}.",
            "Cancel it, and make a new post for another time.",
            field="scheduledTime",
        )


def _follow(ports: Ports, former: Post, post: Post) -> None:
    """Bring what starts the post in line with it; the sweep makes up for what fails, and the ledger decides."""
    if post.status is Status.SCHEDULED and post.scheduled_at != former.scheduled_at:
        with suppress(TryAgain):  # first, because two times of one second share a schedule
            ports.schedules.remove(post.post_id, former.scheduled_at or 0.0)
        with suppress(TryAgain):
            ports.schedules.put(post.post_id, post.scheduled_at or 0.0)
    if lane_of(post) != lane_of(former):
        with suppress(TryAgain):
            leave_line(ports, former)
