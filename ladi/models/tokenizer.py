"""A small CLIP tokenizer of our own, for models that are trained from scratch.

It has CLIP's 512 byte tokens at CLIP's numbers (so "$" is where it is in the published vocabulary), the
prompt's words as one token each, and CLIP's two special tokens last. Every other text still works: it falls
apart into bytes. The published model brings its own tokenizer and needs nothing from here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"
PROMPT_WORDS = ("a", "an", "photo", "of", "model", "wearing", "dress", "upper", "lower", "body", "garment")


def byte_alphabet() -> list[str]:
    """CLIP's character for each of the 256 bytes, in the order of its vocabulary: printable bytes first."""
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    others = 256 - len(printable)
    return [chr(code) for code in printable] + [chr(256 + index) for index in range(others)]


def merge_rules(words: Iterable[str]) -> list[tuple[str, str]]:
    """Byte-pair merges, in order, after which every given word is a single token."""
    pieces = {word: [*word[:-1], word[-1] + WORD_END] for word in words}
    merges: list[tuple[str, str]] = []
    while unfinished := [parts for parts in pieces.values() if len(parts) > 1]:
        pair = (unfinished[0][0], unfinished[0][1])
        merges.append(pair)
        # A merge applies to every word, as in the tokenizer, or a later word would come out in pieces.
        for parts in unfinished:
            index = 0
            while index < len(parts) - 1:
                if (parts[index], parts[index + 1]) == pair:
                    parts[index : index + 2] = ["".join(pair)]
                index += 1
    return merges


def build_tokenizer(
    folder: str | Path | None = None, *, words: Iterable[str] = PROMPT_WORDS, max_length: int = 77
) -> CLIPTokenizer:
    """Builds the tokenizer, and saves it.

    Args:
        folder: where to save it, as ``save_pretrained`` does; none does not keep it.
        words: lower-case words that become one token each.
        max_length: tokens per text, start and end included; the text encoder's number of positions.

    Returns:
        The tokenizer, as loaded from what was saved.
    """
    merges = merge_rules(words)
    alphabet = byte_alphabet()
    tokens = [
        *alphabet,
        *(char + WORD_END for char in alphabet),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "bos_token": START,
        "eos_token": END,
        "pad_token": END,
        "unk_token": END,
        "model_max_length": max_length,
    }
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch)
        (source / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        rules = "".join(f"{left} {right}\n" for left, right in merges)
        (source / "merges.txt").write_text(f"#version: 0.2\n{rules}", encoding="utf-8")
        (source / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
        tokenizer = CLIPTokenizer.from_pretrained(source)
    if folder is not None:
        tokenizer.save_pretrained(folder)
    return tokenizer
