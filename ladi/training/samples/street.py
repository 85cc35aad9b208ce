"""Labelled street photos as a cache beside the shards': framed as the app frames people.

Each photo gives two samples, the window of the upper body and that of the whole body, with the detector's
own joints and silhouette. Photos in which nobody is found are left out.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from ladi.data.street import StreetPhoto, read_street, read_tags, tags_to_labels
from ladi.files import write_json
from ladi.preprocess.frame import crop_to_frame, frame_person, keypoints_to_frame
from ladi.preprocess.pose import PoseDetector
from ladi.training.samples.cache import Cache
from ladi.training.samples.wider import add_masks
from ladi.types import KEYPOINT_NAMES, Category, Frame, PersonError, PoseDetection, Size

LOGGER = logging.getLogger(__name__)

UPPER, WHOLE = 0, 1
"""The kinds of window."""
SPLITS = {"train": ("labelled-00", "labelled-01"), "val": ("labelled-val",)}
"""Which shards make which split: those for choosing settings by have a name of their own."""
_SHOULDERS = [KEYPOINT_NAMES.index(name) for name in ("left_shoulder", "right_shoulder")]

Row = dict[str, np.ndarray]


def build_street_cache(data: Path, folder: Path, split: str, size: Size) -> Cache:
    """Frames and labels a split of the street photos, or opens what was made before.

    ``image`` (N,H,W,3), ``labels``, ``mask``, ``silhouette`` (N,H,W) uint8, ``keypoints`` (N,18,3) float32
    and ``window`` (N,) uint8.

    Args:
        data: the folder with the street shards and ``tags.json``.
        folder: where the cache lies.
        split: ``train`` or ``val``.
        size: height and width of everything.
    """
    target = folder / split
    if not (target / "ids.json").is_file():
        LOGGER.info("framing the street photos of %s into %s", split, target)
        target.mkdir(parents=True, exist_ok=True)
        columns: dict[str, list[np.ndarray]] = {}
        ids = []
        names = read_tags(data)
        detector = PoseDetector(workers=1)
        for photo in (photo for shard in SPLITS[split] for photo in read_street(data, shard)):
            for row in frame_street_photo(photo, names, detector, size):
                for name, value in row.items():
                    columns.setdefault(name, []).append(value)
                ids.append(photo.id)
        detector.close()
        for name, rows in columns.items():
            np.save(target / f"{name}.npy", np.stack(rows))
        write_json(target / "ids.json", ids)
    cache = Cache(folder, split)
    add_masks(cache)
    return cache


def frame_street_photo(
    photo: StreetPhoto, names: tuple[str, ...], detector: PoseDetector, size: Size
) -> Iterator[Row]:
    """The samples of one photo: none where nobody is found, no upper body without shoulders."""
    try:
        found = detector.detect(photo.image)
    except PersonError:
        LOGGER.info("nobody was found in street photo %s", photo.id)
        return
    labels = tags_to_labels(photo.tags, names, found.keypoints)
    if found.keypoints[_SHOULDERS, 2].all():
        yield _window(photo.image, labels, found, UPPER, size)
    yield _window(photo.image, labels, found, WHOLE, size)


def _window(image: np.ndarray, labels: np.ndarray, found: PoseDetection, kind: int, size: Size) -> Row:
    category: Category = "upper_body" if kind == UPPER else "dresses"
    frame = frame_person((image.shape[0], image.shape[1]), found, category, size)
    return {
        "image": crop_to_frame(image, frame),
        "labels": crop_labels(labels, frame),
        "silhouette": np.rint(crop_to_frame(found.silhouette, frame) * 255).astype(np.uint8),
        "keypoints": keypoints_to_frame(found.keypoints, frame),
        "window": np.uint8(kind),
    }


def crop_labels(labels: np.ndarray, frame: Frame) -> np.ndarray:
    """Labels (H,W) in a window, the nearest pixel's; beyond the photo its edge is repeated."""
    rows = [math.floor(frame.top + (row + 0.5) / frame.scale) for row in range(frame.size[0])]
    columns = [math.floor(frame.left + (column + 0.5) / frame.scale) for column in range(frame.size[1])]
    height, width = labels.shape
    return labels[np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)[None]]


def add_walls(cache: Cache) -> None:
    """The pictures without their people, roughly, unless the cache has it: ``wall`` (N,H,W,3) uint8."""
    if "wall" in cache:
        return

    def walls() -> Iterator[np.ndarray]:
        for index in range(len(cache)):
            image, labels = np.asarray(cache["image"][index]), np.asarray(cache["labels"][index])
            person = ndimage.binary_dilation((labels > 0) | (cache["silhouette"][index] > 60), iterations=6)
            if person.all():
                yield np.full_like(image, image.mean((0, 1)))[None]
                continue
            rows, columns = ndimage.distance_transform_edt(
                person, return_distances=False, return_indices=True
            )
            filled = ndimage.gaussian_filter(image[rows, columns], (3, 3, 0))
            yield np.where(person[..., None], filled, image)[None]

    cache.add("wall", walls(), cache["image"].shape[1:], "uint8")
