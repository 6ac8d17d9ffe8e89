"""The end of an upload or download: what was received is looked into and handed to processing."""

import hashlib
from pathlib import Path

from local.tiktok import lifecycle, rules
from local.tiktok.probe import find_fault, probe
from local.tiktok.state import Media, Picture, Publish, World


def examine(path: Path) -> tuple[str, Media | None]:
    """SHA-256 of the film in hexadecimal, and what it is; slow for a large one, so not under the world's lock."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), probe(path)


def hand_over(world: World, publish: Publish, sha256: str, media: Media | None) -> None:
    """Let processing begin, with what the examination found."""
    user = world.users[publish.username]
    # The creator trims a draft, so only TikTok's own limit holds for one.
    longest = rules.DURATION_MAX_SECONDS
    if publish.kind == "direct":
        longest = min(longest, user.max_video_post_duration_sec)
    publish.sha256 = sha256
    publish.media = media
    publish.media_fault = find_fault(media, longest)
    lifecycle.accept(world, publish)


def hand_over_pictures(world: World, publish: Publish, examined: list[Picture]) -> None:
    """Let the processing of a photo post begin; one bad picture is enough to fail it."""
    publish.pictures = examined
    publish.media_fault = next((picture.fault for picture in examined if picture.fault), None)
    lifecycle.accept(world, publish)
