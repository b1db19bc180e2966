"""What pydantic cannot see in a search space: names, bounds and ranges that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from tuner.names import listed
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import did_you_mean, nearest, shown
from tuner.space.methods import METHODS
from tuner.space.parsing.layout import MAX_BLOCKS, MAX_PARAMETERS, AnySpec, Layout, per
from tuner.space.parsing.parameter_specs import ChoiceSpec, FixedSpec, FloatSpec, IntSpec
from tuner.space.vocabulary import BATCH_TERMS, Term, TermKind

# A float on a step is searched as a list of its values, rounded to 12 decimals.
MAX_STEPS = 100_000
_SMALLEST_STEP = 1e-12
# Differences of larger numbers overflow where they are drawn.
_LARGEST = 1e100
# Values of choices and of conditions, in all flat parameters: each is written into the run's files.
_MAX_VALUES = 100_000


def check_space(document: Document, layout: Layout, model: str) -> dict[str, list[Problem]]:
    """The mistakes in names, kinds, bounds, ranges, choices and `per`; `conditions` judges `when`.

    Args:
        document: The file; also its keys that have mistakes of shape are checked for their names.
        layout: The declarations without mistakes of shape.
        model: The family's name, for messages.

    Returns:
        The mistakes by key, for those that have any.
    """
    problems = {
        key: list(_check_name(document, layout, key, model)) for key in document.data["space"]
    }
    for key, spec in layout.specs.items():
        found, term = problems[key], _term(layout, key)
        if term:
            found += check_kind(document, key, spec, term)
        if isinstance(spec, IntSpec | FloatSpec):
            found += _check_range(document, key, spec)
            found += _check_grid(document, key, spec)
        if isinstance(spec, ChoiceSpec):
            found += _check_choices(document, key, spec)
        found += _check_per(document, layout, key, spec)
    found_any = {key: found for key, found in problems.items() if found}
    return found_any or _check_size(document, layout) or _check_parameters(document, layout)


def _check_size(document: Document, layout: Layout) -> dict[str, list[Problem]]:
    """Refuse what is small on paper only.

    Repeated for each block, a few lines become a million values.
    """
    entries = layout.entries().values()
    n_values = sum(_n_values(entry.spec) for entry in entries)
    for n, most, what in (
        (len(entries), MAX_PARAMETERS, "parameters"),
        (n_values, _MAX_VALUES, "values of choices and conditions"),
    ):
        if n > most:
            message = (
                f"space has {n:,} {what}, those of each block counted; expected {most:,} or less."
            )
            return {
                "": [
                    Problem(
                        where=document.where(("space",)),
                        message=message,
                        hint="search less at a time.",
                    )
                ]
            }
    return {}


def _check_parameters(document: Document, layout: Layout) -> dict[str, list[Problem]]:
    """Refuse fixed values alone where the method must search something."""
    method = _method(document)
    # A builder of your own may declare more, and a declaration with a mistake counts as searched.
    is_whole = layout.terms is not None and layout.specs.keys() == document.data["space"].keys()
    if method is None or not METHODS[method].needs_parameters or not is_whole:
        return {}
    specs = [entry.spec for entry in layout.entries().values()]
    if any(not isinstance(spec, FixedSpec) or spec.when for spec in specs):
        return {}
    return {
        "": [
            Problem(
                where=document.where(("search", "method")),
                message=f"search.method is {method}, and no hyperparameter is searched.",
                hint="search one, or choose another method.",
            )
        ]
    }


def _method(document: Document) -> str | None:
    """The name of the search method; None where the file names none, or none that there is."""
    search = document.data.get("search")
    method = search.get("method") if isinstance(search, Mapping) else None
    return method if isinstance(method, str) and method in METHODS else None


def _n_values(spec: AnySpec) -> int:
    n_choices = len(spec.values) if isinstance(spec, ChoiceSpec) else 1
    return n_choices + sum(map(len, (spec.when or {}).values()))


def value_paths(document: Document, key: str, spec: AnySpec) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that a declaration allows by name, with where it stands.

    Lists and plain values are short forms.
    """
    long_form = isinstance(document.data["space"][key], Mapping)
    path: KeyPath = ("space", key)
    if isinstance(spec, FixedSpec):
        yield ((*path, "value") if long_form else path), spec.value
    elif isinstance(spec, ChoiceSpec):
        for i, value in enumerate(spec.values):
            yield ((*path, "values", i) if long_form else (*path, i)), value
    elif isinstance(spec, IntSpec | FloatSpec):
        yield (*path, "min"), spec.min
        yield (*path, "max"), spec.max


def dotted(path: KeyPath) -> str:
    """A path as messages show it: `space.dropout.max`."""
    return ".".join(map(str, path))


def _term(layout: Layout, key: str) -> Term | None:
    if layout.terms is None:
        # Whatever else a builder of one's own means by a name, these are done to its training
        # images.
        return BATCH_TERMS.get(key)
    block = layout.block(key)
    return layout.terms.get(block.base if block else key)


def _check_name(document: Document, layout: Layout, key: str, model: str) -> Iterator[Problem]:
    where, name = document.where(("space", key)), f"space.{key}"
    block = layout.block(key)
    if block:
        most = layout.most(block.parent)
        if most is not None and block.index >= most:
            last = most - 1
            message = (
                f"{name} belongs to no block; {block.parent} is at most {most}, blocks count"
                " from 0."
            )
            hint = f"use {block.base}_0 to {block.base}_{last}, or raise {block.parent}."
            yield Problem(where=where, message=message, hint=hint)
        return
    if layout.terms is None or key in layout.terms:
        return
    base, _, index = key.rpartition("_")
    if base in layout.terms and index.isdigit():
        message = f"{name} is set for one block; {base} is set once for the whole network."
        yield Problem(where=where, message=message, hint=f"write {base}.")
        return
    other = partial(did_you_mean, key, layout.terms)
    yield Problem(where=where, message=f"{name} is not a hyperparameter of {model}.", hint=other)


_KINDS: Mapping[TermKind, tuple[str, ...]] = {
    "int": ("int", "choice", "fixed"),
    "float": ("float", "choice", "fixed"),
    "bool": ("boolean", "fixed"),
    "text": ("choice", "fixed"),
    "weights": ("choice", "fixed"),
}


def check_kind(document: Document, key: str, spec: AnySpec, term: Term) -> Iterator[Problem]:
    """The mistakes in a declaration's type and values, judged by a term of the vocabulary."""
    allowed = _KINDS[term.kind]
    is_bool_choice = term.kind == "bool" and isinstance(spec, ChoiceSpec)
    if spec.type not in allowed and not is_bool_choice:
        message = f"space.{key}.type is {shown(spec.type)}; expected {listed(allowed)}."
        yield Problem(
            where=document.where(("space", key, "type")),
            message=message,
            hint=f"{key} is {term.expected}.",
        )
        return
    is_log = isinstance(spec, IntSpec | FloatSpec) and spec.sampling == "log"
    for path, value in value_paths(document, key, spec):
        if is_log and value <= 0:
            continue  # Said once, by _check_range.
        if not term.accepts(value):
            message = f"{dotted(path)} is {shown(value)}; expected {term.expected}."
            yield Problem(
                where=document.where(path), message=message, hint=partial(_value_hint, value, term)
            )


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


def _check_range(document: Document, key: str, spec: IntSpec | FloatSpec) -> Iterator[Problem]:
    name = f"space.{key}"
    low, high = shown(spec.min), shown(spec.max)

    def problem(part: str, message: str, hint: str) -> Problem:
        return Problem(where=document.where(("space", key, part)), message=message, hint=hint)

    if not -_LARGEST <= spec.min <= _LARGEST or not -_LARGEST <= spec.max <= _LARGEST:
        message = (
            f"{name} goes from {low} to {high}; expected numbers from -{_LARGEST:g} to"
            f" {_LARGEST:g}."
        )
        yield Problem(
            where=document.where(("space", key)), message=message, hint="give it a smaller range."
        )
        return
    if spec.min > spec.max:
        yield problem("min", f"{name}.min is {low}, greater than max {high}.", "swap the two.")
    if spec.min == spec.max:
        fixed = f"{{type: fixed, value: {low}, when: ...}}" if spec.when else low
        yield problem(
            "min",
            f"{name}.min equals max; a single value is not searched.",
            f"write {key}: {fixed}",
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


def _check_step(
    document: Document, key: str, spec: IntSpec | FloatSpec, step: float
) -> Iterator[Problem]:
    name, where = f"space.{key}.step", document.where(("space", key, "step"))
    if step <= 0:
        yield Problem(where=where, message=f"{name} is {shown(step)}; expected more than 0.")
        return
    if step < _SMALLEST_STEP:
        message = f"{name} is {shown(step)}; expected {_SMALLEST_STEP:g} or more."
        yield Problem(where=where, message=message, hint="use sampling: log for values so small.")
        return
    n_steps = (spec.max - spec.min) / step
    if n_steps > MAX_STEPS and isinstance(spec, FloatSpec):
        message = (
            f"{name} is {shown(step)}, which makes {n_steps:,.0f} steps; at most {MAX_STEPS:,} are"
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


def _check_grid(document: Document, key: str, spec: IntSpec | FloatSpec) -> Iterator[Problem]:
    method = _method(document)
    if (
        method is not None
        and METHODS[method].needs_finite_ranges
        and isinstance(spec, FloatSpec)
        and spec.step is None
    ):
        message = f"space.{key} may be any number from min to max, and search.method is {method}."
        hint = "list its values, give it a step, or choose another method."
        yield Problem(where=document.where(("space", key)), message=message, hint=hint)


def _check_choices(document: Document, key: str, spec: ChoiceSpec) -> Iterator[Problem]:
    name, where = f"space.{key}", document.where(("space", key))
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
        yield Problem(where=where, message=message, hint=f"write {key}: {fixed}")
    seen: set[Any] = set()
    for path, value in value_paths(document, key, spec):
        if value in seen:
            message = f"{dotted(path)} is {shown(value)}, which is in the list already."
            yield Problem(
                where=document.where(path), message=message, hint="delete one of the two."
            )
        seen.add(value)


def _other_name(name: str, others: list[str]) -> str:
    return did_you_mean(name, others) if others else "remove it."


def _check_per(document: Document, layout: Layout, key: str, spec: AnySpec) -> Iterator[Problem]:
    parent = per(spec)
    if parent is None:
        return
    where, name = document.where(("space", key, "per")), f"space.{key}.per"
    term = _term(layout, key)
    if layout.terms is not None and term is not None:
        if layout.block(key) or not term.per_block:
            names = [other for other, choice in layout.terms.items() if choice.per_block]
            message = f"{name} is set, but {key} is a single value."
            yield Problem(
                where=where, message=message, hint=f"remove it; per goes with {listed(names)}."
            )
            return
        if parent != "conv_blocks":
            message = f"{name} is {shown(parent)}; expected conv_blocks."
            yield Problem(where=where, message=message, hint="write per: conv_blocks.")
            return
    known = set(document.data["space"]) | set(layout.terms or ())
    if parent not in known or parent == key:
        others = sorted(known - {key})
        message = f"{name} is {shown(parent)}; expected another parameter of the space."
        yield Problem(where=where, message=message, hint=partial(_other_name, parent, others))
    elif parent in layout.specs and layout.counts(parent) is None:
        message = f"{name} is {shown(parent)}, which is no whole number."
        yield Problem(
            where=where, message=message, hint=f"{parent} must be an int, or fixed to one."
        )
    elif (layout.most(parent) or 0) > MAX_BLOCKS:
        message = (
            f"{name} is {shown(parent)}, which may be {layout.most(parent):,}; expected"
            f" {MAX_BLOCKS} or less."
        )
        yield Problem(where=where, message=message, hint=f"lower the max of {parent}.")
