"""What it costs to convert the pictures of a carousel: ours beside Pillow used plainly and beside npm's sharp.

Beside the cost stands what it costs in looks: how much less similar than Pillow's the JPEG is to the picture that
LANCZOS makes.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import mean
from tempfile import TemporaryDirectory

from PIL import Image, ImageChops, ImageDraw

from local.demo.samples import PHOTOGRAPHS
from tests.bench.report import Row

ROOT = Path(__file__).parents[2]
COUNT = 35
SIZE, FITTED = (4000, 3000), (1080, 810)
COMPARED_EVERY = 5
"""Of the pictures, one in so many is compared: to compare takes longer than to convert."""
MOST_CPU = 0.85
"""How much of plain Pillow's processor time ours may take."""
MOST_LOSS = 0.005
"""How much less similar than plain Pillow's ours may be."""
MB = 10**6


@dataclass(frozen=True)
class Cost:
    """Processor seconds for all pictures, the most bytes of memory, and the mean similarity to LANCZOS alone."""

    cpu: float
    peak: int
    similarity: float


def pictures(count: int = COUNT, size: tuple[int, int] = SIZE) -> Iterator[Image.Image]:
    """Return the same pictures every time: photographs enlarged, with a sensor's noise, and drawings, in turn."""
    choose = Random(35)
    photographs = [Image.open(photograph.path).convert("RGB") for photograph in PHOTOGRAPHS]
    for number in range(count):
        if number % 2:
            yield _drawing(choose, size)
        else:
            yield _photograph(choose, photographs[number // 2 % len(photographs)], size)


def _photograph(choose: Random, photograph: Image.Image, size: tuple[int, int]) -> Image.Image:
    left, top = choose.uniform(0, photograph.width / 4), choose.uniform(0, photograph.height / 4)
    box = (left, top, left + photograph.width * 3 / 4, top + photograph.height * 3 / 4)
    enlarged = photograph.resize(size, Image.Resampling.BICUBIC, box=box)
    noise = Image.frombytes("RGB", size, choose.randbytes(3 * size[0] * size[1]))
    return ImageChops.add(enlarged, noise.point(lambda value: 128 + (value - 128) // 12), offset=-128)


def _drawing(choose: Random, size: tuple[int, int]) -> Image.Image:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    draw = ImageDraw.Draw(image)
    for _ in range(400):
        x, y = choose.randrange(size[0]), choose.randrange(size[1])
        colour = (choose.randrange(256), choose.randrange(256), choose.randrange(256))
        box = (x, y, x + choose.randrange(20, size[0] // 4), y + choose.randrange(20, size[1] // 4))
        choose.choice([draw.rectangle, draw.ellipse])(box, outline=colour, width=choose.randrange(1, 12))
        draw.text((x, y), "The quick brown fox", fill=colour, font_size=choose.randrange(20, 200))
    return image


def convert(count: int = COUNT, size: tuple[int, int] = SIZE, fitted: tuple[int, int] = FITTED) -> dict[str, Cost]:
    """Convert each picture in every way, in turn. Sharp is left out where npm does not bring it."""
    costs: dict[str, dict[str, float]] = {}
    similarities: dict[str, list[float]] = {}
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        ask = {way: stack.enter_context(_worker(command)) for way, command in _commands().items()}
        for number, picture in enumerate(pictures(count, size)):
            # Without a photograph's colour profile: ours would follow it, Pillow alone would not.
            picture.save(folder / "source.png", compress_level=3, icc_profile=None)
            targets = {way: folder / f"{way}.jpg" for way in ask}
            for way, target in targets.items():
                costs[way] = ask[way](folder / "source.png", target, fitted)
            if number % COMPARED_EVERY == 0:
                picture.resize(fitted, Image.Resampling.LANCZOS).save(folder / "reference.png")
                found = _similarities(folder / "reference.png", list(targets.values()))
                for way, similarity in zip(targets, found, strict=True):
                    similarities.setdefault(way, []).append(similarity)
    return {way: Cost(cost["cpu"], int(cost["peak"]), mean(similarities[way])) for way, cost in costs.items()}


def _commands() -> dict[str, list[str]]:
    worker = [sys.executable, "-m", "tests.bench.picture_worker"]
    commands = {"ours": [*worker, "ours"], "pillow": [*worker, "pillow"]}
    sharp = _sharp()
    return commands | ({"sharp": ["node", str(sharp / "convert.js")]} if sharp else {})


def _sharp() -> Path | None:
    """Install sharp where it is missing; None where npm is not there or does not get it."""
    source, folder = Path(__file__).parent / "sharp", ROOT / ".tools" / "sharp"
    if not shutil.which("npm"):
        return None
    lock = folder / "package-lock.json"
    wanted = (source / lock.name).read_bytes()
    if not (lock.exists() and lock.read_bytes() == wanted and (folder / "node_modules" / "sharp").exists()):
        shutil.copytree(source, folder, dirs_exist_ok=True)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        if subprocess.run(command, cwd=folder, check=False, stdout=sys.stderr).returncode:
            return None
    shutil.copy(source / "convert.js", folder)
    return folder


type Ask = Callable[[Path, Path, tuple[int, int]], dict[str, float]]


@contextmanager
def _worker(command: list[str]) -> Iterator[Ask]:
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(source: Path, target: Path, size: tuple[int, int]) -> dict[str, float]:
            assert process.stdin
            assert process.stdout
            asked = {"source": str(source), "target": str(target), "width": size[0], "height": size[1]}
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
            told: dict[str, float] = json.loads(process.stdout.readline())
            return told

        yield ask


def _similarities(reference: Path, targets: list[Path]) -> list[float]:
    python = ROOT / ".tools" / "similarity" / "bin" / "python"
    command = [python, Path(__file__).with_name("similarity.py"), reference, *targets]
    found: list[float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def run() -> list[Row]:
    """Return processor time, memory and looks of ours, beside both others."""
    costs = convert()
    ours = costs["ours"]
    rows = []
    for way, other in {"Pillow": costs["pillow"], "sharp": costs.get("sharp")}.items():
        name = f"{COUNT} PNGs of 12 MP, beside {way}"
        if other is None:
            rows.append(Row(f"{name}, which npm did not bring", ours.cpu, None, "CPU s"))
            continue
        loss = other.similarity - ours.similarity
        differs, other_differs = (1000 * (1 - cost.similarity) for cost in (ours, other))
        looks = f"{name}, difference from LANCZOS"
        if way == "Pillow":
            rows.append(
                Row(name, ours.cpu, other.cpu, "CPU s", f"at most {MOST_CPU} times", ours.cpu <= MOST_CPU * other.cpu)
            )
            floor = f"at most {1000 * MOST_LOSS:g} more"
            rows.append(Row(looks, differs, other_differs, "SSIM/1000", floor, loss <= MOST_LOSS))
        else:
            rows.append(Row(name, ours.cpu, other.cpu, "CPU s"))
            rows.append(Row(looks, differs, other_differs, "SSIM/1000"))
        rows.append(Row(f"{name}, peak memory", ours.peak / MB, other.peak / MB, "MB"))
    return rows
