"""An engine without networks for tests of the page; it imports neither the page nor a network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ladi.settings import TryOnRequest, check_request
from ladi.types import Cancelled, Conditions, Finding, Frame, Garment, PersonParts, Photo, Result

SIZE = (32, 24)


def parts_of(photo: Photo) -> PersonParts:
    """A person in grey, with a box to repaint, in the middle of a window as large as the photo."""
    mask = torch.zeros(1, 1, *SIZE)
    mask[:, :, 8:24, 6:18] = 1
    grey = torch.zeros(1, 3, *SIZE)
    # One pixel of the photo in every picture: Gradio names files by their content, and would write one
    # visitor's anew while the other reads it.
    grey[0, :, 1, 1] = torch.from_numpy(photo.pixels[0, 0] / 510.0).float()
    height, width = photo.size
    return PersonParts(
        photo,
        Frame(0, 0, width, height, SIZE),
        grey,
        mask,
        torch.zeros(1, 18, *SIZE),
        np.zeros((18, 3), np.float32),
        np.zeros(SIZE, np.uint8),
    )


class FakeEngine:
    """Inverts the person's colours, slowly enough that visitors overlap; refuses what the engine does."""

    def __init__(self) -> None:
        self.requests: list[TryOnRequest] = []
        self.error: Exception | None = None
        self.running = 0
        self.most_at_once = 0
        self.steps, self.pause = 4, 0.02
        self.looks: list[dict[str, Any]] = []
        self.clothes: list[dict[str, Any]] = []
        self.findings: dict[int, tuple[Finding, ...]] = {}
        self._count = threading.Lock()

    defaults = (5, 2.0)

    def try_on(
        self,
        request: TryOnRequest,
        *,
        progress: Callable[[str, float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        preview: Callable[[np.ndarray], None] | None = None,
        explain: bool = False,
    ) -> Result:
        check_request(request)
        with self._count:
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            return self._answer(request, progress, cancelled, preview)
        finally:
            with self._count:
                self.running -= 1

    def prepare_person(self, photo: Photo, **how: Any) -> PersonParts:
        self.looks.append(how)
        if self.error is not None:
            raise self.error
        return parts_of(photo)

    def prepare_garment(self, photo: Photo, **how: Any) -> Garment:
        self.clothes.append(how)
        return Garment(torch.zeros(1, 3, *SIZE), torch.ones(1, 1, *SIZE), guessed=True)

    def compare(self, requests: Any, cells: Any, **how: Any) -> list[Any]:
        from ladi.diffusion.compare import Compared  # late: it takes seconds, in each process of a cluster

        self.requests += requests
        if self.error is not None:
            raise self.error
        made = []
        for cell in cells(7, 5, 2.0):
            request = requests[cell.request_index]
            picture = request.person.pixels // (cell.steps + 1)
            picture[0, 0] = request.garment.pixels[0, 0]
            made.append(Compared(cell, picture, 0.5, self.findings.get(cell.request_index, ())))
        return made

    def _answer(self, request: TryOnRequest, progress: Any, cancelled: Any, preview: Any) -> Result:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        for step in range(self.steps):
            time.sleep(self.pause)
            if cancelled is not None and cancelled():
                raise Cancelled("Stopped before it was done; nothing was changed.")
            if preview is not None:
                preview(np.full((*SIZE, 3), 9, np.uint8))
            if progress is not None:
                progress("denoise", step / self.steps)
        settings = request.settings
        person, nothing = parts_of(request.person), torch.zeros(1)
        grey, mask = person.image, person.mask
        conditions = Conditions(
            mask, nothing, nothing, (), nothing, (), nothing, nothing, nothing, grey, grey + 0.5
        )
        return Result(
            images=tuple((255 - request.person.pixels) // share for share in range(1, settings.pictures + 1)),
            seed=7 if settings.seed is None else settings.seed,
            steps=settings.steps or 5,
            guidance=settings.guidance or 2.0,
            person=person,
            garment=Garment(grey, mask),
            conditions=conditions,
            generated=grey,
            findings=(Finding("warning", "blurred", "The photo is blurred; a sharper one <works> better."),),
            timings={"person": 0.5, "denoise": 1.0},
        )
