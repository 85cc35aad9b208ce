"""The report: one HTML page that needs nothing but itself.

It reads what ``summary.py`` left in the output folder (tables as JSON, small pictures) and fills
``report.html.j2``. Styles, charts and pictures stand inside the page; it requests nothing from anywhere.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ladi.data.sample import Order
from ladi.evaluation import charts
from ladi.evaluation.causes import BAD_SHARE, LEAST_BAD, MEASURES
from ladi.evaluation.slices import FEW, PROPERTIES
from ladi.evaluation.tables import number, reasons
from ladi.types import LadiError

TEMPLATE = "report.html.j2"
PICTURES = {
    "person": "photo",
    "garment": "garment",
    "mask": "what is repainted",
    "warped": "warped garment",
    "result": "result",
}
FOUND = {"person": "photo", "found": "garment and joints by the data (green) and by the app (orange)"}
"""The pictures of one pair, in order, and what they show."""
CAUSES = ("warp", "mask", "parsing", "pose")
HARDLY = 0.001
"""Differences below this, of [0,1], are called so even where they are no chance."""
PLOTTED = ("warp_overlap", "mask_swallows")


def write_report(out: Path) -> Path:
    """Writes ``report.html`` from whatever has been scored in a folder.

    Raises:
        LadiError: nothing has been scored there.
    """
    results = [
        json.loads(path.read_text(encoding="utf-8"))
        for order in get_args(Order)
        if (path := out / f"table-{order}.json").is_file()
    ]
    if not results:
        raise LadiError(f"nothing has been scored in {out}: run the stage score first")
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(TEMPLATE).render(
        parts=[_part(result, out) for result in results],
        model=results[0]["protocol"]["model"],
        properties=[{"label": entry.label, "how": entry.how} for entry in PROPERTIES],
        few=FEW,
        worst_share=f"{BAD_SHARE:.0%}",
        least_bad=LEAST_BAD,
    )
    target = out / "report.html"
    partial = out / ".report.html.part"
    partial.write_text(page, encoding="utf-8")
    os.replace(partial, target)
    return target


def _part(result: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """One order's share of the page."""
    protocol, metrics = result["protocol"], {metric["key"]: metric for metric in result["metrics"]}
    order = protocol["order"]
    shown = out / "shown" / order
    by = result["causes"]["by"] if result["causes"] else None
    return {
        "order": order,
        "protocol": protocol,
        "summary": _summary(result),
        "scores": table(result["rows"], result["metrics"], by=by, strong=result["main"]),
        "ablation": _ablation(result, by) if result["ablation"] else None,
        "differences": differences(result, metrics),
        "steps": _steps_chart(result, metrics, by),
        "histogram": charts.histogram([pair["scores"][by] for pair in result["pairs"]], metrics[by]["label"])
        if by
        else None,
        "grids": [
            {"name": name, "cards": [_card(result, index, shown, metrics) for index in indices]}
            for name, indices in result["shown"].items()
        ],
        "slices": _slices(result, metrics, by),
        "causes": _causes(result, shown, metrics, by),
        "published": result["published"],
        "extra": [_extra(extra, out) for extra in result.get("extra", [])],
    }


def _ablation(result: Mapping[str, Any], by: str | None) -> dict[str, Any]:
    """The ablation's table, without the reasons that stand below the scores already."""
    found = table(result["ablation"], result["metrics"], by=by, strong="full")
    _, said = reasons(result["rows"], result["metrics"])
    return {**found, "sentences": [sentence for sentence in found["sentences"] if sentence not in said]}


def _summary(result: Mapping[str, Any]) -> list[str]:
    """The main row in sentences."""
    row = next(row for row in result["rows"] if row["row"] == result["main"])
    found = [
        f"{metric['label']} {number(row['scores'][metric['key']], metric)}"
        for metric in result["metrics"]
        if row["scores"][metric["key"]]["value"] is not None
    ]
    missing = [
        metric["label"] for metric in result["metrics"] if row["scores"][metric["key"]]["value"] is None
    ]
    sentences = [f"{row['pairs']} pairs: " + ("; ".join(found) or "no metric could be computed") + "."]
    if missing:
        sentences.append(f"Not computed: {', '.join(missing)}; the reasons stand below the table.")
    return sentences


def table(
    rows: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]], *, by: str | None, strong: str
) -> dict[str, Any]:
    """Rows with their numbers, and a drawn interval of one metric.

    Args:
        rows: of a result.
        metrics: of a result.
        by: the metric that is drawn; none is drawn if none.
        strong: the row that stands out.
    """
    columns, sentences = reasons(rows, metrics)
    drawn = {
        row["row"]: (score["value"], *score["interval"])
        for row in rows
        if (score := row["scores"].get(by or "", {"value": None}))["value"] is not None
        and score.get("interval")
    }
    scale = charts.scale_of(list(drawn.values()))
    lines = []
    for row in rows:
        picture = None
        if scale is not None and row["row"] in drawn:
            picture = charts.interval(*drawn[row["row"]], scale, strong=row["row"] == strong)
        cells = [_cell(row["scores"].get(metric["key"]), metric) for metric in columns]
        lines.append(
            {
                "name": row["row"],
                "cells": cells,
                "picture": picture,
                "seconds": row["seconds"],
                "strong": row["row"] == strong,
            }
        )
    return {
        "heads": [f"{metric['label']} {'↑' if metric['better'] == 'higher' else '↓'}" for metric in columns],
        "lines": lines,
        "sentences": sentences,
        "scale": scale,
        "drawn": next((metric["label"] for metric in columns if metric["key"] == by), None),
        "pairs": max(row["pairs"] for row in rows),
        "slowest": max((row["seconds"] or 0 for row in rows), default=0),
    }


def _cell(score: Mapping[str, Any] | None, metric: Mapping[str, Any]) -> tuple[str, str]:
    """A number and its interval."""
    value, _, between = number(score, metric).partition(" (")
    return (value, between.rstrip(")")) if between else (number(score, metric), "")


def differences(result: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """What each row of the ablation changes on the same pairs, drawn, and whether it is beyond the noise."""
    rows = [row for row in result["ablation"] if row.get("differences")]
    keys = [key for key in ("masked_error", "ssim") if rows and key in rows[0]["differences"]]
    if not keys:
        return None
    lines = [{"name": row["row"], "cells": []} for row in rows]
    for key in keys:
        found = [row["differences"][key] for row in rows]
        # A root's axis: one part matters fifty times as much as another, and both are to be seen.
        places = [
            tuple(charts.signed_root(number) for number in (each["value"], *each["interval"]))
            for each in found
        ]
        scale = charts.scale_of([*places, (0.0, 0.0, 0.0)])  # type: ignore[list-item]
        assert scale is not None
        for line, each, place in zip(lines, found, places, strict=True):
            low, high = each["interval"]
            worse = (each["value"] > 0) == (metrics[key]["better"] == "lower")
            clear = low > 0 or high < 0
            hardly = "hardly " if abs(each["value"]) < HARDLY else ""
            line["cells"].append(
                {
                    "value": f"{each['value']:+.4f}",
                    "between": f"{low:+.4f} to {high:+.4f}",
                    "picture": charts.interval(*place, scale, strong=clear),
                    "verdict": hardly + ("worse" if worse else "better") if clear else "within the noise",
                    "zero": f"{scale.place(0):.1f}",
                }
            )
    return {"heads": [metrics[key]["label"] for key in keys], "lines": lines}


def _steps_chart(
    result: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], by: str | None
) -> Markup | None:
    """The drawn metric over the seconds that a picture takes, for the full method at all numbers of steps."""
    rows = [
        row
        for row in result["ablation"]
        if (row["row"] == "full" or row["row"].endswith(" steps")) and by in row["scores"] and row["seconds"]
    ]
    if by is None or len(rows) < 3:
        return None
    rows = sorted(rows, key=lambda row: row["seconds"])
    found = [(row["seconds"], row["scores"][by]["value"], *row["scores"][by]["interval"]) for row in rows]
    words = "; ".join(
        f"{row['row']}: {row['seconds']:.2f} s, {row['scores'][by]['value']:.3f}" for row in rows
    )
    return charts.line(found, ("seconds per picture", metrics[by]["label"]), words)


def _picture(path: Path, words: str) -> dict[str, str] | None:
    """A small picture as it stands in the page."""
    if not path.is_file():
        return None
    data = base64.b64encode(path.read_bytes()).decode()
    return {"src": f"data:image/jpeg;base64,{data}", "alt": words}


def _card(
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


def _slices(
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
        drawable = scale is not None and score["interval"] and not line["few"]
        group["lines"].append(
            {
                "slice": line["slice"],
                "n": line["n"],
                "few": line["few"],
                "cells": [_cell(line["scores"][key], metrics[key]) for key in keys],
                "verdicts": [_from_others(line["scores"][key], metrics[key]) for key in keys],
                "picture": charts.interval(
                    score["value"],
                    *score["interval"],
                    scale,
                    strong=_from_others(score, metrics[by]) == "worse",
                )
                if drawable
                else None,
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


def _causes(
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
        card = _card(result, index, shown, metrics)
        card["suspects"] = [f"{named[key].label} {measures[key]:.2f}" for key in suspects]
        for cause in dict.fromkeys(named[key].cause for key in suspects):
            groups.setdefault(cause, []).append(card)
        if not suspects:
            groups.setdefault("none of these: the painting itself", []).append(card)
    plots = []
    for key in PLOTTED:
        found = [
            (pair["measures"][key], pair["scores"][by])
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
        found = [_card(result, index, shown, metrics, FOUND) for index in indices]
        for card, index in zip(found, indices, strict=True):
            card["suspects"] = [f"{named[key].label} {result['pairs'][index]['measures'][key]:.2f}"]
        if found:
            app.append({"cause": named[key].cause, "label": named[key].label, "cards": found})
    order = [*CAUSES, *(name for name in groups if name not in CAUSES)]
    return {
        **causes,
        "app": app,
        "plots": plots,
        "by_label": metrics[by]["label"],
        "groups": [{"cause": name, "cards": groups[name]} for name in order if name in groups],
        "absent": [name for name in CAUSES if name not in groups],
    }


def _extra(extra: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Another dataset's table and pictures."""
    if "why" in extra:
        return {"name": extra["name"], "why": extra["why"]}
    protocol, metrics = extra["protocol"], {metric["key"]: metric for metric in extra["metrics"]}
    shown = out / "extra" / extra["name"] / "shown" / protocol["order"]
    by = extra["causes"]["by"] if extra["causes"] else None
    return {
        "name": extra["name"],
        "why": None,
        "protocol": protocol,
        "scores": table(extra["rows"], extra["metrics"], by=by, strong=extra["main"]),
        "cards": [_card(extra, index, shown, metrics) for index in extra["shown"]["random"]],
    }
