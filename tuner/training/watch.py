"""Early stopping: which epoch was best, and whether training is to go on."""

from __future__ import annotations

import math

from tuner.errors import TunerError
from tuner.records.training import EarlyStopping, EpochMetrics


class Watch:
    """Watches one training.

    Attributes:
        best: The watched metric in its best epoch; None before there is one.
        best_epoch: That epoch; 0 before.
    """

    def __init__(self, rule: EarlyStopping | None, best: float | None = None, best_epoch: int = 0) -> None:
        """Begin, or go on where another watch was: early stopping reaches over promotions."""
        self.best, self.best_epoch = best, best_epoch
        self._rule = rule
        self._has_reached = False

    @property
    def keeps_best(self) -> bool:
        """Whether the best epoch's weights are what counts."""
        return self._rule is not None and self._rule.keeps_best

    def see(self, epoch: EpochMetrics) -> bool:
        """Take an epoch's metrics; True where it is the best so far.

        Raises:
            TunerError: If the model does not give a metric that the rule names.
        """
        if self._rule is None:
            return False
        for name in filter(None, (self._rule.monitor, self._rule.stop_metric)):
            if name not in epoch.metrics:
                known = ", ".join(sorted(epoch.metrics))
                raise TunerError(f"there is no metric {name}; the model gives {known}")
        if self._rule.stop_metric and epoch.metrics[self._rule.stop_metric] >= self._rule.stop_value:
            self._has_reached = True
        value = epoch.metrics[self._rule.monitor]
        sign = 1 if self._rule.direction == "max" else -1
        # Nothing compares as better than NaN: once it were the best, it would stay so.
        is_better = math.isfinite(value) and (self.best is None or sign * value > sign * self.best)
        if is_better:
            self.best, self.best_epoch = value, epoch.epoch
        return is_better

    def ends_after(self, epoch: int) -> bool:
        """Whether training ends after this epoch."""
        if self._rule is None or epoch == 0:
            return False
        waited = self._rule.patience is not None and epoch - self.best_epoch >= self._rule.patience
        return self._has_reached or waited
