"""Several families in one space: the family is the first hyperparameter, its own lie under it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.space.definition import (
    FAMILY,
    Condition,
    Family,
    Parameter,
    SearchSpaceFile,
    Space,
    by_name,
)

# A model, and hyperparameters in its own words.
Built = tuple[str, Mapping[str, Any]]


def together(families: Sequence[Family]) -> Space:
    """One space of several: each family's hyperparameters are active under its name alone.

    What is fixed for a family is no part of a setting: `as_built` puts it back.
    """
    parameters = [
        Parameter(name=FAMILY, kind="choice", choices=tuple(family.name for family in families))
    ]
    for family in families:
        condition = Condition(parent=FAMILY, values=(family.name,))
        parameters += [
            replace(one, conditions=(condition, *one.conditions)) for one in family.space.parameters
        ]
    return Space(parameters=tuple(parameters), fixed={})


def as_built(model: str, families: Sequence[Family], values: Mapping[str, Any]) -> Built:
    """What a setting builds.

    Args:
        model: What is searched where there are no families.
        families: What is searched together.
        values: The setting, of which `FAMILY` names one of them.

    Raises:
        ValueError: If it names none of them.
    """
    if not families:
        return model, values
    for family in families:
        if family.name == values.get(FAMILY):
            own = {name: value for name, value in values.items() if name != FAMILY}
            return family.model, {**family.space.fixed, **own}
    raise ValueError(f"{FAMILY} is {values.get(FAMILY)}, which is none of the space's families")


def built(file: SearchSpaceFile, values: Mapping[str, Any], model: str | None = None) -> Built:
    """What a setting builds.

    Args:
        file: The space.
        values: The setting.
        model: Its model where it is from outside of the space; None for one of the space.
    """
    return (model, values) if model is not None else as_built(file.model, file.families, values)


def each_family(file: SearchSpaceFile) -> tuple[Family, ...]:
    """The families, each with a space of its own; one where a model is searched alone."""
    return file.families or (Family(name=file.model, model=file.model, space=file.space),)


def in_family(file: SearchSpaceFile, family: Family, values: Mapping[str, Any]) -> dict[str, Any]:
    """A setting of a family's own space as one of the whole space."""
    if not file.families:
        return dict(values)
    searched = {name: values[name] for name in by_name(family.space.parameters) if name in values}
    return {FAMILY: family.name, **searched}


def holding(space: Space, names: Collection[str]) -> Space:
    """A space in which some hyperparameters keep their usual value, those that state one.

    What only another value switches on is left out.
    """
    fixed, parameters = dict(space.fixed), list[Parameter]()
    for one in space.parameters:
        if any(c.parent in fixed and fixed[c.parent] not in c.values for c in one.conditions):
            continue
        if one.name in names and one.prior is not None and not one.conditions:
            fixed[one.name] = one.prior.value
        else:
            left = tuple(c for c in one.conditions if c.parent not in fixed)
            parameters.append(replace(one, conditions=left))
    return Space(parameters=tuple(parameters), fixed=fixed)
