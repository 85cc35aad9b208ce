"""Somebody as labels, a photo and a mask, in a window that is the photo."""

from __future__ import annotations

import numpy as np
import torch

from ladi.preprocess.frame import to_tensor
from ladi.types import Frame, PersonParts, Photo


def somebody(labels: np.ndarray, photo: np.ndarray, mask: np.ndarray) -> PersonParts:
    """A person without joints: labels (H,W), photo (H,W,3) uint8 and mask (H,W) bool."""
    size = (labels.shape[0], labels.shape[1])
    return PersonParts(
        photo=Photo(photo),
        frame=Frame(0, 0, size[1], size[0], size),
        image=to_tensor(photo),
        mask=torch.from_numpy(mask.astype(np.float32))[None, None],
        pose_map=torch.zeros(1, 18, *size),
        keypoints=np.zeros((18, 3), np.float32),
        labels=labels,
    )
