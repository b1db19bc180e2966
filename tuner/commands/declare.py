"""The space of a builder of your own: what you write of it, completed with what its code declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tuner.commands.hardware import n_cores
from tuner.commands.open_run import plain
from tuner.commands.options import RunOptions
from tuner.commands.prepare import check_flip, space_documents
from tuner.data.card import Card
from tuner.errors import ConfigurationError
from tuner.models.registry import is_own
from tuner.records.image import ImageSpec
from tuner.space.declared import Declaration, completed, described
from tuner.space.definition import Condition, Parameter, SearchSpaceFile, Space
from tuner.space.document import Document, raise_problems
from tuner.space.held import check_held, check_loop
from tuner.space.sampling import grid_values

# In a note; the report shows all.
_SHOWN_NAMES = 8


def declare(
    options: RunOptions, card: Card, file: SearchSpaceFile, image_spec: ImageSpec
) -> tuple[SearchSpaceFile, tuple[str, ...]]:
    """Complete a space with what its builder declares; that of a built-in family stays as it is.

    Args:
        options: Of the run.
        card: Of the data set.
        file: The space, with preset and options applied.
        image_spec: Of the images.

    Returns:
        The space, and what you should know of it, a line each.

    Raises:
        ConfigurationError: If the builder cannot be called, or the space does not fit what it declares.
    """
    if not is_own(file.model):
        return file, ()
    from tuner.backend.active import prepare_devices
    from tuner.models.declared import declared

    prepare_devices(1 if options.execution.executor == "inline" else n_cores())
    declaration = declared(file.model, image_spec, file.space)
    _, document = space_documents(options, card)
    found = hold(document, file, declaration)
    check_flip(found, card)
    return found, (*declaration.notes, *_notes(file, found))


def hold(document: Document, file: SearchSpaceFile, declaration: Declaration) -> SearchSpaceFile:
    """Complete a space with a declaration.

    Raises:
        ConfigurationError: With every name that nothing reads and every value that the builder does not declare.
    """
    raise_problems([*check_held(document, file, declaration), *check_loop(declaration, file.model)])
    found = replace(file, space=completed(file.space, declaration))
    if file.search.method == "grid":
        for parameter in found.space.parameters:
            if grid_values(parameter) is None:
                raise ConfigurationError(
                    f"{file.model} declares {parameter.name} as any number from {described(parameter)}, and "
                    "search.method is grid",
                    f"list values for {parameter.name} in the space, or choose another method.",
                )
    return found


def _notes(given: SearchSpaceFile, found: SearchSpaceFile) -> list[str]:
    if not found.space.parameters:
        return [f"{found.model}: no hyperparameters are searched, so that the search is one setting"]
    before = {parameter.name for parameter in given.space.parameters}
    added = [p.name for p in found.space.parameters if p.name not in before]
    if not added:
        return []
    more = f" and {len(added) - _SHOWN_NAMES} more" if len(added) > _SHOWN_NAMES else ""
    return [f"searched as {found.model} declares it: {', '.join(added[:_SHOWN_NAMES])}{more}"]


def kept(file: SearchSpaceFile) -> dict[str, Any]:
    """What a run's config.yaml keeps of a completed space, so that a resumed run searches the same one."""
    return {"declared": plain(asdict(file.space))} if is_own(file.model) else {}


def resumed(file: SearchSpaceFile, config: Mapping[str, Any]) -> SearchSpaceFile:
    """The space that an unfinished run has begun to search, from its config.yaml."""
    space = config.get("declared")
    if not isinstance(space, Mapping):
        return file
    parameters = tuple(_parameter(parameter) for parameter in space["parameters"])
    return replace(file, space=Space(parameters=parameters, fixed=dict(space["fixed"])))


def _parameter(plain_parameter: Mapping[str, Any]) -> Parameter:
    conditions: Sequence[Mapping[str, Any]] = plain_parameter["conditions"]
    return Parameter(
        **{
            **plain_parameter,
            "choices": tuple(plain_parameter["choices"]),
            "conditions": tuple(Condition(parent=c["parent"], values=tuple(c["values"])) for c in conditions),
        }
    )
