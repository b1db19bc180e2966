"""Settings drawn from a space lie in it; settings are counted right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tuner.space.definition import Condition, Parameter, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.sampling import (
    complete_setting,
    draw,
    grid_values,
    has_setting,
    n_settings,
    sample,
)

TEXT = """
version: 1
space:
  conv_blocks: {type: int, min: 1, max: 3}
  filters: {type: choice, values: [8, 16], per: conv_blocks}
  kernel_size: {type: int, min: 3, max: 7, step: 2}
  batch_norm: {type: boolean}
  dropout: {type: float, min: 0.1, max: 0.5, step: 0.1}
  optimizer: [adam, sgd]
  momentum: {type: float, min: 0.8, max: 0.99, when: {optimizer: sgd}}
  learning_rate: {type: float, min: 1e-4, max: 1e-2, sampling: log}
  batch_size: 32
"""


@pytest.fixture(scope="module")
def space() -> Space:
    return parse_space(parse_document(TEXT, "my.yaml")).space


def draws(parameter: Parameter, n: int = 4000) -> list[float]:
    rng = np.random.default_rng(7)
    return [draw(parameter, rng) for _ in range(n)]


@pytest.mark.parametrize("seed", range(200))
def test_a_setting_lies_in_its_space(space: Space, seed: int) -> None:
    values = sample(space, np.random.default_rng(seed))
    assert values["batch_size"] == 32
    assert [name for name in values if name.startswith("filters_")] == [
        f"filters_{i}" for i in range(values["conv_blocks"])
    ]
    assert ("momentum" in values) == (values["optimizer"] == "sgd")
    assert values["kernel_size"] in {3, 5, 7}
    assert values["dropout"] in {0.1, 0.2, 0.3, 0.4, 0.5}
    assert 1e-4 <= values["learning_rate"] <= 1e-2
    assert 0.8 <= values.get("momentum", 0.8) <= 0.99
    assert {type(value) for value in values.values()} <= {int, float, bool, str}


def test_the_same_generator_state_gives_the_same_setting(space: Space) -> None:
    assert sample(space, np.random.default_rng(5)) == sample(space, np.random.default_rng(5))


def test_float_steps_are_exact() -> None:
    parameter = Parameter(name="x", kind="float", low=0.0, high=0.5, step=0.05)
    assert grid_values(parameter) == (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)


def test_log_sampling_gives_each_decade_its_share() -> None:
    values = np.array(draws(Parameter(name="x", kind="float", low=1e-4, high=1e-1, log=True)))
    shares = np.histogram(np.log10(values), bins=3, range=(-4, -1))[0] / len(values)
    np.testing.assert_allclose(shares, 1 / 3, atol=0.03)


def test_log_sampling_of_whole_numbers_reaches_both_ends() -> None:
    values = draws(Parameter(name="x", kind="int", low=1, high=4, log=True))
    assert set(values) == {1, 2, 3, 4}
    assert values.count(1) > values.count(2) > values.count(3) > values.count(4)


def test_linear_sampling_gives_each_value_its_share() -> None:
    values = draws(Parameter(name="x", kind="int", low=2, high=5))
    for value in (2, 3, 4, 5):
        assert values.count(value) / len(values) == pytest.approx(0.25, abs=0.03)


def test_settings_are_counted_over_active_parameters_only() -> None:
    space = Space(
        parameters=(
            Parameter(name="blocks", kind="int", low=1, high=2),
            Parameter(name="size_0", kind="choice", choices=(1, 2, 3)),
            Parameter(
                name="size_1",
                kind="choice",
                choices=(1, 2, 3),
                conditions=(Condition(parent="blocks", values=(2,)),),
            ),
        ),
        fixed={},
    )
    rng = np.random.default_rng(0)
    distinct = {tuple(sample(space, rng).items()) for _ in range(500)}
    assert n_settings(space) == len(distinct) == 3 + 3 * 3


def test_no_count_for_continuous_or_huge_spaces(space: Space) -> None:
    assert n_settings(space) is None
    huge = tuple(Parameter(name=f"x{i}", kind="int", low=1, high=1000) for i in range(3))
    assert n_settings(Space(parameters=huge, fixed={})) is None
    assert n_settings(Space(parameters=huge[:2], fixed={})) == 1_000_000


def test_a_space_of_fixed_values_has_one_setting() -> None:
    assert n_settings(Space(parameters=(), fixed={"dropout": 0.1})) == 1


def test_every_draw_is_a_setting_of_the_space(space: Space) -> None:
    rng = np.random.default_rng(0)
    assert all(has_setting(space, sample(space, rng)) for _ in range(100))


@pytest.mark.parametrize(
    "change",
    [{"optimizer": "adamm"}, {"learning_rate": 7.0}, {"dropout": [0.1]}, {"conv_blocks": "3"}],
)
def test_setting_with_a_value_of_no_parameter_is_not_one_of_the_space(
    space: Space, change: dict[str, Any]
) -> None:
    values = sample(space, np.random.default_rng(0))
    assert not has_setting(space, values | change)
    assert not has_setting(
        space, {name: value for name, value in values.items() if name not in change}
    )


def test_only_active_parameters_without_a_value_get_their_first(space: Space) -> None:
    found = complete_setting(space, {"optimizer": "sgd", "kernel_size": 5, "filters_2": 16})
    assert has_setting(space, found)
    assert (found["conv_blocks"], found["kernel_size"], found["dropout"]) == (1, 5, 0.1)
    assert (found["momentum"], found["batch_norm"]) == (0.8, False)
    assert "filters_2" not in found
