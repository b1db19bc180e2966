"""Which values of a space are tried when a builder is explored: ends of ranges and every choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from tuner.space.definition import Parameter, Space
from tuner.space.sampling import grid_values

# Values of a range that are all tried, to find which of them ask for more.
MAX_TRIED = 16


def narrowed(space: Space, number: int) -> Space:
    """The space with one value only for each parameter.

    Of ranges it is low, high and middle in turn, of choices each in turn.
    """
    return replace(
        space,
        parameters=tuple(
            replace(
                p,
                kind="choice",
                choices=(_value(p, number),),
                low=None,
                high=None,
                step=None,
                log=False,
            )
            for p in space.parameters
        ),
    )


def n_values(parameter: Parameter) -> int:
    """How many values of a parameter are tried in turn."""
    return len(parameter.choices) or 3


def _value(parameter: Parameter, number: int) -> Any:
    values = parameter.choices or tuple(_ends(parameter))
    return values[number % len(values)]


def _ends(parameter: Parameter) -> Iterator[Any]:
    """Low, high and middle of a range."""
    grid = grid_values(parameter)
    if grid is not None:
        yield from (grid[0], grid[-1], grid[len(grid) // 2])
    elif parameter.low is not None and parameter.high is not None:
        yield from (parameter.low, parameter.high, (parameter.low + parameter.high) / 2)


def first_tried(parameter: Parameter) -> Sequence[Any]:
    """Every choice, and the ends of a range."""
    return parameter.choices[:MAX_TRIED] or list(_ends(parameter))[:2]
