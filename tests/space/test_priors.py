"""Draws around usual values, and near other values: where they lie, and how likely they are."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

from tuner.space.definition import Parameter, Prior
from tuner.space.priors import (
    MUTATION_RATE,
    draw_usual,
    favouring,
    mutated,
    mutation_density,
    usual_density,
)
from tuner.space.sampling import grid_values

RATE = Parameter(
    name="rate", kind="float", low=1e-5, high=1e-1, log=True, prior=Prior(value=1e-3, spread=0.1)
)
DROPOUT = Parameter(name="dropout", kind="float", low=0.0, high=0.6, prior=Prior(value=0.0))
STEPPED = Parameter(
    name="shift", kind="float", low=0.0, high=0.3, step=0.1, prior=Prior(value=0.1, spread=0.3)
)
BLOCKS = Parameter(name="blocks", kind="int", low=2, high=6, prior=Prior(value=3, spread=0.2))
UNITS = Parameter(name="units", kind="int", low=8, high=512, log=True, prior=Prior(value=64))
FILTERS = Parameter(
    name="filters", kind="ordinal", choices=(128, 16, 64, 32), prior=Prior(value=64, spread=0.15)
)
OPTIMIZER = Parameter(
    name="optimizer", kind="choice", choices=("adam", "adamw", "sgd"),
    prior=Prior(value="adamw", weights=(0.25, 0.75, 0.0)),
)  # fmt: skip
NORM = Parameter(
    name="norm", kind="boolean", choices=(False, True), prior=favouring((False, True), True)
)
ALL = (RATE, DROPOUT, STEPPED, BLOCKS, UNITS, FILTERS, OPTIMIZER, NORM)


def drawn(parameter: Parameter, n: int = 4000) -> list[Any]:
    rng = np.random.default_rng(3)
    return [draw_usual(parameter, rng) for _ in range(n)]


def is_allowed(parameter: Parameter, value: Any) -> bool:
    grid = grid_values(parameter)
    if grid is not None:
        return value in grid and type(value) is type(next(v for v in grid if v == value))
    assert parameter.low is not None and parameter.high is not None
    return isinstance(value, float) and parameter.low <= value <= parameter.high


@pytest.mark.parametrize("parameter", ALL, ids=lambda p: p.name)
def test_every_draw_is_a_value_of_its_parameter(parameter: Parameter) -> None:
    assert all(is_allowed(parameter, value) for value in drawn(parameter))


def test_a_logarithmic_range_is_spread_on_its_scale() -> None:
    places = np.log10(drawn(RATE)) / 4 + 5 / 4
    assert np.mean(places) == pytest.approx(0.5, abs=0.01)
    assert np.std(places) == pytest.approx(0.1, abs=0.01)


def test_a_usual_value_at_the_end_is_spread_to_the_inside() -> None:
    # Half of a normal distribution: its mean is 0.8 standard deviations from the end.
    places = np.array(drawn(DROPOUT)) / 0.6
    assert places.min() >= 0
    assert np.mean(places) == pytest.approx(0.25 * math.sqrt(2 / math.pi), abs=0.01)


def test_lists_and_steps_are_drawn_by_their_order() -> None:
    counts = Counter(drawn(FILTERS))
    assert counts.most_common(1)[0][0] == 64
    assert counts[32] == pytest.approx(counts[128], rel=0.15)
    assert counts[16] < counts[32] / 5
    assert Counter(drawn(STEPPED)).most_common(1)[0][0] == 0.1
    assert set(drawn(STEPPED)) == {0.0, 0.1, 0.2, 0.3}
    assert Counter(drawn(BLOCKS)).most_common(1)[0][0] == 3


def test_words_are_drawn_by_their_weights() -> None:
    counts = Counter(drawn(OPTIMIZER))
    assert counts["sgd"] == 0
    assert counts["adamw"] / 4000 == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_favourite_takes_half_and_its_even_part_of_the_rest(n: int) -> None:
    choices = tuple("abcd"[:n])
    prior = favouring(choices, "b")
    assert prior.value == "b"
    assert sum(prior.weights) == pytest.approx(1)
    assert prior.weights[1] == pytest.approx(0.5 + 0.5 / n)
    assert prior.weights[0] == pytest.approx(0.5 / n)


@pytest.mark.parametrize("parameter", [STEPPED, BLOCKS, FILTERS, OPTIMIZER, NORM])
def test_the_density_is_what_is_drawn_against_even_draws(parameter: Parameter) -> None:
    values = grid_values(parameter)
    assert values is not None
    counts = Counter(drawn(parameter, 8000))
    for value in values:
        expected = usual_density(parameter, value) / len(values)
        assert counts[value] / 8000 == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("parameter", [RATE, DROPOUT, UNITS])
def test_the_density_of_a_scale_without_steps_sums_to_one(parameter: Parameter) -> None:
    assert parameter.low is not None and parameter.high is not None
    if parameter.kind == "int":
        cells = [(n, math.log((n + 1) / n) / math.log(513 / 8)) for n in range(8, 513)]
        total = sum(usual_density(parameter, n) * width for n, width in cells)
    else:
        shares = (np.arange(1000) + 0.5) / 1000
        low, high = parameter.low, parameter.high
        values = low * (high / low) ** shares if parameter.log else low + shares * (high - low)
        total = float(np.mean([usual_density(parameter, value) for value in values]))
    assert total == pytest.approx(1, abs=1e-3)
    assert parameter.prior is not None
    assert usual_density(parameter, parameter.prior.value) > 1.5


def test_without_a_prior_draws_are_even_and_every_value_is_as_likely() -> None:
    plain = Parameter(name="x", kind="choice", choices=("a", "b"))
    assert usual_density(plain, "a") == 1
    assert Counter(drawn(plain))["a"] / 4000 == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("parameter", "origin"),
    [(RATE, 1e-1), (DROPOUT, 0.3), (STEPPED, 0.3), (BLOCKS, 2), (UNITS, 512), (FILTERS, 16)],
)
def test_a_mutation_stays_in_the_range_and_half_of_the_time_the_same(
    parameter: Parameter, origin: Any
) -> None:
    rng = np.random.default_rng(5)
    found = [mutated(parameter, origin, rng) for _ in range(2000)]
    assert all(is_allowed(parameter, value) for value in found)
    n_same = sum(value == origin for value in found)
    assert n_same >= 2000 * (1 - MUTATION_RATE) * 0.93
    assert len(set(found)) > 2
    far = max(found, key=lambda value: abs(value - origin))
    assert mutation_density(parameter, origin, origin) > mutation_density(parameter, origin, far)


def test_a_word_mutates_to_any_word() -> None:
    rng = np.random.default_rng(5)
    counts = Counter(mutated(OPTIMIZER, "sgd", rng) for _ in range(3000))
    assert counts["sgd"] / 3000 == pytest.approx(0.5 + 0.5 / 3, abs=0.03)
    for word, density in (("sgd", 2.0), ("adam", 0.5)):
        assert mutation_density(OPTIMIZER, "sgd", word) == pytest.approx(density)
