#!/usr/bin/env python3
"""How much faster two workers train the same tasks than one does, each worker with one thread.

    python benchmarks/two_workers.py [--rounds 3] [--tasks 6] [--images 500] [--unpinned]

The network is the one of a fixed-cost search: Conv-BN-ReLU-Pool with 32, 64 and 128 filters on 48x48x1, Dense 128, batch
64, Adam; two epochs of random images per task, dropout and rate differing from task to task. Both executors are warm
before they are timed, and take turns. `--unpinned` leaves the workers' cores to the system.

Other work on the machine shows: the load average is printed with each round; quote the best round of a quiet machine.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tuner.execution import process
from tuner.execution.executor import Reports
from tuner.execution.process import ProcessExecutor
from tuner.execution.start import warm_up
from tuner.execution.worker import WorkerSettings
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.space.vocabulary import VOCABULARIES, with_defaults
from tuner.training.data import TrainingData

SPEC = ImageSpec(height=48, width=48, channels=1, class_names=tuple("abcdefg"), mean=(0.0,), std=(1.0,))
NETWORK = {"conv_blocks": 3, "filters_0": 32, "filters_1": 64, "filters_2": 128, "dense_units": 128, "batch_size": 64}


def random_data(n: int) -> TrainingData:
    """Images that train and a quarter as many that validate."""
    rng = np.random.default_rng(0)
    n_all = n + n // 4
    return TrainingData(
        inputs=rng.integers(0, 256, (n_all, 48, 48, 1), dtype=np.uint8),
        labels=rng.integers(0, 7, n_all),
        train=np.arange(n),
        validation=np.arange(n, n_all),
        spec=SPEC,
    )


def make_task(seed: int) -> TrainTask:
    """Two epochs of a setting that shares its trace with all the others."""
    own = {"dropout": 0.1 + seed / 100, "learning_rate": 1e-3 * (1 + seed)}
    values = with_defaults(VOCABULARIES["cnn"], NETWORK | own)
    return TrainTask(task_id=str(seed), model="cnn", values=values, seed=seed, first_epoch=1, last_epoch=2)


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


def leave_unpinned() -> None:
    """Let the system choose the cores."""
    process._settings = lambda slot, n_workers, checkpoint_s, gpus: WorkerSettings(checkpoint_s=checkpoint_s)


def main() -> None:
    """Time one and two workers in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=6)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--unpinned", action="store_true")
    arguments = parser.parse_args()
    warm_up()
    if arguments.unpinned:
        leave_unpinned()
    reports, data = Reports(on_epoch=lambda task, epoch: None), random_data(arguments.images)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        one = ProcessExecutor(reports, n_workers=1, scratch=Path(folder, "one"))
        two = ProcessExecutor(reports, n_workers=2, scratch=Path(folder, "two"))
        with one, two:
            for executor in (one, two):
                executor.add_data("images", data)
                wall_s(executor, executor.n_workers)
            for number in range(arguments.rounds):
                found = [wall_s(executor, arguments.tasks) for executor in (one, two)]
                ratios.append(found[0] / found[1])
                load = os.getloadavg()[0]
                print(
                    f"round {number + 1}: one {found[0]:.1f} s, two {found[1]:.1f} s, "
                    f"ratio {ratios[-1]:.2f}, load {load:.1f}"
                )
    print(f"best ratio {max(ratios):.2f} of {len(ratios)}")


if __name__ == "__main__":
    main()
