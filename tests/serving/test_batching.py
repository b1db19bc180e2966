"""Which images go through the model together, step by step."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.serving.running import Brightness
from tuner.serving.batching import ModelQueue


def image(grey: int) -> np.ndarray:
    return np.full((8, 8, 1), grey, dtype=np.uint8)


def test_what_waits_goes_together_and_nobody_waits_for_others() -> None:
    model, told = Brightness(), []

    async def ask() -> list[np.ndarray]:
        queue = ModelQueue(model, 3, lambda n, seconds: told.append((n, seconds > 0)))
        model.gate.clear()
        first = asyncio.create_task(queue.probabilities(image(0)))
        await asyncio.to_thread(model.begun.wait, 60)
        others = [asyncio.create_task(queue.probabilities(image(51 * n))) for n in range(1, 6)]
        # Each task runs up to where it waits for its row.
        await asyncio.sleep(0)
        model.gate.set()
        rows = await asyncio.gather(first, *others)
        queue.close()
        return rows

    rows = asyncio.run(ask())
    assert model.passes == [1, 3, 2]
    assert told == [(1, True), (3, True), (2, True)]
    assert [row[1] for row in rows] == pytest.approx([n / 5 for n in range(6)])


def test_a_pass_that_fails_ends_its_own_requests_only() -> None:
    model = Brightness(failure=ValueError("once"))

    async def ask() -> np.ndarray:
        queue = ModelQueue(model, 3)
        with pytest.raises(ValueError, match="once"):
            await queue.probabilities(image(0))
        found = await queue.probabilities(image(255))
        queue.close()
        return found

    assert asyncio.run(ask()).tolist() == [0, 1]


def test_an_image_that_nobody_waits_for_any_more_holds_up_no_other() -> None:
    model = Brightness()

    async def ask() -> np.ndarray:
        queue = ModelQueue(model, 3)
        model.gate.clear()
        gone = asyncio.create_task(queue.probabilities(image(0)))
        await asyncio.to_thread(model.begun.wait, 60)
        gone.cancel()
        waiting = asyncio.create_task(queue.probabilities(image(255)))
        await asyncio.sleep(0)
        model.gate.set()
        found = await waiting
        queue.close()
        return found

    assert asyncio.run(ask()).tolist() == [0, 1]
