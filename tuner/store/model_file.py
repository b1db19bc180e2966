"""The files that a trained model may be in."""

from __future__ import annotations

from pathlib import Path

from tuner.store.files.whole_files import put_beside


def weights_file(model: Path) -> Path:
    """Where a model's weights are if Keras cannot describe it in a .keras file.

    The name is, for example, `model.weights.h5`.
    """
    return model.with_suffix(".weights.h5")


def model_file(model: Path) -> Path:
    """The .keras file of a model, or in its place the file of its weights."""
    weights = weights_file(model)
    return weights if weights.is_file() and not model.is_file() else model


def like(model: Path, other: Path) -> Path:
    """The file of a model that is of the same kind as another's: the whole model, or its weights.

    Args:
        model: A .keras file.
        other: A .keras or .weights.h5 file.
    """
    return weights_file(model) if other.suffix == weights_file(model).suffix else model


def put_in_place(file: Path, model: Path) -> Path:
    """Give a saved model a second name; a file of the other kind under that name goes.

    Args:
        file: The .keras or .weights.h5 file.
        model: The .keras file to be, or whose weights file is to be.

    Returns:
        The second file.
    """
    place = like(model, file)
    put_beside(file, place)
    for other in (model, weights_file(model)):
        if other != place:
            other.unlink(missing_ok=True)
    return place
