"""The front page and the health check."""

from publisher.web import Answer, Api, Call, json_answer, page

api = Api()
handler = api.handler


@api.public("GET", "/")
def front(_: Call) -> Answer:
    """Say what answers here."""
    return page(
        200,
        "TikTok publishing",
        "This service publishes to connected TikTok accounts over HTTP.",
        "Connect an account with GET /oauth/tiktok/start, publish with POST /v2/posts, and follow a post with "
        "GET /v2/posts/{postSubmissionId}. Each call carries the header boring-api-key.",
    )


@api.public("GET", "/health")
def health(_: Call) -> Answer:
    """Say that the API answers."""
    return json_answer(200, '{"status":"ok"}')
