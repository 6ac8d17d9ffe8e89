"""Where a page of a list ends, in a text that counts for the list's owner only."""

import base64
import hashlib

from publisher.domain.errors import InvalidRequest

_MARK_LENGTH = 16


def cursor_at(at: str, owner: str) -> str:
    """Return the cursor of a page that ends at a place of the owner's list."""
    return base64.urlsafe_b64encode(f"{_mark(owner, at)}{at}".encode()).decode()


def place_of(cursor: str, owner: str) -> str:
    """Return the place that a cursor stands for; InvalidRequest when it is not one of the owner's."""
    try:
        text = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError:
        text = ""
    mark, at = text[:_MARK_LENGTH], text[_MARK_LENGTH:]
    if not at or mark != _mark(owner, at):
        raise InvalidRequest("The cursor is not one of this list's.", "List again without a cursor.", field="cursor")
    return at


def _mark(owner: str, at: str) -> str:
    """Tell texts of this owner from others; it guards nothing, as a query never leaves its owner's list."""
    return hashlib.sha256(f"{owner}\n{at}".encode()).hexdigest()[:_MARK_LENGTH]
