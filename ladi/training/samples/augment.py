"""Random changes to training pictures, drawn from a passed generator."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from ladi.postprocess.skin import reddish
from ladi.preprocess.labels import LIP
from ladi.types import Size

SKIN = tuple(LIP[name] for name in ("face", "left_arm", "right_arm", "left_leg", "right_leg", "neck"))
DARKEST_SKIN = (0.35, 0.27, 0.23)
"""What the darkest skin reflects of the palest's red, green and blue."""
WHITE_WALL = 231.0
"""The middle of the walls in shop photos."""
CHANGED_SHARE = 0.6
"""Of the varied people, those before another wall; likewise those with another skin, and in other light."""


def moving_grid(
    angle: np.ndarray, cosine: np.ndarray, sine: np.ndarray, mirror: np.ndarray, shift: np.ndarray, size: Size
) -> torch.Tensor:
    """Where each pixel of pictures that are turned, scaled, mirrored and shifted is taken from.

    Args:
        angle: (B,) in radians, from the picture to be made to the one that is there.
        cosine: (B,2), what the turn's cosines are multiplied by: across the picture, and down it.
        sine: the same for its sines.
        mirror: (B,), -1 where left and right change places, else 1.
        shift: (B,2) in halves of the picture's sides, x and y.
        size: of the pictures to be made.

    Returns:
        (B,*size,2) in [-1,1], for ``grid_sample``.
    """
    matrix = np.zeros((len(angle), 2, 3), np.float32)
    matrix[:, 0, 0], matrix[:, 0, 1] = np.cos(angle) * cosine[:, 0], -np.sin(angle) * sine[:, 0]
    matrix[:, 1, 0], matrix[:, 1, 1] = np.sin(angle) * sine[:, 1], np.cos(angle) * cosine[:, 1]
    matrix[:, 0] *= mirror[:, None]
    matrix[:, :, 2] = shift
    return functional.affine_grid(torch.from_numpy(matrix), [len(angle), 1, *size], align_corners=False)


def draw_moves(
    rng: np.random.Generator, count: int, size: Size, *, turn: float, scale: tuple[float, float]
) -> torch.Tensor:
    """Grids of moves as shops lay garments: a little turned, stretched and shifted, every other one mirrored.

    Args:
        rng: draws angles, scales, mirrors and shifts, in this order.
        count: of the pictures.
        size: of the pictures.
        turn: standard deviation of the angle in radians.
        scale: mean and standard deviation of what the scale across, and down, differs from 1 by.

    Returns:
        (count,*size,2), as of :func:`moving_grid`.
    """
    angle, stretch = rng.normal(0, turn, count), 1 + rng.normal(*scale, (count, 2))
    mirror = np.where(rng.random(count) < 0.5, -1, 1)
    shift = rng.normal(0, 0.06, (count, 2))
    return moving_grid(angle, stretch, np.ones_like(stretch), mirror, shift, size)


def dye(colours: torch.Tensor, rng: np.random.Generator, *, most: float) -> torch.Tensor:
    """Every other picture in other colours, down to its negative's; (B,3,H,W) on [-1,1] → same.

    Args:
        colours: of the pictures.
        rng: draws the gains of all, then who is dyed.
        most: the largest gain of a channel.
    """
    count = len(colours)
    gain = torch.from_numpy(rng.uniform(-0.4, most, (count, 3, 1, 1)).astype(np.float32))
    dyed = torch.from_numpy(rng.random(count) < 0.5)[:, None, None, None]
    return torch.where(dyed, colours * gain, colours)


def garment_jitter(garments: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Scales, shifts and slightly turns each picture, as shops place garments: (B,C,H,W) → same."""
    count = len(garments)
    scale = rng.uniform(0.88, 1.12, count)
    angle = np.deg2rad(rng.normal(0, 2.0, count))
    shift = rng.uniform(-0.06, 0.06, (count, 2))
    aspect = garments.shape[-2] / garments.shape[-1]
    matrix = np.zeros((count, 2, 3), np.float32)
    matrix[:, 0, 0] = matrix[:, 1, 1] = np.cos(angle) / scale
    matrix[:, 0, 1] = -np.sin(angle) / scale * aspect
    matrix[:, 1, 0] = np.sin(angle) / scale / aspect
    matrix[:, :, 2] = shift
    grid = functional.affine_grid(torch.from_numpy(matrix), list(garments.shape), align_corners=False)
    return functional.grid_sample(garments, grid, padding_mode="border", align_corners=False)


def colour_jitter(rng: np.random.Generator, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Gains and offsets per sample and channel, to be applied to everything of a sample alike.

    Returns:
        gain and offset, (B,3,1,1) each, for ``x * gain + offset`` on [-1,1].
    """
    gain = rng.uniform(0.8, 1.2, (count, 1)) * rng.uniform(0.9, 1.1, (count, 3))
    offset = rng.uniform(-0.1, 0.1, (count, 3))
    as_tensor = [torch.from_numpy(value.astype(np.float32))[..., None, None] for value in (gain, offset)]
    return as_tensor[0], as_tensor[1]


def vary_person(
    image: np.ndarray, labels: np.ndarray, silhouette: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The same person before another wall, with another skin, in other light; each only sometimes.

    Shop photos show pale people before white walls. Everything is multiplied, so that shadows and the soft
    edges of hair stay as they were.

    Args:
        image: (H,W,3) uint8, before a near-white wall.
        labels: (H,W) in LIP's numbers; a neck may be unlabelled.
        silhouette: (H,W) uint8, 255 = person.
        rng: chooses everything.

    Returns:
        (H,W,3) uint8.
    """
    # The labels' outline is the sharper one; what they leave out inside the person, the silhouette knows.
    inside = ndimage.binary_erosion(silhouette > 127, iterations=3)
    unlabelled = inside & (labels == 0)
    # Drawn in by a pixel: a rim of white wall would teach the network to paint halos.
    person = _soft(ndimage.binary_erosion(inside | (labels > 0)))
    varied = image.astype(np.float64)
    skin = _soft(np.isin(labels, SKIN) | unlabelled) * reddish(varied / 255)[..., None]
    if rng.random() < CHANGED_SHARE:
        # Out of focus, and without grain, which no latent holds.
        wall = ndimage.gaussian_filter(background_texture(image.shape[:2], rng) / WHITE_WALL, (2, 2, 0))
        varied = varied * (person + wall * (1 - person))
    if rng.random() < CHANGED_SHARE:
        darkness = rng.random()
        tone = 1 - darkness * (1 - np.array(DARKEST_SKIN))
        varied = varied * (1 + skin * (tone - 1))
    if rng.random() < CHANGED_SHARE:
        varied = varied * rng.uniform(0.75, 1.0) * rng.uniform(0.92, 1.0, 3)
    return varied.clip(0, 255).round().astype(np.uint8)


def _soft(region: np.ndarray) -> np.ndarray:
    """(H,W) bool → (H,W,1) in [0,1]."""
    return ndimage.gaussian_filter(region.astype(np.float32), 0.7)[..., None]


def background_texture(size: Size, rng: np.random.Generator) -> np.ndarray:
    """A drawn background: plain, shaded, mottled, striped like boards, checked like tiles, or a mixture.

    Args:
        size: height and width.
        rng: chooses everything.

    Returns:
        (H,W,3) uint8.
    """
    height, width = size
    y, x = np.mgrid[:height, :width].astype(np.float32) / height
    first, second = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    if rng.random() < 0.5:
        # Most rooms are pale and hardly coloured.
        first = 0.3 * first + 0.7 * first.mean()
        second = 0.7 * first + 0.3 * second
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    mixture = 0.5 * (1 + np.sin(along * rng.uniform(0.5, 2) * np.pi + rng.uniform(0, 6)))
    kind = rng.integers(5)
    if kind == 1:
        mixture = _cloud(size, rng, rng.uniform(2, 40))
    elif kind == 2:
        boards = np.floor(along * rng.uniform(3, 15))
        tone = np.random.default_rng(int(rng.integers(2**31))).random(64)
        mixture = 0.6 * tone[boards.astype(int) % 64] + 0.4 * _cloud((height, width), rng, 3)
    elif kind == 3:
        pitch = rng.uniform(4, 30)
        mixture = ((np.floor(along * pitch) + np.floor(across * pitch)) % 2) * rng.uniform(0.3, 1)
    elif kind == 4:
        mixture = 0.5 * mixture + 0.5 * _cloud(size, rng, rng.uniform(1, 6))
    picture = first + (second - first) * mixture[..., None]
    picture = picture + rng.normal(0, rng.uniform(0, 10), (height, width, 1))
    return picture.clip(0, 255).astype(np.uint8)


def _cloud(size: Size, rng: np.random.Generator, smoothness: float) -> np.ndarray:
    """Smooth noise in [0,1]."""
    noise = ndimage.gaussian_filter(rng.random(size), smoothness, mode="wrap")
    low, high = noise.min(), noise.max()
    return (noise - low) / (high - low + 1e-9)
