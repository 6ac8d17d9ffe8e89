"""What TikTok and the product ask of a post: problems that refuse it, and warnings that go with it."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict

from publisher.domain.accounts import Creator
from publisher.domain.errors import (
    InvalidRequest,
    MediaRequired,
    MissingParameter,
    PublisherError,
    RequestInvalid,
    TextTooLong,
)
from publisher.domain.limits import (
    ADVISED_HASHTAGS_MAX,
    ADVISED_HASHTAGS_MIN,
    CAPTION_UNITS,
    PHOTO_TITLE_UNITS,
    PICTURES,
)
from publisher.domain.media_urls import check_media_url, expires_at
from publisher.domain.posts import DEFAULT_OF_PHOTOS, PostOptions
from publisher.domain.uploads import upload_named

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


def is_name(text: str, most: int) -> bool:
    """Tell whether a text can name something: something to see, on one line, in at most `most` characters."""
    breaks = any(unicodedata.category(character) in _BREAKING for character in text)
    return len(text) <= most and text.strip() != "" and not breaks


_BREAKING = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's control characters, halves of one, and ends of a line."""


def utf16_units(text: str) -> int:
    """Count as TikTok counts: an emoji outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_problems(text: str) -> list[RequestInvalid]:
    """Check a caption."""
    if "\0" in text:
        return [
            InvalidRequest(
                "The caption holds a NUL character.", "Leave it out: no text has it.", field="post.content.text"
            )
        ]
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
    """Check what can be told from the URLs alone; those of uploads are looked up instead."""
    field = "post.content.mediaUrls"
    if not media_urls:
        advice = f"Give the URL of one video, or of 1 to {PICTURES} pictures, in mediaUrls."
        return [MediaRequired("The post has no media.", advice, field=field)]
    if len(media_urls) > PICTURES:
        return [
            InvalidRequest(
                f"mediaUrls holds {len(media_urls)} items; a post is one video, or 1 to {PICTURES} pictures.",
                f"Leave {len(media_urls) - PICTURES} out, or make several posts of them.",
                field=field,
            )
        ]
    problems: list[RequestInvalid] = []
    for number, url in enumerate(media_urls, start=1):
        try:
            if upload_named(url) is None:
                check_media_url(url, trusted_origins)
        except RequestInvalid as problem:
            problems.append(of_item(problem, number, len(media_urls)))
    return problems


def dying_urls(media_urls: Sequence[str], at: float) -> list[str]:
    """Warn of each presigned URL that stops to work before the media is fetched, at an epoch second."""
    warnings = []
    for number, url in enumerate(media_urls, start=1):
        end = expires_at(url)
        if end is not None and end <= at:
            which = f"The URL of picture {number} of {len(media_urls)}" if len(media_urls) > 1 else "The media URL"
            warnings.append(f"{which} stops to work before the post goes out: sign it for longer, or upload the file.")
    return warnings


def of_item[Problem: PublisherError](problem: Problem, number: int, count: int) -> Problem:
    """Return a problem with one of the media URLs that says with which; `number` counts from 1."""
    of_several = count > 1
    return type(problem)(
        f"Picture {number} of {count}: {problem.error}" if of_several else problem.error,
        problem.message,
        field=f"post.content.mediaUrls[{number - 1}]" if of_several else "post.content.mediaUrls",
        tiktok_code=problem.tiktok_code,
        tiktok_log_id=problem.tiktok_log_id,
        retry_after=problem.retry_after,
    )


def photo_problems(options: PostOptions, pictures: int) -> list[RequestInvalid]:
    """Check what only photo posts have; `pictures` is how many there are."""
    problems: list[RequestInvalid] = []
    units = utf16_units(options.photo_title)
    if units > PHOTO_TITLE_UNITS:
        problems.append(
            TextTooLong(
                f"The photo title has {units} UTF-16 units; TikTok takes {PHOTO_TITLE_UNITS}.",
                f"Shorten it by {units - PHOTO_TITLE_UNITS}; text that is longer belongs into the caption.",
                field="post.tiktokOptions.photoTitle",
            )
        )
    cover = options.photo_cover_index
    if cover is not None and pictures and cover >= pictures:
        problems.append(
            InvalidRequest(
                f"photoCoverIndex is {cover}, but the post has {pictures} item{'s' if pictures > 1 else ''}.",
                f"Count from 0: give 0 to {pictures - 1}." if pictures > 1 else "Count from 0: give 0.",
                field="post.tiktokOptions.photoCoverIndex",
            )
        )
    return problems


def privacy_problems(
    options: PostOptions, given: str | None, offered: Collection[str] | None, *, has_default: bool
) -> list[RequestInvalid]:
    """Check the choice of who may watch; `offered` are the creator's live options, None while they are unknown.

    `has_default` says that the post may be of photos, which are public unless something else is chosen.
    """
    field = "post.tiktokOptions.privacyLevel"
    if options.draft:
        return []
    live = _live(offered)
    if given is None:
        if has_default and (offered is None or DEFAULT_OF_PHOTOS in offered):
            return []
        return [missing_privacy(offered)]
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


def missing_privacy(offered: Collection[str] | None) -> MissingParameter:
    """Return the problem that nobody chose who may watch, naming the creator's live options."""
    return MissingParameter(
        "privacyLevel is missing; there is no default.", _live(offered), field="post.tiktokOptions.privacyLevel"
    )


def _live(offered: Collection[str] | None) -> str:
    return f"This creator's options now: {', '.join(offered)}." if offered else f"Options: {', '.join(PRIVACY_LEVELS)}."


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
    has = "1 hashtag" if count == 1 else f"{count or 'no'} hashtags"
    return [f"The caption has {has}; posts with {ADVISED_HASHTAGS_MIN} to {ADVISED_HASHTAGS_MAX} are found best."]


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
