"""Look after posts and accounts whose time has come.

Posts are those that nothing moves, and those that TikTok may still say more about.
"""

from contextlib import suppress
from functools import partial

from publisher.domain.errors import TryAgain
from publisher.domain.limits import SWEEP_ACCOUNTS, SWEEP_MIN_SECONDS, SWEEP_POSTS
from publisher.domain.posts import (
    OUTCOMES,
    Post,
    Status,
    found_post_ids,
    hint_followed,
    learned,
    look_again,
    look_later,
    withdrawn,
)
from publisher.ports import Ports, SecondsLeft
from publisher.use_cases.check_status import ask_status
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.end_post import end_post
from publisher.use_cases.follow_hint import follow_hint, name_pictures
from publisher.use_cases.hold_post import look_after_held
from publisher.use_cases.look_after_account import look_after_account
from publisher.use_cases.look_after_each import LookedAfter, look_after_each
from publisher.use_cases.start_due import start_due
from publisher.use_cases.take_turn import give_back
from publisher.use_cases.tell_endpoints import tell_of_post
from publisher.use_cases.tell_result import tell_result


def sweep(ports: Ports, *, seconds_left: SecondsLeft) -> LookedAfter:
    """Look after all posts and accounts that are due while there is time."""
    now = ports.clock.now()
    due = [
        *((post_id, partial(_look_after, ports, post_id)) for post_id in ports.posts.due(now, int(SWEEP_POSTS))),
        *((one, partial(look_after_account, ports, one)) for one in ports.accounts.due(now, int(SWEEP_ACCOUNTS))),
    ]
    return look_after_each(due, least_seconds=SWEEP_MIN_SECONDS, seconds_left=seconds_left)


def _look_after(ports: Ports, post_id: str, *, seconds_left: float) -> None:
    post = ports.posts.get(post_id)
    if post is None:
        return
    now = ports.clock.now()
    if post.untold:
        post = tell_result(ports, post)
    if post.terminal:
        post = ports.posts.save(look_again(post, now))
        with suppress(TryAgain):  # the next look, which is planned, tells then
            post = tell_of_post(ports, post)
        _ask_again(ports, post, seconds_left=seconds_left)
    elif post.status is Status.SCHEDULED:
        start_due(ports, post_id)
    elif post.held_since is not None:
        look_after_held(ports, post)
    elif ports.executions.running(post):
        post = follow_hint(ports, post, seconds_left=seconds_left)
        if not post.terminal:
            ports.posts.save(look_later(post, now))
    else:
        continue_post(ports, post_id)


def _ask_again(ports: Ports, post: Post, *, seconds_left: float) -> None:
    """Ask TikTok about an ended post that it may say more about; the next look is planned already."""
    post = name_pictures(ports, post, seconds_left=seconds_left)
    if post.publish_id is None:
        return
    said = ask_status(ports, post, post.publish_id, seconds_left=seconds_left)
    now = ports.clock.now()
    if post.status is Status.PUBLISH_COMPLETE and said.post_ids:
        ports.posts.save(found_post_ids(post, said.post_ids))
    elif post.status is not Status.PUBLISH_COMPLETE and said.status in OUTCOMES and said.status != post.status:
        post = end_post(ports, learned(post, said.status, said.post_ids, said.failure, now))
        if post.options.draft and post.status is Status.PUBLISH_COMPLETE:
            give_back(ports, post)  # it is pending no more
    elif post.hint is not None:
        gone = post.hint.withdrawn and post.post_ids != ()
        ports.posts.save(withdrawn(post, now) if gone else hint_followed(post, now))
