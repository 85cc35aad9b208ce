"""One file of a data set looked at: can it be read, and is it what it should be.

It looks at each file by itself, from many threads at once; what only several files together tell,
``twins.py`` and ``dataset.py`` find.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from ladi.data.checking.contents import Issue, Item
from ladi.data.dresscode import DressCodeDataset
from ladi.data.prepared import read_joints
from ladi.data.sample import DatasetError
from ladi.data.shards import keypoints_from_list
from ladi.data.vitonhd import VitonHdDataset
from ladi.preprocess.labels import label_table
from ladi.types import Size

THUMBNAIL: Size = (16, 12)
"""Of the small copies by which pictures are compared."""
_DECODED = (192, 256)
"""Width and height that a JPEG is decoded to at least: all of its data is read, in a fraction of the time."""
_DAMAGE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Look:
    """What a look at one file brought."""

    item: Item
    issues: tuple[Issue, ...] = ()
    size: Size | None = None
    """(height, width) of a picture."""
    reach: Size | None = None
    """How far down and to the right joints lie, in their own pixels."""
    digest: bytes = b""
    """Of a photo's or garment's file."""
    thumbnail: np.ndarray | None = None
    """Of a photo or garment: the mean colours of a coarse grid, one row of float32."""


def inspect(item: Item) -> Look:
    """Read one file and say what is wrong with it by itself."""
    try:
        data = _read(item)
    except FileNotFoundError:
        level = "warning" if item.optional else "fault"
        return Look(item, (Issue(level, "missing", item.name, "is missing"),))  # type: ignore[arg-type]
    except OSError as error:
        return _faulty(item, "broken", f"cannot be opened ({error.strerror})")
    if not data:
        return _faulty(item, "broken", "is empty (0 bytes)")
    if item.role == "joints":
        return _joints(item, data)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            look = Look(item, size=(picture.height, picture.width))
            if item.role == "labels":
                return replace(look, issues=tuple(_labels(item, picture)))
            picture.draft("RGB", _DECODED)
            if item.role == "garment mask":
                return replace(look, issues=tuple(_mask(item, picture)))
            small = picture.convert("RGB").resize(THUMBNAIL[::-1], Image.Resampling.BOX)
    except _DAMAGE as error:
        return _faulty(item, "broken", f"is damaged and cannot be read ({error})")
    digest = hashlib.blake2b(data, digest_size=16).digest()
    return replace(look, digest=digest, thumbnail=np.asarray(small, np.float32).ravel())


def _read(item: Item) -> bytes:
    if item.span is None:
        return item.place.read_bytes()
    with item.place.open("rb") as file:
        file.seek(item.span[0])
        return file.read(item.span[1])


def _faulty(item: Item, kind: str, message: str) -> Look:
    return Look(item, (Issue("fault", kind, item.name, message),))


def _labels(item: Item, picture: Image.Image) -> Iterator[Issue]:
    """Numbers in one channel, all of them known."""
    picture.load()
    if picture.mode not in ("L", "P"):
        message = f"must hold label numbers in one channel, got a picture of mode {picture.mode}"
        yield Issue("fault", "labels", item.name, message)
        return
    # A palette picture's pixels are the label numbers.
    counts = np.bincount(np.asarray(picture).ravel(), minlength=256)
    known = set(label_table(item.scheme).values())
    if unknown := sorted(set(np.flatnonzero(counts).tolist()) - known):
        shown = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        yield Issue("fault", "labels", item.name, f"has labels that its scheme does not know: {shown}")
    elif not counts[1:].any():
        yield Issue("warning", "nobody labelled", item.name, "labels everything as background")


def _mask(item: Item, picture: Image.Image) -> Iterator[Issue]:
    if np.asarray(picture.convert("L")).max() <= 127:
        yield Issue("warning", "empty garment mask", item.name, "marks no garment")


def _joints(item: Item, data: bytes) -> Look:
    """Joints as the layout's loader reads them."""
    try:
        if item.layout == "vitonhd":
            joints = VitonHdDataset.read_joints(item.place)
        elif item.layout == "dresscode":
            joints = DressCodeDataset.read_joints(item.place)
        elif item.layout == "prepared":
            joints, _ = read_joints(item.place)
        else:
            joints = keypoints_from_list(json.loads(data), (1, 1))
    except DatasetError as error:
        return _faulty(item, "broken", str(error))
    except (ValueError, TypeError) as error:
        return _faulty(item, "broken", f"must hold 18 × x, y, confidence, or an empty list ({error})")
    if not np.isfinite(joints).all():
        return _faulty(item, "joints", "holds numbers that are not finite")
    if not joints[:, :2].any():
        return Look(item, (Issue("warning", "empty pose", item.name, "has no joint: nobody was found"),))
    across, down = joints[:, :2].max(axis=0)
    return Look(item, reach=(int(down), int(across)))
