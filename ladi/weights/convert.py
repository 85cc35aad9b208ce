"""Published files → one folder that ``LadiVtonPipeline.from_pretrained`` reads.

Networks are never built in memory: each file's keys and shapes are compared with the network on the ``meta``
device, and its tensors go from file to file. The folder is written under another name and renamed when it is
complete; nothing that exists is replaced. It downloads nothing.
"""

from __future__ import annotations

import errno
import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from ladi.files import make_folder
from ladi.types import ModelError
from ladi.weights import table
from ladi.weights.catalog import NUMBERS
from ladi.weights.digests import verify
from ladi.weights.hub import Found
from ladi.weights.table import Precision

LOGGER = logging.getLogger(__name__)


def refuse_existing(out: Path) -> None:
    """Raises ``ModelError`` if there is something already."""
    if out.exists():
        raise ModelError(
            f"{str(out)!r} exists already and is left alone: remove it, or choose another folder."
        )


def convert(
    model: str,
    out: Path,
    downloads: Path,
    base: Found,
    vision: Found,
    *,
    precision: Precision = "fp32",
    recipe: Any = None,
) -> None:
    """Write a model folder, whole or not at all.

    Args:
        model: a key of ``table.RELEASES``.
        out: the folder to make.
        downloads: where the paper's files lie.
        base: the base's files.
        vision: the vision encoder's files.
        precision: of the weights; warping and refinement stay in float32.
        recipe: a ``networks.Recipe``; the published one if none.

    Raises:
        ModelError: a file is damaged, changed, or does not fit; then nothing is left behind.
        SettingError: the folder that it goes into cannot be written to.
    """
    from ladi.weights import networks

    make_folder(out.parent, "--out")
    draft = out.with_name(f"{out.name}.partial")
    with FileLock(out.parent / f".{out.name}.lock"):
        refuse_existing(out)
        shutil.rmtree(draft, ignore_errors=True)  # of a conversion that was killed
        draft.mkdir()
        try:
            paths = {file.name: downloads / file.name for file in table.RELEASES[model].files}
            paths |= base.files | {f"vision/{name}": path for name, path in vision.files.items()}
            _write_model(draft, model, paths, precision, recipe or networks.PUBLISHED)
            _write_origin(draft, model, downloads, {"base": base, "vision encoder": vision}, precision)
            draft.rename(out)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise ModelError(
                f"The disk of {str(out.parent)!r} is full: free some space and run the command again."
            ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _write_model(
    draft: Path, model: str, paths: Mapping[str, Path], precision: Precision, recipe: Any
) -> None:
    """Every part into its subfolder, and the index."""
    from ladi.diffusion.inputs import check_parts
    from ladi.weights.networks import build_parts
    from ladi.weights.reading import read_weights
    from ladi.weights.writing import write_network

    configs = {name: _config(paths.get(f"{name}/config.json")) for name in ("vae", "text_encoder", "unet")}
    whole_clip = _config(paths.get("vision/config.json"))
    configs["vision_encoder"] = whole_clip.get("vision_config", whole_clip)
    parts = build_parts(recipe, configs)
    check_parts(parts)
    for file in table.RELEASES[model].files:
        verify(paths[file.name])
    _write_tokenizer(draft, paths, parts["text_encoder"])
    _write_scheduler(draft, _config(paths.get("scheduler/scheduler_config.json")) | dict(recipe.scheduler))
    for source in table.sources_of(model):
        for file in source.files:
            for part in file.parts:
                path = paths[f"vision/{file.name}" if source is table.VISION else file.name]
                network = parts[part.component]
                name = file.name if source.kind == "release" else f"{path.name} of the {source.title}"
                weights = read_weights(path, part, network, name=name)
                write_network(network, weights, draft / part.component, precision)
                LOGGER.info("%s: from %s", part.component, name)
    _write_index(draft, recipe)


def _config(path: Path | None) -> dict[str, Any]:
    """A configuration file; empty where there is none."""
    if path is None:
        return {}
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} in {str(path.parent)!r} is no JSON: get it again.") from error


def _write_tokenizer(draft: Path, paths: Mapping[str, Path], text_encoder: Any) -> None:
    """The base's own files, as they are, and a trial of them."""
    from transformers import CLIPTokenizer

    from ladi.diffusion.conditioning import placeholder_id

    folder = draft / "tokenizer"
    folder.mkdir()
    for path in {path for name, path in paths.items() if name.startswith("tokenizer/")}:
        shutil.copyfile(path, folder / path.name)
    try:
        tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the library has a kind for every file
        raise ModelError(f"The base's tokenizer cannot be read ({error}): get the base again.") from error
    placeholder_id(tokenizer)
    if len(tokenizer) > text_encoder.config.vocab_size:
        raise ModelError(
            f"The base's tokenizer has {len(tokenizer)} tokens, but its text encoder knows "
            f"{text_encoder.config.vocab_size}: use a tokenizer and a text encoder that belong together."
        )


def _write_scheduler(draft: Path, config: Mapping[str, Any]) -> None:
    """DDIM, which the published pictures are sampled with."""
    from diffusers import DDIMScheduler

    bare = {key: value for key, value in config.items() if not key.startswith("_")}
    DDIMScheduler.from_config(bare).save_pretrained(draft / "scheduler")


def _write_index(draft: Path, recipe: Any) -> None:
    """``model_index.json``, as the pipeline itself writes it."""
    import diffusers

    from ladi.weights.networks import COMPONENTS, DIFFUSERS

    index: dict[str, Any] = {
        "_class_name": "LadiVtonPipeline",
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "DDIMScheduler"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "garment_skips": [None, None],
    }
    index |= {name: [DIFFUSERS.get(kind, "transformers"), kind] for name, kind in COMPONENTS.items()}
    index |= dict(zip(NUMBERS, (recipe.steps, recipe.guidance, *recipe.size), strict=True))
    (draft / "model_index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def _write_origin(
    draft: Path, model: str, downloads: Path, hubs: Mapping[str, Found], precision: Precision
) -> None:
    """``origin.json``: where the weights came from, and under which licences they may be used."""
    from ladi.weights.digests import recorded

    digests = recorded(downloads)
    sources = {source.title: source for source in table.sources_of(model)}
    release = table.RELEASES[model]
    entries: dict[str, Any] = {
        title: {"from": found.origin, "commit": found.commit} for title, found in hubs.items()
    }
    entries[release.title] = {"files": {file.name: digests.get(file.name) for file in release.files}}
    for title, entry in entries.items():
        entry["licence"] = [sources[title].licence.name, sources[title].licence.terms]
    origin = {"model": model, "precision": precision, "sources": entries}
    (draft / "origin.json").write_text(json.dumps(origin, indent=2) + "\n")
