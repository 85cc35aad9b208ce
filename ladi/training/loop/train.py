"""The one training loop: every stage gives it modules, batches and a loss.

Reproducible by construction: the pictures of step *n* and every random number drawn in it depend on the seed,
*n* and a sample's place in the batch alone, so that a resumed run continues exactly where an uninterrupted
one would be, and several processes do what one would. It does not know what is trained.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np
import torch

from ladi.progress import Interrupted
from ladi.training.loop.checkpoints import CHECKPOINT, load_checkpoint, save_checkpoint
from ladi.training.loop.draws import Draws, dropout_from
from ladi.training.loop.feeding import Feed, feed
from ladi.training.loop.journal import Journal, Tally
from ladi.training.loop.stage import Batch, Stage
from ladi.training.loop.workbench import Workbench
from ladi.types import LadiError

LOGGER = logging.getLogger(__name__)


def take_step(stage: Stage, bench: Workbench, step: int, samples: Batch) -> dict[str, float]:
    """One step of the optimizer.

    Args:
        stage: whose loss.
        bench: what is trained.
        step: number of the step, from 0.
        samples: this process's, of this step.

    Returns:
        The loss and the stage's own values, averaged over the accumulated parts.

    Raises:
        LadiError: the loss is no longer a number.
    """
    options, accelerator = stage.options, bench.accelerator
    sums: dict[str, float] = {}
    # What draws from neither its sample's numbers nor the batch's is at least the same after a resume.
    torch.manual_seed(int(np.random.SeedSequence([options.seed, 3, step]).generate_state(1)[0]))
    for part in range(options.accumulate):
        rows = slice(part * bench.part, (part + 1) * bench.part)
        first = accelerator.process_index * bench.part * options.accumulate + rows.start
        draws = Draws(options.seed, step, range(first, first + bench.part))
        batch = {key: value[rows].to(accelerator.device, non_blocking=True) for key, value in samples.items()}
        with ExitStack() as stack:
            if part < options.accumulate - 1:
                for module in bench.wrapped.values():
                    stack.enter_context(accelerator.no_sync(module))
            stack.enter_context(dropout_from(draws, bench.modules.values()))
            with accelerator.autocast():
                loss, logs = stage.loss(bench.wrapped, batch, draws)
            if not torch.isfinite(loss):
                raise LadiError(
                    f"{stage.name}: the loss is not a number at step {step}; lower the learning rate"
                )
            accelerator.backward(loss / options.accumulate)
        for key, value in {"loss": float(loss.detach()), **logs}.items():
            sums[key] = sums.get(key, 0.0) + value / options.accumulate
    if options.clip_norm is not None:
        accelerator.clip_grad_norm_(bench.parameters, options.clip_norm)
    bench.optimizer.step()
    bench.schedule.step()
    bench.optimizer.zero_grad(set_to_none=True)
    bench.averages.step()
    return sums


def feed_of(stage: Stage, bench: Workbench, first: int, last: int) -> Iterator[Feed]:
    """This process's samples of the steps from ``first`` to before ``last``."""
    accelerator = bench.accelerator
    return feed(
        stage,
        accelerator.process_index,
        accelerator.num_processes,
        range(first, last),
        pin=accelerator.device.type == "cuda",
    )


def train(stage: Stage, folder: Path, *, resume: bool = False, device: str | None = None) -> dict[str, float]:
    """Trains one stage until its steps or minutes are over.

    Args:
        stage: what to train.
        folder: holds the checkpoints, ``log.jsonl`` and the validation sheets.
        resume: continue from the checkpoint in the folder; without one, start.
        device: ``cpu`` forces the CPU.

    Returns:
        The last validation's metrics.

    Raises:
        LadiError: the loss is no longer a number, a sample cannot be read, or the options do not fit.
        Interrupted: SIGINT or SIGTERM was heard; the step that ran then has been done, and saved.
    """
    options = stage.options
    bench = Workbench(stage, device)
    main = bench.accelerator.is_main_process
    step, saved_step = 0, None
    if resume and (folder / CHECKPOINT).is_file():
        try:
            step = saved_step = bench.restore(load_checkpoint(folder), options.learning_rate)
        except (RuntimeError, ValueError) as error:  # what torch raises for other shapes, or other groups
            raise LadiError(
                f"{stage.name}: the checkpoint in {folder} is of a network of another size, such as an "
                "earlier version's, and cannot be continued: start this stage anew, without --resume."
            ) from error
        LOGGER.info("%s: resuming at step %d", stage.name, step)
    journal = Journal(folder, tensorboard=options.tensorboard) if main else None

    def save() -> None:
        nonlocal saved_step
        if main and step != saved_step:
            save_checkpoint(bench.state(step, options), folder, keep=options.keep, last=saved_step)
            saved_step = step

    started = saved = time.monotonic()
    tally = Tally(options.batch_size)
    with _StopOnSignal() as stop:
        for arrival in feed_of(stage, bench, step, options.steps):
            tally.add(take_step(stage, bench, step, arrival.batch), arrival.waited)
            step += 1
            if step % options.log_every == 0:
                values = bench.mean(tally.values())
                if journal:
                    head = {"step": step, "seconds": time.monotonic() - started}
                    journal.write({**head, "rate": bench.schedule.get_last_lr()[0], **values})
                tally = Tally(options.batch_size)
            if step % options.validate_every == 0 and step < options.steps:
                _validate(stage, bench, journal, step)
            if main and time.monotonic() - saved > options.save_minutes * 60:
                save()
                saved = time.monotonic()
            late = options.minutes is not None and time.monotonic() - started > options.minutes * 60
            if bench.agree(late or stop.heard is not None):
                break
        save()
        # Only now, because a process that heard nothing must not wait for one that has ended.
        if bench.agree(stop.heard is not None):
            # Not validated, which may take minutes, and no further stage follows.
            heard = signal.SIGTERM if stop.heard is None else stop.heard
            raise Interrupted(f"the stage {stage.name} after step {step}, which is saved", heard)
    metrics = _validate(stage, bench, journal, step)
    if journal:
        journal.close()
    return metrics


class _StopOnSignal:
    """Inside, SIGTERM and SIGINT mean "finish this step and save"; the first that was heard is kept."""

    def __enter__(self) -> _StopOnSignal:
        self.heard: int | None = None
        self._previous = {
            number: signal.signal(number, self._request) for number in (signal.SIGTERM, signal.SIGINT)
        }
        return self

    def _request(self, number: int, _frame: object) -> None:
        self.heard = self.heard or number

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def _validate(stage: Stage, bench: Workbench, journal: Journal | None, step: int) -> dict[str, float]:
    """Looks through the averages, in the first process; the others wait."""
    metrics: dict[str, float] = {}
    if stage.validate is not None and journal is not None:
        for module in bench.modules.values():
            module.eval()
        # Frozen parts are in the precision that is trained in, and so is whoever works with them.
        precision = bench.accelerator.autocast() if stage.frozen else nullcontext()
        with bench.averages, torch.no_grad(), precision:
            metrics, sheet = stage.validate(bench.modules)
        for module in bench.modules.values():
            module.train()
        journal.write({"step": step, "validation": 1.0, **metrics})
        if sheet is not None:
            journal.show(sheet, step)
    bench.accelerator.wait_for_everyone()
    return metrics
