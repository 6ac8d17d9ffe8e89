"""Tells how similar pictures are to another one, which scikit-image measures in an environment of its own.

`similarity.py REFERENCE PICTURE…` prints a JSON list of the structural similarities, 1.0 for no difference.
"""

import json
import sys

import numpy as np  # type: ignore[import-not-found]
from PIL import Image
from skimage.metrics import structural_similarity  # type: ignore[import-not-found]


def main() -> None:
    """Print the similarities."""
    reference, *pictures = (np.asarray(Image.open(path).convert("RGB")) for path in sys.argv[1:])
    found = [float(structural_similarity(reference, picture, channel_axis=2)) for picture in pictures]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
