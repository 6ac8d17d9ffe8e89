"""Lead a browser to TikTok's consent page."""

import base64
import hashlib
import secrets

from publisher.domain.accounts import SCOPES
from publisher.domain.errors import ConnectionRefused
from publisher.domain.limits import STATE_SECONDS
from publisher.ports import PendingConnection, Ports, Value

TOKEN_BYTES = 32
"""Random bytes in a state, a session and a connect link: 256 bits."""


class ConsentVisit(Value):
    """Where the browser goes, and the session that it has to bring back."""

    url: str
    session: str


class ConnectLink(Value):
    """A link for one use that may be handed to another browser; times are epoch seconds."""

    ticket: str
    expires_at: float


def make_connect_link(ports: Ports, workspace_id: str) -> ConnectLink:
    """Make a link that connects an account to the workspace, whoever opens it first."""
    ticket = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = ports.clock.now() + STATE_SECONDS
    ports.accounts.begin_connecting(
        PendingConnection(
            kind="link", token_hash=hashed(ticket), workspace_id=workspace_id, redirect_uri="", expires_at=expires_at
        )
    )
    return ConnectLink(ticket=ticket, expires_at=expires_at)


def open_connect_link(ports: Ports, ticket: str, redirect_uri: str) -> ConsentVisit:
    """Start connecting for the workspace that the link was made for; ConnectionRefused when it was used or is old."""
    link = ports.accounts.finish_connecting(hashed(ticket))
    if link is None or link.kind != "link" or link.expires_at <= ports.clock.now():
        raise ConnectionRefused(
            "This connect link was used before or is too old.", "Ask for a new one; it works once and for ten minutes."
        )
    return start_connecting(ports, link.workspace_id, redirect_uri)


def start_connecting(ports: Ports, workspace_id: str, redirect_uri: str) -> ConsentVisit:
    """Begin a connection that only this browser session can finish, within ten minutes and once."""
    state, session = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
    ports.accounts.begin_connecting(
        PendingConnection(
            kind="state",
            token_hash=hashed(state),
            workspace_id=workspace_id,
            redirect_uri=redirect_uri,
            session_hash=hashed(session),
            expires_at=ports.clock.now() + STATE_SECONDS,
        )
    )
    challenge = hashlib.sha256(verifier_of(state, session).encode()).hexdigest()  # TikTok wants hex, not base64url
    url = ports.tiktok.authorize_url(state=state, challenge=challenge, redirect_uri=redirect_uri, scopes=SCOPES)
    return ConsentVisit(url=url, session=session)


def verifier_of(state: str, session: str) -> str:
    """Derive the PKCE verifier, so that it is stored nowhere and only the right browser can bring it back."""
    digest = hashlib.sha256(f"{session}.{state}".encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hashed(token: str) -> str:
    """Hash a random token, as it is stored."""
    return hashlib.sha256(token.encode()).hexdigest()
