"""Which epoch is best, and what follows from it."""

from __future__ import annotations

import pytest

from tests.images import stopping
from tuner.records.training import EpochMetrics
from tuner.training.early_stopping import EarlyStopper


def epoch(number: int, accuracy: float, loss: float | None = None) -> EpochMetrics:
    metrics = {"val_accuracy": accuracy} | ({} if loss is None else {"val_loss": loss})
    return EpochMetrics(epoch=number, metrics=metrics, duration_s=0.0)


def best_of(*epochs: tuple[float, float | None], direction: str = "max") -> int:
    stopper = EarlyStopper(stopping(direction=direction))
    for number, (accuracy, loss) in enumerate(epochs, start=1):
        stopper.see(epoch(number, accuracy, loss))
    return stopper.best_epoch


def test_better_value_is_best_whatever_the_loss() -> None:
    assert best_of((0.8, 0.3), (0.9, 0.9), (0.7, 0.1)) == 2
    assert best_of((0.8, 0.3), (0.9, 0.9), (0.7, 0.5), direction="min") == 3


def test_of_equal_values_the_lower_loss_is_best() -> None:
    assert best_of((0.9, 0.5), (0.9, 0.4), (0.9, 0.6)) == 2


@pytest.mark.parametrize(
    "losses", [(None, None), (None, 0.1), (0.1, None), (0.2, 0.2), (0.1, float("nan"))]
)
def test_of_equal_values_without_a_lower_loss_the_first_is_best(
    losses: tuple[float | None, float | None],
) -> None:
    assert best_of((0.9, losses[0]), (0.9, losses[1])) == 1


def test_lower_loss_at_an_equal_value_is_no_reason_to_go_on() -> None:
    stopper = EarlyStopper(stopping(patience=2))
    for number, loss in enumerate((0.5, 0.4), start=1):
        stopper.see(epoch(number, 0.9, loss))
        assert not stopper.ends_after(number)
    stopper.see(epoch(3, 0.9, 0.3))
    assert stopper.ends_after(3)
    assert stopper.best_epoch == 3


def test_goes_on_where_another_one_was() -> None:
    stopper = EarlyStopper(stopping(), best=0.9, best_loss=0.4, best_epoch=3, progress_epoch=1)
    assert not stopper.see(epoch(4, 0.9, 0.5))
    assert stopper.see(epoch(5, 0.9, 0.3))
    assert stopper.progress_epoch == 1
