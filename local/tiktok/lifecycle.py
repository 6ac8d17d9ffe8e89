"""What becomes of a publish as time goes by: processing, the outcome, the post, its public id."""

from itertools import chain

from local.tiktok import events, rules
from local.tiktok.rules import FailReason, RemovalReason
from local.tiktok.state import Post, Publish, User, World


def accept(world: World, publish: Publish) -> None:
    """All bytes are in: processing begins, and takes longer for more of them."""
    settings = world.settings
    now = world.clock.now()
    size_share = publish.received / rules.GIGABYTE["decimal"]
    publish.accepted_at = now
    publish.due_at = now + settings.processing_seconds + settings.processing_seconds_per_gb * size_share


def settle_due(world: World) -> None:
    """Bring every publish whose time has come to its outcome, in the order of those times; tell of new public posts."""
    now = world.clock.now()
    due = [(_due_at(world, publish), publish) for publish in world.publishes.values() if publish.is_processing]
    for moment, publish in sorted(due, key=lambda pair: pair[0]):
        if moment <= now and not publish.stuck:
            _settle(world, publish, moment)
    for post in world.posts:
        if post.publicly_available_at is not None and post.publicly_available_at <= now and not post.announced:
            post.announced = True
            events.tell_of_post(world, post, "publicly_available", post.publicly_available_at)


def next_moment(world: World) -> float:
    """When something is to happen by itself (Unix seconds); infinity if nothing is."""
    return min(
        chain(
            (_due_at(world, one) for one in world.publishes.values() if one.is_processing and not one.stuck),
            (post.publicly_available_at or float("inf") for post in world.posts if not post.announced),
            (event.due_at for event in world.events if event.state == "waiting"),
        ),
        default=float("inf"),
    )


def _due_at(world: World, publish: Publish) -> float:
    if publish.due_at is not None:
        return publish.due_at
    if publish.source == "PULL_FROM_URL":
        return publish.created_at + rules.PULL_SECONDS
    if publish.upload_expires_at is not None and world.settings.abandoned_upload == "failed":
        return publish.upload_expires_at
    return float("inf")


def _settle(world: World, publish: Publish, at: float) -> None:
    user = world.users[publish.username]
    reason = _failure(world, publish, user, at)
    if reason:
        fail(world, publish, reason, at)
    elif publish.kind == "draft":
        publish.enter("SEND_TO_USER_INBOX", at)
        events.tell_of_publish(world, publish, "inbox_delivered", at)
    else:
        add_post(world, publish, publish.post_info, at)


def _failure(world: World, publish: Publish, user: User, at: float) -> FailReason | None:
    if publish.accepted_at is None:
        return pull_failure(publish) if publish.source == "PULL_FROM_URL" else "internal"
    if publish.media_fault or world.settings.forced_fail_reason:
        return publish.media_fault or world.settings.forced_fail_reason
    if user.banned:
        return "spam_risk_user_banned_from_posting"
    if publish.kind == "direct" and direct_posts(world, user.username, at) >= user.daily_post_cap:
        return "spam_risk_too_many_posts"
    return None


def pull_failure(publish: Publish) -> FailReason:
    """Name the failure of a download that cannot be finished."""
    return "photo_pull_failed" if publish.media_type == "PHOTO" else "video_pull_failed"


def fail(world: World, publish: Publish, reason: FailReason, at: float) -> None:
    """End a publish without a post."""
    publish.fail_reason = reason
    publish.enter("FAILED", at)
    events.tell_of_publish(world, publish, "failed", at, reason=reason)


def add_post(world: World, publish: Publish, post_info: dict[str, object], at: float) -> None:
    """Put the post on TikTok; the creator's own switches win over the request's."""
    user = world.users[publish.username]
    privacy_level = post_info["privacy_level"]
    is_photo = publish.media_type == "PHOTO"
    post = Post.model_validate(
        {
            "post_id": world.next_id(),
            "publish_id": publish.publish_id,
            "media_type": publish.media_type,
            "kind": publish.kind,
            "client_key": publish.client_key,
            "username": user.username,
            "open_id": publish.open_id,
            "title": post_info.get("title") or "",
            "description": (is_photo and post_info.get("description")) or "",
            "privacy_level": privacy_level,
            "comments": not (post_info.get("disable_comment") or user.comment_disabled),
            "duets": not (is_photo or post_info.get("disable_duet") or user.duet_disabled or user.is_private),
            "stitches": not (is_photo or post_info.get("disable_stitch") or user.stitch_disabled or user.is_private),
            "branded_content": bool(post_info.get("brand_content_toggle")),
            "own_brand": bool(post_info.get("brand_organic_toggle")),
            "ai_generated": not is_photo and bool(post_info.get("is_aigc")),
            "cover_timestamp_ms": _cover(publish, post_info),
            "auto_add_music": is_photo and bool(post_info.get("auto_add_music")),
            "photo_count": len(publish.pictures),
            "photo_cover_index": publish.photo_cover_index,
            "photo_sha256": [picture.sha256 for picture in publish.pictures],
            "sha256": publish.sha256,
            "size": publish.received,
            "created_at": at,
            "publicly_available_at": at + world.settings.moderation_seconds if privacy_level == rules.PUBLIC else None,
        }
    )
    world.posts.append(post)
    publish.post_ids.append(post.post_id)
    publish.enter("PUBLISH_COMPLETE", at)
    events.tell_of_publish(world, publish, "complete", at)


def withdraw(world: World, post: Post) -> None:
    """Let only its creator see a public post from now on."""
    post.withdrawn_at = world.clock.now()
    events.tell_of_post(world, post, "no_longer_publicaly_available", post.withdrawn_at)


def show_again(world: World, post: Post) -> None:
    """Make a withdrawn post public again."""
    post.withdrawn_at = None
    events.tell_of_post(world, post, "publicly_available", world.clock.now())


def _cover(publish: Publish, post_info: dict[str, object]) -> int:
    moment = post_info.get("video_cover_timestamp_ms")
    duration = publish.media.duration if publish.media else 0
    is_inside = isinstance(moment, int) and 0 <= moment < duration * 1000
    # A moment outside the film falls back to the first frame, and so it does for every post that is not public.
    return moment if isinstance(moment, int) and is_inside and post_info["privacy_level"] == rules.PUBLIC else 0


def direct_posts(world: World, username: str, now: float) -> int:
    """Count the creator's posts through Direct Post in the last 24 hours, of all apps."""
    since = now - rules.DAY_SECONDS
    return sum(
        post.username == username and post.kind == "direct" and since < post.created_at <= now for post in world.posts
    )


def direct_posts_coming(world: World, username: str) -> int:
    """Count the creator's direct posts whose bytes are in and whose outcome is open."""
    return sum(
        publish.username == username
        and publish.kind == "direct"
        and publish.is_processing
        and publish.accepted_at is not None
        for publish in world.publishes.values()
    )


def pending_shares(world: World, username: str, now: float) -> int:
    """Count the creator's drafts that are neither finished nor failed."""
    since = now - rules.DAY_SECONDS if world.settings.pending_share_cap == "24h" else float("-inf")
    return sum(
        publish.username == username
        and publish.kind == "draft"
        and publish.status not in ("PUBLISH_COMPLETE", "FAILED")
        and publish.created_at > since
        for publish in world.publishes.values()
    )


def active_users(world: World, client_key: str, now: float) -> set[str]:
    """Who has opened a direct post through the app in the last 24 hours."""
    return {
        publish.username
        for publish in world.publishes.values()
        if publish.client_key == client_key
        and publish.kind == "direct"
        and publish.created_at > now - rules.DAY_SECONDS
    }


def end_grants(world: World, client_key: str, username: str, reason: RemovalReason) -> bool:
    """Take every consent of the user to the app back; False if there was none."""
    now = world.clock.now()
    ended = [
        grant
        for grant in world.grants.values()
        if grant.client_key == client_key and grant.username == username and grant.revoked_at is None
    ]
    for grant in ended:
        grant.revoked_at = now
    if ended:
        events.tell_of_removal(world, client_key, ended[0].open_id, reason, now)
    for publish in world.publishes.values():
        if publish.client_key == client_key and publish.username == username and publish.is_processing:
            fail(world, publish, "auth_removed", now)
    return bool(ended)
