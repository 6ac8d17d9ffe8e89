"""A connected TikTok account, its tokens, and who may refresh them."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from publisher.domain.limits import (
    EXPIRING_DAYS,
    REFRESH_LEASE_SECONDS,
    REFRESH_MARGIN_PERCENT,
    REFRESH_MARGIN_SECONDS,
)

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


class Account(BaseModel):
    """A connected TikTok account. Times are epoch seconds."""

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
    created_at: float
    updated_at: float
    tokens: SealedTokens | None
    version: int = 0

    def state(self, now: float) -> AccountState:
        """Return the account's state at the epoch second `now`."""
        if self.tokens is None:
            return AccountState.DISCONNECTED
        if self.reauthorize_since is not None or self.tokens.refresh_expires_at <= now:
            return AccountState.REAUTHORIZE
        if self.tokens.refresh_expires_at <= now + EXPIRING_DAYS * 86400:
            return AccountState.EXPIRING
        return AccountState.ACTIVE

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Scopes that were asked for and not granted."""
        return tuple(scope for scope in SCOPES if scope not in self.scopes)


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
