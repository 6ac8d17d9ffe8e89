"""Changes to posts over HTTP: edit them, cancel them, try them again."""

from publisher.api import PostAnswer, PostDetail
from publisher.use_cases.cancel_post import cancel_post
from publisher.use_cases.edit_post import edit_post
from publisher.use_cases.retry_post import retry_post
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("PATCH", "/v2/posts/{postSubmissionId}", scope="posts:write")
def edit(call: Call) -> Answer:
    """Change a post that has not started."""
    left = call.seconds_left()
    post = edit_post(call.ports, call.workspace_id, call.path["postSubmissionId"], call.json(), seconds_left=left)
    return json_answer(200, PostDetail.of(post, call.request_id))


@api.route("DELETE", "/v2/posts/{postSubmissionId}", scope="posts:write")
def cancel(call: Call) -> Answer:
    """Cancel a post."""
    post = cancel_post(call.ports, call.workspace_id, call.path["postSubmissionId"])
    return json_answer(200, PostDetail.of(post, call.request_id))


@api.route("POST", "/v2/posts/{postSubmissionId}/retry", scope="posts:write")
def retry(call: Call) -> Answer:
    """Try a post again."""
    body = call.json() if call.body() else {}
    left = call.seconds_left()
    post = retry_post(call.ports, call.workspace_id, call.path["postSubmissionId"], body, seconds_left=left)
    return json_answer(200 if post.terminal else 202, PostAnswer.of(post, call.request_id))
