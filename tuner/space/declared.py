"""What a builder of your own declares, and what becomes of it beside a space: without Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuner.names import listed
from tuner.space.definition import Condition, Parameter, Space, by_name
from tuner.space.documents.validation import shown
from tuner.space.sampling import grid_values
from tuner.space.vocabulary import BATCH_TERMS, TRAINING_TERMS, Term

# The training loop takes its batches, and what is done to their images, from these names, whatever
# the model.
LOOP_TERMS: Mapping[str, Term] = {"batch_size": TRAINING_TERMS["batch_size"], **BATCH_TERMS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a builder of your own declares.

    Attributes:
        parameters: What it asks `hp` for, parents first; a name with one value only is a choice of
            one.
        read: Names that it looks up without declaring them, such as `values["units"]`.
        reads_all: Whether it goes through all values at once, so that any name may have an effect.
        defaults: What it takes for names of `read` that it was not given, as in
            `values.get("units", 32)`.
        missing: Names of `read` that it cannot do without, and was not given.
        is_compiled: Whether it compiles its models itself, so that the training loop chooses no
            optimizer and no loss.
        is_thorough: Whether both ends of every range and every choice were tried, so that no name
            was missed.
        notes: Remarks to show before the search, a line each.
    """

    parameters: tuple[Parameter, ...] = ()
    read: frozenset[str] = frozenset()
    reads_all: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    is_compiled: bool = True
    is_thorough: bool = True
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All names that it asks for."""
        return self.read | {parameter.name for parameter in self.parameters}

    @property
    def terms(self) -> Mapping[str, Term]:
        """What the training loop reads beside it."""
        return LOOP_TERMS if self.is_compiled else {**TRAINING_TERMS, **BATCH_TERMS}


def completed(given: Space, declaration: Declaration) -> Space:
    """A space with all that a builder declares and that it leaves out itself; `merge` says how."""
    merged = merge(given, declaration.parameters)
    named = {*merged.fixed, *merged.searched}
    defaults = {} if declaration.reads_all else declaration.defaults
    return replace(
        merged, fixed={**{k: v for k, v in defaults.items() if k not in named}, **merged.fixed}
    )


def merge(given: Space, declared: Iterable[Parameter]) -> Space:
    """A space with what it leaves out of a declaration.

    Args:
        given: The space: what it says of a name holds.
        declared: What a builder declares, parents first. A condition that the given space can never
            meet drops the parameter, and what is always met is no condition.
    """
    parameters, fixed = list(given.parameters), dict(given.fixed)
    known = by_name(parameters)
    for parameter in declared:
        if parameter.name in fixed or parameter.name in known:
            continue
        conditions = _conditions(parameter, known, fixed)
        is_plain = all(isinstance(value, bool | int | float | str) for value in parameter.choices)
        if conditions is None or (conditions and not is_plain):
            # What can be no choice, such as a list in `hp.Fixed`, keeps the default of the code.
            continue
        if len(parameter.choices) == 1 and not conditions:
            fixed[parameter.name] = parameter.choices[0]
            continue
        parameters.append(replace(parameter, conditions=conditions))
        known[parameter.name] = parameters[-1:]
    return Space(parameters=tuple(parameters), fixed=fixed)


def _conditions(
    parameter: Parameter, known: Mapping[str, Sequence[Parameter]], fixed: Mapping[str, Any]
) -> tuple[Condition, ...] | None:
    """What is left of a parameter's conditions; None where they can never hold."""
    found = []
    for condition in parameter.conditions:
        if condition.parent in fixed:
            if fixed[condition.parent] not in condition.values:
                return None
            continue
        if condition.parent not in known:
            return None
        grids = [grid_values(parent) for parent in known[condition.parent]]
        grid = None if None in grids else {v for values in grids for v in values or ()}
        is_conditional = any(parent.conditions for parent in known[condition.parent])
        values = (
            condition.values if grid is None else tuple(v for v in condition.values if v in grid)
        )
        if not values:
            return None
        if grid is None or len(values) < len(grid) or is_conditional:
            found.append(Condition(parent=condition.parent, values=values))
    return tuple(found)


def allows(parameter: Parameter, value: Any) -> bool:
    """Whether a declared parameter can have a value.

    Keras Tuner keeps true and false among choices as 1 and 0.
    """
    if parameter.choices:
        is_switch = set(parameter.choices) <= {0, 1}
        return any(
            choice == value and (is_switch or isinstance(choice, bool) == isinstance(value, bool))
            for choice in parameter.choices
        )
    if isinstance(value, bool) or not isinstance(
        value, int if parameter.kind == "int" else int | float
    ):
        return False
    assert parameter.low is not None and parameter.high is not None
    if not parameter.low <= value <= parameter.high:
        return False
    if parameter.step is None:
        return True
    steps = (value - parameter.low) / parameter.step
    return abs(steps - round(steps)) < 1e-6


def described(parameter: Parameter) -> str:
    """A parameter's values as a message shows them, such as `8 to 16 in steps of 8`."""
    if parameter.kind == "boolean":
        return "true or false"
    if parameter.choices:
        return listed(map(shown, parameter.choices))
    numbers = f"{shown(parameter.low)} to {shown(parameter.high)}"
    step = f" in steps of {shown(parameter.step)}" if parameter.step else ""
    return (
        f"{numbers}{step}, whole numbers"
        if parameter.kind == "int" and not step
        else f"{numbers}{step}"
    )
