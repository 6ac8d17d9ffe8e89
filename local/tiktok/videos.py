"""Display API: a creator's public videos, their figures, and the host of their covers."""

import hashlib
import html
import io
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from PIL import Image, ImageOps

from local.tiktok import rules
from local.tiktok.answers import RefusedError, ok
from local.tiktok.calls import Call, Caller, identify, read_json
from local.tiktok.growth import grown
from local.tiktok.state import Figures, User, World
from local.tiktok.web import Response

COVER_PATH = "/cover/"
AVATAR_PATH = "/avatar/"
COVER_SIZE = (135, 240)  # pixels
_INT64 = range(2**63)
_FIELDS = (
    "id",
    "create_time",
    "cover_image_url",
    "share_url",
    "video_description",
    "title",
    "duration",
    "height",
    "width",
    "embed_html",
    "embed_link",
    "like_count",
    "comment_count",
    "share_count",
    "view_count",
)


@dataclass(frozen=True)
class Film:
    """A video on TikTok, however it got there. Seconds and pixels; `created_at` in Unix seconds."""

    video_id: int
    username: str
    title: str
    duration: int
    width: int
    height: int
    created_at: float
    is_public: bool


@dataclass(frozen=True)
class Shown:
    """A video with its figures of this moment; `moment` is its place in the list, in milliseconds.

    `followers` is how many it has brought, whether or not it can still be seen.
    """

    film: Film
    moment: int
    figures: dict[str, int]
    followers: int


def all_videos(world: World, username: str) -> list[Shown]:
    """List a creator's videos, newest first, with those that the public cannot see.

    Photo posts are none. Of videos made in one millisecond the later ones move by one: a cursor tells them all apart.
    """
    now = world.clock.now()
    shown: list[Shown] = []
    moment = 0
    films = [film for film in _films(world, now) if film.username == username]
    for film in sorted(films, key=lambda film: (film.created_at, film.video_id)):
        moment = max(round(film.created_at * 1000), moment + 1)
        growth = grown(film.video_id, now - film.created_at)
        natural = Figures(
            view_count=growth.views,
            like_count=growth.likes,
            comment_count=growth.comments,
            share_count=growth.shares,
        )
        fixed = world.figures.get(str(film.video_id), Figures())
        figures = natural.model_dump() | fixed.model_dump(exclude_none=True)
        shown.append(Shown(film, moment, figures, growth.followers))
    return shown[::-1]


def public_videos(world: World, username: str) -> list[Shown]:
    """List what the public can see of a creator's videos, newest first."""
    return [video for video in all_videos(world, username) if video.film.is_public]


def _films(world: World, now: float) -> Iterator[Film]:
    for video in world.videos.values():
        yield Film(
            video_id=video.video_id,
            username=video.username,
            title=video.title,
            duration=video.duration,
            width=video.width,
            height=video.height,
            created_at=video.created_at,
            is_public=video.is_available(now),
        )
    for post in world.posts:
        media = world.publishes[post.publish_id].media
        if media is not None:
            yield Film(
                video_id=post.post_id,
                username=post.username,
                title=post.title,
                duration=max(round(media.duration), 1),
                width=media.width,
                height=media.height,
                created_at=post.created_at,
                is_public=post.is_available(now),
            )


def video_list(call: Call) -> Response:
    """Give one page of the user's public videos that are older than the cursor, newest first."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "video/list", ("video.list",))
        fields = _asked_fields(call)
        body = read_json(content or b"{}")
        call.notes["body"] = body
        cursor = _whole_number(body, "cursor", _INT64)
        most = _whole_number(body, "max_count", range(1, rules.VIDEOS_PER_PAGE_MAX + 1)) or rules.VIDEOS_PER_PAGE
        public = public_videos(world, caller.user.username)
        older = [video for video in public if cursor is None or video.moment < cursor]
        page = older[:most]
        call.notes["videos"] = len(page)
        return ok(
            world.settings,
            call.log_id,
            {
                "videos": [_answered(call, world, caller, video, fields) for video in page],
                "cursor": page[-1].moment if page else _now_if_none(world, cursor),
                "has_more": len(older) > len(page),
            },
        )


def video_query(call: Call) -> Response:
    """Tell of the user's public videos that are named; others, and unknown ones, are left out."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "video/query", ("video.list",))
        fields = _asked_fields(call)
        body = read_json(content)
        call.notes["body"] = body
        asked = _asked_ids(body)
        known = {str(video.film.video_id): video for video in public_videos(world, caller.user.username)}
        found = [known[video_id] for video_id in dict.fromkeys(asked) if video_id in known]
        call.notes["videos"] = len(found)
        answered = [_answered(call, world, caller, video, fields) for video in found]
        return ok(world.settings, call.log_id, {"videos": answered})


def cover(call: Call) -> Response:
    """Serve the cover of a public video, as long as its address is signed and not too old."""
    request = call.request
    video_id, expires = request.first("id"), request.first("x-expires")
    with call.store.change() as world:
        is_signed = request.first("x-signature") == _signature(video_id, expires)
        if not is_signed or int(expires) <= world.clock.now():
            raise RefusedError("access_denied", "The address is not signed, or too old.", HTTPStatus.FORBIDDEN)
        is_known = any(str(film.video_id) == video_id and film.is_public for film in _films(world, world.clock.now()))
        if not is_known:
            raise RefusedError("not_found", "There is no such video.", HTTPStatus.NOT_FOUND)
    return Response(200, _picture(video_id), {"Content-Type": "image/jpeg", "x-tt-logid": call.log_id})


def avatar_url(call: Call, user: User) -> str:
    """Return where the user's picture is."""
    return user.avatar_url or f"http://{call.request.headers['Host']}{AVATAR_PATH}?{urlencode({'of': user.username})}"


def avatar(call: Call) -> Response:
    """Serve the picture of a user who has no other one."""
    username = call.request.first("of")
    with call.store.change() as world:
        if username not in world.users:
            raise RefusedError("not_found", "There is no such user.", HTTPStatus.NOT_FOUND)
    return Response(200, _picture(username), {"Content-Type": "image/jpeg", "x-tt-logid": call.log_id})


def _asked_fields(call: Call) -> list[str]:
    fields = [name for name in call.request.first("fields").split(",") if name]
    if not fields or not set(fields) <= set(_FIELDS):
        raise RefusedError("invalid_params", rules.FIELDS_INCORRECT)
    call.notes["fields"] = fields
    return fields


def _whole_number(body: dict[str, Any], name: str, within: range) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value not in within:
        raise RefusedError("invalid_params", f"The request {name} is incorrect")
    return value


def _now_if_none(world: World, cursor: int | None) -> int:
    return round(world.clock.now() * 1000) if cursor is None else cursor


def _asked_ids(body: dict[str, Any]) -> list[str]:
    filters = body.get("filters")
    ids = filters.get("video_ids") if isinstance(filters, dict) else None
    is_list_of_text = isinstance(ids, list) and all(isinstance(video_id, str) for video_id in ids)
    if not ids or not is_list_of_text or len(ids) > rules.VIDEOS_PER_QUERY:
        raise RefusedError("invalid_params", "The request video_ids are empty or incorrect")
    return list(ids)


def _answered(call: Call, world: World, caller: Caller, video: Shown, fields: list[str]) -> dict[str, Any]:
    film = video.film
    text = film.title[: rules.VIDEO_TEXT_LENGTH]
    query = urlencode({"utm_campaign": "tt4d_open_api", "utm_source": caller.app.client_key})
    page = f"https://www.tiktok.com/@{film.username}/video/{film.video_id}?{query}"
    expires = str(int(world.clock.now()) + rules.COVER_SECONDS)
    signed = {"id": film.video_id, "x-expires": expires, "x-signature": _signature(str(film.video_id), expires)}
    values = {
        "id": str(film.video_id),
        "create_time": int(film.created_at),
        "cover_image_url": f"http://{call.request.headers['Host']}{COVER_PATH}?{urlencode(signed)}",
        "share_url": page,
        "video_description": text,
        "title": text,
        "duration": film.duration,
        "height": film.height,
        "width": film.width,
        "embed_html": (
            f'<blockquote class="tiktok-embed" cite="{html.escape(page)}" data-video-id="{film.video_id}">'
            f"<section>{html.escape(text)}</section></blockquote>"
        ),
        "embed_link": f"https://www.tiktok.com/embed/v2/{film.video_id}?{query}",
        **video.figures,
    }
    return {name: values[name] for name in fields}


def _signature(video_id: str, expires: str) -> str:
    return hashlib.sha256(f"cover {video_id} {expires}".encode()).hexdigest()


def _picture(name: str) -> bytes:
    # A colour of its own, so that the pictures of a list differ.
    red, green, blue, *_ = hashlib.sha256(name.encode()).digest()
    gradient = Image.linear_gradient("L").resize(COVER_SIZE)
    file = io.BytesIO()
    ImageOps.colorize(gradient, (red, green, blue), (red // 4, green // 4, blue // 4)).save(file, "JPEG")
    return file.getvalue()
