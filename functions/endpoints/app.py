"""Webhooks over HTTP: list them, make them, change them, remove them."""

from publisher.endpoints import NewWebhookAnswer, RemovedWebhookAnswer, WebhookAnswer, WebhookList
from publisher.use_cases.manage_endpoints import add_endpoint, edit_endpoint, get_endpoint, list_endpoints
from publisher.use_cases.manage_endpoints import remove_endpoint as removed
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/v2/webhooks", scope="admin")
def find(call: Call) -> Answer:
    """List the workspace's webhooks."""
    return json_answer(200, WebhookList.of(list_endpoints(call.ports, call.workspace_id)))


@api.route("POST", "/v2/webhooks", scope="admin")
def add(call: Call) -> Answer:
    """Make a webhook, and show its secret this once."""
    return json_answer(201, NewWebhookAnswer.of_new(*add_endpoint(call.ports, call.workspace_id, call.json())))


@api.route("GET", "/v2/webhooks/{webhookId}", scope="admin")
def show(call: Call) -> Answer:
    """Show a webhook."""
    return json_answer(200, WebhookAnswer.of(get_endpoint(call.ports, call.workspace_id, call.path["webhookId"])))


@api.route("PATCH", "/v2/webhooks/{webhookId}", scope="admin")
def edit(call: Call) -> Answer:
    """Change a webhook."""
    endpoint = edit_endpoint(call.ports, call.workspace_id, call.path["webhookId"], call.json())
    return json_answer(200, WebhookAnswer.of(endpoint))


@api.route("DELETE", "/v2/webhooks/{webhookId}", scope="admin")
def remove(call: Call) -> Answer:
    """Remove a webhook."""
    return json_answer(200, RemovedWebhookAnswer.of(removed(call.ports, call.workspace_id, call.path["webhookId"])))
