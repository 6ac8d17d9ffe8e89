"""Telling media by its first bytes: a name and a Content-Type only claim."""

from enum import StrEnum

_BOX_BYTES = 8
# Brands that share MP4's container but are pictures, sound, or 3GP.
_OTHER_BRANDS = (b"avif", b"avis", b"hei", b"hevc", b"hevx", b"mif1", b"msf1", b"M4A", b"M4B", b"3g")
# QuickTime files older than brands begin with one of these boxes.
_QUICKTIME_BOXES = frozenset({b"free", b"mdat", b"moov", b"skip", b"wide"})
_BMP_HEADER_BYTES = frozenset({12, 40, 52, 56, 64, 108, 124})
_DOC_TYPE = b"\x42\x82\x84webm"
_EBML_HEADER_BYTES = 4096


class Kind(StrEnum):
    """A kind of media, as a content type."""

    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"
    WEBM = "video/webm"
    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    GIF = "image/gif"
    BMP = "image/bmp"
    TIFF = "image/tiff"

    @property
    def is_video(self) -> bool:
        """Whether it is a video and not a picture."""
        return self.startswith("video/")


_MAGIC = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
)


def sniff(head: bytes) -> Kind | None:
    """Tell the kind of media that begins with `head`; None for anything else. The first 64 KiB are plenty."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_BYTES:
        return Kind.BMP
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return Kind.WEBM if _DOC_TYPE in head[:_EBML_HEADER_BYTES] else None
    return _sniff_boxes(head)


def _sniff_boxes(head: bytes) -> Kind | None:
    """Tell MP4 and QuickTime by the first box of the file."""
    size, box = int.from_bytes(head[:4]), head[4:8]
    if box == b"ftyp" and size >= 2 * _BOX_BYTES:
        brand = head[8:12]
        if brand.startswith(_OTHER_BRANDS):
            return None
        return Kind.QUICKTIME if brand == b"qt  " else Kind.MP4
    # A box of size 1 has its size in eight more bytes, one of size 0 goes on to the end.
    return Kind.QUICKTIME if box in _QUICKTIME_BOXES and (size in {0, 1} or size >= _BOX_BYTES) else None


_OTHER_MAGIC = (
    (b"%PDF", "a PDF"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\0\0\1\0", "an icon"),
    (b"8BPS", "a Photoshop file"),
)


def other_name(head: bytes) -> str | None:
    """Name what cannot be used and is often taken for something that can; None for anything else."""
    for magic, name in _OTHER_MAGIC:
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"avif", b"avis"):
            return "an AVIF picture"
        return "a HEIC picture" if head[8:12].startswith((b"hei", b"hev", b"mif1", b"msf1")) else None
    return "an SVG drawing" if b"<svg" in head[:1024].lower() else None


def is_page(head: bytes) -> bool:
    """Tell whether it looks like a web page, the usual answer of a link that was made for sharing."""
    start = head[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")) or b"<html" in start
