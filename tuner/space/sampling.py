"""Drawing settings from a space, and counting them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from tuner.space.definition import Parameter, Space

MAX_COUNTED = 1_000_000
_MAX_KINDS = 20_000


def sample(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """Draw one setting.

    Args:
        space: Where from.
        rng: Every draw comes from it; the same state gives the same setting.

    Returns:
        The fixed values and those of the active parameters, as plain Python values.
    """
    return setting_of(space, lambda parameter: draw(parameter, rng))


def setting_of(space: Space, value: Callable[[Parameter], Any]) -> dict[str, Any]:
    """A complete setting: fixed values, and a value for each active parameter, parents first."""
    values = dict(space.fixed)
    for parameter in space.parameters:
        if is_active(parameter, values):
            values[parameter.name] = value(parameter)
    return values


def draw(parameter: Parameter, rng: np.random.Generator) -> Any:
    """Draw one value of a parameter: evenly over its values, or over the logarithm of its range."""
    grid = grid_values(parameter)
    if grid is not None and not parameter.log:
        return grid[int(rng.integers(len(grid)))]
    low, high = _bounds(parameter)
    if not parameter.log:
        return float(rng.uniform(low, high))
    # A whole number n stands for [n, n + 1), so that both ends get their full share.
    top = high + 1 if parameter.kind == "int" else high
    value = math.exp(rng.uniform(math.log(low), math.log(top)))
    if parameter.kind == "int":
        return min(max(int(value), int(low)), int(high))
    return min(max(value, low), high)


def grid_values(parameter: Parameter) -> Sequence[Any] | None:
    """All values of a parameter, ascending or as listed; None where any number in a range is one.

    Floats on a step are rounded to 12 decimals: 0.1 + 2 * 0.1 is 0.3, not 0.30000000000000004.
    """
    if parameter.choices:
        return parameter.choices
    low, high = _bounds(parameter)
    if parameter.kind == "int":
        return range(int(low), int(high) + 1, int(parameter.step or 1))
    if parameter.step is None:
        return None
    n = round((high - low) / parameter.step)
    return tuple(round(low + i * parameter.step, 12) for i in range(n + 1))


def n_settings(space: Space) -> int | None:
    """Number of distinct settings.

    Returns:
        None where a searched float has no step, above a million, or where conditions tell too many
            kinds apart.
    """
    # Where each parent is asked for last: what no later condition can see need not be told apart.
    last = {
        c.parent: i for i, parameter in enumerate(space.parameters) for c in parameter.conditions
    }
    # Settings are counted by what later conditions can see of them: the values of parents.
    counts: Counter[tuple[tuple[str, Any], ...]] = Counter({(): 1})
    for i, parameter in enumerate(space.parameters):
        grid = grid_values(parameter)
        if grid is None:
            return None
        grown: Counter[tuple[tuple[str, Any], ...]] = Counter()
        for known, n in counts.items():
            seen = tuple(pair for pair in known if last[pair[0]] > i)
            if not is_active(parameter, {**space.fixed, **dict(known)}):
                grown[seen] += n
            elif last.get(parameter.name, i) <= i:
                grown[seen] += n * len(grid)
            elif n * len(grid) > MAX_COUNTED:
                return None
            else:
                for value in grid:
                    grown[(*seen, (parameter.name, value))] += n
        counts = grown
        if counts.total() > MAX_COUNTED or len(counts) > _MAX_KINDS:
            return None
    return counts.total()


def active_parameters(space: Space, values: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that are active in a setting: of several ranges of a name one at most."""
    return tuple(parameter for parameter in space.parameters if is_active(parameter, values))


def is_complete(space: Space, values: Mapping[str, Any]) -> bool:
    """Whether a setting has a value for each active parameter, and for no other."""
    active = {parameter.name for parameter in active_parameters(space, values)}
    return active == set(space.searched) & values.keys()


def complete_setting(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """A complete setting: an active parameter without a value gets its first choice or low end.

    Args:
        space: What the setting belongs to.
        values: Values by name; those of inactive parameters are left out.
    """
    return setting_of(
        space,
        lambda parameter: (
            values[parameter.name] if parameter.name in values else _default(parameter)
        ),
    )


def _default(parameter: Parameter) -> Any:
    grid = grid_values(parameter)
    return _bounds(parameter)[0] if grid is None else grid[0]


def has_setting(space: Space, values: Mapping[str, Any]) -> bool:
    """Whether a setting belongs to a space: it is complete, and each value is allowed."""
    return is_complete(space, values) and all(
        values[parameter.name] in _values(parameter)
        for parameter in active_parameters(space, values)
    )


def _values(parameter: Parameter) -> Container[Any]:
    """What `draw` may draw: on a logarithmic scale it knows no step."""
    grid = None if parameter.log and not parameter.choices else grid_values(parameter)
    return _Range(*_bounds(parameter)) if grid is None else grid


class _Range:
    """All numbers from one to another."""

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self._low <= value <= self._high


def is_active(parameter: Parameter, values: Mapping[str, Any]) -> bool:
    """Whether a parameter's conditions hold, given the values of the parents."""
    return all(c.parent in values and values[c.parent] in c.values for c in parameter.conditions)


def _bounds(parameter: Parameter) -> tuple[float, float]:
    if parameter.low is None or parameter.high is None:
        raise ValueError(f"{parameter.name} has neither choices nor bounds")
    return parameter.low, parameter.high
