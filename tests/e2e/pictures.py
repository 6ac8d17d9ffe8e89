"""Pictures to be published, whose halves can be told apart after they were converted."""

from io import BytesIO

from PIL import Image

RED, BLUE = (200, 30, 30), (30, 30, 200)


def picture(width: int, height: int, format_name: str, **save: object) -> bytes:
    """Draw the left half red and the right half blue."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return encoded(image, format_name, **save)


def encoded(image: Image.Image, format_name: str, **save: object) -> bytes:
    """Return a picture as a file."""
    file = BytesIO()
    image.save(file, format_name, **save)
    return file.getvalue()
