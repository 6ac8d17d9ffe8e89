"""Everything that can go wrong, in three families by who can do something about it.

PublisherError
├── RequestInvalid              the caller changes the request
│   ├── InvalidApiKey           no key, an unknown one, a revoked or expired one
│   ├── InvalidSignature        an event that TikTok has not signed
│   ├── InsufficientScope       the key may not do this
│   ├── ForgedRequest           a browser sent this for another site
│   ├── NotFound                no such object in this workspace
│   ├── InvalidRequest          the body or a field is wrong
│   │   ├── MissingParameter    a field that has no default is absent
│   │   ├── InvalidPlatform     not "tiktok"
│   │   ├── InvalidAccountId    no such account in this workspace
│   │   ├── MediaRequired       no media at all
│   │   ├── InvalidMediaUrl     a URL that may never be fetched
│   │   ├── TextTooLong         a caption over TikTok's limit
│   │   ├── IdempotencyKeyReused  the same key with another body
│   │   ├── WrongStatus         the post has gone too far for this
│   │   └── InvalidPost         several of these at once
│   ├── MediaDownloadFailed     the URL did not give the whole media
│   │   └── MediaUnavailable    perhaps only for the moment: tried again a few times
│   ├── InvalidMediaType        the bytes are not what TikTok takes
│   └── MediaTooLarge           more bytes than TikTok takes
├── TikTokRefused               a person acts: at TikTok, or on the account
│   ├── TokenExpired            the creator connects the account again
│   ├── InvalidToken            TikTok refuses the token for this call
│   ├── AccountDisabled         TikTok does not let this creator post
│   ├── ConnectionRefused       connecting the account did not work out
│   ├── PublishingFailed        TikTok refused the post
│   └── VideoProcessingFailed   TikTok refused the media
└── TryAgain                    time passes, then the same call
    ├── RateLimitExceeded       too many calls for now
    │   ├── Paced               TikTok would refuse a call, so it was not made
    │   └── PostLimitReached    too many posts for now, which no worker waits out
    ├── RequestInFlight         the same Idempotency-Key is being answered
    ├── ServiceUnavailable      TikTok or AWS did not answer well
    │   └── NotTaken            in none of the attempts, and no worker makes another
    ├── Busy                    another worker is at the same object
    ├── UploadExpired           the upload URL died before its last byte was offered
    ├── Timeout                 an answer did not come in time
    └── InternalServerError     a fault of ours

A class's name is its error name in the state machine; `code` is what the API answers.
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel


class Failure(BaseModel):
    """An error as data: what the ledger keeps and the API shows. Holds no secret."""

    name: str
    code: str
    error: str
    message: str
    retryable: bool
    field: str | None = None
    tiktok_code: str | None = None
    tiktok_log_id: str | None = None
    retry_after: int | None = None
    limit: str | None = None


class PublisherError(Exception):
    """An error that a person can read: `error` says what happened, `message` what to do.

    `retry_after` is in seconds; `tiktok_code` and `tiktok_log_id` are TikTok's own, for asking TikTok about it. `limit`
    names the window of domain/slots.py that is full.
    """

    code: ClassVar[str] = "InternalServerError"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        error: str,
        message: str,
        *,
        field: str | None = None,
        tiktok_code: str | None = None,
        tiktok_log_id: str | None = None,
        retry_after: int | None = None,
        limit: str | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.message = message
        self.field = field
        self.tiktok_code = tiktok_code
        self.tiktok_log_id = tiktok_log_id
        self.retry_after = retry_after
        self.limit = limit

    def __init_subclass__(cls) -> None:
        """Give each class its own name as code, unless it names another."""
        if "code" not in cls.__dict__:
            cls.code = cls.__name__

    def failure(self) -> Failure:
        """Return the error as data."""
        return Failure(
            name=type(self).__name__,
            code=self.code,
            error=self.error,
            message=self.message,
            retryable=self.retryable,
            field=self.field,
            tiktok_code=self.tiktok_code,
            tiktok_log_id=self.tiktok_log_id,
            retry_after=self.retry_after,
            limit=self.limit,
        )


class RequestInvalid(PublisherError):
    """The caller has to change the request."""


class InvalidApiKey(RequestInvalid):
    """No key, an unknown one, a revoked or an expired one."""


class InvalidSignature(RequestInvalid):
    """An event that TikTok has not signed, not lately, or not for our app."""


class InsufficientScope(RequestInvalid):
    """The key is good but may not do this."""


class ForgedRequest(RequestInvalid):
    """A request with a session's cookie that no page of ours has sent."""


class NotFound(RequestInvalid):
    """No such object in this workspace; another workspace's object looks the same."""


class InvalidRequest(RequestInvalid):
    """The body or a field is wrong."""


class MissingParameter(InvalidRequest):
    """A field that has no default is absent."""


class InvalidPlatform(InvalidRequest):
    """The platform is not "tiktok"."""


class InvalidAccountId(InvalidRequest):
    """No such account in this workspace."""


class MediaRequired(InvalidRequest):
    """The post has no media."""


class InvalidMediaUrl(InvalidRequest):
    """A URL that may never be fetched, whatever stands behind it."""


class TextTooLong(InvalidRequest):
    """A caption over TikTok's limit."""


class IdempotencyKeyReused(InvalidRequest):
    """An Idempotency-Key came again with another body."""

    code = "InvalidRequest"


class WrongStatus(InvalidRequest):
    """The post has gone too far, or not far enough, for what is asked."""

    code = "InvalidRequest"


class InvalidPost(InvalidRequest):
    """Everything that is wrong with a post, so that one answer tells it all; the first problem speaks for it."""

    def __init__(self, problems: Sequence[RequestInvalid]) -> None:
        """Gather at least one problem."""
        first = problems[0]
        super().__init__(first.error, first.message, field=first.field)
        self.problems = tuple(problem.failure() for problem in problems)
        self.first = first

    def failure(self) -> Failure:
        """Return the first problem as data."""
        return self.first.failure()


class MediaDownloadFailed(RequestInvalid):
    """The URL did not give the whole media."""


class InvalidMediaType(RequestInvalid):
    """The bytes are not media that TikTok takes."""


class MediaTooLarge(RequestInvalid):
    """More bytes than TikTok takes."""


class TikTokRefused(PublisherError):
    """A person has to act, at TikTok or on the account."""

    code = "PublishingFailed"


class TokenExpired(TikTokRefused):
    """The creator has to connect the account again."""


class InvalidToken(TikTokRefused):
    """TikTok refuses the token for this call, for example because a scope was not granted."""


class AccountDisabled(TikTokRefused):
    """Nobody can post to this account: TikTok does not let its creator, or it is disconnected."""


class ConnectionRefused(TikTokRefused):
    """Connecting the account did not work out: denied, expired, reused, or held by another workspace."""

    code = "InvalidRequest"


class PublishingFailed(TikTokRefused):
    """TikTok refused the post."""


class VideoProcessingFailed(TikTokRefused):
    """TikTok refused the media."""


class TryAgain(PublisherError):
    """Nothing is wrong that time does not mend."""

    code = "ServiceUnavailable"
    retryable = True


class RateLimitExceeded(TryAgain):
    """Too many calls for now."""


class MediaUnavailable(MediaDownloadFailed, TryAgain):
    """The media server did not answer well, which time may mend; the machine tries again before the post fails."""

    code = "MediaDownloadFailed"


class Paced(RateLimitExceeded):
    """A call that TikTok would refuse was not made; after `retry_after` seconds it can be."""

    code = "RateLimitExceeded"


class PostLimitReached(RateLimitExceeded):
    """A limit of TikTok's or ours that frees after long: no worker waits it out, the caller is told when."""

    code = "RateLimitExceeded"


class RequestInFlight(TryAgain):
    """A request with the same Idempotency-Key is being answered."""

    code = "InvalidRequest"


class ServiceUnavailable(TryAgain):
    """TikTok or AWS did not answer well."""


class NotTaken(ServiceUnavailable):
    """TikTok took the post in none of the attempts, and no worker makes another: the caller may, later."""

    code = "ServiceUnavailable"


class Busy(TryAgain):
    """Another worker is at the same object: it holds the lease, or has changed it since it was read."""

    code = "ServiceUnavailable"


class UploadExpired(TryAgain):
    """The upload URL died before its last byte was offered, so that a new upload is safe."""

    code = "ServiceUnavailable"


class Timeout(TryAgain):
    """An answer did not come in time."""


class InternalServerError(TryAgain):
    """A fault of ours, which our log explains."""
