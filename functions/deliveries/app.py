"""What is done with one webhook: a new secret, a test, the log of its deliveries, and delivering again."""

from publisher.endpoints import DeliveryAnswer, DeliveryList, NewWebhookAnswer
from publisher.use_cases.manage_endpoints import rotate_secret, try_endpoint
from publisher.use_cases.redeliver import list_deliveries, redeliver
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("POST", "/v2/webhooks/{webhookId}/rotate-secret", scope="admin")
def rotate(call: Call) -> Answer:
    """Make a new secret, and show it this once."""
    endpoint, secret = rotate_secret(call.ports, call.workspace_id, call.path["webhookId"])
    return json_answer(201, NewWebhookAnswer.of_new(endpoint, secret))


@api.route("POST", "/v2/webhooks/{webhookId}/test", scope="admin")
def test(call: Call) -> Answer:
    """Send a webhook something that means nothing."""
    return json_answer(202, DeliveryAnswer.of(try_endpoint(call.ports, call.workspace_id, call.path["webhookId"])))


@api.route("GET", "/v2/webhooks/{webhookId}/deliveries", scope="admin")
def find(call: Call) -> Answer:
    """List what was delivered, newest first."""
    page = list_deliveries(call.ports, call.workspace_id, call.path["webhookId"], call.query)
    return json_answer(200, DeliveryList.of(page))


@api.route("POST", "/v2/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver", scope="admin")
def again(call: Call) -> Answer:
    """Deliver again."""
    path = call.path
    delivery = redeliver(call.ports, call.workspace_id, path["webhookId"], path["deliveryId"])
    return json_answer(202, DeliveryAnswer.of(delivery))
