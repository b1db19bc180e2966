"""Ranges and lists, narrowed to where the best settings lie."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tuner.space.definition import Parameter

# On either side of the best settings, as a share of the range on its own scale.
MARGIN = 0.1
# A range that would keep more than this stays as it is.
MOST_KEPT = 0.7
# A word that was tried less often may have had bad luck.
MIN_TRIED = 3
_DIGITS = 3


def narrowed(parameter: Parameter, best: Sequence[Any], tried: Sequence[Any]) -> Parameter | None:
    """The parameter, narrowed; None where the best settings lie all over it.

    Args:
        parameter: What was searched.
        best: Its values in the best settings, in which it is active.
        tried: Its values in all settings.
    """
    if not best:
        return None
    if parameter.kind == "ordinal":
        return _neighbours(parameter, best)
    if parameter.choices:
        return _without_losers(parameter, best, Counter(tried))
    return _around(parameter, best)


def losers(parameter: Parameter, narrow: Parameter) -> tuple[Any, ...]:
    """The choices that a narrowed list has no more."""
    return tuple(choice for choice in parameter.choices if choice not in narrow.choices)


def _neighbours(parameter: Parameter, best: Sequence[Any]) -> Parameter | None:
    """The list from the smallest to the largest of the best, and one number more on either side."""
    ordered = sorted(parameter.choices)
    places = [ordered.index(value) for value in best]
    kept = set(ordered[max(0, min(places) - 1) : max(places) + 2])
    return _with(parameter, tuple(choice for choice in parameter.choices if choice in kept))


def _without_losers(
    parameter: Parameter, best: Sequence[Any], tried: Counter[Any]
) -> Parameter | None:
    kept = tuple(c for c in parameter.choices if c in best or tried[c] < MIN_TRIED)
    return _with(parameter, kept)


def _with(parameter: Parameter, kept: tuple[Any, ...]) -> Parameter | None:
    return replace(parameter, choices=kept) if len(kept) < len(parameter.choices) else None


def _around(parameter: Parameter, best: Sequence[Any]) -> Parameter | None:
    low, high = float(parameter.low or 0.0), float(parameter.high or 0.0)
    if low == high:
        return None
    places = [_place(value, low, high, is_log=parameter.log) for value in best]
    first, last = max(0.0, min(places) - MARGIN), min(1.0, max(places) + MARGIN)
    if last - first > MOST_KEPT:
        return None
    step = parameter.step or (1 if parameter.kind == "int" else None)
    ends = [_value(place, low, high, is_log=parameter.log) for place in (first, last)]
    if step:
        below, above = math.floor((ends[0] - low) / step), math.ceil((ends[1] - low) / step)
        # The last step of a range may end short of its high end.
        new = low + below * step, min(high, low + above * step)
    else:
        new = max(low, _rounded(ends[0], math.floor)), min(high, _rounded(ends[1], math.ceil))
    if parameter.kind == "int":
        new = round(new[0]), round(new[1])
    else:
        new = round(new[0], 12), round(new[1], 12)
    return replace(parameter, low=new[0], high=new[1]) if new[0] < new[1] else None


def _place(value: float, low: float, high: float, *, is_log: bool) -> float:
    return math.log(value / low) / math.log(high / low) if is_log else (value - low) / (high - low)


def _value(place: float, low: float, high: float, *, is_log: bool) -> float:
    return low * (high / low) ** place if is_log else low + place * (high - low)


def _rounded(value: float, towards: Any) -> float:
    """A number of three digits, rounded down or up."""
    if value == 0:
        return value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - _DIGITS + 1)
    # 0.15000000000000002 is 0.15.
    return float(f"{towards(round(value / unit, 6)) * unit:.{_DIGITS}g}")
