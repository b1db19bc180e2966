"""A search space file as a record, or every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.names import is_own
from tuner.space.constraints import Constraints
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import Document, Problem, load_document, raise_problems
from tuner.space.documents.validation import did_you_mean, in_order, nearest, shown, validate
from tuner.space.parsing.checks import check_space
from tuner.space.parsing.conditions import check_conditions
from tuner.space.parsing.expand import expand
from tuner.space.parsing.families import AUTO, check_families, families_of, owner
from tuner.space.parsing.layout import AnySpec, Layout, SpecKey
from tuner.space.parsing.narrowing import drop_unreachable
from tuner.space.parsing.objectives import check_objectives, objective_of
from tuner.space.parsing.overrides import apply_overrides
from tuner.space.parsing.parameter_specs import Spec, is_several
from tuner.space.parsing.schema import SpaceFile
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings
from tuner.space.split_settings import SplitSizes
from tuner.space.vocabulary import (
    BACKBONE_TERMS,
    BATCH_TERMS,
    TRAINING_TERMS,
    VOCABULARIES,
)

_BUILDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_SPEC: TypeAdapter[AnySpec] = TypeAdapter(Spec)


def load_space(
    path: Path, overrides: Sequence[str] = (), model: str | None = None
) -> SearchSpaceFile:
    """Read a search space file.

    Args:
        path: The file.
        overrides: Changes such as `space.dropout.max=0.6`, in the order of the command line; the
            value is YAML.
        model: Replaces the file's model, which decides what hyperparameters there are; several
            names are parted by commas. None keeps it.

    Raises:
        ConfigurationError: With every mistake of the file, each with its line, the key and what was
            expected.
    """
    before, document = load_documents(path, overrides, model)
    return parse_space(document, before=before)


def load_documents(
    path: Path,
    overrides: Sequence[str] = (),
    model: str | None = None,
    *,
    is_asked_for: bool = True,
) -> tuple[Document, Document]:
    """A space's document with its model, without and with the overrides.

    `load_space` says what it raises.

    Args:
        path: The file.
        overrides: As of `load_space`.
        model: As of `load_space`.
        is_asked_for: Whether you name the file. Of one that is only the default, another model's
            hyperparameters mean nothing for a builder of your own: what it declares is the space
            then.
    """
    document = load_document(path)
    if model is not None and isinstance(document.data, dict):
        names = [name.strip() for name in model.split(",")]
        data, origins = (
            {**document.data, "model": names if len(names) > 1 else model},
            {**document.origins, ("model",): f"--model {model}"},
        )
        if is_own(model) and not is_asked_for and document.data.get("model", "cnn") != model:
            data = {key: value for key, value in data.items() if key != "normalization"} | {
                "space": {}
            }
            origins[("space",)] = f"--model {model}"
        document = replace(document, data=data, origins=origins)
    return document, apply_overrides(document, overrides)


def parse_space(document: Document, before: Document | None = None) -> SearchSpaceFile:
    """Turn a document into a search space; `load_space` says what it raises.

    Args:
        document: The file, with all changes.
        before: The file without them. What was in order there, and has become unreachable, is left
            out.
    """
    file, problems = validate(document, SpaceFile)
    data = document.data if isinstance(document.data, dict) else {}
    problems += _check_model(document, data.get("model", "cnn"))
    problems += check_families(document, data.get("model"))
    model = owner(data.get("model", "cnn"))
    problems += check_objectives(document, model)
    problems += _check_backbone(document, data.get("backbone"))
    layout = Layout(specs={}, terms=None)
    if isinstance(data.get("space"), dict):
        layout = layout_of(document, model)
        if before is not None:
            document, layout = _without_unreachable(document, layout, layout_of(before, model))
        wrong = check_space(document, layout, model)
        problems += [problem for found in wrong.values() for problem in found]
        problems += check_conditions(document, layout, wrong.keys())
        problems += _check_normalization(document)
    raise_problems(in_order(problems))
    assert file is not None  # Where it is None there were mistakes.
    return _record(document.name, file, layout)


def _check_model(document: Document, model: Any) -> list[Problem]:
    if (
        not isinstance(model, str)
        or model == AUTO
        or model in VOCABULARIES
        or _BUILDER.fullmatch(model)
    ):
        return []
    families = [AUTO, *VOCABULARIES]
    message = (
        f"model is {shown(model)}; expected cnn, a backbone such as efficientnet_b2, or"
        " package.module:function."
    )
    match = nearest(model, families)
    if match:
        hint = f'did you mean "{match}"?'
    elif model.isidentifier():
        hint = f"use one of {', '.join(families)}."
    else:
        hint = "name a builder of your own like my_package.models:build."
    return [Problem(where=document.where(("model",)), message=message, hint=hint)]


def _check_backbone(document: Document, backbone: Any) -> Iterator[Problem]:
    terms = {**BACKBONE_TERMS, **TRAINING_TERMS, **BATCH_TERMS}
    for name, value in backbone.items() if isinstance(backbone, dict) else ():
        path, where = f"backbone.{name}", document.where(("backbone", name))
        if name not in terms:
            message = f"{path} is not a hyperparameter of a backbone."
            yield Problem(where=where, message=message, hint=did_you_mean(name, terms))
        elif not terms[name].accepts(value):
            yield Problem(
                where=where,
                message=f"{path} is {shown(value)}; expected {terms[name].expected}.",
                hint="",
            )


def _check_normalization(document: Document) -> list[Problem]:
    if "normalization" not in document.data or "normalization" not in document.data["space"]:
        return []
    message = "normalization is set here and under space."
    return [
        Problem(
            where=document.where(("normalization",)), message=message, hint="keep one of the two."
        )
    ]


def layout_of(document: Document, model: str) -> Layout:
    """The declarations without mistakes of shape, so that the rest is checked in the same pass."""
    space = document.data.get("space") if isinstance(document.data, dict) else None
    specs: dict[str, dict[SpecKey, AnySpec]] = {}
    for name, value in space.items() if isinstance(space, dict) else ():
        stated: dict[SpecKey, Any] = {(name,): value}
        if is_several(value):
            stated = {(name, i): one for i, one in enumerate(value) if isinstance(one, dict)}
        for key, one in stated.items():
            with suppress(ValidationError):
                specs.setdefault(name, {})[key] = _SPEC.validate_python(one)
    return Layout(specs=specs, terms=VOCABULARIES.get(model))


def _without_unreachable(
    document: Document, layout: Layout, before: Layout
) -> tuple[Document, Layout]:
    reachable = drop_unreachable(layout, before)
    dropped = layout.specs.keys() - reachable.specs.keys()
    space = {key: value for key, value in document.data["space"].items() if key not in dropped}
    return replace(document, data={**document.data, "space": space}), reachable


def _record(name: str, file: SpaceFile, layout: Layout) -> SearchSpaceFile:
    space = expand(layout)
    if file.normalization is not None:
        space = replace(space, fixed={**space.fixed, "normalization": file.normalization})
    return SearchSpaceFile(
        name=name,
        dataset=file.dataset,
        model=owner(file.model),
        objective=objective_of(file),
        space=space,
        search=SearchSettings(**file.search.model_dump()),
        compare=tuple(file.compare),
        backbone=file.backbone,
        retrain=RetrainSettings(**file.retrain.model_dump()),
        split=SplitSizes(**file.split.model_dump()) if file.split else None,
        precision=file.precision,
        start_from=tuple(dict.fromkeys(file.start_from)),
        families=families_of(file.model, space),
        constraints=Constraints(**file.constraints.model_dump()),
        costs=tuple(file.objectives[1:]),
        track=tuple(dict.fromkeys(file.track)),
    )
