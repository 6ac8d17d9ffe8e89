"""Posts over HTTP: take them in, show them, list them."""

from publisher.api import PostDetail, PostList
from publisher.use_cases.create_post import create_post, wait_for_outcome
from publisher.use_cases.get_post import get_post, last_look
from publisher.use_cases.list_posts import list_posts
from publisher.web import Answer, Api, Call, json_answer, post_answer, wanted_wait

api = Api()
handler = api.handler


@api.route("POST", "/v2/posts", scope="posts:write")
def create(call: Call) -> Answer:
    """Accept a post, and wait for its outcome unless the caller prefers not to."""
    key, left, wanted = call.header("idempotency-key"), call.seconds_left(), wanted_wait(call.header("prefer"))
    accepted = create_post(
        call.ports, call.workspace_id, call.json(), idempotency_key=key, seconds_left=left, patient=wanted == 0
    )
    wait = 0 if accepted.replay else min(wanted, call.seconds_left() - 2)
    return post_answer(call, accepted, wait_for_outcome(call.ports, accepted.post, seconds=wait))


@api.route("GET", "/v2/posts/{postSubmissionId}", scope="posts:read")
def get(call: Call) -> Answer:
    """Show a post."""
    post = get_post(call.ports, call.workspace_id, call.path["postSubmissionId"])
    return json_answer(200, PostDetail.of(post, call.request_id, last_look(call.ports, post)))


@api.route("GET", "/v2/posts", scope="posts:read")
@api.route("GET", "/api/published-posts", scope="posts:read")
def find(call: Call) -> Answer:
    """List posts, newest first."""
    return json_answer(200, PostList.of(list_posts(call.ports, call.workspace_id, call.query)))
