"""Look after posts whose time has come: those that nothing moves, and those that TikTok may still say more about."""

from publisher.domain.errors import PublisherError
from publisher.domain.limits import STALLED_SECONDS, SWEEP_MIN_SECONDS, SWEEP_POSTS
from publisher.domain.posts import OUTCOMES, Post, Status, found_post_ids, learned, look_again
from publisher.ports import Ports, SecondsLeft, Value
from publisher.use_cases.check_status import ask_status
from publisher.use_cases.continue_post import continue_post


class Swept(Value):
    """How many posts were looked after, and the errors by post that are left for the next time."""

    looked_after: int
    errors: dict[str, str]


def sweep(ports: Ports, *, seconds_left: SecondsLeft) -> Swept:
    """Look after each due post while there is time; one that fails is tried again later and does not stop the others.

    Errors that are not ours are raised together in the end, so that the function counts as failed.
    """
    looked_after, errors = 0, dict[str, str]()
    broken: list[Exception] = []
    for post_id in ports.posts.due(ports.clock.now(), int(SWEEP_POSTS)):
        if seconds_left() < SWEEP_MIN_SECONDS:
            break
        looked_after += 1
        try:
            _look_after(ports, post_id, seconds_left=seconds_left())
        except PublisherError as error:
            errors[post_id] = f"{type(error).__name__}: {error.error}"
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one post, the others wait for nobody else
            broken.append(error)
    if broken:
        raise ExceptionGroup("posts that could not be looked after", broken)
    return Swept(looked_after=looked_after, errors=errors)


def _look_after(ports: Ports, post_id: str, *, seconds_left: float) -> None:
    post = ports.posts.get(post_id)
    if post is None:
        return
    now = ports.clock.now()
    if post.terminal:
        _ask_again(ports, ports.posts.save(look_again(post, now)), seconds_left=seconds_left)
    elif ports.executions.running(post):
        ports.posts.save(post.model_copy(update={"watch_at": now + STALLED_SECONDS}))
    else:
        continue_post(ports, post_id)


def _ask_again(ports: Ports, post: Post, *, seconds_left: float) -> None:
    """Ask TikTok about an ended post that it may say more about; the next look is planned already."""
    if post.publish_id is None:
        return
    said = ask_status(ports, post, post.publish_id, seconds_left=seconds_left)
    if post.status is Status.PUBLISH_COMPLETE:
        if said.post_ids:
            ports.posts.save(found_post_ids(post, said.post_ids))
    elif said.status in OUTCOMES and said.status != post.status:
        ports.posts.save(learned(post, said.status, said.post_ids, said.failure, ports.clock.now()))
