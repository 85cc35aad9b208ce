"""From scores to a result: tables, slices, causes, published numbers, and the pictures that the report shows.

It writes the small pictures that the report needs, so that the report itself needs neither data nor model.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from ladi.evaluation.causes.attribution import attribute
from ladi.evaluation.causes.diagnosis import mask_measures, read_measures
from ladi.evaluation.causes.properties import properties
from ladi.evaluation.causes.slices import slice_table
from ladi.evaluation.generate import made, picture_path
from ladi.evaluation.pairs import Pair, Pairs
from ladi.evaluation.report.published import beside
from ladi.evaluation.scores.metrics import bootstrap_interval
from ladi.evaluation.scores.score import Folder, Scores, score_rows
from ladi.evaluation.scores.suite import BY_KEY, INTERVALS, load_suite
from ladi.evaluation.variants import BASELINES, WARPED, slug
from ladi.files import written_whole
from ladi.types import LadiError

if TYPE_CHECKING:
    from ladi.evaluation.options import Options

LOGGER = logging.getLogger(__name__)

FULL = "full"
THEIRS = "pictures"
"""The row of pictures that somebody else made."""
SHOWN = 8
"""Best, worst and random pairs each."""
THUMBNAIL_HEIGHT = 256


def summarise(
    options: Options,
    pairs: Pairs,
    protocol: dict[str, Any],
    record: Mapping[str, Any] | None,
    device: torch.device,
) -> dict[str, Any]:
    """Scores all rows and sorts what came out.

    Args:
        options: of the run.
        pairs: of the run.
        protocol: what is known of how the pictures were made and of the data; completed here.
        record: what the stage generate left; none for pictures that somebody else made.
        device: for the metrics' networks.

    Returns:
        What ``table-{order}.json`` holds.
    """
    suite = load_suite(options.order, device, options.metrics)
    size = (protocol["size"][0], protocol["size"][1])
    base = options.out / options.order
    if record is None:
        assert options.pictures is not None
        folders, counts, main = {THEIRS: Folder(options.pictures, size)}, {}, THEIRS
        listed: Sequence[Mapping[str, Any]] = [{"name": THEIRS}]
    else:
        listed, main = record["rows"], FULL
        wanted = [row for row in listed if not row.get("why")]
        folders = {row["name"]: Folder(base / slug(row["name"]), size) for row in wanted}
        parts = [row["name"] for row in wanted if row["name"] not in (*BASELINES, FULL)]
        counts = {name: min(record["few"], len(pairs)) for name in parts}
        _refuse_stale(base, wanted, pairs, counts)
    found = score_rows(folders, pairs, suite, counts)
    for folder in folders.values():
        for own, count in folder.resized.items():
            protocol["pictures"] = (
                f"8 bits; {count} of {own[0]}×{own[1]} brought to {size[0]}×{size[1]} by a bicubic filter"
            )
    protocol |= suite.describe() | {"intervals": INTERVALS}
    result: dict[str, Any] = {
        "protocol": protocol,
        "metrics": [_metric(key) for key in BY_KEY],
        "main": main,
        "rows": [
            _row(found[name], _seconds(base, name, pairs, len(pairs)))
            for name in (*BASELINES, main)
            if name in found
        ],
        "ablation": [],
    }
    if record is not None and any(row["name"] not in (*BASELINES, FULL) for row in listed):
        result["ablation"] = _ablation(listed, found, base, pairs, record["few"], suite, folders)
    seen = _look_at_pairs(options, pairs, found[main])
    if unseen := sum(each["unseen"] for each in seen):
        protocol["masks"] += f"; it found nobody in {unseen} of {len(seen)}, whose masks are the data's"
    result |= {"pairs": seen, "published": beside(options.order, _ours(protocol))}
    values = found[main].values
    result["slices"] = slice_table([each["properties"] for each in seen], values) if values else []
    result["causes"], result["shown"] = _sort_out(options, seen, values)
    _write_shown(options, pairs, folders, result, main)
    return result


def _metric(key: str) -> dict[str, Any]:
    metric = BY_KEY[key]
    return {name: getattr(metric, name) for name in ("key", "label", "per", "better", "factor", "digits")}


def _row(scores: Scores, seconds: float | None, **more: Any) -> dict[str, Any]:
    return {"row": scores.row, "pairs": scores.pairs, "seconds": seconds, "scores": scores.scores, **more}


def _seconds(base: Path, row: str, pairs: Pairs, count: int) -> float | None:
    """What a picture of a row took, as the pictures themselves say."""
    taken = [made(picture_path(base, row, pairs.name(index))).get("seconds") for index in range(count)]
    known = [value for value in taken if value is not None]
    return float(np.mean(known)) if known else None


def _refuse_stale(
    base: Path, rows: Sequence[Mapping[str, Any]], pairs: Pairs, counts: Mapping[str, int]
) -> None:
    """Refuses pictures that a run with other settings left behind."""
    stale = [
        picture_path(base, row["name"], pairs.name(index))
        for row in rows
        for index in range(counts.get(row["name"], len(pairs)))
        if made(picture_path(base, row["name"], pairs.name(index))).get("run", row["run"]) != row["run"]
    ]
    if stale:
        raise LadiError(
            f"{len(stale)} pictures were made with other settings, the first is {stale[0]}: run the stage "
            "generate again"
        )


def _ablation(
    listed: Sequence[Mapping[str, Any]],
    found: Mapping[str, Scores],
    base: Path,
    pairs: Pairs,
    few: int,
    suite: Any,
    folders: Mapping[str, Folder],
) -> list[dict[str, Any]]:
    """The ablation's rows, with baselines and full method over the same pairs."""
    count = min(few, len(pairs))
    same = found
    if count < len(pairs):
        whole = {name: folders[name] for name in (*BASELINES, FULL)}
        same = {**found, **score_rows(whole, pairs.first(count), suite)}
    rows = []
    for row in listed:
        if row.get("why"):
            rows.append({"row": row["name"], "pairs": 0, "seconds": None, "scores": {}, "why": row["why"]})
            continue
        scores = same[row["name"]]
        apart = _differences(scores, same[FULL]) if row["name"] not in (*BASELINES, FULL) else {}
        rows.append(_row(scores, _seconds(base, row["name"], pairs, count), differences=apart))
    return rows


def _differences(scores: Scores, full: Scores) -> dict[str, dict[str, Any]]:
    """Of a row from the full method on the same pairs, per metric: mean and interval; none from one pair."""
    found: dict[str, dict[str, Any]] = {}
    if scores.pairs < 2:
        return found
    for key, values in scores.values.items():
        apart = np.subtract(values, full.values[key])
        found[key] = {"value": float(apart.mean()), "interval": bootstrap_interval(apart)}
    return found


def _look_at_pairs(options: Options, pairs: Pairs, scores: Scores) -> list[dict[str, Any]]:
    """Each pair's scores, properties and measures."""
    seen = []
    for index, pair in enumerate(pairs):
        measured = read_measures(options.out / options.order / "measures" / f"{pair.id}.json")
        if options.order == "unpaired" or options.pictures is not None:
            measured = {}
        measured.pop("digest", None)
        seen.append(
            {
                "id": pair.id,
                "unseen": pair.unseen,
                "scores": {key: values[index] for key, values in scores.values.items()},
                "properties": properties(pair.sample, pair.mask),
                "measures": {**measured, **mask_measures(pair.sample, pair.mask)},
            }
        )
    return seen


def _ours(protocol: Mapping[str, Any]) -> dict[str, str]:
    """Our protocol in the fields that published numbers are compared by."""
    height, width = protocol["size"]
    return {
        "dataset": str(protocol["dataset"]),
        "split": str(protocol["split"]),
        "pairs": str(protocol["pairs"]),
        "size": f"{height}×{width}",
        "ssim": str(protocol["ssim"]),
        "lpips": str(protocol["lpips_alex"]),
        "fid": str(protocol["fid"]),
        "outside the mask": str(protocol["outside the mask"]),
        "masks": str(protocol["masks"]),
    }


def _sort_out(
    options: Options, seen: Sequence[Mapping[str, Any]], values: Mapping[str, Sequence[float]]
) -> tuple[dict[str, Any] | None, dict[str, list[int]]]:
    """Causes of the worst pairs, and which pairs the report shows."""
    spread = np.random.default_rng(0).permutation(len(seen))[:SHOWN]
    shown: dict[str, list[int]] = {"random": sorted(int(index) for index in spread)}
    key = next((key for key in ("masked_error", *values) if key in values), None)
    if key is None:
        return None, shown
    sign = 1 if BY_KEY[key].better == "lower" else -1
    errors = sign * np.asarray(values[key])
    order = [int(index) for index in np.argsort(errors, kind="stable")]
    shown = {"best": order[:SHOWN], "worst": order[::-1][:SHOWN], **shown}
    causes = attribute(
        errors.tolist(), [each["measures"] for each in seen], masks_of_app=options.masks == "app"
    )
    return {**causes, "by": key}, shown


def _write_shown(
    options: Options, pairs: Pairs, folders: Mapping[str, Folder], result: Mapping[str, Any], main: str
) -> None:
    """Small pictures of every pair that the report shows."""
    wanted = {index for indices in result["shown"].values() for index in indices}
    if result["causes"]:
        wanted |= {
            *result["causes"]["bad"],
            *(index for own in result["causes"]["app"].values() for index in own),
        }
    base = options.out / "shown" / options.order
    base.mkdir(parents=True, exist_ok=True)
    for index in sorted(wanted):
        pair = pairs[index]
        shown = {
            "person": pair.truth,
            "garment": pair.sample.garment,
            "mask": masked(pair),
            "result": folders[main].read(pair),
        }
        if WARPED in folders:
            shown["warped"] = folders[WARPED].read(pair)
        found = options.out / options.order / "measures" / f"{pair.id}.jpg"
        if found.is_file() and result["pairs"][index]["measures"].get("parser_overlap") is not None:
            with Image.open(found) as picture:
                shown["found"] = np.asarray(picture.convert("RGB"))
        for name, pixels in shown.items():
            image = Image.fromarray(pixels)
            if image.height > THUMBNAIL_HEIGHT:
                image = image.resize(
                    (round(image.width * THUMBNAIL_HEIGHT / image.height), THUMBNAIL_HEIGHT),
                    Image.Resampling.LANCZOS,
                )
            with written_whole(base / f"{pair.id}-{name}.jpg") as draft:
                image.save(draft, "JPEG", quality=85)


def masked(pair: Pair) -> np.ndarray:
    """The photo with what is repainted in grey: (H,W,3) uint8."""
    return np.where(pair.mask[..., None], np.uint8(128), pair.truth)
