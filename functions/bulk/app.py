"""Many posts in one request over HTTP."""

from publisher.api import BulkAnswer
from publisher.use_cases.create_posts import create_posts
from publisher.web import Answer, Api, Call, bulk_rows, json_answer

api = Api()
handler = api.handler


@api.route("POST", "/v2/posts/bulk", scope="posts:write")
def create(call: Call) -> Answer:
    """Take the rows in, each by itself."""
    key, rows = call.header("idempotency-key"), bulk_rows(call)
    answers = create_posts(call.ports, call.workspace_id, rows, idempotency_key=key, seconds_left=call.seconds_left)
    return json_answer(200, BulkAnswer.of(answers, call.request_id))
