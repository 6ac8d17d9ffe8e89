"""Converts pictures in our way or in Pillow's plain one: `python -m tests.bench.picture_worker ours`.

Each line of stdin asks with {"source", "target", "width", "height"} and is answered by {"cpu": seconds of processor
time so far, "peak": most bytes of memory so far}; ours counts the process that converts, from its start.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from publisher.converting import Converter

type Work = Callable[[Path, Path, tuple[int, int]], dict[str, float]]


@contextmanager
def ours() -> Iterator[Work]:
    """Convert as the service does."""
    with Converter().converting() as convert:

        def work(source: Path, target: Path, size: tuple[int, int]) -> dict[str, float]:
            done = convert(source, target)
            if (done.width, done.height) != size:
                raise RuntimeError(f"the picture became {done.width} x {done.height}")
            (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            return {"cpu": _processor_seconds(child), "peak": _peak(child)}

        yield work


@contextmanager
def pillow() -> Iterator[Work]:
    """Convert as anybody would write it down first."""
    began = time.process_time()

    def work(source: Path, target: Path, size: tuple[int, int]) -> dict[str, float]:
        with Image.open(source) as image:
            image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(target, "JPEG", quality=90)
        return {"cpu": time.process_time() - began, "peak": _peak("self")}

    yield work


def _processor_seconds(process: str) -> float:
    # After the name, which ends with a bracket, the 12th and 13th field are the user's and the system's time.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _peak(process: str) -> int:
    (line,) = (line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Answer until stdin ends."""
    with {"ours": ours, "pillow": pillow}[sys.argv[1]]() as work:
        for line in sys.stdin:
            asked = json.loads(line)
            done = work(Path(asked["source"]), Path(asked["target"]), (asked["width"], asked["height"]))
            sys.stdout.write(json.dumps(done) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
