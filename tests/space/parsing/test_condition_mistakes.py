"""Mistakes in conditions: parents that are missing, in circles, or never have the value."""

from __future__ import annotations

import pytest

from tests.space.parsing.mistakes import OPTIMIZER, in_space

CONDITIONS = {
    "momentum: {type: float, min: 0.8, max: 0.9, when: {optimiser: sgd}}": (
        "space.momentum.when.optimiser is not a parameter of this space.\n  Fix: did you mean"
        ' "optimizer"?'
    ),
    "momentum: {type: float, min: 0.8, max: 0.9, when: {optimizer: sgdd}}": (
        'space.momentum.when.optimizer is "sgdd", but optimizer is "adam" or "sgd".\n  Fix: did you'
        ' mean "sgd"?'
    ),
    "momentum: {type: float, min: 0.8, max: 0.9, when: {momentum: 0.8}}": (
        "space.momentum.when.momentum is the parameter itself.\n  Fix: name another parameter."
    ),
    "momentum: {type: float, min: 0.8, max: 0.9, when: {}}": (
        "space.momentum.when is {}; expected at least 1 value."
    ),
}


@pytest.mark.parametrize("line", CONDITIONS)
def test_mistake_in_a_condition(line: str) -> None:
    assert in_space(line, OPTIMIZER) == f"my.yaml:3: {CONDITIONS[line]}"


PARENTS = {
    "conv_blocks: {type: int, min: 2, max: 4}": (
        "conv_blocks",
        "5",
        "5, but conv_blocks is 2 to 4.",
    ),
    "conv_blocks: {type: int, min: 2, max: 6, step: 2}": (
        "conv_blocks",
        "3",
        "3, but conv_blocks is 2 to 6 in steps of 2.",
    ),
    "batch_norm: {type: boolean}": ("batch_norm", "1", "1, but batch_norm is true or false."),
    "batch_size: 64": ("batch_size", "32", "32, but batch_size is always 64."),
    "dropout: {type: float, min: 0, max: 0.4, step: 0.1}": (
        "dropout",
        "0.25",
        "0.25, but dropout is 0.0 to 0.4 in steps of 0.1.",
    ),
}


@pytest.mark.parametrize("parent", PARENTS)
def test_a_condition_on_a_value_that_the_parent_never_has(parent: str) -> None:
    name, value, message = PARENTS[parent]
    line = f"momentum: {{type: float, min: 0.8, max: 0.9, when: {{{name}: {value}}}}}"
    assert in_space(parent, line) == f"my.yaml:4: space.momentum.when.{name} is {message}"


def test_a_condition_on_a_parameter_per_block_names_one_of_them() -> None:
    assert (
        in_space(
            "filters: {type: choice, values: [8, 16], per: conv_blocks}",
            "dropout: {type: float, min: 0, max: 0.5, when: {filters: 8}}",
        )
        == "my.yaml:4: space.dropout.when.filters is one parameter per block.\n  Fix: name one of"
        " them, such as filters_0."
    )


def test_conditions_in_a_circle_are_reported_once() -> None:
    assert (
        in_space(
            "pooling: {type: choice, values: [flatten, global_average], when: {batch_norm: true}}",
            "batch_norm: {type: boolean, when: {dropout: 0.1}}",
            "dropout: {type: choice, values: [0.1, 0.2], when: {pooling: flatten}}",
        )
        == "my.yaml:3: space.pooling.when goes in a circle: pooling needs batch_norm needs dropout"
        " needs pooling.\n  Fix: remove one of these conditions."
    )
