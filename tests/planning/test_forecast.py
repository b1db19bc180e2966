"""Ranges of many simulated runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from tests.planning.costs import contender, cost
from tests.search.fakes import settings
from tuner.planning.forecast import MAX_SIMULATED, REPORT_S, SPREAD, Known, Range, forecast
from tuner.space.retrain_settings import RetrainSettings

OTHER = replace(contender("other", max_epochs=3), max_train_images=5)


def known(**changes: Any) -> Known:
    """One worker, one cost for all settings, one opponent with fewer images."""
    usual: dict[str, Any] = {
        "search": settings(4, 4),
        "n_settings": None,
        "costs": [cost(image_s=0.1)],
        "contenders": [(contender(), None), (OTHER, cost("other", image_s=0.2))],
        "retrain": RetrainSettings(epochs=0, seeds=2, patience=0),
        "n_seeds": 2,
        "n_train": 10,
        "n_test": 0,
        "largest_checkpoint_bytes": 1000,
        "n_workers": 1,
        "keeps_models": True,
        "ready_s": 7.0,
        "features_s": (0.0, 2.0, 0.5),
    }
    return Known(**usual | changes)


def test_forecast_adds_up_what_a_run_does() -> None:
    found = forecast(known(), seed=0)
    assert (found.n_trials, found.n_epochs) == (7, 15)
    assert found.search_s.middle == pytest.approx(15.0)
    # Two seeds: five epochs of a second, three of a second, and the features before.
    assert found.retraining_s.middle == pytest.approx(2 * (5 + 3) + 2.0)
    assert found.other_s.middle == pytest.approx(7.0 + 2 * 0.5 + REPORT_S)
    assert found.total_s.middle == pytest.approx(15 + 18 + 8 + REPORT_S)
    assert found.disk_bytes == 2 * 2 * (1000 + 100), "last and best state, two seeds, two models"


def test_each_fold_costs_the_search_an_epoch_and_a_state_in_the_checkpoint() -> None:
    whole, folds = (
        forecast(known(n_folds=n, contenders=[], features_s=(0.0,) * 3), seed=0) for n in (1, 5)
    )
    assert folds.search_s.middle == pytest.approx(5 * whole.search_s.middle)
    assert folds.disk_bytes == 5 * whole.disk_bytes


def test_forecast_of_a_search_alone_has_no_retraining() -> None:
    found = forecast(known(contenders=[], features_s=(0.0, 0.0, 0.0)), seed=0)
    assert found.retraining_s == Range(low=0.0, high=0.0)
    assert found.disk_bytes == 2 * 1000


def test_range_reaches_from_a_machine_of_ones_own_to_one_as_busy_as_while_measuring() -> None:
    found = forecast(known(share=0.5), seed=0).search_s
    assert found.low == pytest.approx(15 * 0.5 / SPREAD)
    assert found.high == pytest.approx(15 * SPREAD)


def test_forecast_is_wider_where_settings_differ_and_the_same_for_the_same_seed() -> None:
    costs = [cost(str(n), image_s=0.1 * (n + 1)) for n in range(6)]
    found, alike = forecast(known(costs=costs), seed=0), forecast(known(), seed=0)
    assert found.total_s.high / found.total_s.low > alike.total_s.high / alike.total_s.low
    assert found == forecast(known(costs=costs), seed=0)


@pytest.mark.parametrize(
    ("search", "n_settings", "n_trials", "n_epochs"),
    [
        (settings(3, 3, method="grid", max_total_epochs=9**9), None, 1_000_000, 3_000_000),
        (settings(3, 3, method="grid", max_total_epochs=9**9), 40_000, 40_000, 120_000),
        (settings(4, 4, 10_000), None, 70_000, 150_000),
        (settings(3, 3, method="random", max_trials=500_000), None, 500_000, 1_500_000),
    ],
    ids=["endless grid", "large grid", "many iterations", "many trials"],
)
def test_time_of_a_huge_search_is_that_of_its_first_trials_scaled(
    search: Any, n_settings: int | None, n_trials: int, n_epochs: int
) -> None:
    began_s = time.process_time()
    found = forecast(known(search=search, n_settings=n_settings), seed=0)
    assert (found.n_trials, found.n_epochs) == (n_trials, n_epochs)
    assert found.search_s.middle == pytest.approx(n_epochs)
    assert sum(rung.n_trials for bracket in found.brackets for rung in bracket) == MAX_SIMULATED
    assert time.process_time() - began_s < 30


@pytest.mark.slow
def test_huge_asha_search_comes_to_an_end_with_its_disk_use_scaled_too() -> None:
    huge, large = (
        forecast(known(search=settings(9, 3, method="asha", max_trials=n), contenders=[]), seed=0)
        for n in (1_000_000, 10_000)
    )
    assert huge.n_trials == pytest.approx(1_000_000, rel=0.05)
    assert huge.search_s.middle / large.search_s.middle == pytest.approx(100, rel=0.1)
    assert huge.disk_bytes / large.disk_bytes == pytest.approx(100, rel=0.1)


def test_time_budget_caps_the_search_and_the_whole() -> None:
    found = forecast(known(limits_s=(8.0, 12.0)), seed=0)
    assert found.search_s == Range(low=8.0, high=8.0)
    assert found.retraining_s == Range(low=4.0, high=4.0)
    assert found.total_s == Range(low=12.0, high=12.0)
