"""What the sandbox has to tell an app: events for its webhook, made as things happen and kept until they are sent."""

import hashlib
import hmac
import json
import secrets
from typing import Any

from local.tiktok import rules
from local.tiktok.rules import RemovalReason
from local.tiktok.state import Attempt, Event, Post, Publish, World

PUBLISH_TYPES = {"direct": "DIRECT_PUBLISH", "draft": "INBOX_SHARE"}


def tell_of_publish(world: World, publish: Publish, kind: str, at: float, **content: str) -> None:
    """Tell what became of a publish; `kind` is the name of the event after `post.publish.`, `at` Unix seconds."""
    said = {"publish_id": publish.publish_id, **content, "publish_type": PUBLISH_TYPES[publish.kind]}
    _tell(world, publish.client_key, f"post.publish.{kind}", said, open_id=publish.open_id, at=at)


def tell_of_post(world: World, post: Post, kind: str, at: float) -> None:
    """Tell that everybody can see a post, or no longer can."""
    tell_of_publish(world, world.publishes[post.publish_id], kind, at, post_id=str(post.post_id))


def tell_of_removal(world: World, client_key: str, open_id: str, reason: RemovalReason, at: float) -> None:
    """Tell that a user's consent is gone."""
    _tell(world, client_key, "authorization.removed", {"reason": reason}, open_id=open_id, at=at)


def _tell(world: World, client_key: str, kind: str, content: dict[str, Any], *, open_id: str, at: float) -> None:
    if world.apps[client_key].webhook_url is None:
        return
    settings = world.settings
    said = {"client_key": client_key, "event": kind, "create_time": int(at), "user_openid": open_id}
    body = to_json({**said, "content": to_json(content)})
    state = {"on": "waiting", "held": "held", "off": "lost"}[settings.webhooks]
    for _ in range(settings.webhook_copies):
        add(world, client_key, body, origin="tiktok", state=state, due_at=at + settings.webhook_delay_seconds)


def add(world: World, client_key: str, body: str, **how: Any) -> Event:
    """Put an event behind all others."""
    event = Event(number=len(world.events) + 1, client_key=client_key, body=body, **how)
    world.events.append(event)
    return event


def to_json(content: Any) -> str:
    """Write JSON without spaces, with its keys in the order of TikTok's samples."""
    return json.dumps(content, separators=(",", ":"))


def release(world: World, event: Event) -> None:
    """Let a held event go, after all that were let go before it."""
    event.state = "waiting"
    event.due_at = world.clock.now()
    world.events.remove(event)
    world.events.append(event)


def signature(secret: str, moment: float, body: str) -> str:
    """Sign `body` as TikTok does; `moment` in Unix seconds."""
    signed = f"{int(moment)}.{body}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return f"t={int(moment)},s={digest}"


def next_due(world: World) -> Event | None:
    """Find the event to be sent now: of those that wait, the one due first; None if there is none."""
    waiting = [event for event in world.events if event.state == "waiting"]
    first = min(waiting, key=lambda event: event.due_at, default=None)
    return first if first and first.due_at <= world.clock.now() else None


def begin_attempt(world: World, event: Event) -> Attempt:
    """Note that an event is being sent, and with which signature."""
    attempt = Attempt(at=world.clock.now(), real_at=world.clock.real(), signature=event.signature)
    event.attempts.append(attempt)
    if event.origin == "tiktok":
        attempt.signature = _own_signature(world, event)
    return attempt


def _own_signature(world: World, event: Event) -> str | None:
    first, last = event.attempts[0], event.attempts[-1]
    moment = {"first": first.at, "renewed": last.at, "real": last.real_at}[world.settings.webhook_timestamp]
    match world.settings.webhook_signature:
        case "missing":
            return None
        case "wrong":
            return signature(secrets.token_hex(), moment, event.body)
        case "good":
            return signature(world.apps[event.client_key].client_secret, moment, event.body)


def end_attempt(event: Event, attempt: Attempt, status: int | None) -> None:
    """Note the answer, None for none; only a 200 is one that TikTok does not ask for again."""
    attempt.status = status
    if status == rules.WEBHOOK_DELIVERED:
        event.state = "delivered"
        return
    wait = rules.WEBHOOK_RETRY_SECONDS * 2 ** (len(event.attempts) - 1)
    event.due_at = attempt.at + min(wait, rules.WEBHOOK_RETRY_SECONDS_MAX)
    too_late = event.due_at > event.attempts[0].at + rules.WEBHOOK_RETRIES_END_SECONDS
    if event.origin != "tiktok" or too_late:
        event.state = "dropped"
