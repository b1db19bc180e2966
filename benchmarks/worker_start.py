#!/usr/bin/env python3
"""Seconds until a worker process has trained a tiny task: forked, spawned, and warm.

    python benchmarks/worker_start.py [--rounds 3] [--tasks 10]

First, the time from an order to its result, of one epoch of a tiny network:

  server    the fork server's own start: its imports, once per driver; `warm_up` runs them in the
            background
  forked    a fresh worker, forked from the server
  spawned   a fresh worker, spawned: it imports the framework itself
  warm      a worker that has trained the same architecture before

Then the same few small tasks on one warm worker against a fresh forked worker for each of them. The
driver itself imports no framework.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from tuner.data.splits.fold import Fold
from tuner.execution.executor import Reports
from tuner.execution.process.process_executor import ProcessExecutor
from tuner.execution.process.start import warm_up
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.space.vocabulary import VOCABULARIES, with_defaults
from tuner.training.data import TrainingData

SPEC = ImageSpec(height=8, width=8, channels=1, class_names=("a", "b"), mean=(0.0,), std=(1.0,))


def tiny_data() -> TrainingData:
    """64 random images."""
    rng = np.random.default_rng(0)
    return TrainingData(
        inputs=rng.integers(0, 256, (64, 8, 8, 1), dtype=np.uint8),
        labels=rng.integers(0, 2, 64),
        folds=(Fold(train=np.arange(48), validation=np.arange(48, 64)),),
        spec=SPEC,
    )


def task(seed: int) -> TrainTask:
    """One epoch of a network of one block."""
    values = with_defaults(
        VOCABULARIES["cnn"], {"conv_blocks": 1, "filters": 4, "dense_units": 8, "batch_size": 16}
    )
    return TrainTask(
        task_id=str(seed), model="cnn", values=values, seed=seed, first_epoch=1, last_epoch=1
    )


def executor(scratch: Path, method: str) -> ProcessExecutor:
    """One worker that has not started yet."""
    made = ProcessExecutor(
        Reports(on_epoch=lambda task, epoch: None),
        n_workers=1,
        scratch=scratch,
        start_method=method,
    )
    made.add_data("images", tiny_data())
    return made


def train_s(workers: ProcessExecutor, seed: int) -> float:
    """Seconds from an order to its result."""
    start = time.perf_counter()
    workers.submit(task(seed))
    failure = workers.next_result().failure
    assert failure is None, failure
    return time.perf_counter() - start


def fresh_s(scratch: Path, method: str, seed: int = 0) -> float:
    """Seconds of a task in a worker of its own, which ends with it."""
    start = time.perf_counter()
    with executor(scratch, method) as workers:
        train_s(workers, seed)
    return time.perf_counter() - start


def many_warm_s(scratch: Path, n: int) -> float:
    """Seconds of n tasks in one worker."""
    start = time.perf_counter()
    with executor(scratch, "forkserver") as workers:
        for seed in range(n):
            train_s(workers, seed)
    return time.perf_counter() - start


def main() -> None:
    """Time all of it in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        start = time.perf_counter()
        warm_up()
        returned_s = time.perf_counter() - start
        first_s = fresh_s(scratch, "forkserver")
        forked = [fresh_s(scratch, "forkserver") for _ in range(arguments.rounds)]
        print(
            f"server: warm_up returned after {returned_s:.3f} s, ready after"
            f" {first_s - min(forked):.1f} s"
        )
        spawned = [fresh_s(scratch, "spawn") for _ in range(arguments.rounds)]
        with executor(scratch, "forkserver") as workers:
            train_s(workers, 0)
            warm = [train_s(workers, seed) for seed in range(arguments.rounds)]
        medians = {
            name: statistics.median(found)
            for name, found in zip("fsw", (forked, spawned, warm), strict=True)
        }
        print(
            f"forked {medians['f']:.2f} s, spawned {medians['s']:.2f} s, warm {medians['w']:.2f} s"
        )
        print(
            f"spawned / forked {medians['s'] / medians['f']:.1f}, forked / warm"
            f" {medians['f'] / medians['w']:.1f}"
        )
        each = sum(fresh_s(scratch, "forkserver", seed) for seed in range(arguments.tasks))
        together = many_warm_s(scratch, arguments.tasks)
        print(
            f"{arguments.tasks} tasks: a worker each {each:.1f} s, one worker {together:.1f} s,"
            f" {each / together:.1f}"
        )


if __name__ == "__main__":
    main()
