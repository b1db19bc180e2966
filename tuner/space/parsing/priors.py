"""`prior:` of a declaration: what can be wrong with it, and the record that it becomes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from tuner.names import listed
from tuner.space.definition import DEFAULT_SPREAD, Prior, kind_of_list
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import did_you_mean, shown
from tuner.space.parsing.conditions import described, possible
from tuner.space.parsing.declaration_checks import dotted
from tuner.space.parsing.layout import AnySpec, SpecKey, path_of
from tuner.space.parsing.parameter_specs import (
    BooleanSpec,
    ChoiceSpec,
    FixedSpec,
    FloatSpec,
    IntSpec,
    UsualSpec,
)
from tuner.space.priors import favouring


def check_prior(document: Document, key: SpecKey, spec: AnySpec) -> Iterator[Problem]:
    """The mistakes in a declaration's `prior`."""
    path: KeyPath = (*path_of(key), "prior")
    for inner, message, hint in _mistakes(spec):
        place = (*path, *inner)
        text = f"{dotted(place)} {message}"
        yield Problem(where=document.where(place), message=text, hint=hint)


def is_lost(spec: AnySpec, before: AnySpec | None) -> bool:
    """Whether a prior has no place in a declaration that an override has narrowed.

    It was in order before, and was not overridden itself.
    """
    stated = _prior(spec)
    if stated is None or before is None or _prior(before) != stated:
        return False
    return any(_mistakes(spec)) and not any(_mistakes(before))


def as_prior(spec: AnySpec, values: Sequence[Any]) -> Prior | None:
    """The record of a prior that has no mistakes.

    Args:
        spec: The declaration.
        values: Of a list its values as the parameter has them; of a switch false and true.
    """
    stated = _prior(spec)
    if stated is None:
        return None
    if isinstance(stated, UsualSpec):
        value = float(stated.value) if isinstance(spec, FloatSpec) else stated.value
        return Prior(value=value, spread=float(stated.spread))
    if not _has_words(spec):
        given = stated if isinstance(stated, Mapping) else {"value": stated}
        # As the list has it, where 1 may stand for 1.0.
        value = next(value for value in values if value == given["value"])
        return Prior(value=value, spread=float(given.get("spread", DEFAULT_SPREAD)))
    if not isinstance(stated, Mapping):
        return favouring(values, stated)
    weights = [float(stated.get(_text(value), 0.0)) for value in values]
    total = sum(weights)
    best = max(range(len(values)), key=weights.__getitem__)
    return Prior(value=values[best], weights=tuple(weight / total for weight in weights))


_Mistake = tuple[KeyPath, str, Any]


def _mistakes(spec: AnySpec) -> Iterator[_Mistake]:
    """Each as (path within the prior, what is wrong, how to mend it)."""
    stated = _prior(spec)
    if stated is None:
        return
    if isinstance(stated, UsualSpec):
        yield from _wrong_value(spec, stated.value, ("value",))
    elif not isinstance(stated, Mapping):
        yield from _wrong_value(spec, stated, ())
    elif _has_words(spec):
        yield from _wrong_weights(spec, stated)
    else:
        yield from _wrong_keys(spec, stated)


def _wrong_value(spec: AnySpec, value: Any, path: KeyPath) -> Iterator[_Mistake]:
    if possible(spec, value):
        return
    hint: Any = "state a value that is searched, or remove the prior."
    if isinstance(spec, ChoiceSpec) and isinstance(value, str):
        hint = partial(did_you_mean, value, [_text(choice) for choice in spec.values])
    yield path, f"is {shown(value)}; expected {_expected(spec)}.", hint


def _wrong_weights(spec: AnySpec, stated: Mapping[str, Any]) -> Iterator[_Mistake]:
    names = [_text(value) for value in _choices(spec)]
    wrong = False
    for name, weight in stated.items():
        if name not in names:
            wrong = True
            yield (
                (name,),
                f"is no value of the list; expected {listed(names)}.",
                partial(did_you_mean, name, names),
            )
        elif not _is_number(weight) or weight < 0:
            wrong = True
            yield (name,), f"is {shown(weight)}; expected a weight, 0 or more.", ""
    if not wrong and not any(stated.values()):
        yield (), "gives no value a weight above 0.", "state one, or remove the prior."


def _wrong_keys(spec: AnySpec, stated: Mapping[str, Any]) -> Iterator[_Mistake]:
    """Of a list of numbers: `value`, and `spread` where it is not the usual one."""
    for name in [name for name in stated if name not in ("value", "spread")]:
        hint = "numbers have an order: write a value, or {value: ..., spread: ...}."
        yield (name,), "is not a known key.", hint
    if "value" not in stated:
        yield (), "has no value.", "add value: the usual one."
    else:
        yield from _wrong_value(spec, stated["value"], ("value",))
    spread = stated.get("spread", DEFAULT_SPREAD)
    if not _is_number(spread) or not 0 < spread <= 1:
        yield ("spread",), f"is {shown(spread)}; expected a share above 0, 1 at most.", ""


def _prior(spec: AnySpec) -> Any:
    return None if isinstance(spec, FixedSpec) else spec.prior


def _choices(spec: AnySpec) -> Sequence[Any]:
    return spec.values if isinstance(spec, ChoiceSpec) else (False, True)


def _has_words(spec: AnySpec) -> bool:
    """Whether the values have no order: words, or a switch."""
    is_list = isinstance(spec, ChoiceSpec | BooleanSpec)
    return is_list and kind_of_list(_choices(spec)) == "choice"


def _expected(spec: AnySpec) -> str:
    kind = "a whole number from " if isinstance(spec, IntSpec) else "a number from "
    return f"{kind if isinstance(spec, IntSpec | FloatSpec) else ''}{described(spec)}"


def _text(value: Any) -> str:
    """A value as a key of the file is read."""
    return shown(value) if isinstance(value, bool) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
