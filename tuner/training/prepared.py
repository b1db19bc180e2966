"""Built, compiled and traced models, kept for the next training of the same architecture."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass

import keras
import numpy as np

from tuner.backend.active import backend
from tuner.backend.steps import Steps, example_outputs
from tuner.names import is_own
from tuner.records.image import ImageSpec
from tuner.records.training import TrainTask
from tuner.space.vocabulary import BATCH_TERMS, STAGE_TERMS
from tuner.training.checkpoint import put_state, take_state
from tuner.training.compiled import compiled_model, targets
from tuner.training.data import TrainingData
from tuner.training.own_builders.own_metrics import leave_out_failing

# Models that a worker keeps, and their parameters together: with Adam's moments, 10 million take
# 120 MB.
N_KEPT = 16
MAX_PARAMETERS = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedModel:
    """A model ready for its first step.

    Attributes:
        model: Compiled, with the weights that the task's seed gives.
        functions: Its traced steps.
        is_weighted: Whether a training step takes the images' weights too.
    """

    model: keras.Model
    functions: Steps
    is_weighted: bool


class PreparedModels:
    """The models used last.

    Tracing costs as much as several epochs of a small data set, at every promotion again.
    """

    def __init__(self, n_kept: int = N_KEPT) -> None:
        """Keep at most `n_kept` models; 0 prepares every one anew."""
        self._kept: OrderedDict[str, PreparedModel] = OrderedDict()
        self._n_kept = n_kept

    def prepare(self, task: TrainTask, data: TrainingData) -> PreparedModel:
        """A model for a task: a fresh one, or a kept one that is set as a fresh one would be."""
        # Your own builder may draw from any generator, and may keep state that cannot be reset.
        if is_own(task.model):
            keras.utils.set_random_seed(task.seed % 2**32)
            # A training step of their own may know nothing of weights.
            is_weighted = task.values.get("imbalance") == "class_weights"
            own = compiled_model(task.model, task.values, data.spec)
            first = data.folds[0].train[:1]
            leave_out_failing(
                own, targets(own, data.labels[first]), example_outputs(own, data.inputs[first])
            )
            return self._traced(own, data, is_weighted=is_weighted)
        # Keras draws the seeds of layers from here. A new seed of TensorFlow's own would throw away
        # what it keeps of traced functions (eager/context.py, `_set_global_seed`), and make their
        # next call 0.2 s longer.
        random.seed(task.seed)
        fresh = compiled_model(task.model, task.values, data.spec, precision=task.precision)
        if not self._n_kept:
            return self._traced(fresh, data)
        key = _architecture(task, data.spec)
        if kept := self._kept.get(key):
            self._kept.move_to_end(key)
            _set_as(kept.model, fresh)
            return kept
        while self._kept and (
            len(self._kept) >= self._n_kept or self._n_parameters(fresh) > MAX_PARAMETERS
        ):
            self._kept.popitem(last=False)
        self._kept[key] = self._traced(fresh, data)
        return self._kept[key]

    def _n_parameters(self, fresh: keras.Model) -> int:
        """Parameters of all kept models and a fresh one."""
        return sum(kept.model.count_params() for kept in self._kept.values()) + int(
            fresh.count_params()
        )

    @staticmethod
    def _traced(
        model: keras.Model, data: TrainingData, *, is_weighted: bool = True
    ) -> PreparedModel:
        # What Keras holds of models that are no longer kept.
        keras.backend.clear_session()
        first = data.folds[0].train[:1]
        example: tuple[np.ndarray, ...] = data.inputs[first], targets(model, data.labels[first])
        if is_weighted:
            example += (np.ones(1, dtype="float32"),)
        return PreparedModel(
            model=model, functions=backend.steps(model, example), is_weighted=is_weighted
        )


def _architecture(task: TrainTask, spec: ImageSpec) -> str:
    """What a traced graph depends on; of a value that it reads while it runs, only whether it is 0.

    Not what happens to batches, nor when: weights are part of every step, whatever they are.
    """
    # A trial states what was searched, the winner's retraining states all: both are the same model.
    parts = {
        name: bool(value) if name in backend.run_time_values else value
        for name, value in task.all_values.items()
        if name not in BATCH_TERMS and name not in STAGE_TERMS
    }
    return repr((task.model, task.precision, spec, sorted(parts.items())))


def _set_as(model: keras.Model, fresh: keras.Model) -> None:
    """Give a used model the weights, optimizer and run-time values of a fresh one."""
    fresh.optimizer.build(fresh.trainable_variables)
    put_state(model, take_state(fresh))
    variables = backend.run_time_variables(model), backend.run_time_variables(fresh)
    for variable, value in zip(*variables, strict=True):
        variable.assign(value)
