"""Images a second of `predict`, from files, beside the model's own pass over decoded images."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from made_run import jpeg_photos, made_run

from tuner import commands
from tuner.commands.predict import PredictOptions
from tuner.cores import n_cores
from tuner.production.decoded_images import Decoded, decoded_images
from tuner.production.named_images import NamedImage, named_images
from tuner.production.recipe_images import recipe_settings
from tuner.production.recipe_model import LoadedModel, named_model
from tuner.records.sealed_recipe import Recipe

_REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Images a second.

    Attributes:
        forward: The model alone, on images that are decoded already.
        decoding: Decoding alone, in as many threads as `predict` has.
        predicting: Both, as `predict` does them.
    """

    forward: float
    decoding: float
    predicting: float


def main() -> None:
    """Write photos and a model, and time what is done with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2048)
    parser.add_argument("--photo", type=int, default=640, help="width of the JPEG files")
    parser.add_argument("--side", type=int, default=224, help="of the model's images")
    parser.add_argument("--model", default="efficientnet_lite2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        recipe = made_run(folder, options.model, options.side)
        (folder / "photos").mkdir()
        for number, photo in enumerate(jpeg_photos(options.images, options.photo)):
            (folder / "photos" / f"{number:05}.jpg").write_bytes(photo)
        files = list(named_images([str(folder / "photos")]))
        rates = _rates(folder, recipe, files)
    share = rates.predicting / rates.forward
    # Where all cores take part in both, decoding can only come on top.
    bound = 1 / (1 + rates.forward / rates.decoding)
    print(
        f"{options.model}, {options.side} x {options.side}, {n_cores()} cores: the model alone"
        f" {rates.forward:,.0f} images/s, decoding alone {rates.decoding:,.0f}, predict"
        f" {rates.predicting:,.0f}: {100 * share:.0f} % of the model alone"
        f" ({100 * bound:.0f} % one after the other)"
    )


def _rates(folder: Path, recipe: Recipe, files: list[NamedImage]) -> Rates:
    from tuner.training.batch_predict import predict as predict_batches

    loaded = LoadedModel(named_model(folder, None))
    function = loaded.function
    settings = recipe_settings(recipe)
    chunk = [
        one.pixels for one in next(decoded_images(files, settings)) if isinstance(one, Decoded)
    ]
    pixels = np.stack(chunk)
    rows = np.arange(len(pixels))
    predict_batches(function, pixels, rows)
    # Loading and tracing take seconds once, however many images there are.
    commands.predict.LoadedModel = lambda chosen: loaded
    options = PredictOptions(run=folder)
    works = (
        lambda: [predict_batches(function, pixels, rows) for _ in range(len(files) // len(rows))],
        lambda: list(decoded_images(files, settings)),
        lambda: list(commands.predict.predict(options, files, lambda line: None).found),
    )
    # In turn, and the best of each, since other programs may be at work.
    seconds = [[_seconds(work) for work in works] for _ in range(_REPEATS)]
    forward_s, decoding_s, predicting_s = map(min, zip(*seconds, strict=True))
    return Rates(
        forward=len(files) // len(rows) * len(rows) / forward_s,
        decoding=len(files) / decoding_s,
        predicting=len(files) / predicting_s,
    )


def _seconds(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
