"""Ownership of a URL prefix, as the developer portal verifies it: a file below the prefix names a token."""

import hashlib
from http import HTTPStatus
from urllib.error import HTTPError

from local.tiktok import fetch, rules
from local.tiktok.settings import Settings
from local.tiktok.sources import is_pullable


def fault_of_prefix(url_prefix: str, settings: Settings) -> str | None:
    """Tell what is wrong with a URL prefix; None if it can be verified."""
    if not is_pullable(url_prefix, settings):
        return f"{url_prefix} is no https URL with a host name"
    if not url_prefix.endswith("/") or "?" in url_prefix or "#" in url_prefix:
        return f"{url_prefix} is no prefix: it must end with / and have no query and no fragment"
    return None


def verification_file(client_key: str, url_prefix: str) -> tuple[str, str]:
    """Name and content of the file; the same app and prefix always have the same."""
    digest = hashlib.sha256(f"{client_key} {url_prefix}".encode()).hexdigest()
    token = digest[: rules.OWNERSHIP_TOKEN_LENGTH]
    return rules.OWNERSHIP_FILE.format(token=token), rules.OWNERSHIP_CONTENT.format(token=token)


def find_fault(url: str, content: str) -> str | None:
    """Fetch the file at `url` and tell what is wrong with it; None if it is as it must be."""
    expected = content.encode()
    try:
        with fetch.get(url) as answer:
            status, kind = answer.status, fetch.media_type(answer.headers)
            body = answer.read(len(expected) + 1)
    except HTTPError as error:
        with error:
            return f"{url} answered with HTTP {error.code}; it must be {HTTPStatus.OK.value}, without a redirect"
    except fetch.FetchError as error:
        return f"{url} could not be fetched: {error}"
    if status != HTTPStatus.OK:
        return f"{url} answered with HTTP {status}; it must be {HTTPStatus.OK.value}"
    if kind != "text/plain":
        return f"{url} has {f'the Content-Type {kind}' if kind else 'no Content-Type'}; it must be text/plain"
    if body != expected:
        return f"{url} does not hold exactly {content}; not even a line break may follow"
    return None
