"""How the local stack is started."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.processes import ROOT

_DEFAULT_PORT = 8080
DEFAULT_STATE = ROOT / ".local"


@dataclass(frozen=True)
class Options:
    """Without `tiktok_url` TikTok is the sandbox; port 0 takes a free one; `state` keeps everything over restarts."""

    port: int = _DEFAULT_PORT
    tiktok_url: str | None = None
    trusted_media_origins: tuple[str, ...] = ()
    ownership_tokens: tuple[str, ...] = ()
    state: Path = DEFAULT_STATE
    template: Path = ROOT / "template.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a program take port and state from its command line."""
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT, help="of the API (default: %(default)s)")
    parser.add_argument("--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="where everything is kept")


def add_world_arguments(parser: argparse.ArgumentParser) -> None:
    """Let a program also take from its command line whom the stack talks to."""
    parser.add_argument("--tiktok-url", type=_origin, metavar="URL", help="a TikTok instead of the sandbox")
    parser.add_argument(
        "--trust-media-origin",
        type=_origin,
        action="append",
        default=[],
        metavar="URL",
        help="media from there may be fetched although it is local; may be repeated",
    )

    parser.add_argument(
        "--ownership-token",
        action="append",
        default=[],
        metavar="TOKEN",
        help="of a file tiktok<TOKEN>.txt by which another TikTok verifies the address; may be repeated",
    )


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_origin = parts.port != 0 and text.rstrip("/") == f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        is_origin = False
    if not is_origin or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise argparse.ArgumentTypeError(f"{text!r} is not like http://127.0.0.1:9000")
    return f"{parts.scheme}://{parts.netloc}"
