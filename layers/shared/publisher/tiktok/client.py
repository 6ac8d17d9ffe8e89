"""TikTok's API as the port `TikTok` has it. One HTTP request a call, never repeated here."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from pydantic import SecretStr

from publisher.domain.accounts import Creator
from publisher.domain.chunks import Chunk, ChunkPlan
from publisher.domain.limits import VIDEOS_PER_CALL
from publisher.domain.metrics import AccountFigures, VideoFigures
from publisher.domain.posts import PostOptions
from publisher.ports import ChunkAnswer, Grant, OpenedUpload, Profile, PublishStatus, TikTokApp, VideoPage
from publisher.tiktok import oauth
from publisher.tiktok.failures import api_failure, chunk_failure, failure_of, unreadable
from publisher.tiktok.transport import Answer, Transport
from publisher.tiktok.wire import (
    CarouselData,
    CarouselRequest,
    CreatorData,
    Envelope,
    InitData,
    InitRequest,
    PhotoInfo,
    PhotoSource,
    PostInfo,
    SourceInfo,
    StatusData,
    StatusRequest,
    UserData,
    UserStatsData,
    Verdict,
    Video,
    VideoFilters,
    VideoListData,
    VideoListRequest,
    VideoQueryData,
    VideoQueryRequest,
    Wire,
    read,
)

PUBLISH, UPLOAD = "video.publish", "video.upload"
STATS, VIDEOS = "user.info.stats", "video.list"
USER_FIELDS = {
    "user.info.basic": ("open_id", "display_name", "avatar_url"),
    "user.info.profile": ("username",),
}
"""What a scope shows of a user, as far as it is asked for here."""
_STATS_FIELDS = ("follower_count", "following_count", "likes_count", "video_count")
_VIDEO_FIELDS = (
    "id",
    "create_time",
    "video_description",
    "duration",
    "cover_image_url",
    "share_url",
    "view_count",
    "like_count",
    "comment_count",
    "share_count",
)
_CONTENT_RANGE = re.compile(r"bytes \d+-(?P<received>\d+)/")


class TikTokClient:
    """Calls TikTok for whoever the given token belongs to.

    `api_url` and `auth_url` are origins without a slash at the end; `app` is called only by what needs the app's key.
    """

    def __init__(self, api_url: str, auth_url: str, app: Callable[[], TikTokApp], transport: Transport) -> None:
        self._api_url = api_url
        self._auth_url = auth_url
        self._app = app
        self._transport = transport

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str, scopes: Collection[str]) -> str:
        """Return the address of the consent page; `challenge` is TikTok's hex form of PKCE."""
        return oauth.authorize_url(
            self._auth_url,
            self._app().client_key,
            state=state,
            challenge=challenge,
            redirect_uri=redirect_uri,
            scopes=scopes,
        )

    def exchange_code(self, *, code: str, verifier: str, redirect_uri: str) -> Grant:
        """Trade a code for tokens; ConnectionRefused when TikTok does not take it. A code works once."""
        return oauth.exchange_code(
            self._transport,
            self._api_url,
            self._app(),
            code=SecretStr(code),
            verifier=SecretStr(verifier),
            redirect_uri=redirect_uri,
        )

    def refresh(self, refresh_token: SecretStr) -> Grant:
        """Trade a refresh token for new ones; TokenExpired when it is dead. Not safe to repeat: the old one may die."""
        return oauth.refresh(self._transport, self._api_url, self._app(), refresh_token)

    def revoke(self, access_token: SecretStr) -> None:
        """Take the app's access to the account back; TokenExpired when the token is dead. Safe to repeat."""
        oauth.revoke(self._transport, self._api_url, self._app(), access_token)

    def check_app(self) -> float | None:
        """Try the app's key and secret; return TikTok's epoch second, if it tells it. Safe to repeat."""
        return oauth.check_app(self._transport, self._api_url, self._app())

    def profile(self, access_token: SecretStr, scopes: Collection[str]) -> Profile:
        """Return the user, asking only for what the scopes allow; empty without a call when they allow nothing."""
        asked = [scope for scope in USER_FIELDS if scope in scopes]
        if not asked:
            return Profile(open_id="")
        query = _fields(field for scope in asked for field in USER_FIELDS[scope])
        answer = self._call(Envelope[UserData], "GET", f"/v2/user/info/?{query}", access_token, scopes=asked)
        user = answer.data.user
        return Profile(
            open_id=user.open_id, username=user.username, display_name=user.display_name, avatar_url=user.avatar_url
        )

    def creator(self, access_token: SecretStr) -> Creator:
        """Return the creator's live posting options; AccountDisabled or RateLimitExceeded when he cannot post now."""
        answer = self._call(
            Envelope[CreatorData], "POST", "/v2/post/publish/creator_info/query/", access_token, scopes=[PUBLISH]
        )
        creator = answer.data
        return Creator(
            username=creator.creator_username,
            nickname=creator.creator_nickname,
            avatar_url=creator.creator_avatar_url,
            privacy_level_options=creator.privacy_level_options,
            comment_disabled=creator.comment_disabled,
            duet_disabled=creator.duet_disabled,
            stitch_disabled=creator.stitch_disabled,
            max_video_post_duration_sec=creator.max_video_post_duration_sec,
        )

    def open_upload(self, access_token: SecretStr, *, text: str, options: PostOptions, plan: ChunkPlan) -> OpenedUpload:
        """Open an upload for a direct post, or for a draft, which takes neither caption nor options."""
        path, scope = ("inbox/video", UPLOAD) if options.draft else ("video", PUBLISH)
        answer = self._call(
            Envelope[InitData],
            "POST",
            f"/v2/post/publish/{path}/init/",
            access_token,
            scopes=[scope],
            body=InitRequest(
                post_info=None if options.draft else _post_info(text, options),
                source_info=SourceInfo(
                    video_size=plan.video_size,
                    chunk_size=plan.chunk_size,
                    total_chunk_count=plan.total_chunk_count,
                ),
            ),
        )
        return OpenedUpload(publish_id=answer.data.publish_id, upload_url=answer.data.upload_url)

    def open_carousel(
        self, access_token: SecretStr, *, text: str, options: PostOptions, picture_urls: Sequence[str]
    ) -> str:
        """Publish pictures, or send them as a draft, and return the publish_id; TikTok pulls them afterwards.

        Not safe to repeat: one whose answer was lost may be published, unless its addresses are fenced.
        """
        answer = self._call(
            Envelope[CarouselData],
            "POST",
            "/v2/post/publish/content/init/",
            access_token,
            scopes=[UPLOAD if options.draft else PUBLISH],
            body=CarouselRequest(
                post_mode="MEDIA_UPLOAD" if options.draft else "DIRECT_POST",
                post_info=_photo_info(text, options),
                source_info=PhotoSource(
                    photo_images=tuple(picture_urls), photo_cover_index=options.photo_cover_index or 0
                ),
            ),
        )
        return answer.data.publish_id

    def put_chunk(
        self, upload_url: SecretStr, *, chunk: Chunk, total: int, content_type: str, data: memoryview
    ) -> ChunkAnswer:
        """Send a chunk. Safe to repeat on the same URL: TikTok answers what it already has.

        ValueError when `data` is not as long as the chunk, since TikTok would wait for the rest or cut it off.
        """
        if data.nbytes != chunk.size:
            raise ValueError(f"chunk {chunk.first}-{chunk.last} does not have {data.nbytes} bytes")
        answer = self._transport.upload(
            upload_url.get_secret_value(),
            headers={
                "Content-Type": content_type,
                "Content-Range": f"bytes {chunk.first}-{chunk.last}/{total}",
            },
            data=data,
        )
        return _chunk_answer(answer, chunk)

    def status(self, access_token: SecretStr, publish_id: str) -> PublishStatus:
        """Ask what became of a post. Safe to repeat."""
        answer = self._call(
            Envelope[StatusData],
            "POST",
            "/v2/post/publish/status/fetch/",
            access_token,
            scopes=[PUBLISH, UPLOAD],
            body=StatusRequest(publish_id=publish_id),
        )
        said = answer.data
        failed = said.status == "FAILED"
        return PublishStatus(
            status=said.status,
            post_ids=tuple(str(post_id) for post_id in said.publicaly_available_post_id or ()),
            uploaded_bytes=said.uploaded_bytes,
            failure=failure_of(said.fail_reason, answer.error.log_id).failure() if failed else None,
        )

    def figures(self, access_token: SecretStr, scopes: Collection[str]) -> AccountFigures:
        """Return the account's figures; empty without a call when the scopes allow none. Safe to repeat."""
        if STATS not in scopes:
            return AccountFigures()
        path = f"/v2/user/info/?{_fields(_STATS_FIELDS)}"
        answer = self._call(Envelope[UserStatsData], "GET", path, access_token, scopes=[STATS])
        user = answer.data.user
        return AccountFigures(
            follower_count=user.follower_count,
            following_count=user.following_count,
            likes_count=user.likes_count,
            video_count=user.video_count,
        )

    def videos(self, access_token: SecretStr, *, cursor: int | None, count: int) -> VideoPage:
        """List at most `count` public videos that are older than the cursor (epoch ms), newest first. Safe to repeat.

        ValueError for a count that TikTok does not take.
        """
        if not 1 <= count <= VIDEOS_PER_CALL:
            raise ValueError(f"TikTok lists 1 to {VIDEOS_PER_CALL} videos at once, not {count}")
        answer = self._call(
            Envelope[VideoListData],
            "POST",
            f"/v2/video/list/?{_fields(_VIDEO_FIELDS)}",
            access_token,
            scopes=[VIDEOS],
            body=VideoListRequest(cursor=cursor, max_count=count),
        )
        said = answer.data
        return VideoPage(
            videos=_videos(said.videos),
            cursor=said.cursor,
            has_more=said.has_more and said.cursor is not None,  # without a cursor nothing can be asked for
        )

    def find_videos(self, access_token: SecretStr, ids: Sequence[str]) -> tuple[VideoFigures, ...]:
        """Return those of the videos that are the account's own and public; no ids make no call. Safe to repeat.

        ValueError for more ids than TikTok takes at once.
        """
        if len(ids) > VIDEOS_PER_CALL:
            raise ValueError(f"TikTok tells of {VIDEOS_PER_CALL} videos at once, not of {len(ids)}")
        if not ids:
            return ()
        answer = self._call(
            Envelope[VideoQueryData],
            "POST",
            f"/v2/video/query/?{_fields(_VIDEO_FIELDS)}",
            access_token,
            scopes=[VIDEOS],
            body=VideoQueryRequest(filters=VideoFilters(video_ids=tuple(ids))),
        )
        return _videos(answer.data.videos)

    def _call[Data: Wire](
        self,
        kind: type[Envelope[Data]],
        method: str,
        path: str,
        access_token: SecretStr,
        *,
        scopes: Collection[str],
        body: Wire | None = None,
    ) -> Envelope[Data]:
        """Call the API with a token; `scopes` are those that the call needs, for the error that says one is missing."""
        content = None
        headers = {"Authorization": f"Bearer {access_token.get_secret_value()}"}
        if method == "POST":
            content = json.dumps(body.model_dump(exclude_none=True) if body else {}).encode()
            headers["Content-Type"] = "application/json; charset=UTF-8"
        answer = self._transport.call(method, f"{self._api_url}{path}", headers=headers, body=content)
        verdict = read(Verdict, answer.body)
        if verdict is not None and verdict.error.code != "ok":
            raise api_failure(answer, verdict.error, scopes=scopes, secrets=[access_token])
        envelope = read(kind, answer.body)
        if envelope is None:
            raise unreadable(answer)
        return envelope


def _fields(names: Iterable[str]) -> str:
    return urlencode({"fields": ",".join(names)}, safe=",")


def _videos(said: Sequence[Video] | None) -> tuple[VideoFigures, ...]:
    return tuple(
        VideoFigures(
            video_id=video.id,
            created_at=video.create_time,
            description=video.video_description,
            duration=video.duration,
            cover_url=video.cover_image_url,
            share_url=video.share_url,
            view_count=video.view_count,
            like_count=video.like_count,
            comment_count=video.comment_count,
            share_count=video.share_count,
        )
        for video in said or ()
    )


def _post_info(text: str, options: PostOptions) -> PostInfo:
    return PostInfo(
        title=text or None,
        privacy_level=options.privacy_level,
        disable_comment=not options.allow_comment,
        disable_duet=not options.allow_duet,
        disable_stitch=not options.allow_stitch,
        video_cover_timestamp_ms=options.video_cover_timestamp_ms,
        brand_content_toggle=options.brand_content,
        brand_organic_toggle=options.brand_organic,
        is_aigc=options.is_ai_generated,
    )


def _photo_info(text: str, options: PostOptions) -> PhotoInfo:
    title, description = options.photo_title or None, text or None
    if options.draft:
        return PhotoInfo(title=title, description=description)
    return PhotoInfo(
        title=title,
        description=description,
        privacy_level=options.privacy_level,
        disable_comment=not options.allow_comment,
        auto_add_music=options.auto_add_music,
        brand_content_toggle=options.brand_content,
        brand_organic_toggle=options.brand_organic,
    )


def _chunk_answer(answer: Answer, chunk: Chunk) -> ChunkAnswer:
    match answer.status:
        case HTTPStatus.CREATED:
            return ChunkAnswer(kind="complete")
        case HTTPStatus.PARTIAL_CONTENT:
            return ChunkAnswer(kind="more")
        case HTTPStatus.OK:  # not documented, seen by some clients
            return ChunkAnswer(kind="complete" if chunk.is_last else "more")
        case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            progress = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
            return ChunkAnswer(kind="out_of_order", received=int(progress["received"]) if progress else None)
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND:
            return ChunkAnswer(kind="gone")
        case _:
            raise chunk_failure(answer)
