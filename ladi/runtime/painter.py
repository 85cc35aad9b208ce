"""The pipeline, for one caller at a time, and the way of its pictures back into the photo.

Whatever pulls in diffusers is imported where it is used: that takes seconds, and the page is served before
the model is loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ladi.diffusion.painting import Painted, Preview, encode, paint
from ladi.postprocess.finish import finish
from ladi.postprocess.seen import layers_of
from ladi.preprocess.large import in_smaller_photo
from ladi.progress import Stages
from ladi.runtime.extras import Extras
from ladi.settings import RESULT_PIXELS, Settings, TryOnRequest
from ladi.types import Conditions, Garment, PersonParts, Size

if TYPE_CHECKING:
    from ladi.diffusion.compare import Cell, CellPicture, Compared
    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.preprocess.parsing import ParsingNetwork


class Painter:
    """Paints prepared pairs; threads that call it wait for each other."""

    def __init__(self, pipeline: LadiVtonPipeline, parser: ParsingNetwork, extras: Extras) -> None:
        """Take a pipeline that is on its device already, the parser of its people, and its extras."""
        self._pipeline = pipeline
        self._parser = parser
        self._extras = extras
        self._lock = threading.Lock()

    @property
    def size(self) -> Size:
        """Height and width of the model's pictures."""
        return self._pipeline.config.height, self._pipeline.config.width

    @property
    def defaults(self) -> tuple[int, float]:
        """The model's own number of steps and guidance scale."""
        return self._pipeline.config.default_steps, self._pipeline.config.default_guidance

    @contextmanager
    def _alone(self) -> Iterator[LadiVtonPipeline]:
        """The pipeline, nobody else's meanwhile."""
        with self._lock:
            try:
                yield self._pipeline
            finally:
                self._pipeline.maybe_free_model_hooks()

    def paint(
        self,
        person: PersonParts,
        garment: Garment,
        *,
        settings: Settings,
        sampling: tuple[int, int, float],
        stages: Stages,
        preview: Preview | None,
        explain: bool,
    ) -> Painted:
        """Sample pictures; the arguments are ``ladi.diffusion.painting.paint``'s."""
        with self._alone() as pipeline:
            return paint(
                pipeline,
                person,
                garment,
                settings=settings,
                sampling=sampling,
                stages=stages,
                preview=preview,
                preview_decoder=self._extras.preview_decoder,
                explain=explain,
            )

    def paint_cells(
        self, prepared: Sequence[tuple[Garment, PersonParts]], cells: Sequence[Cell], stages: Stages
    ) -> tuple[list[Conditions], list[CellPicture]]:
        """Paint the cells of a comparison: the conditions of each prepared pair, and a picture per cell."""
        from ladi.diffusion.compare import run_cells

        with self._alone() as pipeline:
            with stages("conditions"), torch.no_grad():
                conditions = [encode(pipeline, person, garment) for garment, person in prepared]
            with stages("denoise"):
                report = partial(stages.within, "denoise")
                return conditions, run_cells(pipeline, conditions, cells, progress=report)

    def finish(
        self,
        pictures: torch.Tensor,
        layers: torch.Tensor | None,
        person: PersonParts,
        garment: Garment,
        conditions: Conditions,
        settings: Settings,
        *,
        by_hand: bool,
    ) -> tuple[tuple[np.ndarray, ...], torch.Tensor | None]:
        """What a user sees, and what it shows; the arguments are ``ladi.postprocess.finish.finish``'s.

        Args:
            pictures: (B,3,H,W) in [-1,1].
            layers: as the decoder told; where it did not, and they are needed, the parser is asked.
            person: who was dressed.
            garment: in what.
            conditions: of both, one row.
            settings: how they are put back.
            by_hand: the mask was drawn by hand.
        """
        if settings.paste_back:
            layers = layers_of(
                self._parser, pictures, layers, person=person, garment=garment, conditions=conditions
            )
        return finish(pictures, layers, person, garment, conditions, settings, by_hand=by_hand), layers

    def finish_cells(
        self,
        requests: Sequence[TryOnRequest],
        prepared: Sequence[tuple[Garment, PersonParts]],
        conditions: Sequence[Conditions],
        pictures: Sequence[CellPicture],
    ) -> list[Compared]:
        """The same for a comparison, of which each picture says which request it is of."""
        from ladi.diffusion.compare import Compared

        compared = []
        for made in pictures:
            which = made.cell.conditions
            garment, person = prepared[which]
            person = in_smaller_photo(person, RESULT_PIXELS // len(pictures))
            own = replace(requests[which].settings, switches=made.cell.switches)
            by_hand = requests[which].mask is not None
            [image], _ = self.finish(
                made.image, made.layers, person, garment, conditions[which], own, by_hand=by_hand
            )
            compared.append(Compared(made.cell, image, made.seconds))
        return compared

    def check(self, images: Sequence[np.ndarray]) -> None:
        """Raises ContentError where the content filter keeps results back."""
        if self._extras.content_filter is not None:
            self._extras.content_filter.check_results(images)
