"""Photos prepared for one model: judged, framed, cut out, and the last few of them remembered for minutes.

It brings the steps of ``preprocess/`` together with the detectors and networks that they ask, and with what
the model was trained on. What becomes of a prepared pair is ``painter.py``'s.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ladi.preprocess.checks import check_pixels
from ladi.preprocess.cleaner import GarmentCleaner
from ladi.preprocess.findings import finding, raise_errors
from ladi.preprocess.fringes import trimmed
from ladi.preprocess.garment import cut_garment
from ladi.preprocess.large import in_photo, shrink_photo
from ladi.preprocess.lining import without_lining
from ladi.preprocess.person import prepare_person, with_mask
from ladi.preprocess.pose import PoseDetector
from ladi.preprocess.sleeves import sleeve_length
from ladi.preprocess.turning import degrees_to_upright, detect_upright, turn_photo
from ladi.progress import Stages
from ladi.runtime.loading import GarmentNetworks
from ladi.runtime.recall import SECONDS, Recall, Room, bytes_of, digest
from ladi.settings import TryOnRequest
from ladi.types import AskedCategory, Category, Garment, MaskRule, PersonParts, Photo, Size
from ladi.weights.catalog import check_category, garment_background, mask_scheme, trained_categories

if TYPE_CHECKING:
    from ladi.models.matting import GarmentMatting
    from ladi.preprocess.parsing import ParsingNetwork
    from ladi.runtime.content import ContentFilter


_USUAL: Category = "upper_body"
"""What a garment is thought to be until its picture has been looked at."""


class Prepared(NamedTuple):
    """Both sides of one request, ready for the networks."""

    person: PersonParts
    garment: Garment


class Preparation:
    """What prepares photos for one model; any number of threads may ask it."""

    def __init__(
        self,
        model: str,
        size: Size,
        parser: ParsingNetwork,
        matting: GarmentMatting,
        *,
        garment_networks: GarmentNetworks | None = None,
        content_filter: ContentFilter | None = None,
        remember: float = SECONDS,
        room: Room | None = None,
        long_coats: bool = False,
    ) -> None:
        """Start with nothing remembered.

        Args:
            model: its name, by which the catalog knows what it was trained on.
            size: its own (height, width).
            parser: labels the person.
            matting: cuts out the garment.
            garment_networks: measure garments that have been cut out.
            content_filter: looks at photos before anything else does.
            remember: seconds for which prepared photos are kept, at most ``recall.SECONDS``.
            room: how many are kept, of people and of garments each.
            long_coats: the model was trained on windows that are wide enough for them.
        """
        self._long_coats = long_coats
        self._model = model
        self._size = size
        self._parser = parser
        self._cleaner = GarmentCleaner(matting)
        self._garment_networks = garment_networks or GarmentNetworks()
        self._filter = content_filter
        self._detector = PoseDetector()
        room = room or Room()
        keeping: dict[str, Any] = {
            "kept": room.kept,
            "seconds": min(remember, SECONDS),
            "weigh": bytes_of,
            "most": room.most,
            "elsewhere": room.elsewhere,
        }
        self._people: Recall[PersonParts] = Recall(**keeping)
        self._garments: Recall[Garment] = Recall(**keeping)

    def prepare(self, request: TryOnRequest, stages: Stages) -> Prepared:
        """Refuse what the model cannot do, then prepare both pictures at once; a garment's faults come first.

        What kind of garment it is decides which window of the photo is taken and what is repainted. It is
        nearly always a top; if it is not, the person is looked at once more.
        """
        check_category(request.category, model=self._model)
        size, mask = request.settings.size, request.mask
        if mask is not None and request.invert_mask:
            mask = mask == 0
        look = partial(
            self.person,
            request.person,
            mask_grow=request.mask_grow,
            mask_rule=request.mask_rule,
            size=size,
            mask=mask,
            turn=request.turn,
        )
        likely: Category = _USUAL if request.category == "auto" else request.category
        with ThreadPoolExecutor(1, "person") as beside:
            person = beside.submit(look, category=likely)
            with stages("garment"):
                garment = self.garment(
                    request.garment,
                    category=request.category,
                    clean=request.clean_garment,
                    size=size,
                    use_anyway=request.use_anyway,
                    turn=request.turn,
                )
            with stages("person"):
                found = person.result() if garment.category == likely else look(category=garment.category)
        return Prepared(found, garment)

    def person(
        self,
        photo: Photo,
        *,
        category: Category,
        mask_grow: int,
        mask_rule: MaskRule,
        size: Size | None,
        mask: np.ndarray | None,
        turn: bool,
    ) -> PersonParts:
        """The person; arguments and errors are ``Engine.prepare_person``'s."""
        size = size or self._size

        def find() -> PersonParts:
            self._check_upload(photo)
            looked_at, factor = shrink_photo(photo)
            # First of all, so that a photo that is too small is refused as that, and not as one of nobody.
            raise_errors(check_pixels(looked_at, "photo"))
            degrees = degrees_to_upright(self._detector, looked_at.pixels) if turn else 0
            upright = turn_photo(photo, degrees)
            looked_at, factor = shrink_photo(upright)
            found = prepare_person(
                looked_at,
                detect_upright(self._detector, looked_at.pixels),
                self._parser,
                category=category,
                size=size,
                trained_size=self._size,
                scheme=mask_scheme(self._model),
                mask_rule=mask_rule,
                mask_grow=mask_grow,
                shrunk=factor,
                long_coats=self._long_coats,
            )
            if degrees:
                told = (finding("person_turned", turn=degrees), *found.findings)
                found = replace(found, turned=degrees, findings=told)
            return in_photo(found, upright, factor)

        key = ("person", digest(photo), category, mask_grow, mask_rule, size, turn)
        person = self._people.get(key, find)
        return person if mask is None else with_mask(person, mask)

    def garment(
        self,
        photo: Photo,
        *,
        category: AskedCategory,
        clean: str,
        size: Size | None,
        use_anyway: bool,
        turn: bool,
    ) -> Garment:
        """The garment, cut out and fitted; arguments and errors are ``Engine.prepare_garment``'s."""
        size = size or self._size

        def cut() -> Garment:
            self._check_upload(photo)
            garment = cut_garment(
                photo,
                self._cleaner,
                self._detector,
                category=category,
                clean=clean,
                size=size,
                trained=trained_categories(self._model),
                background=garment_background(self._model),
                use_anyway=use_anyway,
                turn=turn,
            )
            if garment.category == "lower_body":
                return garment
            if self._garment_networks.sleeves is not None and garment.sleeve is None:
                garment = replace(garment, sleeve=sleeve_length(self._garment_networks.sleeves, garment))
            # With "keep" the picture is used as it is: neither lining nor rim is taken away.
            if self._garment_networks.lining is not None and clean != "keep":
                garment = without_lining(self._garment_networks.lining, garment)
                if garment.cleaned_by == "kept":
                    garment = trimmed(garment)
            return garment

        key = ("garment", digest(photo), category, clean, size, use_anyway, turn)
        return self._garments.get(key, cut)

    def _check_upload(self, photo: Photo) -> None:
        """Raises ContentError where the content filter does not want a picture."""
        if self._filter is not None:
            self._filter.check_upload(photo.pixels)

    def warm_up(self, *, wait: bool) -> None:
        """Import rembg in the background; its models can be used from then on."""
        self._cleaner.warm_up(wait=wait)
