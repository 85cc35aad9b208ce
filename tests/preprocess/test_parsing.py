"""Labelling a person with either network, and what is made of its labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ladi.models.parser import HumanParser
from ladi.preprocess.labels import DRESS_CODE, LIP, MIRRORED_LIP
from ladi.preprocess.parsing import Parsing, parse_person, translate
from ladi.preprocess.person import dilation_side
from ladi.preprocess.segformer import find_segformer, load_segformer
from ladi.types import KEYPOINT_NAMES, MIRRORED_JOINTS, ModelError
from tests.toy import HEIGHT, WIDTH, toy_segformer

INPUTS = torch.zeros(1, 3, 96, 72), torch.zeros(1, 18, 96, 72), torch.zeros(1, 1, 96, 72)


def test_each_network_labels_at_the_pictures_size_and_says_which_it_is() -> None:
    """Prevents labels of one numbering being read in the other, and a result that hides who parsed."""
    own = parse_person(HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8)).eval(), *INPUTS)
    assert (own.labels.shape, own.scheme, own.parser) == ((96, 72), "lip", "embedded")
    borrowed = toy_segformer()
    borrowed.decode_head.classifier.bias.data[DRESS_CODE["dress"]] = 100
    parsing = parse_person(borrowed, *INPUTS)
    assert (parsing.scheme, parsing.parser, parsing.labels.dtype) == ("dresscode", "segformer", np.uint8)
    assert parsing.labels.shape == (96, 72) and (parsing.labels == DRESS_CODE["dress"]).all()


def test_a_person_in_a_mirror_is_labelled_in_a_mirror() -> None:
    """Prevents a left arm that is taken for a right one, where both views are put together."""
    torch.manual_seed(0)
    network = HumanParser(height=HEIGHT, width=WIDTH, widths=(8, 8), labels=22).eval()
    image, joints, outline = torch.randn(1, 3, 96, 72), torch.rand(1, 18, 96, 72), torch.rand(1, 1, 96, 72)
    there = parse_person(network, image, joints, outline).labels
    mirror = image.flip(-1), joints.flip(-1)[:, MIRRORED_JOINTS], outline.flip(-1)
    np.testing.assert_array_equal(parse_person(network, *mirror).labels, MIRRORED_LIP[there[:, ::-1]])
    assert len(np.unique(there)) > 3


def test_segformer_sees_normalised_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents pixels in [-1,1] or 0–255, with which it would label everything background."""
    network, seen = toy_segformer(), []
    forward = network.forward

    def record(pixel_values: torch.Tensor) -> object:
        seen.append(pixel_values)
        return forward(pixel_values=pixel_values)

    monkeypatch.setattr(network, "forward", record)
    parse_person(network, INPUTS[0] + 1, *INPUTS[1:])
    assert seen[0].shape == (1, 3, 512, 512)
    white = torch.tensor([2.2489, 2.4286, 2.64])  # (1 - mean) / deviation of ImageNet
    torch.testing.assert_close(seen[0].mean((0, 2, 3)), white, atol=1e-3, rtol=0)


def test_a_head_without_a_neck_is_parted_at_the_shoulders() -> None:
    """Prevents an old collar from surviving because SegFormer calls the neck a head."""
    labels = np.full((96, 72), DRESS_CODE["head"], np.uint8)
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[KEYPOINT_NAMES.index("right_shoulder")] = (20, 50, 1)
    keypoints[KEYPOINT_NAMES.index("left_shoulder")] = (50, 50, 1)
    lip = translate(Parsing(labels, "dresscode", "segformer"), "lip", keypoints)
    assert (lip[:46] == LIP["face"]).all() and (lip[47:] == LIP["neck"]).all()
    same = translate(Parsing(labels, "dresscode", "segformer"), "dresscode", keypoints)
    np.testing.assert_array_equal(same, labels)


def test_segformer_is_found_on_disk_and_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prevents a download behind the user's back, and a fashion parser with other labels."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    assert find_segformer(tmp_path) is None
    toy_segformer().save_pretrained(tmp_path)
    assert find_segformer(tmp_path) == tmp_path
    assert load_segformer(tmp_path).config.num_labels == 18
    cached = tmp_path / "model.safetensors"
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: str(cached))
    assert find_segformer(tmp_path / "nothing") == tmp_path
    toy_segformer(labels=20).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="20 labels instead of 18"):
        load_segformer(tmp_path)


def test_the_dilation_grows_with_the_size() -> None:
    """Prevents a mask that is relatively smaller at 1024 than the one that the model was trained with."""
    assert [dilation_side((height, 0), (512, 384)) for height in (256, 512, 768, 1024)] == [11, 21, 31, 41]
