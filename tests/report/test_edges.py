"""Best values on the edge of what was searched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuner.records.results import Results
from tuner.report.edges import edges, override
from tuner.report.sections.trust.training_checks import best_values
from tuner.space.definition import Condition, Family, Parameter, Space
from tuner.space.families import together

from .fixtures import results


def with_parameters(*parameters: Parameter, model: str = "cnn", **best: object) -> Results:
    run = results()
    search = replace(run.search, parameters=parameters, best_values=best, model=model)
    return replace(run, search=search)


def number(low: float, high: float, name: str = "dropout", **more: object) -> Parameter:
    return Parameter(name=name, **{"kind": "float", "low": low, "high": high, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameter", "value", "is_highest"),
    [
        (number(0.1, 0.5), 0.495, True),
        (number(0.1, 0.5), 0.105, False),
        (number(0.1, 0.5), 0.47, None),
        (number(1e-4, 1e-2, "learning_rate", log=True), 1.05e-4, False),
        (number(1e-4, 1e-2, "learning_rate", log=True), 2e-4, None),
        (Parameter(name="filters_0", kind="choice", choices=(64, 16, 32)), 64, True),
        (Parameter(name="filters_0", kind="choice", choices=(64, 16, 32)), 32, None),
        # Nothing lies between two values, texts have no order, and the family allows nothing
        # beyond.
        (Parameter(name="filters_0", kind="choice", choices=(16, 32)), 32, None),
        (Parameter(name="conv_blocks", kind="int", low=2, high=3), 3, None),
        (Parameter(name="batch_norm", kind="boolean", choices=(False, True)), True, None),
        (Parameter(name="optimizer", kind="choice", choices=("adam", "adamw", "sgd")), "sgd", None),
        (number(0.0, 0.5), 0.0, None),
        (number(0.0, 0.9), 0.9, None),
        (number(0.0, 1.0), 1.0, None),
    ],
)
def test_an_edge_is_the_end_of_a_range_that_could_be_wider(
    parameter: Parameter, value: object, is_highest: bool | None
) -> None:
    run = with_parameters(parameter, **{parameter.name: value})
    assert [edge.is_highest for edge in edges(run.search)] == (
        [] if is_highest is None else [is_highest]
    )
    found = best_values(run)
    assert found.state == ("pass" if is_highest is None else "warn")
    assert [name for name, _ in found.items] == ([] if is_highest is None else [parameter.name])


def test_a_parameter_that_was_off_lies_on_no_edge() -> None:
    momentum = number(
        0.8, 0.95, "momentum", conditions=(Condition(parent="optimizer", values=("sgd",)),)
    )
    for optimizer, n in (("adam", 0), ("sgd", 1)):
        run = with_parameters(momentum, optimizer=optimizer, momentum=0.95)
        assert len(edges(run.search)) == n, optimizer


def test_a_builders_own_numbered_parameter_is_an_edge_without_a_change() -> None:
    run = with_parameters(number(1, 9, "units_0", kind="int"), model="mine:build", units_0=9)
    (edge,) = edges(run.search)
    assert override(edge, run.search) is None


def of_optimizer(parameter: Parameter, optimizer: str, place: int) -> Parameter:
    condition = Condition(parent="optimizer", values=(optimizer,))
    return replace(parameter, place=place, conditions=(condition,))


def test_of_several_ranges_the_one_that_holds_is_held_against_the_best_value() -> None:
    adamw = of_optimizer(number(3e-4, 3e-3, "learning_rate", log=True), "adamw", 0)
    sgd = of_optimizer(number(3e-3, 1e-1, "learning_rate", log=True), "sgd", 1)
    run = with_parameters(adamw, sgd, optimizer="sgd", learning_rate=3.01e-3)
    (edge,) = edges(run.search)
    assert edge.words == "= 0.00301, searched from 0.003 to 0.1"
    assert override(edge, run.search) == "space.learning_rate.1.min=0.00075"
    middle = with_parameters(adamw, sgd, optimizer="sgd", learning_rate=0.02)
    assert edges(middle.search) == ()
    assert run.search.searched == ("learning_rate",)
    (axis,) = run.search.axes
    assert (axis.low, axis.high, axis.log) == (3e-4, 1e-1, True)


def test_ranges_of_one_block_are_overridden_together() -> None:
    few = of_optimizer(Parameter(name="filters_1", kind="ordinal", choices=(8, 16, 32)), "adam", 0)
    many = of_optimizer(
        Parameter(name="filters_1", kind="ordinal", choices=(64, 96, 128)), "sgd", 1
    )
    run = with_parameters(few, many, optimizer="adam", filters_1=32)
    (edge,) = edges(run.search)
    assert override(edge, run.search) == (
        'space.filters_1=[{"type": "choice", "values": [8, 16, 32, 64], "when": {"optimizer":'
        ' ["adam"]}}, {"type": "choice", "values": [64, 96, 128], "when": {"optimizer": ["sgd"]}}]'
    )


def in_families(best_family: str) -> Results:
    dropout = number(0.1, 0.5)
    spaces = {
        "cnn": Space(parameters=(dropout,), fixed={}),
        "efficientnet_lite0": Space(parameters=(replace(dropout, high=0.6),), fixed={}),
    }
    families = [Family(name=n, model=n, space=space) for n, space in spaces.items()]
    search = replace(
        results().search,
        parameters=together(families).parameters,
        families=tuple(spaces),
        best_family=best_family,
        best_model=None if best_family == "cnn" else best_family,
        best_values={"dropout": 0.6 if best_family != "cnn" else 0.5},
    )
    return replace(results(), search=search)


def test_of_several_families_the_winners_range_counts() -> None:
    (edge,) = edges(in_families("efficientnet_lite0").search)
    assert edge.words == "= 0.6, searched from 0.1 to 0.6"


def test_only_the_space_of_the_file_is_changed_on_the_command_line() -> None:
    for family, text in (("cnn", "space.dropout.max=0.7"), ("efficientnet_lite0", None)):
        search = in_families(family).search
        (edge,) = edges(search)
        assert override(edge, search) == text
