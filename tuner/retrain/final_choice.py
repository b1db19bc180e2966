"""The winner among finalists: the best mean of their retrainings on validation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from math import isfinite

from tuner.records.contender import Contender, Trained
from tuner.space.definition import as_cost

# Epochs on each side of the kept one that say what it is worth (docs/adr/0068).
AROUND = 2


def smoothed_score(contender: Contender, trained: Trained) -> float:
    """The objective to expect of a training's kept weights; needs one that succeeded.

    The kept epoch is the best of many, in part because it suits these validation images by chance:
    the fewer they are and the more a training fluctuates, the more. So the score is read from the
    least squares line through the epochs around, where a rising curve stays as good as it is. It is
    no better than the kept epoch's own.
    """
    rule, kept = contender.early_stopping, trained.kept_epoch
    own = kept.metrics[rule.monitor]
    around = {
        one.epoch: one.metrics[rule.monitor]
        for one in trained.result.epochs
        if abs(one.epoch - kept.epoch) <= AROUND and isfinite(one.metrics[rule.monitor])
    }
    if len(around) < 3:
        # A line through two points says nothing new.
        return own
    slope, at_zero = statistics.linear_regression(list(around), list(around.values()))
    costs = (as_cost(score, rule.direction) for score in (own, slope * kept.epoch + at_zero))
    return as_cost(max(costs), rule.direction)


def mean_score(contender: Contender, trained: Sequence[Trained]) -> float | None:
    """The mean of what to expect of the trainings; None where all failed."""
    found = [smoothed_score(contender, one) for one in trained if one.result.failure is None]
    return statistics.mean(found) if found else None


def chosen(finalists: Sequence[tuple[Contender, Sequence[Trained]]]) -> int:
    """Which of the finalists wins; of equal ones, and where all have failed, the first."""
    costs = [
        float("inf") if score is None else as_cost(score, contender.early_stopping.direction)
        for contender, trained in finalists
        for score in [mean_score(contender, trained)]
    ]
    return costs.index(min(costs))
