"""`model:` of a space: one model, `auto`, or a list of families that are searched together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from tuner.names import is_own
from tuner.space.definition import Family, Space
from tuner.space.documents.strict_yaml import Document, Problem
from tuner.space.documents.validation import did_you_mean, shown
from tuner.space.vocabulary import VOCABULARIES

# The list that fits the data and what is installed; the baseline that the data set's card states.
AUTO, BASELINE = "auto", "baseline"


def as_names(value: Any) -> Any:
    """What `model:` names, as a list.

    Raises:
        ValueError: If it is neither text nor a list.
    """
    is_known = isinstance(value, str | list)
    if not is_known:
        raise ValueError(f"is {shown(value)}; expected text, or a list of families.")
    return [value] if isinstance(value, str) else value


def owner(model: Any) -> str:
    """The model whose hyperparameters `space:` holds: of a list `cnn`, else the first backbone."""
    names = [str(name) for name in model] if isinstance(model, list) else [str(model)]
    if len(names) == 1:
        return "cnn" if names[0] == AUTO else names[0]
    return next((name for name in ("cnn", *names) if name in names and name in VOCABULARIES), "cnn")


def owners(names: Sequence[str]) -> set[str]:
    """The families that have the hyperparameters of `space:`: `cnn`, else all backbones."""
    return {"cnn"} if "cnn" in names else set(names) & VOCABULARIES.keys()


def families_of(names: Sequence[str], space: Space) -> tuple[Family, ...]:
    """The families of a list; none of a single model.

    Args:
        names: What `model:` names.
        space: Of its owners; that of the others is not in the file.
    """
    if len(names) == 1:
        return ()
    nothing, own = Space(parameters=(), fixed={}), owners(names)
    return tuple(
        Family(name=name, model=name, space=space if name in own else nothing) for name in names
    )


def check_families(document: Document, model: Any) -> Iterator[Problem]:
    """The mistakes in a list of families."""
    if not isinstance(model, list):
        return
    where = document.where(("model",))
    if not model:
        yield Problem(where=where, message="model names no family.", hint="name one, such as cnn.")
    names = [name for name in model if isinstance(name, str)]
    for i, name in enumerate(model):
        if isinstance(name, str):
            yield from _check_name(document, i, name, names)
    if names and not owners(names) and all(name == BASELINE for name in names):
        message = "model names baseline alone, which leaves nothing to search."
        yield Problem(where=where, message=message, hint="add cnn or a backbone to the list.")


def _check_name(document: Document, i: int, name: str, names: Sequence[str]) -> Iterator[Problem]:
    where, start = document.where(("model", i)), f"model.{i} is {shown(name)}"
    known = (BASELINE, *VOCABULARIES)
    if is_own(name):
        message = f"{start}; a builder of your own is searched alone."
        yield Problem(where=where, message=message, hint=f"write model: {name}")
    elif name == AUTO:
        message = f"{start}, which stands for a list of its own."
        yield Problem(where=where, message=message, hint="write model: auto")
    elif name not in known:
        message = f"{start}; expected cnn, baseline or a backbone such as efficientnet_lite2."
        yield Problem(where=where, message=message, hint=partial(did_you_mean, name, known))
    elif name in names[:i]:
        message = f"{start}, which is in the list already."
        yield Problem(where=where, message=message, hint="delete one of the two.")
