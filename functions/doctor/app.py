"""The operator's check of the set-up over HTTP."""

from publisher.api import Checkup
from publisher.use_cases.examine import examine
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/v2/doctor", scope="admin")
def check(call: Call) -> Answer:
    """Tell what of the set-up works, what does not, and what to do about it."""
    findings = examine(call.ports, call.workspace_id, call.base_url(), seconds_left=call.seconds_left)
    return json_answer(200, Checkup.of(findings))
