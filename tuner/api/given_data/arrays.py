"""`(x, y)` as arrays: lists, NumPy, tensors and Series, with labels as numbers, one-hot or text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.api.given_data.kept_arrays import Part
from tuner.data.arrays.array_labels import label_texts
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
    images, labels = as_array(given[0], where), _labels(given[1], where)
    return images, labels if class_names is None else named(labels, class_names, where)


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
            f"{where}: no array can be made of {words_of(values)}",
            "give images of one size as a NumPy array (n, height, width, channels).",
        ) from error


def named(labels: NDArray[Any], class_names: ClassNames, where: str) -> NDArray[Any]:
    """Labels as the names of their classes, (n,).

    Raises:
        DataError: If a label has no name.
    """
    pairs = class_names.items() if isinstance(class_names, Mapping) else enumerate(class_names)
    names = {str(label): str(name) for label, name in pairs}
    texts = label_texts(labels, where)
    for text in texts:
        if text and text not in names:
            raise DataError(
                f"{where}: class_names has no name for the label {text[:60]}",
                f"name it; labels with a name are {', '.join(list(names)[:8])}.",
            )
    return np.array([names.get(text, "") for text in texts])


def words_of(value: Any) -> str:
    """What a value is, for a message."""
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    return f"{kind} of shape {tuple(shape)}" if isinstance(shape, tuple) else kind


def _labels(values: Any, where: str) -> NDArray[Any]:
    labels = as_array(values, where)
    if labels.dtype.kind == "O":
        # Text, perhaps beside NaN or None, which leave an image out.
        labels = np.array(["" if one is None else str(one) for one in labels])
    return labels
