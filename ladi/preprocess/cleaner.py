"""Find out which pixels of a picture are the garment.

Four ways, tried in this order unless one is asked for: the file's own transparency; a shop's near-white
background, which stays as photographed; a rembg model that lies on this machine; our matting network, as a
rembg session or, until rembg is imported (which can take more than a minute), by itself with the same result.
Nothing here downloads, uploads or waits for that import. It does not judge whether the picture shows a
garment (``checks.py``) and composes no new picture (``garment.py``).
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ladi.preprocess.background import (
    drop_specks,
    look_at_background,
    made_solid,
    matte_by_colour,
    without_background,
)
from ladi.preprocess.fringes import without_fringe
from ladi.preprocess.matte_edges import is_sure, settle_matte
from ladi.preprocess.matting import predict_in_mirror, predict_matte, predict_turned
from ladi.preprocess.sleeve_gaps import without_sleeve_gaps
from ladi.types import GarmentError, Photo

if TYPE_CHECKING:
    from ladi.models.matting import GarmentMatting

LOGGER = logging.getLogger(__name__)

LOCAL_MODELS: tuple[str, ...] = (
    "isnet-general-use",
    "birefnet-general",
    "birefnet-general-lite",
    "u2net",
    "u2netp",
    "silueta",
)
"""The rembg models that may be named. The first is used unasked where its file is present."""
UPLOADING_MODELS: tuple[str, ...] = ("withoutbg", "atlascloud")
"""rembg's names for services to which it would upload the picture: never used."""

# A transparency that leaves this much of the picture opaque only rounds its corners.
_WHOLLY_OPAQUE = 0.98


@dataclass(frozen=True)
class CutOut:
    """Which pixels of a photo are the garment."""

    matte: np.ndarray
    """(H,W) float32 in [0,1] at the photo's size, 1 = garment."""
    cleaned_by: str
    """``kept`` (a shop's background stays, or the picture was to be used as it is), ``alpha`` (the file's
    transparency), ``embedded`` (our network) or the name of a rembg model."""
    answer: np.ndarray | None = None
    """(H,W) float32 in [0,1], what our network said to the picture, where it was asked."""


class GarmentCleaner:
    """Finds the garment in a picture. One object serves many threads."""

    def __init__(self, matting: GarmentMatting) -> None:
        """Take the matting network, on whichever device it is to run."""
        self._matting = matting
        self._lock = threading.Lock()
        self._import: threading.Thread | None = None
        self._rembg: Any = None
        self._sessions: dict[str, Any] = {}

    @property
    def rembg_ready(self) -> bool:
        """Whether rembg has been imported, so that its models can be used."""
        return self._rembg is not None

    def warm_up(self, *, wait: bool = False) -> None:
        """Import rembg in a background thread, once.

        Args:
            wait: Return only when it is done. For a command that was told to use a rembg model, not for a
                server.
        """
        with self._lock:
            if self._import is None:
                self._import = threading.Thread(target=self._import_rembg, name="import-rembg", daemon=True)
                self._import.start()
        if wait:
            self._import.join()

    def cut_out(self, photo: Photo, method: str = "auto") -> CutOut:
        """Find the garment.

        Args:
            photo: The garment's picture.
            method: ``auto``; ``keep`` to use the picture as it is; ``embedded`` for our network; or one of
                ``LOCAL_MODELS``.

        Raises:
            GarmentError: The method is unknown, would upload the picture, or is not on this machine (yet).
        """
        if method not in ("auto", "keep", "embedded"):
            return CutOut(self._by_rembg_model(photo, method), method)
        if method != "embedded" and _has_shape(photo.alpha):
            assert photo.alpha is not None
            return CutOut(photo.alpha.astype(np.float32) / 255, "alpha")
        background = look_at_background(photo.pixels)
        if method == "keep" or (method == "auto" and background.near_white):
            answer = self._embedded(photo.pixels)
            matte = without_background(answer, photo.pixels, background)
            if background.plain:
                # What differs from the plain colour is garment even where the network misses it.
                matte = np.maximum(matte, matte_by_colour(photo.pixels, background, answer))
                matte = without_sleeve_gaps(matte, photo.pixels, background)
            matte = drop_specks(matte)
            if background.near_white:
                matte = made_solid(matte, photo.pixels, background)
            return CutOut(matte, "kept", answer)
        if method == "auto" and self.rembg_ready and model_file(LOCAL_MODELS[0]) is not None:
            return CutOut(self._by_rembg_model(photo, LOCAL_MODELS[0]), LOCAL_MODELS[0])
        answer = self._embedded(photo.pixels)
        matte = drop_specks(without_background(answer, photo.pixels, background))
        return CutOut(matte, "embedded", answer)

    def settle(self, cut_out: CutOut, pixels: np.ndarray) -> CutOut:
        """A cut-out of our network's with its outline settled by colours, others as they are.

        Args:
            cut_out: of all of the picture.
            pixels: (H,W,3) uint8, the same picture.
        """
        if cut_out.cleaned_by != "embedded":
            return cut_out
        upright = predict_in_mirror(self._matting, pixels, cut_out.answer)
        matte = drop_specks(without_background(upright, pixels, look_at_background(pixels)))
        if not is_sure(matte):
            # What it finds upright it may have learnt as a place; so it looks from all sides too.
            turned = predict_turned(self._matting, pixels)
            matte = settle_matte(matte, (upright + 3 * turned) / 4, pixels)
        return replace(cut_out, matte=drop_specks(without_fringe(matte, pixels)))

    def _import_rembg(self) -> None:
        try:
            rembg = importlib.import_module("rembg")
            base = importlib.import_module("rembg.sessions.base").BaseSession
        except (ImportError, OSError, SystemExit) as error:
            # rembg ends the process where onnxruntime is missing; in this thread that is only a missing
            # extra.
            LOGGER.warning("rembg cannot be imported, the matting network runs by itself: %s", error)
            return
        self._sessions["embedded"] = _as_session(base, self._matting)
        self._rembg = rembg
        LOGGER.info("rembg is imported")

    def _embedded(self, pixels: np.ndarray) -> np.ndarray:
        """Our network's matte, through rembg where that is imported; the same numbers either way."""
        picture = Image.fromarray(pixels)
        if self._rembg is not None:
            mask = self._rembg.remove(picture, session=self._sessions["embedded"], only_mask=True)
        else:
            mask = predict_matte(self._matting, picture)
        return np.asarray(mask, np.float32) / 255

    def _by_rembg_model(self, photo: Photo, name: str) -> np.ndarray:
        if name in UPLOADING_MODELS:
            raise GarmentError(
                f'"{name}" would upload your picture to a service and is never used; choose "auto".'
            )
        if name not in LOCAL_MODELS:
            allowed = ", ".join(("auto", "keep", "embedded", *LOCAL_MODELS))
            raise GarmentError(f'The background remover must be one of {allowed}, got "{name}".')
        if model_file(name) is None:
            raise GarmentError(
                f'The background model "{name}" is not on this machine: put {name}.onnx into the folder that '
                'U2NET_HOME names, or choose "auto".'
            )
        if self._import is not None and not self._import.is_alive() and self._rembg is None:
            raise GarmentError(f'"{name}" needs rembg, which cannot be imported here; choose "auto".')
        if self._rembg is None:
            self.warm_up()
            raise GarmentError(
                f'"{name}" is still being loaded, which takes a minute or two the first time: try again '
                'later, or choose "auto".'
            )
        mask = self._rembg.remove(Image.fromarray(photo.pixels), session=self._session(name), only_mask=True)
        return drop_specks(np.asarray(mask.convert("L"), np.float32) / 255)

    def _session(self, name: str) -> Any:
        with self._lock:
            if name not in self._sessions:
                try:
                    self._sessions[name] = self._rembg.new_session(name)
                except Exception as error:
                    # onnxruntime's errors share no base class that can be named without importing it.
                    raise GarmentError(
                        f'The file of the background model "{name}" cannot be loaded; replace it, or '
                        'choose "auto".'
                    ) from error
            return self._sessions[name]


def model_file(name: str) -> Path | None:
    """Where the file of a rembg model lies, looked up as rembg does; nothing if it is absent."""
    named = os.environ.get("U2NET_HOME")
    data = os.environ.get("XDG_DATA_HOME")
    legacy = Path(named or (Path(data or "~") / ".u2net")).expanduser()
    default = Path(data) / "rembg" if data else Path("~/.rembg")
    home = Path(named or os.environ.get("REMBG_HOME") or default).expanduser()
    file = f"{name}.onnx"
    return next((path for path in (home / "models" / name / file, legacy / file) if path.is_file()), None)


def _as_session(base: Any, matting: GarmentMatting) -> Any:
    """Our network as a session of rembg's ``BaseSession``, which cannot be named before rembg is imported."""

    class EmbeddedSession(base):
        def __init__(self) -> None:
            # Not the base's: it would look for an onnx file to run.
            self.model_name = self.name()

        def predict(self, img: Image.Image, *args: Any, **kwargs: Any) -> list[Image.Image]:
            return [predict_matte(matting, img)]

        @classmethod
        def name(cls, *args: Any, **kwargs: Any) -> str:
            return "embedded"

    return EmbeddedSession()


def _has_shape(alpha: np.ndarray | None) -> bool:
    """Whether a transparency shows a garment, rather than rounded corners or nothing at all."""
    if alpha is None:
        return False
    opaque = float((alpha > 127).mean())
    return 0 < opaque < _WHOLLY_OPAQUE
