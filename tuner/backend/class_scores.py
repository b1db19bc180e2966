"""Scores that count every class alike, exact over an epoch: what is summed up are counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def class_scores(n_classes: int) -> list[keras.metrics.Metric]:
    """Metrics `macro_f1` and `balanced_accuracy`, as `tuner.metrics.classification.score` has them.

    They take targets (n, classes), or (n, 1) of one sigmoid unit, and outputs of the same shape.
    """
    counts = _MacroF1(n_classes)
    return [counts, _BalancedAccuracy(counts)]


class _MacroF1(keras.metrics.Metric):
    """Macro F1, from three counts per class: rightly taken for it, taken for it, and of it."""

    def __init__(self, n_classes: int) -> None:
        super().__init__(name="macro_f1", dtype="float32")
        self._n_classes = n_classes
        # float32 counts exactly up to 16 million images of a class.
        self._counts = self.add_variable(shape=(3, n_classes), initializer="zeros", name="counts")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        del sample_weight
        truth, chosen = self._one_hot(y_true), self._one_hot(y_pred)
        self._counts.assign_add(ops.sum(ops.stack([truth * chosen, chosen, truth]), axis=1))

    def result(self) -> Any:
        right, chosen, truth = (self._counts[i] for i in range(3))
        return self.mean_over_present(2 * right / ops.maximum(chosen + truth, 1))

    def recalls(self) -> Any:
        """Share of each class that is recognised, (classes,); 0 for a class without images."""
        return self._counts[0] / ops.maximum(self._counts[2], 1)

    def mean_over_present(self, values: Any) -> Any:
        """Mean of some values (classes,) over the classes that have images; 0 where none has."""
        present = ops.cast(self._counts[2] > 0, "float32")
        return ops.sum(values * present) / ops.maximum(ops.sum(present), 1)

    def _one_hot(self, values: Any) -> Any:
        is_sigmoid = values.shape[-1] == 1
        classes = (
            ops.cast(values[:, 0] > 0.5, "int32") if is_sigmoid else ops.argmax(values, axis=-1)
        )
        return ops.one_hot(classes, self._n_classes, dtype="float32")


class _BalancedAccuracy(keras.metrics.Metric):
    """Reads what another metric has counted."""

    def __init__(self, counts: _MacroF1) -> None:
        super().__init__(name="balanced_accuracy", dtype="float32")
        # A function, since Keras would take the other metric's variables for this one's too.
        self._result: Callable[[], Any] = lambda: counts.mean_over_present(counts.recalls())

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Leave the counting to the other one."""

    def result(self) -> Any:
        return self._result()
