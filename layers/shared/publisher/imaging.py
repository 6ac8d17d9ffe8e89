"""Pictures made into the JPEG that TikTok takes, in a process of its own because the files were chosen by strangers.

Every picture is decoded, made smaller and encoded anew, so that nothing goes on but the look of its first frame:
places, previews, profiles and whatever was hidden behind its end stay here. 21 KB can ask for a gigabyte of memory. So
the size is looked at before a pixel is decoded, a picture is in memory in full size once, and the process has a limit
beyond which it refuses. It imports hardly more of ours than numbers, so that the process starts soon.
"""

import json
import math
import resource
import sys
import time
import warnings
import zlib
from collections.abc import Callable
from enum import StrEnum
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

# EPS and forty others are not even loaded.
from PIL import (
    BmpImagePlugin,  # noqa: F401 - makes its format known to Image.open
    GifImagePlugin,  # noqa: F401 - makes its format known to Image.open
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,  # noqa: F401 - makes its format known to Image.open
    TiffImagePlugin,  # noqa: F401 - makes its format known to Image.open
    WebPImagePlugin,  # noqa: F401 - makes its format known to Image.open
)

from publisher.domain.limits import (
    JPEG_QUALITY,
    PICTURE_HEIGHT,
    PICTURE_MEMORY_BYTES,
    PICTURE_PIXELS,
    PICTURE_SIDE,
    PICTURE_WIDTH,
    WEBP_PIXELS,
)
from publisher.parent import ParentsFile, tell


class Reason(StrEnum):
    """Why a picture is refused."""

    TOO_LARGE = "too large"
    DAMAGED = "damaged"
    NO_RANGE = "no range"
    MEMORY = "memory"


class Refused(Exception):
    """A picture that cannot be converted, for this reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Converted(NamedTuple):
    """A JPEG: sides in pixels, size in bytes, and the frames of an animation that it has not."""

    width: int
    height: int
    size: int
    frames_dropped: int


def serve(descriptor: int, seconds: float) -> None:
    """Convert for the parent at the other end of a pipe, one picture after the other, until it closes the pipe.

    Sends {"ready": true} when it has started. A request {"source": …, "target": …, "kind": …} is answered by
    {"converted": …} with the fields of Converted, {"refused": …} with a Reason, or {"failed": …} with what the system
    said of the files. Ends itself when a picture takes more than `seconds` of processor time and the parent is gone.
    """
    _limit_memory()
    parent = Connection(descriptor)
    tell(parent, {"ready": True})
    while True:
        try:
            request = json.loads(parent.recv_bytes())
        except EOFError:
            return
        until = math.ceil(time.process_time() + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))
        try:
            converted = convert(Path(request["source"]), Path(request["target"]), request["kind"])
            tell(parent, {"converted": converted._asdict()})
        except Refused as refused:
            tell(parent, {"refused": refused.reason})
        except OSError as error:
            tell(parent, {"failed": error.strerror})


def measure(descriptor: int, size: int, kind: str) -> None:
    """Tell the parent at the other end of a pipe how large the picture in its file of `size` bytes is, in pixels.

    Reads it as ParentsFile does, and sends at last {"told": {"width": …, "height": …}}, or {"refused": …} with a
    Reason. `kind` is what its first bytes say, such as "PNG".
    """
    _limit_memory()
    resource.setrlimit(resource.RLIMIT_CPU, (_MEASURE_CPU_SECONDS, _MEASURE_CPU_SECONDS))
    with Connection(descriptor) as parent:
        try:
            width, height = _opened(cast("BinaryIO", ParentsFile(parent, size)), kind).size
        except Refused as refused:
            tell(parent, {"refused": refused.reason})
        except Exception as error:  # noqa: BLE001 - damage
            tell(parent, {"refused": _reason(error)})
        else:
            tell(parent, {"told": {"width": width, "height": height}})


_MEASURE_CPU_SECONDS = 20


def _limit_memory() -> None:
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (PICTURE_MEMORY_BYTES, PICTURE_MEMORY_BYTES))
    warnings.simplefilter("ignore")  # of oddities in strangers' files


def convert(source: Path, target: Path, kind: str) -> Converted:
    """Make of the picture in `source` the JPEG in `target`; `kind` is what its first bytes say, such as "PNG".

    Refused when it cannot be done, OSError when a file cannot be opened or written.
    """
    with source.open("rb") as file:
        try:
            picture, frames_dropped = _decoded(file, kind)
            jpeg = _encoded(picture)
        except Refused:
            raise
        except Exception as error:
            raise Refused(_reason(error)) from error
    target.write_bytes(jpeg)
    return Converted(*picture.size, len(jpeg), frames_dropped)


def _reason(error: Exception) -> Reason:
    """Tell why a picture cannot be read; decoders meet damage with errors of every kind."""
    match error:
        case MemoryError():
            return Reason.MEMORY
        case Image.DecompressionBombError():
            return Reason.TOO_LARGE
    return Reason.DAMAGED


_LANCZOS = Image.Resampling.LANCZOS
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientations."""
_ORIENTATION, _FIRST_SIDEWAYS = 0x0112, 5
_GAP = 1.35
"""How many times too large a quickly reduced picture still is before LANCZOS does the rest: the smallest with which
the structural similarity to LANCZOS alone stays within 0.005 after encoding (`make bench` shows it)."""
_BAND_PIXELS = 500_000
"""Converted at once where converting needs a copy: a copy of 50 megapixels would be 200 MB."""
_REDUCIBLE = ("L", "RGB", "CMYK", "LAB")
"""Modes without transparency of which a mean is a colour between."""
_PROFILED = {"GRAY": "L", "RGB ": "RGB", "CMYK": "CMYK"}
"""The mode that a colour profile is for."""
_SIXTEEN_TO_EIGHT = [value // 257 for value in range(65536)]


def _opened(file: BinaryIO, kind: str) -> ImageFile.ImageFile:
    """Read a picture's header; Refused when it has more pixels than are decoded."""
    # Pillow refuses twice this on its own, and before the decoder of WEBP takes its memory.
    Image.MAX_IMAGE_PIXELS = (WEBP_PIXELS if kind == "WEBP" else PICTURE_PIXELS) // 2
    image = Image.open(file, formats=[kind])
    if max(image.size) > PICTURE_SIDE:
        raise Refused(Reason.TOO_LARGE)
    return image


def _decoded(file: BinaryIO, kind: str) -> tuple[Image.Image, int]:
    """Return the first frame as TikTok takes it, and how many frames follow."""
    image = _opened(file, kind)
    size = image.size
    # Further pictures in a JPEG are the camera's previews and depths.
    frames_dropped = 0 if kind == "JPEG" else getattr(image, "n_frames", 1) - 1
    box = _drafted(image) if isinstance(image, JpegImagePlugin.JpegImageFile) else size
    _load(image, size)
    if kind == "PNG" and not _has_all_rows(image, file):
        raise Refused(Reason.DAMAGED)
    orientation = _orientation(image)
    picture = _in_srgb(_resized(image, box, _fitted(size, orientation)), image.info.get("icc_profile"))
    if orientation in _TURNS:
        picture = picture.transpose(_TURNS[orientation])
    picture.info = {}  # a comment would be encoded
    return picture, frames_dropped


def _load(image: ImageFile.ImageFile, size: tuple[int, int]) -> None:
    """Decode; decoders that cannot have the memory call a file damaged, which has to be told apart."""
    try:
        image.load()
    except OSError as error:
        out_of_memory = str(error).endswith("-9")  # what Pillow makes of libtiff's
        if out_of_memory or _progressive_bytes(image, size) > PICTURE_MEMORY_BYTES * 2 // 3:
            raise MemoryError from error
        raise


def _progressive_bytes(image: Image.Image, size: tuple[int, int]) -> int:
    """Return what libjpeg keeps of a progressive JPEG: all its coefficients, two bytes each; 0 of any other picture."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or "progressive" not in image.info:
        return 0
    shares = [across * down for _, across, down, _ in image.layer]
    return 2 * math.prod(size) * sum(shares) // max(shares)


def _drafted(image: JpegImagePlugin.JpegImageFile) -> tuple[float, float]:
    """Let a JPEG be decoded at a half, quarter or eighth if that is enough; return the sides it has then."""
    width, height = _fitted(image.size, _orientation(image))
    drafted = image.draft(None, (int(width * _GAP), int(height * _GAP)))
    return drafted[1][2:] if drafted else image.size


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation; 0 when there is none, or none that can be read."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - no reason to refuse a picture that is whole
        return 0
    return orientation if orientation in _TURNS else 0


def _fitted(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the sides, before the picture is turned, with which it fits; rounded down, at least 1, never enlarged."""
    width, height = size
    widest, highest = PICTURE_WIDTH, PICTURE_HEIGHT
    if orientation >= _FIRST_SIDEWAYS:
        widest, highest = highest, widest
    if width * highest >= height * widest:
        fitted = min(width, widest)
        return fitted, max(1, height * fitted // width)
    fitted = min(height, highest)
    return max(1, width * fitted // height), fitted


def _resized(image: Image.Image, box: tuple[float, float], size: tuple[int, int]) -> Image.Image:
    """Make the picture, which fills `box` of the image, as large as `size`, opaque, in a mode of _REDUCIBLE.

    Means of whole blocks first, since LANCZOS over all pixels costs as much as decoding them.
    """
    across, down = (max(1, math.floor(side / wanted / _GAP)) for side, wanted in zip(box, size, strict=True))
    if image.mode in _REDUCIBLE and not image.has_transparency_data:
        reduced = image.reduce((across, down))
    else:
        reduced = _reduced_in_bands(image, across, down)
    return reduced.resize(size, _LANCZOS, box=(0, 0, box[0] / across, box[1] / down))


def _reduced_in_bands(image: Image.Image, across: int, down: int) -> Image.Image:
    flatten = _flattening(image)
    rows = max(1, _BAND_PIXELS // image.width // down) * down
    reduced = None
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        part = flatten(band).reduce((across, down))
        if reduced is None:
            reduced = Image.new(part.mode, (part.width, math.ceil(image.height / down)))
        reduced.paste(part, (0, top // down))
    assert reduced is not None  # noqa: S101 - no picture has no rows
    return reduced


def _flattening(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """Return what makes a piece of the image opaque, on white, and reducible."""
    if image.mode in {"I", "F"}:
        raise Refused(Reason.NO_RANGE)
    if image.mode.startswith("I;16"):
        return _in_eight_bits
    if image.has_transparency_data:
        return _on_white
    return lambda piece: piece.convert("L" if piece.mode == "1" else "RGB")


def _in_eight_bits(piece: Image.Image) -> Image.Image:
    whole = piece.convert("I")
    grey = whole.point(_SIXTEEN_TO_EIGHT, "L")
    transparent = piece.info.get("transparency")
    if transparent is not None:
        grey.paste(255, mask=whole.point([255 * (value == transparent) for value in range(65536)], "L"))
    return grey


def _on_white(piece: Image.Image) -> Image.Image:
    seen = piece.convert("RGBA")
    flat = Image.new("RGB", piece.size, "white")
    flat.paste(seen, mask=seen)
    return flat.convert("L") if piece.mode in {"1", "L", "LA"} else flat


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Follow the colour profile; one that is damaged or for other pictures is left alone, as browsers do."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            mode = _PROFILED.get(source.profile.xcolor_space)
            fits = mode == picture.mode or (mode, picture.mode) == ("RGB", "L")
            if mode and fits:
                converted = ImageCms.profileToProfile(
                    picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
                )
                return converted or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass
    return picture.convert("RGB")


def _encoded(picture: Image.Image) -> bytes:
    """Encode as a baseline JPEG; even noise stays far below the 4 MB that fit into an answer of a function."""
    jpeg = BytesIO()
    picture.save(jpeg, "JPEG", quality=int(JPEG_QUALITY))
    return jpeg.getvalue()


_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and steps, of the passes in which an interlaced picture comes."""
_PIECE_BYTES = 64 * 1024


def _has_all_rows(image: Image.Image, file: BinaryIO) -> bool:
    """Tell whether a decoded PNG came with all its rows: to Pillow, those that never come are black.

    Only a picture that could be such a one is unpacked again.
    """
    last = image.crop((0, image.height - 1, image.width, image.height))
    if last.getbbox(alpha_only=False) and not image.info.get("interlace"):
        return True
    file.seek(16)
    width, height = (int.from_bytes(file.read(4)) for _ in range(2))
    bits, kind, _, _, interlaced = file.read(5)
    rows = 0
    for column, row, right, down in _PNG_PASSES if interlaced else ((0, 0, 1, 1),):
        columns = math.ceil((width - column) / right)
        if columns > 0:
            rows += math.ceil((height - row) / down) * (1 + math.ceil(columns * bits * _PNG_CHANNELS[kind] / 8))
    return _unpacked_bytes(file, rows) >= rows


def _unpacked_bytes(file: BinaryIO, enough: int) -> int:
    """Count the bytes that a PNG's data unpack to, until there are `enough`."""
    file.seek(8)
    unpack = zlib.decompressobj()
    count = 0
    while count < enough and (head := file.read(8)):
        left = int.from_bytes(head[:4])
        if head[4:] != b"IDAT":
            file.seek(left + 4, 1)
            continue
        while left and (piece := file.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            while piece:
                count += len(unpack.decompress(piece, _PIECE_BYTES))
                piece = unpack.unconsumed_tail
        file.seek(4, 1)
    return count
