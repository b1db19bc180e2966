"""`predict`: class and probabilities of images, by the model of a run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.backend import environment
from tuner.commands.train import recipe_path
from tuner.cores import n_cores
from tuner.data.card import ImageSettings
from tuner.data.decode import UnreadableImageError, decode_with_facts
from tuner.data.formats import DAMAGED
from tuner.data.images import FileFacts
from tuner.data.value_range import FULL_16_BITS, range_words
from tuner.errors import ConfigurationError
from tuner.metrics.calibration import tempered
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.production.named_images import NamedImage, named_images
from tuner.production.recipe_images import recipe_settings
from tuner.records.recipe import Recipe
from tuner.store.model_file import model_file
from tuner.store.recipe_file import read_recipe

# Images and bytes that are held at a time, however many are to be predicted; predictions are made
# by 256 or 512.
_IMAGES_AT_A_TIME = 1024
_BYTES_AT_A_TIME = 256_000_000
# More would hold more whole photos in memory.
_MAX_THREADS = 8

_Predictor = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one image.

    Attributes:
        image: Its path.
        class_name: The most probable class.
        probabilities: Of every class, in the order of the class numbers.
        class_names: In the same order.
        note: A remark on how its values were read; mostly empty.
    """

    image: Path
    class_name: str
    probabilities: tuple[float, ...]
    class_names: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotPredicted:
    """A file without a prediction.

    Attributes:
        image: Its path.
        reason: Why, in a few words.
        is_bad: Whether it should have been an image; else it only lay in a folder of images.
    """

    image: Path
    reason: str
    is_bad: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Decoded:
    """An image as the model takes it: (height, width, channels)."""

    path: Path
    pixels: np.ndarray
    note: str


def predict(
    run: Path,
    images: Sequence[Path],
    model: Path | None = None,
    picture: Path | None = None,
    *,
    calibrated: bool = False,
) -> Iterator[Prediction | NotPredicted]:
    """Predict the classes of image files, some at a time, so that any number of them takes the same memory.

    Args:
        run: A run's folder, or a best.yaml.
        images: Files in any format that Pillow reads, and folders of them.
        model: A .keras file in place of the run's own.
        picture: Where to draw the image with its prediction; for one image only.
        calibrated: Whether probabilities are those after the run's temperature scaling.

    Yields:
        What became of each file, in the order of the files.

    Raises:
        ConfigurationError: If there is no such model or temperature, a picture of several images is
            asked for, or what the model puts out is no probabilities.
    """
    recipe_file = recipe_path(run)
    recipe = read_recipe(recipe_file)
    temperature = _temperature(recipe, recipe_file, model) if calibrated else None
    path = model or model_file(recipe_file.with_name("model.keras"))
    if not path.is_file():
        raise ConfigurationError(
            f"{path}: there is no model", "give a finished run, or a model with --model FILE."
        )
    files = list(named_images(images))
    if picture is not None and len(files) != 1:
        raise ConfigurationError(
            f"--picture draws one image, but {len(files)} are given", "give one image."
        )
    function: _Predictor | None = None
    for decoded in _decoded(files, recipe_settings(recipe)):
        pixels = [one.pixels for one in decoded if isinstance(one, _Decoded)]
        # Starting the framework takes seconds, which files that are all broken need not wait for.
        if pixels and function is None:
            function = _load(path, recipe)
        rows = iter(
            _probabilities(function, np.stack(pixels), path, recipe) if function and pixels else ()
        )
        for one in decoded:
            if isinstance(one, NotPredicted):
                yield one
                continue
            prediction = _prediction(one, next(rows), recipe, temperature)
            if picture is not None:
                from tuner.report.picture import draw_prediction

                draw_prediction(
                    one.pixels, prediction.probabilities, prediction.class_names, picture
                )
            yield prediction


def _temperature(recipe: Recipe, recipe_file: Path, model: Path | None) -> float:
    if model is not None:
        raise ConfigurationError(
            "--calibrated uses a temperature that was fitted to the run's own model, which --model"
            " replaces",
            "leave one of the two out.",
        )
    if recipe.temperature is None:
        raise ConfigurationError(
            f"{recipe_file}: it states no temperature to calibrate with",
            "leave --calibrated out, or give a run whose winner was retrained and tested.",
        )
    return recipe.temperature


def _decoded(
    files: Sequence[NamedImage], settings: ImageSettings
) -> Iterator[list[_Decoded | NotPredicted]]:
    """The files in order, as many at a time as memory may hold."""

    def one(file: NamedImage) -> _Decoded | NotPredicted:
        try:
            pixels, facts = decode_with_facts(file.path, settings)
        except UnreadableImageError as error:
            reason = "the folder holds no files" if file.path.is_dir() else str(error)
            is_bad = file.is_meant or reason == DAMAGED
            return NotPredicted(image=file.path, reason=reason, is_bad=is_bad)
        return _Decoded(path=file.path, pixels=pixels, note=_note(facts, settings))

    n = max(1, min(_IMAGES_AT_A_TIME, _BYTES_AT_A_TIME // math.prod(settings.shape)))
    with ThreadPoolExecutor(min(_MAX_THREADS, n_cores())) as pool:
        for start in range(0, len(files), n):
            with warnings.catch_warnings():
                # Of odd metadata and of very large photos; both are decoded all the same.
                warnings.filterwarnings("ignore", module=r"PIL\.")
                decoded = list(pool.map(one, files[start : start + n]))
            yield decoded


def _note(facts: FileFacts, settings: ImageSettings) -> str:
    """A remark on an image of more than 8 bits; empty where its values are within the recipe's range."""
    if facts.highest is None or facts.lowest is None:
        return ""
    held = f"{facts.lowest:g} to {facts.highest:g}"
    if settings.value_range is None:
        taken = range_words(FULL_16_BITS)
        return (
            f"values {held} of more than 8 bits, unlike the data of the recipe: {taken} becomes 0"
            " to 255"
        )
    black, white = settings.value_range
    if black <= facts.lowest and facts.highest <= white:
        return ""
    return f"values {held} are cut off at the recipe's value_range, {range_words((black, white))}"


def _load(path: Path, recipe: Recipe) -> _Predictor:
    """The model as a function from images to what it puts out."""
    environment.prepare()
    from tuner.backend.active import predictor, prepare_devices
    from tuner.training.finished import load_finished

    prepare_devices(n_cores())
    model = load_finished(path, recipe.model, recipe.values, recipe.image)
    return predictor(model)


def _probabilities(
    function: _Predictor, pixels: np.ndarray, path: Path, recipe: Recipe
) -> np.ndarray:
    from tuner.training.compiled import probabilities
    from tuner.training.fit import predict as predict_batches

    found = probabilities(predict_batches(function, pixels, np.arange(len(pixels))))
    try:
        return checked_probabilities(found, recipe.image.n_classes)
    except ScoreError as error:
        raise ConfigurationError(f"{path}: {error.message}", error.hint) from error


def _prediction(
    image: _Decoded, found: np.ndarray, recipe: Recipe, temperature: float | None
) -> Prediction:
    shares = found if temperature is None else tempered(found[None], temperature)[0]
    names = recipe.image.class_names
    return Prediction(
        image=image.path,
        class_name=names[int(shares.argmax())],
        probabilities=tuple(shares.tolist()),
        class_names=names,
        note=image.note,
    )
