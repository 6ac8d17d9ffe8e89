"""The API's requests and answers, in the names and casing of the documented API."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StrictBool, StrictInt, StrictStr, ValidationError
from pydantic.alias_generators import to_camel

from publisher.domain.accounts import Account, AccountState, Creator
from publisher.domain.errors import Failure, InvalidPlatform, InvalidRequest, MissingParameter, RequestInvalid
from publisher.domain.findings import Finding
from publisher.domain.history import Look
from publisher.domain.keys import ApiKey
from publisher.domain.limits import PICTURES
from publisher.domain.posts import Post, PostOptions, Status
from publisher.domain.quota import Limited, Quota
from publisher.domain.rules import PRIVACY_LEVELS, Consent, consent, label
from publisher.domain.sessions import Session, csrf_token
from publisher.domain.uploads import UploadState, part_size, plan_parts
from publisher.ports import PostPage, ProbedMedia

_MESSAGES = {
    Status.SCHEDULED: "Post scheduled",
    Status.CANCELLED: "Post cancelled; nothing was published",
    Status.QUEUED: "Post accepted",
    Status.PROCESSING_DOWNLOAD: "Post accepted",
    Status.PROCESSING_UPLOAD: "Post accepted",
    Status.PUBLISH_COMPLETE: "Post published successfully",
    Status.SEND_TO_USER_INBOX: "Draft sent; the creator finishes it from the notification in TikTok's inbox",
    Status.REVIEW: "TikTok has not said whether the post is there; look at the account before posting again",
    Status.FAILED: "Post failed",
}
_HELD = "The creator has to connect the TikTok account again (GET /oauth/tiktok/start); the post waits for it"

_TURN = "The post waits for its turn (GET /v2/accounts/{account_id}/quota says why), not before"

_WITHDRAWN = "Post was published; TikTok no longer shows it to everybody"


def absent(value: object) -> bool:
    """Tell whether a key is left out of an answer."""
    return value is None


class ApiModel(BaseModel):
    """camelCase outside, snake_case inside; an unknown field is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class TargetRequest(ApiModel):
    """Where the post goes; there is one place."""

    target_type: StrictStr | None = None


class ContentRequest(ApiModel):
    """What is posted."""

    text: StrictStr = ""
    media_urls: list[StrictStr] | StrictStr | None = None
    platform: StrictStr | None = None


class OptionsRequest(ApiModel):
    """TikTok's options; what is left out is off."""

    privacy_level: StrictStr | None = None
    allow_comment: StrictBool = False
    allow_duet: StrictBool = False
    allow_stitch: StrictBool = False
    brand_content_toggle: StrictBool = False
    brand_organic_toggle: StrictBool = False
    draft: StrictBool = False
    is_ai_generated: StrictBool = False
    video_cover_timestamp_ms: StrictInt | None = Field(default=None, ge=0, le=2**31 - 1)
    photo_cover_index: StrictInt | None = Field(default=None, ge=0, lt=int(PICTURES))
    photo_title: StrictStr = ""
    auto_add_music: StrictBool = False

    def options(self) -> PostOptions:
        """Return the options in the domain's words; an unknown privacy level is left out (rules.py refuses it)."""
        return PostOptions.model_validate(
            {
                "privacy_level": self.privacy_level if self.privacy_level in PRIVACY_LEVELS else None,
                "allow_comment": self.allow_comment,
                "allow_duet": self.allow_duet,
                "allow_stitch": self.allow_stitch,
                "brand_content": self.brand_content_toggle,
                "brand_organic": self.brand_organic_toggle,
                "draft": self.draft,
                "is_ai_generated": self.is_ai_generated,
                "video_cover_timestamp_ms": self.video_cover_timestamp_ms,
                "photo_cover_index": self.photo_cover_index,
                "photo_title": self.photo_title,
                "auto_add_music": self.auto_add_music,
            }
        )


class PostRequest(ApiModel):
    """The part under `post`."""

    account_id: StrictStr | None = None
    content: ContentRequest = ContentRequest()
    target: TargetRequest | None = None
    tiktok_options: OptionsRequest | None = None


class CreatePostRequest(ApiModel):
    """Body of POST /v2/posts. Everything has a default here, so that all problems are found at once."""

    post: PostRequest = PostRequest()
    tiktok_options: OptionsRequest | None = None
    scheduled_time: StrictStr | None = None
    timezone: StrictStr | None = None
    queue_if_limited: StrictBool | None = None

    @property
    def media_urls(self) -> tuple[str, ...]:
        """The media URLs, given as a list or as one string."""
        urls = self.post.content.media_urls
        return (urls,) if isinstance(urls, str) else tuple(urls or ())

    @property
    def chosen_options(self) -> OptionsRequest:
        """TikTok's options, from either of the two places."""
        return self.post.tiktok_options or self.tiktok_options or OptionsRequest()

    def options(self, defaults: PostOptions) -> PostOptions:
        """Return the options: the defaults when none are given, and theirs for a privacy level that is missing."""
        given = self.post.tiktok_options or self.tiktok_options
        if given is None:
            return defaults
        options = given.options()
        if given.privacy_level is None and not options.draft:
            options = options.model_copy(update={"privacy_level": defaults.privacy_level})
        return options


class EditContentRequest(ApiModel):
    """What may change of the content."""

    text: StrictStr | None = None


class EditedPostRequest(ApiModel):
    """The part under `post`."""

    content: EditContentRequest = EditContentRequest()
    tiktok_options: OptionsRequest | None = None


class EditPostRequest(ApiModel):
    """Body of PATCH of a post: what is left out stays."""

    post: EditedPostRequest = EditedPostRequest()
    tiktok_options: OptionsRequest | None = None
    scheduled_time: StrictStr | None = None
    timezone: StrictStr | None = None

    def applied_to(self, post: Post) -> CreatePostRequest:
        """Return the request that would make the post as it is to be."""
        given = self.post.tiktok_options or self.tiktok_options
        options = _options_shown(post.options)
        if given is not None:
            options = options.model_copy(update={name: getattr(given, name) for name in given.model_fields_set})
        text = post.text if self.post.content.text is None else self.post.content.text
        content = ContentRequest(text=text, media_urls=list(post.media_urls), platform="tiktok")
        return CreatePostRequest(
            post=PostRequest(account_id=post.account_id, content=content, tiktok_options=options),
            scheduled_time=self.scheduled_time,
            timezone=self.timezone,
            queue_if_limited=post.queues,
        )


class DroppedPostRequest(OptionsRequest):
    """A sidecar, or a folder's post.json: TikTok's options, and what else is said of the post.

    `files` names the media of a folder in order.
    """

    text: StrictStr = ""
    scheduled_time: StrictStr | None = None
    timezone: StrictStr | None = None
    queue_if_limited: StrictBool = True
    files: list[StrictStr] | None = Field(default=None, min_length=1)

    def request(self, account_id: str, media_urls: list[str]) -> CreatePostRequest:
        """Return the request that posts it; without any option the account's defaults count."""
        given = {name: getattr(self, name) for name in self.model_fields_set & set(OptionsRequest.model_fields)}
        return CreatePostRequest(
            post=PostRequest(
                account_id=account_id,
                content=ContentRequest(text=self.text, media_urls=media_urls, platform="tiktok"),
                tiktok_options=OptionsRequest(**given) if given else None,
            ),
            scheduled_time=self.scheduled_time,
            timezone=self.timezone,
            queue_if_limited=self.queue_if_limited,
        )


class BulkRequest(ApiModel):
    """Body of POST /v2/posts/bulk; each post is a body of POST /v2/posts, and is read by itself."""

    posts: list[Any] | None = None
    dry_run: StrictBool = False
    queue_if_limited: StrictBool | None = None


class RetryRequest(ApiModel):
    """Body of POST …/retry: whether an unclear post is there, as a person saw who looked at the account."""

    published: StrictBool | None = None


class BeginUploadRequest(ApiModel):
    """Body of POST /v2/media/uploads; `size` is in bytes."""

    file_name: StrictStr | None = None
    size: StrictInt | None = None
    content_type: StrictStr | None = None


class PartRequest(ApiModel):
    """A part of an upload by its number from 1, and the base64 of its bytes' SHA-256."""

    number: StrictInt
    sha256: StrictStr


class PartsRequest(ApiModel):
    """Body of POST …/parts and POST …/complete of an upload."""

    parts: list[PartRequest] | None = None


def read_create_post(body: object) -> tuple[CreatePostRequest, list[RequestInvalid]]:
    """Read a body as far as it can be read, and list every field that cannot."""
    if not isinstance(body, dict):
        raise InvalidRequest('The body is not a JSON object with a "post".', "See POST /v2/posts in the README.")
    problems: list[RequestInvalid] = []
    for _ in range(_MOST_PROBLEMS):
        try:
            request = CreatePostRequest.model_validate(body, by_alias=True, by_name=False)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False, include_context=False)
            paths = [_path(fault["loc"], body) for fault in faults]
            for fault, path in zip(faults, paths, strict=True):
                problems.append(_problem(".".join(path), fault["type"], fault["msg"]))
                body = _without(body, path)
        else:
            return request, _first_of_each_field(problems) + _shape_problems(request)
    raise InvalidRequest("The body has too many wrong fields.", "See POST /v2/posts in the README.")


def read_body[Body: BaseModel](model: type[Body], body: object, call: str) -> Body:
    """Read the body of `call`; InvalidRequest names the first field that cannot be read."""
    if not isinstance(body, dict):
        raise InvalidRequest("The body is not a JSON object.", f"See {call} in the README.")
    try:
        return model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise _problem(".".join(_path(fault["loc"], body)), fault["type"], fault["msg"]) from None


_MOST_PROBLEMS = 10
"""Rounds of reading a body; each takes out what was wrong."""


def _path(loc: tuple[int | str, ...], body: object) -> list[str]:
    """Return the names that lead to a wrong field: of where it is, those that are the body's own."""
    names: list[str] = []
    for part in loc:
        if not isinstance(part, str) or not isinstance(body, dict) or part not in body:
            break
        names.append(part)
        body = body[part]
    return names


def _without(body: dict[str, Any], path: list[str]) -> dict[str, Any]:
    if len(path) == 1 or not isinstance(body.get(path[0]), dict):
        return {name: value for name, value in body.items() if name != path[0]}
    return {**body, path[0]: _without(body[path[0]], path[1:])}


def _problem(field: str, kind: str, text: str) -> RequestInvalid:
    if kind == "extra_forbidden":
        return InvalidRequest(f"{field} is not a field of this request.", "Remove it or check its name.", field=field)
    if kind == "model_type":
        text = "Input should be a JSON object"
    return InvalidRequest(f"{field}: {text}.", "Give it the type that the README shows.", field=field)


def _first_of_each_field(problems: list[RequestInvalid]) -> list[RequestInvalid]:
    return list({problem.field: problem for problem in reversed(problems)}.values())[::-1]


def _shape_problems(request: CreatePostRequest) -> list[RequestInvalid]:
    problems: list[RequestInvalid] = []
    platform = request.post.content.platform
    if request.post.account_id is None:
        problems.append(
            MissingParameter("accountId is missing.", "GET /api/accounts lists them.", field="post.accountId")
        )
    if platform is None:
        problems.append(MissingParameter("platform is missing.", 'Set it to "tiktok".', field="post.content.platform"))
    elif platform != "tiktok":
        problems.append(
            InvalidPlatform("The platform is not supported.", 'Set it to "tiktok".', field="post.content.platform")
        )
    target = request.post.target
    if target and target.target_type is not None and target.target_type != platform:
        problems.append(
            InvalidRequest(
                "targetType differs from platform.",
                "Make them equal or leave target out.",
                field="post.target.targetType",
            )
        )
    if request.post.tiktok_options is not None and request.tiktok_options is not None:
        problems.append(
            InvalidRequest("tiktokOptions is given twice.", "Keep the one inside post.", field="tiktokOptions")
        )
    return problems


class AccountAnswer(BaseModel):
    """An account in GET /api/accounts."""

    account_id: str
    social_channel_type: Literal["tiktok"] = "tiktok"
    is_valid: bool
    expires_at: str | None
    created_at: str
    updated_at: str
    tiktok_username: str
    tiktok_display_name: str
    tiktok_avatar_url: str
    tiktok_open_id: str
    scopes: list[str]
    state: AccountState
    state_reason: str | None
    state_since: str | None

    @classmethod
    def of(cls, account: Account, now: float) -> "AccountAnswer":
        """Show an account; tokens stay where they are."""
        standing = account.standing(now)
        return cls(
            account_id=account.account_id,
            is_valid=account.usable(now),
            expires_at=iso(account.tokens.refresh_expires_at) if account.tokens else None,
            created_at=iso(account.created_at),
            updated_at=iso(account.updated_at),
            tiktok_username=account.username,
            tiktok_display_name=account.display_name,
            tiktok_avatar_url=account.avatar_url,
            tiktok_open_id=account.open_id,
            scopes=list(account.scopes),
            state=standing.state,
            state_reason=standing.reason,
            state_since=None if standing.since is None else iso(standing.since),
        )


class AccountList(BaseModel):
    """What GET /api/accounts answers."""

    accounts: list[AccountAnswer]


class DisconnectedAnswer(BaseModel):
    """What DELETE of an account answers."""

    success: Literal[True] = True
    account_id: str
    state: AccountState = AccountState.DISCONNECTED
    message: str

    @classmethod
    def of(cls, account: Account) -> "DisconnectedAnswer":
        """Tell how far a disconnection has come."""
        over = "The account is disconnected, and its tokens are erased."
        open_yet = "The account is disconnected. TikTok has not confirmed it yet and is asked again; nothing to do."
        return cls(account_id=account.account_id, message=over if account.tokens is None else open_yet)


class CreatorAnswer(BaseModel):
    """What GET …/creator-info answers: what the creator may choose now."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    account_id: str
    creator_username: str
    creator_nickname: str
    creator_avatar_url: str
    privacy_level_options: tuple[str, ...]
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool
    max_video_post_duration_sec: int

    @classmethod
    def of(cls, account_id: str, creator: Creator) -> "CreatorAnswer":
        """Show a creator."""
        return cls(
            account_id=account_id,
            creator_username=creator.username,
            creator_nickname=creator.nickname,
            creator_avatar_url=creator.avatar_url,
            **creator.model_dump(exclude={"username", "nickname", "avatar_url"}),
        )


class LimitAnswer(BaseModel):
    """A limit: `used` + `promised` to posts in line + `left` make it up, unless TikTok's refusal leaves nothing."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    name: str
    limit: int
    window_seconds: int
    used: int
    promised: int
    left: int
    frees: list[str]

    @classmethod
    def of(cls, limited: Limited) -> "LimitAnswer":
        """Show a limit, and when each of its taken slots is free again."""
        return cls(
            name=limited.window.name,
            limit=limited.window.most,
            window_seconds=limited.window.seconds,
            used=len(limited.frees),
            promised=limited.promised,
            left=limited.left,
            frees=[iso(at) for at in limited.frees],
        )


class WaitingAnswer(BaseModel):
    """How many wait for their turn."""

    posts: int
    drafts: int


class QuotaAnswer(BaseModel):
    """What GET …/quota answers: what a caller can have now of each limit, and why TikTok takes nothing."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    account_id: str
    limits: list[LimitAnswer]
    waiting: WaitingAnswer
    held_until: str | None
    held_reason: str | None

    @classmethod
    def of(cls, account_id: str, quota: Quota) -> "QuotaAnswer":
        """Show an account's quota."""
        return cls(
            account_id=account_id,
            limits=[LimitAnswer.of(limited) for limited in quota.limits],
            waiting=WaitingAnswer(posts=quota.waiting_posts, drafts=quota.waiting_drafts),
            held_until=iso(quota.hold.until) if quota.hold else None,
            held_reason=quota.hold.error if quota.hold else None,
        )


class DefaultsAnswer(BaseModel):
    """An account's defaults; null when its owner chose none."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    account_id: str
    defaults: OptionsRequest | None

    @classmethod
    def of(cls, account: Account) -> "DefaultsAnswer":
        """Show an account's defaults."""
        shown = _options_shown(account.defaults) if account.defaults else None
        return cls(account_id=account.account_id, defaults=shown)


class ConnectedAnswer(BaseModel):
    """What the callback answers a program: the account, and what the creator did not allow."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: Literal[True] = True
    account: AccountAnswer
    missing_scopes: list[str]


class ConnectLinkAnswer(BaseModel):
    """A link that connects an account, for whichever browser opens it first."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    connect_url: str
    expires_at: str


class CreateKeyRequest(ApiModel):
    """Body of POST /v2/keys."""

    name: StrictStr | None = None
    scopes: list[StrictStr] | None = None
    expires_at: StrictStr | None = None


class KeyAnswer(BaseModel):
    """An API key in GET /v2/keys; its secret is known to its holder alone."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    key_id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: str
    last_used_at: str | None
    expires_at: str | None
    revoked_at: str | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyAnswer":
        """Show a key."""
        return cls(
            key_id=key.key_id,
            name=key.name,
            prefix=key.beginning,
            scopes=key.scopes,
            created_at=iso(key.created_at),
            last_used_at=_iso_or_none(key.last_used_at),
            expires_at=_iso_or_none(key.expires_at),
            revoked_at=_iso_or_none(key.revoked_at),
        )


class NewKeyAnswer(KeyAnswer):
    """What POST /v2/keys answers: the only time that the key's text is shown."""

    key: str

    @classmethod
    def of_new(cls, key: ApiKey, text: SecretStr) -> "NewKeyAnswer":
        """Show a key with its text."""
        return cls.model_validate({**KeyAnswer.of(key).model_dump(), "key": text.get_secret_value()})


class KeyList(BaseModel):
    """What GET /v2/keys answers."""

    keys: list[KeyAnswer]


class PartAnswer(BaseModel):
    """A part of an upload: the place of its first byte, its size in bytes, and where to send it if that was asked."""

    number: int
    first: int
    size: int
    received: bool
    url: str | None = Field(exclude_if=absent)


class UploadAnswer(BaseModel):
    """An upload as it stands."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    upload_id: str
    file_name: str
    size: int
    media_url: str
    part_size: int
    parts: list[PartAnswer]
    complete: bool
    urls_expire_at: str | None = Field(exclude_if=absent)
    expires_at: str

    @classmethod
    def of(cls, state: UploadState, base_url: str) -> "UploadAnswer":
        """Show an upload; of a complete one all parts are there."""
        upload = state.upload
        return cls(
            upload_id=upload.upload_id,
            file_name=upload.file_name,
            size=upload.size,
            media_url=upload.media_url(base_url),
            part_size=part_size(upload.size),
            parts=[
                PartAnswer(
                    **part._asdict(),
                    received=upload.complete or part.number in state.received,
                    url=state.urls.get(part.number),
                )
                for part in plan_parts(upload.size)
            ],
            complete=upload.complete,
            urls_expire_at=_iso_or_none(state.urls_expire_at),
            expires_at=iso(upload.expires_at),
        )


class DroppedUploadAnswer(BaseModel):
    """Answer of DELETE of an upload."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: Literal[True] = True
    upload_id: str


class SignInRequest(ApiModel):
    """Body of POST /v2/session: an admin key, or the ticket of a sign-in link."""

    key: StrictStr | None = None
    ticket: StrictStr | None = None


class SessionAnswer(BaseModel):
    """A session of the dashboard; every request of it that changes something carries `csrfToken` as X-CSRF-Token."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    csrf_token: str
    key_name: str
    key_beginning: str
    workspace_id: str
    signed_in_at: str
    ends_at: str

    @classmethod
    def of(cls, key: ApiKey, session: Session, token: str) -> "SessionAnswer":
        """Show a session to its browser."""
        return cls(
            csrf_token=csrf_token(token),
            key_name=key.name,
            key_beginning=key.beginning,
            workspace_id=key.workspace_id,
            signed_in_at=iso(session.began_at),
            ends_at=iso(session.ends_at),
        )


class SignedOutAnswer(BaseModel):
    """What DELETE /v2/session answers."""

    success: Literal[True] = True


class SignInLinkAnswer(BaseModel):
    """A link that signs in once."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    sign_in_url: str
    expires_at: str


class MomentAnswer(BaseModel):
    """A step in a post's timeline, with bytes where it moves some."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    step: str
    at: str
    bytes: int | None = Field(default=None, exclude_if=absent)
    total_bytes: int | None = Field(default=None, exclude_if=absent)


class PostAnswer(BaseModel):
    """What POST /v2/posts answers: the page's seven keys and ours."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: bool
    post_submission_id: str
    platform: Literal["tiktok"] = "tiktok"
    post_type: str = Field(alias="post_type")
    publish_id: str | None = Field(alias="publish_id")
    status: Status
    message: str
    label: str | None
    consent: Consent
    warnings: tuple[str, ...]
    status_url: str
    scheduled_time: str | None = Field(default=None, exclude_if=absent)
    not_before: str | None = Field(default=None, exclude_if=absent)
    request_id: str | None = Field(default=None, exclude_if=absent)

    @classmethod
    def of(cls, post: Post, request_id: str | None = None) -> "PostAnswer":
        """Show a post to the request of that id."""
        return cls.model_validate({**_shown(post), "request_id": request_id})


class LookAnswer(BaseModel):
    """A video's figures, as they were looked at last."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    view_count: int
    like_count: int
    comment_count: int
    share_count: int
    as_of: str

    @classmethod
    def of(cls, look: Look) -> "LookAnswer":
        """Show a look."""
        views, likes, comments, shares = look.counts
        return cls(view_count=views, like_count=likes, comment_count=comments, share_count=shares, as_of=iso(look.at))


class PostDetail(PostAnswer):
    """What GET of one post answers, and each post of the list."""

    account_id: str
    text: str
    timeline: list[MomentAnswer]
    public_url: str | None
    post_ids: tuple[str, ...]
    options: OptionsRequest
    created_at: str
    updated_at: str
    error: str | None = Field(default=None, exclude_if=absent)
    code: str | None = Field(default=None, exclude_if=absent)
    retryable: bool | None = Field(default=None, exclude_if=absent)
    tiktok_log_id: str | None = Field(default=None, alias="tiktok_log_id", exclude_if=absent)
    metrics: LookAnswer | None = Field(default=None, exclude_if=absent)

    @classmethod
    def of(cls, post: Post, request_id: str | None = None, look: Look | None = None) -> "PostDetail":
        """Show a post with all that is known of it, and how its video did when it was looked at last."""
        failure = post.failure if post.status in (Status.FAILED, Status.REVIEW) else None
        told = failure.model_dump(include={"error", "code", "message", "retryable", "tiktok_log_id"}) if failure else {}
        return cls.model_validate(
            {
                **_shown(post),
                "request_id": request_id,
                "account_id": post.account_id,
                "text": post.text,
                "timeline": [_moment(post, number) for number in range(len(post.timeline))],
                "public_url": post.public_url,
                "post_ids": post.post_ids,
                "options": _options_shown(post.options),
                "created_at": iso(post.created_at),
                "updated_at": iso(post.updated_at),
                "metrics": LookAnswer.of(look) if look else None,
                **told,
            }
        )


class PostList(BaseModel):
    """A page of posts; `cursor` leads to the next one."""

    posts: list[PostDetail]
    cursor: str | None

    @classmethod
    def of(cls, page: PostPage) -> "PostList":
        """Show a page."""
        return cls(posts=[PostDetail.of(post) for post in page.posts], cursor=page.cursor)


def _shown(post: Post) -> dict[str, Any]:
    return {
        "success": post.status not in (Status.FAILED, Status.REVIEW),
        "post_submission_id": post.post_id,
        "post_type": post.post_type,
        "publish_id": post.publish_id,
        "status": post.status,
        "message": _message(post),
        "label": label(post.options),
        "consent": consent(post.options),
        "warnings": post.warnings,
        "status_url": f"/v2/posts/{post.post_id}",
        "scheduled_time": _iso_or_none(post.scheduled_at),
        "not_before": _iso_or_none(post.not_before),
    }


def _message(post: Post) -> str:
    if post.no_longer_public_at is not None:
        return _WITHDRAWN
    if post.not_before is not None:
        return f"{_TURN} {iso(post.not_before)}"
    if post.held_until is not None:
        return f"{_HELD} until {iso(post.held_until)}"
    if post.last_offered and post.lacks_id and not post.terminal:
        return "TikTok has taken the pictures and not told under which id; do not send them again, it is looked after"
    return _MESSAGES[post.status]


def _moment(post: Post, number: int) -> MomentAnswer:
    moment = post.timeline[number]
    total = post.media.size if post.media else post.announced_bytes
    if post.pictures:
        total = post.downloaded_bytes  # of several pictures nobody announced the sum
    moved = {"DownloadMedia": post.downloaded_bytes, "UploadChunks": post.next_byte}.get(moment.step)
    return MomentAnswer(
        step=moment.step, at=iso(moment.at), bytes=moved, total_bytes=total if moved is not None else None
    )


def _options_shown(options: PostOptions) -> OptionsRequest:
    return OptionsRequest(
        privacy_level=options.privacy_level,
        allow_comment=options.allow_comment,
        allow_duet=options.allow_duet,
        allow_stitch=options.allow_stitch,
        brand_content_toggle=options.brand_content,
        brand_organic_toggle=options.brand_organic,
        draft=options.draft,
        is_ai_generated=options.is_ai_generated,
        video_cover_timestamp_ms=options.video_cover_timestamp_ms,
        photo_cover_index=options.photo_cover_index,
        photo_title=options.photo_title,
        auto_add_music=options.auto_add_music,
    )


class HealthAnswer(BaseModel):
    """What GET /health answers."""

    status: Literal["ok"] = "ok"


class NothingAnswer(BaseModel):
    """An answer that says nothing but that it was taken."""


class Checkup(BaseModel):
    """What the operator's check answers; `healthy` unless something failed."""

    healthy: bool
    findings: list[Finding]

    @classmethod
    def of(cls, findings: list[Finding]) -> "Checkup":
        """Show what was found."""
        return cls(healthy=all(finding.status != "failed" for finding in findings), findings=findings)


class FailureAnswer(BaseModel):
    """Every error: the page's shape and ours."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: Literal[False] = False
    error: str
    code: str
    message: str
    platform: Literal["tiktok"] = "tiktok"
    retryable: bool
    request_id: str | None
    post_submission_id: str | None = None
    tiktok_log_id: str | None = Field(default=None, alias="tiktok_log_id")
    problems: list["ProblemAnswer"] | None = None

    @classmethod
    def of(
        cls,
        failure: Failure,
        request_id: str | None = None,
        *,
        post_id: str | None = None,
        problems: Sequence[Failure] = (),
    ) -> "FailureAnswer":
        """Show an error to the request of that id."""
        return cls(
            error=failure.error,
            code=failure.code,
            message=failure.message,
            retryable=failure.retryable,
            request_id=request_id,
            post_submission_id=post_id,
            tiktok_log_id=failure.tiktok_log_id,
            problems=[ProblemAnswer.of(problem) for problem in problems] or None,
        )


class ProblemAnswer(BaseModel):
    """One of several things that are wrong with a request."""

    field: str | None
    code: str
    error: str
    message: str

    @classmethod
    def of(cls, failure: Failure) -> "ProblemAnswer":
        """Show a problem."""
        return cls(field=failure.field, code=failure.code, error=failure.error, message=failure.message)


class RowAnswer(BaseModel):
    """What became of one row of a bulk request, numbered from 1."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    row: int
    success: bool
    post_submission_id: str | None = Field(default=None, exclude_if=absent)
    status: Status | None = Field(default=None, exclude_if=absent)
    scheduled_time: str | None = Field(default=None, exclude_if=absent)
    not_before: str | None = Field(default=None, exclude_if=absent)
    warnings: tuple[str, ...] | None = Field(default=None, exclude_if=absent)
    error: str | None = Field(default=None, exclude_if=absent)
    code: str | None = Field(default=None, exclude_if=absent)
    message: str | None = Field(default=None, exclude_if=absent)
    retryable: bool | None = Field(default=None, exclude_if=absent)
    retry_after: int | None = Field(default=None, exclude_if=absent)
    problems: list[ProblemAnswer] | None = Field(default=None, exclude_if=absent)

    @classmethod
    def of(cls, row: int, post: Post, *, stored: bool) -> "RowAnswer":
        """Show a row that was taken, or would be."""
        return cls(
            row=row,
            success=True,
            post_submission_id=post.post_id if stored else None,
            status=post.status,
            scheduled_time=_iso_or_none(post.scheduled_at),
            not_before=_iso_or_none(post.not_before),
            warnings=post.warnings,
        )

    @classmethod
    def refused(cls, row: int, failure: Failure, problems: Sequence[Failure] = ()) -> "RowAnswer":
        """Show a row that was not taken, and why."""
        return cls(
            row=row,
            success=False,
            **failure.model_dump(include={"error", "code", "message", "retryable", "retry_after"}),
            problems=[ProblemAnswer.of(problem) for problem in problems] or None,
        )


class MediaAnswer(BaseModel):
    """What was seen of one media URL, in their order; null is what was not."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    item: int
    content_type: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    duration_seconds: float | None
    frames_per_second: float | None
    codec: str | None

    @classmethod
    def of(cls, item: int, seen: ProbedMedia) -> "MediaAnswer":
        """Show what was seen of the media at a place that counts from 1."""
        video, facts = seen.video, seen.video or seen.picture
        return cls(
            item=item,
            content_type=seen.content_type,
            size_bytes=seen.size,
            width=facts and facts.width,
            height=facts and facts.height,
            duration_seconds=video and video.duration_seconds,
            frames_per_second=video and video.frames_per_second,
            codec=video and video.codec,
        )


class ValidationAnswer(BaseModel):
    """What POST /v2/posts/validate answers; a post is `valid` when there is no problem with it.

    Then `status` and the times tell what would become of it.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    valid: bool
    problems: list[ProblemAnswer]
    warnings: list[str]
    media: list[MediaAnswer]
    status: Status | None = Field(default=None, exclude_if=absent)
    scheduled_time: str | None = Field(default=None, exclude_if=absent)
    not_before: str | None = Field(default=None, exclude_if=absent)
    request_id: str

    @classmethod
    def of(
        cls,
        request_id: str,
        problems: Sequence[Failure],
        warnings: Sequence[str],
        media: Sequence[ProbedMedia],
        post: Post | None,
    ) -> "ValidationAnswer":
        """Show what was found; each warning once."""
        accepted = None if problems else post
        return cls(
            valid=not problems,
            problems=[ProblemAnswer.of(problem) for problem in problems],
            warnings=list(dict.fromkeys(warnings)),
            media=[MediaAnswer.of(item, seen) for item, seen in enumerate(media, start=1)],
            status=accepted and accepted.status,
            scheduled_time=_iso_or_none(accepted.scheduled_at if accepted else None),
            not_before=_iso_or_none(accepted.not_before if accepted else None),
            request_id=request_id,
        )


class BulkAnswer(BaseModel):
    """What POST /v2/posts/bulk answers: each row by itself; `success` when all were taken."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: bool
    accepted: int
    refused: int
    results: list[RowAnswer]
    request_id: str

    @classmethod
    def of(cls, rows: list[RowAnswer], request_id: str) -> "BulkAnswer":
        """Count the rows."""
        accepted = sum(row.success for row in rows)
        refused = len(rows) - accepted
        return cls(success=refused == 0, accepted=accepted, refused=refused, results=rows, request_id=request_id)


def iso(at: float) -> str:
    """Write an epoch second as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso(at)


def check_query(query: Mapping[str, str], known: Collection[str]) -> None:
    """Raise InvalidRequest, naming it, when a query has a parameter that a call does not know."""
    unknown = set(query) - set(known)
    if unknown:
        raise InvalidRequest(f"{min(unknown)} is not a parameter of this call.", "Remove it.", field=min(unknown))


def read_number(query: Mapping[str, str], name: str, *, least: int, most: int) -> int | None:
    """Read a whole number of a query, None when it is not given; InvalidRequest names it when it is out of range."""
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise InvalidRequest(f"{name} is not a number from {least} to {most}.", "Change it.", field=name)
    return int(text)


def read_moment(text: str, field: str) -> float:
    """Read a time with an offset, as ISO 8601 writes it, as epoch second; InvalidRequest names the field."""
    try:
        moment = datetime.fromisoformat(text)
        at = None if moment.tzinfo is None else moment.timestamp()
        if at is not None:
            iso(at)  # by its offset it may be before the first year or after the last
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise InvalidRequest(f"{field} is not a time with an offset.", "Write it as 2026-12-24T18:00:00Z.", field=field)
    return at
