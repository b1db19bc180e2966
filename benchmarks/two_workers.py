#!/usr/bin/env python3
"""How much faster two workers train the same tasks than one does, each worker with one thread.

    python benchmarks/two_workers.py [--rounds 3] [--tasks 6] [--images 500]

The network is the one of a fixed-cost search: Conv-BN-ReLU-Pool with 32, 64 and 128 filters on
48x48x1, Dense 128, batch 64, Adam; two epochs of random images per task, dropout and rate differing
from task to task. Timed in turn, all of them warm: one worker, two, and two that are pinned to a
core each.

Other work on the machine shows: the load average is printed with each round; quote the best round
of a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing import active_children
from multiprocessing.process import BaseProcess
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

SPEC = ImageSpec(
    height=48, width=48, channels=1, class_names=tuple("abcdefg"), mean=(0.0,), std=(1.0,)
)
NETWORK = {
    "conv_blocks": 3,
    "filters_0": 32,
    "filters_1": 64,
    "filters_2": 128,
    "dense_units": 128,
    "batch_size": 64,
}


def random_data(n: int) -> TrainingData:
    """Images that train and a quarter as many that validate."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    return TrainingData(
        inputs=rng.integers(0, 256, (n_all, 48, 48, 1), dtype=np.uint8),
        labels=rng.integers(0, 7, n_all),
        folds=(Fold(train=np.arange(n), validation=np.arange(n, n_all)),),
        spec=SPEC,
    )


def make_task(seed: int) -> TrainTask:
    """Two epochs of a setting that shares its trace with all the others."""
    own = {"dropout": 0.1 + seed / 100, "learning_rate": 1e-3 * (1 + seed)}
    values = with_defaults(VOCABULARIES["cnn"], NETWORK | own)
    return TrainTask(
        task_id=str(seed), model="cnn", values=values, seed=seed, first_epoch=1, last_epoch=2
    )


def wall_s(executor: ProcessExecutor, n_tasks: int) -> float:
    """Seconds of all tasks, as many at a time as there are workers."""
    start = time.perf_counter()
    for seed in range(n_tasks):
        if seed >= executor.n_workers:
            assert executor.next_result().failure is None
        executor.submit(make_task(seed))
    for _ in range(executor.n_workers):
        assert executor.next_result().failure is None
    return time.perf_counter() - start


def warm_executor(n: int, data: TrainingData, scratch: Path, *, is_pinned: bool) -> ProcessExecutor:
    """An executor whose workers have trained a task each."""
    executor = ProcessExecutor(
        Reports(on_epoch=lambda task, epoch: None), n_workers=n, scratch=scratch
    )
    executor.add_data("images", data)
    others = active_children()
    wall_s(executor, n)
    if is_pinned:
        pin([process for process in active_children() if process not in others])
    return executor


def pin(processes: Sequence[BaseProcess]) -> None:
    """Bind each process, with all its threads, to a core (Linux)."""
    for process, core in zip(processes, sorted(os.sched_getaffinity(0)), strict=False):
        for thread in Path(f"/proc/{process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def main() -> None:
    """Time one and two workers in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=6)
    parser.add_argument("--images", type=int, default=500)
    arguments = parser.parse_args()
    warm_up()
    data = random_data(arguments.images)
    ratios: dict[str, list[float]] = {"two": [], "pinned": []}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ways = {
            name: stack.enter_context(
                warm_executor(n, data, Path(folder, name), is_pinned=name == "pinned")
            )
            for name, n in (("one", 1), ("two", 2), ("pinned", 2))
        }
        for number in range(arguments.rounds):
            found = {name: wall_s(executor, arguments.tasks) for name, executor in ways.items()}
            for name, all_found in ratios.items():
                all_found.append(found["one"] / found[name])
            seconds = ", ".join(f"{name} {value:.1f} s" for name, value in found.items())
            print(f"round {number + 1}: {seconds}, load {os.getloadavg()[0]:.1f}", flush=True)
    for name, all_found in ratios.items():
        print(f"one / {name}: best {max(all_found):.2f}, median {statistics.median(all_found):.2f}")


if __name__ == "__main__":
    main()
