#!/usr/bin/env python3
"""What augmentation adds to a training step, on one thread: each kind alone, and all together.

Also what the other parts of a step cost.

    python benchmarks/augmentation_cost.py [--pairs 15] [--steps 3]

Three networks on batches of 64: the one of a fixed-cost search (32, 64 and 128 filters on 48x48x1),
and the family's defaults on 48x48x1 and on 96x96x3. Plain and augmented steps take turns, so that a
machine that changes its speed changes it for both; the median of the ratios is what to quote. Time
is the processor's: with one thread it is the wall's too, but for what else the machine does.
`weights` is a step that takes no weights of images, and `scores` one without macro F1 and balanced
accuracy: both ratios are of ours to theirs. `ms` is the augmentation timed by itself. A kind, or
all of them, that makes a step of any network 15 % longer exits with 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tuner.backend import environment

environment.prepare()

import keras
import numpy as np

from tuner.backend.active import backend, prepare_devices
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.training.augmentation import Augmentation, Batch
from tuner.training.compiled import compiled_model

BATCH = 64
LIMIT = 1.15
NETWORKS: Mapping[str, tuple[tuple[int, int, int], Mapping[str, Any]]] = {
    "32-64-128 filters, 48x48x1": (
        (48, 48, 1),
        {"filters_0": 32, "filters_1": 64, "filters_2": 128},
    ),
    "defaults, 48x48x1": ((48, 48, 1), {}),
    "defaults, 96x96x3": ((96, 96, 3), {}),
}
KINDS: Mapping[str, Mapping[str, Any]] = {
    "flip": {"flip": True},
    "shift": {"shift": 0.1},
    "zoom": {"zoom": 0.2},
    "rotation": {"rotation": 15.0},
    "contrast": {"contrast": 0.3},
    "random_erasing": {"random_erasing": 0.5},
    "mixup": {"mixup": 0.2},
}
ALL: Mapping[str, Any] = {name: value for kind in KINDS.values() for name, value in kind.items()}


def main() -> int:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument(
        "--steps", type=int, default=3, help="steps in a row before the other kind has its turn"
    )
    options = parser.parse_args()
    prepare_devices(1)
    worst = max(
        table(title, shape, values, options.pairs, options.steps)
        for title, (shape, values) in NETWORKS.items()
    )
    print(f"worst median {worst:.3f}, limit {LIMIT}: {'met' if worst < LIMIT else 'missed'}")
    return 0 if worst < LIMIT else 1


def table(
    title: str, shape: tuple[int, int, int], values: Mapping[str, Any], n_pairs: int, n_steps: int
) -> float:
    """Measure one network; returns the worst median of its augmentations."""
    medians = []
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, *shape), dtype=np.uint8)
    batch: Batch = (
        images,
        np.eye(7, dtype="float32")[rng.integers(0, 7, BATCH)],
        np.ones(BATCH, dtype="float32"),
    )
    spec = ImageSpec(
        height=shape[0], width=shape[1], channels=shape[2], class_names=tuple("abcdefg"),
        mean=(128.0,) * shape[2], std=(64.0,) * shape[2],
    )  # fmt: skip
    model = compiled_model("cnn", complete("cnn", values), spec)
    train = backend.steps(model, batch).train
    plain = timed(lambda: train(*batch), n_steps)
    plain()
    step_s = statistics.median(plain() for _ in range(3))
    print(f"\n{title}: {1000 * step_s:.1f} ms a step")
    for name, terms in {**KINDS, "all": ALL}.items():
        augmentation = Augmentation(terms)

        def change(augmentation: Augmentation = augmentation) -> Batch:
            return augmentation(batch, np.random.default_rng([1, 2, 3, 4]))

        def augmented(change: Callable[[], Batch] = change) -> object:
            return train(*change())

        alone = timed(change, n_steps)
        alone()
        alone_s = statistics.median(alone() for _ in range(n_pairs))
        found = ratios(timed(augmented, n_steps), plain, n_pairs)
        show(name, found, f"{1000 * alone_s:.2f} ms")
        medians.append(statistics.median(found))
    unweighted = backend.steps(model, batch[:2]).train
    show("weights", ratios(plain, timed(lambda: unweighted(*batch[:2]), n_steps), n_pairs))
    other = compiled_model("cnn", complete("cnn", values), spec)
    other.compile(optimizer=other.optimizer, loss=other.loss, metrics=["accuracy"])
    unscored = backend.steps(other, batch).train
    show("scores", ratios(plain, timed(lambda: unscored(*batch), n_steps), n_pairs))
    keras.backend.clear_session()
    return max(medians)


def timed(step: Callable[[], object], n_steps: int) -> Callable[[], float]:
    """Seconds of the processor that one step takes, as the mean of some in a row."""

    def run() -> float:
        start = time.process_time()
        for _ in range(n_steps):
            step()
        return (time.process_time() - start) / n_steps

    return run


def ratios(one: Callable[[], float], other: Callable[[], float], n_pairs: int) -> list[float]:
    """How much longer one takes than the other, per pair and sorted; the first pair is dropped."""
    one(), other()
    return sorted(one() / other() for _ in range(n_pairs))


def show(name: str, found: list[float], note: str = "") -> None:
    """Print a row: the median, and the middle half."""
    quarter = len(found) // 4
    spread = f"{found[quarter]:.3f} to {found[-1 - quarter]:.3f}"
    print(f"  {name:15} {statistics.median(found):.3f}  ({spread})  {note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
