"""What becomes of a picture, by its pixels: the process that converts is the real one."""

import contextlib
import io
import struct
import zlib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from local.demo.samples import PHOTOGRAPHS
from publisher import imaging
from publisher.converting import Converter
from publisher.domain.errors import InvalidMediaType, MediaTooLarge, RequestInvalid
from publisher.domain.limits import WEBP_PIXELS
from publisher.imaging import Refused
from publisher.ports import Convert, ConvertedPicture
from tests.pictures import (
    BLACK,
    BLUE,
    CORNERS,
    GREEN,
    MAKER,
    PLACE,
    RED,
    WHITE,
    colours_of_corners,
    corners,
    encoded,
    exif,
    frames,
    interlaced_rows,
    linear_grey_profile,
    plain,
    png,
    red_ink_profile,
    segments,
    swapped_profile,
)

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@pytest.fixture(scope="module")
def convert():
    with Converter().converting() as convert:
        yield convert


class Studio:
    """Converts contents, and shows what came out."""

    def __init__(self, convert: Convert, folder: Path) -> None:
        self._convert, self._source, self.target = convert, folder / "source", folder / "target"

    def convert(self, content: bytes) -> ConvertedPicture:
        self._source.write_bytes(content)
        return self._convert(self._source, self.target)

    def picture(self, content: bytes) -> Image.Image:
        self.convert(content)
        image = Image.open(self.target, formats=["JPEG"])
        image.load()
        return image

    def colour(self, content: bytes) -> tuple[int, ...]:
        """Return the colour of the middle."""
        image = self.picture(content)
        assert image.mode == "RGB"
        colour = image.getpixel((image.width // 2, image.height // 2))
        assert isinstance(colour, tuple)
        return colour

    def refusal(self, content: bytes) -> RequestInvalid:
        self.target.unlink(missing_ok=True)
        with pytest.raises(RequestInvalid) as refused:
            self.convert(content)
        assert not self.target.exists()
        return refused.value


@pytest.fixture
def studio(convert, tmp_path):
    return Studio(convert, tmp_path)


def near(colour, by=3):
    return pytest.approx(colour, abs=by)


# Size


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((60, 40), (60, 40)),
        ((1080, 1920), (1080, 1920)),
        ((1081, 1920), (1080, 1918)),
        ((1080, 1921), (1079, 1920)),
        ((1086, 1448), (1080, 1440)),
        ((1254, 1254), (1080, 1080)),
        ((941, 1672), (941, 1672)),
        ((1920, 1080), (1080, 607)),
        ((4000, 3000), (1080, 810)),
        ((3000, 4000), (1080, 1440)),
        ((4032, 2268), (1080, 607)),
        ((10000, 3), (1080, 1)),
        ((3, 10000), (1, 1920)),
        ((1, 1), (1, 1)),
        ((16384, 1), (1080, 1)),
        ((1, 16384), (1, 1920)),
    ],
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_fits_into_1080_by_1920_rounded_down_and_is_never_enlarged(studio, kind, size, fitted):
    told = studio.convert(plain(kind, "L", 128, size))

    with Image.open(studio.target) as image:
        assert image.size == fitted
    assert told == ConvertedPicture(
        width=fitted[0], height=fitted[1], size=studio.target.stat().st_size, frames_dropped=0
    )


@pytest.mark.parametrize(
    ("size", "bits", "colours"),
    [((13300, 13300), 1, "grey"), ((9400, 9400), 8, "RGB"), ((65535, 65535), 8, "RGB"), ((16385, 1), 8, "RGB")],
)
def test_a_picture_is_refused_by_its_header_before_a_pixel_is_looked_at(studio, size, bits, colours):
    refused = studio.refusal(png(size, b"", bits=bits, colours=colours))

    assert isinstance(refused, MediaTooLarge)
    assert refused.error == "The picture is larger than 50 megapixels, or than 16,384 pixels on a side."


def test_a_bitmap_of_21_kilobytes_that_asks_for_a_gigabyte_is_refused(studio):
    content = png((13300, 13300), (b"\0" + bytes(1663)) * 13300, bits=1, colours="grey")
    assert len(content) < 110_000

    assert isinstance(studio.refusal(content), MediaTooLarge)


def test_a_webp_is_refused_by_its_header_where_its_decoder_would_need_too_much_memory(studio):
    side = int(WEBP_PIXELS**0.5) + 1

    refused = studio.refusal(plain("WEBP", size=(side, side), lossless=True, method=0))

    assert refused.error == "The picture is larger than the 12.5 megapixels that a WEBP may have."


def test_noise_in_full_size_stays_below_4_megabytes(studio):
    """The worst for a JPEG: each sample is black or white by chance."""
    noise = Random(1).randbytes(1080 * 1920 * 3)
    image = Image.frombytes("RGB", (1080, 1920), noise).point(lambda value: 255 * (value > 127))

    assert studio.convert(encoded(image, "BMP")).size < 4_000_000


# Quality


def grainy(size: tuple[int, int]) -> Image.Image:
    """Return a picture with as much detail everywhere as a photograph has in places."""
    small = (size[0] // 16, size[1] // 16)
    return Image.frombytes("RGB", small, Random(5).randbytes(3 * small[0] * small[1])).resize(size)


@pytest.mark.parametrize("size", [(4001, 3001), (3003, 4003), (2201, 1101)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_reduced_picture_looks_as_pillows_best_filter_makes_it(studio, kind, size):
    """A worse filter, or a shift by a part of a pixel, makes more than twice the difference."""
    content = encoded(grainy(size), kind, **({"quality": 95} if kind == "JPEG" else {"compress_level": 1}))

    picture = studio.picture(content)

    whole = Image.open(io.BytesIO(content))
    best = encoded(whole.resize(picture.size, Image.Resampling.LANCZOS), "JPEG", quality=90)
    difference = ImageChops.difference(picture, Image.open(io.BytesIO(best)))
    assert max(ImageStat.Stat(difference).mean) < 2.2


@pytest.mark.parametrize("photograph", PHOTOGRAPHS, ids=lambda photograph: photograph.path.name)
def test_a_photograph_looks_as_before(studio, photograph):
    """To a screen, that is, which follows the profile that a camera's picture has."""
    with Image.open(photograph.path) as image:
        seen = image.convert("RGB")
        if profile := image.info.get("icc_profile"):
            ImageCms.profileToProfile(seen, io.BytesIO(profile), ImageCms.createProfile("sRGB"), inPlace=True)

    picture = studio.picture(photograph.path.read_bytes())

    assert picture.size == seen.size
    assert max(ImageStat.Stat(ImageChops.difference(picture, seen)).mean) < 5


# Colours


def test_each_kind_is_taken_and_keeps_its_colours(studio):
    for kind in KINDS:
        assert studio.colour(plain(kind, colour=(200, 100, 50))) == near((200, 100, 50)), kind


@pytest.mark.parametrize(
    ("content", "grey"),
    [
        (png((8, 8), (b"\0" + struct.pack(">H", 40000) * 8) * 8, colours="grey", bits=16), 155),
        (png((8, 8), (b"\0" + struct.pack(">H", 65535) * 8) * 8, colours="grey", bits=16), 255),
        (plain("TIFF", "I;16", 40000), 155),
        (plain("TIFF", "I;16B", 40000), 155),
        (plain("TIFF", "I;16", 40000, compression="tiff_lzw"), 155),
    ],
)
def test_sixteen_bits_of_grey_become_eight_by_dividing(studio, content, grey):
    assert studio.colour(content) == (grey, grey, grey)


def test_sixteen_bits_of_red_green_and_blue_become_eight(studio):
    pixel = struct.pack(">HHH", 65535, 40000, 0)
    content = png((8, 8), (b"\0" + pixel * 8) * 8, bits=16)

    assert studio.colour(content) == near((255, 155, 0))


@pytest.mark.parametrize(("value", "colour"), [(0, BLACK), (1, WHITE)])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit_is_black_or_white(studio, kind, value, colour):
    assert studio.colour(plain(kind, "1", value)) == colour


@pytest.mark.parametrize("mode", ["I", "F"])
def test_samples_of_32_bits_are_refused_because_they_have_no_agreed_black_and_white(studio, mode):
    refused = studio.refusal(plain("TIFF", mode, 1000))

    assert refused.error.startswith("The picture has 32 bits a sample")


def transparent_palette() -> Image.Image:
    image = Image.new("P", (60, 40), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return image


@pytest.mark.parametrize(
    "content",
    [
        plain("PNG", "RGBA", (*RED, 0)),
        plain("WEBP", "RGBA", (*RED, 0), lossless=True, exact=True),
        plain("TIFF", "RGBA", (*RED, 0)),
        plain("PNG", "LA", (0, 0)),
        plain("TIFF", "LA", (0, 0)),
        plain("TIFF", "PA", (0, 0)),
        plain("PNG", "RGB", RED, transparency=RED),
        plain("PNG", "L", 7, transparency=7),
        plain("PNG", "1", 0, transparency=0),
        encoded(transparent_palette(), "PNG", transparency=1),
        encoded(transparent_palette(), "PNG", transparency=b"\xff\0"),
        encoded(transparent_palette(), "GIF", transparency=1),
        png((8, 8), (b"\0" + bytes(16)) * 8, colours="grey", bits=16, chunks=[(b"tRNS", b"\0\0")]),
        png((8, 8), (b"\0" + bytes(32)) * 8, colours="grey alpha", bits=16),
        png((8, 8), (b"\0" + bytes(64)) * 8, colours="RGB alpha", bits=16),
    ],
    ids=lambda content: f"{content[:4]!r} {len(content)}",
)
def test_what_is_transparent_is_white(studio, content):
    assert studio.colour(content) == WHITE


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_what_is_half_transparent_is_mixed_with_white(studio, kind):
    assert studio.colour(plain(kind, "RGBA", (255, 0, 0, 128))) == near((255, 127, 127), by=5)


def test_a_large_picture_with_alpha_is_reduced_as_one_without(studio):
    """With alpha it is converted in bands, so seams or shifts would show."""
    original = Image.radial_gradient("L").resize((3001, 2011)).convert("RGB")

    plainly = studio.picture(encoded(original, "PNG"))
    in_bands = studio.picture(encoded(original.convert("RGBA"), "PNG"))

    assert plainly.tobytes() == in_bands.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_four_inks_without_a_profile_become_plain_colours(studio, kind):
    assert studio.colour(plain(kind, "CMYK", (0, 255, 255, 0))) == near(RED)
    assert studio.colour(plain(kind, "CMYK", (0, 0, 0, 255))) == near(BLACK)


def test_lab_is_shown_as_the_colour_it_means(studio):
    assert studio.colour(plain("TIFF", "LAB", (138, 209, 198))) == near(RED, by=6)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_is_followed(studio, kind):
    assert studio.colour(plain(kind, colour=RED, icc_profile=swapped_profile())) == near(GREEN, by=8)


def test_a_profile_of_four_inks_is_followed(studio):
    content = plain("JPEG", "CMYK", (255, 0, 0, 0), icc_profile=red_ink_profile())

    assert studio.colour(content) == near(RED, by=8)


@pytest.mark.parametrize(("mode", "colour"), [("L", 128), ("LA", (128, 255))])
def test_a_profile_of_grey_is_followed(studio, mode, colour):
    assert studio.colour(plain("PNG", mode, colour, icc_profile=linear_grey_profile())) == near((188, 188, 188))


def test_a_grey_picture_with_a_profile_of_colours_follows_it(studio):
    assert studio.colour(plain("JPEG", "L", 128, icc_profile=swapped_profile())) == near((128, 128, 128), by=4)


@pytest.mark.parametrize(
    "profile",
    [b"no profile", swapped_profile()[:200], bytes(200), linear_grey_profile(), red_ink_profile()],
    ids=["text", "cut", "zeros", "of grey", "of inks"],
)
def test_a_profile_that_is_damaged_or_for_other_pictures_is_left_alone(studio, profile):
    assert studio.colour(plain("PNG", colour=RED, icc_profile=profile)) == near(RED)


# Turned, animated


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_held_sideways_is_turned(studio, kind):
    told = studio.convert(encoded(corners((300, 200)), kind, exif=exif(6)))

    assert (told.width, told.height) == (200, 300)


TURNED = {1: "0123", 2: "1032", 3: "3210", 4: "2301", 5: "0213", 6: "2031", 7: "3120", 8: "1302"}
"""By EXIF's orientation, which of the stored corners are seen."""


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_shown_upright(studio, kind, orientation):
    picture = studio.picture(encoded(corners(), kind, exif=exif(orientation)))

    assert colours_of_corners(picture) == [CORNERS[int(stored)] for stored in TURNED[orientation]]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_large_picture_held_sideways_fits_after_turning(studio, kind):
    told = studio.convert(encoded(corners((4000, 3000)), kind, exif=exif(6)))

    assert (told.width, told.height) == (1080, 1440)


@pytest.mark.parametrize(
    "notes", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_whose_notes_are_damaged_is_shown_as_it_is(studio, kind, notes):
    assert colours_of_corners(studio.picture(encoded(corners(), kind, exif=notes))) == list(CORNERS)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_shown_and_the_others_are_counted(studio, kind):
    content = frames(kind, RED, GREEN, BLUE)

    assert studio.convert(content).frames_dropped == 2
    assert studio.colour(content) == near(RED)


def test_the_previews_in_a_cameras_picture_are_no_frames(studio):
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), RED).save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (6, 4), BLUE)])

    assert studio.convert(buffer.getvalue()).frames_dropped == 0
    assert studio.colour(buffer.getvalue()) == near(RED)


# What does not go on


BASELINE = {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
"""JFIF's own segment, tables, a baseline frame, tables, the scan."""


@pytest.mark.parametrize("has_profile", [True, False])
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG", "TIFF"])
def test_nothing_but_the_picture_goes_on(studio, kind, has_profile):
    notes = {"exif": exif(), "xmp": b"<x:xmpmeta/>", "comment": b"private"}
    profile = {"icc_profile": swapped_profile()} if has_profile else {}
    content = encoded(corners(), kind, **notes, **profile) + b"<script>alert(1)</script>"

    studio.convert(content)

    jpeg = studio.target.read_bytes()
    assert set(segments(jpeg)) == BASELINE
    assert jpeg.endswith(b"\xff\xd9")
    for private in (MAKER, PLACE, "private", "xmp", "script", "Exif", "ICC_PROFILE"):
        assert private.encode() not in jpeg, private


def test_a_progressive_picture_becomes_a_baseline_one(studio):
    studio.convert(plain("JPEG", progressive=True, size=(400, 300)))

    assert set(segments(studio.target.read_bytes())) == BASELINE


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
        b"\xc5\xd0\xd3\xc6" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html></html>",
        b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100),
        b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + bytes(100),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        b"8BPS\0\1" + bytes(100),
        b"",
    ],
)
def test_what_is_no_picture_of_the_six_kinds_is_refused_by_its_bytes(studio, content):
    refused = studio.refusal(content)

    assert isinstance(refused, InvalidMediaType)
    assert refused.error == "The media is not a picture in JPEG, PNG, WEBP, GIF, BMP or TIFF."
    assert "Save it as JPEG" in refused.message


def test_only_the_decoder_of_the_kind_that_was_seen_is_tried(monkeypatch, tmp_path):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # so that it is put back
    (tmp_path / "source").write_bytes(plain("JPEG"))

    with pytest.raises(Refused):
        imaging.convert(tmp_path / "source", tmp_path / "target", "PNG")


# Damaged


def assert_damaged(studio: Studio, content: bytes) -> None:
    refused = studio.refusal(content)
    assert isinstance(refused, InvalidMediaType)
    assert refused.error == "The picture is damaged or incomplete."


def noisy() -> Image.Image:
    return Image.frombytes("RGB", (200, 150), Random(3).randbytes(200 * 150 * 3))


CUT: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("GIF", {}),
    ("BMP", {}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("kind", "options"), CUT)
def test_a_picture_that_was_cut_is_refused(studio, kind, options, share):
    content = encoded(noisy(), kind, **options)

    assert_damaged(studio, content[: int(len(content) * share)])


SIZE = (20, 16)
ROW = b"\0" + bytes(RED) * 20


def test_a_png_that_lacks_only_its_end_mark_is_taken(studio):
    assert studio.colour(png(SIZE, ROW * 16, has_end=False)) == near(RED)


@pytest.mark.parametrize("has_end", [True, False])
def test_a_png_whose_last_rows_never_come_is_refused(studio, has_end):
    assert_damaged(studio, png(SIZE, ROW * 15, has_end=has_end))


def test_an_interlaced_png_whose_last_rows_never_come_is_refused(studio):
    rows = interlaced_rows(SIZE, bytes(RED))

    assert studio.colour(png(SIZE, rows, interlaced=True)) == near(RED)
    assert_damaged(studio, png(SIZE, rows[: -len(ROW)], interlaced=True))


@pytest.mark.parametrize("has_end", [True, False])
def test_a_png_whose_last_rows_are_black_is_taken(studio, has_end):
    black = b"\0" + bytes(3 * 20)

    assert studio.colour(png(SIZE, ROW * 12 + black * 4, has_end=has_end)) == near(RED)
    assert studio.colour(png(SIZE, interlaced_rows(SIZE, bytes(3)), interlaced=True, has_end=has_end)) == BLACK


@pytest.mark.parametrize(
    ("colours", "bits", "row"), [("grey", 1, 3), ("grey", 16, 40), ("palette", 4, 10), ("RGB alpha", 16, 160)]
)
def test_the_rows_of_every_kind_of_png_are_counted(studio, colours, bits, row):
    palette = [(b"PLTE", bytes(48))] if colours == "palette" else []
    content = [png(SIZE, bytes(1 + row) * rows, colours=colours, bits=bits, chunks=palette) for rows in (16, 15)]

    studio.convert(content[0])
    assert_damaged(studio, content[1])


def test_sixty_megabytes_of_packed_text_are_refused(studio):
    bomb = b"Comment\0\0" + zlib.compress(bytes(60 * 10**6))

    assert_damaged(studio, png(SIZE, ROW * 16, chunks=[(b"zTXt", bomb)]))


def test_damaged_pictures_are_converted_or_refused_and_nothing_else(convert, tmp_path):
    choose, studio = Random(11), Studio(convert, tmp_path)
    contents = [encoded(noisy(), kind, **options) for kind, options in CUT]
    contents += [frames(kind, RED, GREEN) for kind in ("GIF", "PNG", "WEBP", "TIFF")]
    for _ in range(150):
        content = bytearray(choose.choice(contents))
        for _ in range(choose.choice([1, 3, 20])):
            content[choose.randrange(8, min(len(content), choose.choice([64, 100_000])))] = choose.randrange(256)
        with contextlib.suppress(RequestInvalid):
            told = studio.convert(bytes(content))
            assert told.width <= 1080
