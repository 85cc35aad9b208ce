"""Where and how a model computes: device, precision, and what is done where memory is short.

It decides and sets up; how models are read from disk is ``loading.py``'s. Training asks it for
``usable_precision`` alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from ladi.types import SettingError

if TYPE_CHECKING:
    from ladi.diffusion.pipeline import LadiVtonPipeline

LOGGER = logging.getLogger(__name__)

DEVICES = ("cuda", "mps", "cpu")
"""Best first."""

Precision = Literal["auto", "fp32", "fp16", "bf16"]
_DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}

_HALF_CAPABILITY = (5, 3)
"""CUDA devices compute in float16 from this capability on."""


@dataclass(frozen=True)
class Running:
    """How one model runs."""

    device: torch.device
    dtype: torch.dtype = torch.float32
    """Of every network but the warp, which stays in float32, and the helpers."""
    low_memory: bool = False

    @property
    def words(self) -> str:
        """Such as ``cuda, fp16, low memory``."""
        precision = next(name for name, dtype in _DTYPES.items() if dtype == self.dtype)
        return ", ".join([self.device.type, precision] + ["low memory"] * self.low_memory)


def choose_device(name: str | None = None) -> torch.device:
    """The device to compute on; ``None`` takes the best there is.

    Raises:
        SettingError: an unknown or absent device.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(device for device in DEVICES if present[device]))
    if name not in DEVICES:
        raise SettingError(f"device must be cuda, mps or cpu, got {name!r}.")
    if not present[name]:
        raise SettingError(f"There is no {name} device on this machine: leave the device out, or use cpu.")
    return torch.device(name)


def choose_precision(name: str, device: torch.device, *, large: bool = True) -> torch.dtype:
    """The networks' number format.

    Args:
        name: one of ``Precision``. ``auto`` is fp16 for a large model on a GPU and fp32 otherwise: on a CPU
            without their instructions halves are a hundred times slower, and a small model, trained in
            float32, does not need them.
        device: from ``choose_device``.
        large: whether the model is a full-size one.

    Raises:
        SettingError: an unknown precision, or one that this device cannot compute in.
    """
    if name not in get_args(Precision):
        raise SettingError(f"precision must be auto, fp32, fp16 or bf16, got {name!r}.")
    if name == "auto":
        return torch.float16 if large and _has_halves(device) else torch.float32
    if name == "fp16" and not _has_halves(device):
        raise SettingError(
            f"fp16 is not usable on this {_called(device)}: choose precision fp32, or leave it out."
        )
    if (
        name == "bf16"
        and device.type == "cuda"
        and not torch.cuda.is_bf16_supported(including_emulation=False)
    ):
        raise SettingError("bf16 is not usable on this GPU: choose precision fp16, or leave it out.")
    return _DTYPES[name]


def choose_running(
    device: str | None = None, precision: str = "auto", *, low_memory: bool = False, large: bool = True
) -> Running:
    """All three choices together; arguments and errors as in the two functions above."""
    where = choose_device(device)
    return Running(where, choose_precision(precision, where, large=large), low_memory)


def place(pipeline: LadiVtonPipeline, running: Running) -> None:
    """Bring a pipeline, loaded on the CPU in the right precision, to where it runs.

    Low memory means: a CUDA device holds one part at a time, and pictures of a batch go through the
    autoencoder one by one. Sliced attention is used on MPS alone: elsewhere PyTorch's fused attention needs
    less than the slices would (``benchmarks/memory.py`` computes both). There is no tiling: attention and
    group norms would see a tile instead of the picture, and EMASC's skips would be added to a decoder that
    answers differently.
    """
    if running.low_memory:
        pipeline.vae.enable_slicing()
        if running.device.type == "mps":
            pipeline.unet.set_attention_slice("auto")
    if running.low_memory and running.device.type == "cuda":
        pipeline.enable_model_cpu_offload(device=running.device)
    else:
        pipeline.to(running.device)


def _has_halves(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= _HALF_CAPABILITY
    return device.type == "mps"


def _called(device: torch.device) -> str:
    return "CPU" if device.type == "cpu" else "GPU"


def usable_precision(precision: str, device: str | None) -> str:
    """Accelerate's name of the precision to train in: the wanted one, or ``no`` where a CPU is no good at it.

    Emulated bfloat16 is a hundred times slower than float32, and in float16 a CPU does not train at all.
    """
    on_cpu = device == "cpu" or not torch.cuda.is_available()
    if precision == "no" or not on_cpu:
        return precision
    able = torch.cpu.get_capabilities()
    if precision == "bf16" and any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")):
        return precision
    lacks = "bfloat16 instructions" if precision == "bf16" else "training in float16"
    LOGGER.warning("this CPU has no %s: training in float32", lacks)
    return "no"
