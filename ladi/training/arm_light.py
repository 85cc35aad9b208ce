"""The light on bare arms, measured in a shop's photos; ``python -m ladi.training.arm_light``.

Each bare arm is laid out straight: rows from shoulder to elbow and from there to the wrist, columns from its
inner to its outer edge, as labels show them. Sorted by how much lighter the outer half is than the inner one,
three groups give three tables, their medians: lit from inside, from the front and from outside. How many of
each there are in street photos decided where the groups end.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from ladi.data.shards import ShardDataset
from ladi.files import write_text
from ladi.postprocess.grey import LUMA
from ladi.preprocess.labels import label_table
from ladi.types import JOINT

ROWS, COLUMNS = 20, 10
_LEAST_ARM, _LEAST_PART = 250, 20
"""Pixels that an arm has at least, and that lie between two of its joints."""
_AROUND, _STEP = 16, 0.25
"""How far beside an arm's line it is looked for, in pixels, and how finely."""
_WIDTHS, _LIKE = (4, 24), (0.65, 1.6)
"""Pixels that an arm is wide, and how much a place's width may differ from the arm's middle one."""
_EDGE = 0.6
"""Pixels at each edge that are mixed with what is behind."""
_BEND = 75
"""Degrees by which an elbow is bent at most."""
_SEEN, _SURE = slice(6, 18), 0.8
"""Rows of which so much must be seen: the upper arm may be in a sleeve."""
_RANGE = (-0.6, 0.35)
"""Limits of light's logarithm; beyond are shadows that something else throws, and glare."""
_GROUPS = ((0.0, 0.15), (0.45, 0.7), (0.65, 0.85))
"""Quantiles of the difference between the halves: lit from inside, from the front, from outside."""
_SMOOTH = 0.5
"""Standard deviation in cells over which a table is evened out."""
_HEAD = '''"""The light on bare arms, written by ``ladi/training/arm_light.py``; not to be edited.

Logarithms of it, in hundredths, for arms that are lit from inside, from the front and from outside: rows from
the shoulder to the elbow and from there to the wrist, columns from the inner to the outer edge.
"""

from __future__ import annotations

import numpy as np

'''


def laid_out(picture: np.ndarray, arm: np.ndarray, joints: np.ndarray, outward: float) -> np.ndarray:
    """The light on one arm: (ROWS,COLUMNS), its logarithm about 0; NaN where it is not seen.

    Args:
        picture: (H,W,3) in [0,1].
        arm: (H,W) bool, bare.
        joints: (3,2) shoulder, elbow and wrist, as x, y.
        outward: 1 where it is on the right of the picture, -1 on its left.
    """
    light = picture @ LUMA
    parts = np.diff(joints, axis=0)
    towards = parts / np.hypot(*parts.T)[:, None]
    beside = np.arange(-_AROUND, _AROUND + _STEP / 2, _STEP)
    middle, near = len(beside) // 2, round(2 / _STEP)
    rows = np.full((ROWS, COLUMNS), np.nan)
    widths = np.full(ROWS, np.nan)
    for row in range(ROWS):
        place = (row + 0.5) / ROWS * 2
        part = int(place >= 1)
        point = joints[part] + parts[part] * (place - part)
        turned = np.clip((place - 1) * 2 + 0.5, 0, 1)
        along = (1 - turned) * towards[0] + turned * towards[1]
        across = np.array([along[1], -along[0]]) / np.hypot(*along) * outward
        there = _at(arm.astype(np.float64), point, across, beside) > 0.5
        inside = np.flatnonzero(there[middle - near : middle + near + 1])
        if not inside.size:
            continue
        centre = middle - near + inside[len(inside) // 2]
        gone = np.flatnonzero(~there)
        first = gone[gone < centre].max(initial=-1) + 1
        last = gone[gone > centre].min(initial=len(there)) - 1
        widths[row] = beside[last] - beside[first]
        if _WIDTHS[0] <= widths[row] <= _WIDTHS[1]:
            shares = (np.arange(COLUMNS) + 0.5) / COLUMNS
            places = beside[first] + _EDGE + (widths[row] - 2 * _EDGE) * shares
            rows[row] = np.log(_at(light, point, across, places) + 0.02)
    if np.isnan(rows).all():
        return rows
    usual = float(np.nanmedian(widths))
    rows[~((widths > _LIKE[0] * usual) & (widths < _LIKE[1] * usual))] = np.nan
    return rows - np.nanmedian(rows) if np.isfinite(rows).any() else rows


def arms_of(data: ShardDataset) -> Iterator[np.ndarray]:
    """Every bare arm of a set, laid out; those that are bent far, or hidden in part, are left out."""
    for number in range(len(data)):
        sample = data[number]
        table = label_table(sample.scheme)
        labels, points = sample.labels, sample.keypoints[:, :2]
        for side in ("left", "right"):
            joints = points[[JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]]
            arm = labels == table[f"{side}_arm"]
            parts = np.diff(joints, axis=0)
            lengths = np.hypot(*parts.T)
            if not joints.any(axis=1).all() or arm.sum() < _LEAST_ARM or lengths.min() < _LEAST_PART:
                continue
            if np.degrees(np.arccos(np.clip(parts[0] @ parts[1] / lengths.prod(), -1, 1))) > _BEND:
                continue
            outward = float(np.sign(joints[0, 0] - points[JOINT["neck"], 0])) or 1.0
            found = laid_out(sample.image / 255, arm, joints, outward)
            if np.isfinite(found[_SEEN, 0]).mean() > _SURE:
                yield found


def tables_of(arms: Sequence[np.ndarray]) -> np.ndarray:
    """Three tables (3,ROWS,COLUMNS) of laid-out arms."""
    light = np.clip(np.stack(arms), *_RANGE)
    half = COLUMNS // 2
    outer = np.nanmean(light[:, _SEEN, half:], (1, 2)) - np.nanmean(light[:, _SEEN, :half], (1, 2))
    tables = []
    for low, high in _GROUPS:
        group = light[(outer >= np.quantile(outer, low)) & (outer <= np.quantile(outer, high))]
        seen = np.isfinite(group).any(axis=(0, 2))
        # What sleeves hide, or hands, is as the nearest place that is seen.
        nearest = np.abs(np.arange(ROWS)[:, None] - np.flatnonzero(seen)[None]).argmin(1)
        middle = np.nanmedian(group[:, seen], axis=0)[nearest]
        table = ndimage.gaussian_filter(middle, _SMOOTH)
        tables.append(table - np.median(table[_SEEN]))
    return np.stack(tables)


def table_text(tables: np.ndarray) -> str:
    """What ``arm_light_table.py`` is to say."""
    lines = []
    for table in tables:
        rows = (", ".join(str(value) for value in row) for row in (100 * table).round().astype(int))
        lines += ["            [", *(f"                [{row}]," for row in rows), "            ],"]
    body = "\n".join(lines)
    return f"{_HEAD}TABLES = (\n    np.array(\n        [\n{body}\n        ]\n    )\n    / 100\n)\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the table, and say how many arms it is of."""
    parser = argparse.ArgumentParser(prog="python -m ladi.training.arm_light", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train-NN.tar")
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, required=True, help="the file that the table goes to")
    options = parser.parse_args(arguments)
    arms = list(arms_of(ShardDataset(options.data, options.split)))
    write_text(options.out, table_text(tables_of(arms)))
    print(json.dumps({"arms": len(arms)}))
    return 0


def _at(picture: np.ndarray, point: np.ndarray, across: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values of (H,W) on a line: from a point (x,y), so far along a direction."""
    spots = point[:, None] + across[:, None] * places
    return np.asarray(ndimage.map_coordinates(picture, spots[::-1], order=1))


if __name__ == "__main__":
    raise SystemExit(main())
