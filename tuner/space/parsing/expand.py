"""From checked declarations to a `Space`: flat, parents first, conditions explicit."""

from __future__ import annotations

from typing import Any

from tuner.space.definition import Condition, Parameter, Space, kind_of_list
from tuner.space.parsing.conditions import order
from tuner.space.parsing.layout import AnySpec, FlatParameter, Layout
from tuner.space.parsing.parameter_specs import BooleanSpec, ChoiceSpec, FixedSpec


def expand(layout: Layout) -> Space:
    """Build the space of declarations that have no mistakes."""
    entries = layout.entries()
    fixed: dict[str, Any] = {}
    parameters: list[Parameter] = []
    for name in order(entries):
        entry = entries[name]
        conditions = _conditions(layout, entry, entries, fixed)
        wants_float = _wants_float(layout, name, entry.spec)
        if isinstance(entry.spec, FixedSpec) and not entry.spec.when:
            fixed[name] = _number(entry.spec.value, wants_float)
        else:
            parameters.append(_parameter(name, entry.spec, conditions, wants_float))
    return Space(parameters=tuple(parameters), fixed=fixed)


def _conditions(
    layout: Layout, entry: FlatParameter, entries: dict[str, FlatParameter], fixed: dict[str, Any]
) -> tuple[Condition, ...]:
    conditions = []
    if entry.block and entry.block.parent in entries:
        counts = layout.counts(entry.block.parent) or ()
        having = tuple(count for count in counts if count > entry.block.index)
        if len(having) < len(counts) or entries[entry.block.parent].spec.when:
            conditions.append(Condition(parent=entry.block.parent, values=having))
    for parent, values in (entry.spec.when or {}).items():
        # A fixed parent has the value asked for, or the file would have been refused.
        if parent not in fixed:
            wants_float = _wants_float(layout, parent, entries[parent].spec)
            conditions.append(
                Condition(
                    parent=parent, values=tuple(_number(value, wants_float) for value in values)
                )
            )
    return tuple(conditions)


def _parameter(
    name: str, spec: AnySpec, conditions: tuple[Condition, ...], wants_float: bool
) -> Parameter:
    if isinstance(spec, FixedSpec):
        # Fixed, but not always there: a list of one.
        choices: tuple[Any, ...] = (_number(spec.value, wants_float),)
        return Parameter(
            name=name, kind=kind_of_list(choices), choices=choices, conditions=conditions
        )
    if isinstance(spec, BooleanSpec):
        return Parameter(name=name, kind="boolean", choices=(False, True), conditions=conditions)
    if isinstance(spec, ChoiceSpec):
        if all(isinstance(value, bool) for value in spec.values):
            return Parameter(
                name=name, kind="boolean", choices=(False, True), conditions=conditions
            )
        choices = tuple(_number(value, wants_float) for value in spec.values)
        return Parameter(
            name=name, kind=kind_of_list(choices), choices=choices, conditions=conditions
        )
    return Parameter(
        name=name,
        kind=spec.type,
        low=spec.min,
        high=spec.max,
        step=spec.step,
        log=spec.sampling == "log",
        conditions=conditions,
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
