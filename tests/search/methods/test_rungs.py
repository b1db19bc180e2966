"""Hyperband's numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.search.fakes import drive, make_study, n_epochs, settings, total
from tuner.search.methods.rungs import Rung, brackets
from tuner.space.definition import Parameter, Space


@pytest.mark.parametrize(
    ("max_epochs", "factor", "n_trials", "n_epochs"),
    [(9, 3, 23, 75), (27, 3, 70, 375), (30, 3, 90, 576), (81, 3, 211, 1767), (4, 4, 7, 15)],
)
def test_total_is_what_keras_tuner_trains(
    max_epochs: int, factor: int, n_trials: int, n_epochs: int
) -> None:
    assert total(settings(max_epochs, factor)) == (n_trials, n_epochs)


@pytest.mark.parametrize(("max_epochs", "first"), [(12, 4), (36, 4), (54, 2), (5, 5)])
def test_longer_first_rungs_are_the_same_search_in_larger_units(
    max_epochs: int, first: int
) -> None:
    units = brackets(settings(max_epochs // first, 3))
    found = brackets(replace(settings(max_epochs, 3), min_epochs=first))
    assert [[(rung.n_trials, rung.last_epoch) for rung in rungs] for rungs in found] == [
        [(rung.n_trials, first * rung.last_epoch) for rung in rungs] for rungs in units
    ]


def test_first_rung_is_no_longer_than_the_last() -> None:
    (only,) = brackets(replace(settings(3, 3), min_epochs=5))
    assert [rung.last_epoch for rung in only] == [3]


def test_iterations_multiply_trials_and_epochs() -> None:
    assert total(settings(9, 3, iterations=2)) == (46, 150)


@pytest.mark.parametrize(
    ("method", "max_trials", "n_settings", "expected"),
    [
        ("hyperband", 10, None, (10, 9 * 1 + 1 * 2)),
        ("hyperband", None, 5, (5 + 3 + 1, 5 * 1 + 3 * 2 + 1 * 6)),
        ("hyperband", None, 10, (13 + 1 + 1, 21 + 3 + 6)),
        ("asha", None, None, (32 + 10 + 3, 75)),
        ("asha", None, 5, (5 + 1 + 1, 5 * 1 + 1 * 2 + 1 * 6)),
        ("asha", 30, None, (20 + 6 + 2, 20 * 1 + 6 * 2 + 2 * 6)),
        ("random", None, None, (8, 72)),
        ("random", 3, None, (3, 27)),
        ("bayesian", None, 5, (5, 45)),
        ("grid", None, 24, (8, 72)),
        ("grid", None, 5, (5, 45)),
        ("grid", 10, 24, (10, 90)),
        ("grid", 10, None, (10, 90)),
    ],
)
def test_total_of_every_method(
    method: str, max_trials: int | None, n_settings: int | None, expected: tuple[int, int]
) -> None:
    assert total(settings(9, 3, method=method, max_trials=max_trials), n_settings) == expected


@pytest.mark.parametrize("n_settings", [1, 5, 10, 16])
def test_total_of_hyperband_in_a_small_space_is_what_is_trained(n_settings: int) -> None:
    space = Space(
        parameters=(Parameter(name="x", kind="choice", choices=tuple(range(n_settings))),), fixed={}
    )
    trials = drive(make_study(space))
    assert total(settings(9, 3), n_settings) == (len(trials), n_epochs(trials))


def test_random_trains_at_least_one_setting() -> None:
    assert total(settings(1, 3, method="random")) == (1, 1)


def test_rungs_go_on_where_the_one_before_ended() -> None:
    assert brackets(settings(9, 3)) == (
        (
            Rung(n_trials=9, first_epoch=1, last_epoch=1),
            Rung(n_trials=3, first_epoch=2, last_epoch=3),
            Rung(n_trials=1, first_epoch=4, last_epoch=9),
        ),
        (
            Rung(n_trials=5, first_epoch=1, last_epoch=3),
            Rung(n_trials=2, first_epoch=4, last_epoch=9),
        ),
        (Rung(n_trials=3, first_epoch=1, last_epoch=9),),
    )
