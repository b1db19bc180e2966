"""A few real steps of some models, on the executor that a run would use."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tuner.data.splits.fold import Fold
from tuner.execution.executor import Executor
from tuner.execution.run_tasks import run_tasks
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import complete
from tuner.records.training import TrainResult, TrainTask
from tuner.space.definition import Precision
from tuner.space.vocabulary import TRAINING_TERMS
from tuner.training.data import TrainingData

# So many pixels are an epoch long enough to be timed, within these bounds.
PIXELS = 150_000
MIN_STEPS, MAX_STEPS = 1, 20

# So many pixels, about two seconds of a usual network, are timed in all, within these bounds of
# epochs. The fastest counts: of two that a busy machine held up, neither is right.
TIMED_PIXELS = 1_500_000
MIN_TIMED, MAX_TIMED = 2, 5

# A backbone takes about ten times as long per pixel as a usual network: EfficientNetB2 against the
# default space, both on a CPU.
_BACKBONE_COST = 10

# Of the tracing of a training step, what tracing a prediction takes.
_PREDICTION_TRACE_SHARE = 1 / 4

# Going backward takes two convolutions for each one forward: by the weights, and by what went in.
_PREDICTIONS_PER_TRAINING = 3


# Begins the names of its trainings, which tell them apart from those of a run.
_PREFIX = "measured-"


def is_measuring(task_id: str) -> bool:
    """Whether a training is one that only measures."""
    return task_id.startswith(_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model to measure.

    Attributes:
        name: What people call it.
        model: Family or builder.
        values: Hyperparameters.
        data: What a run would train it on.
    """

    name: str
    model: str
    values: Mapping[str, Any]
    data: TrainingData

    @property
    def key(self) -> str:
        """The same for equal models."""
        return model_key(self.model, self.values)

    @property
    def batch_size(self) -> int:
        """Images per step."""
        return int(self.values.get("batch_size", TRAINING_TERMS["batch_size"].default))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What it takes to train a model.

    Attributes:
        key: Tells models apart.
        build_s: Seconds to build it and to save its checkpoint, in every training.
        trace_s: Seconds that its first epoch takes more than others, where the worker does not know
            it yet.
        image_s: Seconds per training image, its part of the validation included.
        step_s: Seconds per training step, likewise.
        predict_s: Seconds per image that is only predicted, by one core.
        checkpoint_bytes: Size of a checkpoint.
    """

    key: str
    build_s: float
    trace_s: float
    image_s: float
    step_s: float
    predict_s: float
    checkpoint_bytes: int

    def score_s(self, n_test: int) -> float:
        """Seconds to score one training on the test set, at most."""
        return self.build_s + _PREDICTION_TRACE_SHARE * self.trace_s + self.predict_s * n_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of measuring.

    Attributes:
        costs: By the keys of the candidates.
        failures: Why others could not be measured, by their names.
        skipped: Names of those for which there was no time.
        trained_s: Seconds of all trainings together.
    """

    costs: Mapping[str, Cost]
    failures: Mapping[str, str]
    trained_s: float
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How long measuring may go on.

    Attributes:
        seconds: Afterwards no further model begins.
        at_least: Of these one is measured whatever the time; none where nothing depends on it.
    """

    seconds: float = math.inf
    at_least: Sequence[Candidate] = ()


def skipped_words(names: Sequence[str]) -> str:
    """That there was no time to measure models."""
    return f"no time was left to measure {', '.join(names)}"


def model_key(model: str, values: Mapping[str, Any]) -> str:
    """The same for settings that differ at most in values left to their defaults."""
    return repr((model, sorted(complete(model, values).items())))


def measure(
    candidates: Sequence[Candidate],
    executor: Executor,
    folder: Path,
    precision: Precision | None = None,
    allowance: Allowance = Allowance(),
    advanced: Callable[[int, int], None] = lambda n_done, n: None,
) -> Measured:
    """Train each for a moment, as many at a time as a run would: they share the memory's bandwidth.

    Args:
        candidates: The models, best with the slowest first; of equal ones the first is measured.
        executor: Trains.
        folder: For checkpoints.
        precision: In which a run would train; None for what is fast on the device that trains.
        allowance: How long it may take.
        advanced: Called with the number of models that are measured, and that of all.
    """
    distinct: dict[str, Candidate] = {}
    for candidate in candidates:
        # A second training of a model would find it traced.
        distinct.setdefault(candidate.key, candidate)
    named = {f"{_PREFIX}{number}": candidate for number, candidate in enumerate(distinct.values())}
    costs: dict[str, Cost] = {}
    failures: dict[str, str] = {}
    waiting = _Waiting(named, allowance)
    results = _results(waiting, executor, folder, precision, advanced)
    for result in results:
        candidate = named[result.task_id]
        if result.failure or result.ended_by == "request":
            failures[candidate.name] = result.failure.reason if result.failure else "it was stopped"
        else:
            costs[candidate.key] = _cost(
                candidate, result, _checkpoint(folder, result.task_id).stat().st_size
            )
    return Measured(
        costs=costs,
        failures=failures,
        trained_s=sum(result.duration_s for result in results),
        skipped=tuple(candidate.name for _, candidate in waiting.left),
    )


def part(candidate: Candidate) -> TrainingData:
    """A few batches of the data, with as large a share of the validation images; no other rows."""
    data = candidate.data
    fold = data.folds[0]
    train = fold.train[: _n_train(candidate)]
    validation = fold.validation[: _n_validation(candidate)]
    rows = np.concatenate([train, validation])
    return replace(
        data,
        inputs=data.inputs[rows],
        labels=data.labels[rows],
        features=None,
        folds=(Fold(train=np.arange(len(train)), validation=np.arange(len(train), len(rows))),),
    )


class _Waiting:
    """Models that are still to be measured, as long as there is time."""

    def __init__(self, named: Mapping[str, Candidate], allowance: Allowance) -> None:
        self.left = deque(named.items())
        self._ends_s = time.monotonic() + allowance.seconds
        # Of a setting that is as well an opponent, the first name is measured.
        self._needed = {candidate.key for candidate in allowance.at_least}

    def next(self) -> tuple[str, Candidate] | None:
        """The next one, with its task's name; None where there is none or no time for it."""
        is_late = time.monotonic() >= self._ends_s
        for pair in self.left:
            if not is_late or pair[1].key in self._needed:
                self.left.remove(pair)
                if pair[1].key in self._needed:
                    self._needed.clear()
                return pair
        return None


def _results(
    waiting: _Waiting,
    executor: Executor,
    folder: Path,
    precision: Precision | None,
    advanced: Callable[[int, int], None],
) -> list[TrainResult]:
    results: list[TrainResult] = []
    n = len(waiting.left)

    def next_task() -> TrainTask | None:
        found = waiting.next()
        if found is None:
            return None
        name, candidate = found
        executor.add_data(name, part(candidate))
        return replace(_task(name, candidate, folder), precision=precision)

    def take(result: TrainResult) -> None:
        results.append(result)
        advanced(len(results), n)

    run_tasks(executor, next_task, take)
    return results


def _task(name: str, candidate: Candidate, folder: Path) -> TrainTask:
    n_timed = np.clip(
        TIMED_PIXELS // (_n_train(candidate) * _image_cost(candidate)), MIN_TIMED, MAX_TIMED
    )
    return TrainTask(
        task_id=name,
        model=candidate.model,
        values=candidate.values,
        seed=0,
        first_epoch=1,
        # The first one traces.
        last_epoch=1 + int(n_timed),
        save_to=_checkpoint(folder, name),
        data=name,
    )


def _n_train(candidate: Candidate) -> int:
    n_steps = int(
        np.clip(PIXELS // (_image_cost(candidate) * candidate.batch_size), MIN_STEPS, MAX_STEPS)
    )
    return min(n_steps * candidate.batch_size, len(candidate.data.folds[0].train))


def _n_validation(candidate: Candidate) -> int:
    fold = candidate.data.folds[0]
    return -(-len(fold.validation) * _n_train(candidate) // len(fold.train))


def _image_cost(candidate: Candidate) -> int:
    """How long an image takes, in pixels of a usual network; a head takes next to nothing."""
    if candidate.model.endswith(HEAD):
        return 1
    if candidate.model in BACKBONES:
        return _BACKBONE_COST * int(complete(candidate.model, candidate.values)["input_size"]) ** 2
    spec = candidate.data.spec
    return int(candidate.values.get("input_size", max(spec.height, spec.width))) ** 2


def _checkpoint(folder: Path, name: str) -> Path:
    return folder / f"{name}.npz"


def _cost(candidate: Candidate, result: TrainResult, checkpoint_bytes: int) -> Cost:
    first_s, *later_s = (epoch.duration_s for epoch in result.epochs)
    # What else goes on only adds time.
    epoch_s, n_train = min(later_s), _n_train(candidate)
    return Cost(
        key=candidate.key,
        build_s=result.duration_s - first_s - sum(later_s),
        trace_s=max(0.0, first_s - epoch_s),
        image_s=epoch_s / n_train,
        step_s=epoch_s / -(-n_train // candidate.batch_size),
        predict_s=epoch_s / (_PREDICTIONS_PER_TRAINING * n_train + _n_validation(candidate)),
        checkpoint_bytes=checkpoint_bytes,
    )
