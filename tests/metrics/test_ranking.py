"""Which trial wins, and which ones chance may have put behind it."""

from __future__ import annotations

import pytest

from tuner.metrics.ranking import best_settings, comparable, finalists, winner
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.space.definition import Objective

ACCURACY = Objective(name="val_accuracy", direction="max")
LOSS = Objective(name="val_loss", direction="min")


def trial(number: int, score: float | None, last_epoch: int = 4, **changes: object) -> Trial:
    usual = {
        "trial_id": f"{number:04d}",
        "values": {"x": number},
        "bracket": 0,
        "rung": 0,
        "parent_id": None,
        "first_epoch": 1,
        "last_epoch": last_epoch,
        "score": score,
        "error": "broken" if score is None else None,
    }
    return Trial(**usual | changes)  # type: ignore[arg-type]


def ids(trials: list[Trial]) -> list[int]:
    return [int(one.trial_id) for one in trials]


def test_a_lucky_first_epoch_does_not_win_over_whole_trainings() -> None:
    assert winner([trial(0, 0.9, 1), trial(1, 0.3), trial(2, 0.4)], ACCURACY).trial_id == "0002"


def test_what_was_trained_half_as_deep_may_win() -> None:
    assert ids(comparable([trial(0, 0.5, 2), trial(1, 0.3, 4), trial(2, None, 4)])) == [0, 1]


def test_what_a_time_budget_cut_counts_as_deep_as_it_came() -> None:
    epochs = (EpochMetrics(epoch=3, metrics={}, duration_s=1.0),)
    cut = trial(0, 0.9, 27, is_stopped=True, epochs=epochs)
    assert winner([cut, trial(1, 0.5, 9)], ACCURACY).trial_id == "0001"
    assert winner([cut, trial(1, 0.5, 4)], ACCURACY).trial_id == "0000"


def test_one_that_ended_early_by_its_own_rule_was_trained_to_the_end() -> None:
    epochs = (EpochMetrics(epoch=2, metrics={}, duration_s=1.0),)
    assert winner([trial(0, 0.9, 27, epochs=epochs), trial(1, 0.5, 27)], ACCURACY).score == 0.9


@pytest.mark.parametrize(
    ("n", "noise", "expected"),
    [(1, 0.05, [2]), (2, 0.05, [2, 1]), (3, 0.05, [2, 1]), (3, None, [2, 1, 0]), (3, 0.0, [2])],
)
def test_finalists_are_the_best_within_the_noise(
    n: int, noise: float | None, expected: list[int]
) -> None:
    trials = [trial(0, 0.30), trial(1, 0.46), trial(2, 0.50), trial(3, 0.99, 1)]
    assert ids(finalists(trials, ACCURACY, n, noise)) == expected


def test_of_a_loss_the_lowest_are_the_finalists() -> None:
    assert ids(finalists([trial(0, 1.0), trial(1, 1.1), trial(2, 2.0)], LOSS, 3, 0.2)) == [0, 1]


def test_equal_settings_of_two_families_are_two_settings() -> None:
    values = {"learning_rate": 1e-3}
    trials = [trial(0, 0.5, values=values), trial(1, 0.4, values=values, model="sigmoid_cnn")]
    assert ids(best_settings([*trials, trial(2, 0.3, values=values)], ACCURACY, 3)) == [0, 1]
