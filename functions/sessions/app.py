"""Sessions of the dashboard over HTTP: sign in, see who is signed in, sign out."""

from publisher.browser import session_answer, sign_in_link_answer, signed_in_answer, signed_out_answer
from publisher.use_cases.sign_in import find_session, make_sign_in_link, sign_in, sign_out
from publisher.web import Answer, Api, Call

PATH = "/v2/session"
api = Api()
handler = api.handler


@api.public("POST", PATH)
def begin(call: Call) -> Answer:
    """Sign a browser in; the key, or the ticket of a link, in the body is the credential."""
    call.check_own_page()
    return signed_in_answer(call, sign_in(call.ports, call.json(), call.session_token))


@api.public("GET", PATH)
def show(call: Call) -> Answer:
    """Show the browser's session; its cookie is the credential."""
    return session_answer(find_session(call.ports, call.session_token))


@api.public("DELETE", PATH)
def end(call: Call) -> Answer:
    """Sign the browser out; its cookie is the credential."""
    call.check_own_page()
    call.check_csrf_token()
    sign_out(call.ports, call.session_token)
    return signed_out_answer(call)


@api.route("POST", f"{PATH}/links", scope="admin")
def link(call: Call) -> Answer:
    """Make a link that signs a browser in once, as if it had the key of this request."""
    return sign_in_link_answer(call, make_sign_in_link(call.ports, call.caller))
