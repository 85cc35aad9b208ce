"""People in other surroundings: random changes to a labelled picture, so that a parser sees what users send.

Each change takes a scene and returns a new one with labels, silhouette and joints to match. OpenCV does the
work, because a thousand pictures a minute must pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ladi.preprocess.labels import GARMENTS, LIP, MIRRORED_LIP
from ladi.training.samples.augment import DARKEST_SKIN, SKIN
from ladi.types import MIRRORED_JOINTS, Size

WORN = tuple(LIP[name] for name in GARMENTS)
_TOPS = (LIP["upper_clothes"], LIP["dress"])


@dataclass(frozen=True)
class Scene:
    """A picture and what is known of it."""

    image: np.ndarray
    """(H,W,3) uint8."""
    labels: np.ndarray
    """(H,W) uint8."""
    silhouette: np.ndarray
    """(H,W) uint8, 255 = person."""
    keypoints: np.ndarray
    """(18,3), (0,0) = absent."""


def mirrored_labels(labels: np.ndarray) -> np.ndarray:
    """Labels of the mirrored picture, left and right exchanged: (…,H,W) → same."""
    return MIRRORED_LIP[labels[..., ::-1]]


def mirror(scene: Scene) -> Scene:
    """The scene in a mirror."""
    keypoints = scene.keypoints.copy()
    present = keypoints[:, :2].any(-1)
    keypoints[:, 0] = np.where(present, scene.image.shape[1] - 1 - keypoints[:, 0], 0)
    return Scene(
        np.ascontiguousarray(scene.image[:, ::-1]),
        mirrored_labels(scene.labels),
        np.ascontiguousarray(scene.silhouette[:, ::-1]),
        keypoints[MIRRORED_JOINTS],
    )


def rough_silhouette(labels: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    """The labels' outline, about as a detector gives it: (H,W) → (H,W) uint8, soft, grown, shrunk, bitten."""
    outline: np.ndarray = ((labels > 0) * 255).astype(np.uint8)
    if rng is None:
        return cv2.GaussianBlur(outline, (0, 0), 1.5)
    amount = int(rng.integers(-3, 4))
    if amount:
        change = cv2.dilate if amount > 0 else cv2.erode
        outline = change(outline, np.ones((2 * abs(amount) + 1,) * 2, np.uint8))
    if rng.random() < 0.4:
        # Whole patches missing or too many, at the edge, where a detector is unsure.
        unsure = cv2.GaussianBlur(outline, (0, 0), 5).astype(np.float32)
        coarse = rng.normal(0, 90, (10, 8)).astype(np.float32)
        noise = cv2.resize(coarse, outline.shape[::-1], interpolation=cv2.INTER_CUBIC)
        outline = ((unsure + noise * (unsure > 2) * (unsure < 253)) > 127).astype(np.uint8) * 255
    return cv2.GaussianBlur(outline, (0, 0), 1.5)


def move(scene: Scene, scale: float, shift: tuple[float, float], angle: float) -> Scene:
    """Scales about the picture's middle, turns and shifts; the edge is repeated outside.

    Args:
        scene: to be moved.
        scale: above 1 is nearer.
        shift: right and down, in pixels.
        angle: degrees, anticlockwise.
    """
    height, width = scene.labels.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    matrix[:, 2] += np.array(shift)
    size = (width, height)
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = cv2.warpAffine(scene.image, matrix, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
    labels = cv2.warpAffine(
        scene.labels, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    silhouette = cv2.warpAffine(
        scene.silhouette, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    keypoints = scene.keypoints.copy()
    present = keypoints[:, :2].any(-1)
    keypoints[:, :2] = keypoints[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    inside = (keypoints[:, :2] >= 0).all(-1) & (keypoints[:, 0] < width) & (keypoints[:, 1] < height)
    keypoints[~(present & inside)] = 0
    return Scene(image, labels, silhouette, keypoints.astype(np.float32))


def crop(scene: Scene, nearest: float, rng: np.random.Generator) -> Scene:
    """A random crop from the whole picture to ``nearest`` times as near, slightly turned."""
    height, width = scene.labels.shape
    scale = float(np.exp(rng.uniform(np.log(0.92), np.log(nearest))))
    angle = float(rng.normal(0, 3)) if rng.random() < 0.5 else 0.0
    slack = np.abs(scale - 1) / 2 + 0.03
    # Faces are rarely cut off: nearer means the upper part, as a rule.
    down = rng.uniform(-0.3, 1.0) * slack * height
    across = rng.uniform(-0.6, 0.6) * slack * width
    return move(scene, scale, (across, down), angle)


def change_wall(scene: Scene, wall: np.ndarray, rng: np.random.Generator) -> Scene:
    """The person in front of another wall, (H,W,3) uint8."""
    person: np.ndarray = ((scene.labels > 0) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        # Without the rim of old wall that labels take along.
        person = cv2.erode(person, np.ones((3, 3), np.uint8))
    weight = cv2.GaussianBlur(person, (0, 0), 0.7).astype(np.float32)[..., None] / 255
    image = scene.image * weight + wall * (1 - weight)
    return replace(scene, image=image.astype(np.uint8))


def vary_wall(wall: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random part of a picture without people, mirrored or not, in focus or not."""
    height, width = wall.shape[:2]
    part = rng.uniform(0.45, 1.0)
    tall, wide = int(part * height), int(part * width)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    result = cv2.resize(wall[top : top + tall, left : left + wide], (width, height))
    if rng.random() < 0.5:
        result = result[:, ::-1]
    if rng.random() < 0.3:
        result = cv2.GaussianBlur(result, (0, 0), rng.uniform(1, 4))
    return result


def add_print(scene: Scene, picture: np.ndarray, rng: np.random.Generator) -> Scene:
    """Part of another picture printed on the worn top, so that skin and hair there mean nothing."""
    worn = np.isin(scene.labels, _TOPS)
    if worn.mean() < 0.02:
        return scene
    rows, columns = np.nonzero(worn)
    height, width = worn.shape
    tall = int(rng.uniform(0.2, 0.8) * (rows.max() - rows.min() + 1)) + 4
    wide = int(tall * rng.uniform(0.5, 1.4)) + 4
    middle = int(rng.integers(len(rows)))
    top, left = rows[middle] - tall // 2, columns[middle] - wide // 2
    patch = cv2.resize(_part(picture, rng), (wide, tall))
    canvas = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    box = ((int(left), int(top)), (int(left + wide), int(top + tall)))
    if kind == 0:
        cv2.rectangle(canvas, *box, 255, -1)
    elif kind == 1:
        centre = (int(left + wide / 2), int(top + tall / 2))
        cv2.ellipse(canvas, centre, (wide // 2, tall // 2), 0, 0, 360, 255, -1)
    else:
        word = "".join(chr(code) for code in rng.integers(65, 91, 3))
        size = wide / 60
        place = (int(left), int(top + tall / 2))
        cv2.putText(canvas, word, place, cv2.FONT_HERSHEY_DUPLEX, size, 255, max(1, int(3 * size)))
    layer = np.zeros_like(scene.image)
    y0, x0, y1, x1 = max(0, top), max(0, left), min(height, top + tall), min(width, left + wide)
    layer[y0:y1, x0:x1] = patch[y0 - top : y1 - top, x0 - left : x1 - left]
    if rng.random() < 0.3:
        layer[:] = rng.integers(0, 256, 3)
    weight = (canvas * worn).astype(np.float32)[..., None] / 255 * rng.uniform(0.6, 1.0)
    return replace(scene, image=(scene.image * (1 - weight) + layer * weight).astype(np.uint8))


def _part(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = picture.shape[:2]
    tall, wide = rng.integers(24, height), rng.integers(24, width)
    top, left = rng.integers(0, height - tall), rng.integers(0, width - wide)
    return picture[top : top + tall, left : left + wide]


def dye(scene: Scene, rng: np.random.Generator) -> Scene:
    """One worn garment in another colour, or the skin in another tone."""
    image = scene.image.astype(np.float32)
    if rng.random() < 0.5:
        numbers = [number for number in WORN if (scene.labels == number).any()]
        if not numbers:
            return scene
        region = scene.labels == numbers[int(rng.integers(len(numbers)))]
        grey = image.mean(-1, keepdims=True) if rng.random() < 0.5 else image
        changed = grey * rng.uniform(0.2, 1.2, 3) + rng.uniform(-40, 40)
    else:
        region = np.isin(scene.labels, SKIN)
        changed = image * (1 - rng.random() * (1 - np.array(DARKEST_SKIN)))
    weight = cv2.GaussianBlur(region.astype(np.float32), (0, 0), 0.7)[..., None]
    image = image * (1 - weight) + changed * weight
    return replace(scene, image=image.clip(0, 255).astype(np.uint8))


def relight(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other light: brightness, contrast, tint, gamma, a shadow across, less colour. (H,W,3) uint8 → same."""
    table = np.linspace(0, 1, 256)[:, None] ** rng.uniform(0.65, 1.5)
    gain = rng.uniform(0.7, 1.25) * rng.uniform(0.88, 1.12, 3)
    table = (table - 0.5) * rng.uniform(0.7, 1.25) + 0.5
    table = ((table * gain + rng.uniform(-0.08, 0.08)) * 255).clip(0, 255).astype(np.uint8)
    result = np.stack([cv2.LUT(np.ascontiguousarray(image[..., c]), table[:, c]) for c in range(3)], -1)
    if rng.random() < 0.3:
        coarse = rng.uniform(0.45, 1.25, (3, 2)).astype(np.float32)
        shade = cv2.resize(coarse, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        result = (result * shade[..., None]).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        grey = result.mean(-1, keepdims=True)
        share = rng.uniform(0, 1)
        result = (result * share + grey * (1 - share)).astype(np.uint8)
    return result


def wear_out(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same picture small, blurred, grainy or pressed hard; each only sometimes."""
    height, width = image.shape[:2]
    result = image
    if rng.random() < 0.3:
        small = rng.uniform(0.3, 0.8)
        result = cv2.resize(result, (int(small * width), int(small * height)), interpolation=cv2.INTER_AREA)
        kind = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
        result = cv2.resize(result, (width, height), interpolation=kind)
    elif rng.random() < 0.15:
        result = cv2.GaussianBlur(result, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < 0.25:
        grain = rng.normal(0, rng.uniform(2, 14), (height, width, 1))
        result = (result + grain).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 80))]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", result, quality)[1], cv2.IMREAD_COLOR))
    return result


def shaken_joints(keypoints: np.ndarray, rng: np.random.Generator, size: Size) -> np.ndarray:
    """Joints a little off, some missing, at times a whole limb's."""
    spread = 1.5 if rng.random() < 0.8 else 4.0
    result = keypoints.copy()
    present = keypoints[:, :2].any(-1, keepdims=True)
    shaken = keypoints[:, :2] + rng.normal(0, spread, (len(keypoints), 2))
    result[:, :2] = shaken.clip(0.1, (size[1] - 1, size[0] - 1)) * present
    result[rng.random(len(keypoints)) < 0.05] = 0
    if rng.random() < 0.05:
        first = int(rng.choice([2, 5, 8, 11]))
        result[first : first + 3] = 0
    return result
