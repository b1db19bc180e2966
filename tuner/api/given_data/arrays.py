"""`(x, y)` as arrays: lists, NumPy, tensors and Series, with labels as numbers, one-hot or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.api.given_data.kept_arrays import Part
from tuner.data.arrays.array_labels import label_texts
from tuner.data.labels import is_label, plain_label
from tuner.errors import DataError

ClassNames = Sequence[str] | Mapping[Any, str]


def pair_of(given: Any, where: str, class_names: ClassNames | None = None) -> Part:
    """Images and labels of a pair.

    Args:
        given: `(x, y)`.
        where: Begins messages.
        class_names: Name of each class, by its number or label; None keeps the labels.

    Raises:
        DataError: If it is no pair of arrays, or a label has no name.
    """
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise DataError(
            f"{where}: expected (x, y), but got {words_of(given)}",
            "give a pair of images and labels, such as test=(x_test, y_test).",
        )
    for what, one in zip(("images", "labels"), given, strict=True):
        if one is None:
            raise DataError(f"{where}: the {what} are None", "give images and labels, (x, y).")
    images, labels = as_array(given[0], where), labels_of(given[1], where)
    return images, labels if class_names is None else with_names(labels, class_names, where)


def as_array(values: Any, where: str) -> NDArray[Any]:
    """Values as one array.

    Raises:
        DataError: If they are of several shapes, or no numbers.
    """
    # A tensor of PyTorch may carry gradients, or lie on a device.
    values = values.detach().cpu() if hasattr(values, "detach") else values
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{where}: cannot convert {words_of(values)} to an array",
            "give images of one size as a NumPy array (n, height, width, channels).",
        ) from error


def labels_of(values: Any, where: str) -> NDArray[Any]:
    """Labels as an array of numbers or text; empty text for what is missing.

    Raises:
        DataError: If they are dates, or bytes that are no text.
    """
    labels = as_array(values, where)
    if labels.dtype.kind in "mM":
        raise DataError(
            f"{where}: the labels are dates or durations", "give whole numbers, or text."
        )
    if labels.dtype.kind not in "OS":
        return labels
    texts = [_text(one, where) for one in labels.reshape(-1).tolist()]
    return np.array(texts, dtype=np.str_).reshape(labels.shape)


def with_names(labels: NDArray[Any], class_names: ClassNames, where: str) -> NDArray[Any]:
    """Labels as the names of their classes, (n,).

    Raises:
        DataError: If a label has no name.
    """
    return np.array(named(label_texts(labels, where), class_names, where), dtype=np.str_)


def named(labels: Sequence[str], class_names: ClassNames, where: str) -> list[str]:
    """Names of classes for labels as text, which may be `1`, `1.0` or `True` for the class 1.

    Raises:
        DataError: If a label has no name.
    """
    pairs = class_names.items() if isinstance(class_names, Mapping) else enumerate(class_names)
    names = {plain_label(str(label)): str(name) for label, name in pairs}
    known = dict(names)
    for word, number in (("False", "0"), ("True", "1")):
        if number in names:
            known.setdefault(word, names[number])
    plain = {text: plain_label(text) if is_label(text) else "" for text in set(labels)}
    for text, label in plain.items():
        if label and label not in known:
            raise DataError(
                f"{where}: class_names has no name for the label {text[:60]}",
                f"name it; labels with a name are {', '.join(list(names)[:8])}.",
            )
    return [known.get(plain[text], "") for text in labels]


def words_of(value: Any) -> str:
    """What a value is, for a message."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if isinstance(shape, tuple) else kind


def _text(label: Any, where: str) -> str:
    try:
        text = label.decode() if isinstance(label, bytes) else str(label)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: a label is not valid text", "give whole numbers as labels, or text in UTF-8."
        ) from error
    # None, NaN and pandas' NA leave an image out.
    return "" if label is None or not is_label(text) else text
