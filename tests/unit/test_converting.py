"""The process that converts pictures: how long it lives, how much it may take, and what its end means."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest

from publisher.converting import Converter
from publisher.domain.errors import InternalServerError, InvalidMediaType, MediaTooLarge
from publisher.domain.limits import WEBP_PIXELS
from publisher.ports import ConvertedPicture
from tests.pictures import exif, plain

only_on_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes and their memory are Linux's")
FIFTY_MEGAPIXELS = (7071, 7071)
SMALL = plain("JPEG", size=(60, 40))


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(SMALL)
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def children() -> set[int]:
    """Return the processes that this one has started and not waited for."""
    return {int(child) for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


# Its life


@only_on_linux
def test_one_process_converts_all_pictures_of_a_block_and_ends_with_it(source, target):
    before, seen = children(), set()
    with Converter().converting() as convert:
        for _ in range(3):
            convert(source, target)
            seen |= children() - before

    assert len(seen) == 1
    assert children() == before


@only_on_linux
def test_a_block_that_converts_nothing_starts_no_process(tmp_path):
    before = children()
    (tmp_path / "text").write_text("no picture")

    with Converter().converting() as convert, pytest.raises(InvalidMediaType):
        convert(tmp_path / "text", tmp_path / "target")
    with Converter().converting():
        assert children() == before


@only_on_linux
def test_the_process_ends_with_a_block_that_fails(source, target):
    before = children()

    def fail() -> None:
        with Converter().converting() as convert:
            convert(source, target)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert children() == before


@only_on_linux
def test_after_a_process_that_was_killed_another_one_converts(source, target):
    before = children()
    with Converter().converting() as convert:
        convert(source, target)
        (child,) = children() - before
        os.kill(child, signal.SIGKILL)
        with pytest.raises(InvalidMediaType) as refused:
            convert(source, target)
        told = convert(source, target)

    assert refused.value.error == "The picture cannot be read."
    assert told.width == 60


def replace_library(monkeypatch, folder: Path, code: str) -> None:
    """Let the process run this code for a picture, whose path is `source`, instead of converting it."""
    package = folder / "publisher"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "imaging.py").write_text(f"""
import json, os, time
from multiprocessing.connection import Connection
def serve(descriptor, seconds):
    parent = Connection(descriptor)
    parent.send_bytes(b'{{"ready": true}}')
    while True:
        source = json.loads(parent.recv_bytes())["source"]
        {code}
        parent.send_bytes(b'{{"converted": {{"width": 1, "height": 2, "size": 3, "frames_dropped": 4}}}}')
""")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])


def test_a_picture_that_crashes_its_decoder_is_refused_and_the_next_one_converted(
    monkeypatch, tmp_path, source, target
):
    replace_library(monkeypatch, tmp_path, "if source.endswith('crash'): os.abort()")
    crash = tmp_path / "crash"
    crash.write_bytes(SMALL)

    with Converter().converting() as convert:
        with pytest.raises(InvalidMediaType) as refused:
            convert(crash, target)
        assert convert(source, target) == ConvertedPicture(width=1, height=2, size=3, frames_dropped=4)

    assert (refused.value.error, refused.value.message) == (
        "The picture cannot be read.",
        "Open the picture to see whether it is whole, and save it again as JPEG.",
    )


def test_a_picture_that_keeps_its_decoder_busy_is_given_up_in_time_and_the_next_one_converted(
    monkeypatch, tmp_path, source, target
):
    replace_library(monkeypatch, tmp_path, "if source.endswith('slow'): time.sleep(60)")
    slow = tmp_path / "slow"
    slow.write_bytes(SMALL)
    began = time.monotonic()

    with Converter(seconds=2).converting() as convert:
        with pytest.raises(InvalidMediaType) as refused:
            convert(slow, target)
        assert convert(source, target).frames_dropped == 4

    assert refused.value.error == "Converting the picture takes too long."
    assert time.monotonic() - began < 10


def test_a_converter_that_does_not_start_is_our_fault_and_not_the_pictures(monkeypatch, tmp_path, source, target):
    replace_library(monkeypatch, tmp_path, "")
    (tmp_path / "publisher" / "imaging.py").write_text("import os; os._exit(1)")

    with Converter().converting() as convert, pytest.raises(InternalServerError):
        convert(source, target)


def test_a_target_that_cannot_be_written_is_our_fault_and_not_the_pictures(tmp_path, source, target):
    with Converter().converting() as convert:
        with pytest.raises(InternalServerError) as failed:
            convert(source, tmp_path / "no folder" / "target")
        assert convert(source, target).width == 60

    assert failed.value.error == "The converted picture cannot be stored: No such file or directory."


@only_on_linux
def test_a_process_whose_parent_is_gone_does_not_go_on_for_ever():
    ours, theirs = Pipe()
    busy = "imaging.convert = lambda *_: exec('while True: pass')"
    program = (
        f"import sys; sys.path[:] = {sys.path!r}; from publisher import imaging; {busy}; "
        f"imaging.serve({theirs.fileno()}, 0)"
    )
    with ours, subprocess.Popen([sys.executable, "-c", program], pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        ours.recv_bytes()
        ours.send_bytes(b'{"source": "", "target": "", "kind": "PNG"}')
        ours.close()

        assert process.wait(timeout=30) == -signal.SIGXCPU


def test_the_process_loads_nothing_that_it_does_not_need():
    names = "{'pydantic', 'PIL.EpsImagePlugin', 'PIL.PsdImagePlugin', 'PIL.AvifImagePlugin'}"
    program = f"import publisher.imaging, sys; print(sorted({names} & set(sys.modules)))"

    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"]

    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


# Its memory


WEBP_SIDES = (int(WEBP_PIXELS**0.5),) * 2
LARGE: dict[str, tuple[str, str, object, dict[str, Any]]] = {
    "GIF": ("GIF", "P", 3, {}),
    "1 bit": ("PNG", "1", 1, {}),
    "palette": ("PNG", "P", 3, {"compress_level": 1, "transparency": 3}),
    "16 bits": ("PNG", "I;16", 40000, {"compress_level": 1}),
    "baseline": ("JPEG", "RGB", (10, 20, 30), {"subsampling": 0}),
    "progressive": ("JPEG", "RGB", (10, 20, 30), {"progressive": True}),
    "WEBP": ("WEBP", "RGBA", (10, 20, 30, 40), {"quality": 50, "method": 0}),
    "lossless WEBP": ("WEBP", "RGBA", (10, 20, 30, 40), {"lossless": True, "method": 0}),
    "bitmap": ("BMP", "RGB", (10, 20, 30), {}),
    "LAB": ("TIFF", "LAB", (100, 128, 128), {"compression": "tiff_lzw"}),
    "inks": ("TIFF", "CMYK", (10, 20, 30, 40), {"compression": "tiff_lzw"}),
    "inks, not packed": ("TIFF", "CMYK", (10, 20, 30, 40), {}),
    "grey and alpha": ("PNG", "LA", (200, 128), {"compress_level": 1}),
    "colours": ("PNG", "RGB", (200, 30, 30), {"compress_level": 1}),
    "colours and alpha": ("PNG", "RGBA", (200, 30, 30, 128), {"compress_level": 1}),
}
GREEDY: dict[str, tuple[str, str, object, dict[str, Any]]] = {
    "all coefficients": ("JPEG", "RGB", (10, 20, 30), {"progressive": True, "subsampling": 0}),
    "one strip": ("TIFF", "RGB", (10, 20, 30), {"compression": "tiff_adobe_deflate", "strip_size": 2**28}),
    "turned by the decoder": ("TIFF", "RGB", (10, 20, 30), {"exif": exif(6)}),
}
MOST_BYTES = 300 * 10**6


def peak_bytes(process: int) -> int:
    """Return the most memory that a process has had so far."""
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def large(name: str) -> bytes:
    kind, mode, colour, options = (LARGE | GREEDY)[name]
    return plain(kind, mode, colour, WEBP_SIDES if kind == "WEBP" else FIFTY_MEGAPIXELS, **options)


@only_on_linux
def test_no_picture_takes_more_than_300_megabytes_whatever_came_before(source, target):
    before = children()
    with Converter().converting() as convert:
        for name in (*LARGE, *GREEDY, "grey and alpha"):
            source.write_bytes(large(name))
            if name in GREEDY:
                with pytest.raises(MediaTooLarge):
                    convert(source, target)
            else:
                assert convert(source, target).width == 1080, name
            (child,) = children() - before
            assert peak_bytes(child) < MOST_BYTES, name


@only_on_linux
@pytest.mark.parametrize("name", GREEDY)
def test_a_picture_that_needs_more_memory_is_refused_with_what_to_do(source, target, name):
    source.write_bytes(large(name))

    with Converter().converting() as convert, pytest.raises(MediaTooLarge) as refused:
        convert(source, target)

    assert refused.value.error == "Decoding the picture needs too much memory."
    assert refused.value.message == "Save it as a baseline JPEG of at most 12 megapixels."
