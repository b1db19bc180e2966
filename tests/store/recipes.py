"""A sealed recipe of the tiny images."""

from __future__ import annotations

from tests.images import SMALL_CNN, image_spec
from tuner.models.registry import complete
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.space.split_settings import SplitSettings, SplitSizes


def make_recipe() -> Recipe:
    return Recipe(
        model="cnn",
        values=complete("cnn", SMALL_CNN),
        image=image_spec(),
        data=RecipeData(
            name="tiny",
            fingerprint="0123abcd",
            n_train=48,
            n_validation=16,
            n_test=24,
            split=SplitSettings(seed=3, limit=64, sizes=SplitSizes(train=48, validation=16)),
        ),
        seed=4_000_000_000,
        max_epochs=12,
        patience=3,
        schedule="cosine",
        monitor="val_accuracy",
        direction="max",
        epochs=1,
        validation_score=0.1 + 0.2,
        test_accuracy=None,
        versions={"tensorflow": "2.21.0", "python": "3.11.7"},
    )
