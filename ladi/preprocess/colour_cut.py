"""GrabCut (Rother et al., 2004): who is in front and who behind, by colours and a guess; OpenCV's, tamed."""

from __future__ import annotations

import cv2
import numpy as np

BEHIND, FRONT, PERHAPS_BEHIND, PERHAPS_FRONT = cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_BGD, cv2.GC_PR_FGD


def cut_by_colour(pixels: np.ndarray, marks: np.ndarray, rounds: int) -> np.ndarray:
    """Decide what is in front where the marks only guess.

    Args:
        pixels: (H,W,3) uint8.
        marks: (H,W), one of the four above for each pixel; some must be sure of either side.
        rounds: of learning colours and cutting.

    Returns:
        (H,W) bool, True = in front; the same for the same arguments.
    """
    marks = marks.astype(np.uint8)
    cv2.setRNGSeed(0)  # the colour models start from random clusters
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(pixels), marks, (0, 0, 0, 0), *models, rounds, cv2.GC_INIT_WITH_MASK)
    return np.isin(marks, (FRONT, PERHAPS_FRONT))
