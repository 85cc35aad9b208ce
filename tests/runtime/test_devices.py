"""Where and how a model computes."""

from __future__ import annotations

import pytest
import torch

from ladi.runtime.devices import Running, choose_device, choose_precision, choose_running, place
from ladi.types import SettingError
from tests.toy import pictures, same, toy_inputs, toy_pipeline

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were one, of a kind without bfloat16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (7, 5))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)


def test_a_missing_device_is_refused() -> None:
    """Prevents a CUDA traceback on a machine without a GPU."""
    assert choose_device("cpu") == CPU
    with pytest.raises(SettingError, match="device must be cuda, mps or cpu, got 'tpu'"):
        choose_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(SettingError, match="no cuda device"):
            choose_device("cuda")


def test_precision_by_itself(gpu: None) -> None:
    """Prevents halves on a CPU or in the embedded model, and float32 of a full-size one on a GPU."""
    assert choose_precision("auto", CPU) == torch.float32
    assert choose_precision("auto", CUDA) == choose_precision("auto", MPS) == torch.float16
    assert choose_precision("auto", CUDA, large=False) == torch.float32
    assert choose_running("cuda", "fp32", low_memory=True).words == "cuda, fp32, low memory"


def test_what_a_device_cannot_compute_is_refused_in_words(gpu: None) -> None:
    """Prevents an error from inside a kernel, minutes later."""
    with pytest.raises(SettingError, match="fp16 is not usable on this CPU: choose precision fp32"):
        choose_precision("fp16", CPU)
    with pytest.raises(SettingError, match="bf16 is not usable on this GPU"):
        choose_precision("bf16", CUDA)
    with pytest.raises(SettingError, match="precision must be auto, fp32, fp16 or bf16, got 'int8'"):
        choose_precision("int8", CPU)
    assert choose_precision("bf16", CPU) == torch.bfloat16


def test_low_memory_changes_no_picture() -> None:
    """Prevents saving memory at the price of another result."""
    lean, plain = toy_pipeline(), toy_pipeline()
    place(lean, Running(CPU, low_memory=True))
    place(plain, Running(CPU))
    assert lean.vae.use_slicing and not plain.vae.use_slicing
    arguments = {"num_images_per_prompt": 2}
    assert same(pictures(lean, **arguments), pictures(plain, **arguments))


def test_low_memory_on_a_gpu_lets_parts_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents a flag that leaves the whole model on the device; the pipeline's tests cover the hooks."""
    lean, asked = toy_pipeline(), []
    monkeypatch.setattr(lean, "enable_model_cpu_offload", lambda device: asked.append(device))
    monkeypatch.setattr(lean, "to", lambda device: asked.append("all"))
    place(lean, Running(CUDA, torch.float16, low_memory=True))
    place(lean, Running(CUDA, torch.float16))
    assert asked == [CUDA, "all"]


def test_with_slicing_the_autoencoder_sees_one_picture_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents slicing that is switched on and skipped, since EMASC calls methods of its own."""
    lean = toy_pipeline()
    place(lean, Running(CPU, low_memory=True))
    batches: list[int] = []
    for part in (lean.vae.encoder.conv_in, lean.vae.decoder.conv_in, lean.emasc.conv[0][0]):
        part.register_forward_hook(lambda _, inputs, __: batches.append(len(inputs[0])))
    pictures(lean, people=2, num_images_per_prompt=2)
    assert set(batches) == {1} and len(batches) == 2 * 2 + 4 + 4
    image = toy_inputs(people=2)["image"]
    sliced = lean.vae.encode_with_features(image)
    lean.vae.disable_slicing()
    whole = lean.vae.encode_with_features(image)
    torch.testing.assert_close(sliced, whole, atol=1e-5, rtol=1e-5)
