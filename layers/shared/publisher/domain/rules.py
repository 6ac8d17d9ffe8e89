"""What TikTok and the product ask of a post: problems that refuse it, and warnings that go with it."""

import re
from collections.abc import Collection

from pydantic import BaseModel, ConfigDict

from publisher.domain.accounts import Creator
from publisher.domain.errors import (
    InvalidRequest,
    MediaRequired,
    MissingParameter,
    RequestInvalid,
    TextTooLong,
)
from publisher.domain.limits import ADVISED_HASHTAGS_MAX, ADVISED_HASHTAGS_MIN, CAPTION_UNITS
from publisher.domain.media_urls import check_media_url
from publisher.domain.posts import PostOptions

PRIVACY_LEVELS = ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY")
MUSIC_URL = "https://www.tiktok.com/legal/page/global/music-usage-confirmation/en"
BRANDED_URL = "https://www.tiktok.com/legal/page/global/bc-policy/en"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HASHTAG = re.compile(r"(?<!\S)#\w+")


class Link(BaseModel):
    """A document that the publisher agrees to."""

    model_config = ConfigDict(frozen=True)

    title: str
    url: str


class Consent(BaseModel):
    """The statement that the publisher agrees to by posting, in TikTok's words."""

    model_config = ConfigDict(frozen=True)

    statement: str
    links: tuple[Link, ...]


def is_id(text: str) -> bool:
    """Tell whether a text has the form of our ids, a UUID; no object has another one."""
    return _UUID.fullmatch(text) is not None


def utf16_units(text: str) -> int:
    """Count as TikTok counts: an emoji outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_problems(text: str) -> list[RequestInvalid]:
    """Check a caption."""
    units = utf16_units(text)
    if units <= CAPTION_UNITS:
        return []
    return [
        TextTooLong(
            f"The caption has {units} UTF-16 units; TikTok takes {CAPTION_UNITS}.",
            f"Shorten it by {units - CAPTION_UNITS}; most emoji count as 2 or more.",
            field="post.content.text",
        )
    ]


def media_problems(media_urls: Collection[str], trusted_origins: Collection[str]) -> list[RequestInvalid]:
    """Check what can be told from the URLs alone."""
    field = "post.content.mediaUrls"
    if not media_urls:
        return [MediaRequired("The post has no media.", "Give one video URL in mediaUrls.", field=field)]
    if len(media_urls) > 1:
        return [
            InvalidRequest(
                f"mediaUrls holds {len(media_urls)} items; a post is exactly one video.",
                "Give one video URL. Photo posts are not published by this version.",
                field=field,
            )
        ]
    problems: list[RequestInvalid] = []
    for url in media_urls:
        try:
            check_media_url(url, trusted_origins)
        except RequestInvalid as problem:
            problem.field = field
            problems.append(problem)
    return problems


def privacy_problems(options: PostOptions, given: str | None, offered: Collection[str] | None) -> list[RequestInvalid]:
    """Check the choice of who may watch; `offered` are the creator's live options, None while they are unknown."""
    field = "post.tiktokOptions.privacyLevel"
    if options.draft:
        return []
    live = f"This creator's options now: {', '.join(offered)}." if offered else f"Options: {', '.join(PRIVACY_LEVELS)}."
    if given is None:
        return [MissingParameter("privacyLevel is missing; there is no default.", live, field=field)]
    if given not in PRIVACY_LEVELS:
        return [InvalidRequest("privacyLevel is not one of TikTok's privacy levels.", live, field=field)]
    problems: list[RequestInvalid] = []
    if options.brand_content and given == "SELF_ONLY":
        problems.append(
            InvalidRequest(
                "Branded content visibility cannot be set to private",
                "Choose another privacyLevel, or set brandContentToggle to false.",
                field=field,
            )
        )
    if offered is not None and given not in offered:
        problems.append(InvalidRequest(f"The creator cannot choose {given} now.", live, field=field))
    return problems


def draft_warnings(options: PostOptions, text: str) -> list[str]:
    """Name what a draft video cannot take along."""
    chosen = options.model_dump(exclude_defaults=True, exclude={"draft"})
    if not options.draft or not (text or chosen):
        return []
    return ["TikTok takes no caption or options with a draft video; the creator chooses them in the app."]


def settle_interactions(options: PostOptions, creator: Creator) -> tuple[PostOptions, list[str]]:
    """Turn off what the creator has switched off, with a warning for each."""
    changes: dict[str, bool] = {}
    warnings = []
    for name, switched_off in (
        ("comment", creator.comment_disabled),
        ("duet", creator.duet_disabled),
        ("stitch", creator.stitch_disabled),
    ):
        if switched_off and getattr(options, f"allow_{name}"):
            changes[f"allow_{name}"] = False
            warnings.append(f"The creator has switched {name} off in TikTok, so the post goes out with {name} off.")
    return options.model_copy(update=changes), warnings


def text_advice(text: str) -> list[str]:
    """Advise on hashtags."""
    count = len(_HASHTAG.findall(text))
    if ADVISED_HASHTAGS_MIN <= count <= ADVISED_HASHTAGS_MAX:
        return []
    return [
        f"The caption has {count} hashtags; posts with {ADVISED_HASHTAGS_MIN} to {ADVISED_HASHTAGS_MAX} are found best."
    ]


def label(options: PostOptions) -> str | None:
    """Return the label that TikTok puts on the post."""
    if options.brand_content:
        return "Paid partnership"
    return "Promotional content" if options.brand_organic else None


def consent(options: PostOptions) -> Consent:
    """Return what the publisher agrees to."""
    music = Link(title="Music Usage Confirmation", url=MUSIC_URL)
    if not options.brand_content:
        return Consent(statement="By posting, you agree to TikTok's Music Usage Confirmation", links=(music,))
    return Consent(
        statement="By posting, you agree to TikTok's Branded Content Policy and Music Usage Confirmation.",
        links=(Link(title="Branded Content Policy", url=BRANDED_URL), music),
    )
