"""What a customer's program does: connect an account, publish, follow the post. Over HTTP only."""

import time
import uuid
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

from local.processes import LocalError
from local.stack import Stack

FILM_CAPTION = "Big Buck Bunny meets the morning #bunny #animation #blender"
CAROUSEL_CAPTION = "Up, a cup, and far away #rocket #coffee #hubble"
CREATOR = "emu_creator"
_ENDED = {"PUBLISH_COMPLETE", "SEND_TO_USER_INBOX", "FAILED", "CANCELLED", "REVIEW"}
_POLL_SECONDS, _PATIENCE_SECONDS, _ANSWER_SECONDS = 0.25, 300, 35
# A creator may post some 15 times a day, and the sandbox remembers: the demo can be run more often.
_DAILY_POSTS = 1000


def connect(stack: Stack) -> dict[str, Any]:
    """Connect a creator as a browser would, through TikTok's consent page; return the account as the API lists it."""
    patch = requests.patch(
        f"{stack.tiktok}/_sandbox/users/{CREATOR}", json={"daily_post_cap": _DAILY_POSTS}, timeout=_ANSWER_SECONDS
    )
    _checked(patch)
    with requests.Session() as browser:
        start = browser.get(f"{stack.api}/oauth/tiktok/start", headers=_key(stack), timeout=_ANSWER_SECONDS)
        form = _Form(_checked(start).text)
        fields = [*form.fields, ("username", CREATOR), ("decision", "allow")]
        action = urljoin(start.url, form.action)
        _checked(browser.post(action, data=fields, timeout=_ANSWER_SECONDS))
    listed = _checked(requests.get(f"{stack.api}/api/accounts", headers=_key(stack), timeout=_ANSWER_SECONDS)).json()
    for account in listed["accounts"]:
        if account["tiktok_username"] == CREATOR:
            return dict(account)
    raise LocalError(f"{CREATOR} was connected and is not in GET /api/accounts.")


def publish(
    stack: Stack,
    account_id: str,
    content: dict[str, Any],
    options: dict[str, Any],
    show: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Publish text and mediaUrls, call `show` with each state of the post, return its last."""
    body = {
        "post": {
            "accountId": account_id,
            "content": {**content, "platform": "tiktok"},
            "target": {"targetType": "tiktok"},
            "tiktokOptions": options,
        }
    }
    headers = {**_key(stack), "Prefer": "respond-async", "Idempotency-Key": str(uuid.uuid4())}
    accepted = _checked(
        requests.post(f"{stack.api}/v2/posts", json=body, headers=headers, timeout=_ANSWER_SECONDS)
    ).json()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = requests.get(f"{stack.api}{accepted['statusUrl']}", headers=_key(stack), timeout=_ANSWER_SECONDS)
        post: dict[str, Any] = _checked(answer).json()
        show(post)
        if post["status"] in _ENDED:
            return post
        time.sleep(_POLL_SECONDS)
    raise LocalError(f"The post was not published within {_PATIENCE_SECONDS} s; see {stack.logs}.")


def finish_draft(stack: Stack, post: dict[str, Any]) -> None:
    """Do what the creator does in the TikTok app, also because no more than five drafts may wait."""
    action = {"action": "finish_draft", "publish_id": post["publish_id"], "privacy_level": "PUBLIC_TO_EVERYONE"}
    _checked(requests.post(f"{stack.tiktok}/_sandbox/actions", json=action, timeout=_ANSWER_SECONDS))


def _key(stack: Stack) -> dict[str, str]:
    return {"boring-api-key": stack.api_key}


def _checked(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        request, text = answer.request, " ".join(answer.text.split())
        path = (request.url or "").partition("?")[0]
        raise LocalError(f"{request.method} {path} answered {answer.status_code}: {text[:500]}")
    return answer


class _Form(HTMLParser):
    """The first form of a page, with every box ticked that is ticked when the page opens."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the form's address and its fields."""
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action") or ""
        sent = attributes.get("type") == "hidden" or (attributes.get("type") == "checkbox" and "checked" in attributes)
        name = attributes.get("name")
        if tag == "input" and sent and name:
            self.fields.append((name, attributes.get("value") or ""))
