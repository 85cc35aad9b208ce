"""Which limb a pixel of skin, or a shoe, belongs to, by the joints alone.

It measures how far each pixel lies from the lines between the joints. It knows nothing of pictures.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from ladi.preprocess.boxes import box_of
from ladi.preprocess.labels import LIP
from ladi.types import JOINT, Size

_CHIN = 0.405
"""Where the chin lies on the way from the nose to the middle of the shoulders: VITON's median over 600."""
_HAND = 0.45
"""A hand reaches beyond the wrist by this share of the forearm."""
_FOOT = 0.25
"""A foot reaches below the ankle by this share of the lower leg."""
# Half widths as shares of the distance between the shoulders.
_ARM_WIDTH, _HAND_WIDTH, _TORSO_WIDTH, _LEG_WIDTH, _NECK_WIDTH = 0.12, 0.25, 0.3, 0.2, 0.25
_TRUNK_RIM = 0.05
_ONE_LIMB = 0.6
"""A patch of skin of which this share lies nearest to one limb is that limb's as a whole."""
_TORSOS_PER_BODY = 0.3


HAND_SEEN = 0.007
"""Of the square of the distance between the shoulders, what must be seen of a hand: a wrist above a pocket,
or a sleeve's edge, is none."""


class Limbs:
    """One person's bones.

    Args:
        keypoints: (18,3) or (18,2), in pixels; (0,0) is an absent joint.
        person: (H,W) bool, where the person is; stands in for joints that are missing.
    """

    def __init__(self, keypoints: np.ndarray, person: np.ndarray) -> None:
        points = np.asarray(keypoints, np.float64)[:, :2]
        self._points = {name: points[index] for name, index in JOINT.items() if points[index].any()}
        box, columns = box_of(person), np.flatnonzero(person.any(0))
        self._top, self._bottom = (0.0, 1.0) if box is None else (float(box.top), float(box.bottom))
        self._middle = float(columns.mean()) if columns.size else person.shape[1] / 2
        tall = self._bottom - self._top
        shoulders, hips = self._centre("shoulder"), self._centre("hip")
        self.neck = shoulders if shoulders is not None else np.array([self._middle, self._top + 0.18 * tall])
        self.torso = float(hips[1] - self.neck[1]) if hips is not None else _TORSOS_PER_BODY * tall
        self.torso = max(self.torso, 1.0)
        self.hips = hips if hips is not None else self.neck + (0.0, self.torso)
        # Seen from the side the shoulders coincide: no narrower than a slim person's.
        self.width = max(self._shoulder_width(), 0.45 * self.torso)

    @property
    def hip_row(self) -> float:
        """Height of the hips."""
        return float(self.hips[1])

    @property
    def knows_both_arms(self) -> bool:
        """Whether every joint of both arms was found."""
        return all(len(self._arm(side)) == 4 for side in ("left", "right"))

    def shoulder_line(self, width: int) -> np.ndarray:
        """Height of the line through the shoulders at each column: (W,)."""
        left, right = (self._points.get(f"{side}_shoulder", self.neck) for side in ("left", "right"))
        across = left[0] - right[0]
        # Seen from the side two joints in one column give no line.
        slope = (left[1] - right[1]) / across if abs(across) > 0.2 * self.torso else 0.0
        return self.neck[1] + slope * (np.arange(width) - self.neck[0])

    def trunk(self, size: Size) -> np.ndarray:
        """(H,W) bool: the body from the shoulders to the hips; nowhere without its joints.

        Joints lie inside the body, so a rim is added.
        """
        corners = ["left_shoulder", "right_shoulder", "right_hip", "left_hip"]
        canvas = Image.new("L", (size[1], size[0]))
        if all(name in self._points for name in corners):
            points = [tuple(self._points[name]) for name in corners]
            rim = max(1, round(2 * _TRUNK_RIM * self.torso))
            ImageDraw.Draw(canvas).polygon(points, fill=255, outline=255, width=rim)
        return np.asarray(canvas) > 0

    def near_arms(self, region: np.ndarray, reach: float) -> np.ndarray:
        """Pixels of a region not further than ``reach`` from the line of an arm: (H,W) bool → same."""
        return _near(region, [self._arm(side) for side in ("left", "right")], reach)

    def near_arm(self, side: str, region: np.ndarray, reach: float) -> np.ndarray:
        """The same for one arm from shoulder to wrist; nowhere unless all its joints were found."""
        names = [f"{side}_{name}" for name in ("shoulder", "elbow", "wrist")]
        chain = [self._points[name] for name in names if name in self._points]
        return _near(region, [chain] if len(chain) == len(names) else [], reach)

    def along_arm(self, side: str, region: np.ndarray) -> np.ndarray:
        """How far along an arm whose joints were all found each pixel lies: (H,W) in [0,1], 0 = shoulder.

        Args:
            side: ``left`` or ``right``.
            region: (H,W) bool, where it is told; 0 elsewhere.
        """
        chain = [self._points[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]
        result = np.zeros(region.shape, np.float32)
        pixels = np.argwhere(region)[:, ::-1].astype(np.float64)
        lengths = [
            max(float(np.hypot(*(end - start))), 1e-9) for start, end in zip(chain, chain[1:], strict=False)
        ]
        nearest, share = np.full(len(pixels), np.inf), np.zeros(len(pixels))
        for part, (start, end) in enumerate(zip(chain, chain[1:], strict=False)):
            step = (end - start) / lengths[part] ** 2
            here = np.clip((pixels - start) @ step, 0, 1)
            away = np.hypot(*(pixels - start - here[:, None] * (end - start)).T)
            share = np.where(away < nearest, (part * lengths[0] + here * lengths[part]) / sum(lengths), share)
            nearest = np.minimum(nearest, away)
        result[region] = share
        return result

    def near_leg(self, side: str, region: np.ndarray, reach: float) -> np.ndarray:
        """Pixels of a region within ``reach`` of the line of a leg whose hip was found: (H,W) bool → same."""
        return _near(region, [self.leg(side, len(region))], reach)

    def leg(self, side: str, height: int) -> list[np.ndarray]:
        """The points (x,y) of a leg's line; one whose knee was not found goes straight down to a row."""
        chain = self._leg(side)
        return [chain[0], np.array([chain[0][0], float(height)])] if len(chain) == 1 else chain

    def _centre(self, name: str) -> np.ndarray | None:
        found = [self._points[side] for side in (f"left_{name}", f"right_{name}") if side in self._points]
        return np.mean(found, axis=0) if found else None

    def _shoulder_width(self) -> float:
        if "left_shoulder" in self._points and "right_shoulder" in self._points:
            return float(np.hypot(*(self._points["left_shoulder"] - self._points["right_shoulder"])))
        return 0.0

    def _chain(self, *names: str, beyond: float) -> list[np.ndarray]:
        """The joints of a limb that are there, and its end beyond the last of them."""
        chain = [self._points[name] for name in names if name in self._points]
        if len(chain) > 1 and names[-1] in self._points:
            chain.append(chain[-1] + beyond * (chain[-1] - chain[-2]))
        return chain

    def _arm(self, side: str) -> list[np.ndarray]:
        return self._chain(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist", beyond=_HAND)

    def _hand(self, side: str) -> list[np.ndarray]:
        return self._arm(side)[-2:] if f"{side}_wrist" in self._points else []

    def _leg(self, side: str) -> list[np.ndarray]:
        return self._chain(f"{side}_hip", f"{side}_knee", f"{side}_ankle", beyond=_FOOT)

    def name_skin(self, skin: np.ndarray) -> np.ndarray:
        """Labels of bare skin: (H,W) bool → (H,W) uint8 of face, neck, arms and legs, 0 elsewhere.

        What is bare of the trunk is neck, as in the shards' labels.
        """
        nose = self._points.get("nose", self.neck - (0.0, 0.3 * self.torso))
        # Limbs before the trunk: a forearm in front of it is a forearm.
        bones = [
            (LIP["left_arm"], self._arm("left"), _ARM_WIDTH),
            (LIP["right_arm"], self._arm("right"), _ARM_WIDTH),
            (LIP["left_arm"], self._hand("left"), _HAND_WIDTH),
            (LIP["right_arm"], self._hand("right"), _HAND_WIDTH),
            (LIP["left_leg"], self._leg("left"), _LEG_WIDTH),
            (LIP["right_leg"], self._leg("right"), _LEG_WIDTH),
            (LIP["neck"], [nose, self.neck], _NECK_WIDTH),
            (LIP["neck"], [self.neck, self.hips], _TORSO_WIDTH),
        ]
        labels = self._nearest(skin, bones)
        labels = _one_limb_each(labels, keep=(LIP["neck"],))
        axis = self.neck - nose
        y, x = np.mgrid[: skin.shape[0], : skin.shape[1]]
        along = ((x - nose[0]) * axis[0] + (y - nose[1]) * axis[1]) / max(float(axis @ axis), 1.0)
        labels[(labels == LIP["neck"]) & (along < _CHIN)] = LIP["face"]
        return labels

    def name_legs(self, region: np.ndarray) -> np.ndarray:
        """The same for what can only be legs, such as stockings."""
        return self._nearest(region, self._sides("leg"))

    def name_shoes(self, region: np.ndarray) -> np.ndarray:
        """The same for shoes."""
        return _one_limb_each(self._nearest(region, self._sides("shoe")))

    def _sides(self, what: str) -> list[tuple[int, list[np.ndarray], float]]:
        return [(LIP[f"{side}_{what}"], self._leg(side), _LEG_WIDTH) for side in ("left", "right")]

    def _nearest(self, region: np.ndarray, bones: list[tuple[int, list[np.ndarray], float]]) -> np.ndarray:
        """Each pixel's bone, the first of equally near ones; a limb without joints is its half's own."""
        labels = np.zeros(region.shape, np.uint8)
        pixels = np.argwhere(region)[:, ::-1].astype(np.float64)  # [N,2] as (x,y)
        usable = [bone for bone in bones if bone[1]]
        if not len(pixels):
            return labels
        if not usable:
            # The person's left is on the picture's right.
            right = pixels[:, 0] < self._middle
            labels[region] = np.where(right, bones[-1][0], bones[0][0])
            return labels
        distances = [
            np.maximum(_distance(pixels, chain) - width * self.width, 0) for _, chain, width in usable
        ]
        numbers = np.array([number for number, _, _ in usable], np.uint8)
        labels[region] = numbers[np.argmin(distances, axis=0)]
        return labels


def _near(region: np.ndarray, chains: list[list[np.ndarray]], reach: float) -> np.ndarray:
    """(H,W) bool: what of a region is not further than ``reach`` from one of several lines."""
    result = np.zeros_like(region)
    pixels = np.argwhere(region)[:, ::-1].astype(np.float64)
    near = np.zeros(len(pixels), bool)
    for chain in chains:
        if chain and len(pixels):
            near |= _distance(pixels, chain) <= reach
    result[region] = near
    return result


def _distance(pixels: np.ndarray, chain: list[np.ndarray]) -> np.ndarray:
    """Distance of pixels (N,2) from a line through points: (N,)."""
    if len(chain) == 1:
        return np.hypot(*(pixels - chain[0]).T)
    nearest = np.full(len(pixels), np.inf)
    for start, end in zip(chain[:-1], chain[1:], strict=True):
        step = end - start
        share = np.clip((pixels - start) @ step / max(float(step @ step), 1e-9), 0, 1)
        nearest = np.minimum(nearest, np.hypot(*(pixels - start - share[:, None] * step).T))
    return nearest


def _one_limb_each(labels: np.ndarray, keep: tuple[int, ...] = ()) -> np.ndarray:
    """Patches that lie mostly along one limb are given to it whole, unless a label to keep is in them."""
    patches, count = ndimage.label(labels > 0)
    result = labels.copy()
    for index, place in enumerate(ndimage.find_objects(patches), 1):
        inside = patches[place] == index
        numbers = np.bincount(labels[place][inside])
        if numbers.max() >= _ONE_LIMB * inside.sum() and not any(
            number < len(numbers) and numbers[number] for number in keep
        ):
            result[place][inside] = numbers.argmax()
    return result
