"""The drawn people and garments of ``drawn_shards.py`` in the layouts of VITON-HD and Dress Code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from ladi.preprocess.labels import to_scheme
from tests.drawn_shards import HEIGHT, drawn_sample

FULL = (768, 1024)
BODY25 = (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)
"""Where our 18 joints stand among OpenPose's 25; the middle hip, 8, stays empty."""


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _enlarged(data: bytes) -> Image.Image:
    """A small picture with so little detail that it compresses in no time, at 768×1024."""
    return _opened(data).resize(FULL, Image.Resampling.NEAREST)


def _joints(parts: dict[str, bytes], height: int) -> np.ndarray:
    """(18,3) in pixels of a picture of that height; zeros where nobody was found."""
    joints = np.array(json.loads(parts["pose.json"]) or np.zeros(54)).reshape(18, 3)
    return joints * (height / HEIGHT, height / HEIGHT, 1)


def write_viton_hd(root: Path, split: str, numbers: list[int]) -> Path:
    """``{split}_pairs.txt``, in which everybody gets the next one's garment, and all files."""
    folder = root / split
    for name in ("image", "cloth", "cloth-mask", "image-parse-v3", "openpose_json"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        parts, name = drawn_sample(number), f"{number:05d}_00"
        _enlarged(parts["image.jpg"]).save(folder / "image" / f"{name}.jpg")
        _enlarged(parts["cloth.jpg"]).save(folder / "cloth" / f"{name}.jpg")
        _enlarged(parts["cloth-mask.png"]).convert("L").save(folder / "cloth-mask" / f"{name}.jpg")
        _enlarged(parts["parse.png"]).save(folder / "image-parse-v3" / f"{name}.png")
        body = np.zeros((25, 3))
        body[list(BODY25)] = _joints(parts, FULL[1])
        people = [{"pose_keypoints_2d": body.ravel().tolist()}] if body.any() else []
        (folder / "openpose_json" / f"{name}_keypoints.json").write_text(json.dumps({"people": people}))
    pairs = zip(numbers, [*numbers[1:], numbers[0]], strict=True)
    lines = [f"{person:05d}_00.jpg {garment:05d}_00.jpg\n" for person, garment in pairs]
    (root / f"{split}_pairs.txt").write_text("".join(lines))
    return root


def write_dress_code(root: Path, category: str, numbers: list[int]) -> Path:
    """One category with its two test lists; the labels are translated to Dress Code's."""
    folder = root / category
    for name in ("images", "keypoints", "label_maps", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        parts, name = drawn_sample(number), f"{number:06d}"
        _enlarged(parts["image.jpg"]).save(folder / "images" / f"{name}_0.jpg")
        _enlarged(parts["cloth.jpg"]).save(folder / "images" / f"{name}_1.jpg")
        _enlarged(parts["cloth-mask.png"]).convert("L").save(folder / "masks" / f"{name}_1.png")
        labels = to_scheme(np.asarray(_enlarged(parts["parse.png"])), "lip", "dresscode")
        Image.fromarray(labels).save(folder / "label_maps" / f"{name}_4.png")
        joints = [[*joint, index] for index, joint in enumerate(_joints(parts, 512).tolist())]
        (folder / "keypoints" / f"{name}_2.json").write_text(json.dumps({"keypoints": joints}))
    for order, garments in (("paired", numbers), ("unpaired", [*numbers[1:], numbers[0]])):
        pairs = zip(numbers, garments, strict=True)
        lines = [f"{person:06d}_0.jpg {garment:06d}_1.jpg\n" for person, garment in pairs]
        (folder / f"test_pairs_{order}.txt").write_text("".join(lines))
    return root
