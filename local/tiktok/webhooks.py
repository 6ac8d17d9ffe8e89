"""The postman: sends every event to its app's webhook, one after the other, when its time has come."""

from threading import Thread
from urllib.error import HTTPError

from local.tiktok import events, fetch, lifecycle
from local.tiktok.store import Store


def start(store: Store) -> None:
    """Send events in the background until the store is closed; what was being sent at a stop is sent again."""
    Thread(target=_deliver, args=(store,), name="webhooks", daemon=True).start()


def _deliver(store: Store) -> None:
    while store.wait_for(lifecycle.next_moment):
        with store.change() as world:
            event = events.next_due(world)
            if event is None:  # what was due made no event
                continue
            attempt = events.begin_attempt(world, event)
            url = world.apps[event.client_key].webhook_url
        status = _post(url, event.body, attempt.signature)
        with store.change():
            events.end_attempt(event, attempt, status)


def _post(url: str | None, body: str, signature: str | None) -> int | None:
    """Give the HTTP status of the answer; None if there was none, or nobody to ask."""
    if url is None:
        return None
    headers = {"Content-Type": "application/json"}
    if signature is not None:
        headers["TikTok-Signature"] = signature
    try:
        with fetch.post(url, body.encode(), headers) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except fetch.FetchError:
        return None
