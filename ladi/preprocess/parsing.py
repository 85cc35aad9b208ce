"""Human parsing of a framed photo: tensors in, labels out.

It runs whichever network there is and translates its labels; which of them are repainted is ``mask.py``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch
from torch.nn import functional

from ladi.models.parser import HumanParser
from ladi.preprocess.coherent import agree, likeliest
from ladi.preprocess.frame import to_pixels
from ladi.preprocess.labels import LIP, MIRRORED_LIP, to_scheme
from ladi.preprocess.mask import below_shoulder_line
from ladi.preprocess.segformer import segment
from ladi.types import MIRRORED_JOINTS, LabelScheme

if TYPE_CHECKING:
    from transformers import SegformerForSemanticSegmentation

    ParsingNetwork: TypeAlias = HumanParser | SegformerForSemanticSegmentation


class Parsing(NamedTuple):
    """A labelled person."""

    labels: np.ndarray
    """(H,W) uint8."""
    scheme: LabelScheme
    parser: str
    """Which network it was: ``embedded`` or ``segformer``."""
    shares: np.ndarray | None = None
    """(C,H,W) float32 in [0,1], the embedded network's probabilities of LIP's first C labels."""


@torch.no_grad()
def parse_person(
    parser: ParsingNetwork,
    image: torch.Tensor,
    pose_map: torch.Tensor,
    silhouette: torch.Tensor,
    *,
    coherent: bool = False,
    lower: float = 1.0,
) -> Parsing:
    """Labels every pixel of a framed person, in the network's own scheme.

    Args:
        parser: the network.
        image: (1,3,H,W) in [-1,1].
        pose_map: (1,18,H,W) in [0,1]; SegFormer does not look at it.
        silhouette: (1,1,H,W) in [0,1]; likewise.
        coherent: let the embedded network's labels agree where colours do, see ``coherent.py``.
        lower: by how much trousers and skirts are then less likely, beside tops, than the network says.

    Returns:
        Labels at the image's size.
    """
    if not isinstance(parser, HumanParser):
        return Parsing(segment(parser, image).numpy(), "dresscode", "segformer")
    size = image.shape[-2:]
    inputs = [
        functional.interpolate(tensor.float(), parser.size, mode="bilinear", antialias=True)
        for tensor in (image, silhouette, pose_map)
    ]
    device = next(parser.parameters()).device
    # A network that is right in the mirror too is right more often: both are asked.
    image, outline, joints = (tensor.to(device) for tensor in inputs)
    mirror = image.flip(-1), outline.flip(-1), joints.flip(-1)[:, MIRRORED_JOINTS]
    both = (torch.cat(pair) for pair in zip((image, outline, joints), mirror, strict=True))
    seen, mirrored = parser(*both).float().softmax(1)
    sides = torch.from_numpy(MIRRORED_LIP[: len(seen)]).to(device).long()
    shares = ((seen + mirrored.flip(-1)[sides]) / 2).cpu()

    def enlarged(values: torch.Tensor) -> np.ndarray:
        return functional.interpolate(values[None], size, mode="bilinear", align_corners=False)[0].numpy()

    large = enlarged(shares)
    if not coherent:
        return Parsing(large.argmax(0).astype(np.uint8), "lip", "embedded", large)
    field = agree(shares.numpy(), to_pixels(inputs[0]), lower=lower)
    return Parsing(likeliest(enlarged(torch.from_numpy(field)), large), "lip", "embedded", large)


def translate(parsing: Parsing, scheme: LabelScheme, keypoints: np.ndarray) -> np.ndarray:
    """A parsing's labels in the scheme that a mask rule wants.

    Dress Code's head includes the neck, which LIP's rule repaints while it keeps the face: the head below the
    shoulder line, as Dress Code's own rule draws it, becomes LIP's neck.

    Args:
        parsing: in either scheme.
        scheme: the wanted one.
        keypoints: (18,3) in pixels of the labels.

    Returns:
        (H,W) uint8, a new array.
    """
    labels = to_scheme(parsing.labels, parsing.scheme, scheme)
    if parsing.scheme == "dresscode" and scheme == "lip":
        below = below_shoulder_line(np.asarray(keypoints), (labels.shape[0], labels.shape[1]))
        labels = np.where((labels == LIP["face"]) & below, np.uint8(LIP["neck"]), labels)
    return labels
