"""The project's own tokenizer."""

from __future__ import annotations

import pytest
from transformers import CLIPTokenizer

from ladi.diffusion.conditioning import placeholder_id, prompt_text, with_placeholders
from ladi.models.tokenizer import PROMPT_WORDS, build_tokenizer, merge_rules
from ladi.types import CATEGORIES


@pytest.mark.parametrize("category", CATEGORIES)
def test_one_token_per_word_of_the_prompt(category):
    """Prevents: merges that get into each other's way, so that a word falls apart and the prompt grows."""
    text = with_placeholders(prompt_text(category), 16)
    ids = build_tokenizer()(text).input_ids
    assert len(ids) == len(text.split()) + 2
    assert len(ids) <= 32


def test_byte_tokens_have_clips_numbers():
    """Prevents: another alphabet than CLIP's, in which "$" is token 259 and "a" token 320."""
    tokenizer = build_tokenizer()
    assert placeholder_id(tokenizer) == 259
    assert tokenizer("a", add_special_tokens=False).input_ids == [320]


def test_any_text_can_be_read():
    """Prevents: an unknown token for words outside the prompt."""
    tokenizer = build_tokenizer()
    ids = tokenizer("Zebra, 7 cafés!").input_ids
    assert tokenizer.unk_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == "zebra,7cafés!"


def test_saved_folder_loads_equal(tmp_path):
    """Prevents: a folder that only the class that wrote it can read, or another length."""
    built = build_tokenizer(tmp_path, max_length=32)
    loaded = CLIPTokenizer.from_pretrained(tmp_path)
    text = with_placeholders(prompt_text("dresses"), 4)
    padded = [tokenizer(text, padding="max_length").input_ids for tokenizer in (built, loaded)]
    assert padded[0] == padded[1]
    assert len(padded[0]) == 32


def test_merges_are_each_used_once():
    """Prevents: duplicate merges, which would be duplicate tokens."""
    merges = merge_rules(PROMPT_WORDS)
    assert len(set(merges)) == len(merges)
