"""A result as JSON, as Markdown and on a terminal: the same numbers with the same protocol everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ladi.files import write_text

NOT_COMPUTED = "not computed"


def write_tables(result: Mapping[str, Any], out: Path) -> None:
    """Writes ``table-{order}.json`` and ``table-{order}.md``; each appears whole or not at all."""
    order = result["protocol"]["order"]
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (f"table-{order}.json", json.dumps(result, indent=1)),
        (f"table-{order}.md", describe(result) + "\n"),
    ):
        write_text(out / name, text)


def describe(result: Mapping[str, Any]) -> str:
    """Protocol, tables and reasons as Markdown."""
    parts = ["\n".join(f"- {key}: {value}" for key, value in result["protocol"].items())]
    parts.append(markdown(result["rows"], result["metrics"]))
    if result["ablation"]:
        few = max(row["pairs"] for row in result["ablation"])
        parts += [f"With one part left out, and with other numbers of steps, on the first {few} pairs:"]
        parts += [markdown(result["ablation"], result["metrics"])]
    parts += [published(result)] if result["published"] else []
    for extra in result.get("extra", []):
        parts.append(f"{extra['name']} ({extra['folder']}):")
        parts.append(
            f"{NOT_COMPUTED}: {extra['why']}" if "why" in extra else markdown(extra["rows"], extra["metrics"])
        )
    return "\n\n".join(parts)


def reasons(
    rows: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Which metrics have a value in some row, and one sentence for everything that has none.

    Returns:
        The columns, and the sentences.
    """
    columns = []
    missing: dict[str, list[str]] = {}
    for metric in metrics:
        found = [row["scores"][metric["key"]] for row in rows if metric["key"] in row["scores"]]
        if any(score["value"] is not None for score in found):
            columns.append(metric)
        for why in sorted({score["why"] for score in found if score["value"] is None}):
            missing.setdefault(why, []).append(metric["label"])
    sentences = [f"{', '.join(labels)} {NOT_COMPUTED}: {why}." for why, labels in missing.items()]
    sentences += [f"{row['row']} {NOT_COMPUTED}: {row['why']}." for row in rows if row.get("why")]
    return columns, sentences


def number(score: Mapping[str, Any] | None, metric: Mapping[str, Any]) -> str:
    """A value with its interval: ``0.800 (0.786–0.813)``."""
    if score is None or score["value"] is None:
        return NOT_COMPUTED
    factor, digits = metric["factor"], metric["digits"]
    text = f"{score['value'] * factor:.{digits}f}"
    if score.get("interval"):
        low, high = (f"{value * factor:.{digits}f}" for value in score["interval"])
        text += f" ({low}–{high})"
    return text


def seconds(row: Mapping[str, Any]) -> str:
    """What a picture took."""
    return "–" if row["seconds"] is None else f"{row['seconds']:.2f}"


def markdown(rows: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a Markdown table, and below it what is not in it and why."""
    columns, sentences = reasons(rows, metrics)
    heads = [metric["label"] for metric in columns]
    lines = [f"| {' | '.join(['', *heads, 'seconds'])} |", "|---" * (len(heads) + 2) + "|"]
    for row in rows:
        cells = [number(row["scores"].get(metric["key"]), metric) for metric in columns]
        lines.append(f"| {' | '.join([row['row'], *cells, seconds(row)])} |")
    lines[0] = lines[0].replace("|  |", "| |", 1)
    return "\n".join([*lines, *(["", *sentences] if sentences else [])])


def published(result: Mapping[str, Any]) -> str:
    """Others' numbers with what makes them different from ours."""
    lines = ["Published numbers, not comparable where a warning stands:"]
    for entry in result["published"]:
        numbers = ", ".join(f"{name} {value:g}" for name, value in entry["scores"].items())
        lines.append(f"- {entry['method']}, {entry['dataset']}: {numbers} ({entry['source']})")
        lines += [f"  - warning: {warning}" for warning in entry["warnings"]]
    return "\n".join(lines)
