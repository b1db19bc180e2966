"""Early stopping: which epoch was best, and whether training is to go on."""

from __future__ import annotations

import math

from tuner.errors import TunerError
from tuner.records.training import EarlyStopping, EpochMetrics


class EarlyStopper:
    """Early stopping of one training.

    Attributes:
        best: The watched metric in its best epoch; None before there is one.
        best_loss: The validation loss in that epoch; None before, and where the model gives none.
        best_epoch: That epoch; 0 before.
        progress_epoch: The last epoch in which the metric itself was better than before; 0 before
            there is one.
    """

    def __init__(
        self,
        rule: EarlyStopping | None,
        best: float | None = None,
        best_loss: float | None = None,
        best_epoch: int = 0,
        progress_epoch: int = 0,
    ) -> None:
        """Begin, or go on where another one was: early stopping reaches over promotions."""
        self.best, self.best_loss, self.best_epoch = best, best_loss, best_epoch
        self.progress_epoch = progress_epoch
        self._rule = rule
        self._has_reached = False

    @property
    def keeps_best(self) -> bool:
        """Whether the best epoch's weights are what counts."""
        return self._rule is not None and self._rule.keeps_best

    def see(self, epoch: EpochMetrics) -> bool:
        """Take an epoch's metrics.

        True where it is the best so far, of equally good ones that of the lower loss.

        Accuracies on few images are often equal, and the first epoch that reaches one has learnt
        least.

        Raises:
            TunerError: If the model does not give a metric that the rule names.
        """
        if self._rule is None:
            return False
        for name in filter(None, (self._rule.monitor, self._rule.stop_metric)):
            if name not in epoch.metrics:
                known = ", ".join(sorted(epoch.metrics))
                raise TunerError(f"there is no metric {name}; the model gives {known}")
        if (
            self._rule.stop_metric
            and epoch.metrics[self._rule.stop_metric] >= self._rule.stop_value
        ):
            self._has_reached = True
        value, loss = epoch.metrics[self._rule.monitor], epoch.metrics.get("val_loss")
        # Nothing compares as better than NaN: once it were the best, it would stay so.
        is_better = math.isfinite(value) and self._is_better(self._rule, value, loss)
        if is_better:
            # A loss that creeps down while the metric stands still is no reason to go on.
            self.progress_epoch = self.progress_epoch if value == self.best else epoch.epoch
            self.best, self.best_loss, self.best_epoch = value, loss, epoch.epoch
        return is_better

    def _is_better(self, rule: EarlyStopping, value: float, loss: float | None) -> bool:
        if self.best is None:
            return True
        if value != self.best:
            return (value > self.best) == (rule.direction == "max")
        return loss is not None and self.best_loss is not None and loss < self.best_loss

    def ends_after(self, epoch: int) -> bool:
        """Whether training ends after this epoch."""
        if self._rule is None or epoch == 0:
            return False
        waited = (
            self._rule.patience is not None and epoch - self.progress_epoch >= self._rule.patience
        )
        return self._has_reached or waited
