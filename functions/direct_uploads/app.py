"""Small files over HTTP, whole in one request."""

from publisher.forms import sent_file
from publisher.use_cases.upload_file import upload_file
from publisher.web import Answer, Api, Call, upload_answer

api = Api()
handler = api.handler


@api.route("POST", "/api/v2/media/upload", scope="posts:write")
def take(call: Call) -> Answer:
    """Take a small file, whole, in the field `file` of a form."""
    file = sent_file(call, "file")
    return upload_answer(call, upload_file(call.ports, call.workspace_id, file.name, file.data), 201)
