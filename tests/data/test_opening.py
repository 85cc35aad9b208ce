"""Every layout opened by one call, with samples that agree whatever they lay in."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from torch.utils.data import DataLoader

from ladi.data.opening import open_dataset
from ladi.data.sample import DatasetError, Sample
from ladi.data.shards import read_shards
from ladi.types import CATEGORIES, SettingError
from tests.drawn_datasets import write_dress_code, write_viton_hd
from tests.drawn_shards import write_drawn_shards

SIZE = (128, 96)


def first(samples: list[Sample]) -> Sample:
    """What a DataLoader does with a batch of one; by name, because workers must be able to find it."""
    return samples[0]


def same(one: Sample, other: Sample) -> bool:
    """Equal in everything, pixel by pixel."""
    pairs = [(vars(one)[name], vars(other)[name]) for name in vars(one)]
    return all(np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def test_the_same_person_comes_the_same_from_every_layout(tmp_path: Path) -> None:
    """Prevents one loader scaling joints or numbering labels otherwise than the rest."""
    shards = open_dataset(write_drawn_shards(tmp_path / "shards"), "train", size=SIZE)[1]
    viton = open_dataset(write_viton_hd(tmp_path / "hd", "test", [1, 2]), size=SIZE)[0]
    dress = open_dataset(write_dress_code(tmp_path / "dc", "upper_body", [1, 2]), size=SIZE)[0]
    assert (viton.scheme, dress.scheme, shards.scheme) == ("lip", "dresscode", "lip")
    assert np.array_equal(viton.labels > 0, dress.labels > 0)
    assert (viton.labels != shards.labels).mean() < 0.01
    for sample in (viton, dress):
        assert sample.keypoints == pytest.approx(shards.keypoints, abs=1e-4)
        assert np.abs(sample.image.astype(int) - shards.image).mean() < 3
        assert (sample.garment_mask != shards.garment_mask).mean() < 0.02


def test_categories_are_joined_in_their_order_and_can_be_chosen(tmp_path: Path) -> None:
    """Prevents an evaluation of all of Dress Code that reads one category, or another than was asked for."""
    for number, category in enumerate(reversed(CATEGORIES)):
        write_dress_code(tmp_path, category, [10 * number, 10 * number + 1])
    dataset = open_dataset(tmp_path, order="unpaired", size=SIZE)
    assert [sample.category for sample in map(dataset.__getitem__, range(6))] == [
        *["upper_body"] * 2,
        *["lower_body"] * 2,
        *["dresses"] * 2,
    ]
    assert dataset.ids == ["000020", "000021", "000010", "000011", "000000", "000001"]
    assert dataset.garment_ids == ["000021", "000020", "000011", "000010", "000001", "000000"]
    assert [dataset[index].id for index in (-1, 2)] == ["000001", "000010"]
    with pytest.raises(IndexError):
        dataset[6]
    dresses = open_dataset(tmp_path, size=SIZE, categories=["dresses"])
    assert (len(dresses), dresses[0].category) == (2, "dresses")


def test_shards_by_index_are_the_shards_in_order(tmp_path: Path) -> None:
    """Prevents offsets that point into a neighbour's picture."""
    folder = write_drawn_shards(tmp_path)
    dataset, sequence = open_dataset(folder, "train", size=SIZE), list(read_shards(folder, "train", SIZE))
    assert len(dataset) == len(sequence) == 6
    assert all(same(dataset[index], sequence[index]) for index in reversed(range(6)))
    assert dataset[-1].id == "000005"
    with pytest.raises(IndexError):
        dataset[6]


def test_unpaired_shards_take_the_next_garment_and_keep_the_person(tmp_path: Path) -> None:
    """Prevents unpaired pictures of garments that the people wear already."""
    folder = write_drawn_shards(tmp_path)
    paired, unpaired = (
        open_dataset(folder, "train", order=order, size=SIZE) for order in ("paired", "unpaired")
    )
    assert unpaired.ids == paired.ids
    assert unpaired.garment_ids == [*paired.ids[1:], paired.ids[0]]
    assert np.array_equal(unpaired[5].image, paired[5].image)
    assert np.array_equal(unpaired[5].garment, paired[0].garment)
    assert unpaired[5].garment_id == "000000"


def test_names_are_those_of_the_samples(tmp_path: Path) -> None:
    """Prevents results that are skipped on resuming because they are stored under other names."""
    roots = {
        "train": write_drawn_shards(tmp_path / "shards"),
        "test": write_viton_hd(tmp_path / "hd", "test", [1, 2]),
    }
    for split, root in roots.items():
        dataset = open_dataset(root, split, order="unpaired", size=SIZE)
        samples = [dataset[index] for index in range(len(dataset))]
        assert [sample.id for sample in samples] == dataset.ids
        assert [sample.garment_id for sample in samples] == dataset.garment_ids


def test_shards_travel_to_workers(tmp_path: Path) -> None:
    """Prevents a data set that only the process that opened it can read."""
    dataset = open_dataset(write_drawn_shards(tmp_path), "train", size=SIZE)
    assert same(pickle.loads(pickle.dumps(dataset))[2], dataset[2])
    loader = DataLoader(dataset, batch_size=1, num_workers=2, collate_fn=first)
    assert [sample.id for sample in loader] == dataset.ids


def test_a_folder_of_tar_members_may_be_packed_with_its_path(tmp_path: Path) -> None:
    """Prevents ``tar -cf train-00.tar ./*`` being read as one nameless sample."""
    import tarfile

    folder = write_drawn_shards(tmp_path)
    with tarfile.open(folder / "train-00.tar") as old, tarfile.open(folder / "dotted-00.tar", "w") as new:
        for member in old:
            data = old.extractfile(member)
            member.name = f"./{member.name}"
            new.addfile(member, data)
    assert open_dataset(folder, "dotted", size=SIZE).ids == open_dataset(folder, "train", size=SIZE).ids


def test_what_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Prevents a stack trace, or an empty training, for a wrong folder, split or category."""
    with pytest.raises(DatasetError, match="There is no folder .*absent"):
        open_dataset(tmp_path / "absent")
    with pytest.raises(DatasetError, match="holds no data set that is known. It needs shards"):
        open_dataset(tmp_path)
    shards = write_drawn_shards(tmp_path / "shards")
    with pytest.raises(DatasetError, match="have no split 'test': choose train, val"):
        open_dataset(shards)
    with pytest.raises(SettingError, match="Shards are all of upper_body, got dresses"):
        open_dataset(shards, "val", categories=["dresses"])
    with pytest.raises(SettingError, match="must be one of upper_body.*got shoes"):
        open_dataset(shards, "val", categories=["shoes"])  # type: ignore[list-item]
    with pytest.raises(SettingError, match='"paired" or "unpaired"'):
        open_dataset(shards, "val", order="any")  # type: ignore[arg-type]


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.55, 0.9])
def test_a_shard_that_was_cut_off_is_named(tmp_path: Path, kept: float) -> None:
    """Prevents a half-copied shard being trained on as if it were whole."""
    folder = write_drawn_shards(tmp_path)
    path = folder / "train-00.tar"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(DatasetError, match=r"The shard .*train-00.tar cannot be read \(.*copy it again"):
        open_dataset(folder, "train")


@pytest.mark.parametrize(
    ("where", "split", "order", "pairs"),
    [
        ("data/vitonhd-sample", "test", "unpaired", 7),
        ("data/viton", "val", "paired", 100),
        ("reference/inputs/vitonhd", "test", "paired", 3),
        ("reference/inputs/dresscode", "test", "paired", 6),
    ],
)
def test_real_folders_are_recognised(shared_dir: Path, where: str, split: str, order, pairs: int) -> None:
    """Prevents a recognition that knows our own drawings only."""
    dataset = open_dataset(shared_dir / where, split, order=order, size=SIZE)
    assert len(dataset) == pairs
    for index in range(min(pairs, 8)):
        sample = dataset[index]
        assert sample.labels.any() and sample.image.shape == sample.garment.shape == (*SIZE, 3)
        assert sample.keypoints[[2, 5], :2].all(), "every one of these people shows both shoulders"


def test_labelled_people_of_dress_code_read_beside_drawn_garments(shared_dir: Path, tmp_path: Path) -> None:
    """Prevents a reader that only understands Dress Code's files as a test would write them."""
    for category in CATEGORIES:
        write_dress_code(tmp_path, category, [1])
        (tmp_path / category / "test_pairs_paired.txt").unlink()
        lines = []
        for photo in sorted((shared_dir / "data" / "dresscode-sample" / category / "images").glob("*_0.jpg")):
            for folder, file in (
                ("images", photo.name),
                ("keypoints", f"{photo.stem[:-2]}_2.json"),
                ("label_maps", f"{photo.stem[:-2]}_4.png"),
            ):
                (tmp_path / category / folder / file).symlink_to(
                    photo.parent.parent.resolve() / folder / file
                )
            lines.append(f"{photo.name} 000001_1.jpg\n")
        (tmp_path / category / "test_pairs_paired.txt").write_text("".join(lines))
    dataset = open_dataset(tmp_path, size=SIZE)
    assert dataset.ids == ["048462", "050855", "050915", "052012"]
    worn = {"upper_body": {4}, "lower_body": {5, 6}, "dresses": {7}}
    for sample in map(dataset.__getitem__, range(len(dataset))):
        assert worn[sample.category] & set(np.unique(sample.labels).tolist()), sample.id
        present = sample.keypoints[sample.keypoints[:, :2].any(axis=1), :2]
        assert len(present) > 10 and (present < (96, 128)).all()
