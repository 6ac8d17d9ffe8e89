"""What can go wrong, by what the caller can do.

PublisherError
├── NotSignedIn          no address or key is known, or one that must not be used
├── Unreachable          no answer of the service; `outcome_unknown` when a change may have happened all the same
├── UnexpectedAnswer     an answer that is none of this API's
├── StillUnderWay        a post did not end in the time that the caller wanted to wait
├── OutcomeUnknown       a post was accepted, and what became of it could not be seen or told
├── OutputLost           what was asked for could not be printed
└── PublisherApiError    the service answered with an error
"""

from collections.abc import Mapping
from typing import Any


class PublisherError(Exception):
    """Base of all; `advice` says what to do."""

    def __init__(self, error: str, advice: str) -> None:
        super().__init__(f"{error} {advice}")
        self.error = error
        self.advice = advice


class NotSignedIn(PublisherError):
    """No address or key is known, or one that must not be used."""


class Unreachable(PublisherError):
    """No answer of the service. `outcome_unknown` tells that a change may have happened all the same."""

    def __init__(self, error: str, advice: str, *, outcome_unknown: bool) -> None:
        super().__init__(error, advice)
        self.outcome_unknown = outcome_unknown


class UnexpectedAnswer(PublisherError):
    """An answer that is none of this API's: another service listens there, or a newer one."""


class StillUnderWay(PublisherError):
    """A post did not end in the time that the caller wanted to wait; it goes on by itself."""


class OutcomeUnknown(PublisherError):
    """The post `post_id` was accepted, and what became of it could not be seen or told: publishing again makes two."""

    def __init__(self, post_id: str, reason: str) -> None:
        super().__init__(
            f"The post was accepted as {post_id}, but {reason}",
            f"Do not publish it again; look what became of it: publisher post {post_id} --wait",
        )
        self.post_id = post_id


class OutputLost(PublisherError):
    """What was asked for could not be printed. `reader_gone` tells that nobody wanted more of it."""

    def __init__(self, reason: str, *, reader_gone: bool) -> None:
        super().__init__(f"The answer could not be printed: {reason}.", "Look where the output goes, and ask again.")
        self.reader_gone = reader_gone


class PublisherApiError(PublisherError):
    """The service answered with an error.

    `code` is the API's, `post_id` is set when a post exists, `retry_after` is in seconds, `tiktok_log_id` is for asking
    TikTok, and `answer` is the whole body.
    """

    def __init__(self, status: int, answer: Mapping[str, Any], retry_after: int | None = None) -> None:
        super().__init__(
            str(answer.get("error") or f"The service answered {status}."),
            str(answer.get("message") or "Look whether the address is that of the service."),
        )
        self.status = status
        self.answer = dict(answer)
        self.code = str(answer.get("code") or "")
        self.retryable = answer.get("retryable") is True
        self.request_id: str | None = answer.get("requestId")
        self.post_id: str | None = answer.get("postSubmissionId")
        self.tiktok_log_id: str | None = answer.get("tiktok_log_id")
        self.problems: list[dict[str, Any]] = answer.get("problems") or []
        self.retry_after = retry_after

    @property
    def facts(self) -> str:
        """What to tell whoever looks into it."""
        told = {
            "status": self.status,
            "code": self.code,
            "post": self.post_id,
            "request": self.request_id,
            "TikTok's log id": self.tiktok_log_id,
            "try again in seconds": self.retry_after,
        }
        return ", ".join(f"{name} {value}" for name, value in told.items() if value)
