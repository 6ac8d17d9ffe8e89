"""The service as tools of the Model Context Protocol, for a model that acts for a person.

Nothing is guessed for that person: who may see a post is an argument without a default. What fails is an error of the
tool that says what to do.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from publisher_client.client import Client
from publisher_client.errors import PublisherApiError, PublisherError
from publisher_client.login import Home
from publisher_client.models import Options, Post, PostAnswer, Privacy

WAIT_SECONDS = 45.0
"""How long a tool waits for a post's outcome: clients give a tool a minute."""
MEDIA = frozenset({".mp4", ".mov", ".webm", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""Files that may be published: a model that was talked into it shall not bring others out of this computer."""

READS = ToolAnnotations(read_only_hint=True)
ADDS = ToolAnnotations(read_only_hint=False, destructive_hint=False)
CHANGES = ToolAnnotations(read_only_hint=False, destructive_hint=True)
ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)

INSTRUCTIONS = """\
Publishes videos and photos to TikTok accounts of this user. Ask the user before you publish, and who may see the post:
get_creator_info lists the choices. A post in REVIEW may be on TikTok: let the user look before you retry it. Give
publish an idempotency_key of your own, and the same one when you call it again for the same post.
"""

AccountName = Annotated[str | None, Field(description="@username or id; may be left out while there is only one")]
Media = Annotated[
    list[str],
    Field(min_length=1, description="One video, or pictures in order: URLs, or files of the folder this server allows"),
]
Visible = Annotated[Privacy, Field(description="Who may see it: the user's own choice, never yours")]
Once = Annotated[str | None, Field(description="Any text of yours: the same text makes no second post")]
PostId = Annotated[str, Field(description="postSubmissionId of the post")]
Caption = Annotated[str, Field(description="The caption")]
Time = Annotated[str, Field(description="ISO 8601, with an offset or with a timezone")]
Zone = Annotated[str | None, Field(description="IANA name, such as Europe/Berlin")]

P = ParamSpec("P")
Told = dict[str, Any]


def serve(client: Client, home: Home, files: Path | None) -> None:
    """Serve tools on stdin and stdout until stdin ends; `files` is the folder whose media may be published."""
    make_server(client, home, files).run("stdio")


def make_server(client: Client, home: Home, files: Path | None) -> MCPServer:
    """Return the server with its tools."""
    server = MCPServer("tiktok-publisher", instructions=INSTRUCTIONS, log_level="WARNING")
    tools = Tools(client, home, files.resolve() if files else None)
    hinted: tuple[tuple[ToolAnnotations, list[Callable[..., Told]]], ...] = (
        (
            READS,
            [
                tools.list_accounts,
                tools.get_creator_info,
                tools.get_limits,
                tools.list_posts,
                tools.get_post,
                tools.get_stats,
            ],
        ),
        (ADDS, [tools.connect_account, tools.check_post, tools.publish, tools.schedule, tools.send_draft]),
        (CHANGES, [tools.edit_post, tools.retry_post]),
        (ENDS, [tools.cancel_post]),
    )
    for annotations, functions in hinted:
        for function in functions:
            server.add_tool(_telling(function), annotations=annotations, structured_output=True)
    return server


def _telling(function: Callable[P, Told]) -> Callable[P, Told]:
    """Turn our errors into the tool's, with what to do."""

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> Told:
        try:
            return function(*args, **kwargs)
        except PublisherApiError as error:
            problems = "".join(
                f" {one.get('field')}: {one.get('error')} {one.get('message')}" for one in error.problems
            )
            raise ToolError(f"{error.error} What to do: {error.advice}{problems} ({error.facts})") from error
        except PublisherError as error:
            raise ToolError(f"{error.error} What to do: {error.advice}") from error

    return told


class Tools:
    """What a model may do; each method's text is what the model reads."""

    def __init__(self, client: Client, home: Home, files: Path | None) -> None:
        self._client = client
        self._home = home
        self._files = files

    def list_accounts(self) -> Told:
        """List the connected TikTok accounts, their ids and their states."""
        return {"accounts": [_json(one) for one in self._client.accounts()]}

    def connect_account(self) -> Told:
        """Make a link that the user opens in a browser to connect a TikTok account. It works once, for ten minutes."""
        return _json(self._client.connect_link())

    def get_creator_info(self, account: AccountName = None) -> Told:
        """Show what a creator may choose now: privacy levels, what is turned off, the longest video."""
        return _json(self._client.creator_info(self._id(account)))

    def get_limits(self, account: AccountName = None) -> Told:
        """Show how many posts an account may still make, and when more are free."""
        return _json(self._client.quota(self._id(account)))

    def check_post(  # noqa: PLR0917 - a tool's arguments are named by the protocol
        self,
        media: Media,
        text: Caption,
        privacy_level: Visible,
        time: Time | None = None,
        timezone: Zone = None,
        account: AccountName = None,
        allow_comment: bool = False,
        allow_duet: bool = False,
        allow_stitch: bool = False,
        promotes_own_brand: bool = False,
        paid_partnership: bool = False,
        is_ai_generated: bool = False,
        photo_title: str = "",
    ) -> Told:
        """Check a post and its media as publish or schedule would take it, and publish nothing.

        `valid` is whether it would be taken; `problems` say what is wrong, `warnings` what may go wrong.
        """
        options = Options(
            privacy_level=privacy_level,
            allow_comment=allow_comment,
            allow_duet=allow_duet,
            allow_stitch=allow_stitch,
            brand_organic_toggle=promotes_own_brand,
            brand_content_toggle=paid_partnership,
            is_ai_generated=is_ai_generated,
            photo_title=photo_title,
        )
        account_id, urls = self._id(account), self._urls(media)
        return _json(self._client.validate(account_id, urls, text, options, scheduled_time=time, timezone=timezone))

    def publish(  # noqa: PLR0917 - a tool's arguments are named by the protocol
        self,
        media: Media,
        text: Caption,
        privacy_level: Visible,
        account: AccountName = None,
        allow_comment: bool = False,
        allow_duet: bool = False,
        allow_stitch: bool = False,
        promotes_own_brand: bool = False,
        paid_partnership: bool = False,
        is_ai_generated: bool = False,
        photo_title: str = "",
        idempotency_key: Once = None,
    ) -> Told:
        """Publish a video or pictures to TikTok now, for everybody who the privacy level says. Ask the user first.

        Waits a moment for the outcome; a post that is still under way then goes on, and get_post shows it.
        """
        options = Options(
            privacy_level=privacy_level,
            allow_comment=allow_comment,
            allow_duet=allow_duet,
            allow_stitch=allow_stitch,
            brand_organic_toggle=promotes_own_brand,
            brand_content_toggle=paid_partnership,
            is_ai_generated=is_ai_generated,
            photo_title=photo_title,
        )
        return self._outcome(
            self._client.publish(self._id(account), self._urls(media), text, options, idempotency_key=idempotency_key)
        )

    def schedule(  # noqa: PLR0917 - a tool's arguments are named by the protocol
        self,
        media: Media,
        text: Caption,
        privacy_level: Visible,
        time: Time,
        timezone: Zone = None,
        account: AccountName = None,
        allow_comment: bool = False,
        allow_duet: bool = False,
        allow_stitch: bool = False,
        promotes_own_brand: bool = False,
        paid_partnership: bool = False,
        is_ai_generated: bool = False,
        photo_title: str = "",
        idempotency_key: Once = None,
    ) -> Told:
        """Publish a video or pictures to TikTok at a time, 1 minute to 365 days ahead. Ask the user first."""
        options = Options(
            privacy_level=privacy_level,
            allow_comment=allow_comment,
            allow_duet=allow_duet,
            allow_stitch=allow_stitch,
            brand_organic_toggle=promotes_own_brand,
            brand_content_toggle=paid_partnership,
            is_ai_generated=is_ai_generated,
            photo_title=photo_title,
        )
        return _json(
            self._client.publish(
                self._id(account),
                self._urls(media),
                text,
                options,
                scheduled_time=time,
                timezone=timezone,
                idempotency_key=idempotency_key,
            )
        )

    def send_draft(
        self, media: Media, text: Caption = "", account: AccountName = None, idempotency_key: Once = None
    ) -> Told:
        """Send a video or pictures to the creator's TikTok inbox, to be finished and published there by the creator."""
        draft = Options(draft=True)
        return self._outcome(
            self._client.publish(self._id(account), self._urls(media), text, draft, idempotency_key=idempotency_key)
        )

    def list_posts(
        self,
        account: AccountName = None,
        status: Annotated[str | None, Field(description="Such as SCHEDULED, FAILED or REVIEW")] = None,
        limit: Annotated[int, Field(ge=1, le=50)] = 20,
        cursor: Annotated[str | None, Field(description="Of the page before")] = None,
    ) -> Told:
        """List posts, newest first; without an account those of all."""
        account_id = self._id(account) if account else None
        return _json(self._client.posts(status=status, account_id=account_id, limit=limit, cursor=cursor))

    def get_post(self, post_id: PostId) -> Told:
        """Show a post: its state, its steps, its address on TikTok, and why it failed."""
        return _json(self._client.post(post_id))

    def edit_post(
        self, post_id: PostId, text: str | None = None, time: Time | None = None, timezone: Zone = None
    ) -> Told:
        """Change the caption or the time of a post that has not started; what is left out stays."""
        return _json(self._client.edit(post_id, text=text, scheduled_time=time, timezone=timezone))

    def cancel_post(self, post_id: PostId) -> Told:
        """Cancel a post that TikTok cannot have yet. It cannot be taken back."""
        return _json(self._client.cancel(post_id))

    def retry_post(
        self,
        post_id: PostId,
        published: Annotated[
            bool | None, Field(description="For a post in REVIEW, after the user has looked: is it on TikTok?")
        ] = None,
    ) -> Told:
        """Begin a FAILED post again. For one in REVIEW let the user look at the account first: it may be there."""
        return _json(self._client.retry(post_id, published=published))

    def get_stats(self, account: AccountName = None) -> Told:
        """Show an account's followers, likes and latest videos with their views."""
        return _json(self._client.metrics(self._id(account)))

    def _id(self, account: str | None) -> str:
        return self._client.account(account).account_id

    def _urls(self, media: list[str]) -> list[str]:
        files = [one if one.startswith(("http://", "https://")) else self._allowed(one) for one in media]
        return [one if isinstance(one, str) else self._home.bring(self._client, one, _quietly) for one in files]

    def _allowed(self, name: str) -> Path:
        """Return a media file of the allowed folder; PublisherError for any other."""
        if self._files is None:
            raise PublisherError(
                "This server may publish no files of this computer.",
                "Give a URL, or let the user start it with: publisher mcp --files DIR",
            )
        file = (self._files / name).resolve()
        if not file.is_relative_to(self._files) or file.suffix.lower() not in MEDIA or not file.is_file():
            raise PublisherError(
                f"{name} is no video or picture of the allowed folder.",
                "Give the name of a media file in it, or a URL.",
            )
        return file

    def _outcome(self, accepted: PostAnswer) -> Told:
        """Return what became of a post in the time there is; PublisherError when it failed.

        When that cannot be seen the answer is that it was accepted: an error would have a model publish it again.
        """
        seen = [accepted]
        try:
            post = self._client.wait(accepted.post_submission_id, seen.append, seconds=WAIT_SECONDS, until=_settled)
        except PublisherError:
            return _json(seen[-1])
        if post.status == "FAILED":
            raise PublisherError(
                f"Post {post.post_submission_id} failed: {post.error} ({post.code})",
                f"{post.message} retry_post begins it again.",
            )
        return _json(post)


def _quietly(_there: int, _all: int) -> None:
    """Show no progress: stdout is the protocol's."""


def _settled(post: Post) -> bool:
    return post.ended or post.not_before is not None


def _json(told: BaseModel) -> Told:
    return told.model_dump(mode="json", by_alias=True, exclude_unset=True)
