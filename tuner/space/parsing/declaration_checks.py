"""The mistakes in a single declaration's kind, values, range and step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from tuner.names import listed
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import nearest, shown
from tuner.space.parsing.layout import AnySpec, SpecKey, path_of
from tuner.space.parsing.parameter_specs import ChoiceSpec, FixedSpec, FloatSpec, IntSpec
from tuner.space.vocabulary import Term, TermKind

# A float on a step is searched as a list of its values, rounded to 12 decimals.
_MAX_STEPS = 100_000
_SMALLEST_STEP = 1e-12
# Differences of larger numbers overflow where they are drawn.
_LARGEST = 1e100

_KINDS: Mapping[TermKind, tuple[str, ...]] = {
    "int": ("int", "choice", "fixed"),
    "float": ("float", "choice", "fixed"),
    "bool": ("boolean", "fixed"),
    "text": ("choice", "fixed"),
    "weights": ("choice", "fixed"),
}


def check_kind(document: Document, key: SpecKey, spec: AnySpec, term: Term) -> Iterator[Problem]:
    """The mistakes in a declaration's type and values, judged by a term of the vocabulary."""
    path: KeyPath
    allowed = _KINDS[term.kind]
    is_bool_choice = term.kind == "bool" and isinstance(spec, ChoiceSpec)
    if spec.type not in allowed and not is_bool_choice:
        path = (*path_of(key), "type")
        message = f"{dotted(path)} is {shown(spec.type)}; expected {listed(allowed)}."
        yield Problem(
            where=document.where(path), message=message, hint=f"{key[0]} is {term.expected}."
        )
        return
    is_log = isinstance(spec, IntSpec | FloatSpec) and spec.sampling == "log"
    for path, value in value_paths(document, key, spec):
        if is_log and value <= 0:
            continue  # Said once, by check_range.
        if not term.accepts(value):
            message = f"{dotted(path)} is {shown(value)}; expected {term.expected}."
            yield Problem(
                where=document.where(path), message=message, hint=partial(_value_hint, value, term)
            )


def check_range(document: Document, key: SpecKey, spec: IntSpec | FloatSpec) -> Iterator[Problem]:
    """The mistakes in the ends and the step of a range."""
    path = path_of(key)
    name = dotted(path)
    low, high = shown(spec.min), shown(spec.max)

    def problem(part: str, message: str, hint: str) -> Problem:
        return Problem(where=document.where((*path, part)), message=message, hint=hint)

    if not -_LARGEST <= spec.min <= _LARGEST or not -_LARGEST <= spec.max <= _LARGEST:
        message = (
            f"{name} goes from {low} to {high}; expected numbers from -{_LARGEST:g} to"
            f" {_LARGEST:g}."
        )
        yield Problem(where=document.where(path), message=message, hint="give it a smaller range.")
        return
    if spec.min > spec.max:
        yield problem("min", f"{name}.min is {low}, greater than max {high}.", "swap the two.")
    if spec.min == spec.max:
        fixed = f"{{type: fixed, value: {low}, when: ...}}" if spec.when else low
        yield problem(
            "min",
            f"{name}.min equals max; a single value is not searched.",
            f"write {_as_fixed(key, fixed)}",
        )
    if spec.sampling == "log":
        if spec.min <= 0:
            message = f"{name}.min is {low}; log sampling needs a min above 0."
            yield problem("min", message, "raise min, or use sampling: linear.")
        if spec.step is not None:
            message = f"{name}.step does not go with log sampling."
            yield problem("step", message, "remove step, or list the values.")
    elif spec.step is not None:
        yield from _check_step(document, key, spec, spec.step)


def check_choices(document: Document, key: SpecKey, spec: ChoiceSpec) -> Iterator[Problem]:
    """The mistakes in a list of values."""
    name, where = dotted(path_of(key)), document.where(path_of(key))
    kinds = {
        "true or false" if isinstance(v, bool) else "text" if isinstance(v, str) else "numbers"
        for v in spec.values
    }
    if len(kinds) > 1:
        message = f"{name} mixes {' and '.join(sorted(kinds))}; expected values of one kind."
        yield Problem(where=where, message=message, hint="quote all of them or none.")
        return
    if len(spec.values) == 1:
        value = spec.values[0]
        fixed = f"{{type: fixed, value: {shown(value)}, when: ...}}" if spec.when else shown(value)
        message = f"{name} has one value only; a single value is not searched."
        yield Problem(where=where, message=message, hint=f"write {_as_fixed(key, fixed)}")
    seen: set[Any] = set()
    for path, value in value_paths(document, key, spec):
        if value in seen:
            message = f"{dotted(path)} is {shown(value)}, which is in the list already."
            yield Problem(
                where=document.where(path), message=message, hint="delete one of the two."
            )
        seen.add(value)


def value_paths(document: Document, key: SpecKey, spec: AnySpec) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that a declaration allows by name, with where it stands.

    Lists and plain values are short forms.
    """
    # Of several ranges each is written out.
    long_form = len(key) == 2 or isinstance(document.data["space"][key[0]], Mapping)
    path = path_of(key)
    if isinstance(spec, FixedSpec):
        yield ((*path, "value") if long_form else path), spec.value
    elif isinstance(spec, ChoiceSpec):
        for i, value in enumerate(spec.values):
            yield ((*path, "values", i) if long_form else (*path, i)), value
    elif isinstance(spec, IntSpec | FloatSpec):
        yield (*path, "min"), spec.min
        yield (*path, "max"), spec.max


def _as_fixed(key: SpecKey, fixed: str) -> str:
    """What to write in place of a range of one value."""
    return f"{key[0]}: {fixed}" if len(key) == 1 else fixed


def dotted(path: KeyPath) -> str:
    """A path as messages show it: `space.dropout.max`."""
    return ".".join(map(str, path))


def _value_hint(value: Any, term: Term) -> str:
    if not isinstance(value, str):
        return ""
    if term.kind == "text":
        match = nearest(value, term.choices)
        return f'did you mean "{match}"?' if match else ""
    return (
        "remove the quotes."
        if value.replace(".", "", 1).isdigit() or value in {"true", "false"}
        else ""
    )


def _check_step(
    document: Document, key: SpecKey, spec: IntSpec | FloatSpec, step: float
) -> Iterator[Problem]:
    path: KeyPath = (*path_of(key), "step")
    name, where = dotted(path), document.where(path)
    if step <= 0:
        yield Problem(where=where, message=f"{name} is {shown(step)}; expected more than 0.")
        return
    if step < _SMALLEST_STEP:
        message = f"{name} is {shown(step)}; expected {_SMALLEST_STEP:g} or more."
        yield Problem(where=where, message=message, hint="use sampling: log for values so small.")
        return
    n_steps = (spec.max - spec.min) / step
    if n_steps > _MAX_STEPS and isinstance(spec, FloatSpec):
        message = (
            f"{name} is {shown(step)}, which makes {n_steps:,.0f} steps; at most {_MAX_STEPS:,} are"
            " searched."
        )
        yield Problem(where=where, message=message, hint="use a larger step, or remove it.")
        return
    # Decimals of the written digits: in floats, 0.3 / 0.1 is no whole number.
    low, high, width = (Decimal(str(value)) for value in (spec.min, spec.max, step))
    if low < high and (high - low) % width != 0:
        fitting = low + (high - low) // width * width
        message = (
            f"{name} is {shown(step)}, which leads from min {shown(spec.min)} past max"
            f" {shown(spec.max)}."
        )
        hint = (
            f"use max: {fitting} or {fitting + width}."
            if fitting > low
            else f"use max: {low + width}."
        )
        yield Problem(where=where, message=message, hint=hint)
