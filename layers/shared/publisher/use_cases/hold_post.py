"""Hold a post while its account has to be connected again, and let it go on afterwards."""

from publisher.domain.accounts import Account, AccountState
from publisher.domain.errors import AccountDisabled, PublisherError, TokenExpired
from publisher.domain.limits import HOLD_SECONDS, PAGE_POSTS
from publisher.domain.posts import Post, Status, hold, hold_on
from publisher.ports import Ports, PostQuery
from publisher.use_cases.continue_post import continue_post
from publisher.use_cases.load_post import load_post
from publisher.use_cases.record_failure import end
from publisher.use_cases.use_access_token import RECONNECT


def hold_post(ports: Ports, post_id: str) -> bool:
    """Have a post wait if its creator can mend what stops it and nobody waits for it; False when it has to fail."""
    post = load_post(ports, post_id)
    account = ports.accounts.get(post.account_id)
    now = ports.clock.now()
    if account is None or account.state(now) is not AccountState.REAUTHORIZE or not post.may_be_held:
        return False
    ports.posts.save(hold(post, now))
    return True


def continue_held(ports: Ports, account: Account) -> None:
    """Let all posts go on that wait for this account, which works again."""
    query = PostQuery(
        workspace_id=account.workspace_id,
        account_id=account.account_id,
        status=Status.QUEUED,
        limit=int(PAGE_POSTS),
    )
    while True:
        page = ports.posts.find(query)
        for post in page.posts:
            if post.held_until is not None:
                continue_post(ports, post.post_id)
        if page.cursor is None:
            return
        query = query.model_copy(update={"cursor": page.cursor})


def look_after_held(ports: Ports, post: Post) -> None:
    """Let a post that waits go on, wait on, or fail when its time is over or its account was disconnected.

    One whose turn has come goes on in any case, and waits for its creator from then on if it has to.

    It is looked at now and then because whoever connects the account may miss a post that is held at that moment.
    """
    now = ports.clock.now()
    account = ports.accounts.get(post.account_id)
    disconnected = account is None or not account.connected
    if (account is not None and account.usable(now)) or (post.not_before is not None and not disconnected):
        continue_post(ports, post.post_id)
    elif account is None or not account.connected:
        _fail(ports, post, AccountDisabled("The TikTok account was disconnected.", RECONNECT))
    elif post.held_until is not None and now >= post.held_until:
        hours = HOLD_SECONDS // 3600
        _fail(ports, post, TokenExpired(f"The creator did not connect the account again in {hours} hours.", RECONNECT))
    else:
        ports.posts.save(hold_on(post, now))


def _fail(ports: Ports, post: Post, error: PublisherError) -> None:
    end(ports, post, error.failure())
