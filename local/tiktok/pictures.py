"""Looking into a pulled picture as TikTok does before it publishes it."""

from pathlib import Path
from typing import Literal

from PIL import Image

from local.tiktok import rules
from local.tiktok.state import Picture

Reading = Literal["width_and_height", "shorter_side"]
"""What "1080p" means; the setting `image_1080p`."""

# A JPEG that holds further pictures, as phones make them, is opened as MPO.
_KINDS: dict[str | None, Literal["jpeg", "webp"]] = {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}


def examine(picture: Picture, path: Path, reading: Reading) -> Picture:
    """Tell what the bytes at `path` are, and why TikTok would not publish them; decodes every pixel."""
    seen = picture.model_copy()
    is_animated = False
    try:
        with Image.open(path, formats=("JPEG", "WEBP")) as image:
            seen.kind, (seen.width, seen.height) = _KINDS[image.format], image.size
            is_animated = seen.kind == "webp" and getattr(image, "is_animated", False)
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        seen.fault = "picture_size_check_failed"
    except (OSError, SyntaxError, ValueError):
        seen.fault = "file_format_check_failed"
    else:
        if is_animated:
            seen.fault = "file_format_check_failed"
        elif not _fits(seen.width, seen.height, reading):
            seen.fault = "picture_size_check_failed"
    return seen


def _fits(width: int, height: int, reading: Reading) -> bool:
    if reading == "shorter_side":
        return min(width, height) <= rules.PICTURE_SHORTER_SIDE_MAX
    return width <= rules.PICTURE_WIDTH_MAX and height <= rules.PICTURE_HEIGHT_MAX
