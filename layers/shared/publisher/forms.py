"""Forms as browsers and other clients send files in them: multipart/form-data (RFC 7578)."""

from io import BytesIO
from typing import NamedTuple

from multipart import MultipartError, MultipartParser, parse_options_header

from publisher.domain.errors import InvalidRequest, MissingParameter
from publisher.domain.limits import FORM_BODY_BYTES
from publisher.web import Call


class FormFile(NamedTuple):
    """A file of a form: the name that its sender gave it, and its bytes."""

    name: str
    data: bytes


def sent_file(call: Call, field: str) -> FormFile:
    """Return the file in a field of the request's form.

    MissingParameter when there is none, InvalidRequest when there are several, or the body is no form or too large.
    """
    kind, options = parse_options_header(call.header("content-type") or "")
    body = call.body(int(FORM_BODY_BYTES))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise InvalidRequest(
            "The body is no form with a file.", f"Send multipart/form-data with the field {field}.", field=field
        )
    # Nothing is written to disk: the body is in memory anyway.
    room = {"memory_limit": len(body) + 1, "spool_limit": len(body) + 1}
    try:
        files = [part for part in MultipartParser(BytesIO(body), options["boundary"], **room) if part.name == field]
    except MultipartError:
        raise InvalidRequest(
            "The form cannot be read.", "Send it whole, as multipart/form-data.", field=field
        ) from None
    if not files:
        raise MissingParameter(f"{field} is missing.", "Send the file in the field of this name.", field=field)
    if len(files) > 1:
        raise InvalidRequest(
            f"The form has {len(files)} files in {field}.", "Send each file in a request of its own.", field=field
        )
    return FormFile(files[0].filename or field, files[0].raw)
