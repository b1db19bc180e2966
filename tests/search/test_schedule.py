"""Hyperband's numbers."""

from __future__ import annotations

import pytest

from tests.search.fakes import settings
from tuner.search.schedule import Rung, brackets, total


@pytest.mark.parametrize(
    ("max_epochs", "factor", "n_trials", "n_epochs"),
    [(9, 3, 23, 75), (27, 3, 70, 375), (30, 3, 90, 576), (81, 3, 211, 1767), (4, 4, 7, 15)],
)
def test_total_is_what_keras_tuner_trains(max_epochs: int, factor: int, n_trials: int, n_epochs: int) -> None:
    assert total(settings(max_epochs, factor)) == (n_trials, n_epochs)


def test_iterations_multiply_trials_and_epochs() -> None:
    assert total(settings(9, 3, iterations=2)) == (46, 150)


def test_rungs_go_on_where_the_one_before_ended() -> None:
    assert brackets(settings(9, 3)) == (
        (
            Rung(n_trials=9, first_epoch=1, last_epoch=1),
            Rung(n_trials=3, first_epoch=2, last_epoch=3),
            Rung(n_trials=1, first_epoch=4, last_epoch=9),
        ),
        (Rung(n_trials=5, first_epoch=1, last_epoch=3), Rung(n_trials=2, first_epoch=4, last_epoch=9)),
        (Rung(n_trials=3, first_epoch=1, last_epoch=9),),
    )
