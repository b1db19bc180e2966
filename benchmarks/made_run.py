"""A network with drawn weights as a run's folder, and photos, for benchmarks of what is shipped."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tuner.backend import framework
from tuner.cores import n_cores
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.space.split_settings import SplitSettings
from tuner.store.recipe_file import write_recipe

_GREY = 127.0


def made_run(folder: Path, model: str, side: int) -> Recipe:
    """Write a model and its recipe for colour images of two classes, `side` pixels wide and high.

    Args:
        folder: Where model.keras and best.yaml go.
        model: Family or backbone.
        side: Pixels.
    """
    image = ImageSpec(
        height=side,
        width=side,
        channels=3,
        class_names=("cat", "dog"),
        mean=(_GREY,) * 3,
        std=(_GREY / 2,) * 3,
    )
    data = RecipeData(
        name="photos",
        fingerprint="",
        n_train=1,
        n_validation=1,
        n_test=1,
        split=SplitSettings(seed=0),
    )
    recipe = Recipe(
        model=model,
        values=complete(model, {"weights": "none"} if model != "cnn" else {}),
        image=image,
        data=data,
        seed=0,
        max_epochs=1,
        patience=None,
        schedule="constant",
        monitor="val_accuracy",
        direction="max",
        epochs=1,
        validation_score=None,
        test_accuracy=None,
        versions={},
    )
    framework.start(n_cores())
    from tuner.training.compiled import compiled_model

    made = compiled_model(model, recipe.values, image, is_plain=True)
    made.save(folder / "model.keras")
    write_recipe(recipe, folder / "best.yaml", "Of a benchmark.")
    return recipe


def jpeg_photos(n: int, width: int) -> Iterator[bytes]:
    """JPEG files of about the detail that a camera's have: noise at a fourth of their size."""
    rng = np.random.default_rng(0)
    for _ in range(n):
        pixels = rng.integers(0, 256, size=(3 * width // 16, width // 4, 3), dtype=np.uint8)
        photo = Image.fromarray(pixels).resize((width, 3 * width // 4), Image.Resampling.BICUBIC)
        file = io.BytesIO()
        photo.save(file, "JPEG", quality=85)
        yield file.getvalue()
