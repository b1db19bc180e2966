"""The winner among finalists: the best mean of their retrainings on validation."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tuner.records.contender import Contender, Trained
from tuner.space.definition import as_cost


def mean_score(contender: Contender, trained: Sequence[Trained]) -> float | None:
    """The mean of the objective over the epochs that trainings kept; None where all failed."""
    monitor = contender.early_stopping.monitor
    found = [one.validation_score(monitor) for one in trained if one.result.failure is None]
    return statistics.mean(found) if found else None


def chosen(finalists: Sequence[tuple[Contender, Sequence[Trained]]]) -> int:
    """Which of the finalists wins; of equal ones, and where all have failed, the first."""
    costs = [
        float("inf") if score is None else as_cost(score, contender.early_stopping.direction)
        for contender, trained in finalists
        for score in [mean_score(contender, trained)]
    ]
    return costs.index(min(costs))
