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
from typing import TYPE_CHECKING, Any

import torch

from ladi.preprocess.checks import check_garment, check_person, raise_errors
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.frame import (
    crop_to_frame,
    frame_person,
    keypoints_to_frame,
    paste_back,
    to_pixels,
    to_tensor,
)
from ladi.preprocess.garment import fit_cut_out
from ladi.preprocess.mask import grow_mask, inpaint_mask, mask_regions
from ladi.preprocess.pose import PoseDetector, pose_map
from ladi.request import check_request, collect_findings
from ladi.shelf import garment_background, load_networks
from ladi.stages import Progress, Stages
from ladi.types import (
    Category,
    Conditions,
    Garment,
    MaskRule,
    PersonError,
    PersonParts,
    Photo,
    Result,
    Size,
    TryOnRequest,
)

if TYPE_CHECKING:
    from ladi.models.matting import GarmentMatting
    from ladi.models.parser import HumanParser
    from ladi.pipeline import LadiVtonPipeline

MAX_SEED = 2**32 - 1


class Engine:
    """A model with everything around it that a photo needs."""

    def __init__(
        self,
        pipeline: LadiVtonPipeline,
        parser: HumanParser,
        matting: GarmentMatting,
        *,
        name: str = "mini",
    ) -> None:
        """Put loaded parts together; ``Engine.load`` is the usual way.

        Args:
            pipeline: on its device already.
            parser: labels the person.
            matting: cuts out the garment.
            name: what the model is called in messages.
        """
        self.name = name
        self._pipeline = pipeline
        self._parser = parser
        self._cleaner = GarmentCleaner(matting)
        self._pose = PoseDetector()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, model: str = "mini", *, device: str | None = None) -> Engine:
        """Load a model and its helpers.

        Args:
            model: a name in ``ladi.shelf.MODELS``, or a folder with a saved pipeline.
            device: ``cuda``, ``mps`` or ``cpu``; ``None`` takes the best there is.

        Raises:
            ModelError: the model is unknown, incomplete or broken.
            SettingError: there is no such device.
        """
        pipeline, parser, matting = load_networks(model, device)
        return cls(pipeline, parser, matting, name=model)

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
    ) -> PersonParts:
        """Find the person, frame them, and decide what is repainted.

        Args:
            photo: at any size.
            category: what the new garment is.
            mask_grow: pixels at the model's size by which the mask is grown; negative shrinks it.
            mask_rule: see ``ladi.types.MaskRule``.

        Raises:
            PersonError: nobody is there, or not in a way that can be dressed.
        """
        from ladi.preprocess.parsing import parse_person

        detection = self._pose.detect(photo.pixels)
        findings = check_person(photo, detection)
        raise_errors(findings)
        frame = frame_person(photo.size, detection, category, self.size)
        image = to_tensor(crop_to_frame(photo.pixels, frame))  # [1,3,H,W]
        keypoints = keypoints_to_frame(detection.keypoints, frame)
        joints = pose_map(keypoints, self.size)  # [1,18,H,W]
        silhouette = torch.from_numpy(crop_to_frame(detection.silhouette, frame))[None, None]
        labels = parse_person(self._parser, image, joints, silhouette)
        where: dict[str, Any] = {"category": category, "scheme": "lip", "rule": mask_rule}
        fixed = mask_regions(labels, keypoints, **where).fixed
        mask = grow_mask(inpaint_mask(labels, keypoints, **where), mask_grow, keep=fixed)
        if not mask.any():
            raise PersonError(
                "No clothing that this garment could replace was found; use a photo that shows it."
            )
        return PersonParts(
            photo=photo,
            frame=frame,
            image=image,
            mask=torch.from_numpy(mask)[None, None].float(),
            pose_map=joints,
            keypoints=keypoints,
            labels=labels,
            category=category,
            findings=tuple(findings),
        )

    def prepare_garment(
        self, photo: Photo, *, category: Category = "upper_body", clean: str = "auto"
    ) -> Garment:
        """Remove the background where that is needed, and fit the garment to the model's size.

        Raises:
            GarmentError: there is no garment to be seen.
            SettingError: an unknown way of cleaning.
        """
        cut_out = self._cleaner.cut_out(photo, clean)
        findings = check_garment(photo, cut_out.matte, person=self._pose.find(photo.pixels))
        raise_errors(findings)
        garment = fit_cut_out(
            photo,
            cut_out,
            size=self.size,
            category=category,
            background=garment_background(self.name),
            reframe=clean != "keep",
        )
        return replace(garment, findings=tuple(findings))

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
        settings = request.settings
        stages = Stages(progress)
        with stages("person"):
            person = self.prepare_person(
                request.person,
                category=request.category,
                mask_grow=request.mask_grow,
                mask_rule=request.mask_rule,
            )
        with stages("garment"):
            garment = self.prepare_garment(
                request.garment, category=request.category, clean=request.clean_garment
            )
        seed = secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed
        steps = self.defaults[0] if settings.steps is None else settings.steps
        guidance = self.defaults[1] if settings.guidance is None else settings.guidance
        with self._lock:
            generated, conditions = self._sample(person, garment, request, (seed, steps, guidance), stages)
        with stages("paste"):
            images = tuple(to_pixels(picture) for picture in generated)
            if settings.paste_back:
                mask = person.mask[0, 0].numpy()
                images = tuple(
                    paste_back(request.person, image, mask, person.frame, feather=settings.feather)
                    for image in images
                )
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
            findings=collect_findings(request, person, garment, model=self.name),
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
                person.image, person.mask, person.pose_map, garment.image, category=request.category
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
