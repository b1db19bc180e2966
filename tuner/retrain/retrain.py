"""Retraining: every contender, once per seed, all of them side by side."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tuner.execution.executor import Executor
from tuner.execution.stop import StopRequest
from tuner.records.contender import Contender, Trained
from tuner.records.events import Listener, ModelStarted, ModelTrained, StageStarted
from tuner.records.training import TrainResult, TrainTask
from tuner.training.data import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOrder:
    """What retraining needs beside contenders and executor.

    Attributes:
        seeds: One per training of a contender.
        checkpoints: Folder of the checkpoints; those that are there already are not trained again.
        deadline: Unix time in seconds by which all is to end; None for none.
    """

    seeds: Sequence[int]
    checkpoints: Path
    deadline: float | None = None


def retrain(
    contenders: Sequence[tuple[Contender, TrainingData]],
    order: RetrainOrder,
    executor: Executor,
    listener: Listener,
    request: StopRequest,
) -> list[list[Trained]]:
    """Train each contender once per seed.

    Args:
        contenders: Each with its images, or a frozen network's features in their place.
        order: Seeds and files.
        executor: Trains.
        listener: Hears how it goes.
        request: Once made, what runs ends after its epoch; another call goes on from there.

    Returns:
        One list per contender with one entry per seed; a failed training carries its failure. Incomplete where the
        end was asked for.
    """
    names = ", ".join(contender.title for contender, _ in contenders)
    listener(StageStarted(title=f"Retraining {names}"))
    for contender, data in contenders:
        executor.add_data(contender.name, _fewer(data, contender.max_train_images, order.seeds[0]))
    waiting = deque((contender, n) for contender, _ in contenders for n in range(len(order.seeds)))
    running: dict[str, tuple[Contender, int]] = {}
    trained: dict[str, list[Trained]] = {contender.name: [] for contender, _ in contenders}
    while waiting or running:
        while waiting and len(running) < executor.n_workers and not request.is_made():
            stop_at = _share(order.deadline, len(waiting), executor.n_workers)
            contender, number = waiting.popleft()
            task = _task(contender, number, order, stop_at)
            running[task.task_id] = contender, number
            listener(_started(contender, number, task))
            executor.submit(task)
        if not running:
            break
        result = executor.next_result()
        contender, number = running.pop(result.task_id)
        if result.ended_by == "request":
            continue
        trained[contender.name].append(
            Trained(
                seed=number, task_seed=order.seeds[number], result=result, checkpoint=_path(contender, number, order)
            )
        )
        listener(ModelTrained(title=contender.title, seed=number, text=_text(contender, result)))
    return [sorted(trained[contender.name], key=lambda t: t.seed) for contender, _ in contenders]


def _share(deadline: float | None, n_waiting: int, n_workers: int) -> float | None:
    """When a training must end so that those after it get as much time."""
    if deadline is None:
        return None
    now = time.time()
    return now + max(deadline - now, 0.0) / -(-n_waiting // n_workers)


def _path(contender: Contender, number: int, order: RetrainOrder) -> Path:
    return order.checkpoints / f"{contender.name}-{number}.npz"


def _task(contender: Contender, number: int, order: RetrainOrder, stop_at: float | None) -> TrainTask:
    return TrainTask(
        task_id=f"{contender.name}-{number}",
        model=contender.model,
        values=contender.values,
        seed=order.seeds[number],
        first_epoch=1,
        last_epoch=contender.max_epochs,
        save_to=_path(contender, number, order),
        schedule=contender.schedule,
        early_stopping=contender.early_stopping,
        stop_at=stop_at,
        data=contender.name,
    )


def _started(contender: Contender, number: int, task: TrainTask) -> ModelStarted:
    return ModelStarted(task_id=task.task_id, title=contender.title, seed=number, last_epoch=task.last_epoch)


def _text(contender: Contender, result: TrainResult) -> str:
    if result.failure:
        return f"failed: {result.failure.reason}"
    monitor = contender.early_stopping.monitor
    best = next(e for e in result.epochs if e.epoch == result.best_epoch)
    late = ", ended by the time budget" if result.ended_by == "deadline" else ""
    return f"{len(result.epochs)} epochs{late}, {monitor} {best.metrics[monitor]:.4f} in epoch {best.epoch}"


def _fewer(data: TrainingData, max_train_images: int | None, seed: int) -> TrainingData:
    if max_train_images is None or len(data.train) <= max_train_images:
        return data
    drawn = np.random.default_rng(seed).choice(data.train, max_train_images, replace=False)
    return replace(data, train=np.sort(drawn))
