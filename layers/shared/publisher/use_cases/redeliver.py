"""The log of what was delivered to an endpoint, and delivering it again."""

from collections.abc import Mapping

from publisher.api import check_query, read_number
from publisher.domain.endpoints import Delivery, begun_again, is_notice_id
from publisher.domain.errors import Busy, NotFound
from publisher.domain.limits import CHANGE_TRIES, PAGE_POSTS
from publisher.ports import DeliveryKey, DeliveryPage, Ports
from publisher.use_cases.manage_endpoints import check_enabled, get_endpoint
from publisher.use_cases.tell_endpoints import send_now

_USUAL = 20
"""Deliveries on a page whose size was not asked for."""


def list_deliveries(ports: Ports, workspace_id: str, endpoint_id: str, query: Mapping[str, str]) -> DeliveryPage:
    """Return a page, newest first, as the query's limit and cursor say; InvalidRequest names what cannot be read."""
    endpoint = get_endpoint(ports, workspace_id, endpoint_id)
    check_query(query, {"limit", "cursor"})
    limit = read_number(query, "limit", least=1, most=int(PAGE_POSTS))
    return ports.endpoints.deliveries(endpoint.endpoint_id, _USUAL if limit is None else limit, query.get("cursor"))


def redeliver(ports: Ports, workspace_id: str, endpoint_id: str, notice_id: str) -> Delivery:
    """Deliver a notice again, under the same id and as often as at first; one that is on its way goes at once.

    NotFound for a delivery that is not in the log, WrongStatus when the endpoint is disabled. Each time sends it once
    more.
    """
    endpoint = get_endpoint(ports, workspace_id, endpoint_id)
    key = DeliveryKey(endpoint_id=endpoint_id, notice_id=notice_id)
    for _ in range(CHANGE_TRIES):
        delivery = ports.endpoints.delivery(key) if is_notice_id(notice_id) else None
        if delivery is None:
            raise NotFound("There is no such delivery.", "GET /v2/webhooks/{webhookId}/deliveries lists them.")
        check_enabled(endpoint)
        try:
            delivery = ports.endpoints.move(begun_again(delivery, ports.clock.now()))
        except Busy:
            continue
        send_now(ports, [key])
        return delivery
    raise Busy("The delivery is being sent.", "Look at it again in a moment.")
