"""An account's defaults over HTTP: the options for posts that give none."""

from publisher.api import DefaultsAnswer
from publisher.use_cases.load_account import load_account
from publisher.use_cases.set_defaults import set_defaults
from publisher.web import Answer, Api, Call, json_answer

PATH = "/v2/accounts/{account_id}/defaults"
api = Api()
handler = api.handler


@api.route("GET", PATH, scope="accounts:read")
def get(call: Call) -> Answer:
    """Show them."""
    return json_answer(200, DefaultsAnswer.of(load_account(call.ports, call.workspace_id, call.path["account_id"])))


@api.route("PUT", PATH, scope="accounts:write")
def replace(call: Call) -> Answer:
    """Replace them."""
    account = set_defaults(call.ports, call.workspace_id, call.path["account_id"], call.json())
    return json_answer(200, DefaultsAnswer.of(account))
