"""The winner for a `build(hp)` of Keras Tuner."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras_tuner
import pytest

from tests.commands.finished import Finished
from tests.report.fixtures import results
from tuner.api.finished_run import FinishedRun
from tuner.api.hyperparameters import best_hyperparameters
from tuner.errors import ConfigurationError
from tuner.records.search_summary import SearchSummary
from tuner.space.definition import Condition, Parameter


def summary(values: dict[str, Any], *parameters: Parameter) -> SearchSummary:
    return replace(results().search, best_values=values, parameters=parameters)


def test_values_and_space_are_those_of_the_run(finished: Finished) -> None:
    run = FinishedRun(finished.path)
    hp = run.best_hyperparameters()
    assert hp.values == run.best_values
    searched = {
        one.name
        for one in hp.space
        if not isinstance(one, keras_tuner.engine.hyperparameters.Fixed)
    }
    assert searched == set(run.results.search.searched)


def test_a_builder_gets_the_winners_values_whatever_it_declares() -> None:
    optimizer = Parameter(name="optimizer", kind="choice", choices=("sgd", "adam"))
    is_sgd = (Condition(parent="optimizer", values=("sgd",)),)
    momentum = Parameter(name="momentum", kind="float", low=0.5, high=0.9, conditions=is_sgd)
    values = {"optimizer": "sgd", "momentum": 0.75, "batch_size": 64, "shuffle": True}
    hp = best_hyperparameters(summary(values, optimizer, momentum))
    assert hp.Choice("optimizer", ["adam", "sgd"]) == "sgd"
    with hp.conditional_scope("optimizer", ["sgd"]):
        assert hp.Float("momentum", 0.0, 0.99) == 0.75
    assert hp.Int("batch_size", 16, 128) == 64
    assert hp.get("shuffle") is True
    again = keras_tuner.HyperParameters.from_config(hp.get_config())
    assert again.values == hp.values


@pytest.mark.parametrize("choices", [(0, 0.5), (1, 2.5, 3)])
def test_lists_of_whole_numbers_and_others_are_declared(choices: tuple[float, ...]) -> None:
    parameter = Parameter(name="rate", kind="ordinal", choices=choices)
    hp = best_hyperparameters(summary({"rate": choices[0]}, parameter))
    (declared,) = hp.space
    assert declared.values == [float(choice) for choice in choices]
    assert hp.get("rate") == choices[0]


def test_a_list_is_no_value_of_keras_tuner_but_stays_in_the_values() -> None:
    hp = best_hyperparameters(summary({"sizes": [1, 2]}))
    assert hp.space == []
    assert hp.values == {"sizes": [1, 2]}


def test_values_of_another_model_than_your_builder_are_refused() -> None:
    search = replace(summary({"filters": 32}), model="net:build", best_model="cnn")
    with pytest.raises(ConfigurationError, match="not those of net:build") as raised:
        best_hyperparameters(search)
    assert "run.trials" in raised.value.hint
