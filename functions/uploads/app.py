"""Uploads over HTTP: begin them, say where their parts go, complete them, drop them."""

from publisher.use_cases.begin_upload import begin_upload
from publisher.use_cases.drop_upload import drop_upload
from publisher.use_cases.find_upload import show_upload
from publisher.use_cases.take_parts import complete_upload, sign_parts
from publisher.web import Answer, Api, Call, dropped_upload_answer, upload_answer

api = Api()
handler = api.handler


@api.route("POST", "/v2/media/uploads", scope="posts:write")
def begin(call: Call) -> Answer:
    """Begin an upload."""
    return upload_answer(call, begin_upload(call.ports, call.workspace_id, call.json()), 201)


@api.route("GET", "/v2/media/uploads/{uploadId}", scope="posts:write")
def show(call: Call) -> Answer:
    """Show how far an upload has come."""
    return upload_answer(call, show_upload(call.ports, call.workspace_id, call.path["uploadId"]))


@api.route("POST", "/v2/media/uploads/{uploadId}/parts", scope="posts:write")
def sign(call: Call) -> Answer:
    """Say where parts are to be sent."""
    return upload_answer(call, sign_parts(call.ports, call.workspace_id, call.path["uploadId"], call.json()))


@api.route("POST", "/v2/media/uploads/{uploadId}/complete", scope="posts:write")
def complete(call: Call) -> Answer:
    """Make one file of all parts."""
    return upload_answer(call, complete_upload(call.ports, call.workspace_id, call.path["uploadId"], call.json()))


@api.route("DELETE", "/v2/media/uploads/{uploadId}", scope="posts:write")
def drop(call: Call) -> Answer:
    """Remove an upload."""
    return dropped_upload_answer(drop_upload(call.ports, call.workspace_id, call.path["uploadId"]))
