"""Every number of TikTok and of the product, once, with its unit and its source.

`documented`, `observed` and `inferred` say how sure a number of TikTok's is. README's table is rendered from this file.
"""

from typing import Self

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class Limit(int):
    """A whole number that knows its unit, meaning and source."""

    unit: str
    meaning: str
    source: str

    def __new__(cls, value: int, unit: str, meaning: str, source: str) -> Self:
        """Make the number; it behaves as an int everywhere."""
        limit = super().__new__(cls, value)
        limit.unit, limit.meaning, limit.source = unit, meaning, source
        return limit


_POSTING = "TikTok, Content Posting API reference (documented)"
_MEDIA = "TikTok, media transfer guide (documented)"
_PRODUCT = "product"

# Captions and options
CAPTION_UNITS = Limit(2200, "UTF-16 units", "longest caption of a post", f"{_POSTING}; of photos product")
PHOTO_TITLE_UNITS = Limit(90, "UTF-16 units", "longest title of a photo post", _POSTING)
PICTURES = Limit(35, "pictures", "most pictures of a photo post", _POSTING)

# Video files
VIDEO_BYTES = Limit(4 * GIB, "bytes", "largest video", f"{_MEDIA}; 2^30 is inferred")
VIDEO_SIDE_MIN = Limit(360, "pixels", "shortest side of a video", _MEDIA)
VIDEO_SIDE_MAX = Limit(4096, "pixels", "longest side of a video", _MEDIA)
VIDEO_FPS_MIN = Limit(23, "frames per second", "slowest frame rate", _MEDIA)
VIDEO_FPS_MAX = Limit(60, "frames per second", "fastest frame rate", _MEDIA)
VIDEO_SECONDS_MAX = Limit(600, "seconds", "longest video through the API", _MEDIA)

# Pictures
PICTURE_WIDTH = Limit(
    1080, "pixels", "widest picture sent to TikTok", "TikTok (documented as 1080p; as width inferred)"
)
PICTURE_HEIGHT = Limit(1920, "pixels", "highest picture sent to TikTok", "TikTok (observed)")
JPEG_QUALITY = Limit(90, "of 100", "quality of the JPEG that is sent", _PRODUCT)
PICTURE_PIXELS = Limit(50 * 10**6, "pixels", "largest picture", _PRODUCT)
PICTURE_SIDE = Limit(16384, "pixels", "longest side of a picture", _PRODUCT)
WEBP_PIXELS = Limit(12_500_000, "pixels", "largest WEBP picture", "product; its decoder takes 16 bytes a pixel")
PICTURE_SECONDS = Limit(20, "seconds", "longest conversion of one picture", _PRODUCT)
PICTURE_MEMORY_BYTES = Limit(
    256 * MIB, "bytes", "data of the process that converts pictures", "product; 300 MB with its programs"
)

# Upload
CHUNK_BYTES = Limit(10 * MIB, "bytes", "size of an upload chunk", "product; TikTok takes 5 to 64 MB")
WHOLE_BELOW_BYTES = Limit(
    20 * MIB, "bytes", "below this a video is one chunk", "product; TikTok refuses one chunk of another size (observed)"
)
UPLOAD_URL_SECONDS = Limit(3600, "seconds", "life of an upload URL", _POSTING)
PUBLISH_ATTEMPTS = Limit(3, "inits", "most publications opened at TikTok for one post", _PRODUCT)

# Calls to TikTok, per token
INITS_PER_MINUTE = Limit(6, "calls a minute", "opening an upload", _POSTING)
CREATOR_INFO_PER_MINUTE = Limit(20, "calls a minute", "reading the creator's posting options", _POSTING)
CREATOR_INFO_KEPT = Limit(10, "calls a minute", "of these that checks leave to posts", _PRODUCT)
STATUS_PER_MINUTE = Limit(30, "calls a minute", "asking for a post's status", _POSTING)
TIKTOK_CONNECT_SECONDS = Limit(5, "seconds", "longest wait for a connection to TikTok", _PRODUCT)
TIKTOK_ANSWER_SECONDS = Limit(10, "seconds", "longest wait for an answer of TikTok's API", _PRODUCT)
CHUNK_ANSWER_SECONDS = Limit(60, "seconds", "longest silence while a chunk is sent", _PRODUCT)
ANSWER_BYTES = Limit(MIB, "bytes", "largest answer of TikTok that is read", _PRODUCT)
RATE_WINDOW_SECONDS = Limit(
    60, "seconds", "TikTok counts the calls of a token over", "TikTok, Display API (documented)"
)
POST_WINDOW_SECONDS = Limit(
    86400, "seconds", "TikTok counts a creator's posts and drafts, and an app's creators, over", _POSTING
)

POSTS_PER_DAY = Limit(15, "posts", "of a creator through the API in 24 hours", "TikTok, about (documented)")
PENDING_DRAFTS = Limit(5, "drafts", "of 24 hours may wait in a creator's inbox", _POSTING)
PACE_MARGIN_SECONDS = Limit(5, "seconds", "longer than TikTok we count its calls, since they arrive later", _PRODUCT)

# What an account may do, and the line of posts that wait for their turn
PUBLICATIONS_PER_HOUR = Limit(6, "posts an hour", "published on an account; drafts do not count", "the documented API")
PUBLICATION_WINDOW_SECONDS = Limit(3600, "seconds", "an account's publications are counted over", "the documented API")
PERFORMANCE_PER_DAY = Limit(100, "requests a day", "for an account's performance", "the documented API")
PERFORMANCE_WINDOW_SECONDS = Limit(86400, "seconds", "performance requests are counted over", "the documented API")
QUEUE_POSTS = Limit(50, "posts", "of an account wait for their turn", _PRODUCT)
LINE_LAPSE_SECONDS = Limit(3600, "seconds", "after its turn a post loses its place unless it came", _PRODUCT)
TURN_WAIT_SECONDS = Limit(90, "seconds", "a publication waits for its turn before it leaves the machine", _PRODUCT)
SLOT_TRIES = Limit(60, "tries", "to store what an account has used, that other workers are storing too", _PRODUCT)
SLOT_PAUSE_SECONDS = Limit(1, "seconds", "longest pause between those tries", _PRODUCT)
HOLD_PROBE_SECONDS = Limit(
    3600, "seconds", "a line is held when TikTok's limit of a day is reached by others", _PRODUCT
)
HOLD_BAN_SECONDS = Limit(86400, "seconds", "a line is held when TikTok bans or suspects its creator", _PRODUCT)

# Schedules
SCHEDULE_MIN_SECONDS = Limit(60, "seconds", "ahead a post may be scheduled, at least", _PRODUCT)
SCHEDULE_MAX_SECONDS = Limit(365 * 86400, "seconds", "ahead a post may be scheduled, at most", _PRODUCT)
SCHEDULE_RETRY_SECONDS = Limit(3600, "seconds", "a schedule goes on trying to start its post", _PRODUCT)
SCHEDULE_EARLY_SECONDS = Limit(2, "seconds", "a schedule may fire early and still count", _PRODUCT)
CHANGE_TRIES = Limit(8, "tries", "to change a post, an account or a webhook that others are changing", _PRODUCT)

FORM_FILE_BYTES = Limit(
    4 * MIB, "bytes", "largest file in a form", "product; Lambda takes 6 MB a request, and bytes come as base64"
)
FORM_BODY_BYTES = Limit(10 * MIB, "bytes", "largest form that is read", "AWS (documented), API Gateway")

# Posts by the hundred, and files that are dropped
BULK_POSTS = Limit(100, "posts", "in one bulk request", _PRODUCT)
BULK_BODY_BYTES = Limit(MIB, "bytes", "largest body of a bulk request", _PRODUCT)
BULK_ROW_SECONDS = Limit(4, "seconds", "of function time left to take another row", _PRODUCT)
DROP_GRACE_SECONDS = Limit(30, "seconds", "a dropped file without a sidecar waits for one", _PRODUCT)
DROP_SWEEP_SECONDS = Limit(180, "seconds", "a dropped file has no result when it is looked for", _PRODUCT)
DROP_PATIENCE_SECONDS = Limit(900, "seconds", "a folder waits for its files until its result says so", _PRODUCT)
DROP_MIN_SECONDS = Limit(20, "seconds", "of function time left to look at another dropped file", _PRODUCT)
SIDECAR_BYTES = Limit(64 * KIB, "bytes", "largest sidecar or post.json", _PRODUCT)

# Files that are uploaded to us
UPLOAD_PART_BYTES = Limit(
    8 * MIB, "bytes", "size of a part of an uploaded file, at least", "product; S3 takes 5 MiB to 5 GiB, 10,000 parts"
)
UPLOAD_PARTS = Limit(100, "parts", "of an uploaded file at most", _PRODUCT)
PART_URL_SECONDS = Limit(3600, "seconds", "to begin to send a part", _PRODUCT)
UPLOAD_OPEN_DAYS = Limit(2, "days", "to bring all parts of a file", _PRODUCT)
UPLOAD_DAYS = Limit(30, "days", "an uploaded file is kept", _PRODUCT)
GIVEN_NAME_CHARACTERS = Limit(255, "characters", "longest name of an uploaded file", _PRODUCT)
FILE_NAME_CHARACTERS = Limit(100, "characters", "of an uploaded file's name are kept in its URL", _PRODUCT)

# Figures of accounts and videos
FIGURES_CACHE_SECONDS = Limit(900, "seconds", "figures are answered again without asking TikTok", _PRODUCT)
FIGURES_LEASE_SECONDS = Limit(20, "seconds", "one reader's right to ask TikTok, while others wait for it", _PRODUCT)
VIDEOS_PER_CALL = Limit(20, "videos", "in one page, and ids in one question", "TikTok, Display API (documented)")
COLLECTED_VIDEOS = Limit(500, "videos", "of an account are collected each day, the newest", _PRODUCT)
COLLECTED_ACCOUNTS = Limit(200, "accounts", "collected in one run, as far as its time goes", _PRODUCT)
COLLECT_MIN_SECONDS = Limit(40, "seconds", "of function time left to collect another account", _PRODUCT)
COLLECT_WAIT_SECONDS = Limit(900, "seconds", "until an account that could not be collected is tried again", _PRODUCT)
HISTORY_DAYS = Limit(400, "days", "an account's daily figures are kept", _PRODUCT)
HISTORY_USUAL_DAYS = Limit(30, "days", "before the last one, of history when no dates are given", _PRODUCT)
VIDEO_ID_DIGITS = Limit(20, "digits", "of a video's id at most", "product; TikTok's have 19 (observed)")
DESCRIPTION_CHARACTERS = Limit(
    150, "characters", "of a caption are shown with a video", "TikTok, Display API (documented)"
)
HISTORY_PAGE_DAYS = Limit(100, "days", "of history in one answer", _PRODUCT)
TRACKED_DAYS = Limit(60, "days", "a video that is collected no more is compared with", _PRODUCT)
COMPARED_VIDEOS = Limit(50, "videos", "the latest, of which the median is taken", _PRODUCT)
AGE_TOLERANCE_PERCENT = Limit(25, "percent", "of an age by which a look may miss it", _PRODUCT)
MATCH_SECONDS = Limit(1800, "seconds", "a post and the video that is taken for it may be apart", _PRODUCT)

# Best practices: beyond these a post carries a warning
ADVISED_BYTES = Limit(100 * 10**6, "bytes", "videos above this upload slowly", "the documented API, best practices")
ADVISED_SECONDS_MIN = Limit(15, "seconds", "shorter videos engage less", "the documented API, best practices")
ADVISED_SECONDS_MAX = Limit(60, "seconds", "longer videos engage less", "the documented API, best practices")
ADVISED_SIDE = Limit(1080, "pixels", "a shorter side below this looks soft", "the documented API, best practices")
ADVISED_HASHTAGS_MIN = Limit(3, "hashtags", "fewer are found less", "the documented API, best practices")
ADVISED_HASHTAGS_MAX = Limit(5, "hashtags", "more are found less", "the documented API, best practices")

# Requests to us
BODY_BYTES = Limit(256 * KIB, "bytes", "largest JSON body", _PRODUCT)
MEDIA_URL_CHARACTERS = Limit(2048, "characters", "longest media URL", _PRODUCT)
IDEMPOTENCY_KEY_CHARACTERS = Limit(255, "characters", "longest Idempotency-Key", _PRODUCT)
IDEMPOTENCY_DAYS = Limit(7, "days", "an Idempotency-Key is remembered", _PRODUCT)
GATEWAY_SECONDS = Limit(30, "seconds", "after which API Gateway answers in a function's place", "AWS (documented)")
WAIT_SECONDS = Limit(25, "seconds", "longest wait of POST /v2/posts for the outcome", _PRODUCT)
IN_FLIGHT_SECONDS = Limit(30, "seconds", "a request with an Idempotency-Key is taken to be in flight", _PRODUCT)
KEY_NAME_CHARACTERS = Limit(100, "characters", "longest name of an API key", _PRODUCT)
KEY_USED_SECONDS = Limit(3600, "seconds", "between two notes of a key's last use", _PRODUCT)
SESSION_IDLE_SECONDS = Limit(30 * 60, "seconds", "a session of the dashboard lives without being used", _PRODUCT)
SESSION_SECONDS = Limit(12 * 3600, "seconds", "a session of the dashboard lives at most", _PRODUCT)
SESSION_SEEN_SECONDS = Limit(60, "seconds", "between two notes that a session is used", _PRODUCT)
SIGN_IN_LINK_SECONDS = Limit(600, "seconds", "a sign-in link works, once", _PRODUCT)
PAGE_POSTS = Limit(100, "posts", "largest page of a list", _PRODUCT)

# Pictures on their way to TikTok
PICTURE_BYTES = Limit(64 * MIB, "bytes", "largest picture that is fetched, before it is converted", _PRODUCT)
PICTURES_AT_ONCE = Limit(4, "pictures", "fetched at the same time", _PRODUCT)
PHOTO_HOST_SECONDS = Limit(86400, "seconds", "TikTok may pull a post's pictures, unless it ends before", _PRODUCT)

# Fetching media
FETCH_REDIRECTS = Limit(3, "redirects", "most redirects of a media URL", _PRODUCT)
FETCH_HEADER_SECONDS = Limit(15, "seconds", "longest wait for a media server's headers", _PRODUCT)
FETCH_HEADER_BYTES = Limit(256 * KIB, "bytes", "most headers of a media server's answer", _PRODUCT)
FETCH_CONNECT_SECONDS = Limit(5, "seconds", "longest wait for a connection to a media server", _PRODUCT)
FETCH_IDLE_SECONDS = Limit(10, "seconds", "longest silence of a media server", _PRODUCT)
FETCH_GRACE_SECONDS = Limit(5, "seconds", "after this the lowest rate counts", _PRODUCT)
FETCH_BYTES_PER_SECOND = Limit(64 * KIB, "bytes a second", "lowest rate of a media server", _PRODUCT)
FETCH_SECONDS = Limit(600, "seconds", "longest download of one media file", _PRODUCT)
FETCH_RESUMES = Limit(3, "resumes", "most continuations of a cut download", _PRODUCT)
FETCH_ADDRESSES = Limit(4, "addresses", "most addresses of one name that are tried", _PRODUCT)
SNIFF_BYTES = Limit(64 * KIB, "bytes", "read before a download's kind is decided", _PRODUCT)
LOOK_BYTES = Limit(16 * MIB, "bytes", "read of one media file to check it where it lies, at most", _PRODUCT)
LOOK_SECONDS = Limit(12, "seconds", "longest look at all media of a post that is checked", _PRODUCT)
PROBE_SECONDS = Limit(60, "seconds", "longest look into a video file", _PRODUCT)
PART_BYTES = Limit(16 * MIB, "bytes", "size of a part stored in S3", "product; S3 takes 5 MiB to 5 GiB, 10,000 parts")

# The life of a post
POLL_SECONDS = tuple(
    Limit(seconds, "seconds", "waits between status checks, in turn; the last repeats", _PRODUCT)
    for seconds in (5, 5, 10, 20, 40, 60, 300)
)
REVIEW_SECONDS = Limit(1800, "seconds", "an unclear outcome becomes REVIEW after", _PRODUCT)
ANSWER_WRITE_TRIES = Limit(5, "tries", "to store TikTok's answer to an offer of pictures", _PRODUCT)
ANSWER_WRITE_SECONDS = Limit(1, "seconds", "between those tries", _PRODUCT)
UPLOAD_LEASE_SECONDS = Limit(120, "seconds", "one worker's right to send chunks, renewed with each", _PRODUCT)
YIELD_SECONDS = Limit(60, "seconds", "of function time left when an upload yields", _PRODUCT)
STALLED_SECONDS = Limit(120, "seconds", "a post not moved for this long is looked after", _PRODUCT)
REDRIVES = Limit(5, "executions", "most continuations of a post whose execution died", _PRODUCT)
HOLD_SECONDS = Limit(72 * 3600, "seconds", "a post waits for its creator to connect the account again", _PRODUCT)
HOLD_LOOK_SECONDS = Limit(900, "seconds", "between looks at whether a waiting post can go on", _PRODUCT)
HELD_COPY_SECONDS = Limit(
    12 * 3600, "seconds", "the media of a waiting post is taken to stay", "product; the bucket keeps it for a day"
)
START_SECONDS = Limit(60, "seconds", "an accepted post that did not start is looked after", _PRODUCT)
SWEEP_POSTS = Limit(100, "posts", "looked after in one sweep", _PRODUCT)
SWEEP_ACCOUNTS = Limit(100, "accounts", "looked after in one sweep", _PRODUCT)
SWEEP_MIN_SECONDS = Limit(15, "seconds", "of function time left to look after another post or account", _PRODUCT)
DRAFT_SECONDS = Limit(7 * 86400, "seconds", "a draft is watched for the creator's publishing it", _PRODUCT)
POST_ID_SECONDS = Limit(
    86400, "seconds", "TikTok's public post id is asked for", "product; moderation may take hours (documented)"
)
MEDIA_DAYS = Limit(1, "days", "media stays in the bucket", _PRODUCT)

# Tokens and connecting
REFRESH_MARGIN_SECONDS = Limit(600, "seconds", "of life left when a token is refreshed, at least", _PRODUCT)
REFRESH_MARGIN_PERCENT = Limit(25, "percent", "of its life left when a token is refreshed, at least", _PRODUCT)
REFRESH_LEASE_SECONDS = Limit(30, "seconds", "one worker's right to refresh a token", _PRODUCT)
REFRESH_MIN_FUNCTION_SECONDS = Limit(20, "seconds", "of function time left to start a refresh", _PRODUCT)
TOKEN_WRITE_TRIES = Limit(5, "tries", "to store new tokens, half a second apart", _PRODUCT)
ACCESS_TOKEN_SECONDS = Limit(86400, "seconds", "life of a token whose answer gives none", "TikTok clients (observed)")
REFRESH_TOKEN_SECONDS = Limit(
    180 * 86400, "seconds", "life of a refresh token whose answer gives none", "TikTok, the shorter of two documented"
)
EXPIRING_DAYS = Limit(14, "days", "of a refresh token's life left when an account is expiring", _PRODUCT)
KEEP_ALIVE_DAYS = Limit(30, "days", "after which an idle account's refresh token is used", _PRODUCT)
KEEP_ALIVE_LEFT_DAYS = Limit(15, "days", "of a refresh token's life left when it is used each day", _PRODUCT)
KEEP_ALIVE_WAIT_SECONDS = Limit(86400, "seconds", "until a refresh for an idle account is tried again", _PRODUCT)
REVOKE_WAIT_SECONDS = Limit(60, "seconds", "until a disconnection is tried again, then later each time", _PRODUCT)
REVOKE_SECONDS = Limit(86400, "seconds", "a disconnection is tried before the tokens are erased anyway", _PRODUCT)
DISCONNECT_TRIES = Limit(5, "tries", "to store that an account is disconnected", _PRODUCT)
STATE_SECONDS = Limit(600, "seconds", "to finish connecting an account", _PRODUCT)
APP_SECRET_CACHE_SECONDS = Limit(300, "seconds", "the TikTok app's secret is cached", _PRODUCT)

# TikTok's events
EVENT_AGE_SECONDS = Limit(
    73 * 3600, "seconds", "oldest signature of an event", "product; TikTok repeats an event for 72 h (documented)"
)
EVENT_AHEAD_SECONDS = Limit(300, "seconds", "an event's signature may be ahead of our clock", _PRODUCT)
EVENT_DAYS = Limit(4, "days", "an event is remembered, so that it counts once", _PRODUCT)
EVENT_NOTE_SECONDS = Limit(60, "seconds", "between two notes that an event came", _PRODUCT)
HINT_WRITE_TRIES = Limit(5, "tries", "to note an event at its post or account", _PRODUCT)

# Webhooks: telling customers' endpoints what happened
ENDPOINTS = Limit(10, "webhooks", "of a workspace at most", _PRODUCT)
NOTICE_ANSWER_SECONDS = Limit(10, "seconds", "an endpoint has to answer a notice", _PRODUCT)
DELIVERY_WAITS_SECONDS = tuple(
    Limit(
        seconds,
        "seconds",
        "waits between tries of a notice, in turn",
        "product, as Standard Webhooks advises; 72 h in all",
    )
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 20 * 3600)
)
DELIVERY_JITTER_PERCENT = Limit(10, "percent", "of a wait by which it is shortened at random, at most", _PRODUCT)
DELIVERY_LEASE_SECONDS = Limit(60, "seconds", "one worker's right to send a notice", _PRODUCT)
DELIVERY_DAYS = Limit(30, "days", "a delivery is shown in the log", _PRODUCT)
DELIVERY_TRIES_SHOWN = Limit(10, "tries", "of a delivery are shown, the latest", _PRODUCT)
DELIVERIES_PER_RUN = Limit(500, "deliveries", "sent in one run, as far as its time goes", _PRODUCT)
DELIVERIES_AT_ONCE = Limit(8, "deliveries", "sent at the same time", _PRODUCT)
DELIVERY_MIN_SECONDS = Limit(20, "seconds", "of function time left to send another notice", _PRODUCT)
FORMER_SECRET_SECONDS = Limit(24 * 3600, "seconds", "notices are signed with a former secret too", _PRODUCT)
TOOK_NOTE_SECONDS = Limit(3600, "seconds", "between two notes that an endpoint took a notice", _PRODUCT)

# The operator's check
CLOCK_SECONDS = Limit(60, "seconds", "this clock and TikTok's may be apart", _PRODUCT)
CHECKED_ACCOUNTS = Limit(10, "accounts", "asked about at TikTok in one check", _PRODUCT)
CHECK_MIN_SECONDS = Limit(12, "seconds", "of function time left to ask TikTok about another account", _PRODUCT)

# Calls to AWS
AWS_CONNECT_SECONDS = Limit(2, "seconds", "longest wait for a connection to AWS", _PRODUCT)
AWS_ANSWER_SECONDS = Limit(10, "seconds", "longest wait for an answer of AWS", _PRODUCT)
S3_ANSWER_SECONDS = Limit(60, "seconds", "longest silence of S3", _PRODUCT)
AWS_TRIES = Limit(3, "tries", "of one call to AWS", _PRODUCT)
CONFLICT_TURNS = Limit(8, "tries", "to store several items that other workers are storing too", _PRODUCT)
