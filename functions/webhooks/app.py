"""What TikTok tells by itself: its events."""

from publisher.use_cases.take_event import take_event
from publisher.web import Answer, Api, Call, json_answer

api = Api()
handler = api.handler


@api.public("POST", "/webhooks/tiktok")
def receive(call: Call) -> Answer:
    """Take an event in; its signature is the credential."""
    take_event(call.ports, call.body(), call.header("tiktok-signature"))
    return json_answer(200, "{}")
