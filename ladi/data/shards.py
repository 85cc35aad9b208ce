"""WebDataset shards of person–garment pairs, in their order or by index.

A shard is a tar file in which the members of one sample stand together: ``{id}.image.jpg``, ``.cloth.jpg``,
``.cloth-mask.png``, ``.parse.png`` and ``.pose.json`` (18 × x, y, confidence in pixels, or an empty list).
Pictures are resized to the wanted size here; masks of repainting and pose maps are made by whoever needs
them.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from PIL import Image
from scipy import ndimage

from ladi.data.sample import DatasetError, Order, PairDataset, Sample
from ladi.types import Category, SettingError, Size

FIELDS = ("image.jpg", "cloth.jpg", "cloth-mask.png", "parse.png", "pose.json")
GARMENT_FIELDS = ("cloth.jpg", "cloth-mask.png")

Members = dict[str, tuple[int, int]]
"""The parts of one sample by field: where each begins in its shard, and how long it is."""


def shard_paths(folder: Path, split: str) -> list[Path]:
    """The shards ``{split}-NN.tar`` of a folder, in order.

    Raises:
        DatasetError: there is none.
    """
    paths = sorted(folder.glob(f"{split}-*.tar"))
    if not paths:
        raise DatasetError(
            f"no shards {split}-*.tar in {folder}: give the folder that holds them with --data"
        )
    return paths


def read_shards(
    folder: str | Path, split: str, size: Size = (256, 192), category: Category = "upper_body"
) -> Iterator[Sample]:
    """Every sample of a split, in the shards' order.

    Args:
        folder: where ``{split}-NN.tar`` lie.
        split: ``train``, ``val`` or another prefix.
        size: height and width that pictures, labels and keypoints are brought to.
        category: what the garments are; the shards do not say.

    Raises:
        DatasetError: no shards, or a sample with a missing or broken part, named.
    """
    for path in shard_paths(Path(folder), split):
        for identity, members in index_shard(path):
            person = _Part(path.name, identity, read_members(path, members))
            yield _sample(person, person, size, category)


class ShardDataset(PairDataset):
    """The samples of one split by index: headers are read once, the parts when they are asked for.

    Workers and threads may share one: no file stays open.
    """

    def __init__(
        self,
        folder: str | Path,
        split: str = "val",
        *,
        order: Order = "paired",
        size: Size = (256, 192),
        category: Category = "upper_body",
    ) -> None:
        """Look through the shards.

        Args:
            folder: where ``{split}-NN.tar`` lie.
            split: ``train``, ``val`` or another prefix.
            order: ``unpaired`` gives each person the next sample's garment, the last one the first's.
            size: height and width that pictures, labels and keypoints are brought to.
            category: what the garments are; the shards do not say.

        Raises:
            DatasetError: no shards, or one that is no tar file.
            SettingError: unknown order.
        """
        if order not in get_args(Order):
            raise SettingError(f'The order must be "paired" or "unpaired", got "{order}".')
        self.paths = shard_paths(Path(folder), split)
        self.order, self.size, self.category = order, size, category
        self.entries = [
            (shard, identity, members)
            for shard, path in enumerate(self.paths)
            for identity, members in index_shard(path)
        ]

    @property
    def ids(self) -> list[str]:
        """The samples' names."""
        return [identity for _, identity, _ in self.entries]

    @property
    def garment_ids(self) -> list[str]:
        """Whose garment each sample gets."""
        return [self.entries[self._garment_of(index)][1] for index in range(len(self.entries))]

    def __len__(self) -> int:
        """How many samples the shards have."""
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        """Read sample ``index``.

        Raises:
            DatasetError: a part is missing or broken; the sentence names sample and shard.
        """
        index = range(len(self.entries))[index]
        person = self._part(index, FIELDS)
        garment = person if self.order == "paired" else self._part(self._garment_of(index), GARMENT_FIELDS)
        return _sample(person, garment, self.size, self.category)

    def _garment_of(self, index: int) -> int:
        return index if self.order == "paired" else (index + 1) % len(self.entries)

    def _part(self, index: int, fields: Sequence[str]) -> _Part:
        shard, identity, members = self.entries[index]
        wanted = {field: members[field] for field in fields if field in members}
        return _Part(self.paths[shard].name, identity, read_members(self.paths[shard], wanted))


def index_shard(path: Path) -> list[tuple[str, Members]]:
    """The samples of a shard in order, each with the places of its parts; only headers are read.

    Raises:
        DatasetError: it is no tar file, or ends within a member.
    """
    samples: list[tuple[str, Members]] = []
    end = 0
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                end = member.offset_data + -(-member.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                if not member.isfile():
                    continue
                identity, _, field = Path(member.name).name.partition(".")
                if not samples or samples[-1][0] != identity:
                    samples.append((identity, {}))
                samples[-1][1][field] = (member.offset_data, member.size)
        with path.open("rb") as file:
            file.seek(end)
            whole = len(file.read(tarfile.BLOCKSIZE)) == tarfile.BLOCKSIZE
    except (OSError, tarfile.TarError) as error:
        raise DatasetError(f"The shard {path} cannot be read ({error}); copy it again.") from error
    # tarfile takes a file that was cut off between two members for a whole one.
    if not whole:
        raise DatasetError(f"The shard {path} cannot be read (its end is missing); copy it again.")
    return samples


def read_members(path: Path, members: Members) -> dict[str, bytes]:
    """Some parts of one sample."""
    parts = {}
    with path.open("rb") as file:
        for field, (start, length) in members.items():
            file.seek(start)
            parts[field] = file.read(length)
    return parts


class _Part(NamedTuple):
    """A person's or a garment's side of a sample."""

    shard: str
    identity: str
    files: dict[str, bytes]

    @property
    def name(self) -> str:
        return f"sample {self.identity} of {self.shard}"


def _sample(person: _Part, garment: _Part, size: Size, category: Category) -> Sample:
    """One person with one sample's garment."""
    for parts, fields in ((person, FIELDS), (garment, GARMENT_FIELDS)):
        if missing := [field for field in fields if field not in parts.files]:
            raise DatasetError(f"{parts.name} lacks {', '.join(missing)}")
    try:
        image = person.files["image.jpg"]
        width, height = Image.open(io.BytesIO(image)).size
        photo, labels = _picture(image, size, "RGB"), _picture(person.files["parse.png"], size, "P")
        scale = (size[1] / width, size[0] / height)
        keypoints = keypoints_from_list(json.loads(person.files["pose.json"]), scale)
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"{person.name} cannot be read: {error}") from error
    try:
        cloth = _picture(garment.files["cloth.jpg"], size, "RGB")
        garment_mask = _picture(garment.files["cloth-mask.png"], size, "L") > 0
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"{garment.name} cannot be read: {error}") from error
    return Sample(
        id=person.identity,
        image=photo,
        garment=cloth,
        # The published masks have holes where a garment is as pale as its background.
        garment_mask=ndimage.binary_fill_holes(garment_mask),
        labels=labels.astype(np.uint8),
        keypoints=keypoints,
        category=category,
        scheme="lip",
        garment_id=garment.identity,
    )


def _picture(data: bytes, size: Size, mode: str) -> np.ndarray:
    image: Image.Image = Image.open(io.BytesIO(data))
    if mode == "RGB":
        image = image.convert("RGB")
    resample = Image.Resampling.BICUBIC if mode == "RGB" else Image.Resampling.NEAREST
    if image.size != (size[1], size[0]):
        image = image.resize((size[1], size[0]), resample)
    return np.asarray(image)


def keypoints_from_list(flat: list[float], scale: tuple[float, float]) -> np.ndarray:
    """18 × (x, y, confidence) as one list → (18,3) float32, scaled; an empty list means nobody was found."""
    if not flat:
        return np.zeros((18, 3), np.float32)
    points = np.asarray(flat, np.float32).reshape(18, 3)
    return points * np.array([scale[0], scale[1], 1.0], np.float32)
