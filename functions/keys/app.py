"""API keys over HTTP: list them, make them, revoke them."""

from publisher.api import KeyAnswer, KeyList, NewKeyAnswer
from publisher.use_cases.create_key import create_key_of_workspace
from publisher.use_cases.list_keys import list_keys
from publisher.use_cases.revoke_key import revoke_key
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/v2/keys", scope="admin")
def find(call: Call) -> Answer:
    """List the workspace's keys."""
    keys = list_keys(call.ports, call.workspace_id)
    return json_answer(200, KeyList(keys=[KeyAnswer.of(key) for key in keys]))


@api.route("POST", "/v2/keys", scope="admin")
def create(call: Call) -> Answer:
    """Make a key, and show its text this once."""
    key, text = create_key_of_workspace(call.ports, call.workspace_id, call.json())
    return json_answer(201, NewKeyAnswer.of_new(key, text))


@api.route("DELETE", "/v2/keys/{keyId}", scope="admin")
def revoke(call: Call) -> Answer:
    """Revoke a key; it opens nothing from its next request on."""
    return json_answer(200, KeyAnswer.of(revoke_key(call.ports, call.workspace_id, call.path["keyId"])))
