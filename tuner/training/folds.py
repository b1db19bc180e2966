"""Cross-validation in one training: a model for each fold, all of one architecture.

They share one traced network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from tuner.records.training import EpochMetrics
from tuner.training.checkpoint import State, put_state, take_state


class Folds:
    """The models of a training; with a single fold, that is just the model.

    Attributes:
        model: The network that all share.
    """

    def __init__(self, model: keras.Model, n_folds: int) -> None:
        """Begin every fold with the weights and the optimizer that the model has now."""
        self.model = model
        self._n_folds = n_folds
        self._states = [take_state(model)] * n_folds if n_folds > 1 else []

    def take(self) -> State:
        """Copy the state of all folds, one after the other."""
        return (
            [array for state in self._states for array in state]
            if self._states
            else take_state(self.model)
        )

    def put(self, state: State) -> None:
        """Assign what `take` copied.

        Raises:
            ValueError: If the state is another network's, or of another number of folds.
        """
        n_arrays, rest = divmod(len(state), self._n_folds)
        if rest:
            raise ValueError("the checkpoint belongs to another number of folds")
        states = [state[i * n_arrays : (i + 1) * n_arrays] for i in range(self._n_folds)]
        put_state(self.model, states[0])
        if self._states:
            self._states = states

    def __iter__(self) -> Iterator[int]:
        """The folds' numbers; while one is handed out, the model is that fold's."""
        for number in range(self._n_folds):
            if self._states:
                put_state(self.model, self._states[number])
            yield number
            if self._states:
                self._states[number] = take_state(self.model)


def mean(epochs: Sequence[EpochMetrics]) -> EpochMetrics:
    """One epoch of all folds: the mean of each metric, and all of the time."""
    metrics = {
        name: float(np.mean([epoch.metrics[name] for epoch in epochs]))
        for name in epochs[0].metrics
    }
    return EpochMetrics(
        epoch=epochs[0].epoch, metrics=metrics, duration_s=sum(epoch.duration_s for epoch in epochs)
    )
