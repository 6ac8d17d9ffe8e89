"""Accounts over HTTP: list them, disconnect them, and what they may do now."""

from publisher.api import AccountAnswer, AccountList, CreatorAnswer, DisconnectedAnswer, QuotaAnswer
from publisher.use_cases.disconnect import disconnect
from publisher.use_cases.get_creator import get_creator
from publisher.use_cases.get_quota import get_quota
from publisher.use_cases.list_accounts import list_accounts
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/api/accounts", scope="accounts:read")
def find(call: Call) -> Answer:
    """List the workspace's accounts."""
    accounts, now = list_accounts(call.ports, call.workspace_id), call.ports.clock.now()
    return json_answer(200, AccountList(accounts=[AccountAnswer.of(account, now) for account in accounts]))


@api.route("DELETE", "/api/accounts/{account_id}", scope="accounts:write")
def end(call: Call) -> Answer:
    """Disconnect an account."""
    account = disconnect(call.ports, call.workspace_id, call.path["account_id"], seconds_left=call.seconds_left())
    return json_answer(200, DisconnectedAnswer.of(account))


@api.route("GET", "/v2/accounts/{account_id}/creator-info", scope="accounts:read")
def creator(call: Call) -> Answer:
    """Show what the creator may choose now."""
    account_id = call.path["account_id"]
    found = get_creator(call.ports, call.workspace_id, account_id, seconds_left=call.seconds_left())
    return json_answer(200, CreatorAnswer.of(account_id, found))


@api.route("GET", "/v2/accounts/{account_id}/quota", scope="accounts:read")
def quota(call: Call) -> Answer:
    """Show what is left of the account's limits."""
    account_id = call.path["account_id"]
    return json_answer(200, QuotaAnswer.of(account_id, get_quota(call.ports, call.workspace_id, account_id)))
