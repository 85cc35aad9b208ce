"""What a training tells while it runs: its log, its pictures, and TensorBoard's files where asked for."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ladi.files import written_whole
from ladi.types import SettingError

LOGGER = logging.getLogger(__name__)


class Journal:
    """What a training tells: lines of ``log.jsonl``, sheets, and TensorBoard's files where asked for.

    Raises:
        SettingError: TensorBoard is asked for and not installed.
    """

    def __init__(self, folder: Path, *, tensorboard: bool) -> None:
        self.folder = folder
        self.board: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise SettingError(
                    "TensorBoard is not installed: `pip install tensorboard`, or leave out --tensorboard; "
                    "log.jsonl is written in any case."
                ) from error
            self.board = SummaryWriter(str(folder / "tensorboard"))
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, line: Mapping[str, float]) -> None:
        """One line, with its ``step``."""
        with (self.folder / "log.jsonl").open("a") as handle:
            handle.write(json.dumps({key: round(value, 6) for key, value in line.items()}) + "\n")
        LOGGER.info("%s", " ".join(f"{key}={value:.5g}" for key, value in line.items()))
        if self.board:
            for key, value in line.items():
                self.board.add_scalar(key, value, int(line["step"]))

    def show(self, sheet: np.ndarray, step: int) -> None:
        """A validation's sheet (H,W,3) uint8."""
        with written_whole(self.folder / f"validation-{step:06d}.png") as draft:
            Image.fromarray(sheet).save(draft, "PNG")
        if self.board:
            self.board.add_image("validation", sheet, step, dataformats="HWC")

    def close(self) -> None:
        """Nothing more will come."""
        if self.board:
            self.board.close()


class Tally:
    """Sums of what steps tell, since the last line of the log."""

    def __init__(self, batch_size: int) -> None:
        self.sums: dict[str, float] = {}
        self.steps, self.batch_size = 0, batch_size
        self.waited, self.started = 0.0, time.monotonic()

    def add(self, values: Mapping[str, float], waited: float) -> None:
        """One step's values, and the seconds that it waited for its samples."""
        for key, value in values.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
        self.steps += 1
        self.waited += waited

    def values(self) -> dict[str, float]:
        """Means, samples per second and the share of the time spent waiting for data."""
        seconds = max(time.monotonic() - self.started, 1e-9)
        means = {key: value / self.steps for key, value in self.sums.items()}
        speed = {
            "samples_per_second": self.steps * self.batch_size / seconds,
            "waiting": self.waited / seconds,
        }
        return means | speed
