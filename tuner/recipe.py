"""A model of a run inside your own script: `load_recipe("best.yaml").build()`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.backend import environment
from tuner.errors import ConfigurationError
from tuner.records.sealed_recipe import Recipe
from tuner.space.vocabulary import TRAINING_TERMS
from tuner.store.recipe_file import read_recipe

if TYPE_CHECKING:
    import keras
    import numpy as np


class UsableRecipe:
    """A sealed recipe with what a script does with it.

    Attributes:
        recipe: The record.
        epochs: How long to train.
        batch_size: Images per step.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Take a recipe that was read before."""
        self.recipe = recipe
        self._model: keras.Model | None = None
        self.epochs = recipe.epochs
        self.batch_size = int(recipe.values.get("batch_size", TRAINING_TERMS["batch_size"].default))

    def build(self) -> keras.Model:
        """A new compiled model of plain Keras layers.

        Its images (n, height, width, channels) are 0-255.

        Raises:
            ConfigurationError: If the recipe combines predictions, which `fit` cannot train.
        """
        if self.recipe.combination is not None:
            raise ConfigurationError(
                f"{self.recipe.title}: combines predictions, and is no network that fit trains",
                "use `python -m tuner train --from`, or load the saved model with"
                " keras.models.load_model.",
            )
        environment.prepare()
        from tuner.training.compiled import compiled_model

        self._model = compiled_model(
            self.recipe.model, self.recipe.values, self.recipe.image, is_plain=True
        )
        return self._model

    def targets(self, labels: Sequence[int] | np.ndarray) -> np.ndarray:
        """Class numbers (n,) in the form that the model's loss takes.

        Raises:
            ValueError: If a label is no class number of the recipe.
        """
        environment.prepare()
        import numpy as np

        from tuner.training.compiled import targets

        numbers = np.asarray(labels)
        n_classes = self.recipe.image.n_classes
        if numbers.size and not (numbers.min() >= 0 and numbers.max() < n_classes):
            raise ValueError(
                f"labels must be class numbers from 0 to {n_classes - 1}, but got"
                f" {set(numbers.tolist())}"
            )
        return targets(self._model or self.build(), numbers)


def load_recipe(path: str | Path) -> UsableRecipe:
    """Read a `best.yaml`, or the recipe of another model of a run.

    Raises:
        ConfigurationError: If it cannot be read, or for all mistakes in it.
    """
    return UsableRecipe(read_recipe(Path(path)))
