"""Content Posting API: creator_info, init, status, cancel."""

import json
import uuid
from typing import Any, Literal

from local.tiktok import lifecycle, pull, rules
from local.tiktok.answers import RefusedError, ok
from local.tiktok.calls import Call, Caller, identify, read_json
from local.tiktok.sources import (
    Source,
    check_ownership,
    check_photo_post_info,
    check_photo_source_info,
    check_post_info,
    check_source_info,
)
from local.tiktok.state import Publish, World
from local.tiktok.videos import avatar_url
from local.tiktok.web import Response

_EITHER_SCOPE = ("video.publish", "video.upload")
_PREFIXES = {
    ("direct", "FILE_UPLOAD"): "v_pub_file~v2-1",
    ("direct", "PULL_FROM_URL"): "v_pub_url~v2",
    ("draft", "FILE_UPLOAD"): "v_inbox_file~v2",
    ("draft", "PULL_FROM_URL"): "v_inbox_url~v2",
}
_PHOTO_PREFIX = "p_pub_url~v2"  # of drafts too, by the reference page
_POST_MODES: dict[str, tuple[Literal["direct", "draft"], str]] = {
    "DIRECT_POST": ("direct", "video.publish"),
    "MEDIA_UPLOAD": ("draft", "video.upload"),
}
"""post_mode of a photo post to (kind, scope)."""


def creator_info(call: Call) -> Response:
    """Tell the creator's live posting options."""
    with call.store.change() as world:
        caller = identify(call, world, "creator_info", ("video.publish",))
        _check_caps(world, caller)
        user = caller.user
        options = user.privacy_options
        if caller.app.is_limited and world.settings.unaudited_creator_info == "self_only":
            options = [option for option in options if option == rules.SELF_ONLY]
        return ok(
            world.settings,
            call.log_id,
            {
                "creator_avatar_url": avatar_url(call, user),
                "creator_username": user.username,
                "creator_nickname": user.nickname,
                "privacy_level_options": options,
                "comment_disabled": user.comment_disabled,
                "duet_disabled": user.duet_disabled or user.is_private,
                "stitch_disabled": user.stitch_disabled or user.is_private,
                "max_video_post_duration_sec": user.max_video_post_duration_sec,
            },
        )


def video_init(call: Call) -> Response:
    """Open a direct post of a video."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "video/init", ("video.publish",))
        body = _parse(call, content)
        post_info = check_post_info(body.get("post_info"), world.settings)
        source = check_source_info(body.get("source_info"), world.settings)
        check_ownership(source.urls, caller.app)
        _check_direct(world, caller, post_info)
        return _open(call, world, caller, kind="direct", source=source, post_info=post_info)


def inbox_video_init(call: Call) -> Response:
    """Open a draft of a video; the creator finishes it in the app, so `post_info` is ignored."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "inbox/video/init", ("video.upload",))
        body = _parse(call, content)
        source = check_source_info(body.get("source_info"), world.settings)
        check_ownership(source.urls, caller.app)
        _check_draft(world, caller)
        return _open(call, world, caller, kind="draft", source=source, post_info={})


def content_init(call: Call) -> Response:
    """Open a direct post or a draft of photos; a draft keeps its title and description for the app's editor."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "content/init", _scopes_of_post_mode(content))
        body = _parse(call, content)
        mode = body.get("post_mode")
        if body.get("media_type") != "PHOTO" or not isinstance(mode, str) or mode not in _POST_MODES:
            raise RefusedError("invalid_params", rules.MEDIA_TYPE_OR_POST_MODE_INVALID)
        kind, _ = _POST_MODES[mode]
        post_info = check_photo_post_info(body.get("post_info"), kind, world.settings)
        source = check_photo_source_info(body.get("source_info"), world.settings)
        check_ownership(source.urls, caller.app)
        if kind == "direct":
            _check_direct(world, caller, post_info)
        else:
            _check_draft(world, caller)
        return _open(call, world, caller, kind=kind, source=source, post_info=post_info)


def _scopes_of_post_mode(content: bytes) -> tuple[str, ...]:
    # The scope is looked at before the body is, but the body says which one it is.
    try:
        _, scope = _POST_MODES[json.loads(content)["post_mode"]]
    except (ValueError, RecursionError, TypeError, KeyError):
        return _EITHER_SCOPE
    return (scope,)


def status(call: Call) -> Response:
    """How far a publish has come."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "status", _EITHER_SCOPE)
        publish = _find(call, world, caller, content)
        now = world.clock.now()
        ids = [post.post_id for post in world.posts if post.post_id in publish.post_ids and post.is_available(now)]
        received = "uploaded_bytes" if publish.source == "FILE_UPLOAD" else "downloaded_bytes"
        data = {
            "status": publish.status,
            "fail_reason": publish.fail_reason or "",
            "publicaly_available_post_id": ids,
            received: publish.received,
        }
        if world.settings.empty_keys == "omit":
            data = {name: value for name, value in data.items() if value}
        call.notes["answer"] = data
        return ok(world.settings, call.log_id, data)


def cancel(call: Call) -> Response:
    """Stop a publish whose bytes are not all in yet."""
    content = call.request.body.read()
    with call.store.change() as world:
        caller = identify(call, world, "cancel", _EITHER_SCOPE)
        publish = _find(call, world, caller, content)
        if not publish.is_processing or publish.accepted_at is not None:
            raise RefusedError("publish_not_cancellable")
        lifecycle.fail(world, publish, "publish_cancelled", world.clock.now())
        return ok(world.settings, call.log_id)


def _parse(call: Call, content: bytes) -> dict[str, Any]:
    body = read_json(content)
    call.notes["body"] = _without_query(body)
    return body


def _without_query(body: dict[str, Any]) -> dict[str, Any]:
    # A media URL may be signed; the log keeps what comes before its query.
    source_info = body.get("source_info")
    if not isinstance(source_info, dict):
        return body
    logged = dict(source_info)
    if isinstance(logged.get("video_url"), str):
        logged["video_url"] = logged["video_url"].partition("?")[0]
    if isinstance(logged.get("photo_images"), list):
        urls = logged["photo_images"]
        logged["photo_images"] = [url.partition("?")[0] if isinstance(url, str) else url for url in urls]
    return {**body, "source_info": logged}


def _check_direct(world: World, caller: Caller, post_info: dict[str, Any]) -> None:
    _check_audit(world, caller, post_info)
    _check_caps(world, caller)
    if post_info["privacy_level"] not in caller.user.privacy_options:
        raise RefusedError("privacy_level_option_mismatch", status=world.settings.privacy_mismatch_status)


def _check_draft(world: World, caller: Caller) -> None:
    if caller.user.banned:
        raise RefusedError("spam_risk_user_banned_from_posting")
    if lifecycle.pending_shares(world, caller.user.username, world.clock.now()) >= rules.PENDING_SHARES:
        raise RefusedError("spam_risk_too_many_pending_share")


def _check_audit(world: World, caller: Caller, post_info: dict[str, Any]) -> None:
    if not caller.app.is_limited:
        return
    by_account = world.settings.unaudited_rule == "private_account" and not caller.user.is_private
    if by_account or post_info["privacy_level"] != rules.SELF_ONLY:
        raise RefusedError("unaudited_client_can_only_post_to_private_accounts")


def _check_caps(world: World, caller: Caller) -> None:
    user, now = caller.user, world.clock.now()
    if user.banned:
        raise RefusedError("spam_risk_user_banned_from_posting")
    posts = lifecycle.direct_posts(world, user.username, now) + lifecycle.direct_posts_coming(world, user.username)
    if posts >= user.daily_post_cap:
        raise RefusedError("spam_risk_too_many_posts")
    cap = caller.app.active_user_cap
    if cap is None and caller.app.is_limited:
        cap = rules.UNAUDITED_ACTIVE_USERS
    active = lifecycle.active_users(world, caller.app.client_key, now)
    if cap is not None and user.username not in active and len(active) >= cap:
        raise RefusedError("reached_active_user_cap")


def _open(
    call: Call,
    world: World,
    caller: Caller,
    *,
    kind: Literal["direct", "draft"],
    source: Source,
    post_info: dict[str, Any],
) -> Response:
    now = world.clock.now()
    upload_id = str(world.next_id())
    is_upload = source.source == "FILE_UPLOAD"
    is_photo = bool(source.photo_images)
    prefix = _PHOTO_PREFIX if is_photo else _PREFIXES[kind, source.source]
    publish = Publish(
        publish_id=f"{prefix}.{upload_id}",
        media_type="PHOTO" if is_photo else "VIDEO",
        kind=kind,
        source=source.source,
        client_key=caller.app.client_key,
        username=caller.user.username,
        open_id=caller.grant.open_id,
        grant_id=caller.grant.grant_id,
        created_at=now,
        post_info=post_info,
        video_url=source.video_url,
        video_size=source.video_size,
        chunk_size=source.chunk_size,
        total_chunk_count=source.total_chunk_count,
        photo_images=list(source.photo_images),
        photo_cover_index=source.photo_cover_index,
        pull_due_at=now + world.settings.pull_delay_seconds,
        upload_id=upload_id,
        upload_token=str(uuid.uuid4()) if is_upload else None,
        upload_expires_at=now + rules.UPLOAD_URL_SECONDS if is_upload else None,
        stuck=world.settings.stick_publishes,
        status="PROCESSING_UPLOAD" if is_upload else "PROCESSING_DOWNLOAD",
        timeline=[(now, "PROCESSING_UPLOAD" if is_upload else "PROCESSING_DOWNLOAD")],
    )
    world.publishes[publish.publish_id] = publish
    call.notes["publish_id"] = publish.publish_id
    data = {"publish_id": publish.publish_id}
    if is_upload:
        query = f"upload_id={upload_id}&upload_token={publish.upload_token}"
        data["upload_url"] = f"http://{call.request.headers['Host']}{world.settings.upload_path}?{query}"
    else:
        pull.start(call.store, publish.publish_id)
    return ok(world.settings, call.log_id, data)


def _find(call: Call, world: World, caller: Caller, content: bytes) -> Publish:
    publish_id = _parse(call, content).get("publish_id")
    publish = world.publishes.get(publish_id) if isinstance(publish_id, str) else None
    if publish is None:
        raise RefusedError("invalid_publish_id")
    call.notes["publish_id"] = publish.publish_id
    if publish.open_id != caller.grant.open_id:
        raise RefusedError("token_not_authorized_for_specified_publish_id")
    return publish
