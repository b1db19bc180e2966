"""Changes from the command line (`--set space.dropout.max=0.6`), made before the checks."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tuner.errors import ConfigurationError
from tuner.names import is_own, one_line
from tuner.space.documents.strict_yaml import Document, KeyPath, parse_document
from tuner.space.documents.validation import Strict, did_you_mean, shown
from tuner.space.parsing.constraint_specs import ConstraintsSpec
from tuner.space.parsing.families import AUTO, owner
from tuner.space.parsing.parameter_specs import (
    BooleanSpec,
    ChoiceSpec,
    FixedSpec,
    FloatSpec,
    IntSpec,
    UsualSpec,
    is_several,
)
from tuner.space.parsing.schema import ObjectiveSpec, RetrainSpec, SearchSpec, SpaceFile, SplitSpec
from tuner.space.vocabulary import BACKBONE_NAMES, MAX_CONV_BLOCKS, VOCABULARIES

_MOST_LETTERS = 200

_SECTIONS: Mapping[str, type[Strict]] = {
    "objective": ObjectiveSpec,
    "search": SearchSpec,
    "retrain": RetrainSpec,
    "constraints": ConstraintsSpec,
    "split": SplitSpec,
}
_SPEC_KEYS = {
    key
    for spec in (IntSpec, FloatSpec, ChoiceSpec, BooleanSpec, FixedSpec)
    for key in spec.model_fields
}


def apply_overrides(document: Document, overrides: Sequence[str]) -> Document:
    """Put overrides into a document; mistakes in their values are found with those of the file.

    Args:
        document: The file.
        overrides: Texts of the form PATH=VALUE: keys joined by dots, list items by number from 0;
            the value is YAML.

    Raises:
        ConfigurationError: If an override has no `=`, its value is not YAML, or its path leads
            nowhere.
    """
    for override in overrides:
        document = _apply(document, override)
    return document


def stated_keys(overrides: Sequence[str]) -> set[str]:
    """The keys that overrides state, dotted; of a section stated as a whole also those within it.

    Raises:
        ConfigurationError: If a value is not YAML.
    """
    found: set[str] = set()
    for override in overrides:
        dotted, _, text = override.partition("=")
        found.add(name := dotted.strip())
        value = parse_document(text, f"--set {_shown(override)}").data
        if isinstance(value, Mapping):
            found.update(f"{name}.{key}" for key in value)
    return found


def _apply(document: Document, override: str) -> Document:
    origin = f"--set {_shown(override)}"
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip() or not text.strip():
        raise ConfigurationError(
            f"{origin}: expected PATH=VALUE.", "for example --set space.dropout.max=0.6"
        )
    value = parse_document(text, origin).data
    data = copy.deepcopy(document.data)
    path: KeyPath = ()
    node = data
    *parents, last = dotted.strip().split(".")
    for part in parents:
        step = _step(node, part, path, document, origin)
        if isinstance(node, dict):
            # A section that the file leaves out, such as `search`.
            node.setdefault(part, {})
        node, path = node[step], (*path, step)
    step = _step(node, last, path, document, origin)
    node[step] = value
    path = (*path, step)
    lines = {known: line for known, line in document.lines.items() if known[: len(path)] != path}
    origins = {
        known: text for known, text in document.origins.items() if known[: len(path)] != path
    }
    return replace(document, data=data, lines=lines, origins={**origins, path: origin})


def _shown(text: str) -> str:
    """An override in a message: one line, and not longer than it helps."""
    return one_line(text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 3]}...")


def _step(node: Any, part: str, path: KeyPath, document: Document, origin: str) -> Any:
    """The key or index that a part of the path stands for."""
    where = _shown(".".join(map(str, path))) or document.name
    if isinstance(node, list):
        if part.isdecimal() and int(part) < len(node):
            return int(part)
        if is_several(node) and path[:1] == ("space",):
            message = f"{origin}: {where} has {len(node)} ranges, each with its own {shown(part)}."
            hint = f"name one of them, such as {where}.0.{_shown(part)}, or set {where} as a whole."
            raise ConfigurationError(message, hint)
        message = f"{origin}: {where} is a list of {len(node)}; {shown(part)} is none of its items."
        raise ConfigurationError(message, f"use a number from 0 to {len(node) - 1}.")
    if not isinstance(node, dict):
        message = f"{origin}: {where} is {shown(node)} and has no keys."
        raise ConfigurationError(message, f"set {where} as a whole.")
    known = {*node, *_allowed(document.data, path)}
    # What a builder of your own asks for is known once it is called.
    is_open = path == ("space",) and is_own(owner(document.data.get("model", "cnn")))
    if part not in known and not is_open:
        name = _shown(".".join(map(str, (*path, part))))
        if path == ("space",) and (family := _family_with(part, document.data.get("model"))):
            raise ConfigurationError(
                f"{origin}: {name} is a hyperparameter of {family}, which is searched in a space of"
                f" its own; `space` has those of {owner(document.data.get('model', 'cnn'))}.",
                f"search it alone: --model {family} --set {_shown(name)}=...",
            )
        raise ConfigurationError(
            f"{origin}: {name} is not a known key.", did_you_mean(part, sorted(known))
        )
    return part


def _family_with(name: str, model: Any) -> str | None:
    """The family searched beside the owner of `space` that has a hyperparameter of this name."""
    families = BACKBONE_NAMES if model == AUTO else model if isinstance(model, list) else ()
    has_it = (family for family in families if name in VOCABULARIES.get(str(family), {}))
    return next(has_it, None)


def _allowed(data: Any, path: KeyPath) -> set[str]:
    """The keys that may be set at a path, whether the file has them or not."""
    if path == ():
        return set(SpaceFile.model_fields)
    if path == ("space",):
        terms = VOCABULARIES.get(owner(data.get("model", "cnn")), {})
        numbered = {
            f"{name}_{i}"
            for name, term in terms.items()
            if term.per_block
            for i in range(MAX_CONV_BLOCKS)
        }
        return set(terms) | numbered
    if path == ("backbone",):
        return set(VOCABULARIES[BACKBONE_NAMES[0]])
    if path[0] == "space":
        # Of several ranges, each has its number in the path.
        is_declaration = len(path) == 2 or (len(path) == 3 and isinstance(path[2], int))
        if path[-1] == "prior":
            return set(UsualSpec.model_fields)
        return _SPEC_KEYS if is_declaration else set(data.get("space") or ())
    return set(_SECTIONS[str(path[0])].model_fields) if path[0] in _SECTIONS else set()
