"""Images predicted by a model of a run, as a data frame."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from tuner.api.array_images import array_images
from tuner.commands.predict import Prediction, PredictOptions, predict, predict_arrays
from tuner.errors import DataError
from tuner.production.decoded_images import NotPredicted
from tuner.production.named_images import NamedImage, named_images
from tuner.production.recipe_model import named_model
from tuner.report.text import plural

_SHOWN = 3
# `FinishedRun.predict` is wrapped by a decorator of contextlib.
_INSIDE = ("tuner", "contextlib")


def predicted(options: PredictOptions, images: Any) -> pd.DataFrame:
    """One row per image, with the columns of `predict --out`.

    Args:
        options: The run's folder, the model, and what is asked for.
        images: An array, a path, or a list of either.

    Raises:
        ConfigurationError: If there is no such model.
        DataError: If the images are none that the model takes, or none of the files is an image.
    """
    images = list(images) if isinstance(images, Iterator) else images
    names = _paths(images)
    if isinstance(images, list | tuple) and not images:
        raise DataError("there are no images", "give at least one array, or the path of one file.")
    if names is None:
        spec = named_model(options.run, options.model).recipe.image
        pixels = array_images(images, spec)
        numbered = [f"image {number}" for number in range(len(pixels))]
        return _frame(predict_arrays(options, pixels, numbered), spec.class_names)
    files: list[NamedImage] = list(named_images(names))
    found = predict(options, files, lambda text: None)
    rows = [one for one in found.found if isinstance(one, Prediction) or one.is_bad]
    bad = [one for one in rows if isinstance(one, NotPredicted)]
    _tell_of(bad, len(rows))
    return _frame(rows, found.class_names)


def _paths(images: Any) -> list[str] | None:
    """The names of files and folders; None where the images are arrays."""
    if isinstance(images, str | os.PathLike):
        return [os.fspath(images)]
    # An array of text, or a Series of it, holds paths.
    is_array = hasattr(images, "__array__")
    if is_array and np.asarray(images).dtype.kind in "OU" and np.ndim(images) == 1:
        images, is_array = np.asarray(images).tolist(), False
    if isinstance(images, Iterable) and not is_array:
        listed = list(images)
        if listed and all(isinstance(one, str | os.PathLike) for one in listed):
            return [str(Path(one)) if isinstance(one, os.PathLike) else one for one in listed]
    return None


def _tell_of(bad: Sequence[NotPredicted], n: int) -> None:
    """Warn of files without a prediction.

    Raises:
        DataError: If no file has one.
    """
    shown = "; ".join(f"{one.image}: {one.reason}" for one in bad[:_SHOWN])
    if len(bad) == n:
        what = "there is no image among the files"
        if n == 1:
            what = f"{bad[0].image}: cannot be read as an image: {bad[0].reason}"
        elif n:
            what = f"none of {n:,} files can be read as an image: {shown}"
        raise DataError(what, "give images that other programs can open.")
    if bad:
        _warn_caller(
            f"{plural(len(bad), 'file')} of {n:,} cannot be read as images, and the column error"
            f" says why: {shown}"
        )


def _warn_caller(message: str) -> None:
    """Warn at the line that called this package, through however many of its functions."""
    frame: FrameType | None = sys._getframe()
    level = 1
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _frame(rows: Sequence[Prediction | NotPredicted], class_names: Sequence[str]) -> pd.DataFrame:
    found = [one if isinstance(one, Prediction) else None for one in rows]
    columns: dict[str, Any] = {
        "image": [one.image for one in rows],
        "class": [one.class_name if one else None for one in found],
        "confidence": [max(one.probabilities) if one else None for one in found],
        "error": [one.reason if isinstance(one, NotPredicted) else None for one in rows],
        "note": [one.note or None if one else None for one in found],
    }
    for number, name in enumerate(class_names):
        columns[f"probability.{name}"] = [
            one.probabilities[number] if one else None for one in found
        ]
    texts = ("image", "class", "error", "note")
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype="string" if name in texts else "float64")
            for name, column in columns.items()
        }
    )
