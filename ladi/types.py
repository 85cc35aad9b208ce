"""The conventions, stated once, and the records that travel between the parts. It holds data only.

Images are float tensors ``(B,3,H,W)``, RGB in [-1,1]. Masks are ``(B,1,H,W)``, 1 = repaint. Pose maps are
``(B,18,H,W)`` in [0,1]. Sampling grids are ``(B,H,W,2)`` as (x,y) in [-1,1]. Sizes are ``(height, width)``.
Photographs, before they become tensors, are arrays in HWC uint8 RGB order. Keypoints are ``(18,3)`` float32:
x and y in pixels of the picture they were found in, and a confidence in [0,1]; an absent joint is (0,0,0).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import torch

Size = tuple[int, int]
"""(height, width) in pixels."""

Category = Literal["upper_body", "lower_body", "dresses"]
CATEGORIES: tuple[Category, ...] = ("upper_body", "lower_body", "dresses")

AskedCategory = Literal["auto", "upper_body", "lower_body", "dresses"]
"""``auto``: judged by the garment's picture."""

LabelScheme = Literal["lip", "dresscode"]
"""Which label numbers a parsing uses: LIP as in VITON-HD and our parser, or Dress Code's own."""

MaskRule = Literal["published", "worn"]
"""``published``: the datasets' rule. ``worn``: every worn garment that the new one covers goes too."""

Background = Literal["light", "white"]
"""What the garments of a model's training lie on."""

Layer = Literal["wall", "skin", "garment", "other"]
LAYERS: tuple[Layer, ...] = ("wall", "skin", "garment", "other")
"""What a pixel shows, in the order of the decoder's logits; ``other`` is hair, bags and all else."""

KEYPOINT_NAMES: tuple[str, ...] = (
    *("nose", "neck"),
    *("right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle"),
    *("left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
"""COCO/OpenPose order of the 18 joints, and so of the pose map's channels."""
JOINT = {name: index for index, name in enumerate(KEYPOINT_NAMES)}


def other_side(name: str) -> str:
    """The name of a joint or label in a mirror: ``left_arm`` for ``right_arm``, ``nose`` for itself."""
    side, _, part = name.partition("_")
    return f"{({'left': 'right', 'right': 'left'})[side]}_{part}" if side in ("left", "right") else name


MIRRORED_JOINTS = [JOINT[other_side(name)] for name in KEYPOINT_NAMES]
"""Which joint stands where in a mirror."""


class LadiError(ValueError):
    """Something the user can mend, said in one plain sentence: what is wrong and what to do."""

    turn: int = 0
    """Degrees to the right, where the refused picture would do once it is turned; as in ``Finding``."""

    def __str__(self) -> str:
        """The sentence, in one line whatever files are called that it quotes."""
        return in_one_line(super().__str__())


def in_one_line(text: str) -> str:
    """A text, or a file's name, as it can stand in a sentence, a table or a log, whatever its letters are."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


class PhotoError(LadiError):
    """A file that cannot be used as a picture."""


class PersonError(LadiError):
    """A photo in which the person to dress cannot be found or used."""


class GarmentError(LadiError):
    """A picture in which no garment can be found, or one that the model cannot paint."""


class SettingError(LadiError):
    """A setting outside its allowed range."""


class ModelError(LadiError):
    """A model that is unknown, incomplete or does not fit the request."""


class MaskError(LadiError):
    """A mask, drawn by hand or read from a file, that cannot be used."""


class ContentError(LadiError):
    """A picture, sent or painted, that the content filter keeps back."""


class PairsError(LadiError):
    """A table, folder or archive of pairs that cannot be used."""


class Cancelled(LadiError):
    """The user wanted a try-on to stop."""


@dataclass(frozen=True)
class Finding:
    """What a check has to say about a picture. An ``error`` stops the try-on, a ``warning`` does not."""

    level: Literal["error", "warning"]
    code: str
    """A stable short name, such as ``several_people``."""
    message: str
    """One sentence or two: what is wrong and what to do."""
    turn: int = 0
    """Degrees by which the picture should be turned to the right, where that is what to do."""


@dataclass(frozen=True)
class Photo:
    """A decoded picture: upright, sRGB, without metadata."""

    pixels: np.ndarray
    """(H,W,3) uint8 RGB."""
    alpha: np.ndarray | None = None
    """(H,W) uint8, 255 = opaque, where the file had transparency; ``pixels`` are then composed onto white."""
    notes: tuple[str, ...] = ()
    """What was done to the file that its owner should know, such as "only the first frame is used"."""

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]


@dataclass(frozen=True)
class Frame:
    """The 3:4 window that the model sees, in the photo's pixels; it may reach outside the photo."""

    left: float
    top: float
    width: float
    height: float
    size: Size
    """The model's (height, width) that the window is resized to."""
    angle: float = 0.0
    """Degrees by which the window is turned to the right about its middle, where the person leans."""

    @property
    def scale(self) -> float:
        """Model pixels per photo pixel."""
        return self.size[0] / self.height


@dataclass(frozen=True)
class PoseDetection:
    """What the pose detector found in one picture."""

    keypoints: np.ndarray
    """(18,3) float32, in the picture's pixels."""
    silhouette: np.ndarray
    """(H,W) float32 in [0,1], the person's outline at the picture's size."""
    people: int = 1
    """How many people the detectors agree on; 1 where they cannot tell."""
    facing: Literal["front", "back", "side"] = "front"
    hands: np.ndarray | None = None
    """(2,21,2), left and right hand's landmarks in pixels; zeros = not seen, ``None`` = not looked for."""
    jaw: np.ndarray | None = None
    """(21,2), the face's outline in pixels from ear to ear over the chin; ``None`` = not seen."""


@dataclass(frozen=True)
class PersonParts:
    """Everything the pipeline needs to know of the person, at the model's size."""

    photo: Photo
    frame: Frame
    image: torch.Tensor
    """(1,3,H,W) in [-1,1]."""
    mask: torch.Tensor
    """(1,1,H,W) in {0,1}, 1 = repaint."""
    pose_map: torch.Tensor
    """(1,18,H,W) in [0,1]."""
    keypoints: np.ndarray
    """(18,3), in pixels of the model's size."""
    labels: np.ndarray
    """(H,W) uint8, numbers of ``scheme``. LIP has two for the neck; here it is 20, never 10."""
    category: Category = "upper_body"
    scheme: LabelScheme = "lip"
    parser: str = "embedded"
    """Which network labelled the person: ``embedded`` or ``segformer``."""
    turned: int = 0
    """Degrees by which ``photo`` is the one that was given, turned to the right."""
    by_hand: bool = False
    """The mask is the user's own: all of it is painted, and nothing beyond."""
    findings: tuple[Finding, ...] = ()
    bare: np.ndarray | None = None
    """(H,W) bool, of ``mask``: forearms that are surely bare, the photo's where no sleeve covers them."""

    @property
    def masked_image(self) -> torch.Tensor:
        """The person with the repainted pixels at zero, mid-grey: (1,3,H,W)."""
        return self.image * (1 - self.mask)


@dataclass(frozen=True)
class Garment:
    """A garment picture, cleaned and fitted to the model's size."""

    image: torch.Tensor
    """(1,3,H,W) in [-1,1], on the background that the model was trained with."""
    matte: torch.Tensor
    """(1,1,H,W) in [0,1], 1 = garment."""
    category: Category = "upper_body"
    guessed: bool = False
    """The category was judged by the picture instead of given."""
    fine: torch.Tensor | None = None
    """(1,3,kH,kW) in [-1,1]: the same window at up to four times the size, for detail in large photos."""
    lining: torch.Tensor | None = None
    """(1,1,H,W) in [0,1], what was taken away of its inside; None where nothing was."""
    sleeve: float | None = None
    """How long its sleeves are, in [0,1] from the shoulder to the wrist; None where that is not known."""
    collar: bool = False
    """Whether a collar stands above its shoulders."""
    cleaned_by: str = "kept"
    """Which method removed the background: as ``ladi.preprocess.cleaner.CutOut`` says; ``kept`` for none."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Conditions:
    """What one person and one garment mean to the UNet, computed once and reused for many samplings.

    Everything has a leading batch axis B. The latents of masked person and garment are kept as the VAE's
    moments, because their random draws belong to the sampling's generator.
    """

    mask: torch.Tensor
    """(B,1,H,W)."""
    pose_map: torch.Tensor
    """(B,18,H,W)."""
    person_moments: torch.Tensor
    """(B,2L,h,w) mean and log-variance of the masked person's latent."""
    person_features: tuple[torch.Tensor, ...]
    """The encoder's features of the masked person, shallowest first, for EMASC."""
    garment_moments: torch.Tensor
    """(B,2L,h,w) of the warped and refined garment's latent."""
    garment_features: tuple[torch.Tensor, ...]
    """The encoder's features of the warped garment, shallowest first, for the garment skips."""
    prompt_embeds: torch.Tensor
    """(B,T,D) with pseudo-words."""
    plain_prompt_embeds: torch.Tensor
    """(B,T,D) of the same prompt without pseudo-words, for the switch."""
    negative_embeds: torch.Tensor
    """(B,T,D) of the empty prompt."""
    coarse_garment: torch.Tensor | None = None
    """(B,3,H,W) after the thin-plate spline."""
    warped_garment: torch.Tensor | None = None
    """(B,3,H,W) after refinement."""
    warp_grid: torch.Tensor | None = None
    """(B,H,W,2): where each pixel of ``coarse_garment`` comes from, (x,y) in [-1,1]."""
    warped_matte: torch.Tensor | None = None
    """(B,1,H,W) in [0,1]: where the warped garment lies, for models that are told."""


@dataclass(frozen=True)
class Result:
    """What a try-on gives back."""

    images: tuple[np.ndarray, ...]
    """(H,W,3) uint8 RGB each, at the photo's own size where pasted back, else at the model's."""
    seed: int
    """The first picture's seed; of the others see ``ladi.settings.picture_seed``."""
    steps: int
    guidance: float
    person: PersonParts
    garment: Garment
    conditions: Conditions
    generated: torch.Tensor
    """(B,3,H,W) in [-1,1], as decoded, before pasting back."""
    layers: torch.Tensor | None = None
    """(B,K,H,W) in [0,1], what each pixel of ``generated`` shows, in the order of ``LAYERS``: by the model
    itself, else by the parser, which is asked only where pictures are pasted back."""
    cut_outs: Callable[[], Mapping[Layer, np.ndarray]] | None = None
    """Makes the first picture's layers by themselves: (H',W',4) uint8 RGBA of the model's window, at the
    photo's size or near it; None where pictures are not pasted back."""
    without_emasc: torch.Tensor | None = None
    """(1,3,H,W), the first picture decoded without EMASC, where it was asked for and EMASC was on."""
    findings: tuple[Finding, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage, in order."""
