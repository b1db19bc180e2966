"""What can be wrong with several ranges of one name: two that may hold at once, unlike values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from tuner.names import listed
from tuner.space.documents.strict_yaml import Document, Problem
from tuner.space.documents.validation import shown
from tuner.space.parsing.conditions import described, same
from tuner.space.parsing.declaration_checks import dotted
from tuner.space.parsing.layout import AnySpec, SpecKey, path_of, per
from tuner.space.parsing.parameter_specs import BooleanSpec, ChoiceSpec, FixedSpec


def check_ranges(document: Document, ranges: Mapping[SpecKey, AnySpec]) -> Iterator[Problem]:
    """The mistakes that ranges of one name make together.

    Args:
        document: The file.
        ranges: All declarations of the name, two or more.
    """
    without = [key for key, spec in ranges.items() if not spec.when]
    for key in without:
        message = f"{dotted(path_of(key))} has no when, and is one of {len(ranges)} ranges."
        hint = "give each of them a when, so that at most one holds at a time."
        yield Problem(where=document.where(path_of(key)), message=message, hint=hint)
    if not without:
        for first, second in combinations(ranges.items(), 2):
            yield from _check_both(document, first, second)
    (first_key, first_spec), *others = ranges.items()
    for key, spec in others:
        path = path_of(key)
        if per(spec) != per(first_spec):
            message = (
                f"{dotted(path)} has {_per_words(spec)}, but {dotted(path_of(first_key))} has"
                f" {_per_words(first_spec)}."
            )
            hint = "give all ranges of a name the same per, or none of them."
            yield Problem(where=document.where(path), message=message, hint=hint)
        kinds = {_values_are(spec), _values_are(first_spec)}
        if len(kinds) > 1:
            message = (
                f"{dotted(path)} and {dotted(path_of(first_key))} mix"
                f" {' and '.join(sorted(kinds))}; expected values of one kind."
            )
            hint = "give the two names of their own."
            yield Problem(where=document.where(path), message=message, hint=hint)


def _check_both(
    document: Document, first: tuple[SpecKey, AnySpec], second: tuple[SpecKey, AnySpec]
) -> Iterator[Problem]:
    """Refuse two ranges that may hold at once.

    They exclude each other where some parameter would need two values.
    """
    (key, spec), (other_key, other) = second, first
    when, other_when = spec.when or {}, other.when or {}
    for parent in when.keys() & other_when.keys():
        if not any(same(a, b) for a in when[parent] for b in other_when[parent]):
            return
    path, other_path = path_of(key), path_of(other_key)
    message = (
        f"{dotted(path)} ({_words(spec)}) may hold together with {dotted(other_path)}"
        f" ({_words(other)}, {document.where(other_path)})."
    )
    hint = "name the same parameter in both, with different values, so that only one holds."
    yield Problem(where=document.where(path), message=message, hint=hint)


def _words(spec: AnySpec) -> str:
    conditions = [
        f"{parent} is {listed(map(shown, values))}" for parent, values in (spec.when or {}).items()
    ]
    return f"{described(spec)} when {' and '.join(conditions)}"


def _per_words(spec: AnySpec) -> str:
    parent = per(spec)
    return f"per: {parent}" if parent else "no per"


def _values_are(spec: AnySpec) -> str:
    if isinstance(spec, BooleanSpec):
        return "true or false"
    values = (
        spec.values
        if isinstance(spec, ChoiceSpec)
        else [spec.value]
        if isinstance(spec, FixedSpec)
        else []
    )
    if any(isinstance(value, bool) for value in values):
        return "true or false"
    return "text" if any(isinstance(value, str) for value in values) else "numbers"
