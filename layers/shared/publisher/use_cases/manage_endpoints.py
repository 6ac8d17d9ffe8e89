"""A workspace's endpoints: make them, change them, try them, remove them."""

import uuid
from collections.abc import Callable, Sequence

from pydantic import SecretStr

from publisher.api import read_body
from publisher.domain.endpoints import (
    TEST,
    TYPES,
    Delivery,
    Endpoint,
    check_endpoint_url,
    disabled,
    enabled,
    new_secret,
    notice_id,
    rotated,
)
from publisher.domain.errors import Busy, InvalidRequest, MissingParameter, NotFound, WrongStatus
from publisher.domain.limits import CHANGE_TRIES, ENDPOINTS
from publisher.domain.rules import is_id
from publisher.endpoints import EditWebhookRequest, WebhookRequest
from publisher.ports import Ports
from publisher.use_cases.tell_endpoints import deliver_to, notice_of

_BY_ITS_OWNER = "It was disabled with PATCH /v2/webhooks/{webhookId}."


def list_endpoints(ports: Ports, workspace_id: str) -> Sequence[Endpoint]:
    """List the workspace's endpoints, oldest first."""
    return ports.endpoints.of_workspace(workspace_id)


def get_endpoint(ports: Ports, workspace_id: str, endpoint_id: str) -> Endpoint:
    """Return an endpoint of the workspace; NotFound for another workspace's as for none."""
    endpoint = ports.endpoints.get(endpoint_id) if is_id(endpoint_id) else None
    if endpoint is None or endpoint.workspace_id != workspace_id:
        raise NotFound("There is no such webhook in this workspace.", "GET /v2/webhooks lists them.")
    return endpoint


def add_endpoint(ports: Ports, workspace_id: str, body: object) -> tuple[Endpoint, SecretStr]:
    """Store an endpoint as the body of POST /v2/webhooks asks for it, and return it with its secret, told only now.

    InvalidRequest names the field that cannot be; WrongStatus when there are as many as there may be. Repeating it
    makes another one.
    """
    request = read_body(WebhookRequest, body, "POST /v2/webhooks")
    url, types = _checked_url(ports, request.url), _checked_types(request.events)
    if len(ports.endpoints.of_workspace(workspace_id)) >= ENDPOINTS:
        raise WrongStatus(f"The workspace has {ENDPOINTS} webhooks, the most there may be.", "Remove one first.")
    now, secret = ports.clock.now(), new_secret()
    endpoint = Endpoint(
        endpoint_id=str(uuid.uuid4()),
        workspace_id=workspace_id,
        url=url,
        types=types,
        secret="",
        created_at=now,
        updated_at=now,
    )
    endpoint = endpoint.model_copy(update={"secret": _sealed(ports, endpoint, secret)})
    ports.endpoints.add(endpoint)
    return endpoint, secret


def edit_endpoint(ports: Ports, workspace_id: str, endpoint_id: str, body: object) -> Endpoint:
    """Change what the body of PATCH names: URL, events, or whether anything is sent. Safe to repeat."""
    request = read_body(EditWebhookRequest, body, "PATCH /v2/webhooks/{webhookId}")
    changes: dict[str, object] = {}
    if "url" in request.model_fields_set:
        changes["url"] = _checked_url(ports, request.url)
    if "events" in request.model_fields_set:
        changes["types"] = _checked_types(request.events)

    def change(endpoint: Endpoint) -> Endpoint:
        now = ports.clock.now()
        endpoint = endpoint.model_copy(update={**changes, "updated_at": now})
        if request.enabled is None:
            return endpoint
        return enabled(endpoint, now) if request.enabled else disabled(endpoint, _BY_ITS_OWNER, now)

    return _change(ports, workspace_id, endpoint_id, change)


def rotate_secret(ports: Ports, workspace_id: str, endpoint_id: str) -> tuple[Endpoint, SecretStr]:
    """Give an endpoint a new secret, told only now; for a day the present one signs too. Repeating makes another."""
    secret = new_secret()
    sealed = _sealed(ports, get_endpoint(ports, workspace_id, endpoint_id), secret)
    return _change(ports, workspace_id, endpoint_id, lambda one: rotated(one, sealed, ports.clock.now())), secret


def remove_endpoint(ports: Ports, workspace_id: str, endpoint_id: str) -> Endpoint:
    """Forget an endpoint and return it as it was; what is on its way to it is not sent."""
    endpoint = get_endpoint(ports, workspace_id, endpoint_id)
    ports.endpoints.remove(endpoint_id)
    return endpoint


def try_endpoint(ports: Ports, workspace_id: str, endpoint_id: str) -> Delivery:
    """Begin to deliver a notice that tells nothing, whatever the endpoint wants.

    WrongStatus when it is disabled, or another test is being sent: an endpoint that hangs must not take every sender.
    """
    endpoint = get_endpoint(ports, workspace_id, endpoint_id)
    check_enabled(endpoint)
    now = ports.clock.now()
    latest = ports.endpoints.deliveries(endpoint_id, 1, None).deliveries
    if any(one.type == TEST and one.being_sent for one in latest):
        raise WrongStatus("A test of the webhook is under way.", "Try again when it is in the log of its deliveries.")
    data: dict[str, object] = {"webhookId": endpoint_id, "message": "This is a test; nothing happened."}
    return deliver_to(ports, notice_of(notice_id("test", uuid.uuid4()), TEST, now, data), [endpoint])[0]


def check_enabled(endpoint: Endpoint) -> None:
    """WrongStatus when nothing is sent to the endpoint."""
    if endpoint.disabled_at is not None:
        raise WrongStatus(
            f"The webhook is disabled. {endpoint.disabled_because}",
            'Enable it with PATCH /v2/webhooks/{webhookId} {"enabled": true}.',
        )


def _change(ports: Ports, workspace_id: str, endpoint_id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
    """Store a change, made again of what others have stored meanwhile."""
    for _ in range(CHANGE_TRIES):
        endpoint = get_endpoint(ports, workspace_id, endpoint_id)
        try:
            return ports.endpoints.save(change(endpoint))
        except Busy:
            continue
    raise Busy("Others are changing the webhook.", "Try again in a moment.")


def _sealed(ports: Ports, endpoint: Endpoint, secret: SecretStr) -> str:
    return ports.vault.sealer(endpoint.secret_context)(secret)


def _checked_url(ports: Ports, url: str | None) -> str:
    if url is None:
        raise MissingParameter("url is missing.", "Give the address that notices are sent to.", field="url")
    return check_endpoint_url(url, ports.trusted_media_origins).text


def _checked_types(events: list[str] | None) -> tuple[str, ...]:
    """Return the types that are wanted; none stands for all, also those to come."""
    unknown = [name for name in events or () if name not in TYPES]
    if unknown or events == []:
        what = f"events holds {', '.join(unknown)[:500]}, which does not exist." if unknown else "events is empty."
        raise InvalidRequest(what, f"Choose from {', '.join(TYPES)}, or leave it out for all.", field="events")
    return tuple(dict.fromkeys(events or ()))
