"""Display API: the user's own data."""

from typing import Any

from local.tiktok.answers import RefusedError, ok
from local.tiktok.calls import Call, Caller, identify
from local.tiktok.rules import FIELDS_INCORRECT
from local.tiktok.state import World
from local.tiktok.videos import all_videos, avatar_url
from local.tiktok.web import Response

_SCOPE_OF_FIELD = {
    **dict.fromkeys(
        ("open_id", "union_id", "display_name", "avatar_url", "avatar_url_100", "avatar_large_url"), "user.info.basic"
    ),
    **dict.fromkeys(("username", "bio_description", "profile_deep_link", "is_verified"), "user.info.profile"),
    **dict.fromkeys(("follower_count", "following_count", "likes_count", "video_count"), "user.info.stats"),
}


def user_info(call: Call) -> Response:
    """Tell the requested fields of the token's user."""
    with call.store.change() as world:
        caller = identify(call, world, "user_info", ())
        fields = [name for name in call.request.first("fields").split(",") if name]
        unknown = [name for name in fields if name not in _SCOPE_OF_FIELD]
        if unknown or not fields:
            raise RefusedError("invalid_params", FIELDS_INCORRECT)
        call.notes["fields"] = fields
        missing = {name for name in fields if _SCOPE_OF_FIELD[name] not in caller.grant.scopes}
        if missing and world.settings.missing_field_scope != "empty":
            raise RefusedError(world.settings.missing_field_scope)
        values = _values(call, world, caller)
        user = {name: type(values[name])() if name in missing else values[name] for name in fields}
        return ok(world.settings, call.log_id, {"user": user})


def _values(call: Call, world: World, caller: Caller) -> dict[str, Any]:
    user, picture = caller.user, avatar_url(call, caller.user)
    videos = all_videos(world, user.username)
    public = [video for video in videos if video.film.is_public]
    return {
        "open_id": caller.grant.open_id,
        "union_id": user.union_id,
        "display_name": user.nickname,
        "avatar_url": picture,
        "avatar_url_100": picture,
        "avatar_large_url": picture,
        "username": user.username,
        "bio_description": user.bio_description,
        "profile_deep_link": f"https://www.tiktok.com/@{user.username}",
        "is_verified": user.is_verified,
        "follower_count": user.follower_count + sum(video.followers for video in videos),
        "following_count": user.following_count,
        "likes_count": user.likes_count + sum(video.figures["like_count"] for video in public),
        "video_count": len(public),
    }
