"""Which files a data set needs, by its lists: one entry for each, whether or not it is there.

It opens no picture; ``inspecting.py`` looks at what is listed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ladi.data.dresscode import FULL_SIZE as DRESS_CODE_SIZE
from ladi.data.dresscode import KEYPOINT_SIZE as DRESS_CODE_JOINTS
from ladi.data.opening import Layout, dress_code_categories
from ladi.data.prepared import MANIFEST, garment_place, person_place, read_list
from ladi.data.sample import DatasetError, read_json, read_pairs
from ladi.data.shards import FIELDS, index_shard, shard_paths
from ladi.data.vitonhd import FULL_SIZE as VITON_SIZE
from ladi.types import LabelScheme, Size

Role = Literal["photo", "garment", "garment mask", "labels", "joints"]
_SHARD_ROLES: dict[str, Role] = {
    "image.jpg": "photo",
    "cloth.jpg": "garment",
    "cloth-mask.png": "garment mask",
    "parse.png": "labels",
    "pose.json": "joints",
}


@dataclass(frozen=True)
class Issue:
    """Something wrong with a file, or worth knowing of it."""

    level: Literal["fault", "warning"]
    kind: str
    """What it is in a word or two, such as ``missing``; issues are counted by it."""
    file: str
    message: str


@dataclass(frozen=True)
class Item:
    """A file, or a member of a shard, that a data set should have."""

    name: str
    """What messages call it: its path within the data set."""
    role: Role
    place: Path
    span: tuple[int, int] | None = None
    """Where it begins in a shard, and its length; ``None`` for a file of its own."""
    size: Size | None = None
    """What a picture should measure, or in which size's pixels joints are; ``None``: that of most photos."""
    scheme: LabelScheme = "lip"
    layout: Layout = "shards"
    optional: bool = False
    """The loaders do without it."""


@dataclass(frozen=True)
class ListedPair:
    """A person with the garment that they wear."""

    id: str
    photo: str
    """The item's name; likewise the garment's."""
    garment: str


@dataclass
class Contents:
    """What one split should have."""

    split: str
    items: dict[str, Item] = field(default_factory=dict)
    """By name, each once however many pairs it is in."""
    pairs: list[ListedPair] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def add(self, item: Item) -> str:
        """Note an item; gives its name."""
        return self.items.setdefault(item.name, item).name

    def fault(self, kind: str, file: str, message: str) -> None:
        """Note a fault of the lists themselves."""
        self.issues.append(Issue("fault", kind, file, message))


def list_contents(root: Path, layout: Layout, split: str) -> Contents:
    """Everything that a split of a data set should have."""
    contents = Contents(split)
    _LISTERS[layout](root, contents)
    for name, times in Counter(pair.id for pair in contents.pairs).items():
        if times > 1:
            message = f"is listed {times} times"
            contents.issues.append(Issue("warning", "listed twice", f"{split}: {name}", message))
    return contents


def _list_shards(root: Path, contents: Contents) -> None:
    for path in shard_paths(root, contents.split):
        try:
            samples = index_shard(path)
        except DatasetError as error:
            contents.fault("broken", path.name, str(error))
            continue
        for identity, members in samples:
            for name in FIELDS:
                if name not in members:
                    contents.fault("missing", f"{path.name}: {identity}.{name}", "is missing from its shard")
            added = {
                name: contents.add(
                    Item(f"{path.name}: {identity}.{name}", _SHARD_ROLES[name], path, members[name])
                )
                for name in FIELDS
                if name in members
            }
            if {"image.jpg", "cloth.jpg"} <= added.keys():
                contents.pairs.append(ListedPair(identity, added["image.jpg"], added["cloth.jpg"]))


def _list_viton(root: Path, contents: Contents) -> None:
    folder = root / contents.split
    listed = _pairs(root / f"{contents.split}_pairs.txt", contents) or [
        (f"{name}.jpg", f"{name}.jpg") for name in _stems(folder, {"image": "", "image-parse-v3": ""})
    ]
    add = _adder(root, contents, "vitonhd", VITON_SIZE)
    with_masks = _has_masks(root, folder / "cloth-mask", contents)
    for person, garment in listed:
        stem = Path(person).stem
        photo = add("photo", folder / "image" / person)
        add("labels", folder / "image-parse-v3" / f"{stem}.png")
        add("joints", folder / "openpose_json" / f"{stem}_keypoints.json")
        worn = [add("garment", folder / "cloth" / name) for name in dict.fromkeys((person, garment))]
        for name in dict.fromkeys((person, garment)) if with_masks else ():
            add("garment mask", folder / "cloth-mask" / name, optional=True)
        contents.pairs.append(ListedPair(stem, photo, worn[0]))


def _list_dress_code(root: Path, contents: Contents) -> None:
    for category in dress_code_categories(root):
        folder = root / category
        orders = ("",) if contents.split == "train" else ("_paired", "_unpaired")
        lists = [_pairs(folder / f"{contents.split}_pairs{order}.txt", contents, root) for order in orders]
        known = {"images": "_0", "label_maps": "_4", "keypoints": "_2"}
        paired = lists[0] or [(f"{name}_0.jpg", f"{name}_1.jpg") for name in _stems(folder, known)]
        add = _adder(root, contents, "dresscode", DRESS_CODE_SIZE)
        with_masks = _has_masks(root, folder / "masks", contents)
        for index, (person, garment) in enumerate([*paired, *(lists[1] if len(lists) > 1 else ())]):
            name = Path(person).stem.removesuffix("_0")
            photo, worn = (
                add("photo", folder / "images" / person),
                add("garment", folder / "images" / garment),
            )
            add("labels", folder / "label_maps" / f"{name}_4.png")
            add("joints", folder / "keypoints" / f"{name}_2.json", size=DRESS_CODE_JOINTS)
            if with_masks:
                add("garment mask", folder / "masks" / f"{Path(garment).stem}.png", optional=True)
            if index < len(paired):
                contents.pairs.append(ListedPair(f"{category}/{name}", photo, worn))


def _list_prepared(root: Path, contents: Contents) -> None:
    folder = root / contents.split
    place = f"{contents.split}/{MANIFEST}"
    try:
        note = read_json(folder / MANIFEST)
        size = (int(note["settings"]["size"][0]), int(note["settings"]["size"][1]))
        finished = bool(note["finished"])
    except (DatasetError, KeyError, TypeError, ValueError, IndexError):
        contents.fault("broken", place, "is damaged: run the same `python -m ladi prepare` again")
        return
    if not finished:
        contents.fault("unfinished", place, "says that it is unfinished: run the same `prepare` again")
    add = _adder(root, contents, "prepared", size)
    for order in ("paired", "unpaired"):
        try:
            listed = read_list(folder / f"{order}.csv")
        except DatasetError as error:
            contents.fault("list", f"{contents.split}/{order}.csv", str(error))
            continue
        for pair in listed:
            person = person_place(folder, pair.person, pair.category)
            garment = garment_place(folder, pair.garment)
            photo, worn = add("photo", person.image), add("garment", garment.image)
            add("labels", person.labels)
            add("joints", person.keypoints)
            add("garment mask", garment.mask)
            if order == "paired":
                contents.pairs.append(ListedPair(pair.person, photo, worn))


def _adder(root: Path, contents: Contents, layout: Layout, usual: Size) -> Callable[..., str]:
    """What notes a file of a layout."""
    scheme: LabelScheme = "dresscode" if layout == "dresscode" else "lip"

    def add(role: Role, place: Path, *, size: Size = usual, optional: bool = False) -> str:
        name = place.relative_to(root).as_posix()
        return contents.add(
            Item(name, role, place, size=size, scheme=scheme, layout=layout, optional=optional)
        )

    return add


def _pairs(path: Path, contents: Contents, root: Path | None = None) -> list[tuple[str, str]]:
    """A list's pairs; none, and a fault, where it cannot be read."""
    try:
        return read_pairs(path)
    except DatasetError as error:
        name = path.relative_to(root or path.parent).as_posix()
        contents.fault("list" if path.is_file() else "missing", name, str(error))
        return []


def _stems(folder: Path, places: dict[str, str]) -> list[str]:
    """The people of whom there is any file, for a split without its list."""
    found: Iterator[str] = (
        path.stem.removesuffix(suffix)
        for name, suffix in places.items()
        for path in (folder / name).glob(f"*{suffix}.*")
    )
    return sorted(set(found))


def _has_masks(root: Path, folder: Path, contents: Contents) -> bool:
    """Whether there are garment masks at all; one warning instead of thousands where there are none."""
    if not folder.is_dir():
        name = folder.relative_to(root).as_posix()
        message = "is missing: garments are used without their masks"
        contents.issues.append(Issue("warning", "no garment masks", name, message))
    return folder.is_dir()


_LISTERS: dict[Layout, Callable[[Path, Contents], None]] = {
    "prepared": _list_prepared,
    "shards": _list_shards,
    "dresscode": _list_dress_code,
    "vitonhd": _list_viton,
}
