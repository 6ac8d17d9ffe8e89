"""TikTok's numbers and texts, each with where it comes from.

Sources are pages below https://developers.tiktok.com/doc/ unless another one is named. "Observed" is what clients
reported from the wire; "unconfirmed" is our choice where nobody has said.
"""

from typing import Final, Literal

# Tokens: /oauth-user-access-token-management gives 24 h and 365 d; some apps are given 2 h and 180 d (observed).
TOKEN_PROFILES: Final = {"24h": (86_400, 31_536_000), "2h": (7_200, 15_552_000)}
"""Profile to (access token seconds, refresh token seconds)."""
CLIENT_TOKEN_SECONDS: Final = 7_200  # /client-access-token-management
VERIFIER_LENGTH: Final = range(43, 129)  # /login-kit-desktop, after RFC 7636

SCOPES: Final = (
    "user.info.basic",
    "user.info.profile",
    "user.info.stats",
    "video.list",
    "video.publish",
    "video.upload",
)
FIXED_SCOPE: Final = "user.info.basic"  # comes with Login Kit; the consent page offers no switch for it
REDIRECT_URIS: Final = 10  # /login-kit-web: at most ten
REDIRECT_URI_LENGTH: Final = 511  # /login-kit-web: shorter than 512 characters

# Calls in a sliding minute for one access token: reference page of each endpoint, /tiktok-api-v2-rate-limit.
# Nothing is documented for token, revoke, cancel and upload.
CALLS_PER_MINUTE: Final = {
    "user_info": 600,
    "video/list": 600,
    "video/query": 600,
    "creator_info": 20,
    "video/init": 6,
    "inbox/video/init": 6,
    "content/init": 6,
    "status": 30,
}
WINDOW_SECONDS: Final = 60

# Caps over 24 hours: /content-sharing-guidelines.
DAY_SECONDS: Final = 86_400
POSTS_PER_DAY: Final = 15  # typical; differs from creator to creator, shared by all apps
PENDING_SHARES: Final = 5
UNAUDITED_ACTIVE_USERS: Final = 5

# Videos: /tiktok-api-v2-video-list, /tiktok-api-v2-video-query, /tiktok-api-v2-video-object.
VIDEOS_PER_PAGE: Final = 10
VIDEOS_PER_PAGE_MAX: Final = 20
VIDEOS_PER_QUERY: Final = 20
VIDEO_TEXT_LENGTH: Final = 150  # characters of title and video_description
COVER_SECONDS: Final = 21_600  # life of a cover_image_url

# Posts: /content-posting-api-reference-direct-post.
CAPTION_UTF16_UNITS: Final = 2_200
PUBLIC: Final = "PUBLIC_TO_EVERYONE"
SELF_ONLY: Final = "SELF_ONLY"
PUBLIC_ACCOUNT_OPTIONS: Final = (PUBLIC, "MUTUAL_FOLLOW_FRIENDS", SELF_ONLY)
PRIVATE_ACCOUNT_OPTIONS: Final = ("FOLLOWER_OF_CREATOR", "MUTUAL_FOLLOW_FRIENDS", SELF_ONLY)

# Photo posts: /content-posting-api-reference-photo-post.
PHOTO_TITLE_UTF16_UNITS: Final = 90
PHOTO_DESCRIPTION_UTF16_UNITS: Final = 4_000
PHOTOS: Final = 35

# Transfer: /content-posting-api-media-transfer-guide. "MB" is undefined there, see the setting `mb`.
MEGABYTE: Final = {"binary": 1024**2, "decimal": 1000**2}
GIGABYTE: Final = {"binary": 1024**3, "decimal": 1000**3}
VIDEO_GB: Final = 4
CHUNK_MIN_MB: Final = 5
CHUNK_MAX_MB: Final = 64
UPLOAD_URL_SECONDS: Final = 3_600
PULL_SECONDS: Final = 3_600
UPLOAD_CONTENT_TYPES: Final = ("video/mp4", "video/quicktime", "video/webm")

# Video: /content-posting-api-media-transfer-guide#video_restrictions.
CODECS: Final = ("h264", "hevc", "vp8", "vp9")
FRAME_RATE_MIN: Final = 23
FRAME_RATE_MAX: Final = 60
SIDE_MIN: Final = 360  # pixels
SIDE_MAX: Final = 4_096  # pixels
DURATION_MAX_SECONDS: Final = 600

# Pictures: /content-posting-api-media-transfer-guide#image_restrictions. "1080p" is undefined there, see the setting
# `image_1080p`.
PICTURE_MB: Final = 20
PICTURE_CONTENT_TYPES: Final = ("image/jpeg", "image/webp")
PICTURE_WIDTH_MAX: Final = 1_080  # pixels
PICTURE_HEIGHT_MAX: Final = 1_920  # pixels
PICTURE_SHORTER_SIDE_MAX: Final = 1_080  # pixels

# Ownership of a URL prefix: /getting-started-create-an-app#verify_url_ownership.
OWNERSHIP_TOKEN_LENGTH: Final = 32  # characters
OWNERSHIP_FILE: Final = "tiktok{token}.txt"
OWNERSHIP_CONTENT: Final = "tiktok-developers-site-verification={token}"

FailReason = Literal[  # /content-posting-api-reference-get-video-status
    "file_format_check_failed",
    "duration_check_failed",
    "frame_rate_check_failed",
    "picture_size_check_failed",
    "internal",
    "video_pull_failed",
    "photo_pull_failed",
    "publish_cancelled",
    "auth_removed",
    "spam_risk_too_many_posts",
    "spam_risk_user_banned_from_posting",
    "spam_risk_text",
    "spam_risk",
]

# Webhooks: /webhooks-overview says 200, growing waits and 72 hours; the waits are ours (unconfirmed).
WEBHOOK_DELIVERED: Final = 200  # any other HTTP status is a failure
WEBHOOK_RETRY_SECONDS: Final = 10  # the first wait; each one is twice the one before
WEBHOOK_RETRY_SECONDS_MAX: Final = 21_600
WEBHOOK_RETRIES_END_SECONDS: Final = 259_200  # after the first attempt
RemovalReason = Literal[0, 1, 2, 3, 4, 5]
"""/webhooks-events, of authorization.removed: unknown, user disconnected, account deleted, age changed, user banned,
developer revoked."""
DISCONNECTED_BY_USER: Final = 1
REVOKED_BY_DEVELOPER: Final = 5

POST_INFO_INCORRECT: Final = "The request post info is empty or incorrect"  # observed
SOURCE_INFO_INCORRECT: Final = "The request source info is empty or incorrect"  # observed
CHUNK_SIZE_INVALID: Final = "The chunk size is invalid"  # observed
CHUNK_COUNT_INVALID: Final = "The total chunk count is invalid"  # observed
MEDIA_TYPE_OR_POST_MODE_INVALID: Final = "Invalid media_type or post_mode"  # observed
FIELDS_INCORRECT: Final = "The request fields are empty or incorrect"  # unconfirmed
AUTHORIZATION_MALFORMED: Final = "Invalid authorization header. Please check the format."  # observed

_TRANSFER_GUIDE: Final = "https://developers.tiktok.com/doc/content-posting-api-media-transfer-guide"

REFUSALS: Final[dict[str, tuple[int, str]]] = {
    # Reference pages give code and HTTP status; messages are observed down to url_ownership_unverified, then ours.
    "access_token_invalid": (401, "The access token is invalid or not found in the request."),
    "scope_not_authorized": (
        401,
        "The user did not authorize the scope required for completing this request.",
    ),
    "spam_risk_too_many_posts": (403, "You have created too many posts in the last 24 hours via the API"),
    "unaudited_client_can_only_post_to_private_accounts": (
        403,
        "Please review our integration guidelines at https://developers.tiktok.com/doc/content-sharing-guidelines/",
    ),
    "url_ownership_unverified": (
        403,
        f"Please review our URL ownership verification rules at {_TRANSFER_GUIDE}/#pull_from_url",
    ),
    "scope_permission_missed": (400, "The requested fields need scopes that the user did not authorize."),
    "invalid_params": (400, "The request body is malformed."),
    "invalid_file_upload": (400, "The file of the request is invalid."),
    "app_version_check_failed": (400, "The creator's TikTok app is too old for this request."),
    "invalid_publish_id": (400, "The publish_id does not exist."),
    "token_not_authorized_for_specified_publish_id": (400, "The access token does not own this publish_id."),
    "publish_not_cancellable": (400, "The publish can no longer be cancelled."),
    "spam_risk_user_banned_from_posting": (403, "The user is banned from making new posts."),
    "reached_active_user_cap": (403, "The daily quota of active publishing users of this app is reached."),
    "spam_risk_too_many_pending_share": (403, "The user has too many shares waiting in the inbox."),
    "privacy_level_option_mismatch": (403, "The privacy level is not one of the creator's options."),
    "rate_limit_exceeded": (429, "The API rate limit was exceeded. Please try again later."),
    "internal_error": (500, "Something went wrong. Please try again later."),
}
"""Error code of the Display and Content Posting APIs to (HTTP status, message)."""

CREATOR_CANNOT_POST: Final = (  # /content-posting-api-reference-query-creator-info: these come under HTTP 200
    "spam_risk_too_many_posts",
    "spam_risk_user_banned_from_posting",
    "reached_active_user_cap",
)
