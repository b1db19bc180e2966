"""Outer folds taken together: each image counts once, whatever the fold's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.report.fixtures import results
from tuner.evaluation.pooled_folds import pool
from tuner.metrics.classification import wilson_interval
from tuner.records.nested_results import NestedResults
from tuner.records.results import Results
from tuner.space.definition import Parameter

SEARCHED = tuple(Parameter(name=name, kind="choice") for name in ("optimizer", "momentum"))


def fold(
    accuracies: tuple[float, ...], n_test: int, values: Mapping[str, Any] | None = None
) -> Results:
    """A run with one model, whose seeds reached these test accuracies."""
    run = results(2, n_seeds=max(len(accuracies), 1), n_test=n_test)
    seeds = zip(run.models[0].runs, accuracies, strict=False)
    scored = tuple(
        replace(seed, test=replace(seed.test, accuracy=accuracy)) for seed, accuracy in seeds
    )
    search = replace(run.search, best_values=dict(values or {}), parameters=SEARCHED)
    return replace(run, models=(replace(run.models[0], runs=scored),), search=search)


def pooled(*runs: Results) -> NestedResults:
    return pool(
        runs, [f"reports/faces/{i}" for i in range(len(runs))], "python -m tuner run faces --nested"
    )


def test_accuracy_is_the_mean_over_seeds_of_all_images() -> None:
    found = pooled(fold((1.0, 0.5), 20), fold((0.5, 0.5), 60))
    (model,) = found.models
    assert (found.n_test, model.n, model.fold_accuracies) == (80, 80, (0.75, 0.5))
    assert model.accuracy == pytest.approx(45 / 80)
    assert (model.accuracy_low, model.accuracy_high) == pytest.approx(wilson_interval(45, 80))


def test_perfect_models_do_not_pass_one_by_rounding() -> None:
    (model,) = pooled(*[fold((1.0, 1.0, 1.0), n) for n in (7, 11, 13)]).models
    assert (model.accuracy, model.accuracy_high) == (1.0, 1.0)


def test_fold_in_which_a_model_was_not_trained_is_left_out_of_its_images() -> None:
    (model,) = pooled(fold((1.0,), 20), fold((), 60)).models
    assert (model.n, model.accuracy, model.fold_accuracies) == (20, 1.0, (1.0, None))


def test_model_that_was_never_trained_has_no_accuracy() -> None:
    (model,) = pooled(fold((), 20), fold((), 60)).models
    assert (model.n, model.accuracy, model.accuracy_low, model.accuracy_high) == (0, None, 0.0, 1.0)


def test_models_of_another_title_are_not_mixed() -> None:
    first, second = fold((1.0,), 20), fold((0.5,), 20)
    second = replace(second, models=(replace(second.models[0], title="Tuned, otherwise"),))
    found = pooled(first, second).models
    assert [(m.title, m.n, m.accuracy) for m in found] == [
        ("Tuned CNN", 20, 1.0),
        ("Tuned, otherwise", 20, 0.5),
    ]


def test_winning_values_are_counted_and_a_switched_off_parameter_is_not() -> None:
    values: list[dict[str, Any]] = [
        {"optimizer": "adam"},
        {"optimizer": "sgd", "momentum": 0.9},
        {"optimizer": "sgd"},
    ]
    optimizer, momentum = pooled(*[fold((1.0,), 20, chosen) for chosen in values]).winners
    assert (optimizer.name, optimizer.counts) == ("optimizer", (("sgd", 2), ("adam", 1)))
    assert (momentum.name, momentum.counts) == ("momentum", ((0.9, 1),))


def test_outer_folds_keep_their_order_and_their_folders() -> None:
    found = pooled(fold((1.0,), 20), fold((1.0,), 60))
    assert [(f.folder, f.n_test) for f in found.folds] == [
        ("reports/faces/0", 20),
        ("reports/faces/1", 60),
    ]
    assert found.command == "python -m tuner run faces --nested"


def test_winners_of_several_families_belong_together() -> None:
    first, second = fold((1.0,), 20), fold((0.5,), 20)
    second = replace(second, models=(replace(second.models[0], title="Tuned (efficientnet)"),))
    runs = [
        replace(run, search=replace(run.search, families=("cnn", "efficientnet_lite0")))
        for run in (first, second)
    ]
    (model,) = pooled(*runs).models
    assert (model.title, model.fold_accuracies) == ("Tuned", (1.0, 0.5))
