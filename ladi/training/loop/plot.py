"""The training record as one picture: every stage's loss over time, from the loop's own logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ladi.files import written_whole
from ladi.types import LadiError

SMOOTH = 0.15
"""Weight of each new value in the running mean that is drawn over the raw one."""

NOT_MEASURES = ("step", "validation")


def read_log(path: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The training and the validation lines of a stage's ``log.jsonl``, in their order."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if "loss" in line], [line for line in lines if "validation" in line]


def plot_logs(work: Path, out: Path) -> None:
    """Draws one panel per stage that has a log.

    Args:
        work: the folder with the stages' folders.
        out: a .png or .svg file.

    Raises:
        LadiError: no stage has a log.
    """
    logs = {path.parent.name: read_log(path) for path in sorted(work.glob("*/log.jsonl"))}
    logs = {stage: lines for stage, lines in logs.items() if lines[0]}
    if not logs:
        raise LadiError(f"there are no logs in {work}: train a stage first")
    # Imported here: it takes a second that no training should wait for.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(logs), figsize=(3.6 * len(logs), 2.8), squeeze=False)
    for panel, (stage, (training, validation)) in zip(panels[0], logs.items(), strict=True):
        steps = [line["step"] for line in training]
        losses = [line["loss"] for line in training]
        means = losses[:1]
        for loss in losses[1:]:
            means.append(means[-1] + SMOOTH * (loss - means[-1]))
        panel.plot(steps, losses, color="0.8", linewidth=0.8)
        panel.plot(steps, means, color="tab:blue", linewidth=1.4, label="loss")
        measures = [name for name in (validation[0] if validation else {}) if name not in NOT_MEASURES]
        for name in measures[:1]:
            other = panel.twinx()
            other.plot(
                [line["step"] for line in validation],
                [line[name] for line in validation],
                color="tab:orange",
                marker="o",
                markersize=2.5,
                linewidth=1,
            )
            other.set_ylabel(name, color="tab:orange", fontsize=7)
            other.tick_params(labelsize=6)
        panel.set_title(stage, fontsize=9)
        panel.set_xlabel("step", fontsize=7)
        panel.tick_params(labelsize=6)
    figure.tight_layout()
    with written_whole(out) as draft:
        figure.savefig(draft, dpi=130, format=out.suffix[1:] or None)
    pyplot.close(figure)
