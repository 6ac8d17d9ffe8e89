"""Looking into a pulled picture as TikTok does before it publishes it."""

from pathlib import Path
from typing import Literal

from PIL import Image

from local.tiktok import rules
from local.tiktok.state import Picture

_START_OF_SCAN = 0xDA  # markers of JPEG, ITU-T T.81, table B.1
_FILLING = 0xFF
_END_OF_IMAGE = b"\xff\xd9"

Reading = Literal["width_and_height", "shorter_side"]
"""What "1080p" means; the setting `image_1080p`."""

# A JPEG that holds further pictures, as phones make them, is opened as MPO.
_KINDS: dict[str | None, Literal["jpeg", "webp"]] = {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}


def examine(picture: Picture, path: Path, reading: Reading) -> Picture:
    """Tell what the bytes at `path` are, and why TikTok would not publish them; decodes every pixel."""
    seen = picture.model_copy()
    is_acceptable = False
    try:
        with Image.open(path, formats=("JPEG", "WEBP")) as image:
            seen.kind, (seen.width, seen.height) = _KINDS[image.format], image.size
            image.load()
            is_animated = getattr(image, "is_animated", False)
            is_acceptable = _has_end(path.read_bytes()) if seen.kind == "jpeg" else not is_animated
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        seen.fault = "picture_size_check_failed"
    except (OSError, SyntaxError, ValueError, IndexError):
        seen.fault = "file_format_check_failed"
    else:
        if not is_acceptable:
            seen.fault = "file_format_check_failed"
        elif not _fits(seen.width, seen.height, reading):
            seen.fault = "picture_size_check_failed"
    return seen


def _has_end(jpeg: bytes) -> bool:
    """Whether the end marker follows the pixels: the decoder may be done with all of them before it misses the mark."""
    place = 2
    while jpeg[place + 1] != _START_OF_SCAN:
        is_filling = jpeg[place + 1] == _FILLING
        place += 1 if is_filling else 2 + int.from_bytes(jpeg[place + 2 : place + 4])
    return _END_OF_IMAGE in jpeg[place:]


def _fits(width: int, height: int, reading: Reading) -> bool:
    if reading == "shorter_side":
        return min(width, height) <= rules.PICTURE_SHORTER_SIDE_MAX
    return width <= rules.PICTURE_WIDTH_MAX and height <= rules.PICTURE_HEIGHT_MAX
