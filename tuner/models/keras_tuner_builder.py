"""Keras Tuner's `HyperParameters` for a `build(hp)` of your own: given values, and what is asked.

The only module of the models that imports keras_tuner.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import keras_tuner

from tuner.space.definition import Condition, Parameter, ParameterKind, kind_of_list

# A grid on a logarithmic scale is listed value by value.
_MAX_LISTED = 1000


def hyperparameters(values: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    """`HyperParameters` that return `values[name]` for a name, or the default that is declared."""
    hp = AskedHyperParameters()
    hp.values = dict(values)
    return hp


class AskedHyperParameters(keras_tuner.HyperParameters):
    """Keeps the names of the values that are asked for without being searched."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        super().__init__()
        self._looked_up: list[str] = []
        self._copies: list[AskedHyperParameters] = []

    @property
    def read(self) -> set[str]:
        """Names that `get`, `[]` and `in` asked for, and all that was asked of copies."""
        of_copies = [copy.read | {found.name for found in copy.space} for copy in self._copies]
        return set(self._looked_up).union(*of_copies)

    def get(self, name: str) -> Any:
        """Keras Tuner's; `[]` and `in` come here too."""
        self._looked_up.append(self._get_name(name))
        return super().get(name)

    def copy(self) -> AskedHyperParameters:
        """Keras Tuner's.

        A HyperModel that is not tunable asks a copy, so that nothing of it is searched.
        """
        copied = type(self).from_config(self.get_config())
        self._copies.append(copied)
        return copied


def declared(hp: keras_tuner.HyperParameters) -> tuple[list[Parameter], list[str]]:
    """What a builder has asked for, in its order.

    A name that is asked in several scopes comes several times.

    Returns:
        The parameters, each with the conditions of its scopes: one value only is a choice of one.
            Then, in a line each,
        what could not be taken over as it is declared.
    """
    notes: list[str] = []
    parameters = [_parameter(found, notes) for found in hp.space]
    return [parameter for parameter in parameters if parameter is not None], notes


def fit_is_own(target: Any) -> bool:
    """Whether a HyperModel trains its models itself, with a `fit` of its own."""
    return (
        isinstance(target, keras_tuner.HyperModel)
        and type(target).fit is not keras_tuner.HyperModel.fit
    )


def declare_beforehand(target: Any, hp: keras_tuner.HyperParameters) -> None:
    """Let a HyperModel declare what its `declare_hyperparameters` says."""
    if isinstance(target, keras_tuner.HyperModel):
        target.declare_hyperparameters(hp)


def _parameter(found: Any, notes: list[str]) -> Parameter | None:
    types = keras_tuner.engine.hyperparameters
    name, conditions = found.name, _conditions(found)
    match found:
        case types.Fixed():
            return _choice(name, [found.value], conditions)
        case types.Boolean():
            return Parameter(
                name=name, kind="boolean", choices=(False, True), conditions=conditions
            )
        case types.Choice():
            return _choice(name, found.values, conditions, is_ordered=found.ordered)
        case types.Int() | types.Float():
            return _number(found, conditions, notes)
    notes.append(
        f"{name} is of a kind that is not supported, {type(found).__name__}; it keeps its default"
    )
    return None


def _conditions(found: Any) -> tuple[Condition, ...]:
    return tuple(Condition(parent=c.name, values=tuple(c.values)) for c in found.conditions)


def _choice(
    name: str,
    values: Iterable[Any],
    conditions: tuple[Condition, ...],
    *,
    is_ordered: bool = True,
) -> Parameter:
    distinct = tuple(dict.fromkeys(values)) if all(map(_is_plain, values)) else tuple(values)
    is_boolean = len(distinct) == 2 and all(isinstance(value, bool) for value in distinct)
    if is_boolean:
        return Parameter(name=name, kind="boolean", choices=(False, True), conditions=conditions)
    kind = kind_of_list(distinct) if is_ordered else "choice"
    return Parameter(name=name, kind=kind, choices=distinct, conditions=conditions)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _number(found: Any, conditions: tuple[Condition, ...], notes: list[str]) -> Parameter:
    """A range, or a list of the values where a range of ours does not have this step."""
    is_int = isinstance(found, keras_tuner.engine.hyperparameters.Int)
    kind: ParameterKind = "int" if is_int else "float"
    low, high, step = found.min_value, found.max_value, found.step
    if found.sampling == "reverse_log":
        notes.append(
            f"{found.name} is declared with sampling reverse_log; it is searched on a linear scale"
        )
    if found.sampling != "linear" and step is not None:
        listed = sorted(
            {
                _rounded(value, kind)
                for _, value in zip(range(_MAX_LISTED), found.values, strict=False)
            }
        )
        return Parameter(
            name=found.name, kind="ordinal", choices=tuple(listed), conditions=conditions
        )
    if step is not None and low < high:
        # Keras Tuner stops at the last step below its maximum.
        n_steps = math.floor((high - low) / step + 1e-9)
        high = _rounded(low + n_steps * step, kind)
    if low == high:
        return _choice(found.name, [low if kind == "int" else float(low)], conditions)
    return Parameter(
        name=found.name,
        kind=kind,
        low=low if kind == "int" else float(low),
        high=high if kind == "int" else float(high),
        step=None if step is None or (step == 1 and kind == "int") else _rounded(step, kind),
        log=found.sampling == "log",
        conditions=conditions,
    )


def _rounded(value: float, kind: ParameterKind) -> float:
    return round(value) if kind == "int" else round(float(value), 12)
