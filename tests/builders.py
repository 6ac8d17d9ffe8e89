"""Test data in one readable line: each builder makes a good object, and an argument says what is special about it."""

from uuid import uuid4

from pydantic import SecretStr

from publisher.domain.accounts import SCOPES, Account, Creator, SealedTokens
from publisher.domain.chunks import plan_chunks
from publisher.domain.endpoints import Delivery, Endpoint
from publisher.domain.keys import SCOPES as KEY_SCOPES
from publisher.domain.keys import ApiKey, hash_secret
from publisher.domain.media import VideoFacts
from publisher.domain.pictures import PictureFacts
from publisher.domain.posts import Carousel, Media, Pictures, Post, PostOptions, Upload
from publisher.ports import Grant, IdempotentRequest, PendingConnection

NOW = 1_790_000_000.0
"""When the tests happen: September 2026."""
MIB = 1024 * 1024


def options(**changes: object) -> PostOptions:
    return PostOptions.model_validate({"privacy_level": "PUBLIC_TO_EVERYONE", **changes})


def video_facts(**changes: object) -> VideoFacts:
    good = {
        "content_type": "video/mp4",
        "size": 8_000_000,
        "duration_seconds": 20.5,
        "width": 1080,
        "height": 1920,
        "frames_per_second": 29.97,
        "codec": "H.264",
    }
    return VideoFacts.model_validate({**good, **changes})


def picture_facts(**changes: object) -> PictureFacts:
    good = {"content_type": "image/jpeg", "size": 300_000, "width": 1080, "height": 1920}
    return PictureFacts.model_validate({**good, **changes})


def stored_video(size: int = 8_000_000, key: str = "staging/video", etag: str = '"etag"') -> Media:
    return Media(key=key, etag=etag, size=size, content_type="video/mp4", facts=video_facts(size=size))


def an_upload(size: int = 8_000_000, **changes: object) -> Upload:
    good = {"publish_id": "v_pub_file~v2-1.1", "sealed_url": "sealed", "plan": plan_chunks(size), "opened_at": NOW}
    return Upload.model_validate({**good, **changes})


def some_pictures(**changes: object) -> Pictures:
    good = {"folder": "staging/folder", "count": 3, "size": 3_000_000}
    return Pictures.model_validate({**good, **changes})


def a_carousel(**changes: object) -> Carousel:
    good = {"prefix": "0" * 32, "opened_at": NOW, "publish_id": "p_pub_url~v2.1"}
    return Carousel.model_validate({**good, **changes})


def a_post(**changes: object) -> Post:
    """A post; one that has ended is told to the workspace's endpoints."""
    good = {
        "post_id": str(uuid4()),
        "workspace_id": "workspace-1",
        "account_id": "account-1",
        "created_at": NOW,
        "updated_at": NOW,
        "text": "A rabbit wakes up.",
        "media_urls": ("https://media.example/film.mp4",),
        "options": options(),
        "creator_username": "a_creator",
        "longest_seconds": 600,
        "noticed": changes.get("status"),
    }
    return Post.model_validate({**good, **changes})


def a_request(post: Post, key: str = "key-1", **changes: object) -> IdempotentRequest:
    good = {
        "workspace_id": post.workspace_id,
        "key": key,
        "body_hash": "hash of the body",
        "post_id": post.post_id,
        "in_flight_until": NOW + 30,
    }
    return IdempotentRequest.model_validate({**good, **changes})


def sealed_tokens(**changes: object) -> SealedTokens:
    good = {
        "ver": 1,
        "sealed": "sealed",
        "expires_at": NOW + 86400,
        "refresh_expires_at": NOW + 365 * 86400,
        "lifetime": 86400,
    }
    return SealedTokens.model_validate({**good, **changes})


def an_account(**changes: object) -> Account:
    """An account whose workspace knows that it is active."""
    account_id = str(uuid4())
    good = {
        "account_id": account_id,
        "workspace_id": "workspace-1",
        "open_id": f"open-{account_id}",
        "username": "a_creator",
        "display_name": "A Creator",
        "scopes": SCOPES,
        "created_at": NOW,
        "updated_at": NOW,
        "tokens": sealed_tokens(),
        "noticed": "active",
    }
    return Account.model_validate({**good, **changes})


def an_endpoint(**changes: object) -> Endpoint:
    good = {
        "endpoint_id": str(uuid4()),
        "workspace_id": "workspace-1",
        "url": "https://hooks.example/tiktok",
        "secret": "sealed",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Endpoint.model_validate({**good, **changes})


def a_delivery(**changes: object) -> Delivery:
    good = {
        "endpoint_id": "endpoint-1",
        "notice_id": f"msg_{uuid4().hex}",
        "type": "post.published",
        "body": '{"type":"post.published"}',
        "created_at": NOW,
        "begun_at": NOW,
        "watch_at": NOW,
    }
    return Delivery.model_validate({**good, **changes})


def a_connection(**changes: object) -> PendingConnection:
    good = {
        "kind": "state",
        "token_hash": uuid4().hex,
        "workspace_id": "workspace-1",
        "redirect_uri": "https://publish.example/oauth/tiktok/callback",
        "session_hash": "hash of the session",
        "expires_at": NOW + 600,
    }
    return PendingConnection.model_validate({**good, **changes})


def a_key(secret: str = "secret", **changes: object) -> ApiKey:
    good = {
        "key_id": uuid4().hex[:8],
        "workspace_id": "workspace-1",
        "name": "a key",
        "scopes": KEY_SCOPES,
        "secret_hash": hash_secret(secret),
        "created_at": NOW,
    }
    return ApiKey.model_validate({**good, **changes})


def a_grant(**changes: object) -> Grant:
    good = {
        "open_id": f"open-{uuid4()}",
        "access_token": SecretStr(f"act.{uuid4().hex}"),
        "refresh_token": SecretStr(f"rft.{uuid4().hex}"),
        "expires_in": 86400,
        "refresh_expires_in": 365 * 86400,
        "scopes": SCOPES,
    }
    return Grant.model_validate({**good, **changes})


def a_creator(**changes: object) -> Creator:
    good = {
        "username": "a_creator",
        "nickname": "A Creator",
        "avatar_url": "https://tiktok.example/a.webp",
        "privacy_level_options": ("PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "SELF_ONLY"),
        "comment_disabled": False,
        "duet_disabled": False,
        "stitch_disabled": False,
        "max_video_post_duration_sec": 600,
    }
    return Creator.model_validate({**good, **changes})


def a_form(data: bytes, *, field: str = "file", name: str = "photo.jpg") -> bytes:
    """A file in a form whose boundary is x."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--x--\r\n"
