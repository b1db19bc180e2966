"""labels.json: what a program must know to feed an exported file and to read its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tuner
from tuner.exports.formats import IMAGES, Format, InputType
from tuner.records.sealed_recipe import Recipe
from tuner.store.files.whole_files import write_text

NAME = "labels.json"


def labels_record(
    recipe: Recipe, wanted: Format, input_type: InputType, temperature: float | None, run: str
) -> dict[str, Any]:
    """What the file holds.

    Args:
        recipe: Of the model.
        wanted: The format.
        input_type: Of the images.
        temperature: What the logits are divided by inside of the file; None where they are not.
        run: Name of the run's folder.
    """
    spec = recipe.image
    return {
        "file": wanted.file,
        "labels": list(spec.class_names),
        "input": {
            "name": IMAGES,
            "shape": [None, *spec.shape],
            "type": input_type,
            "range": [0, 255],
            "height": spec.height,
            "width": spec.width,
            "channels": spec.channels,
            "colour": "grey" if spec.channels == 1 else "RGB",
            "background": list(recipe.data.background),
        },
        "output": "probabilities, one for each label",
        "temperature": temperature,
        "model": recipe.title or recipe.model,
        "run": run,
        "tuner": tuner.__version__,
    }


def write_labels(record: dict[str, Any], folder: Path) -> None:
    """Write it, with a line for each key."""
    write_text(folder / NAME, json.dumps(record, indent=2) + "\n")
