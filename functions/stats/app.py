"""How accounts and their videos fare, over HTTP: what TikTok says, or said lately."""

from publisher.stats import MetricsAnswer, OneVideoAnswer, VideosAnswer, asked_account, asked_page
from publisher.use_cases.post_of_video import post_of_video
from publisher.use_cases.read_figures import read_figures, read_video, read_videos
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.route("GET", "/api/performance/metrics", scope="stats:read")
def metrics(call: Call) -> Answer:
    """Show an account's figures and its latest videos."""
    account_id, left = asked_account(call.query), call.seconds_left()
    read = read_figures(call.ports, call.workspace_id, account_id, seconds_left=left)
    return json_answer(200, MetricsAnswer.of(account_id, read))


@api.route("GET", "/v2/accounts/{account_id}/videos", scope="stats:read")
def videos(call: Call) -> Answer:
    """List an account's videos, newest first."""
    account_id, (cursor, limit), left = call.path["account_id"], asked_page(call.query), call.seconds_left()
    read = read_videos(call.ports, call.workspace_id, account_id, cursor=cursor, limit=limit, seconds_left=left)
    return json_answer(200, VideosAnswer.of(account_id, read))


@api.route("GET", "/v2/accounts/{account_id}/videos/{video_id}", scope="stats:read")
def video(call: Call) -> Answer:
    """Show one video, and how it did at each age beside the others."""
    account_id, video_id, left = call.path["account_id"], call.path["video_id"], call.seconds_left()
    read, ages = read_video(call.ports, call.workspace_id, account_id, video_id, seconds_left=left)
    return json_answer(200, OneVideoAnswer.of(account_id, read, ages, post_of_video(call.ports, account_id, video_id)))
