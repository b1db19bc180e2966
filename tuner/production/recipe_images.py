"""Image files as the model of a recipe takes them."""

from __future__ import annotations

from tuner.data.decoding.image_settings import ImageSettings
from tuner.records.sealed_recipe import Recipe


def recipe_settings(recipe: Recipe) -> ImageSettings:
    """Size, channels, background and range of values that the recipe's model was trained with."""
    spec, data = recipe.image, recipe.data
    return ImageSettings(
        height=spec.height,
        width=spec.width,
        channels=1 if spec.channels == 1 else 3,
        background=list(data.background),
        value_range=list(data.value_range) if data.value_range else None,
    )
