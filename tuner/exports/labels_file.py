"""What labels.json says of a recipe's model."""

from __future__ import annotations

import tuner
from tuner.exports.formats import IMAGES, Format, InputType
from tuner.production.exported_labels import Labels, LabelsInput
from tuner.production.recipe_images import recipe_settings
from tuner.records.sealed_recipe import Recipe


def labels_record(
    recipe: Recipe,
    wanted: Format,
    input_type: InputType,
    temperature: float | None,
    run: str,
    title: str,
) -> Labels:
    """What the file holds.

    Args:
        recipe: Of the model.
        wanted: The format.
        input_type: Of the images.
        temperature: What the logits are divided by inside of the file; None where they are not.
        run: Name of the run's folder.
        title: What the model is called.
    """
    settings = recipe_settings(recipe).model_dump()
    return Labels(
        file=wanted.file,
        labels=list(recipe.image.class_names),
        input=LabelsInput(name=IMAGES, type=input_type, **settings),
        temperature=temperature,
        model=title,
        run=run,
        tuner=tuner.__version__,
    )
