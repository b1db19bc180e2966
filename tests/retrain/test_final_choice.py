"""What is expected of a kept epoch, and which finalist that makes the winner."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from tests.planning.costs import contender
from tuner.records.contender import Trained
from tuner.records.training import EpochMetrics, TrainResult
from tuner.retrain.final_choice import chosen, mean_score, smoothed_score


def training(*scores: float, metric: str = "val_accuracy", best: int | None = None) -> Trained:
    """A training that kept its best epoch, the highest unless another one is named."""
    epochs = tuple(
        EpochMetrics(epoch=i, metrics={metric: score}, duration_s=1.0)
        for i, score in enumerate(scores, start=1)
    )
    best = best or 1 + scores.index(max(scores))
    result = TrainResult(task_id="t", epochs=epochs, duration_s=1.0, best_epoch=best)
    return Trained(seed=0, task_seed=1, result=result, checkpoint=Path("none"))


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.8,), 0.8),
        ((0.7, 0.8), 0.8),
        # A peak among equal epochs is one of five, wherever in the training it lies.
        ((0.2, 0.7, 0.7, 0.9, 0.7, 0.7, 0.1), 0.74),
        # Where a training still improves, that is no chance.
        ((0.5, 0.6, 0.7), 0.7),
        ((0.5, 0.6, 0.7, 0.8, 0.9, 0.9), 0.86),
        # At the end of a training the line is of the epochs before.
        ((0.7, 0.8, 0.7, 0.9), 0.85),
        # No better than the epoch's own.
        ((0.3, 0.69, 0.7), 0.7),
        ((0.9, 0.7, 0.7), 0.8666666),
    ],
)
def test_score_is_read_from_a_line_through_five_epochs(
    scores: tuple[float, ...], expected: float
) -> None:
    assert smoothed_score(contender(), training(*scores)) == pytest.approx(expected, abs=1e-6)


def test_a_loss_is_expected_to_be_no_lower_than_it_was() -> None:
    falling = contender(monitor="val_loss", direction="min")
    valley = training(0.5, 0.5, 0.3, 0.5, 0.5, metric="val_loss", best=3)
    assert smoothed_score(falling, valley) == pytest.approx(0.46)
    broken = training(inf, 0.5, 0.3, 0.5, 0.5, metric="val_loss", best=3)
    assert smoothed_score(falling, broken) == pytest.approx(0.44)
    end = training(0.9, 0.31, 0.3, metric="val_loss", best=3)
    assert smoothed_score(falling, end) == pytest.approx(0.3)


def test_a_steady_finalist_wins_over_a_lucky_epoch() -> None:
    lucky = [training(0.7, 0.7, 0.91, 0.7, 0.7)]
    steady = [training(0.88, 0.88, 0.89, 0.88, 0.88)]
    assert chosen([(contender(), lucky), (contender(), steady)]) == 1
    assert mean_score(contender(), steady) == pytest.approx(0.882)
    assert mean_score(contender(), []) is None
