"""How far along the work is, as the page says it."""

from __future__ import annotations

import pytest

from ladi.progress import SHARES, Stages, steps_done
from ladi.types import Cancelled


@pytest.mark.parametrize("steps", [1, 2, 30, 100])
def test_steps_are_counted_back_from_the_share(steps: int) -> None:
    """Prevents a page that says step 12 of 30 while the engine is at another."""
    told: list[float] = []
    stages = Stages(lambda _, share: told.append(share))
    for step in range(steps + 1):
        stages.within("denoise", step / steps)
    assert [steps_done(share, steps) for share in told] == list(range(steps + 1))
    assert steps_done(SHARES["person"], steps) == 0 and steps_done(1.0, steps) == steps


def test_a_stop_is_heard_at_every_stage() -> None:
    """Prevents a stage that goes on although nobody waits for it."""
    for stage in SHARES:
        with pytest.raises(Cancelled), Stages(cancelled=lambda: True)(stage):
            pytest.fail("the stage has begun")
