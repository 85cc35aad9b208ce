"""A worn garment has no holes: whatever the network says, labels of users' photos are mended by rules.

Prints are taken for skin, bags or nothing, and every pixel so mistaken would shine through the new garment.
What lies within a garment and cannot be in front of it becomes garment; hands, hair and bags that are in
front stay. It draws no mask (``mask.py``) and is not part of the published rule.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ladi.preprocess.labels import GARMENTS, label_table
from ladi.preprocess.limbs import Limbs
from ladi.types import LabelScheme

_HEAD = ("hat", "sunglasses", "face", "head")
_ARMS = ("left_arm", "right_arm", "glove")
_TOPS = ("upper_clothes", "dress", "coat")
_ARM_WIDTH = 0.14
"""Half the width of a sleeved arm, of the distance between the shoulders."""
_SLICES = 16
"""Parts of an arm, each of which is sleeved or bare."""
_LEGS = ("left_leg", "right_leg", "socks", "left_shoe", "right_shoe")

# Lengths and widths as shares of the torso, from the shoulders to the hips; areas of its square.
_NECK_LINE = 0.12
"""So far below the line through the shoulders no face is to be found."""
_LOWEST_NECKLINE = 0.55
_HIGHEST_WAIST = 0.6
_GAP = 0.02
"""Larger gaps between a sleeve and the body are wall, unless the outline is sure of the contrary."""
_SURE = 0.9
_STRAP = 0.06
"""Half the width of the broadest strap."""
_TOUCH = 0.05
_REACH = 0.2
"""So near the line of an arm its skin is an arm's."""
_NEAR_ARM = 0.25
"""A patch of which this share lies near an arm is an arm."""
_HAND = 0.02
_SPECK = 0.03
"""Smaller patches are no garment by themselves."""
_SCARF = 0.06
"""Smaller patches are no scarf but a collar."""
_SURROUNDED = 0.6
_HEM, _BESIDE = 0.2, 0.3
"""Of what is worn below, a patch of dress that is smaller, and of whose border this share lies along that, is
part of it."""
_HIGH, _BETWEEN, _NARROW = 0.4, 0.5, 0.6
"""So far above the hips, in torsos, a dress begins at least; the share of its border that lies along a coat
from which on it is trousers between the coat's fronts; and of all, how wide these are at most."""
_ENCLOSED = 0.85
"""Of the border of trousers or a skirt, from which share on a coat around them is no open coat."""
_INSIDE = 0.3
"""A piece apart from the person of which less lies within the outline is part of the wall."""
_ON = 0.5


def mend_worn(
    labels: np.ndarray,
    keypoints: np.ndarray,
    silhouette: np.ndarray,
    scheme: LabelScheme,
    sure: np.ndarray | None = None,
) -> np.ndarray:
    """Labels in which the worn garments are whole.

    Args:
        labels: (H,W) integers.
        keypoints: (18,3) in pixels of the labels, (0,0) = absent.
        silhouette: (H,W) in [0,1], the person.
        scheme: numbering of ``labels``.
        sure: (H,W) bool, where the network is sure of its label; nowhere unless given. A bag that it is sure
            of is one.

    Returns:
        (H,W) uint8, a new array.
    """
    table = label_table(scheme)
    labels = _without_stray_pieces(labels.astype(np.uint8), silhouette > _ON)
    limbs = Limbs(keypoints, silhouette > _ON)
    labels = _whole_arms(labels, table, limbs, silhouette > _ON)
    labels = _skirts(_collars(labels, table, limbs), table, limbs)
    person = _Person(labels, table, limbs, silhouette > _ON)
    worn = person.named(*GARMENTS)
    if not worn.any():
        return labels
    doubtful = person.specks_of_garments() | person.gaps() | person.mistaken_skin()
    known = np.zeros(labels.shape, bool) if sure is None else sure
    doubtful |= person.mistaken_hair() | person.mistaken_bags(known)
    filled = _surrounded(doubtful, worn & ~doubtful)
    # Nearest garment rather than the commonest: a hole across the waist is half top, half trousers.
    rows, columns = ndimage.distance_transform_edt(
        ~worn | doubtful, return_distances=False, return_indices=True
    )
    return np.where(filled, labels[rows, columns], labels)


def _without_stray_pieces(labels: np.ndarray, silhouette: np.ndarray) -> np.ndarray:
    """Labels without the pieces that hang on nobody and lie outside the outline: parts of the wall."""
    patches, count = ndimage.label(labels > 0, np.ones((3, 3)))
    if count < 2:
        return labels
    sizes = np.bincount(patches.ravel())
    inside = np.bincount(patches[silhouette], minlength=len(sizes))
    stray = inside < _INSIDE * sizes
    stray[1 + sizes[1:].argmax()] = False
    return np.where(stray[patches], np.uint8(0), labels)


def _collars(labels: np.ndarray, table: dict[str, int], limbs: Limbs) -> np.ndarray:
    """Labels in which what is too small for a scarf is a collar, and goes with what is worn."""
    if "scarf" not in table:
        return labels
    patches, _ = ndimage.label(labels == table["scarf"])
    small = (np.bincount(patches.ravel()) < _SCARF * limbs.torso**2)[patches] & (patches > 0)
    return np.where(small, np.uint8(table["upper_clothes"]), labels)


def _skirts(labels: np.ndarray, table: dict[str, int], limbs: Limbs) -> np.ndarray:
    """Labels without dresses that are none.

    Small patches of dress along trousers or a skirt are those; between a coat's fronts, above trousers or
    where nothing else is seen below it, it is trousers.
    """
    trousers, tops, legs = (
        np.isin(labels, [table[name] for name in names if name in table])
        for names in (("pants",), ("upper_clothes", "coat"), ("left_leg", "right_leg"))
    )
    below = trousers | (labels == table["skirt"])
    patches, count = ndimage.label(labels == table["dress"])
    if not count:
        return labels
    nearest = ndimage.distance_transform_edt(~below, return_distances=False, return_indices=True)
    result = labels.copy()
    for index in range(1, count + 1):
        patch = patches == index
        border = ndimage.binary_dilation(patch) & ~patch
        if patch.sum() < _HEM * below.sum() and below[border].mean() > _BESIDE:
            result[patch] = labels[tuple(nearest)][patch]
        elif patch.any(1).argmax() > limbs.hip_row - _HIGH * limbs.torso and tops[border].mean() > _BETWEEN:
            under = trousers[ndimage.binary_dilation(patch, iterations=3) & ~patch].any()
            narrow = 0 < patch[-1].sum() < _NARROW * (labels[-1] > 0).sum()
            if under or (narrow and not below.any() and not legs.any()):
                result[patch] = table["pants"]
    return result


def _whole_arms(
    labels: np.ndarray, table: dict[str, int], limbs: Limbs, silhouette: np.ndarray
) -> np.ndarray:
    """Labels without wall where an arm is: white sleeves before a white wall, black ones before a black one.

    What the outline and the joints both call an arm is in a sleeve if most of that arm is, and bare else. Nor
    is a piece of a sleeve bare skin.
    """
    unknown = (labels == table["background"]) & silhouette
    tops = np.isin(labels, [table[name] for name in _TOPS if name in table])
    mended = labels.copy()
    rim = max(1, round(_ARM_WIDTH * limbs.width))
    body = ndimage.binary_dilation(limbs.trunk((labels.shape[0], labels.shape[1])), iterations=rim)
    for side in ("left", "right"):
        here = limbs.near_arm(side, unknown, _ARM_WIDTH * limbs.width)
        skin = labels == table[f"{side}_arm"]
        sleeve, bare = (limbs.near_arm(side, part, _ARM_WIDTH * limbs.width).sum() for part in (tops, skin))
        if here.any() and sleeve + bare > 0:
            mended[here] = table["upper_clothes"] if sleeve >= bare else table[f"{side}_arm"]
        # A sleeve has no windows: what is bare lies nearer to the hand than all of it. Before the body nobody
        # knows whose cloth is beside it.
        arm = limbs.near_arm(side, skin | tops, _ARM_WIDTH * limbs.width)
        if (arm & skin).any() and (arm & tops).any():
            along = np.full(labels.shape, _SLICES)
            along[arm] = (_SLICES * limbs.along_arm(side, arm)).astype(int)[arm]
            beside = [np.bincount(along[arm & part & ~body], minlength=_SLICES + 1) for part in (tops, skin)]
            sleeved = np.flatnonzero(beside[0] > beside[1])
            mended[arm & skin & (along < sleeved.max(initial=0))] = table["upper_clothes"]
    return mended


def _surrounded(doubtful: np.ndarray, worn: np.ndarray) -> np.ndarray:
    """Of the doubtful patches, those whose border is mostly garment: (H,W) bool twice → (H,W) bool."""
    result = np.zeros_like(doubtful)
    if not worn.any():
        return result
    patches, _ = ndimage.label(doubtful, np.ones((3, 3)))
    for index, place in enumerate(ndimage.find_objects(patches), 1):
        around = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in place)
        inside = patches[around] == index
        border = ndimage.binary_dilation(inside) & ~inside
        if border.any() and worn[around][border].mean() >= _SURROUNDED:
            result[around] |= inside
    return result


class _Person:
    """One person's labels with what the joints say of them."""

    def __init__(
        self, labels: np.ndarray, table: dict[str, int], limbs: Limbs, silhouette: np.ndarray
    ) -> None:
        self.labels, self.table, self.limbs, self.silhouette = labels, table, limbs, silhouette
        self.area = limbs.torso**2
        self.below = np.arange(len(labels))[:, None] - limbs.shoulder_line(labels.shape[1])
        self.trunk = limbs.trunk(labels.shape)

    def named(self, *names: str) -> np.ndarray:
        """(H,W) bool."""
        return np.isin(self.labels, [self.table[name] for name in names if name in self.table])

    def lower_than(self, share: float) -> np.ndarray:
        """(H,W) bool: so many torsos below the shoulders, or more."""
        return self.below > share * self.limbs.torso

    def specks_of_garments(self) -> np.ndarray:
        """Patches too small for a garment (a shirt in an open coat is larger), and trousers on the chest."""
        result = np.zeros(self.labels.shape, bool)
        for name in GARMENTS:
            patches, _ = ndimage.label(self.named(name))
            result |= (np.bincount(patches.ravel()) < _SPECK * self.area)[patches] & (patches > 0)
        lower = self.named("pants", "skirt")
        result |= lower & ~_parts_with(lower, lower & self.lower_than(_HIGHEST_WAIST))
        return result | self.islands(lower)

    def islands(self, lower: np.ndarray) -> np.ndarray:
        """Trousers and skirts in the midst of what is worn above: parts of a long coat."""
        above = self.named("upper_clothes", "coat", "dress")
        result = np.zeros_like(lower)
        patches, _ = ndimage.label(lower, np.ones((3, 3)))
        for index, place in enumerate(ndimage.find_objects(patches), 1):
            if place[0].stop == len(lower):
                continue
            around = tuple(slice(max(0, part.start - 1), part.stop + 1) for part in place)
            inside = patches[around] == index
            border = ndimage.binary_dilation(inside) & ~inside
            if above[around][border].mean() >= _ENCLOSED:
                result[around] |= inside
        return result

    def gaps(self) -> np.ndarray:
        """Background that cannot be the wall: in the trunk, small and enclosed, or by the outline's word."""
        nothing = self.named("background")
        result = nothing & self.trunk
        enclosed = ndimage.binary_fill_holes(~nothing) & nothing
        patches, _ = ndimage.label(enclosed)
        sizes = np.bincount(patches.ravel())
        inside = np.bincount(patches[self.silhouette], minlength=len(sizes))
        small = (sizes <= _GAP * self.area)[patches] & self.silhouette
        return result | (enclosed & (small | (inside >= _SURE * sizes)[patches]))

    def mistaken_skin(self) -> np.ndarray:
        """Faces, necks and legs where none can be, and arms without an arm."""
        result = self.named(*_HEAD) & self.lower_than(_NECK_LINE)
        result |= self.named("neck", "vitonhd_neck") & self.lower_than(_LOWEST_NECKLINE)
        head = self.named(*_HEAD, "neck", "vitonhd_neck")
        loose = head & ~_parts_with(head, head & ~self.lower_than(0.0))
        result |= loose & self.lower_than(_NECK_LINE)
        result |= self.named(*_LEGS) & ~self.lower_than(1.0)
        return result | (self.named(*_ARMS) & ~self.arms())

    def arms(self) -> np.ndarray:
        """Skin of arms that the joints bear out; where some are missing, all that is as large as a hand."""
        skin = self.named(*_ARMS)
        patches, _ = ndimage.label(skin)
        sizes = np.bincount(patches.ravel())
        near = skin & self.limbs.near_arms(skin, _REACH * self.limbs.torso)
        kept = np.bincount(patches[near], minlength=len(sizes)) >= _NEAR_ARM * sizes
        if not self.limbs.knows_both_arms:
            kept |= sizes >= _HAND * self.area
        return skin & kept[patches]

    def mistaken_hair(self) -> np.ndarray:
        """Hair that does not hang from the head."""
        hair = self.named("hair")
        head = hair | self.named(*_HEAD)
        return hair & ~_parts_with(head, head & ~self.lower_than(_NECK_LINE))

    def mistaken_bags(self, sure: np.ndarray) -> np.ndarray:
        """Bags in the midst of a garment that no hand holds, that are no straps and nowhere sure."""
        bag = self.named("bag")
        if not bag.any():
            return bag
        reach = max(1, round(_TOUCH * self.limbs.torso))
        touched = ndimage.maximum_filter(self.arms(), size=2 * reach + 1)
        other = ~self.named("bag", *GARMENTS)
        touched |= ndimage.binary_dilation(other) | sure
        thick = ndimage.distance_transform_edt(bag) > _STRAP * self.limbs.torso
        return bag & ~_parts_with(bag, bag & touched) & _parts_with(bag, thick)


def _parts_with(region: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected parts of a region that hold a seed: (H,W) bool twice → (H,W) bool."""
    patches, count = ndimage.label(region, np.ones((3, 3)))
    keep = np.zeros(count + 1, bool)
    keep[patches[seeds & region]] = True
    keep[0] = False
    return keep[patches]
