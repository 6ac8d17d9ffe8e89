"""Begin to deliver a notice of what happened to each endpoint of the workspace that wants it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from publisher.api import AccountAnswer, PostDetail, iso
from publisher.domain import accounts, posts
from publisher.domain.accounts import Account
from publisher.domain.endpoints import (
    TYPE_OF_ACCOUNT,
    TYPE_OF_POST,
    Delivery,
    Endpoint,
    Notice,
    delivery_of,
    notice_id,
)
from publisher.domain.errors import TryAgain
from publisher.domain.posts import Post
from publisher.ports import DeliveryKey, Ports


def tell_of_post(ports: Ports, post: Post) -> Post:
    """Tell a post's outcome, unless it is told, and record that. Safe to repeat: the notice keeps its id."""
    if not post.unnoticed:
        return post
    data = PostDetail.of(post).model_dump(mode="json", by_alias=True)
    name = notice_id("post", post.post_id, post.revision, post.status)
    notice = notice_of(name, TYPE_OF_POST[post.status], post.updated_at, data)
    _tell(ports, post.workspace_id, notice)
    return ports.posts.save(posts.notified(post, ports.clock.now()))


def tell_of_account(ports: Ports, account: Account) -> Account:
    """Tell an account's state, unless it is told, and record that. Safe to repeat: the notice keeps its id."""
    now = ports.clock.now()
    if not account.unnoticed(now):
        return account
    data = AccountAnswer.of(account, now).model_dump(mode="json", by_alias=True)
    standing = account.standing(now)
    name = notice_id("account", account.account_id, account.notices, standing.state)
    notice = notice_of(name, TYPE_OF_ACCOUNT[standing.state], standing.since or account.updated_at, data)
    _tell(ports, account.workspace_id, notice)
    return ports.accounts.save(accounts.notified(account, now))


def notice_of(name: str, notice_type: str, at: float, data: dict[str, Any]) -> Notice:
    """Return the notice of something that happened at an epoch second."""
    body = {"type": notice_type, "timestamp": iso(at), "data": data}
    return Notice(notice_id=name, type=notice_type, body=json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def deliver_to(ports: Ports, notice: Notice, endpoints: Sequence[Endpoint]) -> list[Delivery]:
    """Store what is to be delivered, and have it sent. Safe to repeat: what is known already stays as it is."""
    now = ports.clock.now()
    deliveries = [delivery_of(notice, endpoint, now) for endpoint in endpoints]
    for delivery in deliveries:
        ports.endpoints.begin(delivery)
    if deliveries:
        send_now(ports, [DeliveryKey(endpoint_id=one.endpoint_id, notice_id=one.notice_id) for one in deliveries])
    return deliveries


def send_now(ports: Ports, keys: Sequence[DeliveryKey]) -> None:
    """Have deliveries sent that are due; should nobody hear of it, they are found within a minute."""
    with suppress(TryAgain):
        ports.courier.nudge(keys)


def _tell(ports: Ports, workspace_id: str, notice: Notice) -> None:
    known = ports.endpoints.of_workspace(workspace_id)
    deliver_to(ports, notice, [endpoint for endpoint in known if endpoint.wants(notice.type)])
