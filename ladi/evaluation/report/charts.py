"""The report's charts as inline SVG: intervals beside their numbers, a histogram, and points.

They take colours from the page's classes, so they follow light and dark, and say in words what they show.
They load nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 40


class Scale(NamedTuple):
    """The common axis of a column of intervals."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """A value's place, in hundredths of the width."""
        return 100 * (value - self.low) / (self.high - self.low)


def scale_of(intervals: Sequence[tuple[float, float, float]]) -> Scale | None:
    """An axis on which all of (value, low, high) fit; nothing where there are none."""
    ends = [number for interval in intervals for number in interval]
    if not ends:
        return None
    low, high = min(ends), max(ends)
    margin = 0.06 * (high - low) or 0.01
    return Scale(low - margin, high + margin)


def interval(ends: tuple[float, float, float], scale: Scale, *, strong: bool = False) -> Markup:
    """A dot with its interval (value, low, high) on a common axis, as wide as the cell that it stands in."""
    middle, left, right = (f"{scale.place(number):.2f}" for number in ends)
    # Strokes keep their width however the picture is stretched, so a dot is a stroke of no length.
    return Markup(
        '<svg class="interval{}" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="span" d="M{} 8H{}"/><path class="dot" d="M{} 8h0"/></svg>'
    ).format(" strong" if strong else "", left, right, middle)


def signed_root(value: float) -> float:
    """±√|value|, for axes on which small and large differences are both to be seen."""
    return math.copysign(math.sqrt(abs(value)), value)


def _ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends."""
    step = 10 ** math.floor(math.log10((high - low) / most))
    step = next(step * factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


def _frame(
    x: tuple[float, float], y: tuple[float, float], labels: tuple[str, str], body: Markup, words: str
) -> Markup:
    """Axes with ticks around a chart's body."""
    parts = []
    for value in _ticks(*x):
        at = f"{_across(value, x):.1f}"
        parts.append(
            Markup(
                '<path class="grid" d="M{0} {1}V{2}"/><text x="{0}" y="{3}" text-anchor="middle">{4:g}</text>'
            ).format(at, TOP, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 15, round(value, 6))
        )
    for value in _ticks(*y):
        at = f"{_up(value, y):.1f}"
        parts.append(
            Markup(
                '<path class="grid" d="M{1} {0}H{2}"/>'
                '<text x="{3}" y="{0}" dy="4" text-anchor="end">{4:g}</text>'
            ).format(at, LEFT, WIDTH - RIGHT, LEFT - 5, round(value, 6))
        )
    names = Markup(
        '<text class="name" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="name" transform="translate(12 {}) rotate(-90)" text-anchor="middle">{}</text>'
    ).format((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, labels[0], (TOP + HEIGHT - BOTTOM) / 2, labels[1])
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>').format(
        WIDTH, HEIGHT, words, Markup("").join(parts), body, names
    )


def _across(value: float, x: tuple[float, float]) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - x[0]) / (x[1] - x[0])


def _up(value: float, y: tuple[float, float]) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - y[0]) / (y[1] - y[0])


def _around(values: Sequence[float]) -> tuple[float, float]:
    low, high = float(min(values)), float(max(values))
    margin = 0.06 * (high - low) or 0.01
    return low - margin, high + margin


def histogram(values: Sequence[float], label: str, bins: int = 16) -> Markup:
    """How many pairs have which value."""
    counts, edges = np.histogram(values, bins=bins)
    x, y = (float(edges[0]), float(edges[-1])), (0.0, float(counts.max()) * 1.08)
    bars = Markup("").join(
        Markup('<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            _across(left, x) + 0.5,
            _up(count, y),
            _across(right, x) - _across(left, x) - 1,
            HEIGHT - BOTTOM - _up(count, y),
        )
        for count, left, right in zip(counts, edges[:-1], edges[1:], strict=True)
        if count
    )
    words = f"{label} of {len(values)} pairs, from {min(values):.3f} to {max(values):.3f}"
    words += f", median {np.median(values):.3f}"
    return _frame(x, y, (label, "pairs"), bars, words)


def points(
    pairs: Sequence[tuple[float, float]], labels: tuple[str, str], words: str, limit: float | None = None
) -> Markup:
    """One dot per pair, and a line where a value counts as suspicious."""
    x, y = (_around([pair[axis] for pair in pairs]) for axis in (0, 1))
    body = Markup("").join(
        Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(_across(one, x), _up(other, y))
        for one, other in pairs
    )
    if limit is not None and x[0] < limit < x[1]:
        body += Markup('<path class="limit" d="M{:.1f} {}V{}"/>').format(
            _across(limit, x), TOP, HEIGHT - BOTTOM
        )
    return _frame(x, y, labels, body, words)


def line(steps: Sequence[tuple[float, float, float, float]], labels: tuple[str, str], words: str) -> Markup:
    """Values with intervals over a cost: (x, value, low, high) in ascending x, joined by a line."""
    x = _around([entry[0] for entry in steps])
    y = _around([number for entry in steps for number in entry[1:]])
    path = " ".join(f"{_across(entry[0], x):.1f},{_up(entry[1], y):.1f}" for entry in steps)
    body = Markup('<polyline class="joined" points="{}"/>').format(path)
    for at, value, low, high in steps:
        body += Markup(
            '<path class="span" d="M{0:.1f} {1:.1f}V{2:.1f}"/>'
            '<circle class="point" cx="{0:.1f}" cy="{3:.1f}" r="4"/>'
        ).format(_across(at, x), _up(low, y), _up(high, y), _up(value, y))
    return _frame(x, y, labels, body, words)
