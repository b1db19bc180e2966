"""`predict`: class and probabilities of images, by a model of a run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.data.decoding.decode import UnreadableImageError
from tuner.errors import ConfigurationError
from tuner.metrics.calibration import tempered
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.production.decoded_images import Decoded, NotPredicted, decoded_images
from tuner.production.named_images import NamedImage
from tuner.production.recipe_images import recipe_settings
from tuner.production.recipe_model import ChosenModel, LoadedModel, check_is_there, named_model
from tuner.production.recipes import import_notice
from tuner.production.sorted_folders import SortedFolders
from tuner.records.sealed_recipe import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """Options of `predict`.

    Attributes:
        run: A run's folder, or a name of it, or a best.yaml.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.
        picture: Where to draw the image with its prediction; for one image only.
        calibrated: Whether probabilities are those after the temperature scaling of the recipe.
        allow_download: Whether images may be fetched from web addresses.
        min_confidence: Probability below which an image gets no class.
        sort_into: Folder that gets a folder of images for each class; None sorts nothing.
        link: Whether those are links, not copies.
    """

    run: Path
    model: str | None = None
    picture: Path | None = None
    calibrated: bool = False
    allow_download: bool = False
    min_confidence: float = 0.0
    sort_into: Path | None = None
    link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a model says of one image.

    Attributes:
        image: Its path or address.
        class_name: The most probable class; None where it is less probable than was asked for.
        probabilities: Of every class, in the order of the class numbers.
        class_names: In the same order.
        note: A remark on how its values were read; mostly empty.
    """

    image: str
    class_name: str | None
    probabilities: tuple[float, ...]
    class_names: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """Predictions that are made as they are taken.

    Attributes:
        class_names: In the order of the class numbers.
        found: What becomes of each file, in the order of the files.
        sorter: Where images are sorted into; None where they are not.
    """

    class_names: tuple[str, ...]
    found: Generator[Prediction | NotPredicted]
    sorter: SortedFolders | None = None


def predict(
    options: PredictOptions, files: Sequence[NamedImage], tell: Callable[[str], None]
) -> Predictions:
    """Predict the classes of images, some at a time: only their names are all in memory.

    Args:
        options: What is asked for.
        files: In any format that Pillow reads.
        tell: Called with the code that the recipe runs, and with the model that predicts, in a line
            each, before it is loaded.

    Raises:
        ConfigurationError: If there is no such model or temperature, a picture of several images is
            asked for, or an address without the right to download; while predictions are taken, if
            what the model puts out is no probabilities.
    """
    chosen = named_model(named_run(options.run, REPORTS), options.model)
    temperature = chosen.temperature() if options.calibrated else None
    check_is_there(chosen)
    _check(options, files)
    names = chosen.recipe.image.class_names
    sorter = None
    if options.sort_into is not None:
        sorter = SortedFolders(options.sort_into, names, links=options.link)

    def tell_model() -> None:
        for words in filter(None, [import_notice(chosen.recipe.model), chosen.words]):
            tell(words)

    found = _predicted(options, files, chosen, temperature, tell_model)
    return Predictions(
        class_names=names, found=_sorted(found, sorter) if sorter else found, sorter=sorter
    )


def predict_arrays(
    options: PredictOptions, pixels: np.ndarray, names: Sequence[str]
) -> list[Prediction]:
    """Predict the classes of images in memory, as `predict` does for files with these pixels.

    Args:
        options: What is asked for; a picture, sorting and downloads are for files.
        pixels: (n, height, width, channels), 0-255, of the size that the model takes.
        names: What the images are called, (n,).

    Raises:
        ConfigurationError: If there is no such model or temperature, or what the model puts out is
            no probabilities.
    """
    chosen = named_model(named_run(options.run, REPORTS), options.model)
    temperature = chosen.temperature() if options.calibrated else None
    check_is_there(chosen)
    found = LoadedModel(chosen).probabilities(pixels)
    images = (
        Decoded(name=name, pixels=one, note="") for name, one in zip(names, pixels, strict=True)
    )
    return [
        _prediction(image, row, chosen.recipe, temperature, options.min_confidence)
        for image, row in zip(images, found, strict=True)
    ]


def _check(options: PredictOptions, files: Sequence[NamedImage]) -> None:
    if options.sort_into is not None:
        root = options.sort_into.resolve()
        for folder in dict.fromkeys(file.folder for file in files if file.folder):
            read = folder.resolve()
            if root.is_relative_to(read) or read.is_relative_to(root):
                raise ConfigurationError(
                    f"{options.sort_into}: --sort-into overlaps with {folder}, which images are"
                    " read from, so the same command would read its own copies",
                    "name a folder outside of it.",
                )
    if options.picture is not None and len(files) != 1:
        raise ConfigurationError(
            f"--picture draws one image, but {len(files)} are given", "give one image."
        )
    address = next((file.name for file in files if file.is_address), None)
    if address is None:
        return
    if not options.allow_download:
        raise ConfigurationError(
            f"{address}: is a web address, and downloads are off by default",
            "add --allow-download.",
        )
    if options.sort_into is not None:
        raise ConfigurationError(
            f"{address}: --sort-into sorts files, and a downloaded image is not kept",
            "download the images first.",
        )


def _predicted(
    options: PredictOptions,
    files: Sequence[NamedImage],
    chosen: ChosenModel,
    temperature: float | None,
    tell_model: Callable[[], None],
) -> Generator[Prediction | NotPredicted]:
    loaded: LoadedModel | None = None
    recipe = chosen.recipe
    for decoded in decoded_images(files, recipe_settings(recipe)):
        pixels = [one.pixels for one in decoded if isinstance(one, Decoded)]
        # Starting the framework takes seconds, which files that are all broken need not wait for.
        if pixels and loaded is None:
            tell_model()
            loaded = LoadedModel(chosen)
        rows = iter(loaded.probabilities(np.stack(pixels)) if loaded and pixels else ())
        for one in decoded:
            if isinstance(one, NotPredicted):
                yield one
                continue
            prediction = _prediction(one, next(rows), recipe, temperature, options.min_confidence)
            if options.picture is not None:
                from tuner.report.charts.prediction_chart import draw_prediction

                draw_prediction(
                    one.pixels, prediction.probabilities, prediction.class_names, options.picture
                )
            yield prediction


def _sorted(
    found: Iterable[Prediction | NotPredicted], sorter: SortedFolders
) -> Generator[Prediction | NotPredicted]:
    sorter.sweep()
    for one in found:
        if isinstance(one, Prediction):
            try:
                sorter.put(Path(one.image), one.class_name)
            except UnreadableImageError as error:
                yield NotPredicted(image=one.image, reason=str(error), is_bad=True)
                continue
        yield one


def _prediction(
    image: Decoded,
    found: np.ndarray,
    recipe: Recipe,
    temperature: float | None,
    min_confidence: float,
) -> Prediction:
    shares = found if temperature is None else tempered(found[None], temperature)[0]
    names, best = recipe.image.class_names, int(shares.argmax())
    return Prediction(
        image=image.name,
        class_name=names[best] if shares[best] >= min_confidence else None,
        probabilities=tuple(shares.tolist()),
        class_names=names,
        note=image.note,
    )
