"""Pictures as strangers send them: of every kind and mode, turned, animated, profiled, cut, and made to do harm."""

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

WHITE, BLACK, RED, GREEN, BLUE = (255, 255, 255), (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
CORNERS = (RED, GREEN, BLUE, WHITE)
"""Of `corners`: top left, top right, bottom left, bottom right."""
MAKER, PLACE = "Nosy Camera", "52.516"
ORIENTATION, MAKE, GPS, GPS_MAP_DATUM = 0x0112, 0x010F, 0x8825, 0x12


def plain(
    kind: str = "PNG", mode: str = "RGB", colour: object = RED, size: tuple[int, int] = (60, 40), **options: object
) -> bytes:
    """Return a picture of one colour; `options` are those of Pillow's writer."""
    return encoded(Image.new(mode, size, colour), kind, **options)  # type: ignore[arg-type]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def corners(size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Return a picture whose quarters have the colours of CORNERS."""
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for colour, place in zip(CORNERS, ((0, 0), (width, 0), (0, height), (width, height)), strict=True):
        image.paste(colour, (*place, place[0] + width, place[1] + height))
    return image


def colours_of_corners(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the four colours, each channel as 0 or 255."""
    right, bottom = image.width - 10, image.height - 10
    found = [image.getpixel(place) for place in ((10, 10), (right, 10), (10, bottom), (right, bottom))]
    return [tuple(255 * (channel > 127) for channel in colour) for colour in found if isinstance(colour, tuple)]


def exif(orientation: int = 1) -> Image.Exif:
    """Return what a camera notes: its maker, the place, and how it was held."""
    notes = Image.Exif()
    notes[ORIENTATION], notes[MAKE] = orientation, MAKER
    notes.get_ifd(GPS)[GPS_MAP_DATUM] = PLACE
    return notes


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG_COLOURS = {"grey": 0, "RGB": 2, "palette": 3, "grey alpha": 4, "RGB alpha": 6}


def png(
    size: tuple[int, int],
    rows: bytes,
    *,
    colours: str = "RGB",
    bits: int = 8,
    interlaced: bool = False,
    chunks: Sequence[tuple[bytes, bytes]] = (),
    has_end: bool = True,
) -> bytes:
    """Return a PNG of these bytes, each row after a zero; they may be fewer than the size asks for."""
    head = struct.pack(">IIBBBBB", *size, bits, PNG_COLOURS[colours], 0, 0, interlaced)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows, 1))]
    end = [(b"IEND", b"")] if has_end else []
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in (*parts, *end))


def interlaced_rows(size: tuple[int, int], pixel: bytes) -> bytes:
    """Return the rows of an interlaced PNG of one colour."""
    width, height = size
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b""
    for left, top, right, down in passes:
        columns = len(range(left, width, right))
        rows += (b"\0" + pixel * columns) * len(range(top, height, down)) if columns else b""
    return rows


def frames(kind: str, *colours: tuple[int, int, int]) -> bytes:
    """Return an animation, or the pages of a TIFF, one frame a colour."""
    first, *others = (Image.new("RGB", (60, 40), colour) for colour in colours)
    return encoded(first, kind, save_all=True, append_images=others)


def segments(jpeg: bytes) -> list[int]:
    """Return the markers of a JPEG up to its picture data."""
    assert jpeg[:2] == b"\xff\xd8"
    found: list[int] = []
    at = 2
    while not found or found[-1] != 0xDA:
        assert jpeg[at] == 0xFF
        found.append(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return found


_D50 = (0.9642, 1.0, 0.8249)
_SRGB_PRIMARIES = {"r": (0.4360, 0.2225, 0.0139), "g": (0.3851, 0.7169, 0.0971), "b": (0.1431, 0.0606, 0.7141)}


def swapped_profile() -> bytes:
    """Return a profile by which red is green and green is red."""
    red, green, blue = _SRGB_PRIMARIES.values()
    primaries = {"rXYZ": green, "gXYZ": red, "bXYZ": blue}
    curves = {name: _gamma(2.2) for name in ("rTRC", "gTRC", "bTRC")}
    return _profile("mntr", "RGB ", "XYZ ", {name: _xyz(value) for name, value in primaries.items()} | curves)


def linear_grey_profile() -> bytes:
    """Return a profile by which 128 is half of the light, which is 188 in sRGB."""
    return _profile("mntr", "GRAY", "XYZ ", {"kTRC": _gamma(1.0)})


def red_ink_profile() -> bytes:
    """Return a profile of a printer whose black is black and whose other inks are all red."""
    identity = struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
    ramp = bytes(range(256))
    red, black = bytes([138, 209, 198]), bytes([0, 128, 128])  # Lab (54, 81, 70) and (0, 0, 0)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + ramp * 4 + (red + black) * 8 + ramp * 3
    return _profile("prtr", "CMYK", "Lab ", {"A2B0": table})


def _xyz(value: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(value)


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(256 * value))


def _fixed(values: Sequence[float]) -> bytes:
    return b"".join(struct.pack(">i", round(65536 * value)) for value in values)


def _profile(kind: str, space: str, between: str, tags: dict[str, bytes]) -> bytes:
    """Return an ICC profile, version 2."""
    tags = {"wtpt": _xyz(_D50)} | tags
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += struct.pack(">4sII", name.encode(), start + len(data), len(value))
        data += value
    names = f"{kind}{space}{between}".encode()
    head = struct.pack(">I4xI12s12x4s28x", start + len(data), 0x02400000, names, b"acsp") + _fixed(_D50)
    return head.ljust(128, b"\0") + table + data
