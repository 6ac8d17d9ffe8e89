"""A connected TikTok account, its tokens, who may refresh them, and how it ends."""

import zlib
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import (
    EXPIRING_DAYS,
    KEEP_ALIVE_DAYS,
    KEEP_ALIVE_LEFT_DAYS,
    KEEP_ALIVE_WAIT_SECONDS,
    REFRESH_LEASE_SECONDS,
    REFRESH_MARGIN_PERCENT,
    REFRESH_MARGIN_SECONDS,
    REVOKE_SECONDS,
    REVOKE_WAIT_SECONDS,
    STALLED_SECONDS,
)
from publisher.domain.posts import PostOptions

WATCH_SHARDS = 4
"""Index partitions over which the accounts to look after are spread."""

SCOPES = (
    "user.info.basic",
    "user.info.profile",
    "user.info.stats",
    "video.list",
    "video.publish",
    "video.upload",
)
"""The scopes asked for when an account is connected."""


class AccountState(StrEnum):
    """Whether an account can publish, and what to do when it cannot."""

    ACTIVE = "active"
    EXPIRING = "expiring"
    REAUTHORIZE = "reauthorize"
    DISCONNECTED = "disconnected"


class Standing(BaseModel):
    """An account's state; for every other than active, why it is so, and since which epoch second."""

    model_config = ConfigDict(frozen=True)

    state: AccountState
    reason: str | None = None
    since: float | None = None


class SealedTokens(BaseModel):
    """TikTok's tokens of one account as stored: both tokens encrypted, the rest readable.

    Times are epoch seconds, `lifetime` is the access token's in seconds, and `ver` grows with every refresh.
    """

    model_config = ConfigDict(frozen=True)

    ver: int
    sealed: str
    expires_at: float
    refresh_expires_at: float
    lifetime: int
    lease_owner: str | None = None
    lease_until: float = 0


class Removal(BaseModel):
    """TikTok's event that the creator's permission is gone since an epoch second; it counts once TikTok refuses us."""

    model_config = ConfigDict(frozen=True)

    reason: int
    at: float


class Account(BaseModel):
    """A TikTok account that is connected or was. Times are epoch seconds; `defaults` are for posts without options.

    A disconnected account keeps its tokens only until TikTok has taken its access back; `erased_ver` is then the
    version of those that were erased, from which later ones count on, so that no late refresh passes for them.
    `noticed` is the state that the workspace's endpoints were told last, and `notices` how many times they were.
    """

    model_config = ConfigDict(frozen=True)

    account_id: str
    workspace_id: str
    open_id: str
    username: str = ""
    display_name: str = ""
    avatar_url: str = ""
    scopes: tuple[str, ...] = ()
    reauthorize_since: float | None = None
    reauthorize_reason: str = ""
    defaults: PostOptions | None = None
    removal: Removal | None = None
    disconnected_at: float | None = None
    created_at: float
    updated_at: float
    tokens: SealedTokens | None
    erased_ver: int = 0
    noticed: AccountState | None = None
    notices: int = 0
    watch_at: float | None = None
    version: int = 0

    def state(self, now: float) -> AccountState:
        """Return the account's state at the epoch second `now`."""
        if self.tokens is None or self.disconnected_at is not None:
            return AccountState.DISCONNECTED
        if self.reauthorize_since is not None or self.tokens.refresh_expires_at <= now:
            return AccountState.REAUTHORIZE
        if self.tokens.refresh_expires_at <= now + EXPIRING_DAYS * 86400:
            return AccountState.EXPIRING
        return AccountState.ACTIVE

    def standing(self, now: float) -> "Standing":
        """Return the account's state at the epoch second `now`, with its reason and since when it is so."""
        state = self.state(now)
        if state is AccountState.DISCONNECTED:
            return Standing(state=state, reason="The account was disconnected.", since=self.disconnected_at)
        dies_at = self.tokens.refresh_expires_at if self.tokens else now
        if state is AccountState.REAUTHORIZE and self.reauthorize_since is not None:
            return Standing(state=state, reason=self.reauthorize_reason, since=self.reauthorize_since)
        if state is AccountState.REAUTHORIZE:
            return Standing(state=state, reason="The account's access has ended.", since=dies_at)
        if state is AccountState.EXPIRING:
            soon = f"The account's access ends within {EXPIRING_DAYS} days, unless TikTok renews it."
            return Standing(state=state, reason=soon, since=dies_at - EXPIRING_DAYS * 86400)
        return Standing(state=state)

    def usable(self, now: float) -> bool:
        """Tell whether calls for the account can be made, as far as is known."""
        return self.state(now) in (AccountState.ACTIVE, AccountState.EXPIRING)

    def unnoticed(self, now: float) -> bool:
        """Tell whether the state at the epoch second `now` is not told to the workspace's endpoints."""
        return self.noticed is not self.state(now)

    @property
    def connected(self) -> bool:
        """True until the account is disconnected, also while its creator has to connect it again."""
        return self.tokens is not None and self.disconnected_at is None

    @property
    def next_ver(self) -> int:
        """The version that new tokens get."""
        return (self.tokens.ver if self.tokens else self.erased_ver) + 1

    @property
    def watch_shard(self) -> str:
        """The partition of the watch index that this account is in."""
        return str(zlib.crc32(self.account_id.encode()) % WATCH_SHARDS)

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Scopes that were asked for and not granted."""
        return tuple(scope for scope in SCOPES if scope not in self.scopes)


REMOVAL_REASONS = {
    1: "The creator disconnected the app at TikTok.",
    2: "The creator deleted the TikTok account.",
    3: "The creator's age changed at TikTok, which ended the app's access.",
    4: "TikTok banned the account.",
    5: "The app's access was revoked by its developer.",
}
"""What TikTok's numbers mean; 0 is unknown."""


def removal_confirmed(account: Account, removal: Removal) -> Account:
    """Say of an account that TikTok refuses why that is and since when, as TikTok's event told.

    An account that can be used is left as it is: it was connected again, or the event was not true.
    """
    account = account.model_copy(update={"removal": None})
    if account.reauthorize_since is None:
        return account
    reason = REMOVAL_REASONS.get(removal.reason, "TikTok ended the app's access to the account.")
    return account.model_copy(update={"reauthorize_reason": reason, "reauthorize_since": removal.at})


class Creator(BaseModel):
    """What TikTok lets this creator choose right now."""

    model_config = ConfigDict(frozen=True)

    username: str
    nickname: str
    avatar_url: str
    privacy_level_options: tuple[str, ...]
    comment_disabled: bool
    duet_disabled: bool
    stitch_disabled: bool
    max_video_post_duration_sec: int


def fresh_enough(tokens: SealedTokens, now: float) -> bool:
    """Tell whether the access token has enough of its life left: ten minutes, and a quarter of it."""
    margin = max(REFRESH_MARGIN_SECONDS, tokens.lifetime * REFRESH_MARGIN_PERCENT / 100)
    return tokens.expires_at - now >= margin


def usable(tokens: SealedTokens, now: float) -> bool:
    """Tell whether the access token still works."""
    return tokens.expires_at > now


def leased_by_other(tokens: SealedTokens, owner: str, now: float) -> bool:
    """Tell whether another worker is refreshing."""
    return tokens.lease_owner not in (None, owner) and tokens.lease_until > now


def with_lease(tokens: SealedTokens, owner: str, now: float) -> SealedTokens:
    """Take the right to refresh."""
    return tokens.model_copy(update={"lease_owner": owner, "lease_until": now + REFRESH_LEASE_SECONDS})


def idle(account: Account, now: float) -> bool:
    """Tell whether the refresh token should be used, because it would otherwise die one day without having been."""
    return account.tokens is not None and _keep_alive_at(account.tokens) <= now


def look_soon(account: Account, now: float) -> Account:
    """Plan a look for the case that the one that begins now comes to nothing."""
    return account.model_copy(update={"watch_at": now + STALLED_SECONDS})


def look_next(account: Account, now: float) -> Account:
    """Plan the next look after one that has done all that was due; none at an account that cannot be used."""
    if account.unnoticed(now):
        return look_soon(account, now)
    if account.tokens is None or not account.usable(now):
        return account.model_copy(update={"watch_at": None})
    due = _keep_alive_at(account.tokens)
    return account.model_copy(update={"watch_at": due if due > now else now + KEEP_ALIVE_WAIT_SECONDS})


def _keep_alive_at(tokens: SealedTokens) -> float:
    """Return when an idle account's refresh token is to be used."""
    last_used = tokens.expires_at - tokens.lifetime
    return min(last_used + KEEP_ALIVE_DAYS * 86400, tokens.refresh_expires_at - KEEP_ALIVE_LEFT_DAYS * 86400)


def disconnected(account: Account, now: float) -> Account:
    """End an account: from now on nothing uses its tokens but what takes its access back."""
    return account.model_copy(
        update={
            "disconnected_at": now,
            "removal": None,
            "reauthorize_since": None,
            "reauthorize_reason": "",
            "updated_at": now,
            "watch_at": now + REVOKE_WAIT_SECONDS,
        }
    )


def revoke_later(account: Account, now: float) -> Account:
    """Plan when to try again to take the access back: later each time, for a day."""
    since = now if account.disconnected_at is None else account.disconnected_at
    wait = max(float(REVOKE_WAIT_SECONDS), now - since)
    return account.model_copy(update={"watch_at": min(now + wait, since + REVOKE_SECONDS)})


def revoked_long_enough(account: Account, now: float) -> bool:
    """Tell whether the access was tried to be taken back for so long that the tokens are erased all the same."""
    return account.disconnected_at is not None and now >= account.disconnected_at + REVOKE_SECONDS


def erased(account: Account, now: float) -> Account:
    """Forget the tokens for good."""
    update = {"tokens": None, "erased_ver": account.next_ver - 1, "updated_at": now}
    account = account.model_copy(update=update)
    return account.model_copy(update={"watch_at": now if account.unnoticed(now) else None})


def notified(account: Account, now: float) -> Account:
    """Record that the state at the epoch second `now` is told to the workspace's endpoints."""
    return account.model_copy(update={"noticed": account.state(now), "notices": account.notices + 1})
