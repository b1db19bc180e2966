"""The labels that an array holds, as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.arrays.array_file import blocks
from tuner.errors import DataError


def label_texts(values: NDArray[Any], where: str) -> list[str]:
    """The labels as text; of rows of zeros and a single one, the position of the one.

    Args:
        values: One or more for each image.
        where: File and array, for messages.

    Raises:
        DataError: If they are no text, or not one class for each image.
    """
    n_columns = values.shape[1] if values.ndim == 2 else 1
    texts: list[str] = []
    for block in blocks(np.atleast_1d(values)):
        if n_columns == 1:
            texts.extend(_texts(block.reshape(-1), where))
            continue
        if block.dtype.kind not in "biuf" or not _is_one_hot(block):
            raise DataError(
                f"{where}: {n_columns} labels for each image, but some images do not have exactly"
                " one 1",
                "give each image one class; several classes for one image are not supported.",
            )
        texts.extend(map(str, block.argmax(axis=1).tolist()))
    return texts


def _texts(labels: NDArray[Any], where: str) -> list[str]:
    """Labels as text; bytes are UTF-8."""
    try:
        if labels.dtype.kind == "S":
            return [label.decode() for label in labels.tolist()]
        if labels.dtype.kind == "U":
            # NumPy checks no code points, and Python fails in odd ways on those that are none.
            labels.astype(labels.dtype.newbyteorder("<")).tobytes().decode("utf-32-le")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: a label is not valid text", "save whole numbers as labels, or text in UTF-8."
        ) from error
    return [str(label) for label in labels.tolist()]


def _is_one_hot(block: NDArray[Any]) -> bool:
    return bool((((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1) == 1)).all())
