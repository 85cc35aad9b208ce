"""Photos in, photo out: the one place where photographs, networks and the device meet.

```
read photo ─► prepare_person ──┐
                               ├─► encode_conditions ─► denoise ─► decode ─► paste_back ─► Result
read photo ─► prepare_garment ─┘   └──────── the pipeline, one caller at a time ─────┘
```

An engine holds a model and nothing of its users: everything about a request travels in arguments and results,
so that any number of threads may call it. It decodes no files and shows nothing; the command and the page do.

Whatever pulls in diffusers or transformers is imported where it is used: that takes seconds, and the page is
served before the model is loaded.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from ladi.devices import Running, choose_running
from ladi.finish import finish
from ladi.preprocess.checks import check_garment, raise_errors
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.garment import fine_factor, fit_cut_out
from ladi.preprocess.person import prepare_person
from ladi.preprocess.pose import PoseDetector
from ladi.request import check_category, check_request, choose_category, collect_findings
from ladi.shelf import garment_background, is_large, load_networks, mask_scheme
from ladi.stages import Progress, Stages
from ladi.types import (
    AskedCategory,
    Category,
    Conditions,
    Garment,
    MaskRule,
    PersonParts,
    Photo,
    Result,
    Size,
    TryOnRequest,
)

if TYPE_CHECKING:
    from ladi.models.matting import GarmentMatting
    from ladi.pipeline import LadiVtonPipeline
    from ladi.preprocess.parsing import ParsingNetwork

MAX_SEED = 2**32 - 1


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
    ) -> None:
        """Put loaded parts together; ``Engine.load`` is the usual way.

        Args:
            pipeline: on its device already.
            parser: labels the person.
            matting: cuts out the garment.
            name: what the model is called in messages.
            running: where and how the pipeline computes, where that is known.
        """
        self.name = name
        self.running = running
        self._pipeline = pipeline
        self._parser = parser
        self._cleaner = GarmentCleaner(matting)
        self._pose = PoseDetector()
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        model: str = "mini",
        *,
        device: str | None = None,
        precision: str = "auto",
        low_memory: bool = False,
    ) -> Engine:
        """Load a model and its helpers.

        Args:
            model: a name in ``ladi.shelf.MODELS``, or a folder with a saved pipeline.
            device: ``cuda``, ``mps`` or ``cpu``; ``None`` takes the best there is.
            precision: see ``ladi.devices.choose_precision``.
            low_memory: see ``ladi.devices.place``.

        Raises:
            ModelError: the model is unknown, incomplete or broken.
            SettingError: there is no such device, or it cannot compute in this precision.
        """
        running = choose_running(device, precision, low_memory=low_memory, large=is_large(model))
        pipeline, parser, matting = load_networks(model, running)
        return cls(pipeline, parser, matting, name=model, running=running)

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
    ) -> PersonParts:
        """Find the person, frame them, and decide what is repainted.

        Args:
            photo: at any size.
            category: what the new garment is.
            mask_grow: pixels at the model's size by which the mask is grown; negative shrinks it.
            mask_rule: see ``ladi.types.MaskRule``.
            size: instead of the model's own.

        Raises:
            PersonError: nobody is there, or not in a way that can be dressed.
        """
        return prepare_person(
            photo,
            self._pose.detect(photo.pixels),
            self._parser,
            category=category,
            size=size or self.size,
            trained_size=self.size,
            scheme=mask_scheme(self.name),
            mask_rule=mask_rule,
            mask_grow=mask_grow,
        )

    def prepare_garment(
        self, photo: Photo, *, category: AskedCategory = "auto", clean: str = "auto", size: Size | None = None
    ) -> Garment:
        """Remove the background where that is needed, and fit the garment to the model's size.

        Args:
            photo: at any size.
            category: ``auto`` looks at the outline, and is a top where the model knows nothing else.
            clean: see ``TryOnRequest.clean_garment``.
            size: instead of the model's own.

        Raises:
            GarmentError: there is no garment to be seen.
            SettingError: an unknown way of cleaning.
        """
        cut_out = self._cleaner.cut_out(photo, clean)
        findings = check_garment(photo, cut_out.matte, person=self._pose.find(photo.pixels))
        raise_errors(findings)
        chosen, doubts = choose_category(category, photo.pixels, cut_out.matte, model=self.name)
        size = size or self.size
        fit = partial(
            fit_cut_out,
            photo,
            cut_out,
            category=chosen,
            background=garment_background(self.name),
            reframe=clean != "keep",
        )
        garment, factor = fit(size=size), fine_factor(photo.size, size)
        fine = fit(size=(factor * size[0], factor * size[1])).image if factor > 1 else None
        return replace(garment, fine=fine, guessed=category == "auto", findings=(*findings, *doubts))

    def warm_up(self, *, wait: bool = False) -> None:
        """Import rembg in the background, for servers; its models can be used from then on."""
        self._cleaner.warm_up(wait=wait)

    def try_on(self, request: TryOnRequest, *, progress: Progress | None = None) -> Result:
        """Dress the person in the garment.

        Args:
            request: photos and settings; never changed.
            progress: called with a stage's name and the share of the whole work that is done, from this
                thread.

        Raises:
            LadiError: in one sentence, whatever the user can mend.
        """
        check_request(request)
        check_category(request.category, model=self.name)
        settings = request.settings
        stages = Stages(progress)
        with stages("garment"):
            garment = self.prepare_garment(
                request.garment, category=request.category, clean=request.clean_garment, size=settings.size
            )
        with stages("person"):
            person = self.prepare_person(
                request.person,
                category=garment.category,
                mask_grow=request.mask_grow,
                mask_rule=request.mask_rule,
                size=settings.size,
            )
        seed = secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed
        steps = self.defaults[0] if settings.steps is None else settings.steps
        guidance = self.defaults[1] if settings.guidance is None else settings.guidance
        with self._lock:
            generated, conditions = self._sample(person, garment, request, (seed, steps, guidance), stages)
        with stages("paste"):
            images = finish(generated, person, garment, conditions, settings)
        stages.done()
        return Result(
            images=images,
            seed=seed,
            steps=steps,
            guidance=guidance,
            person=person,
            garment=garment,
            conditions=conditions,
            generated=generated,
            findings=collect_findings(request, person, garment, own_size=self.size),
            timings=stages.timings,
        )

    @torch.no_grad()
    def _sample(
        self,
        person: PersonParts,
        garment: Garment,
        request: TryOnRequest,
        settings: tuple[int, int, float],
        stages: Stages,
    ) -> tuple[torch.Tensor, Conditions]:
        """(B,3,H,W) in [-1,1] on the CPU, and the conditions; runs under the lock."""
        from ladi.sampling import Sampling, repeat_conditions

        pipeline, count, switches = self._pipeline, request.settings.pictures, request.settings.switches
        seed, steps, guidance = settings
        with stages("conditions"):
            conditions = pipeline.encode_conditions(
                person.image, person.mask, person.pose_map, garment.image, category=person.category
            )
        # On the CPU, so that a seed means the same picture on every device.
        generators = [torch.Generator("cpu").manual_seed(seed + index) for index in range(count)]

        def after_step(_: Any, step: int, __: Any, ___: Any) -> None:
            stages.within("denoise", (step + 1) / steps)

        with stages("denoise"):
            repeated = repeat_conditions(conditions, count)
            latents = pipeline.denoise(
                repeated,
                pipeline.prepare_latents(repeated, generators),
                Sampling(steps=steps, guidance=guidance, switches=switches),
                generator=generators,
                callback=after_step,
            )
        with stages("decode"):
            decoded = pipeline.decode(latents, repeated, switches)
            pipeline.maybe_free_model_hooks()
        return decoded.clamp(-1, 1).cpu(), conditions
