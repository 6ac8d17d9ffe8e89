"""Checks of posts over HTTP, which do nothing."""

from publisher.use_cases.validate_post import validate_post
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("POST", "/v2/posts/validate", scope="posts:write")
def validate(call: Call) -> Answer:
    """Tell what is wrong with a post, and what its media holds."""
    ports, body, left = call.ports, call.json(), call.seconds_left
    return json_answer(
        200, validate_post(ports, call.workspace_id, body, request_id=call.request_id, seconds_left=left)
    )
