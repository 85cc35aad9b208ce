"""Street photos with clothing tags: full-length people, one of 59 tags per pixel, and how they become labels.

The shards are of Clothing Co-Parsing (Yang et al., CVPR 2014): ``{id}.image.jpg`` and ``{id}.tags.png``,
numbers into ``tags.json`` beside them. The tags name garments finely and the body hardly at all: ``skin`` is
face, neck, arms and legs together, and shoes have no side, so that the joints must tell them apart. It does
not look for the joints (``preprocess/pose.py``) and does not frame anybody.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.data.sample import DatasetError
from ladi.data.shards import index_shard, read_members, shard_paths
from ladi.preprocess.labels import LIP
from ladi.preprocess.limbs import Limbs

_WORN: dict[str, tuple[str, ...]] = {
    "hat": ("hat",),
    "hair": ("hair",),
    "glove": ("gloves",),
    "sunglasses": ("glasses", "sunglasses"),
    "upper_clothes": (
        *("blouse", "hoodie", "shirt", "sweater", "sweatshirt", "t-shirt", "tie", "top", "vest"),
        *("bra", "intimate"),
    ),
    "dress": ("dress",),
    "coat": ("blazer", "cape", "cardigan", "coat", "jacket"),
    "socks": ("socks",),
    "pants": ("jeans", "leggings", "panties", "pants", "shorts"),
    "scarf": ("scarf",),
    "skirt": ("skirt",),
    # What is held or worn in front of the clothes: phones, cups and bangles are "accessories" here.
    "bag": ("accessories", "bag", "purse", "wallet"),
}
_NEAREST = ("belt", "bracelet", "earrings", "necklace", "ring", "watch")
"""Too small for a label of their own: what they lie on, the nearest label that is not one of them."""
_ONE_PIECE = ("bodysuit", "jumper", "romper", "swimwear")
"""Dresses or jumpsuits by name, but as often only a top or only trousers: judged by where they lie."""
_STOCKINGS = ("stockings", "tights")
"""They show the leg's shape and are labelled as legs; some photos call a vest tights."""
_SHOES = (
    *("boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes", "sneakers", "wedges"),
)

_TOP_ENDS = 0.45
"""A top ends no further below the hips than this share of the torso."""
_WAIST_RISE = 0.35
"""The waist lies above the hips by this share of the torso."""


class StreetPhoto(NamedTuple):
    """One labelled photo."""

    id: str
    image: np.ndarray
    """(H,W,3) uint8."""
    tags: np.ndarray
    """(H,W) uint8, numbers into the data set's tags."""


def read_tags(folder: str | Path) -> tuple[str, ...]:
    """The data set's tags by number.

    Raises:
        DatasetError: ``tags.json`` is missing or no list of words.
    """
    path = Path(folder) / "tags.json"
    try:
        names = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise DatasetError(f"the tags' names {path} cannot be read: {error}") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{path} must hold a list of words, one for each number")
    return tuple(names)


def read_street(folder: str | Path, split: str) -> Iterator[StreetPhoto]:
    """Every labelled photo of the shards ``{split}-*.tar``, or of the one shard ``{split}.tar``.

    Raises:
        DatasetError: no shards, or a photo whose picture or tags are missing or broken, named.
    """
    single = Path(folder) / f"{split}.tar"
    for path in [single] if single.is_file() else shard_paths(Path(folder), split):
        for identity, members in index_shard(path):
            files = read_members(path, members)
            try:
                image = np.asarray(Image.open(io.BytesIO(files["image.jpg"])).convert("RGB"))
                tags = np.asarray(Image.open(io.BytesIO(files["tags.png"])))
            except (KeyError, OSError, ValueError, SyntaxError) as error:
                raise DatasetError(f"photo {identity} of {path.name} cannot be read: {error}") from error
            if image.shape[:2] != tags.shape:
                raise DatasetError(f"photo {identity} of {path.name} and its tags differ in size")
            yield StreetPhoto(identity, image, tags.astype(np.uint8))


def tags_to_labels(tags: np.ndarray, names: tuple[str, ...], keypoints: np.ndarray) -> np.ndarray:
    """LIP's labels (20 = neck, 21 = bag) of a tagged photo.

    Args:
        tags: (H,W) numbers into ``names``.
        names: of the tags.
        keypoints: (18,3) in pixels of the photo.

    Returns:
        (H,W) uint8.
    """
    number = {name: index for index, name in enumerate(names)}

    def tagged(*wanted: str) -> np.ndarray:
        return np.isin(tags, [number[name] for name in wanted if name in number])

    limbs = Limbs(keypoints, tags > 0)
    labels = np.zeros(tags.shape, np.uint8)
    for name, members in _WORN.items():
        labels[tagged(*members)] = LIP[name]
    for name in _ONE_PIECE:
        region = tagged(name)
        labels[region] = LIP[_whole_or_half(region, limbs)]
    suit = tagged("suit")
    # A suit is its jacket in most photos; in the others the trousers are the same cloth.
    labels[suit] = LIP["coat"]
    labels[suit & (np.arange(len(tags))[:, None] > limbs.hip_row + _TOP_ENDS * limbs.torso)] = LIP["pants"]
    for name in _STOCKINGS:
        region = tagged(name)
        if region.any() and np.flatnonzero(region.any(1))[-1] > limbs.hip_row + _TOP_ENDS * limbs.torso:
            labels = np.where(region, limbs.name_legs(region), labels)
        else:
            labels[region] = LIP["upper_clothes"]
    shoes, skin = tagged(*_SHOES), tagged("skin")
    labels = np.where(shoes, limbs.name_shoes(shoes), labels)
    labels = np.where(skin, limbs.name_skin(skin), labels)
    small = tagged(*_NEAREST)
    if small.any() and (labels > 0).any():
        rows, columns = ndimage.distance_transform_edt(
            labels == 0, return_distances=False, return_indices=True
        )
        labels = np.where(small, labels[rows, columns], labels)
    return labels


def _whole_or_half(region: np.ndarray, limbs: Limbs) -> str:
    """Whether a one-piece garment's region is that, or only a top or only trousers."""
    rows = np.repeat(np.arange(len(region)), region.sum(1))
    if not rows.size:
        return "dress"
    top, bottom = np.percentile(rows, (3, 97))
    if bottom < limbs.hip_row + _TOP_ENDS * limbs.torso:
        return "upper_clothes"
    return "pants" if top > limbs.hip_row - _WAIST_RISE * limbs.torso else "dress"
