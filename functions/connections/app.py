"""Connecting TikTok accounts, in a browser."""

from publisher.use_cases.finish_connecting import finish_connecting
from publisher.use_cases.start_connecting import make_connect_link, open_connect_link, start_connecting
from publisher.web import CALLBACK, Answer, Api, Call, connected_answer, consent_answer, link_answer, read_callback

api = Api()
handler = api.handler


@api.route("GET", "/oauth/tiktok/start", scope="accounts:write")
def start(call: Call) -> Answer:
    """Send the browser to TikTok; a program that accepts JSON gets a link for a browser instead."""
    if call.wants_json():
        return link_answer(call, make_connect_link(call.ports, call.workspace_id))
    call.check_leaving_page()
    return consent_answer(call, start_connecting(call.ports, call.workspace_id, call.base_url() + CALLBACK))


@api.public("GET", "/oauth/tiktok/connect/{ticket}")
def connect(call: Call) -> Answer:
    """Open a connect link; the ticket in it is the credential."""
    return consent_answer(call, open_connect_link(call.ports, call.path["ticket"], call.base_url() + CALLBACK))


@api.public("GET", CALLBACK)
def callback(call: Call) -> Answer:
    """Take the creator back from TikTok; the state and the session cookie are the credential."""
    return connected_answer(call, finish_connecting(call.ports, read_callback(call)))
