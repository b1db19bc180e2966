"""Retraining: every contender, once per seed, all of them side by side."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuner.data.splits.fold import drawn_fold, fold_of_seed
from tuner.execution.executor import Executor
from tuner.execution.run_tasks import run_tasks
from tuner.execution.stop import StopRequest
from tuner.metrics.score_text import score_text
from tuner.records.contender import Contender, Trained
from tuner.records.events import Listener, ModelStarted, ModelTrained, Notice, StageStarted
from tuner.records.training import Failure, TrainResult, TrainTask
from tuner.space.definition import Precision
from tuner.training.data import TrainingData

LOG = logging.getLogger("tuner")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainOrder:
    """What retraining needs beside contenders and executor.

    Attributes:
        seeds: One per training, by the contender's name. Where time may run out, contenders with
            fewer than others come last.
        checkpoints: Folder of the checkpoints; those that are there already are not trained again.
        deadline: Unix time in seconds by which all is to end; None for none.
        precision: As of `TrainTask`.
        is_planned: Whether there is time for all by plan. Otherwise what is left of it is shared
            out evenly.
    """

    seeds: Mapping[str, Sequence[int]]
    checkpoints: Path
    deadline: float | None = None
    precision: Precision | None = None
    is_planned: bool = False


def retrain(
    contenders: Sequence[Contender],
    data: TrainingData,
    order: RetrainOrder,
    executor: Executor,
    listener: Listener,
    request: StopRequest,
) -> list[list[Trained]]:
    """Train each contender once for each of its seeds; the seeds take turns with the folds.

    Args:
        contenders: What is trained.
        data: What on.
        order: Seeds and files.
        executor: Trains.
        listener: Hears how it goes.
        request: Once made, what runs ends after its epoch; another call goes on from there.

    Returns:
        One list per contender with one entry per seed of its own; a failed training carries its
        failure. Incomplete where the end was asked for.
    """
    names = ", ".join(contender.title for contender in contenders)
    listener(StageStarted(title=f"Retraining {names}"))
    most = max(len(seeds) for seeds in order.seeds.values())
    for contender in contenders:
        seeds = order.seeds[contender.name]
        for number, fold in enumerate(data.folds[: len(seeds)]):
            part = drawn_fold(fold, contender.max_train_images, seeds[0])
            executor.add_data(_data_name(contender, number), replace(data, folds=(part,)))
    # Seed by seed: should the time run out, all contenders have had about as many.
    pairs = [
        (contender, number)
        for number in range(most)
        for contender in contenders
        if number < len(order.seeds[contender.name])
    ]
    trained = _Retraining(pairs, len(data.folds), order, executor, listener, request).run()
    by_seed = sorted(trained, key=lambda pair: pair[1].seed)
    return [[one for name, one in by_seed if name == contender.name] for contender in contenders]


def _too_late(task_id: str) -> TrainResult:
    """What comes of a training for which there was no time left."""
    late = Failure(reason="the time budget was over before its training began")
    return TrainResult(task_id=task_id, epochs=(), duration_s=0.0, failure=late)


class _Retraining:
    """Trainings under way."""

    def __init__(
        self,
        pairs: Sequence[tuple[Contender, int]],
        n_folds: int,
        order: RetrainOrder,
        executor: Executor,
        listener: Listener,
        request: StopRequest,
    ) -> None:
        self._waiting = deque(pairs)
        self._running: dict[str, tuple[Contender, int]] = {}
        self._trained: list[tuple[str, Trained]] = []
        self._n_folds = n_folds
        self._order, self._executor, self._listener, self._request = (
            order,
            executor,
            listener,
            request,
        )

    def run(self) -> list[tuple[str, Trained]]:
        """Train all, or until the end is asked for; each with its contender's name."""
        run_tasks(self._executor, self._next_task, self._take_result)
        return self._trained

    def _next_task(self) -> TrainTask | None:
        while self._waiting and not self._request.is_made():
            task = self._begun(*self._waiting.popleft())
            if task is not None:
                return task
        return None

    def _take_result(self, result: TrainResult) -> None:
        contender, number = self._running.pop(result.task_id)
        if result.ended_by != "request":
            self._take(contender, number, result)

    def _begun(self, contender: Contender, number: int) -> TrainTask | None:
        """The task of a training that begins; None where its time was over before."""
        data = _data_name(contender, fold_of_seed(number, self._n_folds))
        task = _task(contender, number, data, self._order, self._stop_at())
        deadline = self._order.deadline
        is_first = not self._trained and not self._running
        # Of the winner there must be one training, or nothing would come of the search.
        if deadline is not None and time.time() >= deadline and not is_first:
            self._take(contender, number, _too_late(task.task_id))
            return None
        self._running[task.task_id] = contender, number
        self._listener(
            ModelStarted(
                task_id=task.task_id, title=contender.title, seed=number, last_epoch=task.last_epoch
            )
        )
        return task

    def _stop_at(self) -> float | None:
        """When a training must end so that those after it get as much time."""
        if self._order.deadline is None or self._order.is_planned:
            return self._order.deadline
        now = time.time()
        n_rounds = -(-(len(self._waiting) + 1) // self._executor.n_workers)
        return now + max(self._order.deadline - now, 0.0) / n_rounds

    def _take(self, contender: Contender, number: int, result: TrainResult) -> None:
        trained = Trained(
            seed=number,
            task_seed=self._order.seeds[contender.name][number],
            result=result,
            checkpoint=_path(contender, number, self._order),
        )
        self._trained.append((contender.name, trained))
        if result.failure:
            LOG.error(
                "%s failed: %s\n%s", result.task_id, result.failure.reason, result.failure.traceback
            )
        elif result.n_lost_workers:
            text = (
                f"{result.task_id}: {result.n_lost_workers} of its workers died; another worker"
                " took over"
            )
            self._listener(Notice(text=text))
        self._listener(
            ModelTrained(title=contender.title, seed=number, text=_text(contender, result))
        )


def _path(contender: Contender, number: int, order: RetrainOrder) -> Path:
    return order.checkpoints / f"{contender.name}-{number}.npz"


def _task(
    contender: Contender, number: int, data: str, order: RetrainOrder, stop_at: float | None
) -> TrainTask:
    return TrainTask(
        task_id=f"{contender.name}-{number}",
        model=contender.model,
        values=contender.values,
        seed=order.seeds[contender.name][number],
        first_epoch=1,
        last_epoch=contender.max_epochs,
        save_to=_path(contender, number, order),
        schedule=contender.schedule,
        early_stopping=contender.early_stopping,
        stop_at=stop_at,
        data=data,
        precision=order.precision,
    )


def _text(contender: Contender, result: TrainResult) -> str:
    if result.failure:
        return f"failed: {result.failure.reason}"
    monitor = contender.early_stopping.monitor
    best = next(e for e in result.epochs if e.epoch == result.best_epoch)
    late = ", ended by the time budget" if result.ended_by == "deadline" else ""
    score = score_text(best.metrics[monitor], monitor, 2)
    return f"{len(result.epochs)} epochs{late}, {monitor} {score} in epoch {best.epoch}"


def _data_name(contender: Contender, fold: int) -> str:
    return f"{contender.name}-fold{fold}"
