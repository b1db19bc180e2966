"""A search space file as a record, or every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.space.checks import check_space
from tuner.space.conditions import check_conditions
from tuner.space.definition import (
    Objective,
    RetrainSettings,
    SearchSettings,
    SearchSpaceFile,
    SplitSizes,
)
from tuner.space.document import Document, Problem, load_document, raise_problems
from tuner.space.expand import expand
from tuner.space.layout import AnySpec, Layout
from tuner.space.overrides import apply_overrides
from tuner.space.schema import ObjectiveSpec, SpaceFile, Spec
from tuner.space.validation import did_you_mean, in_order, listed, nearest, shown, validate
from tuner.space.vocabulary import METRICS, VOCABULARIES

# Keys of the format that no code reads yet; they are refused, never ignored.
NOT_YET = ("constraints", "start_from")

_BUILDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_SPEC: TypeAdapter[AnySpec] = TypeAdapter(Spec)


def load_space(path: Path, overrides: Sequence[str] = (), model: str | None = None) -> SearchSpaceFile:
    """Read a search space file.

    Args:
        path: The file.
        overrides: Changes such as `space.dropout.max=0.6`, in the order of the command line; the value is YAML.
        model: Replaces the file's model, which decides what hyperparameters there are; None keeps it.

    Raises:
        ConfigurationError: With every mistake of the file, each with its line, the key and what was expected.
    """
    document = load_document(path)
    if model is not None and isinstance(document.data, dict):
        origins = {**document.origins, ("model",): f"--model {model}"}
        document = replace(document, data={**document.data, "model": model}, origins=origins)
    return parse_space(apply_overrides(document, overrides))


def parse_space(document: Document) -> SearchSpaceFile:
    """Turn a document into a search space; `load_space` says what it raises."""
    problems: list[Problem] = []
    if isinstance(document.data, dict):
        for key in NOT_YET:
            if key in document.data:
                message = f"{key} is not supported yet."
                problems.append(Problem(where=document.where((key,)), message=message, hint="remove it."))
        document = replace(document, data={k: v for k, v in document.data.items() if k not in NOT_YET})
    file, mistakes = validate(document, SpaceFile)
    problems += mistakes
    data = document.data if isinstance(document.data, dict) else {}
    model = data.get("model", "cnn")
    problems += _check_model(document, model)
    if isinstance(model, str) and model in VOCABULARIES:
        problems += _check_objective(document, data.get("objective"))
    layout = Layout(specs={}, terms=None)
    if isinstance(data.get("space"), dict):
        layout = Layout(specs=_well_formed(data["space"]), terms=VOCABULARIES.get(str(model)))
        wrong = check_space(document, layout, str(model))
        problems += [problem for found in wrong.values() for problem in found]
        problems += check_conditions(document, layout, wrong.keys())
        problems += _check_normalization(document)
    raise_problems(in_order(problems))
    assert file is not None  # Where it is None there were mistakes.
    return _record(document.name, file, layout)


def _check_model(document: Document, model: Any) -> list[Problem]:
    if not isinstance(model, str) or model in VOCABULARIES or _BUILDER.fullmatch(model):
        return []
    families = list(VOCABULARIES)
    message = f"model is {shown(model)}; expected {listed([*families, 'package.module:function'])}."
    match = nearest(model, families)
    hint = f'did you mean "{match}"?' if match else "name a builder of your own like my_package.models:build."
    return [Problem(where=document.where(("model",)), message=message, hint=hint)]


def _check_objective(document: Document, objective: Any) -> list[Problem]:
    long_form = isinstance(objective, dict)
    name, path = (objective.get("name"), ("objective", "name")) if long_form else (objective, ("objective",))
    if not isinstance(name, str) or name in METRICS:
        return []
    message = f"{'.'.join(path)} is {shown(name)}; expected {listed(METRICS)}."
    return [Problem(where=document.where(path), message=message, hint=did_you_mean(name, METRICS))]


def _check_normalization(document: Document) -> list[Problem]:
    if "normalization" not in document.data or "normalization" not in document.data["space"]:
        return []
    message = "normalization is set here and under space."
    return [Problem(where=document.where(("normalization",)), message=message, hint="keep one of the two.")]


def _well_formed(space: dict[str, Any]) -> dict[str, AnySpec]:
    """The declarations without mistakes of shape, so that the rest is checked in the same pass."""
    specs: dict[str, AnySpec] = {}
    for key, value in space.items():
        with suppress(ValidationError):
            specs[key] = _SPEC.validate_python(value)
    return specs


def _record(name: str, file: SpaceFile, layout: Layout) -> SearchSpaceFile:
    space = expand(layout)
    if file.normalization is not None:
        space = replace(space, fixed={**space.fixed, "normalization": file.normalization})
    return SearchSpaceFile(
        name=name,
        dataset=file.dataset,
        model=file.model,
        objective=_objective(file.objective),
        space=space,
        search=SearchSettings(**file.search.model_dump()),
        compare=tuple(file.compare),
        retrain=RetrainSettings(**file.retrain.model_dump()),
        split=SplitSizes(**file.split.model_dump()) if file.split else None,
    )


def _objective(spec: ObjectiveSpec) -> Objective:
    inferred = "min" if spec.name.endswith("loss") else "max"
    return Objective(name=spec.name, direction=spec.direction or inferred)
