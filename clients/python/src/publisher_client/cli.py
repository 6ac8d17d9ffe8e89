"""The command line: `publisher`."""

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from publisher_client import words
from publisher_client.client import Client
from publisher_client.errors import (
    NotSignedIn,
    OutcomeUnknown,
    OutputLost,
    PublisherApiError,
    PublisherError,
    StillUnderWay,
    Unreachable,
)
from publisher_client.login import Home, Login
from publisher_client.models import Account, Options, Post, PostAnswer, Privacy
from publisher_client.transport import checked_key, checked_url

DONE, FAILED, WRONG, REFUSED, LATER, UNKNOWN = range(6)
INTERRUPTED = 130
"""Exit codes; the last is the shell's for Ctrl-C."""
OF_STATUS = {"FAILED": FAILED, "CANCELLED": FAILED, "REVIEW": UNKNOWN}
"""Exit codes of posts that ended other than well."""

HTTP_REFUSED, HTTP_TOO_MANY, HTTP_SERVER_ERROR = (401, 403), 429, 500
DAYS = 30
"""Days that `stats --history` shows."""

TEACH = """\
examples:
  publisher login --url https://api.example.com
  publisher accounts connect
  publisher creator @rabbit                    what this creator may choose
  publisher publish rabbit.mp4 --text "A rabbit #spring" --privacy SELF_ONLY
  publisher publish https://example.com/a.jpg https://example.com/b.jpg --text "Two" --privacy PUBLIC_TO_EVERYONE
  publisher publish rabbit.mp4 --privacy SELF_ONLY --check
  publisher publish rabbit.mp4 --draft         the creator finishes it in TikTok
  publisher publish rabbit.mp4 --privacy SELF_ONLY --at 2026-12-24T18:00:00 --timezone Europe/Berlin
  publisher schedule                           what is still to come
  publisher posts --json | jq '.posts[].status'

--account takes @username or an id, and may be left out while there is only one account.

exit codes:
  0  done            3  not signed in, or the key may not do this
  1  the post failed, or was cancelled
  2  the command or the post is wrong; nothing was published
  4  try again later: limits, the service or the network
  5  nobody knows yet whether the post is there: look before you post again
  130  stopped with Ctrl-C; what the service has accepted goes on

environment:
  PUBLISHER_URL and PUBLISHER_KEY, together, win over what `publisher login` has stored.
"""
PUBLISH = """\
A film, or pictures in the order of the carousel; each a file of this computer or a URL. Who may see the post is never
guessed: without --privacy you are asked at a terminal, and refused in a script. Comments, duet and stitch are off
unless you allow them.

A file that was cut off is gone on with when you run the same command again. With the same --idempotency-key the same
command makes no second post, however often it runs.

examples:
  publisher publish rabbit.mp4 --account @rabbit --text "A rabbit #spring" --privacy SELF_ONLY --allow-comment
  publisher publish 1.jpg 2.jpg --text "Mornings" --photo-title Mornings --privacy PUBLIC_TO_EVERYONE
  publisher publish rabbit.mp4 --privacy SELF_ONLY --at 2026-12-24T18:00:00+01:00
"""


def main() -> None:
    """Run the command of the command line, and end with its exit code."""
    sys.exit(run(sys.argv[1:], Home(os.environ)))


def run(arguments: list[str], home: Home) -> int:
    """Return a command's exit code; argparse ends by itself when the command is wrong."""
    given = parser().parse_args(arguments)
    try:
        code: int = given.command(given, home)
    except OutputLost as error:
        if error.reader_gone:
            return DONE
        words.say_error(error)
        return LATER
    except PublisherError as error:
        if given.json and isinstance(error, PublisherApiError) and error.answer:
            words.answer(error.answer)
        words.say_error(error)
        return code_of(error)
    except OSError as error:
        words.say(f"Error: {error.filename or 'This computer'}: {error.strerror or error}")
        return WRONG
    except KeyboardInterrupt:
        words.say("Stopped. What the service has accepted goes on: publisher posts")
        return INTERRUPTED
    return code


def code_of(error: PublisherError) -> int:
    """Return the exit code of an error."""
    match error:
        case NotSignedIn():
            return REFUSED
        case OutcomeUnknown():
            return UNKNOWN
        case Unreachable() | StillUnderWay():
            return UNKNOWN if isinstance(error, Unreachable) and error.outcome_unknown else LATER
        case PublisherApiError():
            return _code_of_answer(error)
    return WRONG


def _code_of_answer(error: PublisherApiError) -> int:
    if error.post_id:
        return FAILED
    if error.status in HTTP_REFUSED:
        return REFUSED
    return LATER if error.status == HTTP_TOO_MANY or error.status >= HTTP_SERVER_ERROR else WRONG


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="publisher",
        description="Publish videos and photos to TikTok through your own publishing service.",
        epilog=TEACH,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, does: Callable[[argparse.Namespace, Home], int], text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=text,
            description=PUBLISH if name == "publish" else text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(command=does)
        one.add_argument("--json", action="store_true", help="print the API's JSON alone on stdout")
        return one

    one = command("login", login, "sign in with an API key, which is asked for and not shown, or read from stdin")
    one.add_argument("--url", help="root of the service's API")
    command("logout", logout, "forget the stored key")
    one = command("accounts", accounts, "list the accounts, or connect one")
    one.add_argument("action", nargs="?", choices=["connect"], help="print a link for the creator, and wait for it")
    one.add_argument("--no-wait", action="store_true", help="do not wait until the account is connected")
    one = command("creator", creator, "show what a creator may choose now")
    one.add_argument("account", nargs="?")
    one = command("limits", limits, "show what is left of an account's limits, and when they free")
    one.add_argument("account", nargs="?")
    _publish_arguments(command("publish", publish, "publish a film, pictures or a draft, now or at a time"))
    one = command("schedule", schedule, "list what is scheduled; publish --at schedules")
    one.add_argument("--account")
    one = command("posts", posts, "list posts, newest first")
    one.add_argument("--account")
    one.add_argument("--status", help="only those in this state, such as FAILED or REVIEW")
    one.add_argument("--limit", type=int, default=20, help="how many at most (%(default)s)")
    one = command("post", post, "show a post")
    one.add_argument("post")
    one.add_argument("--wait", action="store_true", help="wait for its outcome, which is then the exit code")
    one = command("edit", edit, "change a post that has not started")
    one.add_argument("post")
    one.add_argument("--text")
    one.add_argument("--privacy", choices=get_args(Privacy))
    one.add_argument("--at", metavar="TIME")
    one.add_argument("--timezone")
    one = command("cancel", cancel, "cancel a post that TikTok cannot have yet")
    one.add_argument("post")
    one = command("retry", retry, "begin a failed post again, or settle one in REVIEW")
    one.add_argument("post")
    one.add_argument("--published", choices=["yes", "no"], help="you have looked: the post is on TikTok, or is not")
    one.add_argument("--no-wait", action="store_true", help="do not wait for the outcome")
    one = command("stats", stats, "show an account's figures and its latest videos")
    one.add_argument("account", nargs="?")
    one.add_argument("--history", action="store_true", help=f"each of the last {DAYS} days instead")
    command("doctor", doctor, "look whether the service is set up; needs an admin key")
    one = command("mcp", mcp, "serve the same as tools of the Model Context Protocol, on stdin and stdout")
    one.add_argument("--files", type=Path, metavar="DIR", help="let tools publish media files of this folder")
    return whole


def _publish_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("media", nargs="+", metavar="FILE|URL")
    one.add_argument("--account", help="@username or id")
    one.add_argument("--text", default="", help="the caption")
    one.add_argument(
        "--privacy", choices=get_args(Privacy), help="who may see it; `publisher creator` lists the choices"
    )
    one.add_argument("--draft", action="store_true", help="send it to the creator's inbox instead of publishing it")
    one.add_argument("--allow-comment", action="store_true")
    one.add_argument("--allow-duet", action="store_true")
    one.add_argument("--allow-stitch", action="store_true")
    one.add_argument("--your-brand", action="store_true", help="it promotes the creator's own business")
    one.add_argument("--branded-content", action="store_true", help="it is a paid partnership")
    one.add_argument("--ai-generated", action="store_true")
    one.add_argument("--cover-ms", type=int, metavar="MS", help="the moment of a video that is its cover")
    one.add_argument("--photo-title", default="")
    one.add_argument("--photo-cover", type=int, metavar="N", help="the picture that is the cover; the first is 0")
    one.add_argument("--auto-music", action="store_true", help="let TikTok add music to photos")
    one.add_argument("--at", metavar="TIME", help="publish later: ISO 8601, with an offset or with --timezone")
    one.add_argument("--timezone", metavar="ZONE", help="of --at, such as Europe/Berlin")
    one.add_argument("--queue", action="store_true", help="wait for its turn when a limit is reached")
    one.add_argument("--idempotency-key", metavar="KEY", help="makes one post, however often the command runs")
    one.add_argument("--check", action="store_true", help="check the post and its media, and publish nothing")
    one.add_argument("--no-wait", action="store_true", help="do not wait for the outcome")


def login(given: argparse.Namespace, home: Home) -> int:
    """Ask for address and key, try them, and keep them."""
    typed = sys.stdin.isatty()
    url = given.url or os.environ.get("PUBLISHER_URL") or (input("Address of the API: ") if typed else "")
    url = checked_url(url)
    key = checked_key(getpass.getpass("API key (not shown): ") if typed else sys.stdin.readline())
    try:
        Client(url, key).accounts()
    except PublisherApiError as error:
        if error.code != "InsufficientScope":  # such a key is good for something else
            raise
    words.say(f"Signed in to {url}; the key is in {home.keep_login(Login(url, key))}, for nobody else to read.")
    return DONE


def logout(_: argparse.Namespace, home: Home) -> int:
    """Forget the stored key."""
    home.forget_login()
    words.say("Signed out. The key itself stays good until it is revoked in the dashboard.")
    return DONE


def accounts(given: argparse.Namespace, home: Home) -> int:
    """List the accounts, or connect one."""
    client = _client(home)
    if given.action == "connect":
        return _connect(client, given)
    there = client.accounts()
    if given.json:
        words.answer(there, "accounts")
        return DONE
    rows = [[f"@{one.tiktok_username}", one.tiktok_display_name, one.state, one.account_id] for one in there]
    words.table(["ACCOUNT", "NAME", "STATE", "ID"], rows, "No account is connected yet: publisher accounts connect")
    return DONE


def _connect(client: Client, given: argparse.Namespace) -> int:
    before = {one.account_id: one for one in client.accounts()}
    link = client.connect_link()
    if given.json and given.no_wait:
        words.answer(link)
        return DONE
    words.say(f"Open this in the creator's browser; it works once, until {link.expires_at:%H:%M:%S} UTC:")
    (words.say if given.json else words.show)(link.connect_url)
    if given.no_wait:
        return DONE
    fresh = client.wait_for_account(link, lambda one: one.is_valid and before.get(one.account_id) != one)
    if given.json:
        words.answer(fresh)
    else:
        words.show(f"Connected @{words.clean(fresh.tiktok_username)}, {fresh.account_id}")
    return DONE


def creator(given: argparse.Namespace, home: Home) -> int:
    """Show what a creator may choose now."""
    client = _client(home)
    info = client.creator_info(client.account(given.account).account_id)
    if given.json:
        words.answer(info)
        return DONE
    words.show(f"@{words.clean(info.creator_username)}  {words.clean(info.creator_nickname)}")
    words.show(f"  --privacy: {', '.join(map(words.clean, info.privacy_level_options))}")
    off = {"comments": info.comment_disabled, "duet": info.duet_disabled, "stitch": info.stitch_disabled}
    words.show(
        f"  Turned off by the creator: {', '.join(name for name, disabled in off.items() if disabled) or 'nothing'}"
    )
    words.show(f"  Longest video: {info.max_video_post_duration_sec} s")
    return DONE


def limits(given: argparse.Namespace, home: Home) -> int:
    """Show what is left of an account's limits."""
    client = _client(home)
    quota = client.quota(client.account(given.account).account_id)
    if given.json:
        words.answer(quota)
        return DONE
    rows = [[one.name, one.left, one.limit, min(one.frees).isoformat() if one.frees else None] for one in quota.limits]
    words.table(["LIMIT", "LEFT", "OF", "NEXT IS FREE"], rows, "There are no limits.")
    if quota.held_until:
        words.show(f"Held until {quota.held_until.isoformat()}: {words.clean(quota.held_reason)}")
    return DONE


def publish(given: argparse.Namespace, home: Home) -> int:
    """Publish, and follow the post to its outcome."""
    media = [_medium(one) for one in given.media]
    client = _client(home)
    account = client.account(given.account)
    options = Options(
        privacy_level=None if given.draft else given.privacy or _asked_privacy(client, account),
        allow_comment=given.allow_comment,
        allow_duet=given.allow_duet,
        allow_stitch=given.allow_stitch,
        brand_content_toggle=given.branded_content,
        brand_organic_toggle=given.your_brand,
        draft=given.draft,
        is_ai_generated=given.ai_generated,
        video_cover_timestamp_ms=given.cover_ms,
        photo_cover_index=given.photo_cover,
        photo_title=given.photo_title,
        auto_add_music=given.auto_music,
    )
    urls = [one if isinstance(one, str) else _uploaded(client, home, one) for one in media]
    if given.check:
        return _checked(client, account, urls, options, given)
    accepted = client.publish(
        account.account_id,
        urls,
        given.text,
        options,
        scheduled_time=given.at,
        timezone=given.timezone,
        queue_if_limited=given.queue or None,
        idempotency_key=given.idempotency_key,
    )
    return _followed(client, accepted, given)


def _checked(client: Client, account: Account, urls: list[str], options: Options, given: argparse.Namespace) -> int:
    """Tell what is wrong with a post, and publish nothing."""
    found = client.validate(
        account.account_id,
        urls,
        given.text,
        options,
        scheduled_time=given.at,
        timezone=given.timezone,
        queue_if_limited=given.queue or None,
    )
    if given.json:
        words.answer(found)
        return DONE if found.valid else WRONG
    for problem in found.problems:
        words.show(f"{words.clean(problem.error)} {words.clean(problem.message)}")
    for warning in found.warnings:
        words.show(f"Note: {words.clean(warning)}")
    if found.valid:
        words.show("The post is good; nothing was published.")
    return DONE if found.valid else WRONG


def _medium(given: str) -> str | Path:
    if given.startswith(("http://", "https://")):
        return given
    file = Path(given)
    if not file.is_file():
        raise PublisherError(f"There is no file {given}.", "Give a file of this computer, or a URL with https://.")
    return file


def _uploaded(client: Client, home: Home, file: Path) -> str:
    """Bring a file, or what is missing of it, and return what stands for it in a post."""
    progress = words.Progress()
    try:
        return home.bring(client, file, lambda there, whole: progress.bytes(file.name, there, whole))
    finally:
        progress.end()


def _asked_privacy(client: Client, account: Account) -> Privacy:
    known: dict[str, Privacy] = {one: one for one in get_args(Privacy)}
    offered = client.creator_info(account.account_id).privacy_level_options
    choices = [known[one] for one in offered if one in known]
    advice = f"Add --privacy with one of {', '.join(choices)}, or --draft."
    if not sys.stdin.isatty():
        raise PublisherError("Who may see the post is not said.", advice)
    words.say(f"Who may see it? {', '.join(f'{number} {one}' for number, one in enumerate(choices, 1))}")
    words.ask("Number: ")
    number = sys.stdin.readline().strip()
    if not number.isdecimal() or not 1 <= int(number) <= len(choices):
        raise PublisherError("That is none of the numbers.", advice)
    return choices[int(number) - 1]


def _followed(client: Client, accepted: PostAnswer, given: argparse.Namespace) -> int:
    """Wait for a post's outcome, unless that is not wanted or far away, and tell it.

    From here on there is a post: whatever goes wrong, the command must not look as if it could be run again.
    """
    shown, post_id = accepted, accepted.post_submission_id
    try:
        if not given.no_wait and accepted.status != "SCHEDULED":
            words.say(f"Accepted as {post_id}")
            shown = _watched(client, post_id)
        return _told(shown, given)
    except OutputLost as error:
        if error.reader_gone:
            return OF_STATUS.get(shown.status, DONE)
        raise OutcomeUnknown(post_id, error.error) from error
    except PublisherError as error:
        raise OutcomeUnknown(post_id, error.error) from error


def _watched(client: Client, post_id: str) -> Post:
    progress = words.Progress()
    try:
        return client.wait(post_id, progress.post, until=lambda post: post.ended or post.not_before is not None)
    finally:
        progress.end()


def _told(shown: PostAnswer, given: argparse.Namespace) -> int:
    if given.json:
        words.answer(shown)
    else:
        words.post_in_words(shown)
    return OF_STATUS.get(shown.status, DONE)


def schedule(given: argparse.Namespace, home: Home) -> int:
    """List what is scheduled, the next one first."""
    client = _client(home)
    account_id = client.account(given.account).account_id if given.account else None
    coming = sorted(client.all_posts(status="SCHEDULED", account_id=account_id), key=_due)
    if given.json:
        words.answer(coming, "posts")
        return DONE
    rows = [[_due(one), one.post_submission_id, words.short(one.text)] for one in coming]
    words.table(["AT", "POST", "TEXT"], rows, "Nothing is scheduled: publisher publish … --at TIME")
    return DONE


def _due(one: Post) -> str:
    return one.scheduled_time.isoformat() if one.scheduled_time else ""


def posts(given: argparse.Namespace, home: Home) -> int:
    """List posts, newest first."""
    client = _client(home)
    account_id = client.account(given.account).account_id if given.account else None
    page = client.posts(status=given.status, account_id=account_id, limit=given.limit)
    if given.json:
        words.answer(page)
        return DONE
    rows = [
        [f"{one.created_at:%Y-%m-%d %H:%M}", one.status, one.post_submission_id, words.short(one.text)]
        for one in page.posts
    ]
    words.table(["MADE (UTC)", "STATE", "POST", "TEXT"], rows, "There is no such post.")
    return DONE


def post(given: argparse.Namespace, home: Home) -> int:
    """Show a post."""
    client = _client(home)
    if given.wait:
        return _told(_watched(client, given.post), given)
    _told(client.post(given.post), given)
    return DONE


def edit(given: argparse.Namespace, home: Home) -> int:
    """Change a post that has not started."""
    options = {"privacyLevel": given.privacy} if given.privacy else None
    changed = _client(home).edit(
        given.post, text=given.text, options=options, scheduled_time=given.at, timezone=given.timezone
    )
    return _told(changed, given)


def cancel(given: argparse.Namespace, home: Home) -> int:
    """Cancel a post."""
    _told(_client(home).cancel(given.post), given)
    return DONE


def retry(given: argparse.Namespace, home: Home) -> int:
    """Begin a failed post again, or settle an unclear one."""
    client = _client(home)
    published = None if given.published is None else given.published == "yes"
    return _followed(client, client.retry(given.post, published=published), given)


def stats(given: argparse.Namespace, home: Home) -> int:
    """Show an account's figures."""
    client = _client(home)
    account = client.account(given.account)
    if given.history:
        history = client.history(account.account_id, since=datetime.now(UTC).date() - timedelta(days=DAYS))
        if given.json:
            words.answer(history)
            return DONE
        days = [[day.date, day.follower_count, day.likes_count, day.collected.get("viewCount")] for day in history.days]
        words.table(["DAY", "FOLLOWERS", "LIKES", "VIEWS"], days, "Nothing has been collected yet.")
        return DONE
    metrics = client.metrics(account.account_id)
    if given.json:
        words.answer(metrics)
        return DONE
    figures = metrics.metrics
    words.show(
        f"@{words.clean(account.tiktok_username)}: {_figure(figures.follower_count)} followers, "
        f"{_figure(figures.likes_count)} likes, {_figure(figures.video_count)} videos"
    )
    for scope in metrics.missing_scopes:
        words.say(f"The creator has not allowed {scope}: connect the account again to see more.")
    rows = [
        [one.view_count, one.like_count, one.comment_count, one.share_count, words.short(one.video_description)]
        for one in metrics.videos or []
    ]
    words.table(["VIEWS", "LIKES", "COMMENTS", "SHARES", "VIDEO"], rows, "There are no public videos yet.")
    return DONE


def _figure(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def doctor(given: argparse.Namespace, home: Home) -> int:
    """Tell what of the set-up works."""
    checkup = _client(home).doctor()
    if given.json:
        words.answer(checkup)
    else:
        rows = [[one.status, one.check, f"{one.finding} {one.advice}".strip()] for one in checkup.findings]
        words.table(["STATE", "CHECK", "FINDING"], rows, "Nothing was looked at.")
    return DONE if checkup.healthy else FAILED


def mcp(given: argparse.Namespace, home: Home) -> int:
    """Serve tools until stdin ends."""
    client = _client(home)
    try:
        from publisher_client.mcp_server import serve  # noqa: PLC0415 - the command line needs no MCP SDK
    except ModuleNotFoundError as error:
        if error.name != "mcp":
            raise
        raise PublisherError("The MCP SDK is missing.", "Install tiktok-publisher-client[mcp].") from error
    serve(client, home, given.files)
    return DONE


def _client(home: Home) -> Client:
    return Client(*home.login())
