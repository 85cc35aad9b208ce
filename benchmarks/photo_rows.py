"""What ``real_photos.py`` found of each pair: as CSV, and as a table of means for one run or several."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np


@dataclass
class Row:
    """What came of one pair."""

    number: int
    person: str
    garment: str
    tone: str = ""
    left_over: float | None = None
    judged: int = 0
    wall_kept: float | None = None
    wall_kept_near: float | None = None
    colour: float | None = None
    garment_seen: float | None = None
    seconds: float | None = None
    refused: str = ""


MEASURES = ("left_over", "wall_kept", "wall_kept_near", "colour", "garment_seen")


def write_rows(rows: list[Row], path: Path) -> None:
    """As CSV; what is not known stays empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(rows[0])), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _short(value) for key, value in asdict(row).items()})


def read_rows(path: Path) -> list[Row]:
    """What ``write_rows`` wrote."""
    kinds = {"number": int, "judged": int, "seconds": float} | dict.fromkeys(MEASURES, float)
    rows = []
    with path.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            # An empty field is what the row has by itself.
            rows.append(Row(**{key: kinds.get(key, str)(value) for key, value in line.items() if value}))
    return rows


def _short(value: object) -> object:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else value


def summary(rows: list[Row]) -> dict[str, str]:
    """Mean of every measure over the pairs that have it, the colour by tone; and how many were refused."""
    found = {"refused": f"{sum(bool(row.refused) for row in rows)} of {len(rows)}"}
    groups = {name: rows for name in MEASURES}
    groups |= {
        f"colour, {name}": [row for row in rows if row.tone == name]
        for name in ("white", "black", "coloured")
    }
    for name, members in groups.items():
        key = name.split(",")[0]
        values = [value for row in members if (value := getattr(row, key)) is not None]
        mean = float(np.mean(values)) if values else float("nan")
        shown = f"{mean:.3f}" if key == "colour" else f"{mean:.1%}"
        found[name] = f"{shown} ({len(values)})" if values else "–"
    return found


def as_table(columns: dict[str, list[Row]]) -> str:
    """Markdown: one line per measure, one column per run."""
    summaries = [summary(rows) for rows in columns.values()]
    lines = [f"| mean over pairs (how many) | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in summaries[0]:
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(each[name] for each in summaries)} |")
    return "\n".join(lines)


def refusals(rows: list[Row]) -> list[str]:
    """A Markdown line for every pair that was refused, with the model's sentence."""
    return [f"- {row.number:02d} ({row.person}): {row.refused}" for row in rows if row.refused]
