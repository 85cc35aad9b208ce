"""The pipeline, for one caller at a time, and the way of its pictures back into the photo.

Whatever pulls in diffusers is imported where it is used: that takes seconds, and the page is served before
the model is loaded.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from ladi.diffusion.painting import Painted, Preview, encode, paint
from ladi.postprocess.finish import cut_outs, finish
from ladi.postprocess.seen import layers_of
from ladi.preprocess.findings import collect_findings
from ladi.preprocess.large import in_smaller_photo
from ladi.progress import Stages
from ladi.runtime.extras import Extras
from ladi.runtime.preparation import Prepared
from ladi.runtime.recall import SECONDS, Recall, Room, bytes_of
from ladi.settings import RESULT_PIXELS, SamplingNumbers, Settings, TryOnRequest
from ladi.types import Conditions, Layer, Size

if TYPE_CHECKING:
    from ladi.diffusion.compare import Cell, CellPicture, Compared
    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.preprocess.parsing import ParsingNetwork


class Finished(NamedTuple):
    """What a user sees, and what it shows; the last two only where pictures are pasted back."""

    images: tuple[np.ndarray, ...]
    """(H,W,3) uint8 each."""
    layers: torch.Tensor | None
    """(B,K,H,W) of ``LAYERS``, of the painted pictures."""
    cut_outs: Callable[[], Mapping[Layer, np.ndarray]] | None
    """See ``ladi.types.Result``."""


class Painter:
    """Paints prepared pairs; threads that call it wait for each other."""

    def __init__(
        self,
        pipeline: LadiVtonPipeline,
        parser: ParsingNetwork,
        extras: Extras,
        *,
        remember: float = SECONDS,
        room: Room | None = None,
    ) -> None:
        """Start with nothing remembered.

        Args:
            pipeline: on its device already.
            parser: labels what was painted, where the decoder does not.
            extras: what looks at results and decodes previews.
            remember: seconds for which the encodings of a person and the words of a garment are kept.
            room: how much of that is kept.
        """
        room = room or Room()
        self._encoded: Recall[Any] = Recall(
            # For each pair: the person's encoding, the prompt with the garment's words, those without.
            kept=3 * room.kept,
            seconds=min(remember, SECONDS),
            weigh=bytes_of,
            most=room.most,
        )
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

    def _recall(self, kind: str, inputs: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        """What the networks made of the same inputs a while ago, or make of them now."""
        key = (kind, *(fingerprint(one) if isinstance(one, torch.Tensor) else repr(one) for one in inputs))
        return self._encoded.get(key, compute)

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
        prepared: Prepared,
        *,
        settings: Settings,
        numbers: SamplingNumbers,
        stages: Stages,
        preview: Preview | None,
        explain: bool,
    ) -> Painted:
        """Sample pictures; the arguments are ``ladi.diffusion.painting.paint``'s."""
        with self._alone() as pipeline:
            return paint(
                pipeline,
                prepared.person,
                prepared.garment,
                settings=settings,
                numbers=numbers,
                stages=stages,
                recall=self._recall,
                preview=preview,
                preview_decoder=self._extras.preview_decoder,
                explain=explain,
            )

    def paint_cells(
        self, prepared: Sequence[Prepared], cells: Sequence[Cell], stages: Stages
    ) -> tuple[list[Conditions], list[CellPicture]]:
        """Paint the cells of a comparison: the conditions of each prepared pair, and a picture per cell."""
        from ladi.diffusion.compare import run_cells

        with self._alone() as pipeline:
            with stages("conditions"), torch.no_grad():
                conditions = [encode(pipeline, person, garment, self._recall) for person, garment in prepared]
            with stages("denoise"):
                report = partial(stages.within, "denoise")
                return conditions, run_cells(pipeline, conditions, cells, progress=report)

    def finish(self, painted: Painted, prepared: Prepared, settings: Settings, stages: Stages) -> Finished:
        """Put painted pictures back into the photo, one after the other (``ladi.postprocess.finish``).

        Args:
            painted: without layers, from a decoder that tells none, the parser is asked for them where the
                pictures are to be pasted back.
            prepared: who was dressed, in what.
            settings: how they are put back.
            stages: asked before each picture; may raise to stop.
        """
        pictures, layers, conditions, _ = painted
        # The mask as the pipeline grew it: trousers that the garment hangs over are painted too.
        person = replace(prepared.person, mask=conditions.mask.cpu())
        garment, from_decoder = prepared.garment, layers is not None
        if settings.paste_back:
            layers = layers_of(
                self._parser, pictures, layers, person=person, garment=garment, conditions=conditions
            )
        images: tuple[np.ndarray, ...] = ()
        for index in range(len(pictures)):
            stages.within("paste", index / len(pictures))
            row = slice(index, index + 1)
            shown = None if layers is None else layers[row]
            images += finish(pictures[row], shown, person, garment, conditions, settings, told=from_decoder)
        cut: Callable[[], Mapping[Layer, np.ndarray]] | None = None
        if layers is not None and settings.paste_back:
            given = (pictures[:1], layers[:1], person, garment, conditions, settings)
            cut = partial(cut_outs, *given, told=from_decoder)
        return Finished(images, layers, cut)

    def finish_cells(
        self,
        requests: Sequence[TryOnRequest],
        prepared: Sequence[Prepared],
        conditions: Sequence[Conditions],
        pictures: Sequence[CellPicture],
        stages: Stages,
    ) -> list[Compared]:
        """The same for a comparison, of which each picture says which request it is of."""
        from ladi.diffusion.compare import Compared

        compared = []
        for made in pictures:
            which = made.cell.request_index
            person, garment = prepared[which]
            findings = collect_findings(requests[which], person, garment, own_size=self.size)
            person = in_smaller_photo(person, RESULT_PIXELS // len(pictures))
            settings = replace(requests[which].settings, switches=made.cell.switches)
            painted = Painted(made.image, made.layers, conditions[which], without_emasc=None)
            [image] = self.finish(painted, Prepared(person, garment), settings, stages).images
            compared.append(Compared(made.cell, image, made.seconds, findings))
        return compared

    def check_content(self, images: Sequence[np.ndarray]) -> None:
        """Raises ContentError where the content filter keeps results back."""
        if self._extras.content_filter is not None:
            self._extras.content_filter.check_results(images)


def fingerprint(tensor: torch.Tensor) -> bytes:
    """What identifies a tensor's numbers, wherever they lie."""
    whole = hashlib.blake2b(repr((tensor.shape, tensor.dtype)).encode(), digest_size=32)
    whole.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return whole.digest()
