"""A space held against what your own builder declares: names that nothing reads, other values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuner.space.declared import Declaration, allows, described
from tuner.space.definition import Parameter, SearchSpaceFile
from tuner.space.documents.strict_yaml import Document, Problem
from tuner.space.documents.validation import did_you_mean, in_order, nearest, shown
from tuner.space.parsing.declaration_checks import check_kind, dotted, value_paths
from tuner.space.parsing.expand import as_parameter
from tuner.space.parsing.layout import FlatParameter
from tuner.space.parsing.parse import layout_of
from tuner.space.sampling import grid_values
from tuner.space.vocabulary import TRAINING_TERMS, TermKind

# Of longer ranges only the ends are compared.
_MAX_COMPARED = 1000


def check_held(
    document: Document, file: SearchSpaceFile, declaration: Declaration
) -> list[Problem]:
    """The mistakes that a space makes about its builder, in the order of its lines.

    Args:
        document: The space's file, which has no mistakes of its own.
        file: The same, parsed.
        declaration: What the builder declares.
    """
    declared = {parameter.name: parameter for parameter in declaration.parameters}
    problems: list[Problem] = []
    layout = layout_of(document, file.model)
    flat = [(name, entry) for name, found in layout.entries().items() for entry in found]
    for name, entry in flat:
        if name in declared:
            wanted = as_parameter(layout, name, entry)
            problems += _check_values(document, entry, declared[name], wanted, file.model)
        if name in declaration.terms:
            problems += check_kind(document, entry.key, entry.spec, declaration.terms[name])
        elif (
            name not in declaration.names and not declaration.reads_all and declaration.is_thorough
        ):
            problems.append(_unread(document, name, entry, declaration, file.model))
    problems += [_missing(document, name, declaration, file.model) for name in declaration.missing]
    if (
        "normalization" in document.data
        and not declaration.reads_all
        and "normalization" not in declaration.names
    ):
        message = f"normalization has no effect: {file.model} never reads it."
        problems.append(
            Problem(where=document.where(("normalization",)), message=message, hint="remove it.")
        )
    return in_order(problems)


def check_loop(declaration: Declaration, model: str) -> list[Problem]:
    """Declared names that the training loop reads too, with values that it cannot use."""
    problems = []
    for parameter in declaration.parameters:
        term = declaration.terms.get(parameter.name)
        values = parameter.choices or (parameter.low, parameter.high)
        if term is None or all(term.accepts(_as_meant(value, term.kind)) for value in values):
            continue
        message = (
            f"it declares {parameter.name} as {described(parameter)}, but the training loop reads"
            f" that name too, as {term.help}: {term.expected}."
        )
        hint = f"give {parameter.name} another name in the builder, or values that both can use."
        problems.append(Problem(where=f'model "{model}"', message=message, hint=hint))
    return problems


def _as_meant(value: Any, kind: TermKind) -> Any:
    # Keras Tuner keeps true and false among choices as 1 and 0.
    return bool(value) if kind == "bool" and value in (0, 1) else value


def _unread(
    document: Document, name: str, entry: FlatParameter, declaration: Declaration, model: str
) -> Problem:
    where = document.where(entry.path)
    if name in TRAINING_TERMS:
        message = (
            f"space.{name} has no effect: {model} compiles its model itself and never reads {name}."
        )
        return Problem(
            where=where, message=message, hint=f"read {name} from hp in the builder, or remove it."
        )
    message = f"{model} never reads space.{name}."
    if name != entry.key[0]:
        message = f"{dotted(entry.path)} gives {name}, but {model} never reads it."
    names = sorted(declaration.names)
    if not names:
        return Problem(
            where=where, message=message, hint=f"remove it: {model} reads no hyperparameters."
        )
    others = sorted(declaration.names - set(document.data["space"])) or names
    match = nearest(name, others) or nearest(name, names)
    hint = f'did you mean "{match}"?' if match else did_you_mean(name, others)
    return Problem(where=where, message=message, hint=hint)


def _missing(document: Document, name: str, declaration: Declaration, model: str) -> Problem:
    message = f'{model} reads values["{name}"], which the space does not give.'
    unread = [key for key in document.data["space"] if key not in declaration.names]
    match = nearest(name, unread)
    hint = (
        f'write {name} instead of "{match}".'
        if match
        else f"write {name} into a space; --space FILE names it."
    )
    return Problem(where=document.where(("space",)), message=message, hint=hint)


def _check_values(
    document: Document, entry: FlatParameter, declared: Parameter, wanted: Parameter, model: str
) -> Iterator[Problem]:
    """Values outside of what the code declares.

    A range whose ends fit may still take other steps.
    """
    found = False
    for path, value in value_paths(document, entry.key, entry.spec):
        if allows(declared, value):
            continue
        found = True
        message = f"{dotted(path)} is {shown(value)}; {model} declares {described(declared)}."
        match = nearest(str(value), map(str, declared.choices)) if isinstance(value, str) else None
        hint = f'did you mean "{match}"?' if match else "stay within that, or change the builder."
        yield Problem(where=document.where(path), message=message, hint=hint)
    if found:
        return
    grid = grid_values(wanted)
    is_within = (
        grid is None or len(grid) > _MAX_COMPARED or all(allows(declared, value) for value in grid)
    )
    is_free = grid is None and (declared.step is not None or bool(declared.choices))
    if is_free or not is_within:
        message = (
            f"{dotted(entry.path)} takes values between those that {model} declares:"
            f" {described(declared)}."
        )
        hint = (
            f"add step: {shown(declared.step)}, or list the values."
            if declared.step
            else "list the values."
        )
        yield Problem(where=document.where(entry.path), message=message, hint=hint)
