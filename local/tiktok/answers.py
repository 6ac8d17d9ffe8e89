"""The shapes of TikTok's answers: envelope, refusals, log ids."""

import secrets
from typing import Any

from local.tiktok import rules
from local.tiktok.clock import timestamp
from local.tiktok.settings import Settings
from local.tiktok.web import Response, json_response


class RefusedError(Exception):
    """TikTok says no: an error code, with the HTTP status and message of the code unless others are given."""

    def __init__(self, code: str, message: str | None = None, status: int | None = None) -> None:
        usual_status, usual_message = rules.REFUSALS.get(code, (400, "The request was refused."))
        self.code = code
        self.message = usual_message if message is None else message
        self.status = usual_status if status is None else status
        super().__init__(f"{code}: {self.message}")


def new_log_id(now: float) -> str:
    """TikTok's form: 14 digits of UTC and 20 hexadecimal digits."""
    return timestamp(now) + secrets.token_hex(10).upper()


def ok(settings: Settings, log_id: str, data: dict[str, Any] | None = None) -> Response:
    """Success; the envelope has `data` only if there is any."""
    error = {"code": "ok", "message": "", settings.log_id_key: log_id}
    content = {"error": error} if data is None else {"data": data, "error": error}
    return json_response(200, content, {"x-tt-logid": log_id})


def refused(settings: Settings, log_id: str, refusal: RefusedError) -> Response:
    """Failure in the envelope of the Display and Content Posting APIs."""
    code = settings.invalid_params_code if refusal.code == "invalid_params" else refusal.code
    content: dict[str, Any] = {"error": {"code": code, "message": refusal.message, settings.log_id_key: log_id}}
    # Refusals under HTTP 200 were only seen with empty data.
    if settings.error_data == "empty" or refusal.status == 200:  # noqa: PLR2004  # an HTTP status
        content["data"] = {}
    return json_response(refusal.status, content, {"x-tt-logid": log_id})


def creator_refused(settings: Settings, log_id: str, refusal: RefusedError) -> Response:
    """Failure of creator_info: a creator who cannot post now is told so under HTTP 200."""
    status = 200 if refusal.code in rules.CREATOR_CANNOT_POST else refusal.status
    return refused(settings, log_id, RefusedError(refusal.code, refusal.message, status))


def oauth_refused(settings: Settings, log_id: str, refusal: RefusedError) -> Response:
    """Failure in the flat shape of the OAuth endpoints."""
    content = {"error": refusal.code, "error_description": refusal.message, "log_id": log_id}
    status = refusal.status if refusal.status >= 500 else settings.oauth_error_status  # noqa: PLR2004  # server errors
    return json_response(status, content, {"x-tt-logid": log_id})


def upload_refused(_settings: Settings, log_id: str, refusal: RefusedError) -> Response:
    """Failure of the hosts of uploads and covers: the status says all."""
    return Response(refusal.status, headers={"x-tt-logid": log_id})
