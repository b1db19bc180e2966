"""The model of a run, with the recipe that its images are read by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tuner.backend import framework
from tuner.cores import n_cores
from tuner.data.decoding.streaming import Indexed
from tuner.errors import ConfigurationError
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.names import printable
from tuner.production.chosen_model import chosen_model
from tuner.records.sealed_recipe import Recipe
from tuner.store.recipe_file import read_recipe

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenModel:
    """A model's file and the recipe that reads its images.

    Attributes:
        recipe: What it was trained by.
        recipe_file: Where that is.
        path: The .keras file, or that of its weights.
        is_other: Whether it is a file that replaces the run's own models.
    """

    recipe: Recipe
    recipe_file: Path
    path: Path
    is_other: bool

    @property
    def title(self) -> str:
        """What the run calls it; empty for another file, or where the recipe does not say."""
        return "" if self.is_other else printable(self.recipe.title)

    @property
    def words(self) -> str:
        """Which model it is, in one line."""
        return f"model: {self.title}{', ' if self.title else ''}{self.path}"

    def temperature(self, option: str = "--calibrated") -> float:
        """The temperature that the run fitted to this model.

        Args:
            option: What asked for it.

        Raises:
            ConfigurationError: If there is none.
        """
        if self.is_other:
            raise ConfigurationError(
                f"{option} uses a temperature that was fitted to the run's own model, which a file"
                " of --model replaces",
                "leave one of the two out, or name one of the run's models.",
            )
        if self.recipe.temperature is None:
            raise ConfigurationError(
                f"{self.recipe_file}: it states no temperature to calibrate with",
                f"leave {option} out, or give a run whose models were retrained and tested.",
            )
        return self.recipe.temperature


def named_model(run: Path, model: str | None) -> ChosenModel:
    """The model that a command line names.

    Args:
        run: A run's folder, or a best.yaml.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.

    Raises:
        ConfigurationError: If there is no such recipe or model.
    """
    recipe_file, path = chosen_model(run, model)
    return ChosenModel(
        recipe=read_recipe(recipe_file),
        recipe_file=recipe_file,
        path=path,
        is_other=model is not None and path == Path(model),
    )


def check_is_there(chosen: ChosenModel) -> None:
    """Refuse a model whose file is missing.

    Raises:
        ConfigurationError: If it is.
    """
    if not chosen.path.is_file():
        raise ConfigurationError(
            f"{chosen.path}: there is no model",
            "give a finished run, or a model with --model FILE.",
        )


class LoadedModel:
    """A model in memory.

    Attributes:
        model: The Keras model.
        function: The same as a function from images to what it puts out.
    """

    def __init__(self, chosen: ChosenModel, n_threads: int | None = None) -> None:
        """Start the framework and load the model.

        Args:
            chosen: The model.
            n_threads: Of one operation; all cores by default.

        Raises:
            ConfigurationError: If it cannot be loaded without running code of the file.
        """
        framework.start(n_threads or n_cores())
        from tuner.backend.active import predictor
        from tuner.training.finished import load_finished

        recipe = chosen.recipe
        self._chosen = chosen
        self.model: keras.Model = load_finished(
            chosen.path, recipe.model, recipe.values, recipe.image
        )
        self.function: Callable[[np.ndarray], np.ndarray] = predictor(self.model)

    def probabilities(self, pixels: Indexed, rows: np.ndarray | None = None) -> np.ndarray:
        """Uncalibrated probabilities (n, classes) of images (n, height, width, channels), 0-255.

        Args:
            pixels: The images, or what gives them by row.
            rows: Those that count; all by default.

        Raises:
            ConfigurationError: If what the model puts out is no probabilities.
        """
        from tuner.training.batch_predict import predict
        from tuner.training.compiled import probabilities

        rows = np.arange(pixels.shape[0]) if rows is None else rows
        found = probabilities(predict(self.function, pixels, rows))
        try:
            return checked_probabilities(found, self._chosen.recipe.image.n_classes)
        except ScoreError as error:
            raise ConfigurationError(f"{self._chosen.path}: {error.message}", error.hint) from error
