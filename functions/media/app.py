"""What TikTok fetches: the pictures of a post, and the file that shows whose address this is."""

from publisher.use_cases.pull_picture import pull_picture
from publisher.use_cases.read_ownership_file import read_ownership_file
from publisher.web import Answer, Api, Call, File, picture_answer, text_answer

api = Api()
handler = api.handler


@api.public("GET", "/media/{prefix}/{name}")
@api.public("HEAD", "/media/{prefix}/{name}")
def pull(call: Call) -> File:
    """Give a picture; its address is the credential. Asking for its headers counts as pulling it."""
    name = call.path["name"]
    return picture_answer(pull_picture(call.ports, call.path["prefix"], name), name)


@api.public("GET", "/{name}")
@api.public("GET", "/media/{name}")
def prove_ownership(call: Call) -> Answer:
    """Give the ownership file, at the root of the address and at that of the pictures."""
    return text_answer(read_ownership_file(call.ports, call.path["name"]))
