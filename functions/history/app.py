"""How accounts and their videos fared day by day, over HTTP: what was collected."""

from publisher.stats import HistoryAnswer, HistoryQuery
from publisher.use_cases.read_history import read_history
from publisher.web import Answer, Api, Call, csv_answer, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/v2/accounts/{account_id}/history", scope="stats:read")
def history(call: Call) -> Answer:
    """Show an account, or one of its videos, as JSON or as a table."""
    account_id, asked = call.path["account_id"], HistoryQuery.of(call.query)
    days = read_history(call.ports, call.workspace_id, account_id, call.query)
    answer = HistoryAnswer.of(account_id, asked, days)
    return csv_answer(answer.csv(), f"history-{account_id}.csv") if asked.as_csv else json_answer(200, answer)
