"""From checked declarations to a `Space`: flat, parents first, conditions explicit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.space.definition import Condition, Parameter, Space, kind_of_list
from tuner.space.parsing.conditions import order
from tuner.space.parsing.layout import AnySpec, FlatParameter, Layout
from tuner.space.parsing.parameter_specs import BooleanSpec, ChoiceSpec, FixedSpec
from tuner.space.parsing.priors import as_prior


def expand(layout: Layout) -> Space:
    """Build the space of declarations that have no mistakes."""
    entries = layout.entries()
    fixed: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for name in order(entries):
        for entry in entries[name]:
            if isinstance(entry.spec, FixedSpec) and not entry.spec.when:
                fixed[name] = _number(entry.spec.value, _wants_float(layout, name, entry.spec))
            else:
                conditions = _conditions(layout, entry, entries, fixed)
                parameters.append(replace(as_parameter(layout, name, entry), conditions=conditions))
    return Space(parameters=tuple(parameters), fixed=fixed)


def _conditions(
    layout: Layout,
    entry: FlatParameter,
    entries: Mapping[str, Sequence[FlatParameter]],
    fixed: Mapping[str, Any],
) -> tuple[Condition, ...]:
    conditions = []
    if entry.block and entry.block.parent in entries:
        counts = layout.counts(entry.block.parent) or ()
        having = tuple(count for count in counts if count > entry.block.index)
        is_conditional = any(parent.spec.when for parent in entries[entry.block.parent])
        if len(having) < len(counts) or is_conditional:
            conditions.append(Condition(parent=entry.block.parent, values=having))
    for parent, values in (entry.spec.when or {}).items():
        # A fixed parent has the value asked for, or the file would have been refused.
        if parent not in fixed:
            wants_float = any(_wants_float(layout, parent, e.spec) for e in entries[parent])
            conditions.append(
                Condition(
                    parent=parent, values=tuple(_number(value, wants_float) for value in values)
                )
            )
    return tuple(conditions)


def as_parameter(layout: Layout, name: str, entry: FlatParameter) -> Parameter:
    """The parameter that a declaration states, but for its conditions.

    A fixed value, which is not always there, is a list of one.
    """
    spec, place = entry.spec, entry.place
    if isinstance(spec, FixedSpec | ChoiceSpec | BooleanSpec):
        values: Sequence[Any] = (False, True)
        if isinstance(spec, FixedSpec):
            values = (spec.value,)
        elif isinstance(spec, ChoiceSpec):
            values = spec.values
        wants_float = _wants_float(layout, name, spec)
        choices = tuple(_number(value, wants_float) for value in values)
        is_switch = not isinstance(spec, FixedSpec) and all(isinstance(v, bool) for v in values)
        choices = (False, True) if is_switch else choices
        return Parameter(
            name=name,
            kind="boolean" if is_switch else kind_of_list(choices),
            choices=choices,
            place=place,
            prior=as_prior(spec, choices),
        )
    return Parameter(
        name=name,
        kind=spec.type,
        low=spec.min,
        high=spec.max,
        step=spec.step,
        log=spec.sampling == "log",
        place=place,
        prior=as_prior(spec, ()),
    )


def _wants_float(layout: Layout, name: str, spec: AnySpec) -> bool:
    """Whether whole numbers among the values stand for floats.

    They do in a float of the family, or beside a float.
    """
    block = layout.block(name)
    term = (layout.terms or {}).get(block.base if block else name)
    if term is not None:
        return term.kind == "float"
    if isinstance(spec, ChoiceSpec):
        return any(isinstance(value, float) for value in spec.values)
    return spec.type == "float"


def _number(value: Any, wants_float: bool) -> Any:
    return float(value) if wants_float and not isinstance(value, bool | str) else value
