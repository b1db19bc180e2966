"""The space of a builder of your own: what you write, completed with what its code declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tuner.data.cards.card import Card
from tuner.execution.make_executor import prepare_this_process
from tuner.names import first_of, is_own
from tuner.pipeline.identity import plain
from tuner.pipeline.preparation.compatibility import check_flip
from tuner.pipeline.preparation.configuration import space_documents
from tuner.pipeline.run_options import RunOptions
from tuner.records.image import ImageSpec
from tuner.space.declared import Declaration, completed, described
from tuner.space.definition import Condition, Parameter, Prior, SearchSpaceFile, Space
from tuner.space.documents.strict_yaml import Document, Problem, raise_problems
from tuner.space.held import check_held, check_loop
from tuner.space.methods import METHODS
from tuner.space.sampling import grid_values
from tuner.store.files.reading import DamagedFileError

# In a note; the report shows all.
_SHOWN_NAMES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A space and its builder, held against each other.

    Attributes:
        file: The space, completed with what its builder declares; that of a built-in family as it
            is.
        notes: Remarks to show before the search, a line each.
        problems: Names that nothing reads, and values that the builder does not declare.
    """

    file: SearchSpaceFile
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def declare(
    options: RunOptions, card: Card, file: SearchSpaceFile, image_spec: ImageSpec
) -> Declared:
    """Complete a space with what its builder declares.

    Args:
        options: Of the run.
        card: Of the data set.
        file: The space, with preset and options applied.
        image_spec: Of the images.

    Raises:
        ConfigurationError: If the builder cannot be called, or needs values that the space does not
            give.
    """
    if not is_own(file.model):
        return Declared(file=file)
    prepare_this_process(options.execution)
    from tuner.models.own_declaration import declared

    _, document = space_documents(options, card)
    found = hold(document, file, declared(file.model, image_spec, file.space))
    check_flip(found.file, card)
    return found


def hold(document: Document, file: SearchSpaceFile, declaration: Declaration) -> Declared:
    """Hold a space against a declaration.

    Raises:
        ConfigurationError: If the builder needs values that the space does not give.
    """
    problems = check_held(document, file, declaration)
    if declaration.missing:
        raise_problems(problems)
    whole = replace(file, space=completed(file.space, declaration))
    problems += [*check_loop(declaration, file.model), *_check_method(whole)]
    return Declared(
        file=whole,
        notes=(*declaration.notes, *_notes(file, whole, declaration)),
        problems=tuple(problems),
    )


def _check_method(file: SearchSpaceFile) -> Iterator[Problem]:
    method, where = file.search.method, f'model "{file.model}"'
    if METHODS[method].needs_parameters and not file.space.parameters:
        message = f"search.method is {method}, and no hyperparameter is searched"
        hint = "search one in the space or the builder, or choose another method."
        yield Problem(where=where, message=message, hint=hint)
    for parameter in file.space.parameters if METHODS[method].needs_finite_ranges else ():
        if grid_values(parameter) is None:
            message = (
                f"{parameter.name} may be any number from {described(parameter)}, and search.method"
                f" is {method}"
            )
            hint = f"list values for {parameter.name} in the space, or choose another method."
            yield Problem(where=where, message=message, hint=hint)


def _notes(
    given: SearchSpaceFile, whole: SearchSpaceFile, declaration: Declaration
) -> Iterator[str]:
    model, space = whole.model, whole.space
    before = {*given.space.searched, *given.space.fixed}
    unread = sorted(before - declaration.names - set(declaration.terms))
    if unread and not declaration.is_thorough and not declaration.reads_all:
        names = first_of(unread, _SHOWN_NAMES)
        yield f"{model} did not read {names} in the settings that were tried"
    if not space.parameters:
        yield f"{model}: no hyperparameters are searched, so the search has one setting"
    elif added := [name for name in space.searched if name not in before]:
        yield f"searched as {model} declares it: {first_of(added, _SHOWN_NAMES)}"


def kept(file: SearchSpaceFile) -> dict[str, Any]:
    """What config.yaml keeps of a completed space, so that a resumed run searches the same one."""
    return {"declared": plain(asdict(file.space))} if is_own(file.model) else {}


def resumed(
    file: SearchSpaceFile, config: Mapping[str, Any], where: str = "config.yaml"
) -> SearchSpaceFile:
    """The space that an unfinished run has begun to search, from its config.yaml.

    Args:
        file: The space as the run's options give it.
        config: What the file holds.
        where: Begins the message.

    Raises:
        DamagedFileError: If the file does not hold such a space.
    """
    if not is_own(file.model) or "declared" not in config:
        return file
    space = config["declared"]
    try:
        parameters = tuple(_parameter(parameter) for parameter in space["parameters"])
        return replace(file, space=Space(parameters=parameters, fixed=dict(space["fixed"])))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFileError(
            f"{where}: declared is not a space that a run wrote, so the run cannot be resumed",
            "restore the file, or start again with --fresh.",
        ) from error


def _parameter(plain_parameter: Mapping[str, Any]) -> Parameter:
    conditions: Sequence[Mapping[str, Any]] = plain_parameter["conditions"]
    return Parameter(
        **{
            **plain_parameter,
            "choices": tuple(plain_parameter["choices"]),
            "conditions": tuple(
                Condition(parent=c["parent"], values=tuple(c["values"])) for c in conditions
            ),
            "prior": _prior(plain_parameter.get("prior")),
        }
    )


def _prior(plain_prior: Mapping[str, Any] | None) -> Prior | None:
    if plain_prior is None:
        return None
    return Prior(**{**plain_prior, "weights": tuple(plain_prior["weights"])})
