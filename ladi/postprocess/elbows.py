"""An elbow that was not found, told by the sleeve that the photo shows.

Elbows leave pictures, or lie behind a bag. Where shoulder and wrist are known, the arm between them is bent
as far as what is worn, or the arm itself, reaches beside the line from one to the other. Without an elbow an
arm would be left as it was painted: with a gap between a short sleeve and the photo's own hand.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ladi.preprocess.labels import UPPER_CLOTHING, named
from ladi.types import JOINT, PersonParts

_ALONG = (0.15, 0.85)
"""Shares of the way from shoulder to wrist between which an elbow is."""
_FARTHEST = 1.2
"""How far beside it, of the distance between the shoulders, an elbow can be."""
_WITHIN = 0.11
"""Likewise, how far within what is worn an arm's middle lies."""
_ARMS = ("left_arm", "right_arm")


def with_elbows(person: PersonParts) -> PersonParts:
    """The same person, with the elbows that can be told; itself where none is missing."""
    joints = person.keypoints.copy()
    for side in ("left", "right"):
        found = _elbow(person, side)
        if found is not None:
            joints[JOINT[f"{side}_elbow"]] = (*found, 1)
    return person if np.array_equal(joints, person.keypoints) else replace(person, keypoints=joints)


def _elbow(person: PersonParts, side: str) -> np.ndarray | None:
    """Where one is, (2,) as (x,y) in pixels of the labels; None where it was found, or cannot be told."""
    names = (f"{side}_shoulder", f"{side}_wrist", "neck", "left_shoulder", "right_shoulder")
    shoulder, wrist, neck, left, right = (person.keypoints[JOINT[name], :2] for name in names)
    known = all(point.any() for point in (shoulder, wrist, neck, left, right))
    if not known or person.keypoints[JOINT[f"{side}_elbow"], :2].any():
        return None
    width, way = float(np.hypot(*(left - right))), wrist - shoulder
    length = float(np.hypot(*way))
    rows, columns = np.nonzero(named(person.labels, person.scheme, (*UPPER_CLOTHING, *_ARMS)))
    if not rows.size or min(length, width) < 1:
        return None
    beside = np.array([way[1], -way[0]]) / length
    beside *= np.sign(beside[0] * (shoulder[0] - neck[0])) or 1
    away = np.stack([columns - shoulder[0], rows - shoulder[1]], axis=1)
    along, reach = away @ way / length**2, away @ beside
    there = (along > _ALONG[0]) & (along < _ALONG[1]) & (np.abs(reach) < _FARTHEST * width)
    if not there.any():
        return None
    farthest = int(np.where(there, reach, -np.inf).argmax())
    place = shoulder + away[farthest] - _WITHIN * width * beside
    return np.asarray(place if reach[farthest] > _WITHIN * width else shoulder + way / 2)
