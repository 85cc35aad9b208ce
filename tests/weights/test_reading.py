"""Files that are no weights: each is answered in a sentence, whatever PyTorch's unpickler makes of it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ladi.types import ModelError
from ladi.weights.reading import read_state

DEEP = b"\x80\x02" + b"(" * 200_000 + b"t" * 200_000 + b"."
CONTENTS = {
    "text": b"Dear Sir or Madam,\n" * 20,
    "empty": b"",
    "one byte": b"\x80",
    "html": b"<!doctype html><title>404</title>",
    "deep": DEEP,
    "a number": pickle.dumps(7),
    "a list": pickle.dumps([1, 2]),
    "a missing memo": b"\x80\x02h\x05.",
    "a short stack": b"\x80\x02R.",
}


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_what_is_no_weights_file_is_a_sentence(name: str, ending: str, tmp_path: Path) -> None:
    """Prevents bare exceptions from the unpickler for text, nothing, and what is nested too deep."""
    path = tmp_path / f"part.{ending}"
    path.write_bytes(CONTENTS[name])
    with pytest.raises(
        ModelError, match=r"^part\.\w+ (is truncated or damaged|holds something else|holds code)"
    ):
        read_state(path, path.name)
