"""One evaluation from data to report: generate, score, report, each by itself if wanted.

```
data ──► Pairs ─► generate ─► out/{order}/{row}/{pair}.png ─► score ─► table-{order}.json ─► report.html
model ─────────────┘          (resumable, on any number of    (one process)
                               processes)
```

The protocol is fixed here and stands beside every table: pictures at the model's size, rounded to 8 bits;
masks by the published rule; original pixels outside the hard mask for every row alike, unless told otherwise;
one seed per pair, the same in every row.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ladi.data.opening import LAYOUT_NAMES, find_splits, open_dataset, recognise_layout
from ladi.evaluation.causes.diagnosis import Detectors, measure
from ladi.evaluation.generate import Generator, Making, Share, fingerprint, generate
from ladi.evaluation.options import Options, check
from ladi.evaluation.pairs import Pairs
from ladi.evaluation.protocol import made_how, masks_in_words, versions
from ladi.evaluation.report.tables import write_tables
from ladi.evaluation.summary import summarise
from ladi.evaluation.variants import BASELINES, EmascKind, Variant, ablation
from ladi.files import PICTURES, write_json
from ladi.models.emasc import EMASC
from ladi.runtime.devices import Running, choose_precision, choose_running
from ladi.runtime.loading import is_large, load_networks
from ladi.types import LadiError, Size
from ladi.weights.catalog import find_model

LOGGER = logging.getLogger(__name__)

OTHER_EMASC = "emasc_{kind}"
"""The folder within a model's where an EMASC of another kind may lie."""
PATIENCE = timedelta(days=2)
"""How long a process that has made its share waits for the others."""


def evaluate(options: Options) -> dict[str, Any]:
    """Runs the wanted stages.

    Returns:
        The result as ``table-{order}.json`` holds it; empty in the processes and stages that do not score.

    Raises:
        LadiError: whatever the user can mend.
    """
    check(options)
    share, running, wait = _processes(options)
    runs = _datasets(options)
    failed: dict[int, str] = {}
    if options.stage in ("all", "generate") and options.pictures is None:
        for number, each in enumerate(runs):
            _attempt(number, failed, each, lambda each=each: _generate(each, share, running))  # type: ignore[misc]
    wait()
    if share.process or options.stage == "generate":
        return {}
    results: dict[str, Any] = {}
    if options.stage in ("all", "score"):
        found = [
            _attempt(number, failed, each, lambda each=each: _score(each, running))  # type: ignore[misc]
            for number, each in enumerate(runs)
        ]
        results = found[0]
        results["extra"] = [
            {"name": extra.name, "folder": str(extra.folder), **result}
            for extra, result in zip(options.extra, found[1:], strict=True)
        ]
        write_tables(results, options.out)
    from ladi.evaluation.report.page import write_report

    write_report(options.out)
    return results


def _processes(options: Options) -> tuple[Share, Running, Callable[[], None]]:
    """This process's share, where it computes, and how it waits for the others."""
    large = options.model is not None and is_large(options.model)
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Share(), choose_running(options.device, options.precision, large=large), lambda: None
    from accelerate import PartialState

    state = PartialState(cpu=options.device == "cpu", timeout=PATIENCE)
    dtype = choose_precision(options.precision, state.device, large=large)
    share = Share(state.process_index, state.num_processes)
    return share, Running(state.device, dtype), state.wait_for_everyone


def _datasets(options: Options) -> list[Options]:
    """The run itself, then one for each further dataset."""
    runs = [replace(options, extra=())]
    for extra in options.extra:
        layout = recognise_layout(extra.folder)
        splits = find_splits(extra.folder, layout) if layout else []
        wanted = [name for name in (options.split, "test", "val", *splits) if name in splits]
        runs.append(
            replace(
                options,
                data=extra.folder,
                out=options.out / "extra" / extra.name,
                split=wanted[0] if wanted else options.split,
                size=extra.size or options.size,
                limit=options.extra_limit,
                with_ablation=False,
                categories=None,
                pictures=None,
                extra=(),
            )
        )
    return runs


def _attempt(
    number: int, failed: dict[int, str], own: Options, run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Runs one dataset; a further one (from number 1) that cannot be used does not stop the others.

    ``failed`` gets the reason, and a dataset that is in it is not tried again.
    """
    if number in failed:
        return {"why": failed[number]}
    try:
        return run()
    except LadiError as error:
        if number == 0:
            raise
        LOGGER.warning("%s: %s", own.data, error)
        failed[number] = str(error)
        return {"why": failed[number]}


def _open(options: Options, size: Size, detectors: Detectors | None) -> Pairs:
    samples = open_dataset(
        options.data, options.split, order=options.order, size=size, categories=options.categories
    )
    find = detectors.find if detectors is not None and options.masks == "app" else None
    pairs = Pairs(samples, options.order, limit=options.limit, find=find)
    if not len(pairs):
        raise LadiError(f"no pairs to evaluate in {options.data}: --limit must be at least 1")
    return pairs


def _generate(options: Options, share: Share, running: Running) -> dict[str, Any]:
    """Makes this process's share of the pictures and of the measures, and says how they are made."""
    assert options.model is not None
    folder = find_model(options.model)
    pipeline, parser, _ = load_networks(options.model, running)
    config: Any = pipeline.config
    size = options.size or (config.height, config.width)
    full = Variant(
        "full",
        steps=options.steps if options.steps is not None else config.default_steps,
        guidance=options.guidance if options.guidance is not None else config.default_guidance,
        sampler=options.sampler,
    )
    own: EmascKind = pipeline.emasc.config.kind
    emascs, why = _other_emasc(options, folder, own, running)
    parts = ablation(full, own=own, why_not_other=why)[1:] if options.with_ablation else []
    making = Making(fingerprint(folder), options.seed, options.paste_back, str(running.dtype).split(".")[-1])
    detectors = Detectors(parser)
    pairs = _open(options, size, detectors)
    few = len(pairs) if options.ablation_limit is None else min(options.ablation_limit, len(pairs))
    out = options.out / options.order
    if share.process == 0:
        rows: list[dict[str, Any]] = [
            {"name": name, "run": making.row_digest(name, None)} for name in BASELINES
        ]
        for variant in (full, *parts):
            rows.append({**asdict(variant), "run": making.row_digest(variant.name, variant)})
        how = made_how(options, pipeline, making, full, running, share)
        record = {"protocol": how, "rows": rows, "few": few}
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "making.json", record)
    generate(
        Generator(pipeline, making, out, emascs),
        pairs,
        [full],
        extra_variants=parts,
        extra_pairs=few if parts else 0,
        share=share,
        batch_size=options.batch_size,
    )
    if options.order == "paired" and options.causes:
        for index in share.indices(len(pairs)):
            pair = pairs[index]
            digest = making.digest(pair, index, "measures", None)
            measure(pair, pipeline, detectors, out / "measures" / f"{pair.id}.json", digest)
    return {}


def _other_emasc(
    options: Options, folder: Path, own: EmascKind, running: Running
) -> tuple[dict[EmascKind, EMASC], str | None]:
    """The EMASC of the kind that the model does not have, or why there is none."""
    kind: EmascKind = "linear" if own == "nonlinear" else "nonlinear"
    place = options.other_emasc or folder / OTHER_EMASC.format(kind=kind)
    if not (place / "config.json").is_file():
        return {}, (
            f"the model has no trained {kind} EMASC: put one into {place.name}/ of its folder or name it by "
            "--other-emasc"
        )
    emasc = EMASC.from_pretrained(place, local_files_only=True)
    found: Any = emasc.config
    if found.kind != kind:
        raise LadiError(f"the EMASC in {place} is {found.kind}, as the model's own is: give a {kind} one")
    return {kind: emasc.eval().to(running.device, running.dtype)}, None


def _score(options: Options, running: Running) -> dict[str, Any]:
    """Scores what lies in the folders."""
    detectors = None
    if options.masks == "app":
        assert options.model is not None
        detectors = Detectors(load_networks(options.model, running)[1])
    record: dict[str, Any] | None = None
    made = options.out / options.order / "making.json"
    if options.pictures is None:
        if not made.is_file():
            raise LadiError(f"{made.parent} has no pictures yet: run the stage generate first")
        record = json.loads(made.read_text())
    size = _scoring_size(options, record)
    pairs = _open(options, size, detectors)
    layout = recognise_layout(options.data)
    protocol = {
        "data": str(options.data),
        "dataset": LAYOUT_NAMES[layout] if layout else "unknown",
        "split": options.split,
        "order": options.order,
        "categories": ", ".join(options.categories or ("all there are",)),
        "pairs": len(pairs),
        "pictures": "8 bits",
        "libraries": ", ".join(f"{name} {version}" for name, version in versions().items()),
    }
    if record is not None:
        protocol |= record["protocol"]
    else:
        protocol |= {
            "model": f"pictures in {options.pictures}, made by somebody else",
            "size": list(size),
            "masks": masks_in_words(options.masks),
            "outside the mask": "as they are, nothing pasted",
        }
    return summarise(options, pairs, protocol, record, running.device)


def _scoring_size(options: Options, record: dict[str, Any] | None) -> Size:
    """The size at which pictures are compared: as made, as asked for, or that of the first picture."""
    if record is not None:
        height, width = record["protocol"]["size"]
        return height, width
    if options.size is not None:
        return options.size
    assert options.pictures is not None
    from ladi.data.sample import read_image

    first: Sequence[Path] = sorted(
        path for path in options.pictures.iterdir() if path.suffix.lower() in PICTURES
    )
    if not first:
        raise LadiError(f"there are no pictures in {options.pictures}: give the folder that holds them")
    picture = read_image(first[0])
    return picture.height, picture.width
