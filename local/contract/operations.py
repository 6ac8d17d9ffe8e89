"""What each route takes and answers; the rest of the contract follows from the code."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel

from publisher import api, endpoints, stats
from publisher.domain import errors
from publisher.domain.limits import PAGE_POSTS, VIDEOS_PER_CALL

type Errors = tuple[type[errors.PublisherError], ...]

PAGE, PICTURE, TEXT, CSV, ANY = "text/html", "image/jpeg", "text/plain", "text/csv", "*/*"
OPENAPI = "application/openapi+json"
REDIRECT = "redirect"

_WRONG: Errors = (errors.InvalidRequest, errors.MissingParameter)
_MEDIA: Errors = (
    errors.MediaRequired,
    errors.InvalidMediaUrl,
    errors.MediaDownloadFailed,
    errors.InvalidMediaType,
    errors.MediaTooLarge,
    errors.TextTooLong,
)
_ACCOUNT: Errors = (errors.AccountDisabled, errors.TokenExpired, errors.InvalidToken)
_POSTED: Errors = (
    *_WRONG,
    errors.InvalidPlatform,
    errors.InvalidAccountId,
    *_MEDIA,
    *_ACCOUNT,
    errors.PublishingFailed,
    errors.VideoProcessingFailed,
    errors.IdempotencyKeyReused,
    errors.RequestInFlight,
    errors.RateLimitExceeded,
    errors.Timeout,
)
_TIKTOK: Errors = (*_ACCOUNT, errors.PublishingFailed, errors.RateLimitExceeded, errors.Timeout)


class Query(NamedTuple):
    """A parameter of the query, with the JSON Schema of its values."""

    name: str
    means: str
    values: Mapping[str, object]
    required: bool = False


class Operation(NamedTuple):
    """A route: its body, what it answers by status, and its own errors; those that every route may answer are added."""

    tag: str
    answers: Mapping[int, type[BaseModel] | str]
    errors: Errors = ()
    body: type[BaseModel] | None = None
    query: tuple[Query, ...] = ()
    headers: tuple[str, ...] = ()
    csv_body: bool = False
    file_body: bool = False
    body_optional: bool = False


_TIME = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}
_CURSOR = Query("cursor", "Where to go on: the cursor of the answer before.", {"type": "string", "minLength": 1})
_ACCOUNT_ID = Query("accountId", "Posts of this account alone.", {"type": "string", "format": "uuid"})

_LIST = (
    Query("status", "Posts in this status alone.", {"$ref": "#/components/schemas/Status"}),
    _ACCOUNT_ID,
    Query("since", "Posts that were made at this time or later.", _TIME),
    Query("until", "Posts that were made before this time.", _TIME),
    Query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": int(PAGE_POSTS)}),
    _CURSOR,
)

OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/v2/posts"): Operation(
        "Posts",
        {200: api.PostAnswer, 202: api.PostAnswer},
        _POSTED,
        body=api.CreatePostRequest,
        headers=("Idempotency-Key", "Prefer"),
    ),
    ("POST", "/v2/posts/validate"): Operation(
        "Posts", {200: api.ValidationAnswer}, (errors.InvalidRequest, errors.Timeout), body=api.CreatePostRequest
    ),
    ("POST", "/v2/posts/bulk"): Operation(
        "Posts",
        {200: api.BulkAnswer},
        (*_WRONG, errors.IdempotencyKeyReused, errors.RequestInFlight),
        body=api.BulkRequest,
        csv_body=True,
        headers=("Idempotency-Key",),
        query=(Query("dryRun", "Check all rows, and post nothing.", {"type": "boolean"}),),
    ),
    ("GET", "/v2/posts"): Operation(
        "Posts",
        {200: api.PostList},
        _WRONG,
        query=_LIST,
    ),
    ("GET", "/v2/posts/{postSubmissionId}"): Operation("Posts", {200: api.PostDetail}, (errors.NotFound,)),
    ("PATCH", "/v2/posts/{postSubmissionId}"): Operation(
        "Posts",
        {200: api.PostDetail},
        (*_POSTED, errors.NotFound, errors.WrongStatus),
        body=api.EditPostRequest,
    ),
    ("DELETE", "/v2/posts/{postSubmissionId}"): Operation(
        "Posts", {200: api.PostDetail}, (errors.NotFound, errors.WrongStatus)
    ),
    ("POST", "/v2/posts/{postSubmissionId}/retry"): Operation(
        "Posts",
        {200: api.PostAnswer, 202: api.PostAnswer},
        (*_WRONG, *_TIKTOK, errors.NotFound, errors.WrongStatus),
        body=api.RetryRequest,
        body_optional=True,
    ),
    ("GET", "/api/published-posts"): Operation("Posts", {200: api.PostList}, _WRONG, query=_LIST),
    ("POST", "/api/v2/media/upload"): Operation(
        "Uploads", {201: api.UploadAnswer}, (*_WRONG, errors.MediaTooLarge, errors.InvalidMediaType), file_body=True
    ),
    ("POST", "/v2/media/uploads"): Operation(
        "Uploads", {201: api.UploadAnswer}, (*_WRONG, errors.MediaTooLarge), body=api.BeginUploadRequest
    ),
    ("GET", "/v2/media/uploads/{uploadId}"): Operation("Uploads", {200: api.UploadAnswer}, (errors.NotFound,)),
    ("POST", "/v2/media/uploads/{uploadId}/parts"): Operation(
        "Uploads", {200: api.UploadAnswer}, (*_WRONG, errors.NotFound), body=api.PartsRequest
    ),
    ("POST", "/v2/media/uploads/{uploadId}/complete"): Operation(
        "Uploads", {200: api.UploadAnswer}, (*_WRONG, errors.NotFound, errors.Busy), body=api.PartsRequest
    ),
    ("DELETE", "/v2/media/uploads/{uploadId}"): Operation(
        "Uploads", {200: api.DroppedUploadAnswer}, (errors.NotFound,)
    ),
    ("GET", "/oauth/tiktok/start"): Operation(
        "Accounts", {200: api.ConnectLinkAnswer, 302: REDIRECT}, (errors.ConnectionRefused,)
    ),
    ("GET", "/oauth/tiktok/connect/{ticket}"): Operation("Accounts", {302: REDIRECT}, (errors.ConnectionRefused,)),
    ("GET", "/oauth/tiktok/callback"): Operation(
        "Accounts",
        {200: api.ConnectedAnswer, 302: REDIRECT},
        (errors.ConnectionRefused, *_TIKTOK),
        query=tuple(
            Query(name, f"TikTok's `{name}`.", {"type": "string"}) for name in ("state", "code", "error", "error_type")
        ),
    ),
    ("GET", "/api/accounts"): Operation("Accounts", {200: api.AccountList}),
    ("DELETE", "/api/accounts/{account_id}"): Operation("Accounts", {200: api.DisconnectedAnswer}, (errors.NotFound,)),
    ("GET", "/v2/accounts/{account_id}/creator-info"): Operation(
        "Accounts", {200: api.CreatorAnswer}, (errors.NotFound, *_TIKTOK)
    ),
    ("GET", "/v2/accounts/{account_id}/quota"): Operation("Accounts", {200: api.QuotaAnswer}, (errors.NotFound,)),
    ("GET", "/v2/accounts/{account_id}/defaults"): Operation("Accounts", {200: api.DefaultsAnswer}, (errors.NotFound,)),
    ("PUT", "/v2/accounts/{account_id}/defaults"): Operation(
        "Accounts", {200: api.DefaultsAnswer}, (errors.NotFound, *_WRONG), body=api.OptionsRequest
    ),
    ("GET", "/api/performance/metrics"): Operation(
        "Performance",
        {200: stats.MetricsAnswer},
        (*_WRONG, errors.InvalidPlatform, errors.NotFound, *_TIKTOK),
        query=(
            Query("account_id", "The account's id.", {"type": "string", "minLength": 1}, required=True),
            Query("platform", "Always `tiktok`.", {"const": "tiktok"}),
        ),
    ),
    ("GET", "/v2/accounts/{account_id}/videos"): Operation(
        "Performance",
        {200: stats.VideosAnswer},
        (*_WRONG, errors.NotFound, *_TIKTOK),
        query=(
            Query("cursor", "Where to go on: an epoch millisecond.", {"type": "integer", "minimum": 0}),
            Query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": int(VIDEOS_PER_CALL)}),
        ),
    ),
    ("GET", "/v2/accounts/{account_id}/videos/{video_id}"): Operation(
        "Performance", {200: stats.OneVideoAnswer}, (*_WRONG, errors.NotFound, *_TIKTOK)
    ),
    ("GET", "/v2/accounts/{account_id}/history"): Operation(
        "Performance",
        {200: stats.HistoryAnswer},
        (*_WRONG, errors.NotFound),
        query=(
            Query("since", "The first day, in UTC.", _DAY),
            Query("until", "The last day, in UTC.", _DAY),
            Query("videoId", "One video instead of the account.", {"type": "string", "pattern": "^[0-9]+$"}),
            Query("format", "JSON, or a table.", {"enum": ["json", "csv"]}),
        ),
    ),
    ("GET", "/v2/keys"): Operation("Keys", {200: api.KeyList}),
    ("POST", "/v2/keys"): Operation("Keys", {201: api.NewKeyAnswer}, _WRONG, body=api.CreateKeyRequest),
    ("DELETE", "/v2/keys/{keyId}"): Operation("Keys", {200: api.KeyAnswer}, (errors.NotFound,)),
    ("GET", "/v2/webhooks"): Operation("Webhooks", {200: endpoints.WebhookList}),
    ("POST", "/v2/webhooks"): Operation(
        "Webhooks", {201: endpoints.NewWebhookAnswer}, (*_WRONG, errors.WrongStatus), body=endpoints.WebhookRequest
    ),
    ("GET", "/v2/webhooks/{webhookId}"): Operation("Webhooks", {200: endpoints.WebhookAnswer}, (errors.NotFound,)),
    ("PATCH", "/v2/webhooks/{webhookId}"): Operation(
        "Webhooks",
        {200: endpoints.WebhookAnswer},
        (*_WRONG, errors.NotFound),
        body=endpoints.EditWebhookRequest,
    ),
    ("DELETE", "/v2/webhooks/{webhookId}"): Operation(
        "Webhooks", {200: endpoints.RemovedWebhookAnswer}, (errors.NotFound,)
    ),
    ("POST", "/v2/webhooks/{webhookId}/rotate-secret"): Operation(
        "Webhooks", {201: endpoints.NewWebhookAnswer}, (errors.NotFound,)
    ),
    ("POST", "/v2/webhooks/{webhookId}/test"): Operation(
        "Webhooks", {202: endpoints.DeliveryAnswer}, (errors.NotFound, errors.WrongStatus)
    ),
    ("GET", "/v2/webhooks/{webhookId}/deliveries"): Operation(
        "Webhooks",
        {200: endpoints.DeliveryList},
        (*_WRONG, errors.NotFound),
        query=(
            Query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": int(PAGE_POSTS)}),
            _CURSOR,
        ),
    ),
    ("POST", "/v2/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver"): Operation(
        "Webhooks", {202: endpoints.DeliveryAnswer}, (errors.NotFound, errors.WrongStatus)
    ),
    ("GET", "/v2/doctor"): Operation("Operation", {200: api.Checkup}),
    ("POST", "/v2/session"): Operation(
        "Dashboard",
        {201: api.SessionAnswer},
        (*_WRONG, errors.InvalidApiKey, errors.InsufficientScope, errors.ForgedRequest),
        body=api.SignInRequest,
    ),
    ("GET", "/v2/session"): Operation("Dashboard", {200: api.SessionAnswer}, (errors.InvalidApiKey,)),
    ("DELETE", "/v2/session"): Operation("Dashboard", {200: api.SignedOutAnswer}, (errors.ForgedRequest,)),
    ("POST", "/v2/session/links"): Operation("Dashboard", {201: api.SignInLinkAnswer}),
    ("GET", "/docs"): Operation("Dashboard", {200: PAGE}),
    ("GET", "/openapi.json"): Operation("Operation", {200: OPENAPI}),
    ("GET", "/assets/{version}/{name}"): Operation("Dashboard", {200: ANY}, (errors.NotFound,)),
    ("GET", "/assets/{version}/{folder}/{name}"): Operation("Dashboard", {200: ANY}, (errors.NotFound,)),
    ("GET", "/health"): Operation("Operation", {200: api.HealthAnswer}),
    ("GET", "/"): Operation("Dashboard", {200: PAGE}),
    ("GET", "/media/{prefix}/{name}"): Operation("For TikTok", {200: PICTURE}, (errors.NotFound,)),
    ("HEAD", "/media/{prefix}/{name}"): Operation("For TikTok", {200: PICTURE}, (errors.NotFound,)),
    ("GET", "/media/{name}"): Operation("For TikTok", {200: TEXT}, (errors.NotFound,)),
    ("GET", "/{name}"): Operation("For TikTok", {200: TEXT}, (errors.NotFound,)),
    ("POST", "/webhooks/tiktok"): Operation(
        "For TikTok", {200: api.NothingAnswer}, (errors.InvalidSignature, *_WRONG), body=None
    ),
}
