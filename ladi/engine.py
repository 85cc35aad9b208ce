"""Photos in, photo out: the one place where photographs, networks and the device meet.

```
Photo ─► prepare_garment ─┬──────────────────┐
                          ▼ category         ├─► encode_conditions ─► denoise ─► decode ─► finish ─► Result
Photo ─────────────► prepare_person ─────────┘   └─ paint: one caller at a time ──────┘
```

Everything about a request travels in arguments and results, so that any number of threads may call an engine.
Of its users it holds no more than the last few preparations, for minutes (``runtime/recall.py``). It decodes
no files and shows nothing; the command and the page do.

Whatever pulls in diffusers or transformers is imported where it is used: that takes seconds, and the page is
served before the model is loaded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from ladi.diffusion.painting import Preview, encode, paint
from ladi.files import MODELS_FOLDER
from ladi.postprocess.finish import finish
from ladi.postprocess.seen import layers_of
from ladi.preprocess.checks import check_size, raise_errors
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.garment import cut_garment
from ladi.preprocess.large import in_photo, in_smaller_photo, shrink_photo
from ladi.preprocess.person import prepare_person, with_mask
from ladi.preprocess.photo import MAX_PIXELS
from ladi.preprocess.pose import PoseDetector
from ladi.progress import Progress, Stages
from ladi.rows import listed
from ladi.runtime.devices import Running, choose_running
from ladi.runtime.extras import Extras, load_extras
from ladi.runtime.loading import is_large, load_kinds, load_networks
from ladi.runtime.recall import SECONDS, Recall, digest
from ladi.settings import (
    DECODED,
    RESULT_PIXELS,
    TryOnRequest,
    check_request,
    check_result_pixels,
    choose_sampling,
)
from ladi.types import (
    AskedCategory,
    Category,
    Finding,
    Garment,
    MaskRule,
    ModelError,
    PersonParts,
    Photo,
    Result,
    Size,
)
from ladi.weights.catalog import check_category, garment_background, mask_scheme, trained_categories

if TYPE_CHECKING:
    from ladi.diffusion.compare import Cell, Compared
    from ladi.diffusion.pipeline import LadiVtonPipeline
    from ladi.models.kind import GarmentKind
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
        kinds: GarmentKind | None = None,
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
            kinds: tells what a garment is; by its outline where there is none.
        """
        self.name = name
        self.running = running
        self._extras = extras or Extras()
        self._pipeline = pipeline
        self._parser = parser
        self._cleaner = GarmentCleaner(matting)
        self._kinds = kinds
        self._pose = PoseDetector()
        self._lock = threading.Lock()
        self._people: Recall[PersonParts] = Recall(
            seconds=min(remember, SECONDS),
            weigh=lambda person: person.photo.size[0] * person.photo.size[1],
            most=MAX_PIXELS,
        )
        self._garments: Recall[Garment] = Recall(seconds=min(remember, SECONDS))

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
    ) -> Engine:
        """Load a model and its helpers.

        Args:
            model: a name in ``ladi.weights.catalog.MODELS``, or a folder with a saved pipeline.
            device: ``cuda``, ``mps`` or ``cpu``; ``None`` takes the best there is.
            precision: see ``ladi.runtime.devices.choose_precision``.
            low_memory: see ``ladi.runtime.devices.place``.
            content_filter: see ``ladi.runtime.extras.load_extras``.
            fast_previews: likewise.
            remember: as above.

        Raises:
            ModelError: the model is unknown, incomplete or broken.
            SettingError: there is no such device, or it cannot compute in this precision.
        """
        running = choose_running(device, precision, low_memory=low_memory, large=is_large(model))
        pipeline, parser, matting = load_networks(model, running)
        extras = load_extras(
            pipeline, models=MODELS_FOLDER, content_filter=content_filter, fast_previews=fast_previews
        )
        return cls(
            pipeline,
            parser,
            matting,
            name=model,
            running=running,
            extras=extras,
            remember=remember,
            kinds=load_kinds(),
        )

    @property
    def size(self) -> Size:
        """Height and width of the model's pictures."""
        return self._pipeline.config.height, self._pipeline.config.width

    @property
    def defaults(self) -> tuple[int, float]:
        """The model's own number of steps and guidance scale."""
        return self._pipeline.config.default_steps, self._pipeline.config.default_guidance

    def prepare_person(
        self,
        photo: Photo,
        *,
        category: Category = "upper_body",
        mask_grow: int = 0,
        mask_rule: MaskRule = "worn",
        size: Size | None = None,
        mask: np.ndarray | None = None,
    ) -> PersonParts:
        """Find the person, frame them, and decide what is repainted.

        Args:
            photo: at any size.
            category: what the new garment is.
            mask_grow: pixels at the model's size by which the mask is grown; negative shrinks it.
            mask_rule: see ``ladi.types.MaskRule``.
            size: instead of the model's own.
            mask: (H,W) at the photo's size, in place of the automatic one.

        Raises:
            PersonError: nobody is there, or not in a way that can be dressed.
            MaskError: the given mask is empty or has another size.
        """
        size = size or self.size

        def find() -> PersonParts:
            self._check_upload(photo)
            looked_at, factor = shrink_photo(photo)
            # Before anybody is looked for: one that is too small is said to be just that.
            raise_errors(check_size(looked_at, "photo"))
            found = prepare_person(
                looked_at,
                self._pose.detect(looked_at.pixels),
                self._parser,
                category=category,
                size=size,
                trained_size=self.size,
                scheme=mask_scheme(self.name),
                mask_rule=mask_rule,
                mask_grow=mask_grow,
                shrunk=factor,
            )
            return in_photo(found, photo, factor)

        key = (digest(photo), category, mask_grow, mask_rule, size, self.name)
        person = self._people.get(key, find)
        return person if mask is None else with_mask(person, mask)

    def prepare_garment(
        self,
        photo: Photo,
        *,
        category: AskedCategory = "auto",
        clean: str = "auto",
        size: Size | None = None,
        use_anyway: bool = False,
    ) -> Garment:
        """Remove the background where that is needed, and fit the garment to the model's size.

        Args:
            photo: at any size.
            category: ``auto`` goes by the picture, and is a top where the model knows nothing else.
            clean: see ``TryOnRequest.clean_garment``.
            size: instead of the model's own.
            use_anyway: whatever seems to be wrong with it.

        Raises:
            GarmentError: there is no garment to be seen, or one that the model cannot paint.
            SettingError: an unknown way of cleaning.
        """
        size = size or self.size
        key = (digest(photo), category, clean, size, use_anyway, self.name)

        def cut() -> Garment:
            self._check_upload(photo)
            return cut_garment(
                photo,
                self._cleaner,
                self._pose,
                category=category,
                clean=clean,
                size=size,
                trained=trained_categories(self.name),
                background=garment_background(self.name),
                kinds=self._kinds,
                use_anyway=use_anyway,
            )

        return self._garments.get(key, cut)

    def _check_upload(self, photo: Photo) -> None:
        """Raises ContentError where the content filter does not want a picture."""
        if self._extras.content_filter is not None:
            self._extras.content_filter.check_upload(photo.pixels)

    def warm_up(self, *, wait: bool = False) -> None:
        """Import rembg in the background, for servers; its models can be used from then on."""
        self._cleaner.warm_up(wait=wait)

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
            cancelled: asked between all steps; yes stops the work.
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
        garment, person = self._prepare(request, stages)
        sampling = choose_sampling(settings, self.defaults)
        with self._lock:
            try:
                painted = paint(
                    self._pipeline,
                    person,
                    garment,
                    settings=settings,
                    sampling=sampling,
                    stages=stages,
                    preview=preview,
                    preview_decoder=self._extras.preview_decoder,
                    explain=explain,
                )
            finally:
                self._pipeline.maybe_free_model_hooks()
        with stages("paste"):
            conditions, layers = painted.conditions, painted.layers
            if settings.paste_back:
                layers = layers_of(
                    self._parser,
                    painted.pictures,
                    layers,
                    person=person,
                    garment=garment,
                    conditions=conditions,
                )
            by_hand = request.mask is not None
            images = finish(painted.pictures, layers, person, garment, conditions, settings, by_hand=by_hand)
            if self._extras.content_filter is not None:
                self._extras.content_filter.check_results(images)
        stages.done()
        return Result(
            images,
            *sampling,
            person=person,
            garment=garment,
            conditions=conditions,
            generated=painted.pictures,
            layers=layers,
            without_emasc=painted.without_emasc,
            findings=collect_findings(request, person, garment, own_size=self.size),
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
            requests: what a cell's ``conditions`` counts; one for each garment, say. The first one's seed,
                steps and guidance go to ``cells``; how each is put back is its own choice.
            cells: from seed, steps and guidance, with the model's defaults put in, to what is compared.
            progress: as in ``try_on``.
            cancelled: likewise.

        Raises:
            LadiError: as ``try_on``.
        """
        from ladi.diffusion.compare import Compared, check_cells, run_cells

        for request in requests:
            check_request(request)
        wanted = cells(*choose_sampling(requests[0].settings, self.defaults))
        check_cells(wanted)
        stages = Stages(progress, cancelled)
        prepared = [self._prepare(request, stages) for request in requests]
        with self._lock:
            try:
                with stages("conditions"), torch.no_grad():
                    conditions = [encode(self._pipeline, person, garment) for garment, person in prepared]
                with stages("denoise"):
                    report = partial(stages.within, "denoise")
                    pictures = run_cells(self._pipeline, conditions, wanted, progress=report)
            finally:
                self._pipeline.maybe_free_model_hooks()
        with stages("paste"):
            compared = []
            for made in pictures:
                which = made.cell.conditions
                garment, person = prepared[which]
                person = in_smaller_photo(person, RESULT_PIXELS // len(pictures))
                own = replace(requests[which].settings, switches=made.cell.switches)
                layers = None
                if own.paste_back:
                    layers = layers_of(
                        self._parser,
                        made.image,
                        made.layers,
                        person=person,
                        garment=garment,
                        conditions=conditions[which],
                    )
                by_hand = requests[which].mask is not None
                [image] = finish(made.image, layers, person, garment, conditions[which], own, by_hand=by_hand)
                compared.append(Compared(made.cell, image, made.seconds))
            if self._extras.content_filter is not None:
                self._extras.content_filter.check_results([one.image for one in compared])
        stages.done()
        return compared

    def _prepare(self, request: TryOnRequest, stages: Stages) -> tuple[Garment, PersonParts]:
        """Refuse what the model cannot do, then prepare both pictures."""
        check_category(request.category, model=self.name)
        size = request.settings.size
        with stages("garment"):
            garment = self.prepare_garment(
                request.garment,
                category=request.category,
                clean=request.clean_garment,
                size=size,
                use_anyway=request.use_anyway,
            )
        with stages("person"):
            person = self.prepare_person(
                request.person,
                category=garment.category,
                mask_grow=request.mask_grow,
                mask_rule=request.mask_rule,
                size=size,
                mask=request.mask,
            )
        return garment, person


def collect_findings(
    request: TryOnRequest, person: PersonParts, garment: Garment, *, own_size: Size
) -> tuple[Finding, ...]:
    """All there is to know about both pictures and how they were used, each thing once.

    Args:
        request: as it was asked.
        person: with its findings.
        garment: with its findings.
        own_size: the model's (height, width).
    """
    photos = (("The photo", request.person), ("The garment's picture", request.garment))
    found = [Finding("warning", DECODED, f"{name}: {note}") for name, photo in photos for note in photo.notes]
    if request.settings.size not in (None, own_size):
        height, width = own_size
        doubt = f"This model was trained at {height}x{width}; at other sizes its quality is untested."
        found.append(Finding("warning", "untested_size", doubt))
    return tuple(dict.fromkeys([*found, *person.findings, *garment.findings]))


class Shelf:
    """Engines by model name, each loaded once, when it is first asked for."""

    def __init__(self, names: Sequence[str], load: Callable[[str], Engine]) -> None:
        """Offer some models.

        Args:
            names: what may be asked for; others are refused, so that no visitor can have a folder loaded.
            load: makes the engine of a name.
        """
        self._names = tuple(names)
        self._load = load
        self._engines: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Engine:
        """The engine of a model; waits while it loads.

        Raises:
            ModelError: not one of the names, or it cannot be loaded.
        """
        if name not in self._names:
            raise ModelError(f"There is no model {name!r} here: choose {listed(self._names)}.")
        with self._lock:
            if name not in self._engines:
                self._engines[name] = self._load(name)
            return self._engines[name]
