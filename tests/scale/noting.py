"""The page's fake engine as a replica loads it: it writes down, for all processes, what it does."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ladi.runtime.recall import Room
from ladi.settings import TryOnRequest
from ladi.types import ModelError, PersonError, PersonParts, Photo, Result
from tests.ui.fake import FakeEngine

DEADLY, NOBODY = 13, 14
"""The first number of a garment that no process survives, and of a photo without a person."""
KEEN = 0.02
"""Seconds of a step."""


class Note(NamedTuple):
    """What was done, by which process, to which photo, when."""

    what: str
    process: int
    photo: int
    """Its first number."""
    at: float


class NotingEngine(FakeEngine):
    def __init__(self, diary: Path, steps: int, pause: float) -> None:
        super().__init__()
        self._diary, self.steps, self.pause = diary, steps, pause

    def note(self, what: str, photo: Photo) -> None:
        (self._diary / f"{what}-{os.getpid()}-{photo.pixels[0, 0, 0]}-{secrets.token_hex(6)}").touch()

    def try_on(self, request: TryOnRequest, **more: Any) -> Result:
        self.note("begun", request.person)
        try:
            if request.person.pixels[0, 0, 0] == NOBODY:
                raise PersonError("No person found in this photo.")
            if request.garment.pixels[0, 0, 0] == DEADLY:
                os._exit(1)
            return super().try_on(request, **more)
        finally:
            self.note("ended", request.person)

    def prepare_person(self, photo: Photo, **how: Any) -> PersonParts:
        self.note("looked", photo)
        return super().prepare_person(photo, **how)

    def warm_up(self) -> None:
        """There is nothing."""


def load(room: Room, *, diary: str, steps: int = 15, pause: float = KEEN) -> NotingEngine:
    return NotingEngine(Path(diary), steps, pause)


def load_for_page(room: Room, *, model: str, running: dict[str, Any], diary: str) -> NotingEngine:
    """In place of ``ladi.scale.fleet.load_engine``."""
    assert model == "mini" and running["remember"] == 7 * 60 and running["fast_previews"] is False
    return load(room, diary=diary)


def refuse(room: Room) -> NotingEngine:
    raise ModelError("There is no model 'broken' here: choose mini.")


def read(diary: Path, what: str = "begun") -> list[Note]:
    """In order."""
    notes = []
    for path in diary.glob(f"{what}-*"):
        done, process, photo, _ = path.name.split("-")
        notes.append(Note(done, int(process), int(photo), path.stat().st_mtime))
    return sorted(notes, key=lambda note: note.at)


def at_work(diary: Path) -> list[Note]:
    """What has begun and not ended, of processes that live."""
    left = read(diary)
    for note in read(diary, "ended"):
        same = [one for one in left if one[1:3] == note[1:3]]
        left.remove(same[0])
    return [note for note in left if Path(f"/proc/{note.process}").exists()]


def until(told: Callable[[], Any], seconds: float = 180.0) -> Any:
    """What is told once it is something."""
    end = time.monotonic() + seconds
    while not (found := told()) and time.monotonic() < end:
        time.sleep(0.02)
    assert found, "it never came"
    return found
