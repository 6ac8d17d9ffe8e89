"""What TikTok's refusals become; how they travel is in tests/integration/test_tiktok_client.py."""

import pytest
from pydantic import SecretStr
from requests.structures import CaseInsensitiveDict

from publisher.domain import errors
from publisher.tiktok.failures import (
    CODES,
    EXCHANGE,
    FAIL_REASONS,
    REFRESH,
    api_failure,
    chunk_failure,
    failure_of,
    oauth_failure,
    safe,
    unreadable,
)
from publisher.tiktok.transport import Answer
from publisher.tiktok.wire import ApiError, OAuthError

LOG_ID = "20261122103000EMU0000000000000001"


def an_answer(status=200, **headers):
    return Answer(status, CaseInsensitiveDict({name.replace("_", "-"): text for name, text in headers.items()}), b"")


def refused(code="invalid_params", message="", status=400, scopes=(), secrets=(), **headers):
    error = ApiError(code=code, message=message, log_id=LOG_ID)
    return api_failure(an_answer(status, **headers), error, scopes=scopes, secrets=secrets)


def refused_by_oauth(error, grants, status=200, description=""):
    said = OAuthError(error=error, error_description=description, log_id=LOG_ID)
    return oauth_failure(an_answer(status), said, grants, secrets=())


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("code", CODES)
def test_a_known_code_decides_whatever_the_status(code, status):
    failure = refused(code, status=status)

    assert type(failure) is CODES[code].error
    assert failure.tiktok_code == code
    assert failure.tiktok_log_id == LOG_ID


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, errors.PublishingFailed),
        (400, errors.PublishingFailed),
        (401, errors.TokenExpired),
        (403, errors.PublishingFailed),
        (429, errors.RateLimitExceeded),
        (500, errors.ServiceUnavailable),
        (503, errors.ServiceUnavailable),
    ],
)
def test_an_unknown_code_is_judged_by_its_status(status, expected):
    failure = refused("nobody_knows_this", status=status)

    assert type(failure) is expected
    assert failure.tiktok_code == "nobody_knows_this"


@pytest.mark.parametrize("row", [*CODES.items(), *FAIL_REASONS.items()], ids=lambda row: row[0])
def test_every_known_failure_says_what_happened_and_what_to_do(row):
    _, meaning = row

    assert meaning.sentence.endswith((".", "{words}"))
    assert meaning.advice.endswith(".")
    assert issubclass(meaning.error, (errors.TikTokRefused, errors.TryAgain))


@pytest.mark.parametrize("row", [*CODES.items(), *FAIL_REASONS.items()], ids=lambda row: row[0])
def test_a_limit_says_after_how_many_seconds_to_come_again_and_nothing_else_does(row):
    _, meaning = row

    assert (meaning.retry_after is not None) == issubclass(meaning.error, errors.RateLimitExceeded)


def test_a_missing_scope_is_named():
    failure = refused("scope_not_authorized", status=401, scopes=["video.publish"])

    assert type(failure) is errors.InvalidToken
    assert failure.error == "The account has not granted video.publish."


def test_tiktoks_words_are_kept_in_what_it_refuses_for_its_parameters():
    failure = refused("invalid_params", "The chunk size is invalid")

    assert failure.error == "TikTok refused the request: The chunk size is invalid (invalid_params)"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), ("0", 1), ("99999999999", 86400), ("Wed, 21 Oct 2026 07:28:00 GMT", 60), ("-5", 60), ("", 60)],
)
def test_a_rate_limit_waits_as_long_as_tiktok_says_or_a_minute(header, seconds):
    assert refused("rate_limit_exceeded", status=429, Retry_After=header).retry_after == seconds


def test_a_refusal_that_time_does_not_mend_has_no_retry_after():
    assert refused("invalid_params", Retry_After="7").retry_after is None


def test_the_log_id_comes_from_the_header_when_the_body_has_none():
    failure = api_failure(an_answer(500, X_Tt_Logid=LOG_ID), ApiError(code="internal_error"), scopes=(), secrets=())

    assert failure.tiktok_log_id == LOG_ID


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "ServiceUnavailable"),
        (302, "ServiceUnavailable"),
        (401, "ServiceUnavailable"),
        (403, "ServiceUnavailable"),
        (429, "RateLimitExceeded"),
        (502, "ServiceUnavailable"),
    ],
)
def test_an_answer_that_is_not_tiktoks_is_no_refusal(status, expected):
    assert type(unreadable(an_answer(status))).__name__ == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, "ServiceUnavailable"),
        (400, "PublishingFailed"),
        (401, "PublishingFailed"),
        (413, "PublishingFailed"),
        (429, "RateLimitExceeded"),
        (500, "ServiceUnavailable"),
        (502, "ServiceUnavailable"),
    ],
)
def test_a_chunk_is_refused_for_good_only_by_a_client_error(status, expected):
    assert type(chunk_failure(an_answer(status))).__name__ == expected


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("error", "exchange", "refresh"),
    [
        ("invalid_grant", "ConnectionRefused", "TokenExpired"),
        ("invalid_request", "ConnectionRefused", "InvalidToken"),
        ("invalid_client", "ServiceUnavailable", "ServiceUnavailable"),
        ("unauthorized_client", "ServiceUnavailable", "ServiceUnavailable"),
        ("invalid_scope", "ConnectionRefused", "InvalidToken"),
        ("unsupported_grant_type", "ConnectionRefused", "InvalidToken"),
        ("unsupported_response_type", "ConnectionRefused", "InvalidToken"),
        ("access_denied", "ConnectionRefused", "InvalidToken"),
        ("server_error", "ServiceUnavailable", "ServiceUnavailable"),
        ("temporarily_unavailable", "ServiceUnavailable", "ServiceUnavailable"),
        ("nobody_knows_this", "ConnectionRefused", "InvalidToken"),
    ],
)
def test_only_a_dead_refresh_token_asks_the_creator_to_connect_again(error, exchange, refresh, status):
    assert type(refused_by_oauth(error, EXCHANGE, status)).__name__ == exchange
    assert type(refused_by_oauth(error, REFRESH, status)).__name__ == refresh


@pytest.mark.parametrize(("status", "expected"), [(429, "RateLimitExceeded"), (500, "ServiceUnavailable")])
def test_an_unknown_refusal_under_a_servers_status_is_no_refusal_of_the_token(status, expected):
    assert type(refused_by_oauth("nobody_knows_this", REFRESH, status)).__name__ == expected


@pytest.mark.parametrize(
    ("reason", "expected", "retryable"),
    [
        ("file_format_check_failed", "VideoProcessingFailed", False),
        ("duration_check_failed", "VideoProcessingFailed", False),
        ("frame_rate_check_failed", "VideoProcessingFailed", False),
        ("picture_size_check_failed", "VideoProcessingFailed", False),
        ("internal", "ServiceUnavailable", True),
        ("video_pull_failed", "ServiceUnavailable", True),
        ("photo_pull_failed", "ServiceUnavailable", True),
        ("publish_cancelled", "PublishingFailed", False),
        ("auth_removed", "TokenExpired", False),
        ("spam_risk_too_many_posts", "PostLimitReached", True),
        ("spam_risk_user_banned_from_posting", "AccountDisabled", False),
        ("spam_risk_text", "PublishingFailed", False),
        ("spam_risk", "PublishingFailed", False),
    ],
)
def test_a_posts_fail_reason_becomes_the_error_of_whoever_can_act(reason, expected, retryable):
    failure = failure_of(reason, LOG_ID).failure()

    assert (failure.name, failure.retryable) == (expected, retryable)
    assert (failure.tiktok_code, failure.tiktok_log_id) == (reason, LOG_ID)


def test_an_unknown_fail_reason_is_permanent_and_keeps_its_text():
    failure = failure_of("the moon is in the wrong house", LOG_ID)

    assert type(failure) is errors.PublishingFailed
    assert failure.error == "TikTok did not publish the post: the moon is in the wrong house"
    assert failure.tiktok_code == "the moon is in the wrong house"


def test_a_post_that_failed_without_a_reason_says_so():
    failure = failure_of("", "")

    assert failure.error == "TikTok did not publish the post: it gave no reason"
    assert (failure.tiktok_code, failure.tiktok_log_id) == (None, None)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The chunk size is invalid", "The chunk size is invalid"),
        ("two\r\nlines\tof\x1b[31m text\u202e", "two lines of[31m text"),
        ("token act.abc!123 and rft.def", "token … and …"),
        ("see https://upload.example/u?upload_token=1 now", "see … now"),
        ("see https://developers.tiktok.com/doc/x#y", "see https://developers.tiktok.com/doc/x#y"),
        ("x" * 1000, "x" * 200),
    ],
)
def test_tiktoks_words_are_shown_short_and_without_secrets(said, shown):
    assert safe(said) == shown


def test_a_secret_that_tiktok_sends_back_is_not_shown():
    failure = refused("oops-hunter2", "you sent hunter2", secrets=[SecretStr("hunter2"), SecretStr("")])

    assert "hunter2" not in repr(failure.failure())


@pytest.mark.parametrize("meaning", [CODES["url_ownership_unverified"], FAIL_REASONS["photo_pull_failed"]])
def test_when_tiktok_does_not_reach_the_pictures_the_operator_is_told_where_to_read_on(meaning):
    assert "The operator verifies the address of the API at TikTok" in meaning.advice
    assert '(README, "Verify your address")' in meaning.advice


@pytest.mark.parametrize("failure", [refused("invalid_file_upload"), failure_of("file_format_check_failed", "")])
def test_what_is_wrong_with_media_is_said_of_pictures_too(failure):
    assert "media" in failure.error
    assert "video" not in f"{failure.error} {failure.message}"


def test_too_many_drafts_are_looked_for_in_the_inbox_for_a_day():
    failure = refused("spam_risk_too_many_pending_share", status=403)

    assert "inbox" in failure.error
    assert "24 hours" in failure.message
