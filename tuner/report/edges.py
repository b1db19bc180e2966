"""Best values on the edge of what was searched, and how to search beyond."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuner.records.importance import Importance
from tuner.records.search_summary import SearchSummary
from tuner.report.text import value_text
from tuner.space.declaring import declaration
from tuner.space.definition import Parameter
from tuner.space.vocabulary import BATCH_TERMS, VOCABULARIES, Term

# Share of a range, on its own scale, within which a value counts as lying at its end.
NEAR = 0.02
# Of two values one is always the first and the other the last.
MIN_VALUES = 3

# A range on a logarithmic scale grows by this factor, one on a linear scale by this share of its
# width.
_LOG_GROWTH, _LINEAR_GROWTH = 4.0, 0.5

_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
_OF_ONE_BLOCK = re.compile(r"(?P<base>.+)_\d+")
_COUNTS_BLOCKS = "conv_blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A best value at the end of its range, though the model family allows values beyond.

    Attributes:
        parameter: What was searched.
        value: The best value.
        is_highest: Whether it lies at the upper end.
    """

    parameter: Parameter
    value: float
    is_highest: bool

    @property
    def end(self) -> float:
        """The end of the range that the value lies at."""
        return _ends(self.parameter)[self.is_highest]

    @property
    def words(self) -> str:
        """The value and what was searched: `= 0.6, searched from 0 to 0.6`."""
        if self.parameter.choices:
            searched = f"among {', '.join(map(value_text, self.parameter.choices))}"
        else:
            searched = f"from {' to '.join(map(value_text, _ends(self.parameter)))}"
        return f"= {value_text(self.value)}, searched {searched}"


def with_edges(search: SearchSummary) -> tuple[Parameter, ...]:
    """The parameters whose values have an order, with at least three distinct values."""
    return tuple(
        p
        for p in search.chosen
        if _n_values(p) >= MIN_VALUES and _is_number(search.best_values[p.name])
    )


def edges(search: SearchSummary) -> tuple[Edge, ...]:
    """Best values within 2 % of an end of their range, or at an end of at least three numbers.

    An end beyond which the model family allows nothing, such as a dropout of 0, is no edge.

    Args:
        search: What was searched and found.

    Returns:
        The edges, in the order of the space.
    """
    found = (_edge(parameter, search) for parameter in with_edges(search))
    return tuple(edge for edge in found if edge is not None)


def override(edge: Edge, search: SearchSummary) -> str | None:
    """The change of the space, for `--set`, that searches beyond an edge.

    Args:
        edge: The edge.
        search: What was searched.

    Returns:
        Such as `space.dropout.max=0.9`, or of several ranges `space.learning_rate.0.max=0.01`; None
            for a builder of your own, whose code bounds its ranges, and for a name that is no plain
            word and cannot be written on a command line.
    """
    parameter, model = edge.parameter, search.winner_model
    is_numbered = _OF_ONE_BLOCK.fullmatch(
        parameter.name
    ) and parameter.name not in VOCABULARIES.get(model, {})
    # A builder of your own says in its code how far a range may go; of several families, `--set`
    # changes the space of the one whose hyperparameters the file states.
    if (
        not _PLAIN_NAME.fullmatch(parameter.name)
        or model not in VOCABULARIES
        or search.best_family not in ("", search.model)
    ):
        return None
    wider = widened(edge, model)
    path = f"space.{parameter.name}"
    if is_numbered:
        # The file may have it under this name or, by `per`, without the number; as a whole it
        # stands in for both.
        ranges = [one for one in search.of_winner if one.name == parameter.name]
        changed = [wider if one == parameter else one for one in ranges]
        specs = [declaration(replace(one, prior=None), (_COUNTS_BLOCKS,)) for one in changed]
        return f"{path}={json.dumps(specs if len(specs) > 1 else specs[0])}"
    if parameter.place is not None:
        path = f"{path}.{parameter.place}"
    if not parameter.choices:
        end = wider.high if edge.is_highest else wider.low
        return f"{path}.{'max' if edge.is_highest else 'min'}={end:.6g}"
    # Only the long form has conditions; the short one has no `values`.
    is_long = bool(parameter.conditions) or parameter.place is not None
    return f"{path}{'.values' if is_long else ''}={json.dumps(wider.choices)}"


def widened(edge: Edge, model: str) -> Parameter:
    """The parameter with a range, or a list of numbers, that goes beyond an edge.

    Args:
        edge: The edge.
        model: The family, which bounds its hyperparameters.
    """
    parameter = edge.parameter
    new = _beyond(edge, _bound(_term(parameter.name, model), edge.is_highest))
    if parameter.choices:
        return replace(parameter, choices=tuple(sorted([*parameter.choices, new])))
    return replace(parameter, high=new) if edge.is_highest else replace(parameter, low=new)


def worth_widening(search: SearchSummary, importance: Importance | None) -> list[Edge]:
    """Edges of ranges, and of lists that mattered beyond chance; the most important first.

    Of a few listed values one is at an end by chance alone, so that a list needs more to speak for
    it.
    """
    importances = importance.parameters if importance else ()
    mattered = {name for one in importances if one.is_told for name in one.parameters}
    order = {name: place for place, one in enumerate(importances) for name in one.parameters}
    found = [e for e in edges(search) if not e.parameter.choices or e.parameter.name in mattered]
    return sorted(found, key=lambda edge: order.get(edge.parameter.name, len(order)))


def _edge(parameter: Parameter, search: SearchSummary) -> Edge | None:
    value = search.best_values[parameter.name]
    low, high = _ends(parameter)
    if parameter.choices:
        at_low, at_high = value <= low, value >= high
    else:
        place = _share_of_range(value, parameter)
        at_low, at_high = place <= NEAR, place >= 1 - NEAR
    edge = Edge(parameter=parameter, value=value, is_highest=at_high)
    bound = _bound(_term(parameter.name, search.winner_model), at_high)
    room = bound - edge.end if at_high else edge.end - bound
    return edge if (at_low or at_high) and room > 0 and room >= (parameter.step or 0) else None


def _n_values(parameter: Parameter) -> float:
    """Number of values that have an order; 0 for booleans and texts."""
    if parameter.choices:
        # Earlier versions wrote lists of numbers as `choice`, too.
        return len(parameter.choices) if all(_is_number(v) for v in parameter.choices) else 0
    if parameter.low is None or parameter.high is None:
        return 0
    step = parameter.step or (1 if parameter.kind == "int" else None)
    return math.inf if step is None else round((parameter.high - parameter.low) / step) + 1


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ends(parameter: Parameter) -> tuple[float, float]:
    if parameter.choices:
        return min(parameter.choices), max(parameter.choices)
    assert parameter.low is not None and parameter.high is not None  # As `_n_values` has seen.
    return parameter.low, parameter.high


def _share_of_range(value: float, parameter: Parameter) -> float:
    low, high = _ends(parameter)
    if parameter.log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _term(name: str, model: str) -> Term | None:
    terms = VOCABULARIES.get(model, BATCH_TERMS)
    block = _OF_ONE_BLOCK.fullmatch(name)
    return terms.get(name) or (terms.get(block["base"]) if block else None)


def _bound(term: Term | None, is_highest: bool) -> float:
    """The last value that the family allows; infinite where it sets none."""
    if term is None:
        return math.inf if is_highest else -math.inf
    return term.high if is_highest else term.low


def _beyond(edge: Edge, bound: float) -> float:
    """A value beyond the edge: the range's new end, or one more choice."""
    parameter, sign = edge.parameter, 1 if edge.is_highest else -1
    low, high = _ends(parameter)
    if parameter.choices:
        found = _next_choice(parameter.choices, edge.is_highest)
    elif parameter.log:
        found = edge.end * _LOG_GROWTH**sign
    else:
        found = edge.end + sign * _LINEAR_GROWTH * (high - low)
    found = min(found, bound) if edge.is_highest else max(found, bound)
    if parameter.step:
        # Only exact multiples of the step are taken.
        n_steps = math.floor(abs(found - edge.end) / parameter.step + 1e-9)
        found = edge.end + sign * max(n_steps, 1) * parameter.step
    is_whole = parameter.kind == "int" or all(
        isinstance(v, int) for v in parameter.choices or (0.5,)
    )
    return round(found) if is_whole else float(f"{found:.6g}")


def _next_choice(choices: Sequence[float], is_highest: bool) -> float:
    """The next value: by the same factor where the last three share one, else the same distance."""
    first, second, third = sorted(choices, reverse=is_highest)[:3]
    if min(first, second, third) > 0 and math.isclose(first / second, second / third, rel_tol=0.01):
        return first * first / second
    distant = first + (first - second)
    return distant if distant > 0 or first <= 0 else first / 2
