"""Settings as columns of numbers, in groups of hyperparameters that count as one."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.space.definition import Parameter
from tuner.space.sampling import is_active

_NUMBERED = re.compile(r"(?P<base>.+)_(?:0|[1-9][0-9]*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One hyperparameter, or one of its ranges, in the settings where it is active.

    Attributes:
        rows: Numbers of those settings, shape (m,).
        columns: Their values, shape (m, k): an ordered value from -0.5 to 0.5 on its own scale and
            its square; a column of zeros and ones for each choice but the first.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.float64]


def groups_of(parameters: Sequence[Parameter]) -> dict[str, list[Parameter]]:
    """The parameters by what counts as one, in the order of the space.

    Parameters of one name (several ranges, under different conditions) are one, and so are NAME_0,
    NAME_1 and so on where there are at least two of them.
    """
    names: defaultdict[str, set[str]] = defaultdict(set)
    for parameter in parameters:
        names[_base(parameter.name)].add(parameter.name)
    found: defaultdict[str, list[Parameter]] = defaultdict(list)
    for parameter in parameters:
        base = _base(parameter.name)
        is_repeated = len(names[base] - {base}) > 1 and parameter.name != base
        found[f"{base} (per block)" if is_repeated else parameter.name].append(parameter)
    return dict(found)


def has_values(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> bool:
    """Whether a setting lies in the space: it has an allowed value for whatever is active."""
    active = [parameter for parameter in parameters if is_active(parameter, values)]
    held = {p.name for p in active if p.name in values and _allows(p, values[p.name])}
    return held == {parameter.name for parameter in parameters if parameter.name in values} | {
        parameter.name for parameter in active
    }


def group_members(
    group: Sequence[Parameter], settings: Sequence[Mapping[str, Any]]
) -> list[Member]:
    """The columns of a group's parameters.

    Args:
        group: The parameters that count as one.
        settings: For each of which `has_values` holds.
    """
    found = []
    for parameter in group:
        name = parameter.name
        rows = [
            row
            for row, values in enumerate(settings)
            if is_active(parameter, values) and _allows(parameter, values[name])
        ]
        columns = _columns(parameter, [settings[row][name] for row in rows])
        found.append(Member(rows=np.array(rows, dtype=np.intp), columns=columns))
    return [member for member in found if member.columns.size]


def _columns(parameter: Parameter, values: Sequence[Any]) -> NDArray[np.float64]:
    if not _is_ordered(parameter):
        found = [[value == choice for choice in parameter.choices[1:]] for value in values]
        return np.array(found, dtype=np.float64).reshape(len(values), -1)
    places = np.array([_place(parameter, value) for value in values], dtype=np.float64)
    return np.stack([places, places**2], axis=1)


def _place(parameter: Parameter, value: Any) -> float:
    """From -0.5 at the low end to 0.5 at the high one; the values of a list stand evenly."""
    if parameter.choices:
        ordered = sorted(set(parameter.choices))
        return ordered.index(value) / max(1, len(ordered) - 1) - 0.5
    low, high = _bounds(parameter)
    if low == high:
        return 0.0
    if parameter.log:
        return math.log(value / low) / math.log(high / low) - 0.5
    return float((value - low) / (high - low)) - 0.5


def _is_ordered(parameter: Parameter) -> bool:
    return all(isinstance(choice, int | float) for choice in parameter.choices)


def _allows(parameter: Parameter, value: Any) -> bool:
    if parameter.choices:
        return value in parameter.choices
    low, high = _bounds(parameter)
    # Sums of steps may pass the end by a rounding.
    slack = 1e-9 * (high - low)
    return isinstance(value, int | float) and low - slack <= value <= high + slack


def _bounds(parameter: Parameter) -> tuple[float, float]:
    if parameter.low is None or parameter.high is None:
        raise ValueError(f"{parameter.name} has neither choices nor bounds")
    return parameter.low, parameter.high


def _base(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    return match["base"] if match else name
