"""A space as Keras Tuner's `HyperParameters`, and Keras Tuner's values as those of the space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras_tuner
import numpy as np

from tuner.space.definition import Condition, Parameter, Space
from tuner.space.sampling import grid_values


def declared(space: Space, *, steps: bool = False) -> keras_tuner.HyperParameters:
    """Every hyperparameter, declared beforehand.

    Args:
        space: What to declare.
        steps: Whether with the steps of ranges; a model of the scores is better off without.
    """
    hp = keras_tuner.HyperParameters()
    by_name = {parameter.name: parameter for parameter in space.parameters}
    for parameter in space.parameters:
        conditions = tuple(
            _as_computed(condition, by_name[condition.parent]) if steps else condition
            for condition in parameter.conditions
        )
        _declare(hp, replace(parameter, conditions=conditions), steps)
    return hp


def on_space(space: Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """Active values in the space's order, each brought to the nearest its parameter allows."""
    return dict(space.fixed) | {
        parameter.name: _nearest(values[parameter.name], parameter)
        for parameter in space.parameters
        if parameter.name in values
    }


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


def _as_computed(condition: Condition, parent: Parameter) -> Condition:
    """The condition on a float with a step, with the values as Keras Tuner computes them.

    Its condition compares exactly: 0.1 + 2 * 0.1 is 0.30000000000000004, not 0.3.
    """
    if parent.kind != "float" or parent.step is None or parent.low is None:
        return condition
    low, step = parent.low, parent.step
    return replace(
        condition,
        values=tuple(low + round((value - low) / step) * step for value in condition.values),
    )


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
