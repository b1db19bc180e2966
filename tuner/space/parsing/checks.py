"""What pydantic cannot see in a search space: names and declarations that do not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

from tuner.names import listed
from tuner.space.definition import FAMILY
from tuner.space.documents.strict_yaml import Document, Problem
from tuner.space.documents.validation import did_you_mean, shown
from tuner.space.methods import METHODS
from tuner.space.parsing.declaration_checks import check_choices, check_kind, check_range, dotted
from tuner.space.parsing.families import AUTO
from tuner.space.parsing.layout import (
    MAX_BLOCKS,
    MAX_PARAMETERS,
    AnySpec,
    Layout,
    SpecKey,
    path_of,
    per,
)
from tuner.space.parsing.parameter_specs import ChoiceSpec, FixedSpec, FloatSpec, IntSpec
from tuner.space.parsing.priors import check_prior
from tuner.space.parsing.ranges import check_ranges
from tuner.space.vocabulary import BATCH_TERMS, Term

# Values of choices and of conditions, in all flat parameters: each is written into the run's files.
_MAX_VALUES = 100_000


def check_space(document: Document, layout: Layout, model: str) -> dict[str, list[Problem]]:
    """The mistakes in names, kinds, bounds, ranges, choices and `per`; `conditions` judges `when`.

    Args:
        document: The file; also its keys that have mistakes of shape are checked for their names.
        layout: The declarations without mistakes of shape.
        model: The family's name, for messages.

    Returns:
        The mistakes by name, for those that have any.
    """
    problems = {
        name: list(_check_name(document, layout, name, model)) for name in document.data["space"]
    }
    for key, spec in layout.stated():
        problems[key[0]] += _check_declaration(document, layout, key, spec)
    for name, ranges in layout.specs.items():
        if len(ranges) > 1:
            problems[name] += check_ranges(document, ranges)
            problems[name] += _check_method_of_ranges(document, name, len(ranges))
    found_any = {name: found for name, found in problems.items() if found}
    return found_any or _check_size(document, layout) or _check_parameters(document, layout)


def _check_declaration(
    document: Document, layout: Layout, key: SpecKey, spec: AnySpec
) -> Iterator[Problem]:
    term = _term(layout, key[0])
    if term:
        yield from check_kind(document, key, spec, term)
    if isinstance(spec, IntSpec | FloatSpec):
        yield from check_range(document, key, spec)
        yield from _check_grid(document, key, spec)
    if isinstance(spec, ChoiceSpec):
        yield from check_choices(document, key, spec)
    yield from check_prior(document, key, spec)
    yield from _check_per(document, layout, key, spec)


def _check_size(document: Document, layout: Layout) -> dict[str, list[Problem]]:
    """Refuse what is small on paper only.

    Repeated for each block, a few lines become a million values.
    """
    entries = list(chain.from_iterable(layout.entries().values()))
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
    # Of several families the first hyperparameter is the family.
    named = document.data.get("model", "cnn")
    is_whole = is_whole and named != AUTO and not isinstance(named, list)
    if method is None or not METHODS[method].needs_parameters or not is_whole:
        return {}
    specs = [entry.spec for entry in chain.from_iterable(layout.entries().values())]
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
    other: str | partial[str] = partial(did_you_mean, key, layout.terms)
    if key == FAMILY:
        other = "families are listed at the top of the file: model: [cnn, efficientnet_lite2]."
    yield Problem(where=where, message=f"{name} is not a hyperparameter of {model}.", hint=other)


def _check_grid(document: Document, key: SpecKey, spec: IntSpec | FloatSpec) -> Iterator[Problem]:
    method = _method(document)
    if (
        method is not None
        and METHODS[method].needs_finite_ranges
        and isinstance(spec, FloatSpec)
        and spec.step is None
    ):
        path = path_of(key)
        message = (
            f"{dotted(path)} may be any number from min to max, and search.method is {method}."
        )
        hint = "list its values, give it a step, or choose another method."
        yield Problem(where=document.where(path), message=message, hint=hint)


def _check_method_of_ranges(document: Document, name: str, n_ranges: int) -> Iterator[Problem]:
    method = _method(document)
    if method is not None and METHODS[method].needs_single_ranges:
        message = f"space.{name} has {n_ranges} ranges, and search.method is {method}."
        hint = "choose another method, such as grid, or give the name one range."
        yield Problem(where=document.where(("space", name)), message=message, hint=hint)


def _other_name(name: str, others: list[str]) -> str:
    return did_you_mean(name, others) if others else "remove it."


def _check_per(
    document: Document, layout: Layout, place: SpecKey, spec: AnySpec
) -> Iterator[Problem]:
    parent = per(spec)
    if parent is None:
        return
    key, path = place[0], (*path_of(place), "per")
    where, name = document.where(path), dotted(path)
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
        message = f"{name} is {shown(parent)}, which is not a whole number."
        yield Problem(
            where=where, message=message, hint=f"{parent} must be an int, or fixed to one."
        )
    elif (layout.most(parent) or 0) > MAX_BLOCKS:
        message = (
            f"{name} is {shown(parent)}, which may be {layout.most(parent):,}; expected"
            f" {MAX_BLOCKS} or less."
        )
        yield Problem(where=where, message=message, hint=f"lower the max of {parent}.")
