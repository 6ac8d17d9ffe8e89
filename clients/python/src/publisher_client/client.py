"""One method for each call of the API."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from publisher_client.errors import PublisherError, StillUnderWay
from publisher_client.models import (
    Account,
    AccountList,
    Checkup,
    ConnectLink,
    Creator,
    History,
    Metrics,
    Options,
    Post,
    PostAnswer,
    PostPage,
    Quota,
    Upload,
    Validation,
    VideoPage,
)
from publisher_client.transport import Transport
from publisher_client.uploads import OnBytes, begin_upload, bring, find_upload

FIRST_LOOK, SLOWEST_LOOK = 0.5, 10.0
"""Seconds between two looks at a post: short at first, then longer by a quarter each time."""
ACCOUNT_LOOK = 2.0
"""Seconds between two looks for an account that is being connected."""
WAIT_SECONDS = 3600.0
"""How long `wait` waits unless told otherwise."""


class Client:
    """A user of one service: `Client("https://api.example.com", "tkp_live_…")`.

    Calls that may be repeated are, through lost connections, 429 and 5xx, for about half a minute. A post is repeated
    with an Idempotency-Key, so that it is never made twice. `sleep` is called to wait, with seconds.
    """

    def __init__(self, url: str, key: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._transport = Transport(url, key, pause=sleep)
        self._sleep = sleep

    @property
    def url(self) -> str:
        """The API's root."""
        return self._transport.url

    # Accounts

    def accounts(self) -> list[Account]:
        """List the accounts of the key's workspace."""
        return AccountList.read(self._get("/api/accounts")).accounts

    def connect_link(self) -> ConnectLink:
        """Make a link at which a creator connects an account."""
        return ConnectLink.read(self._get("/oauth/tiktok/start"))

    def account(self, wanted: str | None = None) -> Account:
        """Return an account by its id or @username; None is the only one. PublisherError when it is not clear."""
        there = [one for one in self.accounts() if one.state != "disconnected" or wanted]
        names = [f"@{one.tiktok_username}" for one in there]
        found = [one for one, name in zip(there, names, strict=True) if wanted in (None, one.account_id, name)]
        if len(found) == 1:
            return found[0]
        if not there:
            raise PublisherError("No account is connected.", "Connect one first: publisher accounts connect")
        if wanted is None:
            what = "There are several accounts."
        else:
            what = f"Several accounts are {wanted}." if found else f"There is no account {wanted}."
        raise PublisherError(what, f"Name one of {', '.join(names)}, or an id.")

    def wait_for_account(self, link: ConnectLink, wanted: Callable[[Account], bool]) -> Account:
        """Return the account that a link connects, once one is as wanted; StillUnderWay when the link is over."""
        while True:
            for one in self.accounts():
                if wanted(one):
                    return one
            if datetime.now(UTC) > link.expires_at:
                raise StillUnderWay("Nobody has connected an account.", "Make a new link.")
            self._sleep(ACCOUNT_LOOK)

    def disconnect(self, account_id: str) -> dict[str, Any]:
        """Disconnect an account; again answers the same."""
        return self._transport.call("DELETE", f"/api/accounts/{account_id}")

    def creator_info(self, account_id: str) -> Creator:
        """Show what the creator may choose now."""
        return Creator.read(self._get(f"/v2/accounts/{account_id}/creator-info"))

    def quota(self, account_id: str) -> Quota:
        """Show what is left of an account's limits."""
        return Quota.read(self._get(f"/v2/accounts/{account_id}/quota"))

    # Posts

    def publish(
        self,
        account_id: str,
        media_urls: Sequence[str],
        text: str,
        options: Options,
        *,
        scheduled_time: str | None = None,
        timezone: str | None = None,
        queue_if_limited: bool | None = None,
        idempotency_key: str | None = None,
        wait: bool = False,
    ) -> PostAnswer:
        """Publish a video, pictures or a draft: now, or at a time of ISO 8601.

        With `wait` the service is given 25 s for the outcome. PublisherApiError with a `post_id` tells that the post
        was accepted and has failed. The same `idempotency_key` makes no second post, in this process or another.
        """
        body = _post_body(account_id, media_urls, text, options, scheduled_time, timezone, queue_if_limited)
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        if not wait:
            headers["Prefer"] = "respond-async"
        return PostAnswer.read(self._transport.call("POST", "/v2/posts", body=body, headers=headers))

    def validate(
        self,
        account_id: str,
        media_urls: Sequence[str],
        text: str,
        options: Options,
        *,
        scheduled_time: str | None = None,
        timezone: str | None = None,
        queue_if_limited: bool | None = None,
    ) -> Validation:
        """Check what `publish` would send, its media too, and do nothing."""
        body = _post_body(account_id, media_urls, text, options, scheduled_time, timezone, queue_if_limited)
        return Validation.read(self._transport.call("POST", "/v2/posts/validate", body=body))

    def post(self, post_id: str) -> Post:
        """Show a post."""
        return Post.read(self._get(f"/v2/posts/{post_id}"))

    def posts(
        self,
        *,
        status: str | None = None,
        account_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PostPage:
        """List posts, newest first, one page."""
        query = {
            "status": status,
            "accountId": account_id,
            "since": since,
            "until": until,
            "limit": limit,
            "cursor": cursor,
        }
        return PostPage.read(self._transport.call("GET", "/v2/posts", query=query))

    def all_posts(self, *, status: str | None = None, account_id: str | None = None) -> Iterator[Post]:
        """Yield posts, newest first, page by page."""
        page = self.posts(status=status, account_id=account_id)
        yield from page.posts
        while page.cursor:
            page = self.posts(status=status, account_id=account_id, cursor=page.cursor)
            yield from page.posts

    def wait(
        self,
        post_id: str,
        on_progress: Callable[[Post], None] | None = None,
        *,
        seconds: float = WAIT_SECONDS,
        until: Callable[[Post], bool] = lambda post: post.ended,
    ) -> Post:
        """Return a post when it has ended; StillUnderWay when it did not in time. `on_progress` gets each look."""
        pause, waited = FIRST_LOOK, 0.0
        while True:
            post = self.post(post_id)
            if on_progress is not None:
                on_progress(post)
            if until(post):
                return post
            if waited >= seconds:
                raise StillUnderWay(f"Post {post_id} is still under way: {post.message}.", "It goes on by itself.")
            pause = min(pause, seconds - waited) if seconds > waited else pause
            self._sleep(pause)
            waited += pause
            pause = min(pause * 1.25, SLOWEST_LOOK)

    def cancel(self, post_id: str) -> Post:
        """Cancel a post that TikTok cannot have; again answers the same."""
        return Post.read(self._transport.call("DELETE", f"/v2/posts/{post_id}"))

    def edit(
        self,
        post_id: str,
        *,
        text: str | None = None,
        options: dict[str, Any] | None = None,
        scheduled_time: str | None = None,
        timezone: str | None = None,
    ) -> Post:
        """Change a post that has not started; what is left out stays. `options` are in the API's names."""
        post = {"content": None if text is None else {"text": text}, "tiktokOptions": options}
        body: dict[str, Any] = {"scheduledTime": scheduled_time, "timezone": timezone}
        body = {name: value for name, value in body.items() if value is not None}
        body["post"] = {name: value for name, value in post.items() if value is not None}
        return Post.read(self._transport.call("PATCH", f"/v2/posts/{post_id}", body=body))

    def retry(self, post_id: str, *, published: bool | None = None) -> PostAnswer:
        """Begin a failed post again, or settle an unclear one: `published` says whether it is on TikTok.

        It is not repeated by itself: after a lost answer look at the post.
        """
        body = {} if published is None else {"published": published}
        answer = self._transport.call("POST", f"/v2/posts/{post_id}/retry", body=body, repeat=False)
        return PostAnswer.read(answer)

    # Files

    def upload(self, file: Path, on_bytes: OnBytes = lambda _there, _all: None) -> Upload:
        """Bring a file, and return its upload, whose `media_url` goes into posts."""
        return self.bring(file, self.begin_upload(file), on_bytes)

    def begin_upload(self, file: Path) -> Upload:
        """Begin an upload; nothing is sent yet."""
        return begin_upload(self._transport, file)

    def find_upload(self, upload_id: str) -> Upload | None:
        """Return an upload as it stands, to go on with it; None when it is not there any more."""
        return find_upload(self._transport, upload_id)

    def bring(self, file: Path, upload: Upload, on_bytes: OnBytes = lambda _there, _all: None) -> Upload:
        """Send what is missing of a file, and return the upload when it is complete."""
        return bring(self._transport, file, upload, on_bytes)

    # Figures

    def metrics(self, account_id: str) -> Metrics:
        """Show an account's figures and its latest videos."""
        query = {"account_id": account_id, "platform": "tiktok"}
        return Metrics.read(self._transport.call("GET", "/api/performance/metrics", query=query))

    def videos(self, account_id: str, *, cursor: int | None = None, limit: int | None = None) -> VideoPage:
        """List an account's public videos, newest first, one page."""
        query = {"cursor": cursor, "limit": limit}
        return VideoPage.read(
            self._transport.call("GET", f"/v2/accounts/{account_id}/videos", query=query),
        )

    def history(self, account_id: str, *, since: date | None = None, until: date | None = None) -> History:
        """Show an account day by day, in UTC."""
        query = {"since": since, "until": until}
        return History.read(self._transport.call("GET", f"/v2/accounts/{account_id}/history", query=query))

    def doctor(self) -> Checkup:
        """Look whether the service is set up; needs the scope admin."""
        return Checkup.read(self._get("/v2/doctor"))

    def _get(self, path: str) -> dict[str, Any]:
        return self._transport.call("GET", path)


def _post_body(  # noqa: PLR0917 - what a post is made of
    account_id: str,
    media_urls: Sequence[str],
    text: str,
    options: Options,
    scheduled_time: str | None,
    timezone: str | None,
    queue_if_limited: bool | None,
) -> dict[str, Any]:
    content = {"text": text, "mediaUrls": list(media_urls), "platform": "tiktok"}
    body = {
        "post": {"accountId": account_id, "content": content, "tiktokOptions": options.body()},
        "scheduledTime": scheduled_time,
        "timezone": timezone,
        "queueIfLimited": queue_if_limited,
    }
    return {name: value for name, value in body.items() if value is not None}
