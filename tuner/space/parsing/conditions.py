"""What can be wrong with `when`: unknown parents, values that a parent never has, circles."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from tuner.names import listed
from tuner.space.definition import FAMILY
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import did_you_mean, nearest, shown
from tuner.space.parsing.declaration_checks import dotted
from tuner.space.parsing.layout import AnySpec, FlatParameter, Layout, SpecKey, path_of, per
from tuner.space.parsing.parameter_specs import (
    BooleanSpec,
    ChoiceSpec,
    FixedSpec,
    FloatSpec,
    IntSpec,
)


def check_conditions(document: Document, layout: Layout, wrong: Collection[str]) -> list[Problem]:
    """The mistakes in the `when` of each parameter.

    Args:
        document: The file.
        layout: Its declarations.
        wrong: Names with mistakes of their own: what their values can be is not known.
    """
    entries = layout.entries()
    problems: list[Problem] = []
    for key, spec in layout.stated():
        for parent, values in (spec.when or {}).items():
            problems += _check_parent(document, layout, entries, key, parent)
            found = entries.get(parent, [])
            if found and parent != key[0] and not any(e.key[0] in wrong for e in found):
                specs = [entry.spec for entry in found]
                problems += _check_values(document, key, parent, specs, values)
    return [*problems, *_check_circles(document, entries)]


def order(entries: Mapping[str, Sequence[FlatParameter]]) -> list[str]:
    """The names with parents before children, else in the order of the file.

    Those in circles are left out.
    """
    places = {name: place for place, name in enumerate(entries)}
    names = list(entries)
    needs = {name: len(parents(found) & entries.keys()) for name, found in entries.items()}
    children: dict[str, list[str]] = {}
    for name, found in entries.items():
        for parent in parents(found) & entries.keys():
            children.setdefault(parent, []).append(name)
    # Always the first one in the file whose parents are done.
    ready = [places[name] for name in entries if not needs[name]]
    done: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        for child in children.get(name, ()):
            needs[child] -= 1
            if not needs[child]:
                heapq.heappush(ready, places[child])
    return done


def parents(entries: Iterable[FlatParameter]) -> set[str]:
    """The names that a parameter's being active depends on, with all its ranges."""
    names: set[str] = set()
    for entry in entries:
        names.update(entry.spec.when or ())
        names.update({entry.block.parent} if entry.block else ())
    return names


def possible(spec: AnySpec, value: Any) -> bool:
    """Whether a declared parameter can have a value."""
    if isinstance(spec, FixedSpec):
        return same(spec.value, value)
    if isinstance(spec, ChoiceSpec):
        return any(same(choice, value) for choice in spec.values)
    if isinstance(spec, BooleanSpec):
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(
        value, int if isinstance(spec, IntSpec) else int | float
    ):
        return False
    on_step = (
        not spec.step
        or (Decimal(str(value)) - Decimal(str(spec.min))) % Decimal(str(spec.step)) == 0
    )
    return spec.min <= value <= spec.max and on_step


def same(a: Any, b: Any) -> bool:
    """Equality that tells true from 1."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def _check_parent(
    document: Document,
    layout: Layout,
    entries: Mapping[str, Sequence[FlatParameter]],
    key: SpecKey,
    parent: str,
) -> Iterator[Problem]:
    path: KeyPath = (*path_of(key), "when", parent)
    where, start = document.where(path), dotted(path)
    if parent == key[0]:
        yield Problem(
            where=where, message=f"{start} is the parameter itself.", hint="name another parameter."
        )
        return
    if parent in entries:
        return
    if any(map(per, layout.ranges(parent))):
        message = f"{start} is one parameter per block."
        yield Problem(where=where, message=message, hint=f"name one of them, such as {parent}_0.")
        return
    block = layout.block(parent)
    if parent in document.data["space"] or (
        block and block.base in document.data["space"] and not layout.counts(block.parent)
    ):
        return  # Its declaration is wrong, which is reported where it stands.
    others = entries.keys() - {key[0]}
    message = f"{start} is not a parameter of this space."
    if parent == FAMILY and layout.terms is not None:
        hint = "remove it: all hyperparameters under space belong to one family."
        yield Problem(where=where, message=message, hint=hint)
        return
    yield Problem(where=where, message=message, hint=partial(_other_name, parent, others))


def _check_values(
    document: Document, key: SpecKey, parent: str, specs: Sequence[AnySpec], values: list[Any]
) -> Iterator[Problem]:
    when: KeyPath = (*path_of(key), "when", parent)
    written = document.data["space"][key[0]]
    written = (written[key[1]] if len(key) == 2 else written)["when"][parent]
    for i, value in enumerate(values):
        if any(possible(spec, value) for spec in specs):
            continue
        path = (*when, *((i,) if isinstance(written, list) else ()))
        known = ", or ".join(map(described, specs))
        message = f"{dotted(when)} is {shown(value)}, but {parent} is {known}."
        yield Problem(
            where=document.where(path), message=message, hint=partial(_other_value, value, specs)
        )


def _other_name(name: str, others: Collection[str]) -> str:
    return did_you_mean(name, sorted(others)) if others else "remove it."


def _other_value(value: Any, specs: Sequence[AnySpec]) -> str:
    choices = [choice for spec in specs if isinstance(spec, ChoiceSpec) for choice in spec.values]
    match = nearest(str(value), map(str, choices))
    return f'did you mean "{match}"?' if match else ""


def described(spec: AnySpec) -> str:
    """The values of a declaration, as messages name them."""
    if isinstance(spec, FixedSpec):
        return f"always {shown(spec.value)}"
    if isinstance(spec, ChoiceSpec):
        return listed(map(shown, spec.values))
    if isinstance(spec, IntSpec | FloatSpec):
        step = f" in steps of {shown(spec.step)}" if spec.step is not None else ""
        return f"{shown(spec.min)} to {shown(spec.max)}{step}"
    return "true or false"


def _check_circles(
    document: Document, entries: Mapping[str, Sequence[FlatParameter]]
) -> Iterator[Problem]:
    ordered = set(order(entries))
    reported: set[str] = set()
    for name, found in entries.items():
        entry = next((entry for entry in found if entry.spec.when), None)
        if name in ordered or name in reported or entry is None:
            continue
        circle = _circle(name, entries)
        if len(circle) < 2:
            continue  # Only near a circle, or its own parent, which is reported already.
        reported.update(circle)
        path: KeyPath = (*entry.path, "when")
        message = f"{dotted(path)} goes in a circle: {' needs '.join([*circle, name])}."
        yield Problem(
            where=document.where(path), message=message, hint="remove one of these conditions."
        )


def _circle(start: str, entries: Mapping[str, Sequence[FlatParameter]]) -> list[str]:
    """The shortest way from a name over its parents back to itself, or nothing."""
    paths = deque([[start]])
    seen: set[str] = set()
    while paths:
        path = paths.popleft()
        for parent in sorted(parents(entries[path[-1]]) & set(entries)):
            if parent == start:
                return path
            if parent not in seen:
                seen.add(parent)
                paths.append([*path, parent])
    return []
