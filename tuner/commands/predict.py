"""`predict`: class and probabilities of images, by the model of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.backend import environment
from tuner.commands.hardware import n_cores
from tuner.commands.train import recipe_path
from tuner.data.card import ImageSettings
from tuner.data.decode import UnreadableImageError, decode
from tuner.errors import ConfigurationError, DataError
from tuner.metrics.calibration import tempered
from tuner.records.recipe import Recipe
from tuner.store.model_file import model_file
from tuner.store.recipe_file import read_recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one image.

    Attributes:
        image: Its path.
        class_name: The most probable class.
        probabilities: Of every class, in the order of the class numbers.
        class_names: In the same order.
    """

    image: Path
    class_name: str
    probabilities: tuple[float, ...]
    class_names: tuple[str, ...]


def predict(
    run: Path,
    images: Sequence[Path],
    model: Path | None = None,
    picture: Path | None = None,
    *,
    calibrated: bool = False,
) -> list[Prediction]:
    """Predict the classes of image files.

    Args:
        run: A run's folder, or a best.yaml.
        images: Files in any format that Pillow reads.
        model: A .keras file in place of the run's own.
        picture: Where to draw the image with its prediction; for one image only.
        calibrated: Whether probabilities are those after the run's temperature scaling.

    Raises:
        ConfigurationError: If there is no such model or temperature, or a picture of several images is asked for.
        DataError: If an image cannot be read.
    """
    if picture is not None and len(images) != 1:
        raise ConfigurationError(f"--picture draws one image, but {len(images)} are given", "give one image.")
    recipe_file = recipe_path(run)
    recipe = read_recipe(recipe_file)
    temperature = _temperature(recipe, recipe_file, model) if calibrated else None
    path = model or model_file(recipe_file.with_name("model.keras"))
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no model", "give a finished run, or a model with --model FILE.")
    pixels = np.stack([_decode(image, recipe) for image in images])
    found = _probabilities(path, pixels, recipe)
    if temperature is not None:
        found = tempered(found, temperature)
    names = recipe.image.class_names
    predictions = [
        Prediction(image=image, class_name=names[int(p.argmax())], probabilities=tuple(p.tolist()), class_names=names)
        for image, p in zip(images, found, strict=True)
    ]
    if picture is not None:
        from tuner.report.picture import draw_prediction

        draw_prediction(pixels[0], predictions[0].probabilities, names, picture)
    return predictions


def _temperature(recipe: Recipe, recipe_file: Path, model: Path | None) -> float:
    if model is not None:
        raise ConfigurationError(
            "--calibrated uses a temperature that was fitted to the run's own model, which --model replaces",
            "leave one of the two out.",
        )
    if recipe.temperature is None:
        raise ConfigurationError(
            f"{recipe_file}: it states no temperature, so nothing is known to calibrate with",
            "leave --calibrated out, or give a run whose winner was retrained and tested.",
        )
    return recipe.temperature


def _decode(image: Path, recipe: Recipe) -> np.ndarray:
    spec = recipe.image
    settings = ImageSettings(
        height=spec.height,
        width=spec.width,
        channels=1 if spec.channels == 1 else 3,
        background=list(recipe.data.background),
    )
    try:
        return decode(image, settings)
    except UnreadableImageError as error:
        raise DataError(
            f"{image}: cannot be read as an image: {error}", "give a picture that other programs open."
        ) from error


def _probabilities(path: Path, pixels: np.ndarray, recipe: Recipe) -> np.ndarray:
    environment.prepare()
    from tuner.backend.active import predictor, prepare_devices
    from tuner.training.compiled import probabilities
    from tuner.training.finished import load_finished
    from tuner.training.fit import predict as predict_batches

    prepare_devices(n_cores())
    model = load_finished(path, recipe.model, recipe.values, recipe.image)
    return probabilities(predict_batches(predictor(model), pixels, np.arange(len(pixels))))
