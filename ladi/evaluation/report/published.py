"""Numbers that others published, beside ours, with a warning wherever the protocols differ.

The numbers stand in ``published.json``, each with its source. Papers differ by protocol more than by method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ladi.data.sample import Order

FILE = Path(__file__).with_name("published.json")
FIELDS = {
    "size": None,
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "fid": "FID",
    "outside the mask": None,
    "masks": None,
}
"""Of a protocol, what must agree; and the number that it is about, where it is about one only."""


def read_published(path: Path = FILE) -> list[dict[str, Any]]:
    """All entries: method, dataset, split, protocol (``null`` = not stated), numbers by order, source."""
    return json.loads(path.read_text(encoding="utf-8"))


def differences(entry: Mapping[str, Any], order: Order, ours: Mapping[str, str]) -> list[str]:
    """Warnings, one for each thing in which an entry's protocol differs from ours or does not say.

    Args:
        entry: one of :func:`read_published`.
        order: whose numbers stand beside ours.
        ours: ``dataset``, ``split``, ``pairs`` and ``FIELDS``, as our protocol states them.
    """
    warnings = []
    if entry["dataset"].lower() != ours["dataset"].lower():
        warnings.append(f"another dataset: {entry['dataset']}, ours {ours['dataset']}")
    if entry["split"].lower() != ours["split"].lower():
        warnings.append(f"another split: {entry['split']}, ours {ours['split']} ({ours['pairs']} pairs)")
    for field, number in FIELDS.items():
        if number is not None and number not in entry[order]:
            continue
        theirs = entry["protocol"].get(field)
        if theirs is None:
            warnings.append(f"{field}: not stated there; ours {ours[field]}")
        elif theirs.lower() != ours[field].lower():
            warnings.append(f"{field}: {theirs}; ours {ours[field]}")
    return warnings


def beside(order: Order, ours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Published entries that have numbers for this order, with ``scores`` and ``warnings``."""
    return [
        {
            "method": entry["method"],
            "dataset": entry["dataset"],
            "source": entry["source"],
            "scores": entry[order],
            "warnings": differences(entry, order, ours),
        }
        for entry in read_published()
        if entry.get(order)
    ]
