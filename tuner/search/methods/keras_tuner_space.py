"""A space as Keras Tuner's `HyperParameters`, and Keras Tuner's values as those of the space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import keras_tuner
import numpy as np

from tuner.space.definition import Condition, Parameter, Space, by_name
from tuner.space.sampling import grid_values, is_active


def declared(space: Space, *, steps: bool = False) -> keras_tuner.HyperParameters:
    """Every hyperparameter, declared beforehand.

    Args:
        space: What to declare.
        steps: Whether with the steps of ranges; a model of the scores is better off without.
    """
    hp = keras_tuner.HyperParameters()
    ranges = by_name(space.parameters)
    for parameter in space.parameters:
        conditions = tuple(
            _as_computed(condition, ranges[condition.parent]) if steps else condition
            for condition in parameter.conditions
        )
        _declare(hp, replace(parameter, conditions=conditions), steps)
    return hp


def on_space(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Active values in the space's order, each brought to the nearest its parameter allows."""
    found = dict(space.fixed)
    for parameter in space.parameters:
        name = parameter.name
        # With a parent brought to its step another range may hold, in whose list the value is not.
        is_allowed = not parameter.choices or values.get(name) in parameter.choices
        if name in values and is_allowed and is_active(parameter, found):
            found[name] = _nearest(values[name], parameter)
    return found


def _nearest(value: Any, parameter: Parameter) -> Any:
    if parameter.choices:
        # Keras Tuner keeps true and false in a list as 1 and 0.
        return next(choice for choice in parameter.choices if choice == value)
    grid = grid_values(parameter)
    if isinstance(grid, range):
        # By arithmetic: the range may have more numbers than can be compared one by one. Of two
        # equally near ones it is the lower.
        nearest = grid.start + (value - grid.start + (grid.step - 1) // 2) // grid.step * grid.step
        return min(max(nearest, grid[0]), grid[-1])
    if grid is not None:
        return min(grid, key=lambda allowed: abs(allowed - value))
    # On a logarithmic scale the ends come out a rounding error beside themselves.
    return float(np.clip(value, parameter.low, parameter.high))


def _as_computed(condition: Condition, parents: Sequence[Parameter]) -> Condition:
    """The condition on a float with a step, with the values as Keras Tuner computes them.

    Its condition compares exactly: 0.1 + 2 * 0.1 is 0.30000000000000004, not 0.3.
    """
    computed = dict(chain.from_iterable(map(_computed, parents)))
    return replace(condition, values=tuple(computed.get(v, v) for v in condition.values))


def _computed(parent: Parameter) -> Iterator[tuple[Any, float]]:
    """Each value of a float with a step, with what Keras Tuner makes of it."""
    if parent.kind == "float" and parent.step is not None and parent.low is not None:
        for i, value in enumerate(grid_values(parent) or ()):
            yield value, parent.low + i * parent.step


def _declare(hp: keras_tuner.HyperParameters, parameter: Parameter, steps: bool) -> None:
    """Declare one parameter inside the scopes of its conditions."""
    if parameter.conditions:
        first, *rest = parameter.conditions
        with hp.conditional_scope(first.parent, list(first.values)):
            _declare(hp, replace(parameter, conditions=tuple(rest)), steps)
        return
    sampling = "log" if parameter.log else "linear"
    # On a logarithmic scale a step would be a factor to Keras Tuner.
    step = parameter.step if steps and not parameter.log else None
    match parameter.kind:
        case "boolean":
            hp.Boolean(parameter.name)
        case "int":
            low, high = int(parameter.low or 0), int(parameter.high or 0)
            whole = None if step is None else int(step)
            hp.Int(parameter.name, low, high, step=whole, sampling=sampling)
        case "float":
            hp.Float(parameter.name, parameter.low, parameter.high, step=step, sampling=sampling)
        case _:
            hp.Choice(parameter.name, list(parameter.choices), ordered=False)
