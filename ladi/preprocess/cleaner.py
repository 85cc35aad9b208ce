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
import math
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from ladi.preprocess.background import (
    Background,
    drop_specks,
    look_at_background,
    matte_by_colour,
    without_background,
)
from ladi.preprocess.boxes import box_of
from ladi.preprocess.frame import crop_to_frame, to_tensor
from ladi.types import Frame, GarmentError, Photo, Size

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
# The network's answer is stretched so that its confident parts become wholly garment or wholly background.
_STRETCH = 0.1
# The second look shows the garment with some surroundings, and is taken where it makes the garment a quarter
# larger at least.
_CLOSE_SHARE = 0.8
_WORTH_A_SECOND_LOOK = 0.8


@dataclass(frozen=True)
class CutOut:
    """Which pixels of a photo are the garment."""

    matte: np.ndarray
    """(H,W) float32 in [0,1] at the photo's size, 1 = garment."""
    cleaned_by: str
    """``kept``, ``alpha`` (the file's transparency), ``embedded`` or the name of a rembg model."""


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
            matte = self._cleared(photo.pixels, background)
            if background.plain:
                # What differs from the plain colour is garment even where the network misses it.
                matte = np.maximum(matte, matte_by_colour(photo.pixels, background))
            return CutOut(drop_specks(matte), "kept")
        if method == "auto" and self.rembg_ready and model_file(LOCAL_MODELS[0]) is not None:
            return CutOut(self._by_rembg_model(photo, LOCAL_MODELS[0]), LOCAL_MODELS[0])
        return CutOut(drop_specks(self._cleared(photo.pixels, background)), "embedded")

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

    def _cleared(self, pixels: np.ndarray, background: Background) -> np.ndarray:
        """Our network's matte, without what is plainly background."""
        return without_background(self._embedded(pixels), pixels, background)

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


def predict_matte(matting: GarmentMatting, picture: Image.Image) -> Image.Image:
    """The matting network's answer as a grey picture of the same size, 255 = garment.

    Where the garment takes only a part of the picture, the network looks at that part once more, closer.
    """
    pixels = np.asarray(picture.convert("RGB"))
    size = (picture.height, picture.width)
    whole = whole_picture(size, matting.size)
    matte = _look(matting, pixels, whole)
    close = frame_around(matte, matting.size, share=_CLOSE_SHARE)
    if close is not None and close.height < _WORTH_A_SECOND_LOOK * whole.height:
        matte = _look(matting, pixels, close)
    return Image.fromarray(np.rint(matte * 255).astype(np.uint8))


def _look(matting: GarmentMatting, pixels: np.ndarray, frame: Frame) -> np.ndarray:
    """The network's matte (H,W) float32 of what lies in one window; zero outside it."""
    weight = next(matting.parameters())
    with torch.inference_mode():
        shown = to_tensor(crop_to_frame(pixels, frame)).to(device=weight.device, dtype=weight.dtype)
        answer = matting(shown).sigmoid()[0, 0].float().cpu().numpy()
    answer = np.clip((answer - _STRETCH) / (1 - 2 * _STRETCH), 0, 1)
    height, width = pixels.shape[:2]
    left, top = max(0, math.floor(frame.left)), max(0, math.floor(frame.top))
    right = min(width, math.ceil(frame.left + frame.width))
    bottom = min(height, math.ceil(frame.top + frame.height))
    corners = (
        np.array([left - frame.left, top - frame.top, right - frame.left, bottom - frame.top]) * frame.scale
    )
    box = tuple(np.clip(corners, 0, [frame.size[1], frame.size[0]] * 2).tolist())
    matte = np.zeros((height, width), np.float32)
    enlarged = Image.fromarray(answer).resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=box)
    matte[top:bottom, left:right] = np.clip(np.asarray(enlarged), 0, 1)
    return matte


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


def whole_picture(photo_size: Size, size: Size) -> Frame:
    """The smallest window of the model's proportions that holds the whole picture, centred."""
    height = max(photo_size[0], photo_size[1] * size[0] / size[1])
    width = height * size[1] / size[0]
    return Frame((photo_size[1] - width) / 2, (photo_size[0] - height) / 2, width, height, size)


def frame_around(matte: np.ndarray, size: Size, *, share: float, threshold: float = 0.5) -> Frame | None:
    """The window in which the garment takes a share of the height or width; nothing where there is none.

    Args:
        matte: (H,W) float in [0,1].
        size: The model's height and width, for the window's proportions.
        share: Of the window, taken by the garment's box on the side that fits more tightly.
        threshold: From which value a pixel counts as garment.
    """
    box = box_of(matte > threshold)
    if box is None:
        return None
    height = max(box.height, box.width * size[0] / size[1]) / share
    width = height * size[1] / size[0]
    return Frame((box.left + box.right - width) / 2, (box.top + box.bottom - height) / 2, width, height, size)
