"""What a search found, where several families were searched together."""

from __future__ import annotations

from dataclasses import replace

from tests.report.fixtures import results
from tuner.space.definition import Condition, Family, Parameter, Space
from tuner.space.families import together

RATE = Parameter(name="learning_rate", kind="float", low=0.1, high=0.2)
MOMENTUM = Parameter(
    name="momentum",
    kind="float",
    low=0.8,
    high=0.9,
    conditions=(Condition(parent="optimizer", values=("sgd",)),),
)
CNN = Space(
    parameters=(Parameter(name="optimizer", kind="choice", choices=("adamw", "sgd")), MOMENTUM),
    fixed={},
)
HEAD = Space(parameters=(RATE,), fixed={"optimizer": "adamw"})
SPACE = together(
    [
        Family(name="cnn", model="cnn", space=CNN),
        Family(name="efficientnet_lite0", model="efficientnet_lite0", space=HEAD),
    ]
)
SEARCH = replace(
    results().search,
    parameters=SPACE.parameters,
    families=("cnn", "efficientnet_lite0"),
    best_family="efficientnet_lite0",
    best_model="efficientnet_lite0",
    best_values={"optimizer": "adamw", "learning_rate": 0.1, "momentum": 0.9},
)


def test_the_winners_parameters_are_those_that_its_family_has_alone() -> None:
    assert SEARCH.of_winner == (SPACE.parameters[0], RATE)
    assert replace(SEARCH, best_family="cnn").of_winner == (SPACE.parameters[0], *CNN.parameters)


def test_the_winners_family_is_chosen_with_what_lies_under_it() -> None:
    assert [one.name for one in SEARCH.chosen] == ["model", "learning_rate"]
    assert dict(SEARCH.best_setting)["model"] == "efficientnet_lite0"
    assert "model" not in SEARCH.best_values


def test_a_winner_from_outside_of_the_space_has_chosen_nothing() -> None:
    outside = replace(SEARCH, best_family="", best_origin="baseline")
    assert outside.chosen == ()
    assert outside.best_setting == outside.best_values


def test_an_own_builders_hyperparameter_called_model_is_one_like_any_other() -> None:
    depth = Parameter(name="model", kind="choice", choices=("deep", "wide"))
    width = replace(RATE, name="width", conditions=(Condition(parent="model", values=("wide",)),))
    own = replace(
        results().search,
        model="mine:build",
        parameters=(depth, width),
        best_values={"model": "wide", "width": 0.1},
    )
    assert own.chosen == (depth, width)
    assert own.best_setting == {"model": "wide", "width": 0.1}
