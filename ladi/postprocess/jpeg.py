"""A result as a JPEG, for whoever wants a small file: with the same settings and the same mark as the PNG.

What the mark says stands in ``png.py``, which also reads the settings back, from both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ladi.postprocess.png import COMMENT, PACKET

QUALITY = 93


def save_jpeg(pixels: np.ndarray, path: str | Path, settings: Mapping[str, Any]) -> None:
    """Write (H,W,3) uint8 with the settings as its comment and the mark in XMP.

    Args:
        pixels: the picture.
        path: in a folder that exists.
        settings: plain values only.
    """
    comment = COMMENT + json.dumps(dict(settings), sort_keys=True).encode()
    Image.fromarray(pixels).save(
        path, format="JPEG", quality=QUALITY, subsampling=0, comment=comment, xmp=PACKET.encode()
    )
