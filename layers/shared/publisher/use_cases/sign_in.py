"""Begin and end sessions of the dashboard."""

from publisher.api import SignInRequest, read_body
from publisher.domain.errors import InsufficientScope, InvalidApiKey, MissingParameter
from publisher.domain.keys import ApiKey
from publisher.domain.limits import SIGN_IN_LINK_SECONDS
from publisher.domain.sessions import Session, SignInTicket, hash_token, new_token
from publisher.ports import Ports, Value
from publisher.use_cases.authenticate import authenticate, authenticate_session


class SignedIn(Value):
    """A session, the key that it stands for, and the token that its browser keeps."""

    session: Session
    key: ApiKey
    token: str


class SignInLink(Value):
    """A ticket for one use, and until when; epoch seconds."""

    ticket: str
    expires_at: float


def sign_in(ports: Ports, body: object, former_token: str | None) -> SignedIn:
    """Begin a session for the holder of an admin key, or of a ticket that one made; the browser's former one ends.

    InvalidApiKey when neither counts, InsufficientScope for a key without `admin`. Repeating it with a key begins
    another session; a ticket works once.
    """
    request = read_body(SignInRequest, body, "POST /v2/session")
    if request.ticket is not None:
        key = _key_of_ticket(ports, request.ticket)
    elif request.key is not None:
        key = authenticate(ports, request.key)
    else:
        raise MissingParameter("key is missing.", "Give an admin key, or the ticket of a sign-in link.", field="key")
    if not key.allows("admin"):
        raise InsufficientScope("The key lacks the scope admin.", "Sign in with an admin key; `make key` makes one.")
    if former_token:
        ports.sessions.end(hash_token(former_token))
    now, token = ports.clock.now(), new_token()
    session = Session(token_hash=hash_token(token), key_id=key.key_id, began_at=now, seen_at=now)
    ports.sessions.add(session)
    return SignedIn(session=session, key=key, token=token)


def find_session(ports: Ports, token: str | None) -> SignedIn:
    """Return the session of a token; InvalidApiKey when there is none that counts."""
    key, session = authenticate_session(ports, token)
    return SignedIn(session=session, key=key, token=token or "")


def sign_out(ports: Ports, token: str | None) -> None:
    """End a session. Safe to repeat."""
    if token:
        ports.sessions.end(hash_token(token))


def make_sign_in_link(ports: Ports, key: ApiKey) -> SignInLink:
    """Make a ticket that begins one session, as if its bearer had the key."""
    ticket, expires_at = new_token(), ports.clock.now() + SIGN_IN_LINK_SECONDS
    ports.sessions.add_ticket(SignInTicket(token_hash=hash_token(ticket), key_id=key.key_id, expires_at=expires_at))
    return SignInLink(ticket=ticket, expires_at=expires_at)


def _key_of_ticket(ports: Ports, text: str) -> ApiKey:
    now = ports.clock.now()
    ticket = ports.sessions.take_ticket(hash_token(text))
    key = ports.keys.get(ticket.key_id) if ticket and ticket.expires_at > now else None
    if key is None or not key.counts(now):
        raise InvalidApiKey(
            "This sign-in link was used before or is too old.", "Ask for a new one; it works once and for ten minutes."
        )
    return key
