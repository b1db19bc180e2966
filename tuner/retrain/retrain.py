"""Retraining: every contender, once per seed, on the same images."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tuner.execution.executor import Executor
from tuner.records.contender import Contender, Trained
from tuner.records.events import Listener, ModelTrained, StageStarted
from tuner.records.training import TrainResult, TrainTask
from tuner.training.data import TrainingData


def retrain(
    contender: Contender,
    data: TrainingData,
    *,
    seeds: Sequence[int],
    folder: Path,
    executor_for: Callable[[TrainingData], Executor],
    listener: Listener,
) -> list[Trained]:
    """Train a contender once per seed.

    Args:
        contender: What to train.
        data: Images, or a frozen network's features in their place.
        seeds: One per training.
        folder: Where checkpoints go.
        executor_for: Gives an executor for some data.
        listener: Hears how it goes.

    Returns:
        One entry per seed; a failed training carries its failure.
    """
    listener(StageStarted(title=f"Retraining {contender.title}"))
    executor = executor_for(_fewer(data, contender.max_train_images, seeds[0]))
    waiting = deque(enumerate(seeds))
    running: dict[str, int] = {}
    trained: dict[int, Trained] = {}
    while waiting or running:
        while waiting and len(running) < executor.n_workers:
            number, seed = waiting.popleft()
            task = _task(contender, number, seed, _checkpoint(folder, contender, number))
            running[task.task_id] = number
            executor.submit(task)
        result = executor.next_result()
        number = running.pop(result.task_id)
        checkpoint = _checkpoint(folder, contender, number)
        trained[number] = Trained(seed=number, task_seed=seeds[number], result=result, checkpoint=checkpoint)
        listener(ModelTrained(title=contender.title, seed=number, text=_text(contender, result)))
    return [trained[number] for number in sorted(trained)]


def _checkpoint(folder: Path, contender: Contender, number: int) -> Path:
    return folder / f"{contender.name}-{number}.npz"


def _task(contender: Contender, number: int, seed: int, checkpoint: Path) -> TrainTask:
    return TrainTask(
        task_id=f"{contender.name}-{number}",
        model=contender.model,
        values=contender.values,
        seed=seed,
        first_epoch=1,
        last_epoch=contender.max_epochs,
        save_to=checkpoint,
        schedule=contender.schedule,
        early_stopping=contender.early_stopping,
    )


def _text(contender: Contender, result: TrainResult) -> str:
    if result.failure:
        return f"failed: {result.failure.reason}"
    monitor = contender.early_stopping.monitor
    best = next(e for e in result.epochs if e.epoch == result.best_epoch)
    return f"{len(result.epochs)} epochs, {monitor} {best.metrics[monitor]:.4f} in epoch {best.epoch}"


def _fewer(data: TrainingData, max_train_images: int | None, seed: int) -> TrainingData:
    if max_train_images is None or len(data.train) <= max_train_images:
        return data
    drawn = np.random.default_rng(seed).choice(data.train, max_train_images, replace=False)
    return replace(data, train=np.sort(drawn))
