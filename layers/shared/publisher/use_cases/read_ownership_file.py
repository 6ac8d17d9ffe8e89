"""Give TikTok the file by which it verifies that the API's address is the operator's."""

from publisher.domain.errors import NotFound
from publisher.ports import Ports


def read_ownership_file(ports: Ports, name: str) -> str:
    """Return what the file of this name has to hold, to the byte; NotFound for any other name."""
    for token in ports.ownership_tokens:
        known, content = ownership_file(token)
        if name == known:
            return content
    raise NotFound("There is no such path.", "See the README.")


def ownership_file(token: str) -> tuple[str, str]:
    """Return the name and the content of a token's file."""
    return f"tiktok{token}.txt", f"tiktok-developers-site-verification={token}"
