"""What TikTok's refusals mean here: one table from TikTok's code to our error, what happened and what to do.

The code decides, whatever the HTTP status; a code that is not in the table is judged by the status. TikTok has three
dialects: the API's error object, the token endpoints' error string, and the reason why a post FAILED.
"""

import re
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import NamedTuple

from pydantic import SecretStr

from publisher.domain.errors import (
    AccountDisabled,
    ConnectionRefused,
    InvalidToken,
    PostLimitReached,
    PublisherError,
    PublishingFailed,
    RateLimitExceeded,
    ServiceUnavailable,
    TokenExpired,
    VideoProcessingFailed,
)
from publisher.domain.limits import POST_WINDOW_SECONDS, RATE_WINDOW_SECONDS
from publisher.tiktok.transport import Answer
from publisher.tiktok.wire import ApiError, OAuthError

_TEXT_CHARACTERS = 200
"""TikTok's own words are cut to this length in an error."""


class Meaning(NamedTuple):
    """Our error, what happened, what to do, and after how many seconds it may be over.

    `{words}` in the sentence stands for TikTok's own, `{scopes}` for the scopes that the call needs.
    """

    error: type[PublisherError]
    sentence: str
    advice: str
    retry_after: int | None = None


_RECONNECT = "The creator has to connect the account again (GET /oauth/tiktok/start)."
_START_AGAIN = "Start again with GET /oauth/tiktok/start."
_LATER = "Try again in a minute."
_FIX_MEDIA = "Change the media so that it keeps to the limits in README, and send the post again."
_VERIFY_ADDRESS = 'The operator verifies the address of the API at TikTok (README, "Verify your address").'
_TELL_OPERATOR = "If nothing is wrong with the post, tell the operator TikTok's log id."

_BANNED = Meaning(
    AccountDisabled, "TikTok has banned the creator from posting.", "The creator appeals in the TikTok app."
)
_POST_CAP = Meaning(
    PostLimitReached,
    "The creator has reached TikTok's limit of posts in 24 hours, which all apps share.",
    "Send the post again later, or with queueIfLimited.",
    POST_WINDOW_SECONDS,
)
_TOO_MANY_CALLS = Meaning(RateLimitExceeded, "TikTok takes no more calls for this minute.", _LATER, RATE_WINDOW_SECONDS)
_MISSING_SCOPE = Meaning(
    InvalidToken,
    "The account has not granted {scopes}.",
    "The creator connects the account again and allows it; "
    "if that does not help, the operator checks the app's products at TikTok.",
)
_INVALID_PARAMETERS = Meaning(
    PublishingFailed, "TikTok refused the request: {words}", f"Change the post and send it again. {_TELL_OPERATOR}"
)
_INVALID_TOKEN = Meaning(TokenExpired, "TikTok does not accept the account's access token.", _RECONNECT)
_INTERNAL = Meaning(ServiceUnavailable, "TikTok has an internal problem.", _LATER)

CODES: Mapping[str, Meaning] = {
    "access_token_invalid": _INVALID_TOKEN,
    "scope_not_authorized": _MISSING_SCOPE,
    "scope_permission_missed": _MISSING_SCOPE,
    "rate_limit_exceeded": _TOO_MANY_CALLS,
    "internal_error": _INTERNAL,
    "invalid_params": _INVALID_PARAMETERS,  # on the wire
    "invalid_param": _INVALID_PARAMETERS,  # in the documents
    "invalid_file_upload": Meaning(VideoProcessingFailed, "TikTok refused the media: {words}", _FIX_MEDIA),
    "app_version_check_failed": Meaning(
        PublishingFailed,
        "The creator's TikTok app is too old for drafts.",
        "The creator updates the TikTok app to 31.8 or later.",
    ),
    "invalid_publish_id": Meaning(
        PublishingFailed, "TikTok does not know the publish_id.", "Look in the TikTok app whether the post is there."
    ),
    "token_not_authorized_for_specified_publish_id": Meaning(
        PublishingFailed, "The post belongs to another TikTok account.", "Look in the TikTok app that account uses."
    ),
    "publish_not_cancellable": Meaning(
        PublishingFailed, "TikTok can no longer cancel the post.", "Delete it in the TikTok app once it is there."
    ),
    "spam_risk_too_many_posts": _POST_CAP,
    "spam_risk_too_many_pending_share": Meaning(
        PostLimitReached,
        "Too many drafts of the last 24 hours wait in the creator's inbox at TikTok.",
        "The creator posts or discards them in the TikTok app, or 24 hours pass; then send the draft again.",
        POST_WINDOW_SECONDS,
    ),
    "spam_risk_user_banned_from_posting": _BANNED,
    "reached_active_user_cap": Meaning(
        PostLimitReached,
        "The app has reached its number of creators in 24 hours at TikTok.",
        "Try again later; the operator can ask TikTok for more creators.",
        POST_WINDOW_SECONDS,
    ),
    "unaudited_client_can_only_post_to_private_accounts": Meaning(
        PublishingFailed,
        "TikTok has not audited the app, which may then post to private accounts only.",
        "The operator has the app audited, or the creator makes the account private while testing.",
    ),
    "url_ownership_unverified": Meaning(
        PublishingFailed,
        "TikTok has not verified that the address it is to fetch the media from belongs to the app.",
        _VERIFY_ADDRESS,
    ),
    "privacy_level_option_mismatch": Meaning(
        PublishingFailed,
        "The creator cannot choose this privacy level now.",
        "Send the post again with one of the levels that the account offers.",
    ),
}
"""The API's codes."""

_OTHER_CODE = Meaning(PublishingFailed, "TikTok refused the request: {words}", _TELL_OPERATOR)

_OF_APP_OR_SERVER: Mapping[str, Meaning] = {
    # The operator mends these, and until then good access tokens stay in use: so they are no reason to reconnect.
    "invalid_client": Meaning(
        ServiceUnavailable,
        "TikTok does not accept the app's key or secret.",
        "The operator stores the right key and secret of the app.",
    ),
    "unauthorized_client": Meaning(
        ServiceUnavailable,
        "TikTok does not let the app connect accounts.",
        "The operator checks that Login Kit is added to the app and approved.",
    ),
    "server_error": _INTERNAL,
    "temporarily_unavailable": _INTERNAL,
}


class Grants(NamedTuple):
    """What the token endpoints' codes mean for one kind of request; `other` is for any further refusal."""

    codes: Mapping[str, Meaning]
    other: Meaning


EXCHANGE = Grants(
    codes={
        **_OF_APP_OR_SERVER,
        "invalid_grant": Meaning(ConnectionRefused, "TikTok's code was used before or is too old.", _START_AGAIN),
    },
    other=Meaning(ConnectionRefused, "TikTok did not connect the account: {words}", _START_AGAIN),
)
REFRESH = Grants(
    codes={
        **_OF_APP_OR_SERVER,
        "invalid_grant": Meaning(TokenExpired, "TikTok no longer accepts the account's refresh token.", _RECONNECT),
    },
    other=Meaning(InvalidToken, "TikTok did not refresh the account's token: {words}", _TELL_OPERATOR),
)
REVOKE = Grants(
    codes={**_OF_APP_OR_SERVER, "invalid_grant": _INVALID_TOKEN},  # dead by itself, so the access may still stand
    other=Meaning(InvalidToken, "TikTok did not revoke the account's token: {words}", _TELL_OPERATOR),
)

FAIL_REASONS: Mapping[str, Meaning] = {
    "file_format_check_failed": Meaning(VideoProcessingFailed, "TikTok does not take the media's format.", _FIX_MEDIA),
    "duration_check_failed": Meaning(VideoProcessingFailed, "TikTok does not take the video's length.", _FIX_MEDIA),
    "frame_rate_check_failed": Meaning(
        VideoProcessingFailed, "TikTok does not take the video's frame rate.", _FIX_MEDIA
    ),
    "picture_size_check_failed": Meaning(
        VideoProcessingFailed, "TikTok does not take the width or height of the media.", _FIX_MEDIA
    ),
    "internal": Meaning(ServiceUnavailable, "TikTok had an internal problem with the post.", "Send the post again."),
    "video_pull_failed": Meaning(ServiceUnavailable, "TikTok could not fetch the video.", "Send the post again."),
    "photo_pull_failed": Meaning(
        ServiceUnavailable,
        "TikTok could not fetch the pictures.",
        f"Send the post again. If it stays so: {_VERIFY_ADDRESS}",
    ),
    "publish_cancelled": Meaning(PublishingFailed, "The post was cancelled at TikTok.", "Send the post again."),
    "auth_removed": Meaning(TokenExpired, "The creator withdrew the app's access meanwhile.", _RECONNECT),
    "spam_risk_too_many_posts": _POST_CAP,
    "spam_risk_user_banned_from_posting": _BANNED,
    "spam_risk_text": Meaning(
        PublishingFailed, "TikTok takes the caption for spam.", "Change the caption and send the post again."
    ),
    "spam_risk": Meaning(PublishingFailed, "TikTok takes the post for spam.", "Change the post before sending again."),
}
"""Why a post FAILED."""

_OTHER_REASON = Meaning(PublishingFailed, "TikTok did not publish the post: {words}", _TELL_OPERATOR)


def api_failure(
    answer: Answer, error: ApiError, *, scopes: Collection[str], secrets: Collection[SecretStr]
) -> PublisherError:
    """Return what an API error means. `scopes` are those that the call needs; `secrets` went out with it."""
    meaning = CODES.get(error.code) or _by_status(answer.status)
    if meaning is None:
        meaning = _INVALID_TOKEN if answer.status == HTTPStatus.UNAUTHORIZED else _OTHER_CODE
    return _make(meaning, answer, error, secrets=secrets, scopes=scopes)


def oauth_failure(
    answer: Answer, error: OAuthError, grants: Grants, *, secrets: Collection[SecretStr]
) -> PublisherError:
    """Return what a refusal of a token endpoint means."""
    meaning = grants.codes.get(error.error) or _by_status(answer.status) or grants.other
    said = ApiError(code=error.error, message=error.error_description, log_id=error.log_id)
    return _make(meaning, answer, said, secrets=secrets)


def unreadable(answer: Answer) -> PublisherError:
    """Return what an answer means that is not in TikTok's form, or lacks what a good answer holds."""
    meaning = _by_status(answer.status) or Meaning(
        ServiceUnavailable, f"TikTok's answer (HTTP {answer.status}) cannot be understood.", _LATER
    )
    return _make(meaning, answer, _NOTHING_SAID)


def chunk_failure(answer: Answer) -> PublisherError:
    """Return what it means that the upload host did not take a chunk."""
    if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and not _by_status(answer.status):
        refused = Meaning(PublishingFailed, f"TikTok refused the upload (HTTP {answer.status}).", _TELL_OPERATOR)
        return _make(refused, answer, _NOTHING_SAID)
    return unreadable(answer)


def failure_of(fail_reason: str, log_id: str) -> PublisherError:
    """Return what the reason of a FAILED post means; one that is not known is permanent and keeps its text."""
    meaning = FAIL_REASONS.get(fail_reason, _OTHER_REASON)
    words = safe(fail_reason) or "it gave no reason"
    return meaning.error(
        meaning.sentence.format(words=words),
        meaning.advice,
        tiktok_code=safe(fail_reason) or None,
        tiktok_log_id=safe(log_id) or None,
        retry_after=meaning.retry_after,
    )


_TOKEN = re.compile(r"\b(?:act|rft|clt)\.\S+")
_LINK = re.compile(r"\bhttps?://(?!developers\.tiktok\.com/)\S+", re.IGNORECASE)


def safe(text: str, secrets: Collection[SecretStr] = ()) -> str:
    """Return TikTok's words on one short line, without what went out as a secret, tokens, and links but to its docs."""
    for secret in filter(None, (secret.get_secret_value() for secret in secrets)):
        text = text.replace(secret, "…")
    text = _LINK.sub("…", _TOKEN.sub("…", text))
    line = " ".join(text.split())
    return "".join(character for character in line if character.isprintable())[:_TEXT_CHARACTERS]


def _by_status(status: int) -> Meaning | None:
    """Return what a status means that needs no code."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _TOO_MANY_CALLS
    return _INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else None


_NOTHING_SAID = ApiError(code="")


def _make(
    meaning: Meaning,
    answer: Answer,
    said: ApiError,
    *,
    secrets: Collection[SecretStr] = (),
    scopes: Collection[str] = (),
) -> PublisherError:
    words = f"{said.message} ({said.code})" if said.message else said.code
    return meaning.error(
        meaning.sentence.format(words=safe(words, secrets), scopes=" or ".join(scopes)),
        meaning.advice,
        tiktok_code=safe(said.code, secrets) or None,
        tiktok_log_id=safe(said.log_id or answer.headers.get("x-tt-logid", ""), secrets) or None,
        retry_after=_retry_after(answer, meaning),
    )


def _retry_after(answer: Answer, meaning: Meaning) -> int | None:
    """Return TikTok's own number of seconds, should it give one, for what passes by itself."""
    given = answer.headers.get("Retry-After", "")
    if meaning.error.retryable and given.isdecimal():
        return min(max(int(given[:6]), 1), POST_WINDOW_SECONDS)
    return meaning.retry_after
