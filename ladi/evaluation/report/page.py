"""The report: one HTML page that needs nothing but itself.

It reads what ``summary.py`` left in the output folder (tables as JSON, small pictures) and fills
``report.html.j2``. Styles, charts and pictures stand inside the page; it requests nothing from anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ladi.data.sample import Order
from ladi.evaluation.causes.attribution import BAD_SHARE, LEAST_BAD
from ladi.evaluation.causes.properties import PROPERTIES
from ladi.evaluation.causes.slices import FEW
from ladi.evaluation.report import charts
from ladi.evaluation.report.sections import causes_section, cell, pair_card, slices_section
from ladi.evaluation.report.tables import number, reasons
from ladi.files import write_text
from ladi.types import LadiError

TEMPLATE = "report.html.j2"
HARDLY = 0.001
"""Differences below this, of [0,1], are called so even where they are no chance."""


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
    write_text(target, page)
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
        "ablation": _less_said(table(result["ablation"], result["metrics"], by=by, strong="full"), result)
        if result["ablation"]
        else None,
        "differences": differences(result, metrics),
        "steps": _steps_chart(result, metrics, by),
        "histogram": charts.histogram([pair["scores"][by] for pair in result["pairs"]], metrics[by]["label"])
        if by
        else None,
        "grids": [
            {"name": name, "cards": [pair_card(result, index, shown, metrics) for index in indices]}
            for name, indices in result["shown"].items()
        ],
        "slices": slices_section(result, metrics, by),
        "causes": causes_section(result, shown, metrics, by),
        "published": result["published"],
        "extra": [_extra(extra, result, out) for extra in result.get("extra", [])],
    }


def _less_said(found: dict[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    """A table without the reasons that stand below the scores already."""
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
            picture = charts.interval(drawn[row["row"]], scale, strong=row["row"] == strong)
        cells = [cell(row["scores"].get(metric["key"]), metric) for metric in columns]
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
        places = [_rooted(each) for each in found]
        scale = charts.scale_of([*places, (0.0, 0.0, 0.0)])
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
                    "picture": charts.interval(place, scale, strong=clear),
                    "verdict": hardly + ("worse" if worse else "better") if clear else "within the noise",
                    "zero": f"{scale.place(0):.1f}",
                }
            )
    return {"heads": [metrics[key]["label"] for key in keys], "lines": lines}


def _rooted(score: Mapping[str, Any]) -> tuple[float, float, float]:
    low, high = score["interval"]
    return charts.signed_root(score["value"]), charts.signed_root(low), charts.signed_root(high)


def _steps_chart(
    result: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]], by: str | None
) -> Markup | None:
    """The drawn metric over the seconds that a picture takes, for the full method at all numbers of steps."""
    rows = [
        row
        for row in result["ablation"]
        if (row["row"] == "full" or row["row"].endswith(" steps"))
        and row["scores"].get(by, {}).get("interval")
        and row["seconds"]
    ]
    if by is None or len(rows) < 3:
        return None
    rows = sorted(rows, key=lambda row: row["seconds"])
    found = [(row["seconds"], row["scores"][by]["value"], *row["scores"][by]["interval"]) for row in rows]
    words = "; ".join(
        f"{row['row']}: {row['seconds']:.2f} s, {row['scores'][by]['value']:.3f}" for row in rows
    )
    return charts.line(found, ("seconds per picture", metrics[by]["label"]), words)


def _extra(extra: Mapping[str, Any], result: Mapping[str, Any], out: Path) -> dict[str, Any]:
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
        "scores": _less_said(table(extra["rows"], extra["metrics"], by=by, strong=extra["main"]), result),
        "cards": [pair_card(extra, index, shown, metrics) for index in extra["shown"]["random"]],
    }
