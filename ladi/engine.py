"""Photos in, photo out: the one place where photographs, networks and the device meet.

```
Photo ─► prepare_garment ─┬──────────────────┐
                          ▼ category         ├─► Painter.paint ─► Painter.finish ─► Result
Photo ─────────────► prepare_person ─────────┘   └ one caller at a time
```

Everything about a request travels in arguments and results, so that any number of threads may call an engine.
Of its users it holds the last few preparations, for minutes (``runtime/recall.py``). It decodes no files.

Whatever pulls in diffusers or transformers is imported where it is used: that takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ladi.diffusion.painting import Preview
from ladi.files import MODELS_FOLDER
from ladi.preprocess.findings import collect_findings
from ladi.progress import Progress, Stages
from ladi.runtime.devices import Running, choose_running
from ladi.runtime.extras import Extras, load_extras
from ladi.runtime.loading import GarmentNetworks, is_large, load_garment_networks, load_networks
from ladi.runtime.painter import Painter
from ladi.runtime.preparation import Preparation
from ladi.runtime.recall import SECONDS, Room
from ladi.settings import TryOnRequest, check_request, check_result_pixels, choose_sampling
from ladi.types import AskedCategory, Category, Garment, MaskRule, PersonParts, Photo, Result, Size

if TYPE_CHECKING:
    from ladi.diffusion.compare import Cell, Compared
    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.models.matting import GarmentMatting
    from ladi.preprocess.parsing import ParsingNetwork
    from ladi.runtime.content import FilterChoice


class Engine:
    """A model with everything around it that a photo needs."""

    def __init__(
        self,
        pipeline: LadiVtonPipeline,
        parser: ParsingNetwork,
        matting: GarmentMatting,
        *,
        name: str = "mini",
        running: Running | None = None,
        extras: Extras | None = None,
        remember: float = SECONDS,
        room: Room | None = None,
        garment_networks: GarmentNetworks | None = None,
    ) -> None:
        """Put loaded parts together; ``Engine.load`` is the usual way.

        Args:
            pipeline: on its device already.
            parser: labels the person.
            matting: cuts out the garment.
            name: what the model is called in messages.
            running: where and how the pipeline computes, where that is known.
            extras: what looks at results and decodes previews, if anything.
            remember: seconds for which prepared photos are kept, at most ``ladi.runtime.recall.SECONDS``.
            room: how much of them is kept; a few of each kind unless given.
            garment_networks: small networks that measure a garment after it has been cut out.
        """
        self.name = name
        self.running = running
        extras = extras or Extras()
        short = running is not None and running.low_memory  # of memory on the networks' device
        self._painter = Painter(pipeline, parser, extras, remember=0 if short else remember, room=room)
        self._preparation = Preparation(
            name,
            self._painter.size,
            parser,
            matting,
            garment_networks=garment_networks,
            content_filter=extras.content_filter,
            remember=remember,
            room=room,
            long_coats=bool(pipeline.config.garment_matte),
        )

    @classmethod
    def load(
        cls,
        model: str = "mini",
        *,
        device: str | None = None,
        precision: str = "auto",
        low_memory: bool = False,
        content_filter: FilterChoice | None = None,
        fast_previews: bool = False,
        remember: float = SECONDS,
        room: Room | None = None,
    ) -> Engine:
        """Load a model and its helpers.

        Args:
            model: a name in ``ladi.weights.catalog.MODELS``, or a folder with a saved pipeline.
            device: ``cuda``, ``mps`` or ``cpu``; ``None`` takes the best there is.
            precision: see ``ladi.runtime.devices.choose_precision``.
            low_memory: see ``ladi.runtime.devices.place``.
            content_filter: see ``ladi.runtime.extras.load_extras``.
            fast_previews: likewise.
            remember: as in the constructor.
            room: likewise.

        Raises:
            ModelError: the model is unknown, incomplete or broken.
            SettingError: there is no such device, or it cannot compute in this precision.
        """
        running = choose_running(device, precision, low_memory=low_memory, large=is_large(model))
        pipeline, parser, matting = load_networks(model, running)
        extras = load_extras(
            pipeline, models=MODELS_FOLDER, content_filter=content_filter, fast_previews=fast_previews
        )
        garment_networks = load_garment_networks(lining=bool(pipeline.config.garment_matte))
        found: Any = {"running": running, "extras": extras, "garment_networks": garment_networks}
        return cls(pipeline, parser, matting, name=model, remember=remember, room=room, **found)

    @property
    def size(self) -> Size:
        """Height and width of the model's pictures."""
        return self._painter.size

    @property
    def defaults(self) -> tuple[int, float]:
        """The model's own number of steps and guidance scale."""
        return self._painter.defaults

    def prepare_person(
        self,
        photo: Photo,
        *,
        category: Category = "upper_body",
        mask_grow: int = 0,
        mask_rule: MaskRule = "worn",
        size: Size | None = None,
        mask: np.ndarray | None = None,
        turn: bool = False,
    ) -> PersonParts:
        """Find the person, frame them, and decide what is repainted.

        Args:
            photo: at any size.
            category: what the new garment is.
            mask_grow: pixels at the model's size by which the mask is grown; negative shrinks it.
            mask_rule: see ``ladi.types.MaskRule``.
            size: instead of the model's own.
            mask: (H,W) at the photo's size, in place of the automatic one.
            turn: a photo that lies on its side or upside down is turned first, the mask too.

        Raises:
            PersonError: nobody is there, or not in a way that can be dressed.
            MaskError: the given mask is empty or has another size.
        """
        return self._preparation.person(
            photo,
            category=category,
            mask_grow=mask_grow,
            mask_rule=mask_rule,
            size=size,
            mask=mask,
            turn=turn,
        )

    def prepare_garment(
        self,
        photo: Photo,
        *,
        category: AskedCategory = "auto",
        clean: str = "auto",
        size: Size | None = None,
        use_anyway: bool = False,
        turn: bool = False,
    ) -> Garment:
        """Remove the background where that is needed, and fit the garment to the model's size.

        Args:
            photo: at any size.
            category: ``auto`` goes by the picture, and is a top where the model knows nothing else.
            clean: see ``TryOnRequest.clean_garment``.
            size: instead of the model's own.
            use_anyway: whatever seems to be wrong with it.
            turn: a garment that lies on its side or upside down is turned first.

        Raises:
            GarmentError: there is no garment to be seen, or one that the model cannot paint.
            SettingError: an unknown way of cleaning.
        """
        return self._preparation.garment(
            photo, category=category, clean=clean, size=size, use_anyway=use_anyway, turn=turn
        )

    def warm_up(self, *, wait: bool = False) -> None:
        """Import rembg in the background, for servers; its models can be used from then on."""
        self._preparation.warm_up(wait=wait)

    def try_on(
        self,
        request: TryOnRequest,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        preview: Preview | None = None,
        explain: bool = False,
    ) -> Result:
        """Dress the person in the garment.

        Args:
            request: photos and settings; never changed.
            progress: called with a stage and the share of the work that is done, from this thread.
            cancelled: asked between all steps, and between pictures; yes stops the work.
            preview: called with the picture as it stands, every few steps of a long sampling.
            explain: also decode without EMASC, to show what it does.

        Raises:
            LadiError: in one sentence, whatever the user can mend.
            Cancelled: ``cancelled`` said so.
        """
        stages = Stages(progress, cancelled)
        settings = request.settings
        check_request(request)
        check_result_pixels(settings.pictures if settings.paste_back else 0, request.person.size)
        prepared = self._preparation.prepare(request, stages)
        numbers = choose_sampling(settings, self.defaults)
        painted = self._painter.paint(
            prepared, settings=settings, numbers=numbers, stages=stages, preview=preview, explain=explain
        )
        with stages("paste"):
            finished = self._painter.finish(painted, prepared, settings, stages)
            self._painter.check_content(finished.images)
        stages.done()
        return Result(
            finished.images,
            *numbers,
            person=prepared.person,
            garment=prepared.garment,
            conditions=painted.conditions,
            generated=painted.pictures,
            layers=finished.layers,
            cut_outs=finished.cut_outs,
            without_emasc=painted.without_emasc,
            findings=collect_findings(request, prepared.person, prepared.garment, own_size=self.size),
            timings=stages.timings,
        )

    def compare(
        self,
        requests: Sequence[TryOnRequest],
        cells: Callable[[int, int, float], Sequence[Cell]],
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Compared]:
        """Many settings side by side, from one preparation of each photo.

        Args:
            requests: one for each garment, say; a cell names its own by ``request_index``. Only the first
                one's seed, steps and guidance count; how each is put back is its own choice.
            cells: called with seed, steps and guidance, the model's defaults put in; gives the cells.
            progress: as in ``try_on``.
            cancelled: likewise.

        Raises:
            LadiError: as ``try_on``.
        """
        from ladi.diffusion.compare import check_cells

        stages = Stages(progress, cancelled)
        for request in requests:
            check_request(request)
        wanted = cells(*choose_sampling(requests[0].settings, self.defaults))
        check_cells(wanted)
        prepared = [self._preparation.prepare(request, stages) for request in requests]
        conditions, pictures = self._painter.paint_cells(prepared, wanted, stages)
        with stages("paste"):
            compared = self._painter.finish_cells(requests, prepared, conditions, pictures, stages)
            self._painter.check_content([one.image for one in compared])
        stages.done()
        return compared
