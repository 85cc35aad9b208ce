"""Parts of the report that show pairs: cards of pictures, results by slice, failures by cause."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ladi.evaluation.causes.attribution import MEASURES
from ladi.evaluation.report import charts
from ladi.evaluation.report.tables import number

PICTURES = {
    "person": "photo",
    "garment": "garment",
    "mask": "what is repainted",
    "warped": "warped garment",
    "result": "result",
}
"""The pictures of one pair, in order, and what they show."""
FOUND = {"person": "photo", "found": "garment and joints by the data (green) and by the app (orange)"}
CAUSES = ("warp", "mask", "parsing", "pose")
PLOTTED = ("warp_overlap", "mask_swallows")


def _picture(path: Path, words: str) -> dict[str, str] | None:
    """A small picture as it stands in the page."""
    if not path.is_file():
        return None
    data = base64.b64encode(path.read_bytes()).decode()
    return {"src": f"data:image/jpeg;base64,{data}", "alt": words}


def pair_card(
    result: Mapping[str, Any],
    index: int,
    shown: Path,
    metrics: Mapping[str, Mapping[str, Any]],
    captions: Mapping[str, str] = PICTURES,
) -> dict[str, Any]:
    """The pictures of a pair with its numbers."""
    pair = result["pairs"][index]
    pictures = [
        {**found, "caption": words}
        for name, words in captions.items()
        if (found := _picture(shown / f"{pair['id']}-{name}.jpg", f"{words}, pair {pair['id']}"))
    ]
    numbers = [
        f"{metrics[key]['label']} {value:.3f}"
        for key, value in pair["scores"].items()
        if key in ("ssim", "masked_error", "lpips_alex")
    ]
    words = [f"{pair['properties']['pose']}", f"sleeves {pair['properties']['sleeves']}"]
    words.append(f"{pair['properties']['pattern']}")
    return {"id": pair["id"], "pictures": pictures, "numbers": numbers, "words": words, "suspects": []}


def slices_section(
    result: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], by: str | None
) -> list[dict[str, Any]]:
    """Slices by property, each with its number of pairs and the drawn metric."""
    if by is None:
        return []
    keys = [key for key in (by, "ssim") if any(key in line["scores"] for line in result["slices"])]
    drawn = [
        (score["value"], *score["interval"])
        for line in result["slices"]
        if (score := line["scores"][by])["interval"] and not line["few"]
    ]
    scale = charts.scale_of(drawn)
    groups: dict[str, dict[str, Any]] = {}
    for line in result["slices"]:
        group = groups.setdefault(line["property"], {"label": line["label"], "lines": []})
        score = line["scores"][by]
        picture = None
        if scale is not None and score["interval"] and not line["few"]:
            ends = (score["value"], *score["interval"])
            worse = _from_others(score, metrics[by]) == "worse"
            picture = charts.interval(ends, scale, strong=worse)
        group["lines"].append(
            {
                "slice": line["slice"],
                "n": line["n"],
                "few": line["few"],
                "cells": [cell(line["scores"][key], metrics[key]) for key in keys],
                "verdicts": [_from_others(line["scores"][key], metrics[key]) for key in keys],
                "picture": picture,
            }
        )
    heads = [metrics[key]["label"] for key in keys]
    return [{"groups": list(groups.values()), "heads": heads, "scale": scale}]


def _from_others(score: Mapping[str, Any], metric: Mapping[str, Any]) -> str:
    """Whether a slice is beyond the noise of the pairs outside it."""
    if score["from_others"] is None:
        return ""
    low, high = score["from_others"]
    if low <= 0 <= high:
        return ""
    return "worse" if (low > 0) == (metric["better"] == "lower") else "better"


def causes_section(
    result: Mapping[str, Any], shown: Path, metrics: Mapping[str, Mapping[str, Any]], by: str | None
) -> dict[str, Any] | None:
    """The measures, and the worst pairs sorted by what is suspicious about them."""
    causes = result["causes"]
    if causes is None or by is None:
        return None
    named = {entry.key: entry for entry in MEASURES}
    groups: dict[str, list[dict[str, Any]]] = {}
    for index in causes["bad"]:
        suspects = causes["suspects"][str(index)]
        measures = result["pairs"][index]["measures"]
        card = pair_card(result, index, shown, metrics)
        card["suspects"] = [f"{named[key].label} {measures[key]:.2f}" for key in suspects]
        for cause in dict.fromkeys(named[key].cause for key in suspects):
            groups.setdefault(cause, []).append(card)
        if not suspects:
            groups.setdefault("no suspect, so the painting itself", []).append(card)
    plots = []
    for key in PLOTTED:
        found = [
            (float(pair["measures"][key]), float(pair["scores"][by]))
            for pair in result["pairs"]
            if pair["measures"].get(key) is not None
        ]
        if len(found) > 3:
            line = next(line for line in causes["table"] if line["key"] == key)
            words = (
                f"{named[key].label} against {metrics[by]['label']} of {len(found)} pairs, rank correlation "
            )
            words += "none" if line["correlation"] is None else f"{line['correlation']:.2f}"
            plots.append(
                {
                    "picture": charts.points(
                        found, (named[key].label, metrics[by]["label"]), words, named[key].limit
                    ),
                    "words": words,
                }
            )
    app = []
    for key, indices in causes["app"].items():
        cards = [pair_card(result, index, shown, metrics, FOUND) for index in indices]
        for card, index in zip(cards, indices, strict=True):
            card["suspects"] = [f"{named[key].label} {result['pairs'][index]['measures'][key]:.2f}"]
        if cards:
            app.append({"cause": named[key].cause, "label": named[key].label, "cards": cards})
    order = [*CAUSES, *(name for name in groups if name not in CAUSES)]
    return {
        **causes,
        "app": app,
        "plots": plots,
        "by_label": metrics[by]["label"],
        "groups": [{"cause": name, "cards": groups[name]} for name in order if name in groups],
        "absent": [name for name in CAUSES if name not in groups],
    }


def cell(score: Mapping[str, Any] | None, metric: Mapping[str, Any]) -> tuple[str, str]:
    """A number and its interval."""
    value, _, between = number(score, metric).partition(" (")
    return (value, between.rstrip(")")) if between else (number(score, metric), "")
