"""Look at everything that an operator has to set up, and say what to do about what is not as it should be."""

from collections.abc import Iterable, Iterator, Sequence

from publisher.domain.accounts import Account, AccountState
from publisher.domain.errors import (
    PostLimitReached,
    PublisherError,
    TikTokRefused,
)
from publisher.domain.findings import Finding
from publisher.domain.limits import (
    CHECK_MIN_SECONDS,
    CHECKED_ACCOUNTS,
    CLOCK_SECONDS,
    PAGE_POSTS,
    PENDING_DRAFTS,
    POST_WINDOW_SECONDS,
    RATE_WINDOW_SECONDS,
)
from publisher.domain.posts import Post, Status
from publisher.ports import Ports, PostQuery, SecondsLeft
from publisher.use_cases.get_creator import ask_creator
from publisher.use_cases.read_ownership_file import ownership_file

CALLBACK, WEBHOOK = "/oauth/tiktok/callback", "/webhooks/tiktok"
_UNAUDITED = "unaudited_client_can_only_post_to_private_accounts"
_WRONG_APP = ("invalid_client", "unauthorized_client")
_UNVERIFIED = "url_ownership_unverified"


def examine(ports: Ports, workspace_id: str, base_url: str, *, seconds_left: SecondsLeft) -> list[Finding]:
    """Return what was found; `base_url` is the API's root. Nothing is changed but tokens that are due for a refresh."""
    accounts = [account for account in ports.accounts.of_workspace(workspace_id) if account.connected]
    posts = ports.posts.find(PostQuery(workspace_id=workspace_id, limit=int(PAGE_POSTS))).posts
    return [
        *_app(ports),
        _redirect_uri(base_url),
        *_accounts(accounts, ports.clock.now()),
        _audit(posts),
        *_address(ports, base_url, posts),
        _webhook(ports, base_url),
        *_quotas(ports, accounts, posts, seconds_left),
    ]


def _app(ports: Ports) -> Iterator[Finding]:
    """Try the app's key and secret, and compare clocks by TikTok's answer."""
    try:
        at_tiktok = ports.tiktok.check_app()
    except PublisherError as problem:
        certain = problem.tiktok_code in _WRONG_APP or isinstance(problem, TikTokRefused)
        yield Finding(
            check="app credentials",
            status="failed" if certain else "unknown",
            finding=problem.error,
            advice=problem.message,
        )
        yield Finding(check="clock", status="unknown", finding="TikTok's time is not known.", advice="See above.")
        return
    yield Finding(check="app credentials", status="ok", finding="TikTok accepts the app's key and secret.")
    if at_tiktok is None:
        yield Finding(check="clock", status="unknown", finding="TikTok does not tell its time.", advice="Look later.")
        return
    apart = abs(at_tiktok - ports.clock.now())
    far = apart > CLOCK_SECONDS
    yield Finding(
        check="clock",
        status="failed" if far else "ok",
        finding=f"This clock and TikTok's are {apart:.0f} s apart.",
        advice="Set the machine's clock: tokens are refreshed and events judged by it." if far else "",
    )


def _redirect_uri(base_url: str) -> Finding:
    if not base_url.startswith("https://"):
        return Finding(
            check="redirect URI",
            status="warning",
            finding=f"The API's address {base_url} is not https.",
            advice="TikTok takes that for tests on one's own machine alone. Give the API a name with a certificate "
            f"(DomainName), or set PublicUrl right; then register exactly its address and {CALLBACK}.",
        )
    return Finding(
        check="redirect URI",
        status="unknown",
        finding="TikTok does not tell which redirect URIs are registered.",
        advice=f"In the developer portal it has to be exactly {base_url}{CALLBACK}.",
    )


def _accounts(accounts: Sequence[Account], now: float) -> Iterator[Finding]:
    if not accounts:
        yield Finding(
            check="accounts",
            status="warning",
            finding="No TikTok account is connected.",
            advice="Connect one: GET /oauth/tiktok/start.",
        )
    for account in accounts:
        name = f"Account {account.account_id}"
        state = account.state(now)
        if state is not AccountState.ACTIVE:
            yield Finding(
                check="accounts",
                status="warning" if state is AccountState.EXPIRING else "failed",
                finding=f"{name} is {state}. {account.reauthorize_reason}".strip(),
                advice="The creator connects it again: GET /oauth/tiktok/start.",
            )
        if account.missing_scopes:
            yield Finding(
                check="scopes",
                status="warning",
                finding=f"{name} has not granted {', '.join(account.missing_scopes)}.",
                advice="The creator connects it again and allows them; the app needs their products at TikTok.",
            )
        elif state is AccountState.ACTIVE:
            yield Finding(check="accounts", status="ok", finding=f"{name} is active, with all scopes.")


def _audit(posts: Iterable[Post]) -> Finding:
    if _failed_for(posts, _UNAUDITED):
        return Finding(
            check="audit",
            status="failed",
            finding="TikTok has not audited the app: it refused a post for that.",
            advice="Apply for the audit; until then only private accounts can post, to SELF_ONLY.",
        )
    return Finding(
        check="audit",
        status="unknown",
        finding="TikTok does not tell whether the app is audited; no recent post failed for it.",
        advice="The developer portal tells.",
    )


def _address(ports: Ports, base_url: str, posts: Iterable[Post]) -> Iterator[Finding]:
    """Look whether TikTok can take photos from here: a verified address, and the file that proves whose it is."""
    verify = "See README, Verify your address."
    if _failed_for(posts, _UNVERIFIED):
        yield Finding(
            check="address",
            status="failed",
            finding=f"TikTok refused photos because it has not verified {base_url}/.",
            advice=verify,
        )
    if not ports.ownership_tokens:
        yield Finding(
            check="ownership file",
            status="warning",
            finding="No ownership file is set, so the address can only be verified by DNS.",
            advice=f"Photos need a verified address, videos do not. {verify}",
        )
    for token in ports.ownership_tokens:
        name, content = ownership_file(token)
        yield Finding(
            check="ownership file",
            status="unknown",
            finding=f"Whether {base_url}/{name} is reached from outside cannot be seen from here.",
            advice=f"Open it in a browser: without any redirect it has to show exactly {content}",
        )


def _webhook(ports: Ports, base_url: str) -> Finding:
    times = ports.events.times()
    # Both are known to the minute. It fails nothing, because whoever likes can send an event that is not TikTok's.
    if times.last_bad_at is not None and times.last_bad_at > (times.last_good_at or 0) + RATE_WINDOW_SECONDS:
        return Finding(
            check="webhook",
            status="warning",
            finding="The last event was not signed with the stored secret: another sent it, or the secret is wrong.",
            advice="Store the app's client_secret, and after a rotation the old one as previous_client_secret.",
        )
    if times.last_good_at is None:
        return Finding(
            check="webhook",
            status="warning",
            finding="No event of TikTok's has come yet.",
            advice=f"Set the app's webhook to {base_url}{WEBHOOK}; without it everything is found by asking, later.",
        )
    return Finding(check="webhook", status="ok", finding="TikTok's events come, signed with the stored secret.")


def _quotas(
    ports: Ports, accounts: Iterable[Account], posts: Iterable[Post], seconds_left: SecondsLeft
) -> Iterator[Finding]:
    now = ports.clock.now()
    usable = [account for account in accounts if account.usable(now)]
    for account in usable[: int(CHECKED_ACCOUNTS)]:
        name = f"Account {account.account_id}"
        waiting = sum(_waits_in_inbox(post, account, now) for post in posts)
        if waiting >= PENDING_DRAFTS:
            yield Finding(
                check="quotas",
                status="warning",
                finding=f"{name}: {waiting} drafts of the last 24 hours wait in the inbox, and TikTok takes no more.",
                advice="The creator publishes or discards drafts in the TikTok app.",
            )
        if "video.publish" in account.scopes and seconds_left() > CHECK_MIN_SECONDS:
            yield _may_post(ports, account, name, seconds_left)
    if len(usable) > CHECKED_ACCOUNTS:
        yield Finding(
            check="quotas",
            status="unknown",
            finding=f"Of {len(usable)} accounts the first {CHECKED_ACCOUNTS} were looked at.",
            advice="GET /v2/accounts/{account_id}/creator-info looks at one.",
        )


def _may_post(ports: Ports, account: Account, name: str, seconds_left: SecondsLeft) -> Finding:
    try:
        ask_creator(ports, account.account_id, seconds_left=seconds_left())
    except PublisherError as problem:
        certain = isinstance(problem, (TikTokRefused, PostLimitReached))
        status = "failed" if certain else "unknown"
        return Finding(check="quotas", status=status, finding=f"{name}: {problem.error}", advice=problem.message)
    return Finding(check="quotas", status="ok", finding=f"{name} may post now.")


def _waits_in_inbox(post: Post, account: Account, now: float) -> bool:
    recent = post.created_at > now - POST_WINDOW_SECONDS
    return recent and post.account_id == account.account_id and post.status is Status.SEND_TO_USER_INBOX


def _failed_for(posts: Iterable[Post], tiktok_code: str) -> bool:
    return any(post.failure is not None and post.failure.tiktok_code == tiktok_code for post in posts)
