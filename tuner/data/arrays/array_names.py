"""Which arrays hold images, and which their labels: by the names in use, else by their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tuner.data.arrays.array_file import Array, shape_words
from tuner.data.folders.part_names import ROLE_WORDS, NamedRole, free_role, role_of
from tuner.data.splits.split_rules import MaybeRole
from tuner.errors import DataError
from tuner.names import first_of, printable

_IMAGES = frozenset(
    {"x", "image", "images", "img", "imgs", "data", "features", "inputs", "pixels", "samples"}
)
_LABELS = frozenset(
    {"y", "label", "labels", "target", "targets", "class", "classes", "lbl", "lbls", "t"}
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W_]+")
_GLUED = re.compile(rf"(?P<first>x|y)?(?P<role>{ROLE_WORDS})(?P<last>x|y)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayPair:
    """Images and their labels.

    Attributes:
        part: `train`, `validation` or `test`; empty where the arrays are of no part.
        images: Name of the array.
        labels: Name of the array.
    """

    part: MaybeRole
    images: str
    labels: str


def part_names(
    arrays: Mapping[str, Array], path: Path, stated: Sequence[ArrayPair] = ()
) -> list[ArrayPair]:
    """The arrays of images and of labels of each part.

    They are those that the card names, else those that are clear.

    Args:
        arrays: What is there.
        path: The file or folder, for messages.
        stated: What the card names; empty where it names none.

    Raises:
        DataError: If it is not clear, or one that the card names is missing.
    """
    missing = [name for pair in stated for name in (pair.images, pair.labels) if name not in arrays]
    found = list(stated) or pairs(arrays)
    if found and not missing:
        return found
    names = [
        f"{printable(name)} ({shape_words(array.shape)})" for name, array in sorted(arrays.items())
    ]
    shown = first_of(names, 10)
    if missing:
        raise DataError(
            f"{path.name}: there is no array {missing[0]}; found {shown or 'none'}",
            "correct the names under files in the card.",
        )
    raise DataError(
        f"{path.name}: expected the arrays x_train and y_train, or x and y; found"
        f" {shown or 'none'}",
        "save it with numpy.savez(path, x=images, y=labels); or name them in a card, such as "
        "files: {type: npz, path: FILE, train_images: NAME, train_labels: NAME}.",
    )


def pairs(arrays: Mapping[str, Array]) -> list[ArrayPair]:
    """Pairs of arrays in the order of the parts; none where it is not clear.

    Of several that may be the same, such as `data` and `images`, the one of a fitting shape wins.
    """
    meanings = [(name, *meaning) for name in arrays for meaning in _meanings(name)]
    parts = {part for _, part, _ in meanings}
    by_role: dict[tuple[str, str], list[str]] = {}
    for name, part, kind in meanings:
        by_role.setdefault((part and free_role(part, parts), kind), []).append(name)
    found = []
    for part in get_args(MaybeRole):
        images = _only(by_role.get((part, "images"), []), arrays, are_images=True)
        labels = _only(by_role.get((part, "labels"), []), arrays, are_images=False)
        if images and labels:
            found.append(ArrayPair(part=part, images=images, labels=labels))
    if any(pair.part == "train" for pair in found):
        found = [pair for pair in found if pair.part]
        return found if len(found) > 1 else [_of_no_part(found[0])]
    return [pair for pair in found if not pair.part] or _by_shape(arrays)


def _of_no_part(pair: ArrayPair) -> ArrayPair:
    return ArrayPair(part="", images=pair.images, labels=pair.labels)


def _meanings(name: str) -> Iterator[tuple[NamedRole | Literal[""], str]]:
    """The part, or none, and the kind that a name such as `x_train` or `valLabels` tells."""
    words = [word.casefold() for word in _CAMEL.split(name) if word]
    glued = _GLUED.fullmatch(words[0]) if len(words) == 1 else None
    if glued and (glued["first"] or glued["last"]):
        words = [word for word in (glued["first"], glued["role"], glued["last"]) if word]
    kinds = [
        kind for kind, known in (("images", _IMAGES), ("labels", _LABELS)) if known & set(words)
    ]
    roles = [role for word in words if (role := role_of(word))]
    n_other = len([word for word in words if word not in _IMAGES | _LABELS and not role_of(word)])
    if len(kinds) == 1 and len(roles) <= 1 and not n_other:
        yield (roles[0] if roles else "", kinds[0])


def _only(names: list[str], arrays: Mapping[str, Array], *, are_images: bool) -> str | None:
    """The one that it can be; of several, the only one of a fitting shape."""
    fitting = [name for name in names if (len(arrays[name].shape) >= 3) == are_images]
    if len(names) == 1:
        return names[0]
    return fitting[0] if len(fitting) == 1 else None


def _by_shape(arrays: Mapping[str, Array]) -> list[ArrayPair]:
    """The only array of three or four dimensions, and the only one with as many labels."""
    images = [
        name
        for name, array in arrays.items()
        if len(array.shape) in (3, 4) and array.dtype.kind in "uif"
    ]
    if len(images) != 1:
        return []
    n = arrays[images[0]].shape[0]
    labels = [
        name
        for name, array in arrays.items()
        if name != images[0] and 1 <= len(array.shape) <= 2 and array.shape[0] == n
    ]
    return [ArrayPair(part="", images=images[0], labels=labels[0])] if len(labels) == 1 else []
