"""Distributions around usual values, and around the best values so far.

Numbers are placed on a scale from 0 to 1: the range as it is sampled, linear or logarithmic, with a
cell of equal width for each value of a list or of a stepped range. Around a value they are spread
as a normal distribution cut off at both ends. PriorBand (Mallik et al., NeurIPS 2023) draws so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tuner.space.definition import DEFAULT_SPREAD, Family, Parameter, Prior
from tuner.space.sampling import draw, grid_values, setting_of
from tuner.space.vocabulary import VOCABULARIES

# Of a mutation: how likely a hyperparameter changes, and how far a number moves.
MUTATION_RATE = 0.5
MUTATION_SPREAD = DEFAULT_SPREAD


def favouring(choices: Sequence[Any], favourite: Any) -> Prior:
    """A prior with a favourite among words: half of the draws take it, the others are even."""
    even = 0.5 / len(choices)
    weights = tuple(even + 0.5 * (choice == favourite) for choice in choices)
    return Prior(value=favourite, weights=weights)


def usual_values(family: Family) -> dict[str, Any]:
    """The setting that a family's space calls usual."""
    terms = VOCABULARIES.get(family.model, {})

    def usual(parameter: Parameter) -> Any:
        if parameter.prior is not None:
            return parameter.prior.value
        name = parameter.name
        # A block's default is that of all blocks.
        return terms[name if name in terms else name.rpartition("_")[0]].default

    return setting_of(family.space, usual)


def draw_usual(parameter: Parameter, rng: np.random.Generator) -> Any:
    """Draw a value from the prior; evenly where the parameter has none."""
    prior = parameter.prior
    if prior is None:
        return draw(parameter, rng)
    if prior.weights:
        return parameter.choices[int(rng.choice(len(prior.weights), p=prior.weights))]
    return _draw_around(parameter, prior.value, prior.spread, rng)


def usual_density(parameter: Parameter, value: Any) -> float:
    """How much likelier a value is under the prior than evenly: 1 is as likely."""
    prior = parameter.prior
    if prior is None:
        return 1.0
    if prior.weights:
        return prior.weights[parameter.choices.index(value)] * len(prior.weights)
    return _density_around(parameter, prior.value, prior.spread, value)


def mutated(parameter: Parameter, value: Any, rng: np.random.Generator) -> Any:
    """A value near another: half of the time the same, else a number near it, or any word."""
    if rng.random() >= MUTATION_RATE:
        return value
    if _has_order(parameter):
        return _draw_around(parameter, value, MUTATION_SPREAD, rng)
    return draw(parameter, rng)


def mutation_density(parameter: Parameter, origin: Any, value: Any) -> float:
    """How much likelier a value is near another than evenly: 1 is as likely.

    Of a number that stays as it is, only the neighbourhood counts, so that it compares with
    `usual_density`.
    """
    if _has_order(parameter):
        return _density_around(parameter, origin, MUTATION_SPREAD, value)
    stays = (1 - MUTATION_RATE) * len(parameter.choices)
    return MUTATION_RATE + (stays if value == origin else 0.0)


def _has_order(parameter: Parameter) -> bool:
    return parameter.kind in ("int", "float", "ordinal")


def _draw_around(parameter: Parameter, centre: Any, spread: float, rng: np.random.Generator) -> Any:
    low, high = cell(parameter, centre)
    while True:
        # At least a third of the draws are inside, however wide the spread.
        place = float(rng.normal((low + high) / 2, spread))
        if 0 <= place < 1:
            return value_at(parameter, place)


def _density_around(parameter: Parameter, centre: Any, spread: float, value: Any) -> float:
    low, high = cell(parameter, centre)
    middle = (low + high) / 2
    whole = _mass((0 - middle) / spread, (1 - middle) / spread)
    low, high = cell(parameter, value)
    if high > low:
        return _mass((low - middle) / spread, (high - middle) / spread) / (high - low) / whole
    height = math.exp(-(((low - middle) / spread) ** 2) / 2) / math.sqrt(2 * math.pi)
    return height / spread / whole


def _mass(low: float, high: float) -> float:
    """The part of a standard normal distribution between two places."""
    return (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2


def cell(parameter: Parameter, value: Any) -> tuple[float, float]:
    """The part of the scale that a value takes: a point where any number is allowed."""
    if (n := n_cells(parameter)) is not None:
        place = _rank(parameter, value)
        return place / n, (place + 1) / n
    low, high = _ends(parameter)
    if parameter.log:
        # A whole number n stands for [n, n + 1), as in `draw`.
        beyond = value + 1 if parameter.kind == "int" else value
        width = math.log(high / low)
        return math.log(value / low) / width, math.log(beyond / low) / width
    place = (value - low) / (high - low)
    return place, place


def value_at(parameter: Parameter, place: float) -> Any:
    """The value at a place of the scale, from 0 to 1; the end itself is left out."""
    if (n := n_cells(parameter)) is not None:
        values = sorted(parameter.choices) or grid_values(parameter)
        assert values is not None  # There are cells.
        return values[int(place * n)]
    low, high = _ends(parameter)
    if not parameter.log:
        return low + place * (high - low)
    value = low * (high / low) ** place
    if parameter.kind == "int":
        return min(int(value), int(high) - 1)
    return min(max(value, low), high)


def n_cells(parameter: Parameter) -> int | None:
    """How many values the scale has; None where it has no steps."""
    if parameter.choices:
        return len(parameter.choices)
    step = parameter.step or (1 if parameter.kind == "int" else None)
    if step is None or parameter.log:
        return None
    low, high = _ends(parameter)
    return round((high - low) / step) + 1


def _rank(parameter: Parameter, value: Any) -> int:
    """Number of a value among those of the scale, from 0."""
    if parameter.choices:
        return sorted(parameter.choices).index(value)
    rank: int = round((value - _ends(parameter)[0]) / (parameter.step or 1))
    return rank


def _ends(parameter: Parameter) -> tuple[float, float]:
    """Where the scale begins and ends."""
    assert parameter.low is not None and parameter.high is not None  # It has no choices.
    is_open = parameter.kind == "int" and parameter.log
    return parameter.low, parameter.high + 1 if is_open else parameter.high
