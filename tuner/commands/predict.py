"""`predict`: class and probabilities of images, by a model of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.backend import framework
from tuner.cores import n_cores
from tuner.errors import ConfigurationError
from tuner.metrics.calibration import tempered
from tuner.metrics.probabilities import ScoreError, checked_probabilities
from tuner.names import printable
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.production.decoded_images import Decoded, NotPredicted, decoded_images
from tuner.production.named_images import named_images
from tuner.production.recipe_images import recipe_settings
from tuner.production.recipes import model_names, recipe_path
from tuner.records.sealed_recipe import Recipe
from tuner.store.model_file import model_file
from tuner.store.recipe_file import read_recipe

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


def predict(
    run: Path,
    images: Sequence[Path],
    tell: Callable[[str], None],
    model: str | None = None,
    picture: Path | None = None,
    *,
    calibrated: bool = False,
) -> Iterator[Prediction | NotPredicted]:
    """Predict the classes of image files, some at a time: any number takes the same memory.

    Args:
        run: A run's folder, or a name of it, or a best.yaml.
        images: Files in any format that Pillow reads, and folders of them.
        tell: Called with the model that predicts, in one line, before it is loaded.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.
        picture: Where to draw the image with its prediction; for one image only.
        calibrated: Whether probabilities are those after the temperature scaling of the recipe.

    Yields:
        What became of each file, in the order of the files.

    Raises:
        ConfigurationError: If there is no such model or temperature, a picture of several images is
            asked for, or what the model puts out is no probabilities.
    """
    recipe_file, path = _chosen(named_run(run, REPORTS), model)
    recipe = read_recipe(recipe_file)
    is_other = model is not None and path == Path(model)
    temperature = _temperature(recipe, recipe_file, is_other=is_other) if calibrated else None
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
    for decoded in decoded_images(files, recipe_settings(recipe)):
        pixels = [one.pixels for one in decoded if isinstance(one, Decoded)]
        # Starting the framework takes seconds, which files that are all broken need not wait for.
        if pixels and function is None:
            title = "" if is_other or not recipe.title else f"{printable(recipe.title)}, "
            tell(f"model: {title}{path}")
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
                from tuner.report.charts.prediction_chart import draw_prediction

                draw_prediction(
                    one.pixels, prediction.probabilities, prediction.class_names, picture
                )
            yield prediction


def _chosen(run: Path, model: str | None) -> tuple[Path, Path]:
    """The recipe that reads the images, and the file of the model that predicts."""
    best = recipe_path(run)
    names = model_names(best)
    if model is not None and model not in names and (not names or _is_file(model)):
        return best, Path(model)
    recipe = recipe_path(run, model)
    own = model_file(recipe.with_suffix(".keras"))
    return recipe, own if own.is_file() else model_file(recipe.with_name("model.keras"))


def _is_file(model: str) -> bool:
    """Whether it must be meant for a file, there or not, and for no name."""
    path = Path(model)
    return path.suffix != "" or len(path.parts) > 1 or path.is_file()


def _temperature(recipe: Recipe, recipe_file: Path, *, is_other: bool) -> float:
    if is_other:
        raise ConfigurationError(
            "--calibrated uses a temperature that was fitted to the run's own model, which a file"
            " of --model replaces",
            "leave one of the two out, or name one of the run's models.",
        )
    if recipe.temperature is None:
        raise ConfigurationError(
            f"{recipe_file}: it states no temperature to calibrate with",
            "leave --calibrated out, or give a run whose models were retrained and tested.",
        )
    return recipe.temperature


def _load(path: Path, recipe: Recipe) -> _Predictor:
    """The model as a function from images to what it puts out."""
    framework.start(n_cores())
    from tuner.backend.active import predictor
    from tuner.training.finished import load_finished

    model = load_finished(path, recipe.model, recipe.values, recipe.image)
    return predictor(model)


def _probabilities(
    function: _Predictor, pixels: np.ndarray, path: Path, recipe: Recipe
) -> np.ndarray:
    from tuner.training.batch_predict import predict as predict_batches
    from tuner.training.compiled import probabilities

    found = probabilities(predict_batches(function, pixels, np.arange(len(pixels))))
    try:
        return checked_probabilities(found, recipe.image.n_classes)
    except ScoreError as error:
        raise ConfigurationError(f"{path}: {error.message}", error.hint) from error


def _prediction(
    image: Decoded, found: np.ndarray, recipe: Recipe, temperature: float | None
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
